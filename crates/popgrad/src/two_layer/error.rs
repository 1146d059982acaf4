//! Why a two-layer problem or a point of it is refused.

use crate::{InputLawError, Kind};
use thiserror::Error;

/// Why a two-layer problem could not be made, or a quantity of it not be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TwoLayerError {
    /// A matrix without rows or without columns.
    #[error("{name} is {rows} x {cols}; it needs at least one neuron (row) and one input (column)")]
    Empty {
        /// Which matrix.
        name: &'static str,
        /// Its number of rows.
        rows: usize,
        /// Its number of columns.
        cols: usize,
    },
    /// Two matrices disagree about the input dimension.
    #[error("{name} has {got} columns but the teacher has {want}; both must equal the input dimension d")]
    InputDimension {
        /// Which argument.
        name: &'static str,
        /// Its number of columns.
        got: usize,
        /// The teacher's number of columns.
        want: usize,
    },
    /// An argument has the wrong shape.
    #[error("{name} has {got} entries; it needs {want}, {why}")]
    Length {
        /// Which argument.
        name: &'static str,
        /// Its length.
        got: usize,
        /// The length that would be right.
        want: usize,
        /// What the length counts.
        why: &'static str,
    },
    /// An entry is NaN or infinite.
    #[error("{name}[{row}, {col}] = {value} is not finite")]
    NonFinite {
        /// Which argument.
        name: &'static str,
        /// Row of the first offending entry.
        row: usize,
        /// Column of the first offending entry.
        col: usize,
        /// The offending value.
        value: f64,
    },
    /// The covariance is not a symmetric positive semidefinite `d x d` matrix.
    #[error("the covariance {why}; it must be a symmetric positive semidefinite {d} x {d} matrix")]
    Covariance {
        /// What is wrong with it.
        why: String,
        /// The input dimension.
        d: usize,
    },
    /// The law of the input is refused.
    #[error(transparent)]
    Law(#[from] InputLawError),
    /// A parameter that must be finite is not.
    #[error("{name} = {value} is not finite")]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The machine lacks the SIMD level asked for.
    #[error("this machine lacks the SIMD level {level:?}; it has {available:?}")]
    Level {
        /// The level asked for.
        level: crate::Level,
        /// The levels of this machine.
        available: Vec<crate::Level>,
    },
    /// A second derivative was asked for at a student that is exactly zero, where it does not exist.
    #[error(
        "student {neuron} is exactly zero; the loss has no Hessian there (its gradient has no direction)"
    )]
    ZeroStudent {
        /// The neuron.
        neuron: usize,
    },
    /// A reduction was asked for under a covariance.
    #[error(
        "the input has a covariance, under which training leaves the span of the units; a reduction needs white input"
    )]
    NotReducible,
    /// The result would not fit into the memory limit.
    #[error(
        "{what} needs {needed} bytes, above the memory limit of {limit}; raise the limit or ask for less"
    )]
    Memory {
        /// What was asked for.
        what: &'static str,
        /// Bytes needed.
        needed: u128,
        /// Bytes allowed.
        limit: u64,
    },
}

impl TwoLayerError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Memory { .. } => Kind::Resource,
            _ => Kind::Input,
        }
    }
}
