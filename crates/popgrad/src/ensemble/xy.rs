//! The ensemble of Theorem 7's plane.

use super::run::{EnsembleRun, check_range};
use super::xy_lanes::XyLanes;
use super::{EnsembleDynamics, EnsembleError, EnsembleStop};
use crate::lanes::Lanes;
use crate::{Level, RandomStream, XyPlane};
use std::ops::Range;

/// Where the runs in the plane begin. Start `i` of seed `s` is drawn from [`RandomStream`] `(s, i)`, `x` first.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum XyStart {
    /// `x` and `y` uniform on intervals, each `low + (high - low) U`.
    Uniform {
        /// The interval of `x`.
        x: [f64; 2],
        /// The interval of `y`.
        y: [f64; 2],
    },
    /// `x` uniform on an interval and `y = x U`: the region `0 <= y < x` of Theorem 7 where the interval is positive.
    BelowDiagonal {
        /// The interval of `x`.
        x: [f64; 2],
    },
    /// A centre plus independent normal noise.
    Normal {
        /// The centre.
        centre: [f64; 2],
        /// Standard deviation of each coordinate.
        sd: f64,
    },
    /// A grid; run `i` begins at column `i mod columns` and row `i / columns`. End points of the intervals are taken.
    Grid {
        /// The interval of `x`.
        x: [f64; 2],
        /// The interval of `y`.
        y: [f64; 2],
        /// Points along `x`.
        columns: u32,
        /// Points along `y`.
        rows: u32,
    },
    /// Given starts; run `i` begins at the `i`-th.
    Given {
        /// The starts.
        starts: Vec<[f64; 2]>,
    },
}

impl XyStart {
    /// The number of starts there are; `None` where they are drawn.
    fn count(&self) -> Option<u64> {
        match self {
            Self::Grid { columns, rows, .. } => Some(u64::from(*columns) * u64::from(*rows)),
            Self::Given { starts } => Some(starts.len() as u64),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), EnsembleError> {
        let finite = |name, value: f64| {
            let requirement = "finite";
            if value.is_finite() {
                Ok(())
            } else {
                Err(EnsembleError::Parameter { name, value, requirement })
            }
        };
        match self {
            Self::Uniform { x, y } | Self::Grid { x, y, .. } => {
                x.iter().try_for_each(|v| finite("a bound of x", *v))?;
                y.iter().try_for_each(|v| finite("a bound of y", *v))
            }
            Self::BelowDiagonal { x } => x.iter().try_for_each(|v| finite("a bound of x", *v)),
            Self::Normal { centre, sd } => {
                centre.iter().try_for_each(|v| finite("a coordinate of the centre", *v))?;
                finite("start.sd", *sd)
            }
            Self::Given { starts } => {
                starts.iter().flatten().try_for_each(|v| finite("a coordinate of a start", *v))
            }
        }
    }

    /// Start `run` of `seed`, of a checked law.
    fn draw(&self, seed: u64, run: u64) -> [f64; 2] {
        let between = |[low, high]: [f64; 2], share: f64| low + (high - low) * share;
        match self {
            Self::Uniform { x, y } => {
                let mut stream = RandomStream::new(seed, run);
                [between(*x, stream.uniform()), between(*y, stream.uniform())]
            }
            Self::BelowDiagonal { x } => {
                let mut stream = RandomStream::new(seed, run);
                let x = between(*x, stream.uniform());
                [x, x * stream.uniform()]
            }
            Self::Normal { centre, sd } => {
                let mut stream = RandomStream::new(seed, run);
                [centre[0] + sd * stream.normal(), centre[1] + sd * stream.normal()]
            }
            Self::Grid { x, y, columns, rows } => {
                let at = |interval, index: u64, count: u32| {
                    between(interval, index as f64 / f64::from(count.saturating_sub(1).max(1)))
                };
                let columns_wide = u64::from((*columns).max(1));
                [at(*x, run % columns_wide, *columns), at(*y, run / columns_wide, *rows)]
            }
            Self::Given { starts } => {
                usize::try_from(run).ok().and_then(|i| starts.get(i)).copied().unwrap_or_default()
            }
        }
    }
}

/// Many independent starts in the plane of Theorem 7: `K` orthonormal teachers, the students' matrix `x` on the diagonal
/// and `y` elsewhere.
///
/// ```text
/// (x, y) <- (x, y) - eta g(x, y),   g = minus the field of XyPlane::field
/// ```
///
/// Source: Tian (2017), Theorem 7; docs/theory/symmetric.md, (Y.8), and docs/theory/ensemble.md, (B.6).
///
/// - Units: step, time and loss are per sample. Loss and gradient norm are those of the full network:
///   `|grad J|^2 = K (g_x^2 + (K - 1) g_y^2)`, one neuron's part being `g_x^2 + (K - 1) g_y^2`.
/// - Accuracy: a gradient's error is a few `EPSILON` times `K (1 + |(x, y)|)`. A run on the diagonal stays on it.
/// - Repeatability: run `i` is the same to the last bit in every lane, range, cut and level.
///
/// # Examples
///
/// ```
/// use popgrad::{EnsembleStop, Level, XyEnsemble, XyPlane, XyStart};
/// let ensemble = XyEnsemble::new(XyPlane::try_new(5)?)
///     .with_start(XyStart::BelowDiagonal { x: [0.001, 1.0] })
///     .with_stop(EnsembleStop { gradient_norm: Some(1e-9), ..EnsembleStop::default() });
/// let ends = ensemble.runs(0..100, Level::detect())?.finish();
/// assert!(ends.iter().all(|end| (end.weights[0] - 1.0).abs() < 1e-8)); // Theorem 7
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct XyEnsemble {
    plane: XyPlane,
    law: XyStart,
    seed: u64,
    dynamics: EnsembleDynamics,
    stop: EnsembleStop,
}

impl XyEnsemble {
    /// Starts below the diagonal with `x` in `[0.001, 1]`, seed 0, and gradient descent with step 0.1.
    pub fn new(plane: XyPlane) -> Self {
        Self {
            plane,
            law: XyStart::BelowDiagonal { x: [0.001, 1.0] },
            seed: 0,
            dynamics: EnsembleDynamics::descent(0.1),
            stop: EnsembleStop::default(),
        }
    }

    /// Sets where the runs begin.
    #[must_use]
    pub fn with_start(self, law: XyStart) -> Self {
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

    /// The plane.
    pub fn plane(&self) -> XyPlane {
        self.plane
    }

    /// The number of starts there are; `None` where they are drawn and there is no end to them.
    pub fn starts(&self) -> Option<u64> {
        self.law.count()
    }

    /// The start of a run: a pure function of law, seed and run.
    ///
    /// # Errors
    ///
    /// [`EnsembleError`] for a law that is not finite, and for a run beyond the given starts.
    pub fn start(&self, run: u64) -> Result<[f64; 2], EnsembleError> {
        self.law.check()?;
        check_range(&(run..run.saturating_add(1)), self.starts())?;
        Ok(self.draw(run))
    }

    /// The machine that computes a range of runs at a level of instructions.
    ///
    /// # Errors
    ///
    /// [`EnsembleError`], if the law of the starts, the dynamics, the stop rule or the range do not make sense together, or
    /// if the machine lacks the level.
    pub fn runs(&self, runs: Range<u64>, level: Level) -> Result<EnsembleRun<'_>, EnsembleError> {
        let lanes =
            Lanes::new(level).ok_or_else(|| EnsembleError::Level { level, available: Level::available() })?;
        self.law.check()?;
        self.dynamics.check()?;
        self.stop.check(&self.dynamics)?;
        EnsembleRun::of(XyLanes::new(self), (self.dynamics, self.stop), (runs, self.starts()), lanes)
    }

    /// Start `run`, of checked laws.
    pub(super) fn draw(&self, run: u64) -> [f64; 2] {
        self.law.draw(self.seed, run)
    }
}
