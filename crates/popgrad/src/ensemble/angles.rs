//! Angles of many pairs with one square root each: `pi - theta` and `sin(theta)` from cosines, or from both.
//!
//! With `c = cos(theta)` and `s = sin(theta)`, `|c|` and `s` are cosine and sine of an angle in `[0, pi/2]`. Folded at
//! `pi/4` and turned by `pi/8`, what is left has a sine below `sin(pi/8)`, where ten coefficients of the arcsine are enough
//! and no second root is needed (docs/theory/ensemble.md, (B.5)).
//!
//! Polynomial: Chebyshev interpolation in 60 digits by `tools/lane_polynomials.py 12 11 10`.

use crate::eight::Eight;
use crate::lanes::{fused, horner};
use fearless_simd::{Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, FRAC_PI_8};

/// Coefficients of `(asin(r)/r - 1)/y`, `y = r^2` in `[0, sin(pi/8)^2]`; relative error of `asin` below 2.1e-17.
const ASIN: [f64; 10] = [
    0.16666666666666655,
    0.07500000000017083,
    0.04464285710448711,
    0.030381947777332136,
    0.022372012607820138,
    0.017356444100706234,
    0.01390898588722584,
    0.012070112265968054,
    0.006925299097326817,
    0.016467470525366845,
];

/// `sin(pi/8)` and `cos(pi/8)`.
const SINE: f64 = 0.3826834323650898;
const COSINE: f64 = 0.9238795325112867;

/// `pi/8`, rounded down so that `c = 0` gives `pi/2`, `c = 1` gives `pi` and `c = -1` gives zero.
const EIGHTH: f64 = FRAC_PI_8 - f64::EPSILON / 4.0;

/// Pairs whose angles are formed side by side, while the roots of the next ones are under way.
pub(super) const GROUP: usize = 2;

/// `sin(arccos(c))`; zero where a rounded `|c|` exceeds one.
#[inline(always)]
pub(super) fn sine<S: Simd>(simd: S, c: f64x8<S>) -> f64x8<S> {
    fused(simd, -c, c, f64x8::splat(simd, 1.0)).max(f64x8::splat(simd, 0.0)).sqrt()
}

/// `pi - theta` from `c = cos(theta)` and `s = sin(theta) >= 0`; absolute error at most `2 EPSILON`, measured.
#[inline(always)]
pub(super) fn supplement<S: Simd>(simd: S, c: f64x8<S>, s: f64x8<S>) -> f64x8<S> {
    folded::<S, false>(simd, c, s)
}

/// As [`supplement`], with the polynomial in two halves: one operation more, and sooner there, for kernels that wait for one
/// angle.
#[inline(always)]
pub(super) fn early_supplement<S: Simd>(simd: S, c: f64x8<S>, s: f64x8<S>) -> f64x8<S> {
    folded::<S, true>(simd, c, s)
}

/// The polynomial of [`ASIN`] by its even and its odd coefficients.
#[inline(always)]
fn by_halves<S: Simd>(simd: S, y: f64x8<S>) -> f64x8<S> {
    let square = y * y;
    let (mut even, mut odd) = (f64x8::splat(simd, ASIN[8]), f64x8::splat(simd, ASIN[9]));
    for i in [6, 4, 2, 0] {
        even = fused(simd, even, square, f64x8::splat(simd, ASIN[i]));
        odd = fused(simd, odd, square, f64x8::splat(simd, ASIN[i + 1]));
    }
    fused(simd, odd, y, even)
}

#[inline(always)]
fn folded<S: Simd, const HALVES: bool>(simd: S, c: f64x8<S>, s: f64x8<S>) -> f64x8<S> {
    let a = c.abs();
    let (low, high) = (a.min(s), a.max(s));
    let r = fused(simd, high, f64x8::splat(simd, SINE), -(low * COSINE));
    let y = r * r;
    let arcsine = if HALVES { by_halves(simd, y) } else { horner(simd, &ASIN, y) };
    let turned = fused(simd, r * y, arcsine, f64x8::splat(simd, EIGHTH) + r);
    // Comparisons and selections would take turns with the multiplications; signs do not.
    let folded = f64x8::splat(simd, FRAC_PI_4) + turned.copysign(a - s);
    f64x8::splat(simd, FRAC_PI_2) + folded.copysign(c)
}

/// Turns cosines into `pi - theta`, and writes the sines.
///
/// # Panics
///
/// If `angles` and `sines` differ in length.
#[inline(always)]
pub(super) fn find_angles<S: Simd>(simd: S, angles: &mut [Eight], sines: &mut [Eight]) {
    assert_eq!(angles.len(), sines.len(), "one sine for each angle");
    let whole = angles.len() / GROUP * GROUP;
    let zero = f64x8::splat(simd, 0.0);
    let (mut c, mut s) = ([zero; GROUP], [zero; GROUP]);
    let mut at = 0;
    while at < whole {
        if at == 0 {
            for g in 0..GROUP {
                c[g] = angles[g].load(simd);
                s[g] = sine(simd, c[g]);
            }
        }
        let (mut next_c, mut next_s) = (c, s);
        if at + GROUP < whole {
            let ahead = &angles[at + GROUP..at + 2 * GROUP];
            for g in 0..GROUP {
                next_c[g] = ahead[g].load(simd);
                next_s[g] = sine(simd, next_c[g]);
            }
        }
        let (to_angles, to_sines) = (&mut angles[at..at + GROUP], &mut sines[at..at + GROUP]);
        for g in 0..GROUP {
            to_angles[g].store(supplement(simd, c[g], s[g]));
            to_sines[g].store(s[g]);
        }
        (c, s) = (next_c, next_s);
        at += GROUP;
    }
    for (angle, to) in angles[whole..].iter_mut().zip(&mut sines[whole..]) {
        let c = angle.load(simd);
        let s = sine(simd, c);
        angle.store(supplement(simd, c, s));
        to.store(s);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation)] // lane numbers

    use super::*;
    use crate::Level;
    use crate::lanes::{Lanes, on_lanes};
    use std::f64::consts::PI;

    fn angles_of(level: Level, c: &[f64; 8]) -> ([f64; 8], [f64; 8]) {
        let lanes = Lanes::new(level).expect("available");
        let (mut angles, mut sines) = ([Eight(*c); 3], [Eight::default(); 3]);
        on_lanes!(lanes, simd => find_angles(simd, &mut angles, &mut sines));
        assert!(angles[0] == angles[2] && sines[0] == sines[2], "every place gives the same bits");
        (angles[1].0, sines[1].0)
    }

    #[test]
    fn the_error_is_within_two_epsilon_everywhere() {
        let mut worst = (0.0_f64, 0.0_f64);
        for block in 0..50_000_u32 {
            let c: [f64; 8] =
                std::array::from_fn(|i| -1.0 + 2.0 * f64::from(block * 8 + i as u32) / 399_999.0);
            let (psi, s) = angles_of(Level::detect(), &c);
            for i in 0..8 {
                worst.0 = worst.0.max((psi[i] - libm::acos(-c[i])).abs());
                worst.1 = worst.1.max((s[i] - ((1.0 - c[i]) * (1.0 + c[i])).sqrt()).abs());
            }
        }
        assert!(worst.0 <= 2.0 * f64::EPSILON && worst.1 <= f64::EPSILON, "{worst:?}");
    }

    #[test]
    fn both_orders_of_the_polynomial_are_within_two_epsilon() {
        let (level, mut worst) = (Level::detect(), 0.0_f64);
        let lanes = Lanes::new(level).expect("available");
        for block in 0..50_000_u32 {
            let t: [f64; 8] = std::array::from_fn(|i| PI * f64::from(block * 8 + i as u32) / 399_999.0);
            let (c, s) = (t.map(libm::cos), t.map(libm::sin));
            let psi = on_lanes!(lanes, simd => {
                early_supplement(simd, f64x8::load_array(simd, c), f64x8::load_array(simd, s)).to_array()
            });
            for i in 0..8 {
                worst = worst.max((psi[i] - libm::atan2(s[i], -c[i])).abs());
            }
        }
        assert!(worst <= 2.0 * f64::EPSILON, "{worst:e}");
    }

    #[test]
    fn limits_are_exact_and_rounded_cosines_beyond_one_are_one() {
        let c =
            [1.0, -1.0, 0.0, -0.0, 1.0 + f64::EPSILON, -1.0 - f64::EPSILON, 1.0 - f64::EPSILON / 2.0, 0.5];
        let (psi, s) = angles_of(Level::detect(), &c);
        assert_eq!(psi[..4], [PI, 0.0, FRAC_PI_2, FRAC_PI_2]);
        assert_eq!(s[..6], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert!((psi[4] - PI).abs() <= f64::EPSILON && psi[5].abs() <= f64::EPSILON);
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        for k in 0..2000_u32 {
            let c: [f64; 8] = std::array::from_fn(|i| libm::sin(f64::from(k * 8 + i as u32)));
            let want = angles_of(Level::Portable, &c);
            for level in Level::available() {
                assert_eq!(angles_of(level, &c), want, "{level:?}");
            }
        }
    }
}
