//! Why an ensemble is refused.

use crate::{CnnError, Kind, Level, TwoLayerError, XyError};
use thiserror::Error;

/// Why an ensemble, or a range of its runs, cannot be set up. A run that has begun ends with a
/// [`crate::RunStatus`], never with an error.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// The two-layer problem or its student is refused.
    #[error(transparent)]
    TwoLayer(#[from] TwoLayerError),
    /// The plane of Theorem 7 is refused.
    #[error(transparent)]
    Xy(#[from] XyError),
    /// The convolutional problem is refused.
    #[error(transparent)]
    Cnn(#[from] CnnError),
    /// The convolutional problem is not weight-normalised.
    #[error("the convolutional problem is in the plain form; ensembles of it are made in the normalised one")]
    PlainForm,
    /// The filter of a given start is zero, and has no direction.
    #[error(
        "the filter of start {start} is the zero vector, which has no direction; at least one entry must differ from 0"
    )]
    ZeroFilter {
        /// The number of the start.
        start: usize,
    },
    /// The problem is not one of plain ReLU units under white input.
    #[error(
        "the problem has {what}; ensembles are made of plain ReLU units under white, rotation-invariant input"
    )]
    Departure {
        /// What it has beyond that.
        what: &'static str,
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
    /// An array has the wrong length.
    #[error("{name} has {got} entries; it needs {want}, {why}")]
    Length {
        /// Which array.
        name: &'static str,
        /// Its length.
        got: usize,
        /// The length that would be right.
        want: usize,
        /// What the length counts.
        why: &'static str,
    },
    /// An entry is NaN or infinite.
    #[error("{name}[{index}] = {value} is not finite")]
    NonFinite {
        /// Which array.
        name: &'static str,
        /// Position of the first offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The range of runs ends before it begins.
    #[error("the range of runs {start}..{end} ends before it begins")]
    Range {
        /// First run.
        start: u64,
        /// The run after the last.
        end: u64,
    },
    /// More runs are asked for than starts were given.
    #[error("run {run} is asked for but only {starts} starts are given; runs are numbered from 0")]
    Starts {
        /// The last run asked for.
        run: u64,
        /// The number of starts.
        starts: u64,
    },
    /// The machine lacks the level of instructions.
    #[error("this machine has no {level:?}; it has {available:?}")]
    Level {
        /// The level asked for.
        level: Level,
        /// The levels there are.
        available: Vec<Level>,
    },
    /// The buffers would not fit into the memory limit of the problem.
    #[error("the lanes need {needed} bytes, more than the memory limit of {limit}")]
    Memory {
        /// Bytes needed.
        needed: u128,
        /// The limit.
        limit: u64,
    },
}

impl EnsembleError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TwoLayer(error) => error.kind(),
            Self::Xy(error) => error.kind(),
            Self::Cnn(error) => error.kind(),
            Self::Memory { .. } => Kind::Resource,
            _ => Kind::Input,
        }
    }
}
