//! Symmetric teachers: finite groups of orthogonal maps, and the plane of an orthonormal teacher.
//!
//! - `group`: finite groups of orthogonal matrices, checked.
//! - `landscapes`: both as landscapes for the dynamics.
//! - `orbit`: networks whose units are the orbit of one weight (Tian 2017, eqs. 17 and 18).
//! - `xy`: the two-dimensional dynamics of Theorem 7: field, Jacobian, loss.
//! - `xy_points`: its critical points, with eigenvalues, and where starts end.
//! - `xy_spectrum`: all `K^2` eigenvalues of the full Hessian at a point of the plane.
//!
//! Derivation: docs/theory/symmetric.md, equations (Y.1)-(Y.19).

mod group;
mod landscapes;
mod orbit;
mod xy;
mod xy_points;
mod xy_spectrum;

pub use group::{FiniteGroup, GroupError};
pub use orbit::{GroupOrbit, OrbitError};
pub use xy::{XyError, XyPlane};
pub use xy_points::{XyEnd, XyPoint};
pub use xy_spectrum::Eigenspace;
