//! The ensemble of a two-layer problem.

use super::coordinates::Coordinates;
use super::run::{EnsembleRun, check_range};
use super::two_layer_lanes::TwoLayerLanes;
use super::{EnsembleDynamics, EnsembleError, EnsembleStop, StartLaw};
use crate::lanes::Lanes;
use crate::vector::first_non_finite;
use crate::{Level, Matrix, Trained, TwoLayer};
use std::ops::Range;

/// Many independent starts of one two-layer problem, under one law, one dynamics and one stop rule.
///
/// ```text
/// W_i(0) = start i of the seed;   dW/dt = -grad J(W),  or  W <- W - eta grad J(W)
/// ```
///
/// Source: docs/theory/ensemble.md, (B.1)-(B.9).
///
/// - Shapes: `M` teachers and `K` students in `d` dimensions, all free. Runs are computed in a basis of the span of
///   teacher and start, of at most `K + M` vectors; teachers that are orthogonal are themselves that basis.
/// - Units: step, time, loss and gradient are per sample.
/// - Domain: plain ReLU units, white input of any rotation-invariant law, lengths of students between 1e-150 and 1e140. A
///   student whose squared length is zero counts as a zero student.
/// - Accuracy: a gradient's error per neuron is at most a few `EPSILON` times the sum of the lengths of all units over
///   `2 pi`; so runs of six and of twenty units reach gradient norms of 1e-15 and stay there (B.9).
/// - Repeatability: run `i` is the same to the last bit in every lane, range, cut and level.
///
/// # Examples
///
/// ```
/// use popgrad::{EnsembleDynamics, EnsembleStop, Level, Matrix, RunStatus, TwoLayer, TwoLayerEnsemble};
/// let problem = TwoLayer::try_new(Matrix::identity(6, 6))?;
/// let ensemble = TwoLayerEnsemble::try_new(problem, 6)?
///     .with_dynamics(EnsembleDynamics::descent(0.13))
///     .with_stop(EnsembleStop { gradient_norm: Some(1e-10), ..EnsembleStop::default() })
///     .with_seed(1);
/// let ends = ensemble.runs(0..16, Level::detect())?.finish();
/// assert_eq!(ends.len(), 16);
/// assert!(ends.iter().all(|end| end.status == RunStatus::Converged && end.gradient_norm <= 1e-10));
/// # Ok::<(), popgrad::EnsembleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoLayerEnsemble {
    problem: TwoLayer,
    k: usize,
    law: StartLaw,
    seed: u64,
    output: Vec<f64>,
    trained: Trained,
    dynamics: EnsembleDynamics,
    stop: EnsembleStop,
}

impl TwoLayerEnsemble {
    /// `k` students with output weights one, normal starts of variance `1/d`, seed 0, and gradient descent with step 0.1.
    ///
    /// # Errors
    ///
    /// [`EnsembleError::Departure`] for a leaky slope, a covariance or a skip; [`EnsembleError::Parameter`] if `k` is zero.
    pub fn try_new(problem: TwoLayer, k: usize) -> Result<Self, EnsembleError> {
        if let Some(what) = problem.departure() {
            return Err(EnsembleError::Departure { what });
        }
        if k == 0 {
            let (name, requirement) = ("the number of students", "at least 1");
            return Err(EnsembleError::Parameter { name, value: 0.0, requirement });
        }
        Ok(Self {
            law: StartLaw::normal(problem.input_dimension()),
            seed: 0,
            output: Vec::new(),
            trained: Trained::Weights,
            dynamics: EnsembleDynamics::descent(0.1),
            stop: EnsembleStop::default(),
            problem,
            k,
        })
    }

    /// Sets the law of the starts.
    #[must_use]
    pub fn with_start(self, law: StartLaw) -> Self {
        Self { law, ..self }
    }

    /// Sets the seed of the starts.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the students' output weights (length `K`): fixed, or the start of trained ones. Empty means ones.
    #[must_use]
    pub fn with_output(self, output: Vec<f64>) -> Self {
        Self { output, ..self }
    }

    /// Chooses what is trained.
    #[must_use]
    pub fn with_trained(self, trained: Trained) -> Self {
        Self { trained, ..self }
    }

    /// Sets how the runs move.
    #[must_use]
    pub fn with_dynamics(self, dynamics: EnsembleDynamics) -> Self {
        Self { dynamics, ..self }
    }

    /// Sets when a run ends.
    #[must_use]
    pub fn with_stop(self, stop: EnsembleStop) -> Self {
        Self { stop, ..self }
    }

    /// The problem.
    pub fn problem(&self) -> &TwoLayer {
        &self.problem
    }

    /// The number of students, `K`.
    pub fn students(&self) -> usize {
        self.k
    }

    /// The students' output weights at the start; empty means ones.
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// The number of starts there are; `None` where they are drawn and there is no end to them.
    pub fn starts(&self) -> Option<u64> {
        self.law.count(self.k * self.problem.input_dimension())
    }

    /// The students at the start of a run, `K x d`: a pure function of law, seed and run.
    ///
    /// # Errors
    ///
    /// [`EnsembleError`] for a law that does not fit the problem, and for a run beyond given starts.
    pub fn start(&self, run: u64) -> Result<Matrix, EnsembleError> {
        let d = self.problem.input_dimension();
        self.law.check(self.k, d)?;
        check_range(&(run..run.saturating_add(1)), self.starts())?;
        let mut out = Matrix::zeros(self.k, d);
        self.law.draw((self.seed, run), d, out.as_mut_slice());
        Ok(out)
    }

    /// The machine that computes a range of runs at a level of instructions.
    ///
    /// # Errors
    ///
    /// [`EnsembleError`], if the law of the starts, the dynamics, the stop rule, the output weights or the range do not
    /// make sense together, or if the machine lacks the level.
    pub fn runs(&self, runs: Range<u64>, level: Level) -> Result<EnsembleRun<'_>, EnsembleError> {
        let lanes =
            Lanes::new(level).ok_or_else(|| EnsembleError::Level { level, available: Level::available() })?;
        self.check()?;
        EnsembleRun::of(
            TwoLayerLanes::new(self, lanes)?,
            (self.dynamics, self.stop),
            (runs, self.starts()),
            lanes,
        )
    }

    fn check(&self) -> Result<(), EnsembleError> {
        self.law.check(self.k, self.problem.input_dimension())?;
        self.dynamics.check()?;
        self.stop.check(&self.dynamics)?;
        let (got, want) = (self.output.len(), self.k);
        if got != 0 && got != want {
            let why = "one for each student neuron";
            return Err(EnsembleError::Length { name: "output", got, want, why });
        }
        match first_non_finite(&self.output) {
            Some((index, value)) => Err(EnsembleError::NonFinite { name: "output", index, value }),
            None => Ok(()),
        }
    }

    /// The output weights at the start, empty for ones that stay.
    pub(super) fn initial_output(&self) -> Vec<f64> {
        if self.output.is_empty() && self.trained == Trained::WeightsAndOutput {
            return vec![1.0; self.k];
        }
        self.output.clone()
    }

    /// Whether the output weights are trained.
    pub(super) fn trains_output(&self) -> bool {
        self.trained == Trained::WeightsAndOutput
    }

    /// Writes start `run` to `out`.
    pub(super) fn draw(&self, run: u64, out: &mut [f64]) {
        self.law.draw((self.seed, run), self.problem.input_dimension(), out);
    }

    /// The runs' coordinates and the teacher in them.
    pub(super) fn coordinates(&self, lanes: Lanes) -> (Coordinates, super::coordinates::LaneTeacher) {
        Coordinates::new(&self.problem, self.k, lanes)
    }
}
