//! The convolutional network of Du, Lee, Tian, Poczos and Singh (2018): one filter on `k` patches that do not overlap.
//!
//! ```text
//! f(Z) = sum_j a_j relu(v.Z_j / |v|),   Z_1, ..., Z_k independent, Z_j ~ N(0, I_p),   J = 1/2 E[(f - f*)^2]
//! ```
//!
//! - `problem`: the teacher `(w*, a*)` and the parametrisation, normalised or plain.
//! - `student`, `geometry`: a student, its gradient, and the few scalars that the loss depends on.
//! - `loss`, `gradient`, `hessian`: closed forms without cancellation near the teacher.
//! - `points`: the global minimum, the spurious point, the saddle between them.
//! - `embedding`: the same through the general two-layer code, and Monte Carlo.
//!
//! Derivation: docs/theory/cnn.md, equations (W.1)-(W.39).

mod embedding;
mod error;
mod geometry;
mod gradient;
mod hessian;
mod loss;
mod points;
mod problem;
mod student;

pub use embedding::CnnEmbedding;
pub use error::CnnError;
pub use points::{CnnPoint, CnnPointKind};
pub use problem::{Cnn, CnnForm};
pub use student::{CnnGradient, CnnScalars, CnnStudent};
