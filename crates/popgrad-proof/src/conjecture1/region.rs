//! The functions that the search proves to be above zero, one for each region.
//!
//! docs/theory/conjecture1.md, (C.20) to (C.24). Everything that depends on `theta` alone is divided by its power of `theta`
//! and `p = pi - theta` and has no cancellation on the closed interval `[0, pi]`.

use super::{Leaf, Region};
use crate::Interval;

/// Factors on the terms of the functions, all 1 in a proof. The tests put in others to see the proof fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors {
    pub(super) pi: Interval,
    pub(super) d: Interval,
    pub(super) delta: Interval,
    pub(super) s: Interval,
    pub(super) e: Interval,
    pub(super) b: Interval,
    pub(super) kappa: Interval,
    pub(super) kappa3: Interval,
}

impl Factors {
    pub(super) const EXACT: Self = {
        let one = Interval::ONE;
        Self { pi: one, d: one, delta: one, s: one, e: one, b: one, kappa: one, kappa3: one }
    };
}

/// What depends on `theta` alone; the names are those of the theory page, a digit is the power of `theta` divided out.
struct Terms {
    theta: Interval,
    p: Interval,
    s: Interval,
    /// `sin theta / theta`.
    s1: Interval,
    /// `sin theta / p`.
    s_over_p: Interval,
    h: Interval,
    kappa: Interval,
    kappa3: Interval,
    d2: Interval,
    s3: Interval,
    e3: Interval,
    /// `Delta / (p theta^3)`.
    delta3: Interval,
    b3: Interval,
    /// `(D - pi eta s) / theta^3`.
    m3: Interval,
}

impl Terms {
    fn new(theta: Interval, factors: &Factors) -> Self {
        let pi = Interval::PI * factors.pi;
        let p = (pi - theta).positive_part();
        let c = theta.cos();
        let s1 = theta.sinc().positive_part();
        let s_over_p = p.sinc().positive_part();
        let s = theta.sin().positive_part();
        let h_over_p = c + s_over_p;
        let h = p * h_over_p;
        let (c2, k3, kappa3) = (theta.c2(), theta.k3(), theta.kappa3() * factors.kappa3);
        let pc2 = p * c2;
        let square = theta.square();
        Self {
            d2: (pi + h) * (pc2 + theta * k3) * factors.d,
            s3: (pc2 + k3 * (theta + h)) * factors.s,
            e3: (pi * 8.0 * (theta * 2.0).k3() - (theta * square * k3.square() + s * 2.0 * c2)) * factors.e,
            delta3: (pi * 2.0 * kappa3 + h_over_p * k3 * (theta + s)) * factors.delta,
            b3: ((pi + h) * c * k3 - pc2 * square * kappa3) * factors.b,
            m3: (pi + h) * k3 + pc2 * square * kappa3,
            kappa: (pi * c + h) * factors.kappa,
            theta,
            p,
            s,
            s1,
            s_over_p,
            h,
            kappa3,
        }
    }
}

/// The range of an increasing function that is positive at 0, from its ends; unbounded beyond `pi`.
fn increasing(x: Interval, f: impl Fn(Interval) -> Interval) -> Interval {
    let (low, high) = (f(Interval::point(x.lo())), f(Interval::point(x.hi())));
    low.hull(high).intersection(Interval::new(0.0, f64::INFINITY).unwrap_or(Interval::ENTIRE))
}

/// `-(x cot x)' / x = 4 k3(2x) / sinc(x)^2`, increasing on `[0, pi)`.
fn slope(x: Interval) -> Interval {
    increasing(x, |x| (x * 2.0).k3() * 4.0 / x.sinc().positive_part().square())
}

/// `(1/x - cot x) / x = kappa3(x) / sinc(x)`, increasing on `[0, pi)`.
fn gap(x: Interval) -> Interval {
    increasing(x, |x| x.kappa3() / x.sinc().positive_part())
}

/// `s (1 - y cot y)` for `0 <= y <= p`: by (C.23) at most `s + y max(-cos y, 0)`, however near `y` is to pi.
fn weighted_gap(s: Interval, y: Interval) -> Interval {
    let direct = s * y.square() * gap(y);
    let bound = s + y * (-y.cos()).positive_part();
    direct.intersection(Interval::new(0.0, bound.hi()).unwrap_or(Interval::ENTIRE))
}

/// An enclosure of the function of a region over a box.
pub(super) fn enclosure(region: Region, leaf: &Leaf, factors: &Factors) -> Interval {
    let (Some(theta), Some(u)) =
        (Interval::new(leaf.theta[0], leaf.theta[1]), Interval::new(leaf.u[0], leaf.u[1]))
    else {
        return Interval::ENTIRE;
    };
    let t = Terms::new(theta, factors);
    match region {
        Region::A => inside(&t, u),
        Region::B => behind(&t, u),
        Region::C => opposite(&t, u),
        Region::D => before(&t, u),
    }
}

/// (C.20): `D/theta^2 + pi p s1^2 - p s1 kappa w/theta`, `w` between its values at `u theta` and `theta`.
fn inside(t: &Terms, u: Interval) -> Interval {
    let w = (u * slope(u * t.theta)).hull(slope(t.theta));
    t.d2 + Interval::PI * t.p * t.s1.square() - t.p * t.s1 * t.kappa * w
}

/// (C.21): `Delta/(p theta^3) + u B/theta^3 - (S/theta^3) (s/p) (1 - y cot y)`, `y = u p`.
fn behind(t: &Terms, u: Interval) -> Interval {
    let y = u * t.p;
    let direct = t.s_over_p * y.square() * gap(y);
    let divided = weighted_gap(t.s, y) / t.p;
    t.delta3 + u * t.b3 - t.s3 * direct.intersection(divided)
}

/// (C.22): `D/theta^2 - h p s1 u g(x)`, `x = u theta`; beyond `pi/2` at least `D/theta^2 - h p u^2 kappa3(x)`.
fn opposite(t: &Terms, u: Interval) -> Interval {
    let x = u * t.theta;
    let mut term = t.h * t.p * t.s1 * u * gap(x);
    if x.lo() >= 1.58 {
        let bound = t.h * t.p * u.square() * x.kappa3();
        term = term.intersection(Interval::new(0.0, bound.hi()).unwrap_or(Interval::ENTIRE));
    }
    t.d2 - term
}

/// (C.24): `pi E/theta^3 - p kappa3 s (1 - psi cot psi) - u p (D - pi eta s)/theta^3`, `psi = u p`.
fn before(t: &Terms, u: Interval) -> Interval {
    let psi = u * t.p;
    Interval::PI * t.e3 - t.p * t.kappa3 * weighted_gap(t.s, psi) - psi * t.m3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conjecture1::fixture;

    /// The enclosures at points contain the values that the 2 x 2 solve gives in 120 digits.
    #[test]
    fn the_functions_match_the_two_by_two_solve() {
        let mut count = 0;
        for row in fixture::regions() {
            let leaf = Leaf { theta: [row.theta; 2], u: [row.u; 2] };
            let got = enclosure(row.region, &leaf, &Factors::EXACT);
            assert!(row.value.inside(got), "{row:?}: {got:?}");
            // In A the mean of w is enclosed by its ends, and near pi cot is unbounded: elsewhere a point is sharp.
            let sharp = row.region != Region::A && row.theta > 0.02 && row.theta < 3.1;
            if sharp {
                assert!(got.width() <= 1e-10, "{row:?}: {got:?}");
            }
            count += 1;
        }
        assert!(count > 1000, "{count}");
    }

    /// The divided functions of `theta` contain the quotients of their definitions.
    #[test]
    fn the_divided_functions_match_their_definitions() {
        for row in fixture::angles() {
            let t = Terms::new(Interval::point(row.theta), &Factors::EXACT);
            let got = [t.d2, t.s3, t.e3, t.delta3, t.b3, t.m3];
            for (got, want) in got.into_iter().zip(&row.divided) {
                assert!(want.inside(got) && got.width() <= 1e-13, "{}: {got:?} {want:?}", row.theta);
            }
        }
    }
}
