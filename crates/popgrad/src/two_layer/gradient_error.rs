//! A bound on the rounding error of the gradient, neuron by neuron.

use super::TwoLayerError;
use super::loss::output;
use super::problem::{TwoLayer, direction};
use super::student::Student;
use crate::Matrix;
use crate::arc_cosine::gating_norm;
use crate::lanes::on_lanes;
use crate::vector::{dot, norm};
use std::f64::consts::TAU;

/// The bound in units of `EPSILON` times the sum of the norms of the terms; the accuracy table says the same.
const FACTOR: f64 = 4.0;

impl TwoLayer {
    /// A bound on the error of each row of [`TwoLayer::gradient`], Euclidean norm.
    ///
    /// ```text
    /// 4 EPSILON kappa |L| |a_j| [(1 - alpha)^2 sum_z |c_z| max(|F(w_j, z)|, |z|/2pi) + linear terms],   Z = (W; V)
    /// ```
    ///
    /// The second argument of the maximum is what a rounded cosine costs; it matters only for units at more than some 120
    /// degrees.
    /// `|L|` is the Frobenius norm of the covariance's factor (1 without one). Near the teacher the gradient is far more
    /// accurate than this bound.
    ///
    /// Source: docs/theory/two_layer.md, (T.7).
    ///
    /// - Shapes: `K` numbers; a zero student's is 0.
    /// - Accuracy: the factor 4 is measured, not proved (largest seen: 0.7).
    ///
    /// # Errors
    ///
    /// As [`TwoLayer::gradient`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
    /// let bound = problem.gradient_error(Student::new(Matrix::identity(2, 2).view()))?;
    /// assert!(bound.iter().all(|b| *b < 2e-15));
    /// # Ok::<(), popgrad::TwoLayerError>(())
    /// ```
    pub fn gradient_error(&self, student: Student<'_>) -> Result<Vec<f64>, TwoLayerError> {
        let (k, d) = (student.neurons(), self.input_dimension());
        student.check(d)?;
        let ones = vec![1.0; k];
        let a = output(&ones, student);
        let mut w = student.weights.to_matrix();
        let mut spread = 1.0;
        if let Some(l) = &self.factor {
            for j in 0..k {
                super::covariance::whiten(l, student.weights.row(j), w.row_mut(j));
            }
            spread = norm(l.as_slice());
        }
        let mut units = w.clone();
        (0..k).for_each(|j| direction(w.row(j), units.row_mut(j)));
        let lengths: Vec<f64> = (0..k).map(|j| norm(w.row(j))).collect();
        let slope = 1.0 - self.alpha;
        let linear = self.alpha.abs() * (dot_abs(a, &lengths) + dot_abs(&self.output, &self.white.lengths))
            + norm(&self.skip)
            + norm(student.skip);
        let mut relu = vec![0.0; k];
        on_lanes!(self.lanes, _simd => self.term_norms(a, &lengths, &units, &mut relu));
        let scale = FACTOR * f64::EPSILON * self.kappa * spread;
        let bound = |j: usize| {
            if lengths[j] == 0.0 { 0.0 } else { scale * a[j].abs() * (slope * slope * relu[j] + linear) }
        };
        Ok((0..k).map(bound).collect())
    }

    /// `sum_z |c_z| |F(w_j, z)|` for every student, from directions and lengths.
    #[inline(always)]
    fn term_norms(&self, a: &[f64], lengths: &[f64], units: &Matrix, out: &mut [f64]) {
        let (k, m) = (units.rows(), self.output.len());
        for (j, sum) in out.iter_mut().enumerate() {
            let e = units.row(j);
            for z in 0..k {
                *sum += a[z].abs() * lengths[z] * gating_norm(dot(e, units.row(z))).max(1.0 / TAU);
            }
            for z in 0..m {
                let cosine = dot(e, self.white.directions.row(z));
                *sum += self.output[z].abs() * self.white.lengths[z] * gating_norm(cosine).max(1.0 / TAU);
            }
        }
    }
}

/// `sum_i |a_i| b_i` for lengths `b`.
fn dot_abs(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x.abs() * y).sum()
}
