//! Training dynamics on a loss landscape: gradient descent and the gradient flow, as resumable machines.
//!
//! Time is per-sample flow time throughout; steps of gradient descent are per-sample steps. The methods, their
//! rules and the meaning of every tolerance are derived in docs/theory/dynamics.md, equations (D.1)-(D.14).

mod error;
mod landscape;
mod stop;

pub use error::DynamicsError;
pub use landscape::Landscape;
pub use stop::{Status, StopRule, ZeroStudentRule};
