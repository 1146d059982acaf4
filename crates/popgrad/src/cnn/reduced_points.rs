//! The landscape of one angle, the loss at the best output weights, and the critical points on it.
//!
//! Around the best output weights the loss is a fixed quadratic form (W.21), so the critical points are those of this valley,
//! whose floor is a concave quadratic in `h(phi)` (W.22).
//!
//! Derivation: docs/theory/cnn.md, section 4, and docs/theory/cnn_dynamics.md, (W.49)-(W.52). Angles are in radians.

use super::geometry::angular_gap;
use super::{CnnState, ReducedCnn};
use crate::angle::Angle;
use crate::arc_cosine::{angular_c1, h_of};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// The angle of the spurious point.
pub(super) const OPPOSITE: Angle = Angle { theta: PI, psi: 0.0 };

impl ReducedCnn {
    /// The ratio `S*^2 / |a*|^2` below which, and only below which, the spurious point is a local minimum (for patches of
    /// dimension two or more).
    ///
    /// ```text
    /// 1 + (k - 1) / pi
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.26).
    ///
    /// - Accuracy (measured, against 50 digits): relative error at most `2 EPSILON`.
    pub fn threshold(&self) -> f64 {
        1.0 + (self.k() - 1.0) / PI
    }

    /// `D = |a*|^2 - S*^2/(k+pi-1) > 0`: the best `alpha` rises with `h` at the rate `s D / (pi - 1)` (W.51).
    fn valley_slope(&self) -> f64 {
        self.output_square() - self.output_sum() * self.output_sum() / self.width()
    }

    /// `|a*|^2 - pi S*^2/(k+pi-1) = D h_c`: minus `(pi - 1)/s` times the best `alpha` at `h = 0`. One patch stands at the threshold.
    fn valley_depth(&self) -> f64 {
        if self.patches() == 1 {
            return 0.0;
        }
        self.output_square() - PI * (self.output_sum() * self.output_sum()) / self.width()
    }

    /// `h_c`, the value of `h` at the saddle; not positive from the threshold on.
    ///
    /// ```text
    /// h_c = 1 - (pi - 1) S*^2 / ((k + pi - 1) |a*|^2 - S*^2)
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.27).
    ///
    /// - Accuracy (measured): absolute error at most `4 EPSILON` where it is positive, `8 EPSILON (1 + ratio)` elsewhere; zero for
    ///   one patch.
    pub fn saddle_h(&self) -> f64 {
        self.valley_depth() / self.valley_slope()
    }

    /// `[alpha, S_a]` of the output weights that are best for an angle.
    ///
    /// ```text
    /// alpha = s D (h - h_c) / (pi - 1),   S_a = s (k - 1 + h) S* / (k + pi - 1),   h = h(phi)
    /// D     = |a*|^2 - S*^2 / (k + pi - 1)
    /// ```
    ///
    /// The sign of `alpha` says which way the valley falls: towards `phi = 0` where it is positive.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.49), (W.51).
    ///
    /// - Domain: `angle.theta` in `[0, pi]`, with its supplement.
    /// - Accuracy (measured, against 50 digits and against the whole output weights): `8 EPSILON s |a*|^2` and `8 EPSILON s |S*|`.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::ReducedCnn::try_new(3, 1.0, 1.0, 1.0)?;
    /// let same = popgrad::Angle { theta: 0.0, psi: std::f64::consts::PI };
    /// let [overlap, sum] = problem.valley_output(same); // the teacher's
    /// assert!((overlap - 1.0).abs() < 1e-15 && (sum - 1.0).abs() < 1e-15);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn valley_output(&self, angle: Angle) -> [f64; 2] {
        let (s, width) = (self.filter_norm(), self.width());
        let overlap = s * (self.valley_slope() * h_of(angle) - self.valley_depth()) / (PI - 1.0);
        [overlap, s * self.output_sum() * ((width - angular_gap(angle)) / width)]
    }

    /// The least loss over all output weights at an angle to the teacher's filter.
    ///
    /// ```text
    /// j(phi) = (s^2/4pi) ((pi-h)/(pi-1)) [(pi-2+h) |a*|^2 + (pi-h) S*^2/(k+pi-1)],   h = h(phi)
    /// ```
    ///
    /// It rises from zero at `phi = 0` to its largest value at the saddle and falls to that of the spurious point at `phi = pi`;
    /// without a saddle it rises throughout.
    ///
    /// Source: docs/theory/cnn.md, (W.22).
    ///
    /// - Units: squared output.
    /// - Domain: `angle.theta` in `[0, pi]`, with its supplement.
    /// - Accuracy (measured, against the loss at the best output weights): relative `12 EPSILON`.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::ReducedCnn::try_new(1, 1.0, 1.0, 1.0)?;
    /// let same = popgrad::Angle { theta: 0.0, psi: std::f64::consts::PI };
    /// assert_eq!(problem.valley_loss(same), 0.0);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn valley_loss(&self, angle: Angle) -> f64 {
        self.valley_loss_at(angular_gap(angle))
    }

    /// (W.22) from `pi - h`.
    fn valley_loss_at(&self, gap: f64) -> f64 {
        let (s, sum) = (self.filter_norm(), self.output_sum());
        let bracket = (2.0 * (PI - 1.0) - gap) * self.output_square() + gap * (sum * sum / self.width());
        s * s * gap * bracket / ((PI - 1.0) * (2.0 * TAU))
    }

    /// The spurious point as a state, with a filter of the given length: `phi = pi`, the best output weights there.
    ///
    /// ```text
    /// alpha = (s / (pi - 1)) (pi S*^2 / (k + pi - 1) - |a*|^2),   S_a = s (k - 1) S* / (k + pi - 1)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.52). A local minimum exactly where `alpha < 0`.
    ///
    /// - Accuracy (measured, against 50 digits): that of [`ReducedCnn::valley_output`].
    pub fn spurious_state(&self, norm: f64) -> CnnState {
        let [overlap, sum] = self.valley_output(OPPOSITE);
        CnnState { x: -norm, y: 0.0, overlap, sum, rest: 0.0 }
    }

    /// The angle of the saddle between the two basins, where `h(phi) = h_c`, with its supplement; none from the threshold on.
    ///
    /// Source: docs/theory/cnn.md, (W.27). The root is sought in `psi = pi - phi`, from `c1(psi) = h_c`, `0 < psi <= pi/2`.
    ///
    /// - Units: radians.
    /// - Accuracy (measured, against 50 digits): `3 EPSILON psi` plus what the rounding of `h_c`, `3 EPSILON`, moves it:
    ///   `3 EPSILON / (psi sin(psi))`.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::ReducedCnn::try_new(25, 1.0, 0.0, 1.0)?;
    /// let angle = problem.saddle_angle().expect("below the threshold");
    /// assert!((angle.theta - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn saddle_angle(&self) -> Option<Angle> {
        let level = self.saddle_h();
        if level <= 0.0 {
            return None;
        }
        let psi = supplement_of_level(level);
        Some(Angle { theta: PI - psi, psi })
    }

    /// The saddle between the two basins as a state, with a filter of the given length; none from the threshold on.
    ///
    /// ```text
    /// h(phi) = h_c,   alpha = 0,   S_a = s (k - 1 + h_c) S* / (k + pi - 1)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.51).
    ///
    /// - Accuracy (measured): the field there is at most `16 EPSILON (1 + k) s (|a*|^2 + |S*|)`.
    pub fn saddle_state(&self, norm: f64) -> Option<CnnState> {
        let angle = self.saddle_angle()?;
        let [_, sum] = self.valley_output(angle);
        // From the supplement, which has more digits near pi.
        let (sine, cosine) = libm::sincos(angle.psi);
        Some(CnnState { x: -norm * cosine, y: norm * sine, overlap: 0.0, sum, rest: 0.0 })
    }

    /// The loss at the saddle, the lowest pass between the basins; none from the threshold on.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.51). The valley is level there, so that `h_c` alone is needed, not its angle.
    ///
    /// - Accuracy (measured, against the loss of the state): relative error at most `16 EPSILON`.
    pub fn saddle_loss(&self) -> Option<f64> {
        let h = self.saddle_h();
        (h > 0.0).then(|| self.valley_loss_at(PI - h))
    }
}

/// The `psi` in `(0, pi/2]` with `c1(psi) = level`, for `0 < level <= 1`: Newton's method inside a bracket, until the bracket or
/// the step is down to rounding.
fn supplement_of_level(level: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, FRAC_PI_2);
    if level >= 1.0 {
        return FRAC_PI_2;
    }
    // c1(t) <= t^3/3, so the root is not below this.
    let mut psi = libm::cbrt(3.0 * level).min(FRAC_PI_2);
    loop {
        let excess = angular_c1(psi) - level;
        if excess < 0.0 {
            low = psi;
        } else {
            high = psi;
        }
        let newton = psi - excess / (psi * libm::sin(psi));
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if next == psi || next <= low || next >= high || (next - psi).abs() <= 0.5 * f64::EPSILON * psi {
            return next;
        }
        psi = next;
    }
}
