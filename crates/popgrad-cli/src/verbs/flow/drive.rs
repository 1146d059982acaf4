//! Driving the runs: slices, progress, signals, and the files that fill on the way.

use super::plan::{Exact, Plan};
use crate::arguments::file_at;
use crate::document::VERSION;
use crate::failure::Failure;
use crate::progress;
use crate::signals::{Signal, Signals};
use indicatif::ProgressBar;
use popgrad::{Advance, Outcome, Progress, SingleReluError, Status, StopRule};
use popgrad_lab::flow::{ExactTrajectory, Model, Trajectory, TrajectoryPicture};
use popgrad_lab::storage::{
    AtomicFile, Member, Provenance, StorageError, TrajectoryRow, TrajectoryWriter, write_npz,
};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// A slice is made as long as fits into this, so that signals are seen soon.
const SLICE: Duration = Duration::from_millis(30);

/// Units of the progress bar for one run.
const BAR: u64 = 1000;

/// What the runs came to.
pub(super) struct RunResult {
    /// The end of every run that began.
    pub(super) runs: Vec<Outcome>,
    /// Rows written.
    pub(super) rows: u64,
    /// The signal that ended it early.
    pub(super) stopped: Option<Signal>,
}

/// Runs every start in turn and writes the files.
pub(super) fn drive(plan: &Plan, signals: &Signals) -> Result<RunResult, Failure> {
    let mut sinks = Sinks::open(plan)?;
    let bar = progress::bar(plan.starts.len() as u64 * BAR);
    let mut result = RunResult { runs: Vec::new(), rows: 0, stopped: None };
    for (i, start) in plan.starts.iter().enumerate() {
        if let Some(exact) = &plan.exact {
            result.runs.push(run_exact(plan, exact, i, start, &mut sinks)?);
            continue;
        }
        let mut trajectory = Trajectory::try_new(&plan.model, &plan.method, start)
            .map_err(|e| Failure::new("--start", &e, e.kind()))?;
        let outcome = run_one(&mut trajectory, i, &mut sinks, signals, |p| show(&bar, i, &plan.stop, &p))?;
        let cut = outcome.status == Status::Interrupted;
        result.runs.push(outcome);
        // A signal that comes after the last step of the last run has nothing left to stop.
        if cut || i + 1 < plan.starts.len() {
            result.stopped = signals.caught();
        }
        if result.stopped.is_some() {
            break;
        }
    }
    bar.finish_and_clear();
    result.rows = sinks.rows;
    sinks.close(plan)?;
    if let Some(path) = &plan.end {
        write_end(plan, &result, path).map_err(file_at("--end"))?;
    }
    Ok(result)
}

/// Samples the closed form.
fn run_exact(
    plan: &Plan,
    exact: &Exact,
    run: usize,
    start: &[f64],
    sinks: &mut Sinks,
) -> Result<Outcome, Failure> {
    let fail = |e: SingleReluError| Failure::new("--start", &format!("start {run}: {e}"), e.kind());
    let trajectory = ExactTrajectory::try_new(start, &exact.teacher, exact.kappa, exact.end, plan.stop.loss)
        .map_err(fail)?;
    let run = i64::try_from(run).unwrap_or(i64::MAX);
    let mut steps = 0;
    loop {
        let t = (steps as f64 * exact.spacing).min(trajectory.end());
        sinks.push(trajectory.row(run, steps, t).map_err(fail)?)?;
        if t >= trajectory.end() {
            return trajectory.outcome(steps.unsigned_abs()).map_err(fail);
        }
        steps += 1;
    }
}

/// Runs one start to its end, or to the first signal.
fn run_one(
    trajectory: &mut Trajectory<'_>,
    run: usize,
    sinks: &mut Sinks,
    signals: &Signals,
    report: impl Fn(Progress),
) -> Result<Outcome, Failure> {
    let mut budget = 1;
    loop {
        let begun = Instant::now();
        let advance = trajectory.advance(budget);
        let spent = begun.elapsed();
        sinks.take(trajectory, run)?;
        let progress = match advance {
            Advance::Done(outcome) => return Ok(outcome),
            Advance::Running(progress) => progress,
        };
        report(progress);
        if signals.caught().is_some() {
            let outcome = trajectory.interrupt();
            sinks.take(trajectory, run)?;
            return Ok(outcome);
        }
        if spent < SLICE / 2 {
            budget = (budget * 2).min(1 << 20);
        } else if spent > SLICE {
            budget = (budget / 2).max(1);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a bar, 0 to 1000")]
fn show(bar: &ProgressBar, run: usize, stop: &StopRule, progress: &Progress) {
    let of = |limit: Option<f64>, value: f64| limit.map_or(0.0, |limit| (value / limit).min(1.0));
    let share = of(stop.time, progress.time).max(of(stop.steps.map(|n| n as f64), progress.steps as f64));
    bar.set_position(run as u64 * BAR + (BAR as f64 * share) as u64);
    bar.set_message(format!("run {run}, step {}, |grad J| = {:.2e}", progress.steps, progress.gradient_norm));
}

/// Where rows go.
struct Sinks {
    writer: Option<TrajectoryWriter>,
    picture: Option<TrajectoryPicture>,
    rows: u64,
}

impl Sinks {
    fn open(plan: &Plan) -> Result<Self, Failure> {
        let provenance = Provenance {
            schema: "popgrad.flow/1".to_owned(),
            version: VERSION.to_owned(),
            numerics: popgrad::NUMERICS,
            spec: plan.options.to_string(),
            seed: plan.seed,
        };
        let writer = plan.out.as_ref().map(|path| TrajectoryWriter::create(path, provenance, plan.overwrite));
        let plane = match &plan.model {
            Model::Plane(plane) => Some(plane.units()),
            _ => None,
        };
        let picture = plan.plot.as_ref().map(|_| TrajectoryPicture::new(plane));
        Ok(Self { writer: writer.transpose().map_err(file_at("--out"))?, picture, rows: 0 })
    }

    fn take(&mut self, trajectory: &mut Trajectory<'_>, run: usize) -> Result<(), Failure> {
        let rows = trajectory.take_rows(i64::try_from(run).unwrap_or(i64::MAX));
        rows.into_iter().try_for_each(|row| self.push(row))
    }

    fn push(&mut self, row: TrajectoryRow) -> Result<(), Failure> {
        if let Some(picture) = &mut self.picture {
            picture.push(&row);
        }
        if let Some(writer) = &mut self.writer {
            writer.push(row).map_err(file_at("--out"))?;
            self.rows += 1;
        }
        Ok(())
    }

    fn close(self, plan: &Plan) -> Result<(), Failure> {
        if let Some(writer) = self.writer {
            writer.finish().map_err(file_at("--out"))?;
        }
        if let (Some(picture), Some(path)) = (self.picture, &plan.plot) {
            let mut file = AtomicFile::create(path, plan.overwrite).map_err(file_at("--plot"))?;
            file.write_all(picture.to_svg().as_bytes())
                .map_err(|source| StorageError::Unwritable { path: path.clone(), source })
                .and_then(|()| file.commit())
                .map_err(file_at("--plot"))?;
        }
        Ok(())
    }
}

/// Writes W (K, d) and a (K), of a convolutional network v as W (p) and a (k), with a first axis of runs if there are several.
fn write_end(plan: &Plan, result: &RunResult, path: &Path) -> Result<(), StorageError> {
    let ends: Vec<_> = result.runs.iter().map(|run| plan.model.weights(&run.point)).collect();
    let (k, d) = ends.first().map_or((0, 0), |(w, _)| (w.rows(), w.cols()));
    let outputs = ends.first().map_or(0, |(_, a)| a.len());
    let weights: Vec<f64> = ends.iter().flat_map(|(w, _)| w.as_slice().to_vec()).collect();
    let output: Vec<f64> = ends.iter().flat_map(|(_, a)| a.clone()).collect();
    let runs = if ends.len() == 1 { vec![] } else { vec![ends.len()] };
    let rows = if matches!(plan.model, Model::Convolution(_)) { vec![d] } else { vec![k, d] };
    let members = [
        Member::real("W", &[runs.clone(), rows].concat(), &weights),
        Member::real("a", &[runs, vec![outputs]].concat(), &output),
    ];
    write_npz(path, &members, plan.overwrite)
}
