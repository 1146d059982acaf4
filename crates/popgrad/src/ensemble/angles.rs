//! Angles of many pairs: `pi - arccos(c)` and `sin(arccos(c))`, with one square root where every lane allows it.

use crate::lanes::{ASIN, ATAN, fused, horner};
use fearless_simd::{Select, Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{FRAC_PI_2, PI};

/// `pi - arccos(c)` and `sin(arccos(c))` of any cosines; `|c| > 1` counts as 1 (docs/theory/ensemble.md, (E.5)).
///
/// ```text
/// |c| <= 1/2:  psi = pi/2 + asin(c);    otherwise  2 asin(sqrt((1 - |c|)/2)), from pi where c > 0
/// ```
#[inline(always)]
pub(super) fn psi_sine<S: Simd>(simd: S, c: f64x8<S>) -> (f64x8<S>, f64x8<S>) {
    let one = f64x8::splat(simd, 1.0);
    let half = f64x8::splat(simd, 0.5);
    let a = c.abs().min(one);
    let big = a.simd_gt(half);
    let z = (one - a) * half;
    let y = big.select(z, a * a);
    let r = big.select(z.sqrt(), c);
    let asin = fused(simd, r * y, horner(simd, &ASIN, y), r);
    let twice = asin + asin;
    let far = c.simd_lt(f64x8::splat(simd, 0.0)).select(twice, f64x8::splat(simd, PI) - twice);
    let psi = big.select(far, f64x8::splat(simd, FRAC_PI_2) + asin);
    (psi, ((one - a) * (one + a)).sqrt())
}

/// `pi - theta` of an angle whose cosine and sine are both given, each with relative accuracy; relative accuracy at both
/// ends, without a square root (docs/theory/ensemble.md, (E.6)).
///
/// ```text
/// t = min(|c|, s) / (1 + max(|c|, s)),   2 atan(t) = theta, pi - theta, or the excess over pi/2
/// ```
#[inline(always)]
pub(super) fn supplement<S: Simd>(simd: S, c: f64x8<S>, s: f64x8<S>) -> f64x8<S> {
    let one = f64x8::splat(simd, 1.0);
    let a = c.abs();
    let near = a.simd_gt(s);
    let t = near.select(s, c) / (one + near.select(a, s));
    let z = t * t;
    let half = fused(simd, t * z, horner(simd, &ATAN, z), t);
    let twice = half + half;
    let far = c.simd_lt(f64x8::splat(simd, 0.0)).select(twice, f64x8::splat(simd, PI) - twice);
    near.select(far, f64x8::splat(simd, FRAC_PI_2) + twice)
}
