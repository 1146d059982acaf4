//! The convolutional network with one hidden layer of Du, Lee, Tian, Poczos and Singh (2018).

mod basin;
mod error;
mod initialisation;
mod phases;
mod rates;
mod reduced;
mod reduced_landscape;
mod reduced_points;
mod state;

pub use basin::CnnBasin;
pub use error::CnnError;
pub use initialisation::{CnnSigns, restart_success};
pub use phases::{PhaseCoordinate, PhaseMethod, PhaseScan, TwoPhases};
pub use rates::CnnRates;
pub use reduced::ReducedCnn;
pub use state::CnnState;
