//! Exact training dynamics of teacher-student ReLU networks under Gaussian input.

mod angle;
mod arc_cosine;
mod beta;
mod input_law;
mod kind;
mod matrix;
mod single_relu;
mod symmetric;
mod vector;

pub use angle::{Angle, VectorError, angle};
pub use arc_cosine::{
    KernelHessian, angular_c1, angular_h, gating, joint_activation, kernel, kernel_hessian,
};
pub use beta::{BetaError, incomplete_beta, log_incomplete_beta};
pub use input_law::{InputLaw, InputLawError};
pub use kind::Kind;
pub use matrix::{Matrix, MatrixError, MatrixView};
pub use single_relu::{
    SingleReluError, SingleReluFlow, THEOREM5_CRITICAL_ANGLE, ball_probability, distance_decrease,
    gaussian_probability, in_omega, single_relu_gradient, single_relu_loss, theorem5_determinant,
    theorem5_matrix, theorem6_bound, theorem6_radius,
};
pub use symmetric::{
    Eigenspace, FiniteGroup, GroupError, GroupOrbit, OrbitError, XyEnd, XyError, XyPlane, XyPoint,
};
