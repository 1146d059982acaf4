//! The ensemble of a convolutional network.

use super::cnn_axes::CnnAxes;
use super::cnn_lanes::CnnLanes;
use super::run::{EnsembleRun, check_range};
use super::{CnnStart, EnsembleDynamics, EnsembleError, EnsembleStop, RunEnd};
use crate::CnnState;
use crate::lanes::Lanes;
use crate::{Cnn, CnnForm, Level};
use std::ops::Range;

/// Whether a run of a convolutional ensemble ends as soon as its basin is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BasinStop {
    /// It ends by the rules of [`EnsembleStop`] only.
    #[default]
    Never,
    /// It also ends, as [`crate::RunStatus::GlobalBasin`] or [`crate::RunStatus::SpuriousBasin`], at the first step inside one of
    /// two wedges that no run leaves and from which all reach the global minimum, or the spurious point
    /// ([`crate::ReducedCnn::descent_basin`]).
    Proved,
}

/// A student of the convolutional network: the filter `v` (length `p`) and the output weights `a` (length `k`).
#[derive(Clone, Debug, PartialEq)]
pub struct CnnWeights {
    /// The filter.
    pub filter: Vec<f64>,
    /// The output weights.
    pub output: Vec<f64>,
}

/// Many independent starts of one convolutional problem, under one law, one dynamics and one stop rule.
///
/// ```text
/// (v, a) <- (v, a) - eta (grad_v J, grad_a J), both at the old point;   or the gradient flow
/// ```
///
/// Every run is computed in five numbers, which is exact: `v` stays in the plane of its start and `w*`, `a` in the space of its start,
/// `1` and `a*`.
///
/// Source: Du et al. (2018), section 5 (the algorithm); docs/theory/ensemble.md, (B.11)-(B.15).
///
/// - Shapes: any `k` patches of any dimension `p`; a run costs the same for all.
/// - Units: step, time, loss and gradient are per sample.
/// - Domain: the normalised form, in which `v` enters as `v/|v|`.
/// - Ends: [`RunEnd::weights`] is `[x, y]` and [`RunEnd::output`] `[alpha, S_a, r]`, the state of [`crate::CnnState`];
///   [`CnnEnsemble::lift`] gives the whole student. Neurons of [`crate::NormKind::LargestNeuron`] are `v` and `a`.
/// - Accuracy: a gradient's error is a few `EPSILON` times the sizes of its terms, (docs/theory/cnn_dynamics.md, (W.43)).
/// - Repeatability: run `i` is the same to the last bit in every lane, range, cut and level.
///
/// # Examples
///
/// ```
/// use popgrad::{BasinStop, Cnn, CnnEnsemble, Level, RunStatus};
/// let ensemble = CnnEnsemble::try_new(Cnn::with_ratio(25, 6, 4.0)?)?.with_basin_stop(BasinStop::Proved);
/// let ends = ensemble.runs(0..400, Level::detect())?.finish();
/// let global = ends.iter().filter(|end| end.status == RunStatus::GlobalBasin).count();
/// assert!((250..350).contains(&global)); // about three in four
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CnnEnsemble {
    problem: Cnn,
    axes: CnnAxes,
    law: CnnStart,
    seed: u64,
    dynamics: EnsembleDynamics,
    stop: EnsembleStop,
    basins: BasinStop,
}

impl CnnEnsemble {
    /// The paper's starts ([`CnnStart::ball`] with scale one), seed 0, and gradient descent with step 0.05.
    ///
    /// # Errors
    ///
    /// [`EnsembleError::PlainForm`] for a problem in the plain form.
    pub fn try_new(problem: Cnn) -> Result<Self, EnsembleError> {
        if problem.form() != CnnForm::Normalised {
            return Err(EnsembleError::PlainForm);
        }
        Ok(Self {
            axes: CnnAxes::new(&problem),
            law: CnnStart::ball(&problem, 1.0),
            seed: 0,
            dynamics: EnsembleDynamics::descent(0.05),
            stop: EnsembleStop::default(),
            basins: BasinStop::Never,
            problem,
        })
    }

    /// Sets the law of the starts.
    #[must_use]
    pub fn with_start(self, law: CnnStart) -> Self {
        Self { law, ..self }
    }

    /// Sets the seed of the starts.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
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

    /// Sets whether a run ends as soon as its basin is decided.
    #[must_use]
    pub fn with_basin_stop(self, basins: BasinStop) -> Self {
        Self { basins, ..self }
    }

    /// The problem.
    pub fn problem(&self) -> &Cnn {
        &self.problem
    }

    /// The largest step of gradient descent for which basins are proved, [`crate::ReducedCnn::largest_basin_step`].
    pub fn largest_basin_step(&self) -> f64 {
        self.problem.reduced().largest_basin_step()
    }

    /// The number of starts there are; `None` where they are drawn and there is no end to them.
    pub fn starts(&self) -> Option<u64> {
        self.law.count(self.problem.patches() + self.problem.patch_dimension())
    }

    /// The whole student at the start of a run: a pure function of law, seed and run.
    ///
    /// # Errors
    ///
    /// [`EnsembleError`] for a law that does not fit the problem, and for a run beyond given starts.
    pub fn start(&self, run: u64) -> Result<CnnWeights, EnsembleError> {
        self.law.check(self.axes.shape())?;
        check_range(&(run..run.saturating_add(1)), self.starts())?;
        Ok(self.whole_start(run))
    }

    /// The state of the reduced dynamics at the start of a run.
    ///
    /// # Errors
    ///
    /// As [`CnnEnsemble::start`].
    pub fn start_state(&self, run: u64) -> Result<CnnState, EnsembleError> {
        self.law.check(self.axes.shape())?;
        check_range(&(run..run.saturating_add(1)), self.starts())?;
        Ok(self.axes.reduced(&self.begin(run)))
    }

    /// The whole student at the end of a run: the end's numbers on the axes of the teacher and on those directions of the run's
    /// start that are orthogonal to them.
    ///
    /// # Errors
    ///
    /// [`EnsembleError::Length`] for an end of another ensemble; otherwise as [`CnnEnsemble::start`].
    pub fn lift(&self, end: &RunEnd) -> Result<CnnWeights, EnsembleError> {
        let (&[x, y], &[overlap, sum, rest]) = (end.weights.as_slice(), end.output.as_slice()) else {
            let (name, got) = ("the end", end.weights.len() + end.output.len());
            return Err(EnsembleError::Length { name, got, want: 5, why: "x, y, alpha, S_a and r" });
        };
        let start = self.start(end.run)?;
        let (_, _, directions) = self.axes.split(&start.filter, &start.output);
        let output = self.axes.output_of(&CnnState { x, y, overlap, sum, rest });
        let (filter, output) = self.axes.combine([x, y], output, &directions);
        Ok(CnnWeights { filter, output })
    }

    /// The machine that computes a range of runs at a level of instructions.
    ///
    /// # Errors
    ///
    /// [`EnsembleError`], if the law of the starts, the dynamics, the stop rules or the range do not make sense together, or
    /// if the machine lacks the level.
    pub fn runs(&self, runs: Range<u64>, level: Level) -> Result<EnsembleRun<'_>, EnsembleError> {
        let lanes =
            Lanes::new(level).ok_or_else(|| EnsembleError::Level { level, available: Level::available() })?;
        self.law.check(self.axes.shape())?;
        self.dynamics.check()?;
        self.stop.check(&self.dynamics)?;
        if let (BasinStop::Proved, EnsembleDynamics::Descent { step, .. }) = (self.basins, self.dynamics)
            && step > self.largest_basin_step()
        {
            let requirement = "at most 2 pi / (k + pi - 1) where proved basins end runs";
            return Err(EnsembleError::Parameter { name: "step", value: step, requirement });
        }
        EnsembleRun::of(CnnLanes::new(self), (self.dynamics, self.stop), (runs, self.starts()), lanes)
    }

    /// The axes of the runs.
    pub(super) fn axes(&self) -> &CnnAxes {
        &self.axes
    }

    /// Whether proved basins end runs.
    pub(super) fn watches_basins(&self) -> bool {
        self.basins == BasinStop::Proved
    }

    /// A run's first state, of a checked law.
    pub(super) fn begin(&self, run: u64) -> [f64; 5] {
        let shape = self.axes.shape();
        if let Some(draw) = self.law.draw((self.seed, run), shape) {
            return self.axes.state(draw.filter, draw.output);
        }
        let (filter, output, _) = match self.law.given(run, shape) {
            Some((filter, output)) => self.axes.split(filter, output),
            None => ([1.0, 0.0], [0.0; 3], [Vec::new(), Vec::new()]),
        };
        self.axes.state(filter, output)
    }

    fn whole_start(&self, run: u64) -> CnnWeights {
        let shape = self.axes.shape();
        let (filter, output) = match (self.law.draw((self.seed, run), shape), self.law.given(run, shape)) {
            (Some(draw), _) => {
                let (filter, output) = (draw.filter, draw.output);
                let (across, left) = draw.directions(&self.axes);
                self.axes.combine(filter, output, &[across, left])
            }
            (None, Some((filter, output))) => (filter.to_vec(), output.to_vec()),
            (None, None) => Default::default(),
        };
        CnnWeights { filter, output }
    }
}
