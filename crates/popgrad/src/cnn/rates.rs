//! Rates of the closed dynamics near its critical points, and the steps that gradient descent takes without losing them.
//!
//! Derivation: docs/theory/cnn_dynamics.md, equations (W.53)-(W.58) and (W.73)-(W.75). Rates are per unit of
//! per-sample flow time.

use super::state::check_step;
use super::{CnnError, CnnState, ReducedCnn};
use crate::angular_c1;
use std::f64::consts::{PI, TAU};

/// Rates at which deviations from the teacher decay under the gradient flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CnnRates {
    /// Of the angle, `s^2 |a*|^2 / (2 |v|^2)`.
    pub angle: f64,
    /// Of the output weights orthogonal to `1`, `(pi - 1) / 2pi`.
    pub output: f64,
    /// Of the sum of the output weights, `(k + pi - 1) / 2pi`.
    pub sum: f64,
}

impl ReducedCnn {
    /// Rates of the flow next to the teacher, for a filter of length `norm`.
    ///
    /// ```text
    /// angle: s^2 |a*|^2 / (2 |v|^2),   output: (pi - 1)/2pi,   sum: (k + pi - 1)/2pi
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.53). Gradient descent multiplies a deviation by `1 - eta rate` a step.
    ///
    /// - Units: per unit of per-sample flow time.
    /// - Accuracy (measured): relative error at most `4 EPSILON`.
    pub fn rates(&self, norm: f64) -> CnnRates {
        let turn = self.filter_norm() / norm;
        CnnRates {
            angle: 0.5 * turn * turn * self.output_square(),
            output: (PI - 1.0) / TAU,
            sum: self.width() / TAU,
        }
    }

    /// The rates that runs from a state show: not that of the output weights orthogonal to `1` where neither teacher nor
    /// student has any, nor that of the sum where it is zero for both.
    pub(crate) fn rates_present(&self, state: &CnnState) -> Vec<f64> {
        let rates = self.rates(state.filter_norm());
        let mut present = vec![rates.angle];
        if self.centred_square() > 0.0 || state.rest != 0.0 {
            present.push(rates.output);
        }
        if self.output_sum() != 0.0 || state.sum != 0.0 {
            present.push(rates.sum);
        }
        present
    }

    /// Rate at which the loss decays in the end, `-d log J / dt`, along the flow from a state towards the teacher.
    ///
    /// ```text
    /// 2 min(rates that are present)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.54).
    ///
    /// - Units: per unit of per-sample flow time.
    /// - Accuracy (measured): relative error at most `4 EPSILON`.
    pub fn final_loss_rate(&self, state: &CnnState) -> f64 {
        2.0 * self.rates_present(state).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The same for gradient descent with a step `eta`, per unit of time `eta n`; negative where it diverges.
    ///
    /// ```text
    /// -(2/eta) log max |1 - eta rate|
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.55). The rates are those at the length of the filter in `state`, which
    /// descent makes longer.
    ///
    /// - Units: per unit of per-sample time.
    /// - Accuracy (measured): relative error at most `8 EPSILON / |1 - eta rate|`.
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::NotPositive`].
    pub fn final_descent_rate(&self, state: &CnnState, step: f64) -> Result<f64, CnnError> {
        check_step(step)?;
        let log = |rate: f64| {
            let product = step * rate;
            if product < 1.0 { libm::log1p(-product) } else { libm::log(product - 1.0) }
        };
        let slowest = self.rates_present(state).into_iter().map(log).fold(f64::NEG_INFINITY, f64::max);
        Ok(-2.0 * slowest / step)
    }

    /// The largest steps of gradient descent at which the teacher is stable: of the output weights, and of the angle
    /// for a filter of length `norm`.
    ///
    /// ```text
    /// [4 pi / (k + pi - 1),   4 |v|^2 / (s^2 |a*|^2)]
    /// ```
    ///
    /// Beyond the first the sum of the output weights grows without bound, by the factor `eta (k + pi - 1)/2pi - 1` a
    /// step. Beyond the second nothing diverges: the filter overshoots, grows by it, and so lowers the rate of the angle
    /// until the step is below the bound.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.56)-(W.58).
    ///
    /// - Units: a step per sample.
    /// - Accuracy (measured): relative error at most `4 EPSILON`.
    pub fn step_limits(&self, norm: f64) -> [f64; 2] {
        let rates = self.rates(norm);
        [2.0 / rates.sum, 2.0 / rates.angle]
    }

    /// Rate at which the flow leaves the saddle, for a filter of length `norm`; none from the threshold on.
    ///
    /// ```text
    /// r = (s q / 2 pi |v|)^2 [ (S*^2/k) / (r + (k + pi - 1)/2pi) + B / (r + (pi - 1)/2pi) ],   r > 0
    /// q = (pi - phi_c) sin(phi_c)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.73). The right side falls in `r`, so the root is one.
    ///
    /// - Units: per unit of per-sample flow time.
    /// - Accuracy (measured, against the growth along a flow): bracketed to neighbouring doubles, and the rounding of `phi_c`.
    ///
    /// # Examples
    ///
    /// ```
    /// // S* = 0 and |v| = 1: r (r + (pi - 1)/2pi) = 1/16
    /// let r = popgrad::ReducedCnn::try_new(9, 1.0, 0.0, 1.0)?.saddle_rate(1.0).expect("below the threshold");
    /// assert!((r * (r + 0.5 - 0.5 / std::f64::consts::PI) - 1.0 / 16.0).abs() < 1e-15);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn saddle_rate(&self, norm: f64) -> Option<f64> {
        let psi = self.saddle_angle()?.psi;
        let pull = self.filter_norm() * psi * libm::sin(psi) / (TAU * norm);
        let mean = self.output_sum() * self.output_sum() / self.k();
        let (centred, rates) = (self.centred_square(), self.rates(norm));
        let right = |r: f64| pull * pull * (mean / (r + rates.sum) + centred / (r + rates.output));
        let (mut low, mut high) = (0.0, right(0.0));
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return Some(high);
            }
            if right(middle) > middle { low = middle } else { high = middle }
        }
    }

    /// The limit of `(pi - phi) t` for flows that end at the spurious point, for a filter of length `norm`.
    ///
    /// ```text
    /// (pi - phi) t -> 2 pi |v|^2 / (s |alpha|),   alpha that of the spurious point
    /// ```
    ///
    /// The approach is algebraic: `pi - phi` falls like `1/t`, the excess of the loss like `1/t^3`. From the threshold on,
    /// where the point attracts no open set, there is no limit.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.75).
    ///
    /// - Units: radians times per-sample flow time.
    /// - Accuracy (measured): relative error at most `8 EPSILON` over the distance from the threshold.
    ///
    /// # Examples
    ///
    /// ```
    /// // S* = 0: alpha = -1/(pi - 1)
    /// let limit = popgrad::ReducedCnn::try_new(4, 1.0, 0.0, 1.0)?.approach_to_spurious(1.0).expect("a minimum");
    /// let pi = std::f64::consts::PI;
    /// assert!((limit - 2.0 * pi * (pi - 1.0)).abs() < 1e-14);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn approach_to_spurious(&self, norm: f64) -> Option<f64> {
        let overlap = self.spurious_state(norm).overlap;
        (self.saddle_h() > 0.0 && overlap < 0.0).then(|| TAU * norm * norm / (self.filter_norm() * -overlap))
    }

    /// The excess of the loss over the spurious point's, with the output weights of that point and a filter turned away from
    /// it by `psi = pi - phi`.
    ///
    /// ```text
    /// J - J(spurious) = -(s alpha / 2 pi) c1(psi) ~ -s alpha psi^3 / (6 pi),   alpha that of the spurious point
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.74). Negative from the threshold on.
    ///
    /// - Domain: `0 <= psi <= pi`, in radians.
    /// - Accuracy (measured, against the difference of two losses): `16 EPSILON` times the loss of the spurious point.
    pub fn excess_near_spurious(&self, psi: f64) -> f64 {
        -self.filter_norm() * self.spurious_state(1.0).overlap * angular_c1(psi) / TAU
    }
}
