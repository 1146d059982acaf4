//! What `L12` needs of the angle between the two students, without cancellation at either end.

use crate::arc_cosine::angular_c1;
use std::f64::consts::PI;

/// Coefficients of `(t - sin t) / t^3` in powers of `t^2`: `(-1)^n / (2n+3)!`.
/// With nine terms the truncation error below `t = 1.2` is under 1e-20.
const CUBE_SERIES: [f64; 9] = [
    1.0 / 6.0,
    -1.0 / 120.0,
    1.0 / 5040.0,
    -1.0 / 362_880.0,
    1.0 / 39_916_800.0,
    -1.0 / 6_227_020_800.0,
    1.0 / 1_307_674_368_000.0,
    -1.0 / 355_687_428_096_000.0,
    1.0 / 121_645_100_408_832_000.0,
];

/// `t - sin t` for `t >= 0`, to full relative accuracy.
fn less_its_sine(t: f64) -> f64 {
    if t >= 1.2 {
        return t - libm::sin(t);
    }
    let z = t * t;
    let mut sum = CUBE_SERIES[8];
    for c in CUBE_SERIES[..8].iter().rev() {
        sum = sum.mul_add(z, *c);
    }
    sum * z * t
}

/// An angle in `[0, pi]` with its supplement, and the functions of it that stand in `F`
/// (docs/theory/normal_equation.md, (N.16)-(N.18)). All but `kappa` and `ahead` keep their relative accuracy.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThetaPart {
    pub(super) theta: f64,
    /// `p = pi - theta`.
    pub(super) p: f64,
    pub(super) sine: f64,
    pub(super) cosine: f64,
    /// `h(theta)`.
    pub(super) h: f64,
    /// `k = sin theta - theta cos theta`.
    pub(super) k: f64,
    /// `D = pi^2 - h^2`.
    pub(super) det: f64,
    /// `eta = p sin theta`.
    pub(super) eta: f64,
    /// `kappa = pi cos theta + h`.
    pub(super) kappa: f64,
    /// `S`, times `sin theta` the curvature ahead of the cone.
    pub(super) s: f64,
    /// `Delta`, minus the slope of `F` at `phi = theta`.
    pub(super) delta: f64,
    /// `E`, the slope of `F` at `phi = 0` over pi.
    pub(super) e: f64,
    /// The terms of `E`, added without their signs.
    pub(super) e_size: f64,
    /// `B = D cos theta - eta h sin theta`.
    pub(super) ahead: f64,
    /// The terms of `B`, added without their signs.
    pub(super) ahead_size: f64,
    /// `G = D - pi eta sin theta`.
    pub(super) behind: f64,
}

impl ThetaPart {
    /// Of `theta` and `p = pi - theta`, each accurate relatively.
    pub(super) fn new(theta: f64, p: f64) -> Self {
        let blunt = theta > p;
        let sine = if blunt { libm::sin(p) } else { libm::sin(theta) };
        let cosine = if blunt { -libm::cos(p) } else { libm::cos(theta) };
        let versine = 2.0 * square(libm::sin(0.5 * theta));
        let cube = less_its_sine(theta);
        let k = angular_c1(theta);
        let h = if theta > 1.2 { angular_c1(p) } else { p * cosine + sine };
        let eta = p * sine;
        let (e_one, e_two) = (PI * less_its_sine(2.0 * theta), cube * cube + 2.0 * sine * theta * versine);
        let (ahead_one, ahead_two) = ((PI + h) * cosine * cube, p * versine * k);
        Self {
            theta,
            p,
            sine,
            cosine,
            h,
            k,
            eta,
            det: (PI + h) * (p * versine + cube),
            kappa: PI * cosine + h,
            s: theta * p * versine + cube * (theta + h),
            delta: 2.0 * PI * p * k + h * cube * (theta + sine),
            e: e_one - e_two,
            e_size: e_one + e_two,
            ahead: ahead_one - ahead_two,
            ahead_size: ahead_one.abs() + ahead_two,
            behind: (PI + h) * cube + p * versine * k,
        }
    }

    /// `L12 / F = sin theta / D`; zero where `D` underflows, which `L12` does much earlier.
    pub(super) fn scale(&self) -> f64 {
        if self.det > 0.0 { self.sine / self.det } else { 0.0 }
    }
}

fn square(x: f64) -> f64 {
    x * x
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The identities of (N.16)-(N.18), away from the ends where their plain sides cancel.
        #[test]
        fn the_functions_satisfy_their_identities(theta in 0.2..3.0_f64) {
            let t = ThetaPart::new(theta, PI - theta);
            let (s, c, h, p) = (t.sine, t.cosine, t.h, t.p);
            let pairs = [
                (t.det, PI * PI - h * h),
                (t.s, t.det - p * (PI - h * c)),
                (-t.delta, t.det * (p * c - s) - t.eta * t.eta * h),
                (t.e, t.det - t.eta * t.eta),
                (t.ahead, t.det * c - t.eta * h * s),
                (t.behind, t.det - PI * t.eta * s),
                (PI * t.s, theta * t.det - p * h * t.k),
            ];
            for (i, (got, want)) in pairs.into_iter().enumerate() {
                // Each plain side has terms of at most 40.
                prop_assert!((got - want).abs() < 400.0 * f64::EPSILON, "identity {i}: {got} {want}");
            }
        }
    }
}
