//! The two-layer teacher-student problem: exact loss, gradient and Hessian of the population objective.
//!
//! ```text
//! J(W, a) = 1/2 E[(sum_j a_j s(w_j.x) - sum_m b_m s(v_m.x))^2],   s(z) = alpha z + (1 - alpha) relu(z)
//! ```
//!
//! per sample, for `x ~ N(0, I_d)`, any covariance, any centred rotation-invariant law, with an optional linear skip
//! connection `c.x` (teacher `c*.x`). Rows are neurons: `W` is `K x d`, `V` is `M x d`; `K`, `M`, `d >= 1` are free.
//! Angles are in radians. Derivations: docs/theory/two_layer.md, equations (T.1)-(T.20).
//!
//! Accuracy: per neuron, the gradient's error is at most `4 EPSILON` times the sum of the norms of its terms; near the
//! teacher (up to a permutation of the units) gradient and loss keep full *relative* accuracy. See [`crate::accuracy`].

mod batch;
mod covariance;
mod error;
mod evaluator;
mod field_lanes;

mod gradient_error;
mod hessian;
mod hessian_product;
mod loss;
mod near_loss;
mod near_teacher;
mod pair_geometry;
mod problem;
mod reduction;
mod student;

pub use batch::BatchEvaluator;
pub use error::TwoLayerError;
pub use evaluator::Evaluator;
pub use hessian::Blocks;
pub use problem::TwoLayer;
pub(crate) use reduction::Basis;
pub use reduction::Reduction;
pub use student::{Gradient, Student};
