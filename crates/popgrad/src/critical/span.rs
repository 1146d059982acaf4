//! Orthonormal bases of spans, one way for all uses; each names what it takes for rounding.
//!
//! The row with the longest part outside comes next (Gram and Schmidt with pivots), and every projection is removed twice, which
//! leaves the new vector orthogonal to rounding however short that part is.

use crate::vector::{dot, norm, power_of_two_scale};
use crate::{Matrix, MatrixView};

/// An orthonormal basis, one vector a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Span {
    pub(super) vectors: Vec<Vec<f64>>,
}

/// `u -= (q.u) q`.
fn remove(u: &mut [f64], q: &[f64]) {
    let along = dot(q, u);
    u.iter_mut().zip(q).for_each(|(x, y)| *x = (-along).mul_add(*y, *x));
}

/// The direction of a row of any magnitude; zero for a zero row.
fn direction(row: &[f64]) -> Vec<f64> {
    let scale = power_of_two_scale(row);
    let mut unit: Vec<f64> = row.iter().map(|x| x * scale).collect();
    let length = dot(&unit, &unit).sqrt();
    if length > 0.0 {
        unit.iter_mut().for_each(|x| *x /= length);
    }
    unit
}

impl Span {
    /// The span of rows as directions: a row whose sine from the others is at most `tolerance` adds nothing.
    pub(super) fn of_directions<'r>(rows: impl Iterator<Item = &'r [f64]>, tolerance: f64) -> Self {
        let mut out = Self::default();
        out.extend(rows.map(direction).collect(), tolerance);
        out
    }

    /// The dimension.
    pub(super) fn len(&self) -> usize {
        self.vectors.len()
    }

    /// What of a vector lies outside.
    pub(super) fn rest(&self, mut u: Vec<f64>) -> Vec<f64> {
        for _ in 0..2 {
            self.vectors.iter().for_each(|q| remove(&mut u, q));
        }
        u
    }

    /// The sine of the angle between a row and the span; 0 for a zero row.
    pub(super) fn sine(&self, row: &[f64]) -> f64 {
        norm(&self.rest(direction(row)))
    }

    /// Takes in rows, those with the longest part outside first, until no part outside is longer than `least`; returns the
    /// longest one left.
    pub(super) fn extend(&mut self, rows: Vec<Vec<f64>>, least: f64) -> f64 {
        let mut left: Vec<Vec<f64>> = rows.into_iter().map(|u| self.rest(u)).collect();
        loop {
            let longest = left.iter().enumerate().map(|(i, u)| (i, norm(u)));
            let Some((at, length)) = longest.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))) else {
                return 0.0;
            };
            if length <= least || self.len() == left[at].len() {
                return length;
            }
            let mut q = self.rest(left[at].clone());
            let length = norm(&q);
            q.iter_mut().for_each(|x| *x /= length);
            left.iter_mut().for_each(|u| remove(u, &q));
            self.vectors.push(q);
        }
    }

    /// Coordinates of rows in the basis, filled up with zeros to `cols`.
    pub(super) fn coordinates(&self, rows: MatrixView<'_>, cols: usize) -> Matrix {
        let mut out = Matrix::zeros(rows.rows(), cols.max(1));
        for i in 0..rows.rows() {
            for (c, q) in out.row_mut(i).iter_mut().zip(&self.vectors) {
                *c = dot(rows.row(i), q);
            }
        }
        out
    }

    /// Rows in coordinates of the basis, in the original ones.
    pub(super) fn lift(&self, rows: MatrixView<'_>, d: usize) -> Matrix {
        let mut out = Matrix::zeros(rows.rows(), d);
        for i in 0..rows.rows() {
            for (c, q) in rows.row(i).iter().zip(&self.vectors) {
                out.row_mut(i).iter_mut().zip(q).for_each(|(o, x)| *o = c.mul_add(*x, *o));
            }
        }
        out
    }
}
