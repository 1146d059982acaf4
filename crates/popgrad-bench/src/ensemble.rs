//! W2, W7 and the protocol of 2021: ensembles through the engine, with stop test and refill.

use crate::arrays::Arrays;
use crate::clock::{Timing, once, time};
use crate::limits::{Limits, Work};
use crate::report;
use crate::swept::sweep;
use popgrad::{
    EnsembleDynamics, EnsembleStop, Level, Matrix, RunEnd, StartLaw, TwoLayer, TwoLayerEnsemble, XyEnsemble,
    XyPlane, XyStart,
};

/// The largest accepted difference from the peer's end points; rounding grows along a run.
const AGREEMENT: f64 = 1e-9;

/// A bound on the gradient norm that is tested at every step and never met, so that every run takes all its steps.
const UNREACHED: f64 = 1e-300;

fn stop(steps: u64) -> EnsembleStop {
    EnsembleStop { gradient_norm: Some(UNREACHED), steps, ..EnsembleStop::default() }
}

/// Fused multiply-adds and products of an angle: one for the sine, fourteen for the arcsine, one or two for the cosine.
const MULTIPLY_ADDS_OF_AN_ANGLE: f64 = 16.0;

/// What a step of `k` students in `k` dimensions takes beside an orthonormal teacher that is the basis.
fn work_of_step(k: usize) -> Work {
    let k = k as f64;
    let (pairs, with_teachers) = (0.5 * k * (k - 1.0), k * k);
    // Inner products of students, and the sums over the others.
    let formula = (pairs + k) * k + 2.0 * pairs * k;
    let angles = pairs + with_teachers;
    // Sums of sines, and own term, square and step of every entry.
    let sums = 2.0 * pairs + with_teachers + 3.0 * k * k;
    Work { formula, kernel: formula + MULTIPLY_ADDS_OF_AN_ANGLE * angles + sums, angles, lengths: k }
}

/// What a step in the plane takes: three angles, one length, and some twenty-five products around them.
const WORK_IN_PLANE: Work =
    Work { formula: 25.0, kernel: 25.0 + 3.0 * (MULTIPLY_ADDS_OF_AN_ANGLE - 1.0), angles: 3.0, lengths: 1.0 };

/// 1000 steps of gradient descent of many starts; size `starts,K,d`.
pub(crate) fn descent(arrays: &Arrays, count: usize, k: usize, d: usize) -> Result<(), String> {
    let name = format!("w2_{count}_{k}_{d}");
    let starts = arrays.matrix(&format!("{name}_w"))?.as_slice().to_vec();
    let problem = TwoLayer::try_new(arrays.matrix(&format!("{name}_v"))?).map_err(|e| e.to_string())?;
    let ensemble = TwoLayerEnsemble::try_new(problem, k)
        .map_err(|e| e.to_string())?
        .with_start(StartLaw::Given { starts })
        .with_dynamics(EnsembleDynamics::descent(0.01))
        .with_stop(stop(1000));
    let run = |runs: u64| {
        ensemble.runs(0..runs, Level::detect()).map(popgrad::EnsembleRun::finish).map_err(|e| e.to_string())
    };
    let want = arrays.matrix(&format!("{name}_end"))?;
    let shown = (want.as_slice().len() / (k * d)) as u64;
    agree(&run(shown)?, want.as_slice())?;
    let text = format!(
        "runs = {count}\n[problem]\nteacher = \"orthonormal:{k}\"\n[dynamics]\nstep = 0.01\n[stop]\nsteps = 1000\n\
         gradient_norm = {UNREACHED:e}\n"
    );
    if k == d {
        let (timing, _) = sweep(&text, 1.0)?;
        report("w2", "sweep, drawn starts", &format!("{count},{k},{d}"), timing, &[]);
    }
    let timing = time(|| run(count as u64).map(|ends| ends.len()));
    let shares = Limits::measure().shares(work_of_step(k), timing.cpu_seconds / (1000.0 * count as f64));
    report("w2", "TwoLayerEnsemble::runs", &format!("{count},{k},{d}"), timing, &shares);
    Ok(())
}

/// Gradient descent in Theorem 7's plane with five units; size `starts,steps`.
pub(crate) fn plane(arrays: &Arrays, count: usize, steps: usize) -> Result<(), String> {
    let starts = arrays.matrix("w7_start")?;
    let starts = starts.as_slice().as_chunks::<2>().0[..count].to_vec();
    let plane = XyPlane::try_new(5).map_err(|e| e.to_string())?;
    let of = |steps: u64| {
        XyEnsemble::new(plane)
            .with_start(XyStart::Given { starts: starts.clone() })
            .with_dynamics(EnsembleDynamics::descent(0.01))
            .with_stop(stop(steps))
    };
    let run = |ensemble: &XyEnsemble, runs: u64| {
        ensemble.runs(0..runs, Level::detect()).map(popgrad::EnsembleRun::finish).map_err(|e| e.to_string())
    };
    let want = arrays.matrix("w7_end")?;
    agree(&run(&of(1000), want.rows() as u64)?, want.as_slice())?;
    // A part of the starts takes as long for each: whole vectors of runs, of which all the starts leave as few lanes idle.
    let (ensemble, part) = (of(steps as u64), count.min(1152));
    let text = format!(
        "runs = {part}\npart = {part}\n[problem]\nkind = \"xy\"\nunits = 5\n[dynamics]\nstep = 0.01\n[stop]\nsteps = {steps}\n\
         gradient_norm = {UNREACHED:e}\n"
    );
    let (timing, _) = sweep(&text, part as f64 / count as f64)?;
    let size = format!("{count},{steps}");
    report("w7", "sweep, drawn starts", &size, timing, &[("starts_timed", part as f64)]);
    let timing = time(|| run(&ensemble, part as u64).map(|ends| ends.len()));
    let share = count as f64 / part as f64;
    let timing = Timing { cpu_seconds: timing.cpu_seconds * share, least: timing.least * share };
    let a_step = timing.cpu_seconds / (count * steps) as f64;
    let shares = Limits::measure().shares(WORK_IN_PLANE, a_step);
    report("w7", "XyEnsemble::runs", &size, timing, &shares);
    Ok(())
}

/// Whole runs of the protocol of Safran, Yehudai & Shamir (2021): `k` units, step `5/k`, to a gradient norm of 1e-12;
/// size `starts,k`.
pub(crate) fn protocol(count: usize, k: usize) -> Result<(), String> {
    let problem = TwoLayer::try_new(Matrix::identity(k, k)).map_err(|e| e.to_string())?;
    for (case, step) in
        [("step 5/k", 5.0 / k as f64), ("step 5/(2 pi k)", 5.0 / k as f64 / std::f64::consts::TAU)]
    {
        let stop = EnsembleStop { gradient_norm: Some(1e-12), steps: 10_000_000, ..EnsembleStop::default() };
        let ensemble = TwoLayerEnsemble::try_new(problem.clone(), k)
            .map_err(|e| e.to_string())?
            .with_dynamics(EnsembleDynamics::descent(step))
            .with_stop(stop);
        let (ends, seconds) =
            once(|| ensemble.runs(0..count as u64, Level::detect()).map(popgrad::EnsembleRun::finish));
        let ends = ends.map_err(|e| e.to_string())?;
        let mut steps: Vec<u64> = ends.iter().map(|end| end.steps).collect();
        steps.sort_unstable();
        let all: u64 = steps.iter().sum();
        let each = seconds / count as f64;
        let a_step = seconds / all as f64;
        let converged = ends.iter().filter(|end| end.status.is_converged()).count();
        let more = [
            ("median", steps[count / 2] as f64 * a_step),
            ("mean_steps", all as f64 / count as f64),
            ("longest_run", steps[count - 1] as f64),
            ("seconds_a_step", a_step),
            ("converged", converged as f64 / count as f64),
        ];
        report("start2021", case, &format!("{count},{k}"), Timing { cpu_seconds: each, least: each }, &more);
    }
    Ok(())
}

fn agree(ends: &[RunEnd], want: &[f64]) -> Result<(), String> {
    let got = ends.iter().flat_map(|end| &end.weights);
    let difference = got.zip(want).fold(0.0_f64, |m, (x, y)| m.max((x - y).abs()));
    if difference <= AGREEMENT {
        return Ok(());
    }
    Err(format!("our end points differ from the peer's by {difference:e}"))
}
