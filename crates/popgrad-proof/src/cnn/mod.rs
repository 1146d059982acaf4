//! The critical points of the convolutional network of Du et al. (2018), certified.
//!
//! For every direction of the filter the loss is a fixed positive definite quadratic form around its best output weights (W.21), and the
//! floor of that valley is a strictly concave quadratic polynomial in `h(phi)` (W.22), (W.23). What remains to be verified for
//! given numbers are a few signs and one root, in interval arithmetic: docs/theory/cnn.md, (W.33)-(W.39).
//!
//! - `teacher`: the scalars that the landscape depends on, enclosed.
//! - `report`: what is proved about the global minimum, the spurious point and the saddle.
//! - `points`: the proofs.

mod error;
mod points;
mod report;
mod teacher;

pub use error::CnnProofError;
pub use report::{CnnReport, GlobalProof, SaddleProof, SpuriousProof};
pub use teacher::CnnTeacher;
