//! One ReLU student `w` and one ReLU teacher `v` under Gaussian input (Tian 2017, section 5).
//!
//! - `gradient`: gradient (eq. 6) and loss, accurate near `w = v`.
//! - `flow`: the exact solution of gradient flow and its inverse.
//! - `theorem5`: the matrix `M(theta)`, its determinant, the decrease of `|w - v|^2`, the set Omega.
//! - `theorem6`: probabilities of starting in Omega.
//!
//! Derivation: docs/theory/single_relu.md, equations (S.1)-(S.22). Loss and time are per sample; the paper's are the
//! number of samples times these, respectively divided by it.

mod flow;
mod gradient;
mod theorem5;
mod theorem6;

use crate::{Kind, VectorError};
use thiserror::Error;

pub use flow::SingleReluFlow;
pub use gradient::{single_relu_gradient, single_relu_loss};
pub use theorem5::{
    THEOREM5_CRITICAL_ANGLE, distance_decrease, in_omega, theorem5_determinant, theorem5_matrix,
};
pub use theorem6::{ball_probability, gaussian_probability, theorem6_bound, theorem6_radius};

/// Why a quantity of one student and one teacher could not be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SingleReluError {
    /// The two vectors do not fit, are not finite, or one is zero.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// An angle is outside its domain.
    #[error("theta = {theta} must lie between {low} and {high} radians")]
    Angle {
        /// The angle given.
        theta: f64,
        /// Smallest allowed value.
        low: f64,
        /// Largest allowed value.
        high: f64,
    },
    /// A time is negative, NaN or infinite.
    #[error("time t = {time} must be finite and not negative")]
    Time {
        /// The time given.
        time: f64,
    },
    /// A loss is not reached by the flow.
    #[error("the flow never reaches the loss {loss}: it starts at {start} and decreases to {limit}")]
    Unreachable {
        /// The loss asked for.
        loss: f64,
        /// The loss at time zero.
        start: f64,
        /// The infimum along the flow.
        limit: f64,
    },
    /// A parameter is not positive and finite.
    #[error("{parameter} = {value} must be positive and finite")]
    NotPositive {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
    },
    /// The dimension is zero.
    #[error("the input dimension d must be at least 1, got 0")]
    NoDimension,
}

impl SingleReluError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}
