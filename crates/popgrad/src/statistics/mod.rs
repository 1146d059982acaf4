//! Statistics that give a measured number its uncertainty.
//!
//! The normal law to full relative accuracy in the tails (so that bounds with a false alarm of one in a million
//! can be set), Wilson intervals for shares, running means with standard errors, and least-squares lines.
//! Nothing here is random; every sum runs in index order.

mod extrapolation;
mod good_turing;
mod line_fit;
mod moments;
mod normal_law;
mod wilson;

pub use extrapolation::{Limit, extrapolate_to_zero};
pub use good_turing::{GoodTuring, good_turing};
pub use line_fit::{LineFit, fit_line, fit_line_weighted};
pub use moments::Moments;
pub(crate) use normal_law::quantile_of_lower_half;
pub use normal_law::{normal_cdf, normal_quantile, two_sided_bound};
pub use wilson::{WilsonInterval, wilson_interval};

use crate::Kind;
use thiserror::Error;

/// Why a statistic could not be formed.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum StatisticsError {
    /// A probability outside the open interval from 0 to 1.
    #[error("the {which} is {value}; it must lie strictly between 0 and 1")]
    Probability {
        /// What the probability is of.
        which: &'static str,
        /// Its value.
        value: f64,
    },
    /// No trials, or more successes than trials.
    #[error(
        "{successes} successes in {trials} trials; there must be at least one trial and no more successes than trials"
    )]
    Counts {
        /// Number of successes given.
        successes: u64,
        /// Number of trials given.
        trials: u64,
    },
    /// A line needs three points for a slope with a standard error, given in two lists of one length.
    #[error(
        "a line fit got {x} abscissae, {y} ordinates and {weights} standard deviations; it needs equal numbers, at least 3"
    )]
    Points {
        /// Number of abscissae.
        x: usize,
        /// Number of ordinates.
        y: usize,
        /// Number of standard deviations (equal to `y` when none are given).
        weights: usize,
    },
    /// A number that is NaN or infinite, or a standard deviation that is not positive.
    #[error("{which}[{index}] = {value}; it must be {wanted}")]
    Value {
        /// Name of the list.
        which: &'static str,
        /// Position in the list.
        index: usize,
        /// The offending value.
        value: f64,
        /// What would be right.
        wanted: &'static str,
    },
    /// All abscissae are equal, so that no slope exists.
    #[error("all {points} abscissae equal {value}; a slope needs at least two different ones")]
    Vertical {
        /// Number of points.
        points: usize,
        /// The common abscissa.
        value: f64,
    },
}

impl StatisticsError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// Refuses a probability outside the open unit interval.
fn check_probability(which: &'static str, value: f64) -> Result<(), StatisticsError> {
    if value > 0.0 && value < 1.0 { Ok(()) } else { Err(StatisticsError::Probability { which, value }) }
}
