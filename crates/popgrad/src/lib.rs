//! Exact training dynamics of teacher-student ReLU networks under Gaussian input.

pub mod accuracy;
mod angle;
mod arc_cosine;
mod input_law;
mod kind;
mod matrix;
mod vector;

pub use angle::{Angle, VectorError, angle};
pub use arc_cosine::{
    KernelHessian, angular_c1, angular_h, gating, joint_activation, kernel, kernel_hessian,
};
pub use input_law::{InputLaw, InputLawError};
pub use kind::Kind;
pub use matrix::{Matrix, MatrixError, MatrixView};

/// The README's Rust blocks, run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
