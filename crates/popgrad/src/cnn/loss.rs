//! The population loss.

use super::geometry::{Geometry, in_range};
use super::{Cnn, CnnError, CnnStudent};
use crate::vector::dot;
use std::f64::consts::PI;

impl Cnn {
    /// The population loss `J(v, a)`, per sample.
    ///
    /// ```text
    /// J = (1/4pi) [S_a^2 + (pi-1)|a|^2 - 2s (S_a S* + (h(phi)-1) alpha) + s^2 (S*^2 + (pi-1)|a*|^2)]
    ///   = (1/4pi) [(1.b)^2 + (pi-1)|b|^2 + 2 s alpha (pi - h(phi))],   b = a - s a*
    /// ```
    ///
    /// in the normalised form; in the plain form `|v| a` stands in the place of `a`. The second line is evaluated where
    /// `alpha >= 0` and has no negative term; where `alpha < 0` the first one has no cancellation.
    ///
    /// Source: Du et al. (2018), Theorem 3.1 (the first line); docs/theory/cnn.md, (W.3), (W.7)-(W.11).
    ///
    /// - Shapes: `v` has `p` entries, `a` has `k`.
    /// - Domain: finite entries, `v` not zero in the normalised form and of any length there; a zero filter of the plain
    ///   form has the loss of the zero function. `|a|`, and in the plain form `|v||a|`, zero or between 1e-150 and 1e150.
    /// - Accuracy (measured, against 50 digits, up to 25 patches): relative error at most `6 EPSILON`, also next to the global
    ///   minimum and next to the spurious point, with all inputs taken as exact. Plain sums of squares add `k/16 EPSILON`.
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
    /// // The antiparallel filter with a = 0: the energy of the teacher, s^2 a*^2 / 4.
    /// assert!((problem.loss(CnnStudent { filter: &[-1.0, 0.0], output: &[0.0] })? - 0.25).abs() < 1e-16);
    /// // A filter turned by 1e-9: J = s^2 a*^2 phi^2 / 4.
    /// let near = problem.loss(CnnStudent { filter: &[1.0, 1e-9], output: &[1.0] })?;
    /// assert!((near / 2.5e-19 - 1.0).abs() < 1e-8);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn loss(&self, student: CnnStudent<'_>) -> Result<f64, CnnError> {
        let g = Geometry::new(self, student, "the normalised network")?;
        let loss = self.loss_at(&g);
        in_range("the loss", &[loss])?;
        Ok(loss)
    }

    /// The loss at a geometry, by the form that does not cancel there.
    pub(super) fn loss_at(&self, g: &Geometry) -> f64 {
        let squared_sum = g.difference_sum * g.difference_sum;
        if g.alpha >= 0.0 {
            let squares = dot(&g.difference, &g.difference);
            return (squared_sum + (PI - 1.0) * squares + 2.0 * g.s * g.alpha * g.gap) / (4.0 * PI);
        }
        let squares = dot(&g.effective, &g.effective) + g.s * g.s * self.output_square();
        let cross = 2.0 * g.s * g.alpha * ((PI - 1.0) - g.gap);
        (squared_sum + (PI - 1.0) * squares - cross) / (4.0 * PI)
    }
}
