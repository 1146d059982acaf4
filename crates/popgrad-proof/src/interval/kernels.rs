//! Quotients of sine and cosine by powers, without the cancellation at 0.
//!
//! All four are even and decrease in `|x|` up to a stated bound, so an interval needs two values:
//!
//! | kernel | definition | at 0 | decreases for | because |
//! |---|---|---|---|---|
//! | `sinc` | `sin x / x` | 1 | `\|x\| <= 4.49` | `tan x = x` first at 4.4934 |
//! | `c2` | `(1 - cos x) / x^2 = sinc(x/2)^2 / 2` | 1/2 | `\|x\| <= 2 pi` | `sinc(x/2) >= 0` decreases there |
//! | `k3` | `(x - sin x) / x^3` | 1/6 | all `x` | `sin x / x <= (2 + cos x) / 3` (Cusa) |
//! | `kappa3` | `(sin x - x cos x) / x^3 = c2 - k3` | 1/3 | `\|x\| <= 5.76` | its derivative is `-j_2(x) / x` |
//!
//! `j_2` is the spherical Bessel function, positive up to 5.7634. Below a threshold the series is summed, with a tail
//! between 0 and its first term; above it the definition, where at most two bits cancel.

use super::Interval;
use super::trigonometric::sinc_series;

/// Below this `sinc` is summed as a series.
const SINC_SERIES: f64 = 0.78;
/// Below this `k3` and `kappa3` are summed: `x^2 / 10 < 1` keeps the series alternating and decreasing.
const CUBIC_SERIES: f64 = 1.6;
/// Terms of the cubic series; the first one left out is below 1e-20 of the sum.
const CUBIC_TERMS: u32 = 13;
/// `sinc` decreases up to here.
const SINC_DECREASES: f64 = 4.49;
/// `kappa3` decreases up to here.
const KAPPA3_DECREASES: f64 = 5.76;

fn sinc_at(x: f64) -> Interval {
    let x = Interval::point(x);
    if x.hi <= SINC_SERIES { sinc_series(x) } else { x.sin() / x }
}

/// `1/6 (1 - z/20 (1 - z/42 (...)))`, `z = x^2`.
fn k3_at(x: f64) -> Interval {
    let x = Interval::point(x);
    if x.hi > CUBIC_SERIES {
        return (x - x.sin()) / (x * x.square());
    }
    let z = x.square();
    let series = (2..=CUBIC_TERMS)
        .rev()
        .fold(Interval::UNIT, |tail, n| Interval::ONE - z / f64::from(2 * n * (2 * n + 1)) * tail);
    series / 6.0
}

/// `1/3 (1 - z/10 (1 - z/28 (1 - z/54 (...))))`, `z = x^2`: the n-th quotient is `z / (2n (2n + 3))`.
fn kappa3_at(x: f64) -> Interval {
    let x = Interval::point(x);
    if x.hi > CUBIC_SERIES {
        return (x.sin() - x * x.cos()) / (x * x.square());
    }
    let z = x.square();
    let series = (1..=CUBIC_TERMS)
        .rev()
        .fold(Interval::UNIT, |tail, n| Interval::ONE - z / f64::from(2 * n * (2 * n + 3)) * tail);
    series / 3.0
}

impl Interval {
    /// The range of an even function that decreases in the magnitude of its argument.
    fn decreasing(self, value: impl Fn(f64) -> Self) -> Self {
        let (near, far) = (value(self.mignitude()), value(self.magnitude()));
        Self { lo: far.lo, hi: near.hi }
    }

    /// `sin x / x`, 1 at 0.
    #[must_use]
    pub fn sinc(self) -> Self {
        if self.is_empty() {
            self
        } else if self.magnitude() <= SINC_DECREASES {
            self.decreasing(sinc_at)
        } else if self.mignitude() >= SINC_DECREASES {
            self.sin() / self
        } else {
            // Beyond its first zero all values lie between -0.2173 and 0.1284.
            Self { lo: -0.2173, hi: sinc_at(self.mignitude()).hi.max(0.1284) }
        }
    }

    /// `(1 - cos x) / x^2`, 1/2 at 0.
    #[must_use]
    pub fn c2(self) -> Self {
        (self * 0.5).sinc().square() * 0.5
    }

    /// `(x - sin x) / x^3`, 1/6 at 0.
    #[must_use]
    pub fn k3(self) -> Self {
        match () {
            () if self.is_empty() => self,
            () if self.is_bounded() => self.decreasing(k3_at),
            () => Self { lo: 0.0, hi: k3_at(self.mignitude()).hi },
        }
    }

    /// `(sin x - x cos x) / x^3`, 1/3 at 0.
    #[must_use]
    pub fn kappa3(self) -> Self {
        if self.magnitude() <= KAPPA3_DECREASES && !self.is_empty() {
            self.decreasing(kappa3_at)
        } else {
            self.c2() - self.k3()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_at_zero_are_inside() {
        let zero = Interval::ZERO;
        assert!(zero.sinc().contains(1.0) && zero.c2().contains(0.5));
        assert!((zero.k3() * 6.0).contains(1.0) && (zero.kappa3() * 3.0).contains(1.0));
        for x in [zero.sinc(), zero.c2(), zero.k3(), zero.kappa3()] {
            assert!(x.width() <= 1e-15, "{x:?}");
        }
    }

    /// Identities between the kernels, as overlapping enclosures of the same number.
    #[test]
    fn the_kernels_agree_with_each_other() {
        for n in 0..2000 {
            let x = Interval::point(f64::from(n) * 0.00371);
            let difference = x.c2() - x.k3();
            assert!(!difference.intersection(x.kappa3()).is_empty(), "{x:?}");
            let sine = x * x.sinc();
            assert!(!sine.intersection(x.sin()).is_empty(), "{x:?}");
            let rest = x - x * x.square() * x.k3();
            assert!(!rest.intersection(x.sin()).is_empty(), "{x:?}");
        }
    }

    #[test]
    fn wide_arguments_enclose_what_lies_inside() {
        let wide = Interval::new(-7.0, 9.0).unwrap();
        for n in 0..160 {
            let x = Interval::point(-7.0 + 0.1 * f64::from(n));
            assert!(wide.sinc().encloses(x.sinc()) && wide.c2().encloses(x.c2()));
            assert!(wide.k3().encloses(x.k3()) && wide.kappa3().encloses(x.kappa3()));
        }
        assert!(Interval::ENTIRE.k3().encloses(Interval::point(50.0).k3()));
    }
}
