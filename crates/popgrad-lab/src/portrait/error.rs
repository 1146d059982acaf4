//! Why a portrait could not be made.

use popgrad::{CnnError, DynamicsError, Kind, L12Error, XyError};
use thiserror::Error;

/// Why a portrait could not be made.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PortraitError {
    /// The two ends of an axis are not ascending finite numbers.
    #[error("the {axis} axis runs from {low} to {high}; two ascending finite numbers are needed")]
    Range {
        /// `"x"` or `"y"`.
        axis: &'static str,
        /// The first end.
        low: f64,
        /// The second end.
        high: f64,
    },
    /// The grid has too few or too many points.
    #[error("the grid has {grid} points along each axis; 2 to 4001 are needed")]
    Grid {
        /// Points along each axis.
        grid: usize,
    },
    /// A point of the plane is refused.
    #[error(transparent)]
    Plane(#[from] XyError),
    /// A point of the plane of the convolutional network is refused.
    #[error(transparent)]
    Convolution(#[from] CnnError),
    /// A trajectory could not start.
    #[error(transparent)]
    Dynamics(#[from] DynamicsError),
    /// The map of `L12` is refused.
    #[error(transparent)]
    Map(#[from] L12Error),
    /// The numbers of a map were asked for on a grid that is too fine to be stored.
    #[error("the numbers of {grid} x {} angles are asked for; up to {most} angles theta are written", 2 * grid)]
    Stored {
        /// Angles theta.
        grid: usize,
        /// The most that are written.
        most: usize,
    },
}

impl PortraitError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Plane(error) => error.kind(),
            Self::Convolution(error) => error.kind(),
            Self::Dynamics(error) => error.kind(),
            Self::Map(error) => error.kind(),
            _ => Kind::Input,
        }
    }
}
