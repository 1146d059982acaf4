//! The even function `H(x) = h(|x|)` of period `2 pi`, with three derivatives.
//!
//! `h(x) = (pi - x) cos x + sin x`, `h'(x) = -(pi - x) sin x`, `h''(x) = sin x - (pi - x) cos x` on `[0, pi]`. `H` is twice
//! continuously differentiable on the circle, also at the multiples of pi. The third derivative jumps there; over an
//! interval that contains one, both sides are enclosed.

use crate::Interval;

/// Values and derivatives of `H` over an interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    pub(super) value: Interval,
    pub(super) first: Interval,
    pub(super) second: Interval,
    pub(super) third: Interval,
}

/// `[0, pi]`.
fn half_turn() -> Interval {
    Interval::ZERO.hull(Interval::PI)
}

/// On `[0, pi]`; `odd` is the sign of the odd derivatives.
fn on_half_turn(y: Interval, odd: f64) -> Values {
    let supplement = (Interval::PI - y).positive_part();
    let (s, c) = (y.sin().positive_part(), y.cos());
    let at = |x: f64| {
        let x = Interval::point(x);
        ((Interval::PI - x).positive_part() * x.cos() + x.sin()).positive_part()
    };
    // h decreases.
    let ends = (at(y.hi()), at(y.lo()));
    let value = Interval::new(ends.0.lo(), ends.1.hi()).unwrap_or_else(half_turn);
    let third = (c * 2.0 + supplement * s) * odd;
    Values { value, first: supplement * s * -odd, second: s - supplement * c, third }
}

impl Values {
    /// Over any interval; longer ones than a turn take a whole turn.
    pub(super) fn over(x: Interval) -> Self {
        let turns = x / Interval::PI;
        if !turns.is_bounded() || turns.width() >= 2.0 {
            let y = half_turn();
            return on_half_turn(y, 1.0).hull(on_half_turn(y, -1.0));
        }
        let (first, last) = (turns.lo().floor(), turns.hi().floor());
        let mut all: Option<Self> = None;
        let mut n = first;
        while n <= last {
            let even = libm::fmod(n, 2.0) == 0.0;
            let y = if even { x - Interval::PI * n } else { Interval::PI * (n + 1.0) - x };
            let y = y.intersection(half_turn());
            if !y.is_empty() {
                let piece = on_half_turn(y, if even { 1.0 } else { -1.0 });
                all = Some(all.map_or(piece, |a| a.hull(piece)));
            }
            n += 1.0;
        }
        let entire = Interval::ENTIRE;
        all.unwrap_or(Self { value: entire, first: entire, second: entire, third: entire })
    }

    fn hull(self, other: Self) -> Self {
        Self {
            value: self.value.hull(other.value),
            first: self.first.hull(other.first),
            second: self.second.hull(other.second),
            third: self.third.hull(other.third),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    /// Members of an interval have their values inside, and a difference quotient lies in the derivative over the interval.
    #[test]
    fn values_and_derivatives_are_enclosed() {
        let plain = |x: f64| {
            let y = x.rem_euclid(2.0 * PI);
            let y = if y > PI { 2.0 * PI - y } else { y };
            (PI - y) * libm::cos(y) + libm::sin(y)
        };
        for n in -70..70 {
            let (low, width) = (f64::from(n) * 0.137, 0.01 + 0.3 * f64::from((n + 70) % 7));
            let over = Values::over(Interval::new(low, low + width).unwrap());
            let mut before: Option<(f64, f64)> = None;
            for m in 0..=20 {
                let x = low + width * f64::from(m) / 20.0;
                let value = plain(x);
                assert!(over.value.lo() - 1e-14 <= value && value <= over.value.hi() + 1e-14, "{x}");
                if let Some((x0, v0)) = before {
                    let slope = (value - v0) / (x - x0);
                    assert!(over.first.lo() - 1e-10 <= slope && slope <= over.first.hi() + 1e-10, "{x}");
                }
                before = Some((x, value));
            }
            let (a, b) = (Values::over(Interval::point(low)), Values::over(Interval::point(low + width)));
            let slope = (b.first.middle() - a.first.middle()) / width;
            assert!(over.second.lo() - 1e-12 <= slope && slope <= over.second.hi() + 1e-12, "{low}");
        }
    }

    #[test]
    fn a_whole_turn_takes_every_value() {
        for x in [Interval::new(-1.0, 6.0).unwrap(), Interval::ENTIRE] {
            let all = Values::over(x);
            assert!(all.value.encloses(half_turn()) && all.first.contains(1.8) && all.first.contains(-1.8));
            assert!(all.second.contains(-PI) && all.second.contains(1.0));
        }
    }

    #[test]
    fn the_kinks_are_smooth() {
        let zero = Values::over(Interval::ball(0.0, 1e-9));
        assert!(zero.first.contains(0.0) && zero.second.contains(-PI) && zero.second.width() < 1e-7);
        let pi = Values::over(Interval::PI);
        assert!(pi.first.contains(0.0) && pi.second.contains(0.0) && pi.second.width() < 1e-14);
    }
}
