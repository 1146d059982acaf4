//! Addition, multiplication, division, squares and square roots.

use super::Interval;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Above this the exact error of a sum may overflow on its way.
const SAFE: f64 = 1e300;

/// The error `a + b - s` of the rounded sum `s`, exact where `|s| <= SAFE` (Knuth's two-sum).
fn sum_error(a: f64, b: f64, s: f64) -> f64 {
    let t = s - a;
    (a - (s - t)) + (b - t)
}

/// The largest double that is certainly at most `a + b`, or the one below it.
fn sum_down(a: f64, b: f64) -> f64 {
    let s = a + b;
    if s.abs() <= SAFE && sum_error(a, b, s) >= 0.0 { s } else { s.next_down() }
}

/// The smallest double that is certainly at least `a + b`, or the one above it.
fn sum_up(a: f64, b: f64) -> f64 {
    let s = a + b;
    if s.abs() <= SAFE && sum_error(a, b, s) <= 0.0 { s } else { s.next_up() }
}

/// An upper bound of `a - b`.
pub(super) fn difference_up(a: f64, b: f64) -> f64 {
    sum_up(a, -b)
}

/// A product to nearest, where 0 times an unbounded end is 0: the end itself is no member.
fn product(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

impl Add for Interval {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return Self::EMPTY;
        }
        Self { lo: sum_down(self.lo, other.lo), hi: sum_up(self.hi, other.hi) }
    }
}

impl Neg for Interval {
    type Output = Self;
    fn neg(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo }
    }
}

impl Sub for Interval {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (a, b) = (self, other);
        if a.is_empty() || b.is_empty() {
            return Self::EMPTY;
        }
        if a == Self::ZERO || b == Self::ZERO {
            return Self::ZERO;
        }
        if a.lo >= 0.0 && b.lo >= 0.0 {
            return Self { lo: product(a.lo, b.lo).next_down().max(0.0), hi: product(a.hi, b.hi).next_up() };
        }
        let corners = [product(a.lo, b.lo), product(a.lo, b.hi), product(a.hi, b.lo), product(a.hi, b.hi)];
        let lo = corners.iter().copied().fold(f64::INFINITY, f64::min).next_down();
        let hi = corners.iter().copied().fold(f64::NEG_INFINITY, f64::max).next_up();
        // The sign of an exact product is known even where the product underflows.
        let not_negative = a.hi <= 0.0 && b.hi <= 0.0;
        let not_positive = (a.lo >= 0.0 && b.hi <= 0.0) || (a.hi <= 0.0 && b.lo >= 0.0);
        Self {
            lo: if not_negative { lo.max(0.0) } else { lo },
            hi: if not_positive { hi.min(0.0) } else { hi },
        }
    }
}

impl Div for Interval {
    type Output = Self;
    /// All real numbers if the divisor contains zero inside or is zero; a half-line if zero is one of its ends.
    fn div(self, other: Self) -> Self {
        let (a, b) = (self, other);
        if a.is_empty() || b.is_empty() {
            return Self::EMPTY;
        }
        if b.hi < 0.0 || (b.hi == 0.0 && b.lo < 0.0) {
            return -a / -b;
        }
        if b.lo > 0.0 {
            let lo = if a.lo >= 0.0 { a.lo / b.hi } else { a.lo / b.lo };
            let hi = if a.hi >= 0.0 { a.hi / b.lo } else { a.hi / b.hi };
            return Self {
                lo: if a.lo >= 0.0 { lo.next_down().max(0.0) } else { lo.next_down() },
                hi: if a.hi <= 0.0 { hi.next_up().min(0.0) } else { hi.next_up() },
            };
        }
        if b.lo == 0.0 && b.hi > 0.0 {
            if a.lo >= 0.0 {
                return Self { lo: (a.lo / b.hi).next_down().max(0.0), hi: f64::INFINITY };
            }
            if a.hi <= 0.0 {
                return Self { lo: f64::NEG_INFINITY, hi: (a.hi / b.hi).next_up().min(0.0) };
            }
        }
        Self::ENTIRE
    }
}

impl Add<f64> for Interval {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self + Self::point(other)
    }
}

impl Sub<f64> for Interval {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self - Self::point(other)
    }
}

impl Mul<f64> for Interval {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self * Self::point(other)
    }
}

impl Div<f64> for Interval {
    type Output = Self;
    fn div(self, other: f64) -> Self {
        self / Self::point(other)
    }
}

impl Interval {
    /// `x^2`: never negative, and tighter than `x * x` where the sign of `x` is open.
    #[must_use]
    pub fn square(self) -> Self {
        let x = self.abs();
        x * x
    }

    /// The square root of the members at or above zero; empty if there is none.
    #[must_use]
    pub fn sqrt(self) -> Self {
        if self.is_empty() || self.hi < 0.0 {
            return Self::EMPTY;
        }
        let lo = self.lo.max(0.0).sqrt();
        let hi = self.hi.sqrt();
        Self {
            lo: if lo == 0.0 { 0.0 } else { lo.next_down() },
            hi: if hi == 0.0 { 0.0 } else { hi.next_up() },
        }
    }

    /// The sum of intervals, in their order.
    pub fn sum(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().fold(Self::ZERO, |sum, x| sum + x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn i(lo: f64, hi: f64) -> Interval {
        Interval::new(lo, hi).unwrap()
    }

    #[test]
    fn exact_sums_are_not_widened() {
        assert_eq!(Interval::point(1.0) + 2.0, Interval::point(3.0));
        assert_eq!(i(0.25, 0.5) - 0.25, i(0.0, 0.25));
        let sum = Interval::point(1.0) + f64::EPSILON / 4.0;
        assert_eq!((sum.lo(), sum.hi()), (1.0, 1.0 + f64::EPSILON));
    }

    #[test]
    fn signs_of_products_and_quotients_follow_the_rules() {
        assert!(i(-2.0, 3.0) * i(-5.0, 7.0) == i((-15f64).next_down(), 21f64.next_up()));
        assert_eq!(Interval::ZERO * Interval::ENTIRE, Interval::ZERO);
        assert_eq!(i(0.0, 1.0) * i(2.0, f64::INFINITY), i(0.0, f64::INFINITY));
        let underflow = Interval::point(1e-200) * 1e-200;
        assert_eq!((underflow.lo(), underflow.hi()), (0.0, 5e-324));
        let underflow = Interval::point(-1e-200) * 1e-200;
        assert_eq!((underflow.lo(), underflow.hi()), (-5e-324, 0.0));
        assert_eq!(Interval::ONE / i(-1.0, 1.0), Interval::ENTIRE);
        assert_eq!(Interval::ONE / Interval::ZERO, Interval::ENTIRE);
        assert_eq!(Interval::ONE / i(0.0, 1.0), i(1f64.next_down(), f64::INFINITY));
        assert_eq!(Interval::ONE / i(-1.0, 0.0), i(f64::NEG_INFINITY, (-1f64).next_up()));
        assert_eq!(i(-1.0, 1.0) / i(0.0, 1.0), Interval::ENTIRE);
    }

    #[test]
    fn overflow_leaves_a_finite_bound_and_an_infinite_one() {
        let large = Interval::point(1e308) * 10.0;
        assert_eq!((large.lo(), large.hi()), (f64::MAX, f64::INFINITY));
        let large = Interval::point(f64::MAX) + f64::MAX;
        assert_eq!((large.lo(), large.hi()), (f64::MAX, f64::INFINITY));
    }

    #[test]
    fn roots_leave_out_what_is_negative() {
        assert!(i(-2.0, -1.0).sqrt().is_empty());
        assert_eq!(i(-1.0, 0.0).sqrt(), Interval::ZERO);
        assert!(i(-1.0, 4.0).sqrt().encloses(i(0.0, 2.0)));
    }
}
