//! Monte Carlo counterparts of the closed forms, for inputs that have them and for inputs that have not.
//!
//! Each machine draws samples in batches, eight side by side, and keeps a mean and a standard error for every
//! component (docs/theory/sampling.md, (M.3)-(M.14)). Batch `b` of seed `s` is a pure function of `(s, b)`; sums run
//! in a fixed order with single-rounding fused multiply-adds, so results carry the same bits however the work is cut
//! and at every instruction set.

mod bulk_normal;
mod driver;
mod gating;
mod network;
mod plane;
mod sample_law;

pub use gating::{GatingMonteCarlo, gating_monte_carlo};
pub use network::{NetworkEstimate, NetworkMonteCarlo, network_monte_carlo};
pub use plane::{PlaneMonteCarlo, gating_monte_carlo_in_plane};
pub use sample_law::SampleLaw;

use crate::{Kind, NetworkError, VectorError};
use thiserror::Error;

/// Why a Monte Carlo computation is refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum MonteCarloError {
    /// A parameter of the law out of its domain.
    #[error("the input law's {parameter} is {value}; it must be {wanted}")]
    Parameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        wanted: &'static str,
    },
    /// A number of samples that leaves no standard error.
    #[error("{samples} samples asked for; at least {least} are needed for a standard error")]
    TooFew {
        /// Number of samples asked for.
        samples: u64,
        /// The least number.
        least: u64,
    },
    /// A vector is refused.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// A network is refused.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl MonteCarloError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// How many samples to draw, and under which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplePlan {
    /// Number of samples, at least 2; laws of sequences round it up to whole sequences, at least 2.
    pub samples: u64,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for SamplePlan {
    /// A million samples under seed 0.
    fn default() -> Self {
        Self { samples: 1_000_000, seed: 0 }
    }
}

/// How far a Monte Carlo computation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleProgress {
    /// More samples are to be drawn.
    Running {
        /// Samples drawn so far.
        done: u64,
        /// Samples to be drawn in all.
        total: u64,
    },
    /// All samples are drawn.
    Done,
}

/// Means over samples, each with its standard error.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Number of samples behind it.
    pub samples: u64,
    /// Mean of each component.
    pub mean: Vec<f64>,
    /// Standard error of each mean, taken over samples or, where samples depend on each other, over sequences.
    pub standard_error: Vec<f64>,
}
