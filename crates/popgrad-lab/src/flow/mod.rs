//! Trajectories of gradient descent and the gradient flow: what moves, the run itself, its rows and its picture.
//!
//! A [`Model`] says what moves (all weights, the plane of Theorem 7, the orbit of one weight), a [`Method`] how, and a
//! [`Trajectory`] is one run that advances in slices, so that a caller can show progress and stop between them.

mod exact;
mod model;
mod picture;
mod trajectory;

pub use exact::ExactTrajectory;
pub use model::{Model, Network};
pub use picture::TrajectoryPicture;
pub use trajectory::{Method, Trajectory};
