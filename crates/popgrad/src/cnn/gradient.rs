//! The gradient in the filter and in the output weights.

use super::geometry::{Geometry, in_range};
use super::{Cnn, CnnError, CnnForm, CnnGradient, CnnStudent};
use crate::vector::dot;
use std::f64::consts::{PI, TAU};

impl Cnn {
    /// Gradient of the loss with respect to the filter `v` and the output weights `a`.
    ///
    /// ```text
    /// grad_v J = -(alpha (pi-phi) / (2 pi |v|)) (I - uu^T) w*,   u = v/|v|
    /// grad_a J = (1/2pi) [(1.b) 1 + (pi-1) b + s (pi - h(phi)) a*],   b = a - s a*
    /// ```
    ///
    /// in the normalised form. In the plain form, with `b = |v| a - s a*` and `g` the second line,
    ///
    /// ```text
    /// grad_v J = (g.a) u - (alpha (pi-phi) / 2pi) (I - uu^T) w*,   grad_a J = |v| g
    /// ```
    ///
    /// In the normalised form `grad_v` is orthogonal to `v`.
    ///
    /// Source: Du et al. (2018), Theorem 3.2 and 3.3; docs/theory/cnn.md, (W.4), (W.10), (W.12).
    ///
    /// - Shapes: as the student's.
    /// - Domain: finite entries, `v` not zero in the normalised form. A zero filter of the plain form is reported in
    ///   [`CnnGradient::zero_filter`]: `grad_v` has no value and holds zeros, `grad_a` is zero.
    /// - Accuracy (measured, against 50 digits): `grad_v` of the normalised form `4 EPSILON |a||a*| s (pi-phi) sin(phi) / (2pi |v|)`;
    ///   each entry of `grad_a` `3 EPSILON (sum of |b| + 3|b_j| + s (pi-h) |a*_j|) / 2pi`, so that both keep their digits next to the
    ///   global minimum. The plain form adds `|a|` times the second to the first.
    ///
    /// # Errors
    ///
    /// [`CnnError::Length`], [`CnnError::NonFinite`], [`CnnError::ZeroFilter`], [`CnnError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStudent};
    /// let problem = Cnn::try_new(&[1.0, 0.0], &[1.0])?;
    /// let gradient = problem.gradient(CnnStudent { filter: &[0.0, 1.0], output: &[1.0] })?;
    /// assert!((gradient.filter[0] + 0.25).abs() < 1e-15 && gradient.filter[1].abs() < 1e-15);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn gradient(&self, student: CnnStudent<'_>) -> Result<CnnGradient, CnnError> {
        let g = Geometry::new(self, student, "the gradient of the normalised network")?;
        let gradient = self.gradient_at(&g, student);
        in_range("the gradient", &gradient.filter)?;
        in_range("the gradient", &gradient.output)?;
        Ok(gradient)
    }

    /// Derivative with respect to the output weights `A` of the unit filter (W.10).
    pub(super) fn effective_gradient(&self, g: &Geometry) -> Vec<f64> {
        let pull = g.s * g.gap;
        let pairs = g.difference.iter().zip(self.output());
        pairs.map(|(b, star)| pull.mul_add(*star, (PI - 1.0).mul_add(*b, g.difference_sum)) / TAU).collect()
    }

    /// The gradient at a geometry.
    fn gradient_at(&self, g: &Geometry, student: CnnStudent<'_>) -> CnnGradient {
        let mut output = self.effective_gradient(g);
        let turning = g.s * g.split.angle.psi / TAU;
        match self.form() {
            CnnForm::Normalised => {
                let factor = -(g.alpha * turning);
                // Divided last: a short filter has a long gradient, and its inverse alone may overflow.
                let filter = g.split.across.iter().map(|x| factor * x / g.length).collect();
                CnnGradient { filter, output, zero_filter: false }
            }
            CnnForm::Plain if g.length == 0.0 => {
                output.fill(0.0);
                CnnGradient { filter: vec![0.0; student.filter.len()], output, zero_filter: true }
            }
            CnnForm::Plain => {
                let radial = dot(&output, student.output);
                let factor = -(dot(student.output, self.output()) * turning);
                let parts = g.split.axis.iter().zip(&g.split.across);
                let filter = parts.map(|(u, x)| radial.mul_add(*u, factor * x)).collect();
                output.iter_mut().for_each(|x| *x *= g.length);
                CnnGradient { filter, output, zero_filter: false }
            }
        }
    }
}
