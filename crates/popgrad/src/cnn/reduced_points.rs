//! The critical points in the closed variables, and the loss at the best output weights of each angle.
//!
//! Derivation: docs/theory/cnn_dynamics.md, equations (W.49)-(W.55). Angles are in radians.

use super::geometry::angular_gap;
use super::state::h_of;
use super::{CnnError, CnnState, ReducedCnn};
use crate::angle::Angle;
use crate::angular_h;
use std::f64::consts::{PI, TAU};

impl ReducedCnn {
    /// The ratio `S*^2 / |a*|^2` below which the spurious point is a local minimum.
    ///
    /// ```text
    /// 1 + (k - 1) / pi
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.52).
    ///
    /// - Accuracy (measured): relative error at most `2 EPSILON`.
    pub fn ratio_threshold(&self) -> f64 {
        1.0 + (self.k() - 1.0) / PI
    }

    /// `h_c`, the value of `h` at the saddle; not positive from the threshold on.
    ///
    /// ```text
    /// h_c = 1 - (pi - 1) S*^2 / ((k + pi - 1) |a*|^2 - S*^2)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.51).
    ///
    /// - Accuracy (measured): absolute error at most `16 EPSILON (1 + ratio)`.
    pub fn saddle_h(&self) -> f64 {
        let ratio = self.ratio();
        1.0 - (PI - 1.0) * ratio / (self.k() + PI - 1.0 - ratio)
    }

    /// `[alpha, S_a]` of the output weights that are best for an angle whose `h(phi)` is `h`.
    ///
    /// ```text
    /// S_eq     = s (k - 1 + h) S* / (k + pi - 1)
    /// alpha_eq = s (h - 1) B / (pi - 1) + S* S_eq / k,     B = |a*|^2 - S*^2 / k
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.49).
    ///
    /// - Domain: any finite `h`; `h(phi)` lies between 0 and `pi`.
    /// - Accuracy (measured, against the field there): `8 EPSILON` times the sum of the absolute terms.
    pub fn best_output(&self, h: f64) -> [f64; 2] {
        let (s, k, sum) = (self.filter_norm(), self.k(), self.output_sum());
        let best_sum = s * (k - 1.0 + h) * sum / (k + PI - 1.0);
        [s * (h - 1.0) * self.centred_square() / (PI - 1.0) + sum * best_sum / k, best_sum]
    }

    /// The smallest loss over all output weights at an angle `phi` to the teacher's filter.
    ///
    /// ```text
    /// min_a J = (s^2/4pi) (pi - h) [ S*^2/k (2k - 2 + pi + h) / (k + pi - 1) + B (pi - 2 + h) / (pi - 1) ],  h = h(phi)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.50). It rises up to the saddle's angle and falls beyond it.
    ///
    /// - Units: squared output; `phi` in radians.
    /// - Domain: `0 <= phi <= pi`.
    /// - Accuracy (measured, against the loss at the best output): relative error at most `16 EPSILON`.
    ///
    /// # Errors
    ///
    /// [`CnnError::Angle`].
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::ReducedCnn::try_new(1, 1.0, 1.0, 1.0)?;
    /// assert_eq!(problem.lowest_loss(0.0)?, 0.0);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn lowest_loss(&self, phi: f64) -> Result<f64, CnnError> {
        if !(0.0..=PI).contains(&phi) {
            return Err(CnnError::Angle { value: phi });
        }
        let angle = Angle { theta: phi, psi: PI - phi };
        Ok(self.lowest_loss_at(h_of(angle), angular_gap(angle)))
    }

    /// (W.50) from `h` and `pi - h`.
    pub(crate) fn lowest_loss_at(&self, h: f64, gap: f64) -> f64 {
        let (s, k, sum) = (self.filter_norm(), self.k(), self.output_sum());
        let mean = sum * sum / k * (2.0 * k - 2.0 + PI + h) / (k + PI - 1.0);
        let centred = self.centred_square() * (PI - 2.0 + h) / (PI - 1.0);
        s * s * gap * (mean + centred) / (2.0 * TAU)
    }

    /// The spurious point as a state, with a filter of the given length: `phi = pi`, the best `a` there.
    ///
    /// ```text
    /// alpha = (s / (pi - 1)) (pi S*^2 / (k + pi - 1) - |a*|^2),   S_a = s (k - 1) S* / (k + pi - 1)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.52). A local minimum exactly where `alpha < 0`.
    ///
    /// - Accuracy (measured, against 25 digits): `8 EPSILON s (|a*|^2 + S*^2)`.
    pub fn spurious_state(&self, norm: f64) -> CnnState {
        let (s, sum) = (self.filter_norm(), self.output_sum());
        let k_pi = self.k() + PI - 1.0;
        CnnState {
            x: -norm,
            y: 0.0,
            overlap: s * (PI * (sum * sum / k_pi) - self.output_square()) / (PI - 1.0),
            sum: s * (self.k() - 1.0) * sum / k_pi,
            rest: 0.0,
        }
    }

    /// The angle of the saddle between the two basins, where `h(phi) = h_c`; none from the threshold on.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.51).
    ///
    /// - Units: radians.
    /// - Accuracy: `h(phi) - h_c` is bracketed to neighbouring doubles.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::ReducedCnn::try_new(25, 1.0, 0.0, 1.0)?;
    /// let phi = problem.saddle_angle().expect("below the threshold");
    /// assert!((phi - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn saddle_angle(&self) -> Option<f64> {
        let target = self.saddle_h();
        if target <= 0.0 {
            return None;
        }
        // h falls from pi at 0 to 0 at pi.
        let (mut low, mut high) = (0.0, PI);
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return Some(low);
            }
            if angular_h(middle) >= target { low = middle } else { high = middle }
        }
    }

    /// The saddle between the two basins as a state, with a filter of the given length; none from the threshold on.
    ///
    /// ```text
    /// h(phi) = h_c,   alpha = 0,   S_a = S_eq(h_c)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.51).
    ///
    /// - Accuracy (measured): the field there is at most `16 EPSILON (1 + k) s (|a*|^2 + |S*|)`.
    pub fn saddle_state(&self, norm: f64) -> Option<CnnState> {
        let phi = self.saddle_angle()?;
        let [_, sum] = self.best_output(self.saddle_h());
        Some(CnnState::at_angle(norm, phi, 0.0, sum))
    }

    /// The loss at the saddle, the lowest pass between the basins; none from the threshold on.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.50), (W.51).
    ///
    /// - Accuracy (measured, against the loss of the state): relative error at most `16 EPSILON`.
    pub fn saddle_loss(&self) -> Option<f64> {
        let h = self.saddle_h();
        (h > 0.0).then(|| self.lowest_loss_at(h, PI - h))
    }
}
