//! The proofs: signs of a few numbers, and the root of a monotone function.

use super::teacher::CnnTeacher;
use super::{CnnReport, GlobalProof, SaddleProof, SpuriousProof};
use crate::{Interval, PointStatus};

/// Doublings of the radius in which the root of the saddle is sought, from one step of its guess up to some 1e-4.
const DOUBLINGS: u32 = 40;

impl CnnTeacher {
    /// Certifies the critical points.
    ///
    /// ```text
    /// global:    s^2 |a*|^2 > 0                                          => positive definite modulo |v|
    /// spurious:  pi S*^2 - (k+pi-1) |a*|^2  < 0: local minimum,  >= 0: none        (p >= 2; p = 1: local minimum)
    /// saddle:    0 < h_c <= 1 and one root of c1(psi) = h_c in (0, pi/2]   => index one, nullity p - 1
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.33)-(W.39), which also proves that there are no other critical points.
    ///
    /// - Accuracy: enclosures; every exact value lies in its interval.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad_proof::{CnnTeacher, PointStatus};
    /// // Above the threshold 1 + 3/pi = 1.95 the spurious point is no minimum and there is no saddle.
    /// let report = CnnTeacher::of(&popgrad::Cnn::with_ratio(4, 3, 2.0)?)?.certify();
    /// assert_eq!((report.spurious.minimum, report.saddle.exists), (PointStatus::Refuted, PointStatus::Refuted));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn certify(&self) -> CnnReport {
        CnnReport {
            ratio: self.ratio(),
            threshold: self.threshold(),
            global: self.global(),
            spurious: self.spurious(),
            saddle: self.saddle(),
        }
    }

    /// `|a*|^2 - S*^2/(k+pi-1) = R + S*^2 (pi-1) / (k (k+pi-1))`, which is positive (W.34).
    fn slope(&self) -> Interval {
        let k = Interval::point(self.patches as f64);
        let mean = self.sum_square * (Interval::PI - 1.0) / (k * self.width());
        let other = self.square - self.sum_square / self.width();
        (self.spread + mean).intersection(other)
    }

    /// `(pi-1) alpha(pi) / s = pi S*^2/(k+pi-1) - |a*|^2`, whose sign decides (W.33); zero for one patch.
    fn decisive(&self) -> Interval {
        if self.patches == 1 {
            return Interval::ZERO;
        }
        Interval::PI * self.sum_square / self.width() - self.square
    }

    /// The smallest eigenvalue of `C / 2 pi`.
    fn output_eigenvalue(&self) -> Interval {
        if self.patches == 1 { Interval::point(0.5) } else { (Interval::PI - 1.0) / (Interval::PI * 2.0) }
    }

    /// The floor of the valley at a value of `h`, (W.22).
    fn valley(&self, h: Interval) -> Interval {
        let gap = Interval::PI - h;
        let bracket = (Interval::PI - 2.0 + h) * self.square + gap * self.sum_square / self.width();
        self.s.square() * gap * bracket / (Interval::PI * (Interval::PI - 1.0) * 4.0)
    }

    fn global(&self) -> GlobalProof {
        let turning = (self.patch_dimension > 1).then(|| self.s.square() * self.square * 0.5);
        let output = self.output_eigenvalue();
        let lambda_min = turning.map_or(output, |t| least(t, output));
        let minimum =
            if lambda_min.is_certainly_positive() { PointStatus::Certified } else { PointStatus::Undecided };
        GlobalProof { minimum, turning, lambda_min, nullity: 1 }
    }

    fn spurious(&self) -> SpuriousProof {
        let decisive = self.decisive();
        let alpha = self.s * decisive / (Interval::PI - 1.0);
        // For one patch the number is zero exactly: the threshold itself, where the point is no minimum.
        let minimum = match () {
            () if self.patch_dimension == 1 || decisive.is_certainly_negative() => PointStatus::Certified,
            () if decisive.is_certainly_positive() || self.patches == 1 => PointStatus::Refuted,
            () => PointStatus::Undecided,
        };
        // j(0) - j(h) = (s/2pi) (alpha h + s slope h^2 / (2 (pi-1))), at h = 1.
        let drop =
            self.s * (alpha + self.s * self.slope() / ((Interval::PI - 1.0) * 2.0)) / (Interval::PI * 2.0);
        SpuriousProof {
            minimum,
            loss: self.valley(Interval::ZERO),
            alpha,
            third_order: -(self.s * alpha) / (Interval::PI * 6.0),
            descent: (minimum == PointStatus::Refuted).then_some(drop),
            lambda_min: self.output_eigenvalue(),
            nullity: self.patch_dimension,
        }
    }

    fn saddle(&self) -> SaddleProof {
        let level = -self.decisive() / self.slope();
        let none = SaddleProof {
            exists: PointStatus::Refuted,
            level,
            angle: None,
            loss: None,
            lambda_min_upper: None,
            index: None,
            nullity: None,
        };
        if self.patch_dimension == 1 || self.patches == 1 || level.is_certainly_negative() {
            return none;
        }
        let level = level.intersection(Interval::new(f64::NEG_INFINITY, 1.0).unwrap_or(Interval::ENTIRE));
        let undecided = SaddleProof { exists: PointStatus::Undecided, ..none };
        let Some(psi) = (if level.is_certainly_positive() { root(level) } else { None }) else {
            return undecided;
        };
        let Some(bound) = self.negative_curvature(psi) else { return undecided };
        SaddleProof {
            exists: PointStatus::Certified,
            level,
            angle: Some(Interval::PI - psi),
            loss: Some(self.valley(level)),
            lambda_min_upper: Some(bound),
            index: Some(1),
            nullity: Some(self.patch_dimension - 1),
        }
    }

    /// An upper bound of the smallest eigenvalue at the saddle, if certainly negative: the Rayleigh quotient of the direction
    /// `(e, psi s sin(phi) C^-1 a*)`, for which the Schur complement is the numerator (W.38).
    fn negative_curvature(&self, psi: Interval) -> Option<f64> {
        let k = Interval::point(self.patches as f64);
        let reach = self.s * psi * psi.sin();
        let c = Interval::PI - 1.0;
        let schur = reach.square() * self.slope() / (c * (Interval::PI * 2.0));
        let length = self.spread / c.square() + self.sum_square / k / self.width().square();
        let quotient = schur / (Interval::ONE + reach.square() * length);
        quotient.is_certainly_positive().then(|| -quotient.lo())
    }
}

/// The smaller of two numbers.
fn least(x: Interval, y: Interval) -> Interval {
    Interval::new(x.lo().min(y.lo()), x.hi().min(y.hi())).unwrap_or(Interval::ENTIRE)
}

/// `c1(psi) = sin psi - psi cos psi = psi^3 kappa3(psi)`.
fn c1(psi: f64) -> Interval {
    let psi = Interval::point(psi);
    psi * psi.square() * psi.kappa3()
}

/// An enclosure of all roots of `c1(psi) = level` in `(0, pi)`, one for each member of `level`: `c1` rises strictly there,
/// from 0, so a sign change between two numbers encloses them.
fn root(level: Interval) -> Option<Interval> {
    let guess = guess(level.middle());
    let mut radius = 2.0 * f64::EPSILON * guess;
    for _ in 0..DOUBLINGS {
        let (low, high) = (guess - radius, guess + radius);
        if low > 0.0 && high < std::f64::consts::PI && c1(low).hi() < level.lo() && c1(high).lo() > level.hi()
        {
            return Interval::new(low, high);
        }
        radius *= 2.0;
    }
    None
}

/// A guess by bisection in double precision.
fn guess(level: f64) -> f64 {
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2 + 1e-9);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if popgrad::angular_c1(middle) < level { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_enclosed_from_tiny_levels_to_one() {
        for level in [1e-30, 1e-9, 1e-3, 0.3, 0.999, 1.0] {
            let psi = root(Interval::point(level)).unwrap();
            assert!(c1(psi.lo()).hi() < level && c1(psi.hi()).lo() > level, "{level} {psi:?}");
            assert!(psi.width() <= 1e-13 * psi.hi(), "{level} {psi:?}");
        }
        // h(pi/2) = 1.
        assert!(root(Interval::ONE).unwrap().contains(std::f64::consts::FRAC_PI_2));
    }

    #[test]
    fn a_level_too_wide_has_no_root_enclosed() {
        assert!(root(Interval::new(1e-9, 0.9).unwrap()).is_none());
    }
}
