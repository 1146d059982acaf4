//! Critical points of the two-layer problem (Tian 2017, section 5).

mod cone;
mod error;
mod gram;
mod l12;
mod normal_equation;
mod span;
mod theorem3;

pub use cone::{ConeCounts, cone_counts};
pub use error::NormalEquationError;
pub use l12::{L12Error, L12Map, SignAdvance, SignCount, SignForm, SignSurvey, l12, l12_numerator, l21};
pub use normal_equation::{NormalEquation, RadialSolution};
pub use theorem3::{ResidualProjections, Theorem3};
