//! The critical points of the whole network: the global minimum, the spurious point and the saddle between them.
//!
//! Their angles, losses and `a.a*` depend on the teacher's scalars only and are those of [`crate::ReducedCnn`]; here are their filters,
//! output weights and Hessians' indices.

use super::geometry::angular_gap;
use super::reduced_points::OPPOSITE;
use super::{Cnn, CnnForm};
use crate::Angle;
use crate::vector::norm;
use std::f64::consts::PI;

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
        let mean = self.output_sum() / self.reduced().width();
        let factor = self.filter_norm() * gap / (PI - 1.0);
        let (s, star) = (self.filter_norm(), self.output());
        star.iter().map(|a| factor.mul_add(mean - a, s * a)).collect()
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
        self.patch_dimension() == 1 || self.reduced().saddle_h() > 0.0
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
    /// J = (s^2/(4 (pi-1))) [(pi-2) |a*|^2 + pi S*^2/(k+pi-1)] > 0
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
        CnnPoint {
            kind: CnnPointKind::Spurious,
            angle: OPPOSITE,
            filter: self.filter().iter().map(|x| -x).collect(),
            output: self.at_length(self.valley_output(OPPOSITE)),
            alpha: self.reduced().spurious_state(1.0).overlap,
            loss: self.reduced().valley_loss(OPPOSITE),
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
    /// Source: docs/theory/cnn.md, (W.27), (W.30).
    ///
    /// - Accuracy: angle and loss those of [`crate::ReducedCnn::saddle_angle`] and [`crate::ReducedCnn::valley_loss`].
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
        if self.patch_dimension() == 1 {
            return None;
        }
        let angle = self.reduced().saddle_angle()?;
        Some(CnnPoint {
            kind: CnnPointKind::Saddle,
            angle,
            filter: self.filter_at(angle),
            output: self.at_length(self.valley_output(angle)),
            alpha: 0.0,
            loss: self.reduced().valley_loss(angle),
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
