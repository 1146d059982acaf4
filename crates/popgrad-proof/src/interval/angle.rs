//! Arc cosine and the angle of a point.
//!
//! A floating-point arc tangent `t` of the point `(x, y)` is a guess. In the frame turned by `t` the point has the angle
//! `delta = atan(q)`, `q = (y cos t - x sin t) / (x cos t + y sin t)`, evaluated in intervals; and
//! `q (1 - q^2/3) <= atan(q) <= q` for `q >= 0`. A bad guess makes `q` large, and then nothing is claimed. A guess on the
//! point's side of the axis, at most 3.2 in magnitude, is less than a turn away from the angle, so `delta` is what is missing.

use super::Interval;

/// A quotient beyond means that the guess was none.
const NEAR: f64 = 0.5;

/// Both coordinates are brought near 1 by one power of two, exactly or with outward rounding.
fn scaled(y: f64, x: f64) -> (Interval, Interval) {
    let size = y.abs().max(x.abs());
    let power = if size > 1e150 {
        f64::from_bits(0x1a70_0000_0000_0000) // 2^-600
    } else if size < 1e-150 {
        f64::from_bits(0x6570_0000_0000_0000) // 2^600
    } else {
        return (Interval::point(y), Interval::point(x));
    };
    (Interval::point(y) * power, Interval::point(x) * power)
}

/// The angle of one point, which is not the origin, in `[-pi, pi]`.
fn angle_at(y: f64, x: f64) -> Interval {
    let half_turns = Interval { lo: -Interval::PI.hi, hi: Interval::PI.hi };
    if y == 0.0 {
        return if x > 0.0 { Interval::ZERO } else { Interval::PI };
    }
    let t = libm::atan2(y, x);
    if t.abs() > 3.2 || t.is_sign_positive() != (y > 0.0) {
        return half_turns;
    }
    let guess = Interval::point(t);
    let (sine, cosine) = (guess.sin(), guess.cos());
    let (y, x) = scaled(y, x);
    let along = x * cosine + y * sine;
    let q = (y * cosine - x * sine) / along;
    if !along.is_certainly_positive() || q.magnitude() > NEAR {
        return half_turns;
    }
    let shrink = Interval::ONE - q.square() / 3.0 * Interval::UNIT;
    (guess + q * shrink).intersection(half_turns)
}

impl Interval {
    /// The angles of all points `(x, y)` of a rectangle, in `[-pi, pi]`.
    ///
    /// All of `[-pi, pi]` if the rectangle contains the origin or meets the negative axis with points below it.
    #[must_use]
    pub fn atan2(y: Self, x: Self) -> Self {
        if y.is_empty() || x.is_empty() {
            return Self::EMPTY;
        }
        let unknown = Self { lo: -Self::PI.hi, hi: Self::PI.hi };
        let touches_cut = x.lo < 0.0 && y.lo < 0.0 && y.hi >= 0.0;
        let has_origin = x.contains(0.0) && y.contains(0.0);
        if touches_cut || has_origin || !y.is_bounded() || !x.is_bounded() {
            return unknown;
        }
        // The rectangle is convex and off the cut, so its extreme angles are at corners.
        let corners = [(y.lo, x.lo), (y.lo, x.hi), (y.hi, x.lo), (y.hi, x.hi)];
        corners.into_iter().map(|(y, x)| angle_at(y, x)).fold(Self::EMPTY, Self::hull)
    }

    /// The arc cosine of the members in `[-1, 1]`; empty if there is none.
    #[must_use]
    pub fn acos(self) -> Self {
        let x = self.intersection(Self { lo: -1.0, hi: 1.0 });
        if x.is_empty() {
            return x;
        }
        let at = |c: f64| {
            let c = Self::point(c);
            Self::atan2(((Self::ONE - c) * (Self::ONE + c)).sqrt(), c)
        };
        Self { lo: at(x.hi).lo.max(0.0), hi: at(x.lo).hi }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn i(lo: f64, hi: f64) -> Interval {
        Interval::new(lo, hi).unwrap()
    }

    #[test]
    fn known_angles_are_inside_and_tight() {
        let quarter = Interval::PI / 4.0;
        let one = Interval::ONE;
        for (got, want) in [
            (Interval::atan2(one, one), quarter),
            (Interval::atan2(one, Interval::ZERO), quarter * 2.0),
            (Interval::atan2(one, -one), quarter * 3.0),
            (Interval::atan2(-one, -one), quarter * -3.0),
            (Interval::atan2(Interval::ZERO, -one), Interval::PI),
            (Interval::ZERO.acos(), quarter * 2.0),
            ((-one).acos(), Interval::PI),
            (Interval::point(0.5).acos(), Interval::PI / 3.0),
        ] {
            assert!(!got.intersection(want).is_empty() && got.width() <= 2e-15, "{got:?} {want:?}");
        }
        assert_eq!(one.acos(), Interval::ZERO);
        assert!(i(2.0, 3.0).acos().is_empty());
    }

    #[test]
    fn rectangles_off_the_cut_have_their_angles_at_corners() {
        let angles = Interval::atan2(i(0.0, 1.0), i(-1.0, 1.0));
        assert_eq!(angles, i(-Interval::PI.hi(), Interval::PI.hi()), "the origin is inside");
        let angles = Interval::atan2(i(0.0, 0.5), i(-2.0, -1.0));
        assert!(angles.contains(3.0) && angles.hi() >= Interval::PI.lo() && angles.lo() > 2.6, "{angles:?}");
        let angles = Interval::atan2(i(-0.5, 0.0), i(-2.0, -1.0));
        assert_eq!(angles.lo(), -Interval::PI.hi());
        let angles = Interval::atan2(i(1.0, 2.0), i(-1.0, 1.0));
        assert!(angles.contains(std::f64::consts::FRAC_PI_2) && angles.width() < 1.6);
    }

    #[test]
    fn extreme_sizes_are_scaled() {
        let fourth = Interval::PI / 4.0;
        for size in [5e-324, 1e-300, 1e-160, 1e160, 1.7e308] {
            let angle = Interval::atan2(Interval::point(size), Interval::point(size));
            assert!(angle.width() <= 2e-15 && !angle.intersection(fourth).is_empty(), "{size:e}: {angle:?}");
        }
        let flat = Interval::atan2(Interval::point(5e-324), Interval::point(1e308));
        assert!(flat.lo() >= 0.0 && flat.hi() <= 1e-320, "{flat:?}");
    }
}
