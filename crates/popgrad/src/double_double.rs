//! Numbers of twice the precision, unevaluated sums of two doubles: the few operations that the loss near the teacher
//! needs where units are nearly parallel.
//!
//! Relative error of each operation below 2^-100; of [`Dd::atan2`] below 2^-96. Algorithms: Dekker (1971), Knuth's
//! two-sum, with fused multiply-adds for exact products.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// An unevaluated sum `hi + lo` with `|lo| <= ulp(hi)/2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dd {
    hi: f64,
    lo: f64,
}

/// Terms of the sine's series: with twelve the truncation error below 0.4 is under 2e-35, relatively.
const SINE_TERMS: usize = 12;

fn two_sum(a: f64, b: f64) -> Dd {
    let s = a + b;
    let t = s - a;
    Dd { hi: s, lo: (a - (s - t)) + (b - t) }
}

fn quick_two_sum(a: f64, b: f64) -> Dd {
    let s = a + b;
    Dd { hi: s, lo: b - (s - a) }
}

impl Dd {
    pub(crate) const ZERO: Self = Self { hi: 0.0, lo: 0.0 };

    /// The exact product of two doubles.
    pub(crate) fn product(a: f64, b: f64) -> Self {
        let p = a * b;
        Self { hi: p, lo: a.mul_add(b, -p) }
    }

    /// The nearest double.
    pub(crate) fn value(self) -> f64 {
        self.hi
    }

    /// Square root; zero for arguments that are not positive.
    pub(crate) fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self::ZERO;
        }
        let root = self.hi.sqrt();
        let rest = self - Self::product(root, root);
        quick_two_sum(root, rest.hi / (2.0 * root))
    }

    /// Sine and cosine of a double in `[-pi, pi]`: Taylor's series at an eighth of the angle, doubled three times.
    fn sin_cos(x: f64) -> (Self, Self) {
        let t = Self::from(x / 8.0);
        let z = t * t;
        let (mut term, mut sine) = (t, t);
        for n in 1..=SINE_TERMS {
            let k = (2 * n * (2 * n + 1)) as f64;
            term = -(term * z) / Self::from(k);
            sine = sine + term;
        }
        let mut cosine = (Self::from(1.0) - sine * sine).sqrt();
        for _ in 0..3 {
            let doubled = sine * cosine;
            cosine = Self::from(1.0) - (sine * sine) * Self::from(2.0);
            sine = doubled + doubled;
        }
        (sine, cosine)
    }

    /// `atan2(y, x)` with full relative accuracy: one correction of the double's angle.
    pub(crate) fn atan2(y: Self, x: Self) -> Self {
        let r = (x * x + y * y).sqrt();
        if r.hi == 0.0 {
            return Self::ZERO;
        }
        let guess = libm::atan2(y.hi, x.hi);
        let (sine, cosine) = Self::sin_cos(guess);
        // sin(theta - guess); the cube of this correction is below the last digit.
        Self::from(guess) + (y * cosine - x * sine) / r
    }
}

impl From<f64> for Dd {
    fn from(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }
}

impl Add for Dd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let s = two_sum(self.hi, other.hi);
        let t = two_sum(self.lo, other.lo);
        let s = quick_two_sum(s.hi, s.lo + t.hi);
        quick_two_sum(s.hi, s.lo + t.lo)
    }
}

impl Neg for Dd {
    type Output = Self;
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for Dd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Dd {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let p = Self::product(self.hi, other.hi);
        let cross = self.hi.mul_add(other.lo, self.lo * other.hi);
        quick_two_sum(p.hi, p.lo + cross)
    }
}

impl Div for Dd {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let q = self.hi / other.hi;
        let rest = self - other * Self::from(q);
        let second = rest.hi / other.hi;
        let rest = rest - other * Self::from(second);
        quick_two_sum(q, second) + Self::from(rest.hi / other.hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pi to 32 digits.
    const PI: Dd = Dd { hi: std::f64::consts::PI, lo: 1.224_646_799_147_353_2e-16 };

    fn close(got: Dd, want: Dd, digits: f64) {
        let error = (got - want).value().abs() / want.value().abs();
        assert!(error <= digits, "{got:?} {want:?} {error:e}");
    }

    #[test]
    fn arithmetic_keeps_thirty_digits() {
        let third = Dd::from(1.0) / Dd::from(3.0);
        close(third * Dd::from(3.0), Dd::from(1.0), 1e-31);
        let root = Dd::from(2.0).sqrt();
        close(root * root, Dd::from(2.0), 1e-31);
        close(Dd::from(1.0) + Dd::from(1e-20) - Dd::from(1.0), Dd::from(1e-20), 1e-11);
    }

    #[test]
    fn the_arctangent_matches_pi_and_its_fractions() {
        close(Dd::atan2(Dd::from(1.0), Dd::from(1.0)) * Dd::from(4.0), PI, 1e-30);
        close(Dd::atan2(Dd::from(3.0).sqrt(), Dd::from(-1.0)) * Dd::from(1.5), PI, 1e-30);
        close(Dd::atan2(Dd::from(0.0), Dd::from(-1.0)), PI, 1e-30);
        // Machin: pi/4 = 4 atan(1/5) - atan(1/239)
        let machin = Dd::atan2(Dd::from(1.0), Dd::from(5.0)) * Dd::from(16.0)
            - Dd::atan2(Dd::from(1.0), Dd::from(239.0)) * Dd::from(4.0);
        close(machin, PI, 1e-30);
        // atan(x) = x - x^3/3 for tiny x
        let x = Dd::from(1e-9);
        close(Dd::atan2(x, Dd::from(1.0)), x - x * x * x / Dd::from(3.0), 1e-30);
    }
}
