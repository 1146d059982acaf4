//! Students at a small angle: no critical point but the global one.
//!
//! docs/theory/enumeration.md, (E.5): inside the cone `F <= theta^4 A / 4`, outside `-F = theta^3 sin(y) p B(theta, y/p)` on one
//! side and `theta^3 sin(psi) D(theta, psi/p)` on the other, with the divided functions of Conjecture 1. Where the second
//! outweighs the first in one of the two equations, there is no root.

use super::opposite;
use super::plane::Arrangement;
use super::system::System;
use crate::Interval;
use crate::conjecture1::{Leaf, Region, divided};

/// Angles are excluded in steps of this size.
const STEP: f64 = 1.0 / 64.0;

/// The largest multiple of the step up to which there is no root.
pub(super) fn excluded_up_to(system: &System) -> f64 {
    if system.arrangement == Arrangement::Mirrored {
        return opposite::NO_ROOT_OF_MIRRORED;
    }
    let mut angle = 0.0;
    while angle < 1.5 && strip_is_excluded(system, angle) {
        angle += STEP;
    }
    angle
}

/// Whether there is no root up to an angle: a multiple of the step, or the angle at which mirrored teachers begin.
pub(super) fn is_excluded_up_to(system: &System, angle: f64) -> bool {
    if system.arrangement == Arrangement::Mirrored {
        return angle <= opposite::NO_ROOT_OF_MIRRORED;
    }
    let mut reached = 0.0;
    while reached < angle && reached < 1.5 && strip_is_excluded(system, reached) {
        reached += STEP;
    }
    reached == angle
}

/// Whether no root has an angle between a multiple of the step and the next one.
fn strip_is_excluded(system: &System, from: f64) -> bool {
    match system.arrangement {
        Arrangement::Opposite => opposite::no_root(system, from, from + STEP),
        _ => no_root(system, from, from + STEP),
    }
}

/// A lower bound of `-F / theta^3` for a teacher whose distance from the cone is in `distance`, on the side of the region.
fn outside(region: Region, from: f64, to: f64, distance: Interval) -> f64 {
    let theta = Interval::ZERO
        .hull(Interval::point(to))
        .intersection(Interval::point(from).hull(Interval::point(to)));
    let p = Interval::PI - theta;
    let share = distance / p;
    if !distance.is_certainly_positive() || share.hi() > 1.0 {
        return 0.0;
    }
    let value = divided(region, &Leaf { theta: [from, to], u: [share.lo(), share.hi()] });
    let factor = if region == Region::B { p } else { Interval::ONE };
    (distance.sin() * factor * value).lo()
}

fn no_root(system: &System, from: f64, to: f64) -> bool {
    let inside = divided(Region::A, &Leaf { theta: [from, to], u: [0.0, 1.0] });
    let weight = system.inside * inside * Interval::point(to) * 0.25;
    // The distance of the outer teacher from the nearer student.
    let size = system.beta.abs();
    let distance = (size - Interval::ZERO.hull(Interval::point(to))).intersection(size.hull(Interval::ZERO));
    // One equation sees it behind the cone, the other before it.
    [Region::B, Region::D].into_iter().any(|region| {
        let bound = outside(region, from, to, distance);
        (system.outside * bound - weight).is_certainly_positive()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(outside: f64, beta: f64) -> System {
        System {
            inside: Interval::ONE,
            outside: Interval::point(outside),
            beta: Interval::point(beta),
            arrangement: Arrangement::General,
        }
    }

    #[test]
    fn the_excluded_angle_grows_with_the_outer_teacher() {
        let right_angle = std::f64::consts::FRAC_PI_2;
        let strong = excluded_up_to(&system(1.0, right_angle));
        let weak = excluded_up_to(&system(0.1, right_angle));
        assert!(strong > 0.5 && (0.08..0.3).contains(&weak), "{strong} {weak}");
        // Teachers that are nearly opposite leave nothing to exclude.
        assert_eq!(excluded_up_to(&system(1.0, 3.13)), 0.0);
    }

    /// Points just inside the excluded range are no roots of both equations.
    #[test]
    fn no_root_is_excluded() {
        for (outer, beta) in [(1.0, 1.5), (0.3, -0.8), (0.1, 2.0)] {
            let system = system(outer, beta);
            let end = excluded_up_to(&system);
            for n in 1..40 {
                for m in 0..=20 {
                    let (theta, u) = (end * f64::from(n) / 40.0, f64::from(m) / 20.0);
                    let [a, b] = system.equations(Interval::point(theta), Interval::point(u));
                    assert!(a.value.hi() < 0.0 || b.value.hi() < 0.0, "{outer} {beta} {theta} {u}");
                }
            }
        }
    }
}
