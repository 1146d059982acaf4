//! What is no convolutional teacher.

use crate::environment::EnvironmentError;
use popgrad::Kind;
use thiserror::Error;

/// Why the landscape of a convolutional teacher cannot be looked at.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CnnProofError {
    /// Floating-point arithmetic is not what intervals need.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// No patches, or patches without inputs.
    #[error("{name} = 0; it must be at least 1")]
    ZeroCount {
        /// Which count.
        name: &'static str,
    },
    /// A number that has to be positive and finite is not.
    #[error("{name} = {value} is not a positive finite number")]
    NotPositive {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number that has to be finite is not.
    #[error("{name} = {value} is not finite")]
    NotFinite {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// No output weights have this sum and this length.
    #[error(
        "no output weights of {patches} patches have the sum {sum} and the squared length {square}; sum^2 is at most k times that"
    )]
    Impossible {
        /// The number of patches.
        patches: usize,
        /// `1.a*`.
        sum: f64,
        /// `|a*|^2`.
        square: f64,
    },
    /// The numbers are so large or small that their enclosures are not bounded away from zero and infinity.
    #[error("{name} leaves the range in which intervals are sharp; scale the teacher to moderate lengths")]
    OutOfRange {
        /// Which number.
        name: &'static str,
    },
}

impl CnnProofError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Environment(error) => error.kind(),
            _ => Kind::Input,
        }
    }
}
