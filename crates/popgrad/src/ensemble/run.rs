//! The machine that advances a range of runs.

use super::descent::Descent;
use super::flow::Flow;
use super::problem::LaneProblem;
use super::queue::Queue;
use super::{EnsembleAdvance, EnsembleDynamics, EnsembleProgress, EnsembleStop, RunEnd};
use crate::lanes::Lanes;
use std::ops::Range;

/// A machine over lanes, whatever the problem and the dynamics.
pub(super) trait Machine: Send + std::fmt::Debug {
    /// Tries steps until about `budget` have been spent over all runs, or every run has ended.
    fn advance(&mut self, budget: u64);

    /// The runs waiting and ended.
    fn queue(&self) -> &Queue;

    /// The runs waiting and ended.
    fn queue_mut(&mut self) -> &mut Queue;
}

/// A range of runs of an ensemble as a resumable machine; made by [`crate::TwoLayerEnsemble::runs`],
/// [`crate::XyEnsemble::runs`] and [`crate::CnnEnsemble::runs`].
///
/// A lane whose run has ended takes the next run of the range at once. Where the machine is cut into calls of `advance`
/// never changes a bit, nor does how the runs are divided among machines.
///
/// # Examples
///
/// ```
/// use popgrad::{EnsembleAdvance, Level, Matrix, TwoLayer, TwoLayerEnsemble, EnsembleStop};
/// let ensemble = TwoLayerEnsemble::try_new(TwoLayer::try_new(Matrix::identity(2, 2))?, 2)?
///     .with_stop(EnsembleStop { gradient_norm: Some(1e-8), ..EnsembleStop::default() });
/// let mut machine = ensemble.runs(0..20, Level::detect())?;
/// let ends = loop {
///     match machine.advance(1000) {
///         EnsembleAdvance::Running(progress) => assert!(progress.ended < 20),
///         EnsembleAdvance::Done(ends) => break ends,
///     }
/// };
/// assert_eq!(ends, ensemble.runs(0..20, Level::Portable)?.finish());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EnsembleRun<'e> {
    machine: Box<dyn Machine + 'e>,
}

impl<'e> EnsembleRun<'e> {
    /// The machine of checked rules.
    pub(super) fn of<P: LaneProblem + 'e>(
        problem: P,
        (dynamics, stop): (EnsembleDynamics, EnsembleStop),
        runs: &Range<u64>,
        lanes: Lanes,
    ) -> Self {
        let machine: Box<dyn Machine + 'e> = match dynamics {
            EnsembleDynamics::Descent { step, halving } => {
                Box::new(Descent::new(problem, (step, halving), stop, runs, lanes))
            }
            EnsembleDynamics::Flow { rtol, atol } => {
                Box::new(Flow::new(problem, (rtol, atol), stop, runs, lanes))
            }
        };
        Self { machine }
    }

    /// Tries steps until `budget` have been spent over all runs together (rounded up to whole vectors of runs), or every
    /// run has ended. Gives the ends only once; further calls after the last run give none.
    pub fn advance(&mut self, budget: u64) -> EnsembleAdvance {
        if !self.machine.queue().is_done() {
            self.machine.advance(budget);
        }
        if self.machine.queue().is_done() {
            EnsembleAdvance::Done(self.take_ended())
        } else {
            EnsembleAdvance::Running(self.progress())
        }
    }

    /// Runs to the end; the ends in the order of the runs.
    pub fn finish(mut self) -> Vec<RunEnd> {
        loop {
            if let EnsembleAdvance::Done(ends) = self.advance(u64::MAX) {
                return ends;
            }
        }
    }

    /// Takes out the ends that have come in, in the order of the runs up to the first that is still going, so that a
    /// long range needs no memory for them.
    pub fn take_ended(&mut self) -> Vec<RunEnd> {
        self.machine.queue_mut().take_ended()
    }

    /// How far the range has come.
    pub fn progress(&self) -> EnsembleProgress {
        self.machine.queue().progress()
    }
}
