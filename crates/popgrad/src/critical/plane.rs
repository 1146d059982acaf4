//! The span of the teacher, what of the students lies outside, and the manifold that rotations make of a point.

use super::span::Span;
use crate::vector::norm;
use crate::{MatrixView, TwoLayer};

/// A unit adds a direction to the teacher's span if this share of it lies outside the units before.
const TEACHER_RANK: f64 = 1e-10;
/// Students count as in the plane if less than this share of the longest unit lies outside: an end of a degenerate
/// search is only known to about the square root of the gradient's rounding.
const STUDENT_RANK: f64 = 1e-6;

/// An orthonormal basis: first of the teacher's span, then of what the students have outside it.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    /// The span of all units.
    pub(super) span: Span,
    /// Dimension of the teacher's span.
    pub(super) teacher: usize,
    /// Length of the students' parts that the basis leaves out.
    pub(super) dropped: f64,
}

impl Plane {
    /// The plane of a problem's teacher and a student's weights.
    pub(super) fn new(problem: &TwoLayer, weights: MatrixView<'_>) -> Self {
        let teacher = problem.teacher();
        let longest = |a: MatrixView<'_>| (0..a.rows()).map(|i| norm(a.row(i))).fold(0.0, f64::max);
        Self::of(teacher, weights, longest(teacher).max(longest(weights)))
    }

    /// The plane of some rows, of which the longest unit has the length `size`.
    pub(super) fn of(teacher: MatrixView<'_>, weights: MatrixView<'_>, size: f64) -> Self {
        let rows = |a: MatrixView<'_>| (0..a.rows()).map(|i| a.row(i).to_vec()).collect();
        let mut span = Span::default();
        span.extend(rows(teacher), TEACHER_RANK * size);
        let rank = span.len();
        let dropped = span.extend(rows(weights), STUDENT_RANK * size);
        Self { span, teacher: rank, dropped }
    }

    /// The plane with one direction orthogonal to all units, where the space of dimension `d` has one.
    pub(super) fn with_outer_direction(mut self, d: usize) -> Self {
        // The axis of which the basis holds the least is farthest from its span.
        let held = |axis: &usize| self.span.vectors.iter().map(|q| q[*axis] * q[*axis]).sum::<f64>();
        if let Some(axis) = (0..d).min_by(|a, b| held(a).total_cmp(&held(b))) {
            let mut u = vec![0.0; d];
            u[axis] = 1.0;
            self.span.extend(vec![u], 0.0);
        }
        self
    }

    /// The rank of the students' part outside the teacher's span.
    pub(super) fn outside(&self) -> usize {
        self.span.len() - self.teacher
    }

    /// The dimension of the Stiefel manifold that rotations which fix the teacher make of the students in `d` dimensions, (Z.7).
    pub(super) fn manifold(&self, d: usize) -> usize {
        let (r, q) = (self.outside(), d - self.teacher);
        r * q - r * (r + 1) / 2
    }
}
