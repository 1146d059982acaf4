//! Why a convolutional problem or a point of it is refused.

use crate::{Kind, TwoLayerError};
use thiserror::Error;

/// Why a convolutional problem could not be made, or a quantity of it not be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CnnError {
    /// A filter without entries or an output without patches.
    #[error("{name} is empty; it needs at least one entry, {why}")]
    Empty {
        /// Which argument.
        name: &'static str,
        /// What its entries count.
        why: &'static str,
    },
    /// A count that must be positive is zero.
    #[error("{name} = 0; it must be at least 1")]
    ZeroCount {
        /// Which count.
        name: &'static str,
    },
    /// An argument has the wrong length.
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
    #[error("{name}[{index}] = {value} is not finite")]
    NonFinite {
        /// Which argument.
        name: &'static str,
        /// Position of the first offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The teacher's filter or output is zero.
    #[error(
        "{name} is the zero vector; the teacher would be the zero function, and at least one entry must differ from 0"
    )]
    ZeroTeacher {
        /// Which argument.
        name: &'static str,
    },
    /// The student's filter is zero, where the quantity asked for is not defined.
    #[error("the student's filter is the zero vector, which has no direction; {what} is not defined there")]
    ZeroFilter {
        /// What was asked for.
        what: &'static str,
    },
    /// No teacher output has this ratio of `(1.a*)^2` to `|a*|^2`.
    #[error("a ratio (1.a*)^2/|a*|^2 of {ratio} cannot be built with {patches} patches; it must be {range}")]
    Ratio {
        /// The ratio asked for.
        ratio: f64,
        /// The number of patches.
        patches: usize,
        /// What would be right.
        range: String,
    },
    /// A number that has to be positive is not.
    #[error("{name} = {value} is not positive")]
    NotPositive {
        /// What it is.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// An angle out of its range.
    #[error("the angle {value} is not between 0 and pi")]
    Angle {
        /// Its value.
        value: f64,
    },
    /// A cosine out of its range.
    #[error("the cosine {value} is above 1")]
    Cosine {
        /// Its value.
        value: f64,
    },
    /// A probability out of its range.
    #[error("the probability {value} is not between 0 and 1")]
    Probability {
        /// Its value.
        value: f64,
    },
    /// A run whose phases were to be measured did not reach the teacher.
    #[error(
        "at t = {time} the loss is {loss:e}, and the second phase is measured down to {wanted:e}; a start that leads to the teacher, or more time, is needed"
    )]
    NoSecondPhase {
        /// Time at which the run ended.
        time: f64,
        /// Loss there.
        loss: f64,
        /// The loss that was to be reached.
        wanted: f64,
    },
    /// Measured times allow no straight line.
    #[error("no straight line through the measured times: {source}")]
    Scan {
        /// Why.
        source: crate::StatisticsError,
    },
    /// A run was refused.
    #[error("{source}")]
    Run {
        /// Why.
        source: crate::DynamicsError,
    },
    /// A result leaves the range of double precision.
    #[error(
        "{what} leaves the range of double precision; the lengths of filters and outputs must be moderate"
    )]
    OutOfRange {
        /// Which result.
        what: &'static str,
    },
    /// The embedded two-layer problem is refused.
    #[error(transparent)]
    TwoLayer(#[from] TwoLayerError),
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

impl CnnError {
    /// A ratio that no output weights of so many patches have.
    pub(super) fn ratio(ratio: f64, patches: usize) -> Self {
        let range = if patches == 1 { "1".to_owned() } else { format!("between 0 and k = {patches}") };
        Self::Ratio { ratio, patches, range }
    }

    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Memory { .. } => Kind::Resource,
            Self::NoSecondPhase { .. } => Kind::NotConverged,
            Self::Scan { source } => source.kind(),
            Self::Run { source } => source.kind(),
            Self::TwoLayer(error) => error.kind(),
            _ => Kind::Input,
        }
    }
}
