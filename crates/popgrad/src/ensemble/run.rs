//! The machine that advances ranges of runs.

use super::descent::Descent;
use super::flow::Flow;
use super::problem::LaneProblem;
use super::queue::Queue;
use super::{EnsembleAdvance, EnsembleDynamics, EnsembleError, EnsembleProgress, EnsembleStop, RunEnd};
use crate::lanes::Lanes;
use std::ops::Range;

/// A machine over lanes, whatever the problem and the dynamics.
pub(super) trait Machine: Send + std::fmt::Debug {
    /// Tries steps until about `budget` have been spent over all runs, or every run has ended.
    fn advance(&mut self, budget: u64);

    /// Adds runs behind those that wait.
    fn extend(&mut self, runs: Range<u64>);

    /// The runs waiting and ended.
    fn queue(&self) -> &Queue;

    /// The runs waiting and ended.
    fn queue_mut(&mut self) -> &mut Queue;
}

/// A range of runs of an ensemble as a resumable machine; made by [`crate::TwoLayerEnsemble::runs`],
/// [`crate::XyEnsemble::runs`] and [`crate::CnnEnsemble::runs`].
///
/// A lane whose run has ended takes the next run at once, and [`EnsembleRun::extend`] adds more of them. Where the machine is cut into calls of `advance`
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
    /// The number of starts, where they are given.
    starts: Option<u64>,
}

/// Refuses a range that ends before it begins, and one beyond the starts that are given.
pub(super) fn check_range(runs: &Range<u64>, starts: Option<u64>) -> Result<(), EnsembleError> {
    match starts {
        _ if runs.start > runs.end => Err(EnsembleError::Range { start: runs.start, end: runs.end }),
        Some(starts) if runs.end > starts => Err(EnsembleError::Starts { run: runs.end - 1, starts }),
        _ => Ok(()),
    }
}

impl<'e> EnsembleRun<'e> {
    /// The machine of checked rules, over a range of the starts there are.
    pub(super) fn of<P: LaneProblem + 'e>(
        problem: P,
        (dynamics, stop): (EnsembleDynamics, EnsembleStop),
        (runs, starts): (Range<u64>, Option<u64>),
        lanes: Lanes,
    ) -> Result<Self, EnsembleError> {
        check_range(&runs, starts)?;
        let machine: Box<dyn Machine + 'e> = match dynamics {
            EnsembleDynamics::Descent { step, halving } => {
                Box::new(Descent::new(problem, (step, halving), stop, runs, lanes))
            }
            EnsembleDynamics::Flow { rtol, atol } => {
                Box::new(Flow::new(problem, (rtol, atol), stop, runs, lanes))
            }
        };
        Ok(Self { machine, starts })
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

    /// Adds a range of runs; lanes take them as soon as no other run waits. Between ranges that are added in time no lane
    /// rests, where a machine for each would wait for the slowest run of every range. A run that is given twice is computed twice.
    ///
    /// # Errors
    ///
    /// [`EnsembleError::Range`] for a range that ends before it begins, [`EnsembleError::Starts`] for one beyond given starts.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{EnsembleStop, Level, Matrix, TwoLayer, TwoLayerEnsemble};
    /// let ensemble = TwoLayerEnsemble::try_new(TwoLayer::try_new(Matrix::identity(2, 2))?, 2)?
    ///     .with_stop(EnsembleStop { gradient_norm: Some(1e-8), ..EnsembleStop::default() });
    /// let mut machine = ensemble.runs(0..5, Level::detect())?;
    /// machine.advance(100);
    /// machine.extend(40..43)?;
    /// let runs: Vec<u64> = machine.finish().iter().map(|end| end.run).collect();
    /// assert_eq!(runs, [0, 1, 2, 3, 4, 40, 41, 42]);
    /// # Ok::<(), popgrad::EnsembleError>(())
    /// ```
    pub fn extend(&mut self, runs: Range<u64>) -> Result<(), EnsembleError> {
        check_range(&runs, self.starts)?;
        self.machine.extend(runs);
        Ok(())
    }

    /// Takes out the ends that have come in, in the order of their runs, so that a long range needs no memory for them. Those
    /// of earlier runs that are still going come later.
    pub fn take_ended(&mut self) -> Vec<RunEnd> {
        self.machine.queue_mut().take_ended()
    }

    /// How far the runs have come.
    pub fn progress(&self) -> EnsembleProgress {
        self.machine.queue().progress()
    }
}
