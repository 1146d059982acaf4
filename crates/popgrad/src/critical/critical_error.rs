//! Why a critical point could not be sought, classified or compared.

use crate::{Kind, SpectrumError, TwoLayerError};
use thiserror::Error;

/// Why a critical point could not be sought, classified or compared.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CriticalError {
    /// The problem or the student is refused.
    #[error(transparent)]
    Problem(#[from] TwoLayerError),
    /// The eigenvalues of a Hessian did not come out.
    #[error(transparent)]
    Spectrum(#[from] SpectrumError),
    /// The point is too far from critical to be classified.
    #[error(
        "the gradient's norm is {gradient:e}, above {allowed:e}; only a critical point can be classified, and a search polishes one"
    )]
    NotCritical {
        /// Norm of the gradient.
        gradient: f64,
        /// The largest norm allowed.
        allowed: f64,
    },
    /// An option is out of its domain.
    #[error("{name} = {value}; it must be {wanted}")]
    Option {
        /// Which option.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        wanted: &'static str,
    },
    /// The covariance lacks directions, in which the students' weights would be free.
    #[error(
        "the covariance is singular: the input's component {row} follows from those before it; leave it out, since weights along it change nothing"
    )]
    SingularCovariance {
        /// The first component that those before it determine.
        row: usize,
    },
    /// A block structure without blocks, or with a block that is not positive.
    #[error("the block sizes are {sizes:?}; there must be from one to six, each finite and at least 1")]
    Blocks {
        /// The sizes given.
        sizes: Vec<f64>,
    },
    /// A family of block structure was put to a problem that it does not belong to.
    #[error(
        "the problem has {teachers} teachers that are {why}; a family of {students} students needs as many orthonormal ones, output weights 1, ReLU and white input"
    )]
    NotOrthonormal {
        /// Number of teachers.
        teachers: usize,
        /// What is wrong with them.
        why: &'static str,
        /// Number of students in the family.
        students: usize,
    },
    /// A point of a block family has the wrong number of coordinates or one that is not finite.
    #[error(
        "a point of this family has {want} finite coordinates; {got} were given, the first bad one at {bad:?}"
    )]
    Coordinates {
        /// Number of coordinates given.
        got: usize,
        /// Number that is right.
        want: usize,
        /// Position of the first entry that is not finite.
        bad: Option<usize>,
    },
    /// Two units of a block family vanish, where the loss has no gradient.
    #[error("the students of block {block} are zero; the loss has no gradient there")]
    ZeroBlock {
        /// The block.
        block: usize,
    },
    /// Newton's method did not reach a critical point.
    #[error("no critical point within {steps} steps; the best gradient norm is {gradient:e}")]
    NotFound {
        /// Steps taken.
        steps: usize,
        /// Norm of the gradient at the best point.
        gradient: f64,
    },
}

impl CriticalError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Problem(error) => error.kind(),
            Self::Spectrum(error) => error.kind(),
            Self::NotFound { .. } => Kind::NotConverged,
            _ => Kind::Input,
        }
    }
}
