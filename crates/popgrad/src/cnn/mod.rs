//! The convolutional network of Du, Lee, Tian, Poczos and Singh (2018): one filter on `k` patches that do not overlap.
//!
//! ```text
//! f(Z) = sum_j a_j relu(v.Z_j / |v|),   Z_1, ..., Z_k independent, Z_j ~ N(0, I_p),   J = 1/2 E[(f - f*)^2]
//! ```
//!
//! - `problem`: the teacher `(w*, a*)` and the parametrisation, normalised or plain.
//! - `student`, `geometry`: a student, its gradient, the few scalars that the loss depends on, and what all formulas share.
//! - `loss`, `gradient`, `hessian`: closed forms without cancellation near the teacher.
//! - `points`: filters and output weights of the global minimum, the spurious point and the saddle between them.
//! - `embedding`: the same through the general two-layer code, and Monte Carlo.
//! - `landscape`: gradient descent and flow of the whole network, and the way to the closed variables.
//! - `reduced`, `state`, `reduced_landscape`: the teacher's four scalars and the closed variables `[x, y, alpha, S_a, r]`.
//! - `reduced_points`: the valley of the best output weights and what the scalars determine of the critical points.
//! - `basin`, `rates`, `phases`, `initialisation`: where runs end, how fast, and from which starts.
//!
//! Derivation: docs/theory/cnn.md, equations (W.1)-(W.39), and docs/theory/cnn_dynamics.md, (W.40)-(W.78).

mod basin;
mod embedding;
mod error;
mod geometry;
mod gradient;
mod hessian;
mod initialisation;
mod landscape;
mod loss;
mod phases;
mod points;
mod problem;
mod rates;
mod reduced;
mod reduced_landscape;
mod reduced_points;
mod state;
mod student;

pub use basin::CnnBasin;
pub use embedding::CnnEmbedding;
pub use error::CnnError;
pub use initialisation::{CnnSigns, restart_success};
pub use landscape::CnnLandscape;
pub use phases::{PhaseCoordinate, PhaseMethod, PhaseScan, TwoPhases};
pub use points::{CnnPoint, CnnPointKind};
pub use problem::{Cnn, CnnForm};
pub use rates::CnnRates;
pub use reduced::ReducedCnn;
pub use state::CnnState;
pub use student::{CnnGradient, CnnScalars, CnnStudent};
