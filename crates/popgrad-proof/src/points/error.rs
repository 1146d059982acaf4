//! What is no point of a problem, and why a point of it was not certified.

use crate::environment::EnvironmentError;
use popgrad::{Kind, MatrixView};
use thiserror::Error;

/// Why a point cannot be looked at.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PointError {
    /// Floating-point arithmetic is not what intervals need.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A matrix without entries.
    #[error("{name} is {rows} x {cols}; at least one row and one column are needed")]
    Empty {
        /// Which matrix.
        name: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
    },
    /// An entry is NaN or infinite.
    #[error("{name}[{row}, {col}] = {value} is not finite")]
    NonFinite {
        /// Which matrix.
        name: &'static str,
        /// Row of the first offending entry.
        row: usize,
        /// Its column.
        col: usize,
        /// Its value.
        value: f64,
    },
    /// A list of output weights of the wrong length.
    #[error("{name} has {got} entries; {want} are needed, one a unit")]
    Length {
        /// Which list.
        name: &'static str,
        /// Its length.
        got: usize,
        /// The length it should have.
        want: usize,
    },
    /// An output weight that is not finite, or a student's that is zero.
    #[error("{name}[{index}] = {value}; output weights are finite, and a student's is not zero")]
    Output {
        /// Which list.
        name: &'static str,
        /// Position.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The point has another shape than the problem's students.
    #[error("the point is {} x {}; this problem has {} students of dimension {}", got.0, got.1, want.0, want.1)]
    Shape {
        /// Rows and columns of the point.
        got: (usize, usize),
        /// Students and input dimension.
        want: (usize, usize),
    },
    /// A student is zero, or too near zero for the box around it.
    #[error(
        "student {student} is zero or as good as zero; the gradient has no direction there, so no claim is possible"
    )]
    ZeroStudent {
        /// The student, from 0.
        student: usize,
    },
    /// The ball around the point is no ball.
    #[error("the radius {radius} is not a positive finite number")]
    Radius {
        /// The radius.
        radius: f64,
    },
    /// Groups of students that are none.
    #[error(
        "the groups of coincident students overlap, have one member, name a student that is none, or mix signs of output weights"
    )]
    Groups,
    /// A teacher whose image under the factor of the covariance may be zero.
    #[error("teacher {teacher} is as good as zero under the covariance, so its direction is unknown")]
    ZeroTeacher {
        /// The teacher, from 0.
        teacher: usize,
    },
    /// A slope, skip or covariance that is none.
    #[error("{reason}")]
    Setting {
        /// What is wrong.
        reason: String,
    },
    /// The matrices would not fit.
    #[error(
        "the matrices need {needed} bytes, above the memory limit of {limit}; raise the limit or reduce the dimension"
    )]
    Memory {
        /// Bytes needed.
        needed: u128,
        /// Bytes allowed.
        limit: u64,
    },
}

impl PointError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Environment(error) => error.kind(),
            Self::Memory { .. } => Kind::Resource,
            _ => Kind::Input,
        }
    }
}

/// Refuses matrices without entries or with entries that are not finite.
pub(super) fn check_entries(name: &'static str, x: MatrixView<'_>) -> Result<(), PointError> {
    let (rows, cols) = (x.rows(), x.cols());
    if rows == 0 || cols == 0 {
        return Err(PointError::Empty { name, rows, cols });
    }
    match x.as_slice().iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => {
            Err(PointError::NonFinite { name, row: at / cols, col: at % cols, value: x.as_slice()[at] })
        }
    }
}

/// Why a point was refuted, or why nothing could be decided.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PointReason {
    /// The gradient has no zero in the ball.
    #[error(
        "the gradient does not vanish within {radius:e} of the point: the Newton step is at least {step:e} long"
    )]
    NoZero {
        /// Radius of the ball.
        radius: f64,
        /// Lower bound of the length of the Newton step.
        step: f64,
    },
    /// The gradient has no zero in the ball because one component keeps its sign.
    #[error(
        "the gradient does not vanish within {radius:e} of the point: component {component} is at least {size:e} in magnitude"
    )]
    GradientSign {
        /// Radius of the ball.
        radius: f64,
        /// The component, from 0, of the weights in row-major order.
        component: usize,
        /// Lower bound of its magnitude.
        size: f64,
    },
    /// Newton's method left the neighbourhood.
    #[error(
        "Newton's method from the point does not settle: after {steps} steps it is {distance:e} away, with a step of {step:e}"
    )]
    NewtonLeft {
        /// Steps done.
        steps: usize,
        /// Distance from the start.
        distance: f64,
        /// Length of the last step.
        step: f64,
    },
    /// No ball is mapped into itself.
    #[error(
        "no ball around the Newton point is mapped into itself: residual {residual:e}, factor {factor:e}; \
         {near_zero} eigenvalues of the Hessian are near zero, symmetry explains {explained}"
    )]
    NoContraction {
        /// Length of the residual, preconditioned.
        residual: f64,
        /// Contraction factor on the smallest ball that was tried.
        factor: f64,
        /// Eigenvalues below a millionth of the largest one.
        near_zero: usize,
        /// Dimension of the orbit of rotations.
        explained: usize,
    },
    /// The slice does not cross the orbit.
    #[error("the slice across the orbit of rotations is not transversal to it (defect {defect:e})")]
    NotTransversal {
        /// Distance of the frame from the identity.
        defect: f64,
    },
    /// A certified critical point exists, outside the ball.
    #[error("the critical point nearby is at least {distance:e} away, beyond the radius {radius:e}")]
    Elsewhere {
        /// Lower bound of its distance.
        distance: f64,
        /// Radius of the ball.
        radius: f64,
    },
    /// A certified critical point exists near the edge of the ball.
    #[error("the critical point nearby may be {distance:e} away, and the radius is {radius:e}")]
    OnTheEdge {
        /// Upper bound of its distance.
        distance: f64,
        /// Radius of the ball.
        radius: f64,
    },
    /// A student may vanish.
    #[error("student {student} may vanish nearby, where the gradient has no direction")]
    StudentVanishes {
        /// The student, from 0.
        student: usize,
    },
    /// The permutations that a certificate names do not leave the point alone.
    #[error("the point is not left alone by the permutations of the axes that are claimed")]
    NotSymmetric,
    /// A floating-point routine failed.
    #[error("the eigenvalue iteration did not converge")]
    Eigenvalues,
    /// The critical point is certified but no minimum.
    #[error("the critical point is no minimum: the Hessian has an eigenvalue of at most {largest:e}")]
    NoMinimum {
        /// Upper bound of the smallest eigenvalue.
        largest: f64,
    },
    /// A teacher is shared out over students of its direction.
    #[error(
        "the Hessian has {nullity} zero eigenvalues: {manifold} along the manifold on which a teacher is shared out, and {} where \
         students of one direction part, along which the loss grows like the cube of the distance",
        nullity - manifold
    )]
    SplitTeacher {
        /// Zero eigenvalues.
        nullity: usize,
        /// Those of them along the manifold.
        manifold: usize,
    },
    /// Teachers on one side of a line are shared out over students, those on the other side have no part in the gradient.
    #[error(
        "the Hessian has {nullity} zero eigenvalues: {manifold} along the manifold on which the teachers of one side are shared out, \
         and {} where students of one direction part, along which the loss changes like the cube of the distance, so that the \
         index does not tell a minimum from a saddle",
        nullity - manifold
    )]
    SplitSide {
        /// Zero eigenvalues.
        nullity: usize,
        /// Those of them along the manifold.
        manifold: usize,
    },
    /// Students share a direction, and the index is not certified.
    #[error(
        "{open} eigenvalues of the Hessian cannot be told from zero, beyond the {forced} that the manifold forces ({negative} are \
         negative, {positive} positive); in {split} directions students of one direction part, and where such an eigenvalue is \
         zero the loss changes like the cube of the distance, so the Hessian gives no index"
    )]
    SplitOpen {
        /// Eigenvalues of unknown sign.
        open: usize,
        /// Eigenvalues that are zero because the students share out what one of them could be.
        forced: usize,
        /// Eigenvalues that are certainly negative.
        negative: usize,
        /// Eigenvalues that are certainly positive.
        positive: usize,
        /// Directions in which students of one direction part, beyond the forced ones.
        split: usize,
    },
    /// The critical point is certified, its index is not.
    #[error(
        "{open} eigenvalues of the Hessian cannot be told from zero, beyond the {forced} that the manifold forces"
    )]
    IndexOpen {
        /// Eigenvalues of unknown sign.
        open: usize,
        /// Eigenvalues that are zero by symmetry.
        forced: usize,
    },
}

impl From<PointError> for PointReason {
    fn from(error: PointError) -> Self {
        match error {
            PointError::ZeroStudent { student } => Self::StudentVanishes { student },
            _ => Self::Eigenvalues,
        }
    }
}
