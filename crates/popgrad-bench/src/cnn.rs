//! W8: gradient descent of the convolutional network of Du et al. (2018).

use crate::arrays::Arrays;
use crate::limits::{Limits, Work};
use crate::report;
use crate::swept::sweep;
use popgrad::{Cnn, CnnEnsemble, CnnStart, EnsembleDynamics, EnsembleStop, Level};

/// What a step takes: one angle, one length, and some twenty-six products around them.
const WORK: Work = Work { formula: 26.0, kernel: 40.0, angles: 1.0, lengths: 1.0 };

/// The step.
const STEP: f64 = 0.05;
/// The largest accepted difference from the peer's end points; rounding grows along a run.
const AGREEMENT: f64 = 1e-10;

/// Starts of `k` patches of dimension `p`; the array holds the peer's first starts and ends.
pub(crate) fn descent(
    arrays: &Arrays,
    count: usize,
    (k, p): (usize, usize),
    steps: usize,
) -> Result<(), String> {
    let (teacher, starts) = (arrays.matrix("w8_teacher")?, arrays.matrix("w8_start")?);
    if teacher.cols() != p + k {
        return Err(format!("the arrays are of {} weights, not of {p} + {k}", teacher.cols()));
    }
    agree(&teacher, &starts, &arrays.matrix("w8_end")?, p)?;
    // Tested at every step and never met, so that every run takes all its steps; so for the sets that decide a run.
    let text = format!(
        "runs = {count}\n[problem]\nkind = \"cnn\"\npatches = {k}\npatch_dimension = {p}\nratio = 4\n[dynamics]\n\
         step = {STEP}\n[stop]\nsteps = {steps}\ngradient_norm = 1e-300\nbasin = false\n"
    );
    let (timing, summary) = sweep(&text, 1.0)?;
    let limited = summary.cells.iter().filter_map(|cell| cell.statuses.get("step_limit")).sum::<u64>();
    if limited != count as u64 {
        return Err(format!("{limited} of {count} runs took all steps"));
    }
    let shares = Limits::measure().shares(WORK, timing.cpu_seconds / (count * steps) as f64);
    report("w8", "sweep, drawn starts", &format!("{count},{k},{p},{steps}"), timing, &shares);
    Ok(())
}

/// Compares the ends of the peer's starts after 1000 steps with the peer's.
fn agree(
    teacher: &popgrad::Matrix,
    starts: &popgrad::Matrix,
    want: &popgrad::Matrix,
    p: usize,
) -> Result<(), String> {
    let (filter, output) = teacher.row(0).split_at(p);
    let problem = Cnn::try_new(filter, output).map_err(|e| e.to_string())?;
    let ensemble = CnnEnsemble::try_new(problem)
        .map_err(|e| e.to_string())?
        .with_start(CnnStart::Given { starts: starts.as_slice().to_vec() })
        .with_dynamics(EnsembleDynamics::descent(STEP))
        .with_stop(EnsembleStop { steps: 1000, ..EnsembleStop::default() });
    let ends = ensemble.runs(0..want.rows() as u64, Level::detect()).map_err(|e| e.to_string())?.finish();
    for (run, end) in ends.iter().enumerate() {
        let got = ensemble.lift(end).map_err(|e| e.to_string())?;
        let pairs = got.filter.iter().chain(&got.output).zip(want.row(run));
        let difference = pairs.fold(0.0_f64, |m, (x, y)| m.max((x - y).abs()));
        if difference > AGREEMENT {
            return Err(format!("our end of start {run} differs from the peer's by {difference:e}"));
        }
    }
    Ok(())
}
