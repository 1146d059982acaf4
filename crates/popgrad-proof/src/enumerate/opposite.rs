//! Opposite teachers: students at a small angle, divided by `theta^4`.
//!
//! docs/theory/enumeration.md, section 6, (E.10). The outer teacher is opposite the place `u` of the inner one in the cone, where `F` is of
//! the order `theta^4` like inside. With the divided functions of Conjecture 1, (C.20) and (C.22), both are written out:
//!
//! ```text
//! f1 / theta^4 = |v_in| u (1-u) sinc(u theta) A(theta, u)
//!                - |v_out| [u^2 sinc(u theta) C(theta, u) + pi p sinc(theta) (1-u)^3 kappa3((1-u) theta)]
//! f2 / theta^4 = the same at 1 - u
//! ```

use super::system::System;
use crate::Interval;
use crate::conjecture1::{Leaf, Region, divided};

/// Pieces of the cone narrower than this are not cut any more.
const NARROWEST: f64 = 1.0 / 2048.0;

/// Opposite teachers of one length leave no root with an angle strictly between 0 and pi, by (E.12) and (E.13). The search for
/// those at pi begins here.
pub(super) const NO_ROOT_OF_MIRRORED: f64 = 3.0;

/// `A(theta, u)` for small angles. The mean of `w` in (C.20) over `[u theta, theta]`, divided by `theta`, is
/// `(1+u) g(u theta) + theta g'(x)` with `g(x) = (1/x - cot x)/x` and some `x` up to `theta`, and `theta g'(x)` lies between 0 and
/// `w(theta)/theta - 2 g(theta)`, because all Taylor coefficients of `g` are positive: (E.11).
fn between(theta: Interval, u: Interval) -> Interval {
    let p = (Interval::PI - theta).positive_part();
    let sinc = theta.sinc();
    let h = p * (theta.cos() + p.sinc());
    let d = (Interval::PI + h) * (p * theta.c2() + theta * theta.k3());
    let gap = |x: Interval| x.kappa3() / x.sinc();
    let end = Interval::point(theta.hi());
    let bend = (end * 2.0).k3() * 4.0 / end.sinc().square() - gap(end) * 2.0;
    let mean = (u + 1.0) * gap(u * theta) + Interval::ZERO.hull(bend);
    d + Interval::PI * p * sinc.square() - p * sinc * (Interval::PI * theta.cos() + h) * mean
}

/// `f1 / theta^4` over a box.
fn divided_equation(system: &System, theta: [f64; 2], u: Interval) -> Interval {
    let leaf = Leaf { theta, u: [u.lo(), u.hi()] };
    let (Some(t), rest) = (Interval::new(theta[0], theta[1]), Interval::ONE - u) else {
        return Interval::ENTIRE;
    };
    let p = (Interval::PI - t).positive_part();
    let near = (u * t).sinc();
    let inside = u * rest * near * between(t, u).intersection(divided(Region::A, &leaf));
    let cube = rest * rest.square();
    let behind = Interval::PI * p * t.sinc() * cube * (rest * t).kappa3();
    let outside = u.square() * near * divided(Region::C, &leaf) + behind;
    system.inside * inside - system.outside * outside
}

/// Whether no root has its angle in a strip.
pub(super) fn no_root(system: &System, from: f64, to: f64) -> bool {
    let mut open = vec![Interval::UNIT];
    while let Some(u) = open.pop() {
        let rest = (Interval::ONE - u).intersection(Interval::UNIT);
        let excluded = [u, rest].into_iter().any(|u| !divided_equation(system, [from, to], u).contains(0.0));
        if excluded {
            continue;
        }
        if u.width() < NARROWEST {
            return false;
        }
        let middle = Interval::point(u.middle());
        open.extend([Interval::point(u.lo()).hull(middle), middle.hull(Interval::point(u.hi()))]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enumerate::plane::Arrangement;

    fn system(inside: f64, outside: f64) -> System {
        System {
            inside: Interval::point(inside),
            outside: Interval::point(outside),
            beta: Interval::PI,
            arrangement: Arrangement::Opposite,
        }
    }

    #[test]
    fn the_divided_equation_is_the_equation() {
        let system = system(1.0, 0.7);
        for theta in [0.3, 0.9, 1.7, 2.6] {
            for u in [0.05, 0.31, 0.5, 0.93] {
                let [f1, f2] = system.equations(Interval::point(theta), Interval::point(u));
                let power = theta * theta * theta * theta;
                for (f, place) in [(f1, u), (f2, 1.0 - u)] {
                    let got = divided_equation(&system, [theta; 2], Interval::point(place));
                    let want = f.value.middle() / power;
                    assert!(
                        got.lo() - 1e-9 <= want && want <= got.hi() + 1e-9,
                        "{theta} {u}: {got:?} {want}"
                    );
                }
            }
        }
    }

    /// The bisector is where a root may be: the strip at 0 is excluded unless the lengths are nearly equal.
    #[test]
    fn strips_are_excluded_unless_the_lengths_are_equal() {
        for (inside, outside) in [(1.0, 0.5), (0.5, 1.0), (1.0, 0.1), (0.1, 1.0), (1.0, 0.9)] {
            assert!(no_root(&system(inside, outside), 0.0, 1.0 / 64.0), "{inside} {outside}");
        }
        assert!(!no_root(&system(1.0, 1.0), 0.0, 1.0 / 64.0));
    }

    /// (E.12) and (E.13) for teachers of one length: sum and difference of the equations, and their signs.
    #[test]
    fn mirrored_teachers_leave_no_root() {
        let system = system(1.0, 1.0);
        let pi = std::f64::consts::PI;
        for n in 1..60 {
            let theta = pi * f64::from(n) / 60.0;
            for k in 0..=40 {
                let u = f64::from(k) / 40.0;
                let (m, z) = (0.5 * theta, (0.5 - u) * theta);
                let (s, c, p) = (libm::sin(m), libm::cos(m), pi - theta);
                let h = p * libm::cos(theta) + libm::sin(theta);
                let [f1, f2] =
                    system.equations(Interval::point(theta), Interval::point(u)).map(|f| f.value.middle());
                let sum = 2.0 * p * s * (theta - libm::sin(theta)) * libm::cos(z)
                    - z * libm::sin(z) * (4.0 * c * (pi + h) + 8.0 * p * s * s * c);
                let difference =
                    8.0 * s * (pi - m - s * c) * z * libm::cos(z) - 4.0 * p * c * (m + s * c) * libm::sin(z);
                assert!((f1 + f2 - (pi - h) * sum).abs() < 1e-12, "{theta} {u}");
                assert!((f1 - f2 - (pi + h) * difference).abs() < 1e-12, "{theta} {u}");
                assert!(difference * z > 0.0 || z.abs() < 1e-9, "{theta} {u}: {difference}");
            }
        }
    }
}
