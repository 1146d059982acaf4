//! Why `L12` or a map of it is refused.

use crate::{Kind, Level};
use thiserror::Error;

/// Why `L12` could not be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum L12Error {
    /// An angle lies outside its domain or is no number.
    #[error("{name} = {value} radians is outside [{low}, {high}]")]
    Angle {
        /// Which angle.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The least value allowed.
        low: f64,
        /// The largest value allowed.
        high: f64,
    },
    /// A grid is too small or too large.
    #[error("the grid has {thetas} x {phis} angles; each number must be from 2 to {most}")]
    Grid {
        /// Number of angles theta.
        thetas: usize,
        /// Number of angles phi.
        phis: usize,
        /// The largest number allowed.
        most: usize,
    },
    /// A point or a row that the grid does not have.
    #[error("row {row}, column {column} is outside the grid of {thetas} x {phis} angles")]
    Outside {
        /// The row asked for.
        row: usize,
        /// The column asked for.
        column: usize,
        /// Number of rows.
        thetas: usize,
        /// Number of columns.
        phis: usize,
    },
    /// A buffer does not hold the rows asked for.
    #[error("the buffer holds {got} entries; {rows} rows of {phis} need {}", rows * phis)]
    Buffer {
        /// Its length.
        got: usize,
        /// Rows asked for.
        rows: usize,
        /// Entries of a row.
        phis: usize,
    },
    /// The machine lacks the SIMD level asked for.
    #[error("this machine lacks the SIMD level {level:?}; it has {available:?}")]
    Level {
        /// The level asked for.
        level: Level,
        /// The levels of this machine.
        available: Vec<Level>,
    },
}

impl L12Error {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}
