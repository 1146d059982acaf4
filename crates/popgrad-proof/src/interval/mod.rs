//! Closed intervals of real numbers with outward rounding, on the standard library alone.
//!
//! An [`Interval`] stands for the set of real numbers between two doubles. Every operation returns a set that contains
//! all exact results for all members of its operands: a double computed to nearest is moved one step outward, unless
//! the rounding error is known to vanish or to point inward. Nothing here uses a platform's or a library's elementary
//! function but as a guess that is verified afterwards. Assumptions about the floating-point unit:
//! [`check_environment`](crate::check_environment).
//!
//! | operation | enclosure | width for one double |
//! |---|---|---|
//! | `+ -` | exact where the sum is | 1 step |
//! | `* /`, `square`, `sqrt` | | 2 steps |
//! | `sin`, `cos` | `|x| <= 2^19`, `[-1, 1]` beyond | a few steps |
//! | `sinc`, `c2`, `k3`, `kappa3` | all `x`, in [`kernels`] | a few steps |
//! | `acos`, `atan2` | on the closed domain | a few steps |
//!
//! Empty sets: only the square root or arc cosine of a set outside its domain, an intersection and [`Interval::EMPTY`]
//! are empty; every operation on an empty set is empty, and no question with the word *certainly* is answered yes for it.
//! Infinite end points mean unbounded; they are not members.

mod angle;
mod arithmetic;
mod kernels;
mod trigonometric;

use std::fmt;

/// A closed interval of real numbers, `[lo, hi]`, whose end points are doubles.
///
/// ```
/// use popgrad_proof::Interval;
/// let third = Interval::point(1.0) / Interval::point(3.0);
/// assert!(third.lo() < third.hi() && third.width() < 2e-16);
/// assert!((third * 3.0).contains(1.0));
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Interval {
    // Invariant: neither is NaN, and lo <= hi with lo < inf and hi > -inf, or (lo, hi) = (inf, -inf) for the empty set.
    lo: f64,
    hi: f64,
}

impl Interval {
    /// The empty set.
    pub const EMPTY: Self = Self { lo: f64::INFINITY, hi: f64::NEG_INFINITY };
    /// All real numbers.
    pub const ENTIRE: Self = Self { lo: f64::NEG_INFINITY, hi: f64::INFINITY };
    /// The number 0.
    pub const ZERO: Self = Self { lo: 0.0, hi: 0.0 };
    /// The number 1.
    pub const ONE: Self = Self { lo: 1.0, hi: 1.0 };
    /// The numbers from 0 to 1.
    pub const UNIT: Self = Self { lo: 0.0, hi: 1.0 };
    /// The numbers from -1 to 1.
    pub const SIGNED_UNIT: Self = Self { lo: -1.0, hi: 1.0 };
    /// Two neighbouring doubles with pi between them: the constant of the standard library is below pi.
    pub const PI: Self = Self { lo: std::f64::consts::PI, hi: std::f64::consts::PI.next_up() };

    /// The interval from `lo` to `hi`, or none if `lo > hi` or one of them is NaN.
    ///
    /// ```
    /// use popgrad_proof::Interval;
    /// assert!(Interval::new(2.0, 1.0).is_none() && Interval::new(f64::NAN, 1.0).is_none());
    /// ```
    pub fn new(lo: f64, hi: f64) -> Option<Self> {
        (lo <= hi && lo < f64::INFINITY && hi > f64::NEG_INFINITY).then_some(Self { lo, hi })
    }

    /// The one number `x`; all real numbers if `x` is NaN or infinite, of which nothing can be proved.
    pub fn point(x: f64) -> Self {
        if x.is_finite() { Self { lo: x, hi: x } } else { Self::ENTIRE }
    }

    /// The numbers that differ from `middle` by at most `radius`.
    ///
    /// Both are doubles taken exactly; a negative or NaN radius gives all real numbers.
    pub fn ball(middle: f64, radius: f64) -> Self {
        if radius >= 0.0 { Self::point(middle) + Self { lo: -radius, hi: radius } } else { Self::ENTIRE }
    }

    /// The smallest interval that contains both sets.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// The numbers in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let (lo, hi) = (self.lo.max(other.lo), self.hi.min(other.hi));
        if lo <= hi { Self { lo, hi } } else { Self::EMPTY }
    }

    /// Lower end point; infinite for the empty set.
    pub const fn lo(self) -> f64 {
        self.lo
    }

    /// Upper end point; minus infinite for the empty set.
    pub const fn hi(self) -> f64 {
        self.hi
    }

    /// Whether the set has no member.
    pub fn is_empty(self) -> bool {
        self.lo > self.hi
    }

    /// Whether both end points are finite and the set is not empty.
    pub fn is_bounded(self) -> bool {
        self.lo <= self.hi && self.lo > f64::NEG_INFINITY && self.hi < f64::INFINITY
    }

    /// Whether `x` is a member.
    pub fn contains(self, x: f64) -> bool {
        self.lo <= x && x <= self.hi && x.is_finite()
    }

    /// Whether every member of `other` is a member.
    pub fn encloses(self, other: Self) -> bool {
        other.is_empty() || (self.lo <= other.lo && other.hi <= self.hi)
    }

    /// Whether the set has members and all are above zero.
    pub fn is_certainly_positive(self) -> bool {
        self.lo > 0.0 && !self.is_empty()
    }

    /// Whether the set has members and all are below zero.
    pub fn is_certainly_negative(self) -> bool {
        self.hi < 0.0 && !self.is_empty()
    }

    /// A double inside the set, near the middle; 0 for the entire line and for the empty set.
    pub fn middle(self) -> f64 {
        match (self.lo == f64::NEG_INFINITY, self.hi == f64::INFINITY) {
            _ if self.is_empty() => 0.0,
            (true, true) => 0.0,
            (true, false) => f64::MIN,
            (false, true) => f64::MAX,
            (false, false) => (0.5 * self.lo + 0.5 * self.hi).clamp(self.lo, self.hi),
        }
    }

    /// An upper bound of the distance from [`Interval::middle`] to any member.
    pub fn radius(self) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let m = self.middle();
        arithmetic::difference_up(m, self.lo).max(arithmetic::difference_up(self.hi, m))
    }

    /// An upper bound of the difference of the end points; 0 for the empty set.
    pub fn width(self) -> f64 {
        if self.is_empty() { 0.0 } else { arithmetic::difference_up(self.hi, self.lo) }
    }

    /// The largest magnitude of a member; 0 for the empty set.
    pub fn magnitude(self) -> f64 {
        if self.is_empty() { 0.0 } else { self.lo.abs().max(self.hi.abs()) }
    }

    /// The smallest magnitude of a member; 0 for the empty set.
    pub fn mignitude(self) -> f64 {
        if self.is_empty() { 0.0 } else { self.lo.max(-self.hi).max(0.0) }
    }

    /// The magnitudes of the members.
    #[must_use]
    pub fn abs(self) -> Self {
        if self.is_empty() { self } else { Self { lo: self.mignitude(), hi: self.magnitude() } }
    }

    /// `max(x, 0)` for every member.
    #[must_use]
    pub fn positive_part(self) -> Self {
        if self.is_empty() { self } else { Self { lo: self.lo.max(0.0), hi: self.hi.max(0.0) } }
    }
}

impl From<f64> for Interval {
    fn from(x: f64) -> Self {
        Self::point(x)
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:e}, {:e}]", self.lo, self.hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pi_lies_between_two_neighbours() {
        assert_eq!(Interval::PI.lo().next_up().to_bits(), Interval::PI.hi().to_bits());
        // sin is positive below pi and negative above it.
        assert!(Interval::point(Interval::PI.lo()).sin().is_certainly_positive());
        assert!(Interval::point(Interval::PI.hi()).sin().is_certainly_negative());
    }

    #[test]
    fn nothing_is_certain_about_the_empty_set() {
        let empty = Interval::point(1.0).intersection(Interval::point(2.0));
        assert!(empty.is_empty() && empty == Interval::EMPTY);
        assert!(!empty.is_certainly_positive() && !empty.is_certainly_negative() && !empty.contains(1.5));
        assert!((empty + Interval::ONE).is_empty() && (Interval::ONE * empty).is_empty());
        assert!((empty / Interval::ONE).is_empty() && (Interval::ONE / empty).is_empty());
        assert!(empty.sin().is_empty() && empty.cos().is_empty() && empty.sqrt().is_empty());
        assert!(empty.sinc().is_empty() && empty.k3().is_empty() && empty.acos().is_empty());
        assert!(Interval::atan2(empty, Interval::ONE).is_empty() && (-empty).is_empty());
        assert_eq!((empty.width(), empty.magnitude(), empty.middle()), (0.0, 0.0, 0.0));
    }

    #[test]
    fn numbers_that_are_none_become_the_whole_line() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Interval::point(x), Interval::ENTIRE);
        }
        assert_eq!(Interval::ball(1.0, -1.0), Interval::ENTIRE);
        assert_eq!(Interval::ball(1.0, f64::NAN), Interval::ENTIRE);
    }

    #[test]
    fn middle_and_radius_cover_the_set() {
        for (lo, hi) in [(0.1, 0.3), (-1e308, 1.7e308), (5e-324, 1e-323), (1.0, 1.0)] {
            let x = Interval::new(lo, hi).unwrap();
            assert!(x.contains(x.middle()));
            assert!(Interval::ball(x.middle(), x.radius()).encloses(x));
        }
        assert!(Interval::ENTIRE.radius() == f64::INFINITY);
    }
}
