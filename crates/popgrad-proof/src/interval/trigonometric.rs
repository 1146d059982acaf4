//! Sine and cosine.
//!
//! A double is reduced by a multiple of `pi/2` that is known to 119 bits; what remains, an interval of a few steps inside
//! `[-0.79, 0.79]`, goes through an alternating series whose tail lies between 0 and its first term. An interval takes
//! its values at the ends, and 1 or -1 where an odd multiple of `pi/2` may lie inside.

use super::Interval;

/// Arguments beyond get `[-1, 1]`: up to here the multiple of pi/2 has at most 20 bits.
const LARGEST: f64 = 524_288.0;

/// The leading 33 bits of pi/2.
const HALF_PI_HIGH: f64 = f64::from_bits(0x3ff9_21fb_5440_0000);
/// The next 33 bits.
const HALF_PI_MIDDLE: f64 = f64::from_bits(0x3dd0_b461_1a60_0000);
/// What is left of pi/2, between two neighbouring doubles.
const HALF_PI_LOW: Interval =
    Interval { lo: f64::from_bits(0x3ba3_198a_2e03_7073), hi: f64::from_bits(0x3ba3_198a_2e03_7074) };

/// Terms of the series. With `|x| <= 0.79` the first one left out is below 1e-19 of the sum; fewer only widen the result.
const TERMS: u32 = 10;

/// `x = quadrant * pi/2 + rest` with `|rest| <= 0.79`; none if `x` is too large.
fn reduce(x: f64) -> Option<(u8, Interval)> {
    if x.abs() > LARGEST {
        return None;
    }
    let multiple = libm::rint(x * std::f64::consts::FRAC_2_PI); // a guess: any integer nearby would do
    // The multiple has at most 20 bits, so its products with 33 bits are exact.
    let rest = Interval::point(x)
        - Interval::point(multiple * HALF_PI_HIGH)
        - Interval::point(multiple * HALF_PI_MIDDLE)
        - HALF_PI_LOW * multiple;
    let quadrant = match libm::fmod(multiple, 4.0) {
        0.0 => 0,
        1.0 | -3.0 => 1,
        2.0 | -2.0 => 2,
        _ => 3,
    };
    (rest.magnitude() <= 0.79).then_some((quadrant, rest))
}

/// `sin(x) / x` for `|x| <= 0.79`: `1 - z/6 (1 - z/20 (1 - ...))`, `z = x^2`.
pub(super) fn sinc_series(x: Interval) -> Interval {
    let z = x.square();
    (1..=TERMS)
        .rev()
        .fold(Interval::UNIT, |tail, n| Interval::ONE - z / f64::from(2 * n * (2 * n + 1)) * tail)
}

/// `cos(x)` for `|x| <= 0.79`: `1 - z/2 (1 - z/12 (1 - ...))`.
fn cos_series(x: Interval) -> Interval {
    let z = x.square();
    (1..=TERMS)
        .rev()
        .fold(Interval::UNIT, |tail, n| Interval::ONE - z / f64::from(2 * n * (2 * n - 1)) * tail)
}

/// The sine of one double, shifted by a number of quadrants.
fn sin_at(x: f64, quadrants: u8) -> Interval {
    let Some((quadrant, rest)) = reduce(x) else { return Interval::SIGNED_UNIT };
    let value = match (quadrant + quadrants) % 4 {
        0 => rest * sinc_series(rest),
        1 => cos_series(rest),
        2 => -(rest * sinc_series(rest)),
        _ => -cos_series(rest),
    };
    value.intersection(Interval::SIGNED_UNIT)
}

/// Whether an even and whether an odd integer may lie in `x`.
fn integers_inside(x: Interval) -> (bool, bool) {
    let (first, last) = (x.lo().ceil(), x.hi().floor());
    if !x.is_bounded() || last - first >= 1.0 {
        return (true, true);
    }
    if first > last {
        return (false, false);
    }
    let odd = libm::fmod(first, 2.0) != 0.0;
    (!odd, odd)
}

impl Interval {
    /// The range of a function between its values at the ends, with its maximum 1 and minimum -1 where they may occur.
    fn wave(self, quadrants: u8, shift: f64) -> Self {
        if self.is_empty() {
            return self;
        }
        if !self.is_bounded() || self.magnitude() > LARGEST {
            return Interval::SIGNED_UNIT;
        }
        let ends = sin_at(self.lo, quadrants).hull(sin_at(self.hi, quadrants));
        if self.lo == self.hi {
            return ends;
        }
        let (maximum, minimum) = integers_inside(self / Self::PI + shift);
        Self { lo: if minimum { -1.0 } else { ends.lo }, hi: if maximum { 1.0 } else { ends.hi } }
    }

    /// `sin x`.
    ///
    /// The set of values for `|x| <= 2^19` up to a few steps at either end, `[-1, 1]` beyond.
    #[must_use]
    pub fn sin(self) -> Self {
        self.wave(0, -0.5)
    }

    /// `cos x`.
    ///
    /// The set of values for `|x| <= 2^19` up to a few steps at either end, `[-1, 1]` beyond.
    #[must_use]
    pub fn cos(self) -> Self {
        self.wave(1, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn i(lo: f64, hi: f64) -> Interval {
        Interval::new(lo, hi).unwrap()
    }

    #[test]
    fn extrema_inside_are_found() {
        assert_eq!(i(1.0, 2.0).sin().hi(), 1.0);
        assert_eq!(i(4.0, 5.0).sin().lo(), -1.0);
        assert_eq!(i(-0.1, 0.1).cos().hi(), 1.0);
        assert_eq!(i(3.0, 3.2).cos().lo(), -1.0);
        assert_eq!(i(0.0, 7.0).sin(), i(-1.0, 1.0));
        assert!(i(0.1, 1.5).sin().hi() < 1.0 && i(0.1, 3.1).cos().lo() > -1.0);
        assert!(i(-4.0, -3.2).sin().is_certainly_positive());
    }

    #[test]
    fn points_are_enclosed_tightly() {
        for x in [0.0, 1e-300, 0.5, 1.0, 3.0, 100.0, -2.5, 500_000.0] {
            let (s, c) = (Interval::point(x).sin(), Interval::point(x).cos());
            assert!(s.width() <= 1e-15 && c.width() <= 1e-15, "{x}: {s:?} {c:?}");
            assert!((s.square() + c.square()).contains(1.0), "{x}");
        }
        assert_eq!(Interval::point(0.0).sin(), Interval::ZERO);
        assert_eq!(Interval::point(1e6).sin(), i(-1.0, 1.0));
    }
}
