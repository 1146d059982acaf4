//! The span of the teacher, what of a student lies outside, and coordinates in which both are few.

use crate::vector::{dot, norm};
use crate::{Matrix, MatrixView, TwoLayer};

/// A unit adds a direction to the teacher's span if this share of it lies outside the units before.
const TEACHER_RANK: f64 = 1e-10;
/// Students count as in the plane if less than this share of the longest unit lies outside: an end of a degenerate
/// search is only known to about the square root of the gradient's rounding.
const STUDENT_RANK: f64 = 1e-6;

/// An orthonormal basis: first of the teacher's span, then of what the students have outside it.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    /// Basis vectors, one a row.
    pub(super) basis: Vec<Vec<f64>>,
    /// Dimension of the teacher's span.
    pub(super) teacher: usize,
    /// Length of the students' parts that the basis leaves out.
    pub(super) dropped: f64,
}

impl Plane {
    pub(super) fn new(problem: &TwoLayer, weights: MatrixView<'_>) -> Self {
        let teacher = problem.teacher();
        let lengths = |a: MatrixView<'_>| (0..a.rows()).map(|i| norm(a.row(i))).fold(0.0, f64::max);
        let size = lengths(teacher).max(lengths(weights));
        let mut basis = Vec::new();
        extend(&mut basis, teacher, TEACHER_RANK * size);
        let rank = basis.len();
        let dropped = extend(&mut basis, weights, STUDENT_RANK * size);
        Self { basis, teacher: rank, dropped }
    }

    /// The plane with one direction orthogonal to all units, where the space of dimension `d` has one.
    pub(super) fn with_outer_direction(mut self, d: usize) -> Self {
        if self.basis.len() == d {
            return self;
        }
        // The axis of which the basis holds the least is farthest from its span.
        let held = |axis: &usize| self.basis.iter().map(|q| q[*axis] * q[*axis]).sum::<f64>();
        let Some(axis) = (0..d).min_by(|a, b| held(a).total_cmp(&held(b))) else { return self };
        let mut u = vec![0.0; d];
        u[axis] = 1.0;
        for _ in 0..2 {
            for q in &self.basis {
                let along = dot(q, &u);
                u.iter_mut().zip(q).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = norm(&u);
        u.iter_mut().for_each(|x| *x /= length);
        self.basis.push(u);
        self
    }

    /// The rank of the students' part outside the teacher's span.
    pub(super) fn outside(&self) -> usize {
        self.basis.len() - self.teacher
    }

    /// Coordinates in the basis, filled up with zeros to `cols`.
    pub(super) fn coordinates(&self, rows: MatrixView<'_>, cols: usize) -> Matrix {
        let mut out = Matrix::zeros(rows.rows(), cols.max(1));
        for i in 0..rows.rows() {
            for (c, q) in out.row_mut(i).iter_mut().zip(&self.basis) {
                *c = dot(rows.row(i), q);
            }
        }
        out
    }

    /// Rows in coordinates of the basis, in the original ones.
    pub(super) fn lift(&self, rows: MatrixView<'_>, d: usize) -> Matrix {
        let mut out = Matrix::zeros(rows.rows(), d);
        for i in 0..rows.rows() {
            for (c, q) in rows.row(i).iter().zip(&self.basis) {
                out.row_mut(i).iter_mut().zip(q).for_each(|(o, x)| *o = c.mul_add(*x, *o));
            }
        }
        out
    }
}

/// Adds orthonormal vectors until less than `least` of every row is left outside; returns the largest part left.
fn extend(basis: &mut Vec<Vec<f64>>, rows: MatrixView<'_>, least: f64) -> f64 {
    let mut rest: Vec<Vec<f64>> = (0..rows.rows()).map(|i| rows.row(i).to_vec()).collect();
    let remove = |u: &mut [f64], q: &[f64]| {
        let along = dot(q, u);
        u.iter_mut().zip(q).for_each(|(x, y)| *x -= along * y);
    };
    for u in &mut rest {
        for _ in 0..2 {
            basis.iter().for_each(|q| remove(u, q));
        }
    }
    loop {
        let lengths: Vec<f64> = rest.iter().map(|u| norm(u)).collect();
        let (longest, length) = lengths
            .iter()
            .enumerate()
            .fold((0, 0.0), |best, (i, l)| if *l > best.1 { (i, *l) } else { best });
        if length <= least || basis.len() == rows.cols() {
            return length;
        }
        let mut q = rest[longest].clone();
        basis.iter().for_each(|p| remove(&mut q, p));
        let length = norm(&q);
        q.iter_mut().for_each(|x| *x /= length);
        rest.iter_mut().for_each(|u| remove(u, &q));
        basis.push(q);
    }
}
