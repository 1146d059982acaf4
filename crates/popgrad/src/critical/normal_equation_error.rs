//! Why the normal equation of a point is refused.

use crate::{Kind, TwoLayerError};
use thiserror::Error;

/// Why the normal equation could not be formed.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum NormalEquationError {
    /// The point or the problem is refused as such.
    #[error(transparent)]
    Problem(#[from] TwoLayerError),
    /// The problem is not the one that the equation is about.
    #[error(
        "the problem has {what}; the normal equation is that of ReLU units without skip under white input"
    )]
    Departure {
        /// What it has.
        what: &'static str,
    },
    /// A student is exactly zero and has no direction.
    #[error("student {neuron} is exactly zero; the normal equation needs the direction of every student")]
    ZeroStudent {
        /// The neuron.
        neuron: usize,
    },
}

impl NormalEquationError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Problem(error) => error.kind(),
            _ => Kind::Input,
        }
    }
}
