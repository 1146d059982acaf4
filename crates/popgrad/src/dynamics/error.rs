//! Why a run cannot be set up.

use crate::Kind;
use thiserror::Error;

/// Why gradient descent or the gradient flow cannot be set up. A run that has begun ends with a
/// [`crate::Status`], never with an error.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DynamicsError {
    /// The start does not belong to the landscape.
    #[error("the start has {got} entries but the landscape has dimension {want}; they must be equal")]
    Dimension {
        /// Length of the start.
        got: usize,
        /// Dimension of the landscape.
        want: usize,
    },
    /// An entry of the start is NaN or infinite.
    #[error("start[{index}] = {value} is not finite")]
    NonFinite {
        /// Position of the first offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The gradient or the loss at the start is NaN or infinite.
    #[error("the {quantity} at the start is not finite; start where the landscape is defined")]
    Undefined {
        /// `"gradient"` or `"loss"`.
        quantity: &'static str,
    },
    /// An option is out of its domain.
    #[error("{name} = {value}, but it must be {requirement}")]
    Parameter {
        /// Name of the option.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        requirement: &'static str,
    },
    /// Neither a number of steps nor a final time bounds the run.
    #[error("the stop rule sets neither steps nor time; set one of them so that every run ends")]
    Endless,
}

impl DynamicsError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}
