//! The critical points: the global minimum, the spurious point and the saddle between them.
//!
//! For every direction of the filter one output `a(phi)` is best, and around it the loss is a fixed quadratic form (W.21), so the critical
//! points are those of a loss of one angle that is a concave quadratic in `h(phi)` (W.22).

use super::geometry::angular_gap;
use super::{Cnn, CnnForm};
use crate::Angle;
use crate::arc_cosine::angular_c1;
use crate::vector::norm;
use std::f64::consts::{FRAC_PI_2, PI};

/// Which critical point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CnnPointKind {
    /// `phi = 0`, `J = 0`.
    Global,
    /// `phi = pi`, `J > 0`: a local minimum or not, see [`Cnn::spurious_is_minimum`].
    Spurious,
    /// `0 < phi < pi`, `alpha = 0`, of index one.
    Saddle,
}

/// A critical point of a convolutional problem, one of its orbit under the length of the filter (and, for the saddle, under
/// rotations about `w*`).
#[derive(Clone, Debug, PartialEq)]
pub struct CnnPoint {
    /// Which one.
    pub kind: CnnPointKind,
    /// Angle between its filter and the teacher's.
    pub angle: Angle,
    /// Its filter, of length `s = |w*|`.
    pub filter: Vec<f64>,
    /// Its output weights.
    pub output: Vec<f64>,
    /// `a.a*` of the unit filter's output weights.
    pub alpha: f64,
    /// Its loss.
    pub loss: f64,
    /// Number of negative eigenvalues of the Hessian.
    pub index: usize,
    /// Number of eigenvalues that are zero.
    pub nullity: usize,
    /// Whether it is a local minimum; for the spurious point the Hessian does not tell.
    pub local_minimum: bool,
}

impl Cnn {
    /// `|a*|^2 - S*^2/k`, the squared length of the part of `a*` orthogonal to ones, summed without cancellation.
    fn output_spread(&self) -> f64 {
        let mean = self.output_sum() / self.patches() as f64;
        self.output().iter().map(|a| (a - mean) * (a - mean)).sum()
    }

    /// The best output weights for a unit filter at the angle `phi` from `w*`.
    ///
    /// ```text
    /// a(phi) = (s/(pi-1)) [(h-1) a* + (S* (pi-h)/(k+pi-1)) 1] = s a* + (s (pi-h)/(pi-1)) [(S*/(k+pi-1)) 1 - a*],   h = h(phi)
    /// J(v, a) = j(phi) + (1/4pi) [(1.c)^2 + (pi-1) |c|^2],   c = a - a(phi)
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.20), (W.21).
    ///
    /// - Domain: `angle.theta` in `[0, pi]`, with its supplement.
    /// - Accuracy (measured): each entry `4 EPSILON s (|a*_j| + |S*|/(k+pi-1))`.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::Cnn::with_ratio(3, 2, 1.0)?;
    /// let opposite = popgrad::Angle { theta: std::f64::consts::PI, psi: 0.0 };
    /// assert_eq!(problem.valley_output(opposite), problem.spurious_point().output);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn valley_output(&self, angle: Angle) -> Vec<f64> {
        let gap = angular_gap(angle);
        let mean = self.output_sum() / (self.patches() as f64 + (PI - 1.0));
        let factor = self.filter_norm() * gap / (PI - 1.0);
        let (s, star) = (self.filter_norm(), self.output());
        star.iter().map(|a| factor.mul_add(mean - a, s * a)).collect()
    }

    /// The least loss over all output weights at the angle `phi`.
    ///
    /// ```text
    /// j(phi) = (s^2/4pi) (pi-h) [(S*^2/k) (2k+pi-2+h)/(k+pi-1) + (|a*|^2 - S*^2/k) (pi-2+h)/(pi-1)],   h = h(phi)
    /// ```
    ///
    /// It rises from zero at `phi = 0` to its largest value at the saddle and falls to that of the spurious point at `phi = pi`;
    /// without a saddle it rises throughout.
    ///
    /// Source: docs/theory/cnn.md, (W.22).
    ///
    /// - Domain: `angle.theta` in `[0, pi]`, with its supplement.
    /// - Accuracy (measured, against the loss at the best output weights): relative `12 EPSILON`.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::Cnn::with_ratio(3, 2, 1.0)?;
    /// let same = popgrad::Angle { theta: 0.0, psi: std::f64::consts::PI };
    /// assert_eq!(problem.valley_loss(same), 0.0);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn valley_loss(&self, angle: Angle) -> f64 {
        let (k, s) = (self.patches() as f64, self.filter_norm());
        let gap = angular_gap(angle);
        let mean_part = self.output_sum() * self.output_sum() / k;
        let with_mean = mean_part * (2.0 * (k - 1.0 + PI) - gap) / (k + (PI - 1.0));
        let without = self.output_spread() * (2.0 * (PI - 1.0) - gap) / (PI - 1.0);
        s * s * gap * (with_mean + without) / (4.0 * PI)
    }

    /// `a(phi).a*`, whose sign says which way the valley falls: towards `phi = 0` where it is positive.
    ///
    /// ```text
    /// alpha(phi) = (s/(pi-1)) [(h-1) |a*|^2 + (pi-h) S*^2/(k+pi-1)],   dj/dphi = (s/2pi) alpha(phi) (pi-phi) sin(phi)
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.23).
    ///
    /// - Domain: `angle.theta` in `[0, pi]`, with its supplement.
    /// - Accuracy (measured): `8 EPSILON s |a*|^2`.
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::Cnn::with_ratio(3, 2, 1.0)?;
    /// let same = popgrad::Angle { theta: 0.0, psi: std::f64::consts::PI };
    /// assert!((problem.valley_alpha(same) - 1.0).abs() < 1e-15); // s |a*|^2 at the teacher
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn valley_alpha(&self, angle: Angle) -> f64 {
        let gap = angular_gap(angle);
        let share = self.output_sum() * self.output_sum() / (self.patches() as f64 + (PI - 1.0));
        let square = self.output_square();
        self.filter_norm() * (square - gap * (square - share) / (PI - 1.0))
    }

    /// Whether the spurious critical point is a local minimum: exactly where `(1.a*)^2/|a*|^2 < 1 + (k-1)/pi`, or always
    /// for patches of dimension one, whose filter cannot turn.
    ///
    /// Source: docs/theory/cnn.md, (W.26).
    ///
    /// - Accuracy: decided in double precision, so within a few `EPSILON` of the threshold either answer may come;
    ///   `popgrad-proof` decides with intervals and says where it cannot.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::Cnn;
    /// assert!(Cnn::with_ratio(25, 6, 8.6)?.spurious_is_minimum());
    /// assert!(!Cnn::with_ratio(25, 6, 8.7)?.spurious_is_minimum());
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn spurious_is_minimum(&self) -> bool {
        self.patch_dimension() == 1 || self.saddle_level() > 0.0
    }

    /// `h(phi_c)` of the saddle; not positive where there is none (W.27).
    fn saddle_level(&self) -> f64 {
        let width = self.patches() as f64 + (PI - 1.0);
        let (square, sum) = (self.output_square(), self.output_sum());
        let sum_square = sum * sum;
        (width * square - PI * sum_square) / (width * square - sum_square)
    }

    /// Output weights of the student for those of the unit filter, at a filter of length `s`.
    fn at_length(&self, output: Vec<f64>) -> Vec<f64> {
        match self.form() {
            CnnForm::Normalised => output,
            CnnForm::Plain => output.into_iter().map(|a| a / self.filter_norm()).collect(),
        }
    }

    /// The global minimum: the teacher itself, and all positive multiples of its filter.
    ///
    /// ```text
    /// phi = 0,   a = s a*,   J = 0
    /// Hessian (normalised, |v| = n): 0 along v, s^2|a*|^2/(2n^2) (p-1 times), (pi-1)/2pi (k-1 times), (k+pi-1)/2pi
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.24), (W.28).
    ///
    /// - Accuracy: each entry of the output relative `EPSILON`.
    ///
    /// # Examples
    ///
    /// ```
    /// let point = popgrad::Cnn::with_ratio(3, 2, 1.0)?.global_minimum();
    /// assert_eq!((point.loss, point.index, point.nullity), (0.0, 0, 1));
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn global_minimum(&self) -> CnnPoint {
        let s = self.filter_norm();
        CnnPoint {
            kind: CnnPointKind::Global,
            angle: Angle { theta: 0.0, psi: PI },
            filter: self.filter().to_vec(),
            output: self.at_length(self.output().iter().map(|a| s * a).collect()),
            alpha: s * self.output_square(),
            loss: 0.0,
            index: 0,
            nullity: 1,
            local_minimum: true,
        }
    }

    /// The spurious critical point, opposite to the teacher.
    ///
    /// ```text
    /// phi = pi,   a = (s/(pi-1)) [(pi S*/(k+pi-1)) 1 - a*]
    /// J = (s^2/4) [((2k-2+pi)/(k+pi-1)) S*^2/k + ((pi-2)/(pi-1)) (|a*|^2 - S*^2/k)] > 0
    /// Hessian: 0 (p times), (pi-1)/2pi (k-1 times), (k+pi-1)/2pi;   J - J_spurious = -(s alpha/6pi) (pi-phi)^3 + ... in the valley
    /// ```
    ///
    /// Source: Du et al. (2018), section 4 (the point); docs/theory/cnn.md, (W.25), (W.26), (W.29), (W.31).
    ///
    /// - Accuracy (measured, against 25 digits): each entry of `output` `3 EPSILON s (|a*_j| + |S*|/(k+pi-1))`, `loss` relative
    ///   `6 EPSILON`, `alpha` `4 EPSILON s |a*|^2`.
    ///
    /// # Examples
    ///
    /// ```
    /// let point = popgrad::Cnn::with_ratio(25, 6, 4.0)?.spurious_point();
    /// assert!(point.local_minimum && point.loss > 0.0 && point.nullity == 6);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn spurious_point(&self) -> CnnPoint {
        let angle = Angle { theta: PI, psi: 0.0 };
        CnnPoint {
            kind: CnnPointKind::Spurious,
            angle,
            filter: self.filter().iter().map(|x| -x).collect(),
            output: self.at_length(self.valley_output(angle)),
            alpha: self.valley_alpha(angle),
            loss: self.valley_loss(angle),
            index: 0,
            nullity: self.patch_dimension(),
            local_minimum: self.spurious_is_minimum(),
        }
    }

    /// The saddle between the two basins, where the spurious point is a local minimum and the filter can turn; none otherwise.
    ///
    /// ```text
    /// h(phi_c) = 1 - (pi-1) S*^2 / ((k+pi-1) |a*|^2 - S*^2),   a = a(phi_c),   alpha = 0
    /// ```
    ///
    /// The Hessian has index one and nullity `p - 1`: the length of the filter and its rotations about `w*`.
    ///
    /// Source: docs/theory/cnn.md, (W.27), (W.30). The root is bracketed by `pi/2 <= phi_c < pi`, where `h` falls strictly.
    ///
    /// - Accuracy (measured, against 25 digits): `phi_c` `3 EPSILON psi` plus what the rounding of `h(phi_c)`,
    ///   `3 EPSILON`, moves it: `3 EPSILON / (psi sin(psi))`, with `psi = pi - phi_c`.
    ///
    /// # Examples
    ///
    /// ```
    /// let saddle = popgrad::Cnn::with_ratio(4, 3, 0.0)?.saddle().unwrap();
    /// assert!((saddle.angle.theta - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
    /// assert!(popgrad::Cnn::with_ratio(4, 3, 2.0)?.saddle().is_none());
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn saddle(&self) -> Option<CnnPoint> {
        let level = self.saddle_level();
        if self.patch_dimension() == 1 || level <= 0.0 {
            return None;
        }
        let psi = supplement_of_level(level);
        let angle = Angle { theta: PI - psi, psi };
        Some(CnnPoint {
            kind: CnnPointKind::Saddle,
            angle,
            filter: self.filter_at(angle),
            output: self.at_length(self.valley_output(angle)),
            alpha: 0.0,
            loss: self.valley_loss(angle),
            index: 1,
            nullity: self.patch_dimension() - 1,
            local_minimum: false,
        })
    }

    /// A filter of length `s` at this angle from `w*`, turned towards the axis on which `w*` has its smallest entry.
    fn filter_at(&self, angle: Angle) -> Vec<f64> {
        let (w, s) = (self.filter(), self.filter_norm());
        let least = (0..w.len()).fold(0, |best, i| if w[i].abs() < w[best].abs() { i } else { best });
        let axis: Vec<f64> = w.iter().map(|x| x / s).collect();
        let mut across: Vec<f64> = axis.iter().map(|x| -axis[least] * x).collect();
        across[least] += 1.0;
        let length = norm(&across);
        let (sine, cosine) = (libm::sin(angle.psi), -libm::cos(angle.psi));
        axis.iter().zip(&across).map(|(u, x)| s * (cosine * u + sine * x / length)).collect()
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
