//! Eight numbers at a time: the SIMD levels, and the angle functions that everything fast stands on.
//!
//! Every kernel is written once over eight lanes of `fearless_simd` and compiled for three levels, chosen at run
//! time: AVX-512, AVX2 with FMA, and a portable one that emulates the fused multiply-add. Only IEEE `+ - * / sqrt`
//! and single-rounding fused multiply-adds are used, in a fixed order, so all levels give the same bits.
//!
//! Polynomials: Chebyshev interpolation in 60 digits by `tools/lane_polynomials.py 12 11 10`.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// Which instructions the fast kernels use. All levels give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Eight lanes in one register.
    Avx512,
    /// Eight lanes in two registers, fused multiply-add in hardware.
    Avx2,
    /// Any machine; fused multiply-adds may be emulated: right bits, no promise of speed.
    Portable,
}

impl Level {
    /// The fastest level of this machine.
    ///
    /// ```
    /// let level = popgrad::Level::detect();
    /// assert!(popgrad::Level::available().contains(&level));
    /// ```
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// All levels of this machine, fastest first.
    pub fn available() -> Vec<Self> {
        let mut out = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let detected = fearless_simd::Level::new();
            if detected.as_avx512().is_some() {
                out.push(Self::Avx512);
            }
            if detected.as_avx2().is_some() {
                out.push(Self::Avx2);
            }
        }
        out.push(Self::Portable);
        out
    }
}

#[cfg(target_arch = "x86_64")]
type PortableToken = fearless_simd::x86::Sse2;
#[cfg(target_arch = "aarch64")]
type PortableToken = fearless_simd::aarch64::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
type PortableToken = fearless_simd::wasm32::WasmSimd128;
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
type PortableToken = fearless_simd::Fallback;

/// A level whose presence has been checked once, ready for use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lanes {
    /// See [`Level::Avx512`].
    #[cfg(target_arch = "x86_64")]
    Avx512(fearless_simd::x86::Avx512),
    /// See [`Level::Avx2`].
    #[cfg(target_arch = "x86_64")]
    Avx2(fearless_simd::x86::Avx2),
    /// See [`Level::Portable`].
    Portable(PortableToken),
}

impl Lanes {
    /// The given level, or `None` where this machine lacks it.
    pub(crate) fn new(level: Level) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let detected = fearless_simd::Level::new();
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => detected.as_avx512().map(Self::Avx512),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => detected.as_avx2().map(Self::Avx2),
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx512 | Level::Avx2 => None,
            Level::Portable => match fearless_simd::Level::baseline() {
                #[cfg(target_arch = "x86_64")]
                fearless_simd::Level::Sse2(token) => Some(Self::Portable(token)),
                #[cfg(target_arch = "aarch64")]
                fearless_simd::Level::Neon(token) => Some(Self::Portable(token)),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                fearless_simd::Level::WasmSimd128(token) => Some(Self::Portable(token)),
                #[cfg(not(any(
                    target_arch = "x86_64",
                    target_arch = "aarch64",
                    all(target_arch = "wasm32", target_feature = "simd128")
                )))]
                fearless_simd::Level::Fallback(token) => Some(Self::Portable(token)),
                _ => None,
            },
        }
    }

    /// The fastest level of this machine.
    pub(crate) fn detect() -> Self {
        Self::new(Level::detect()).expect("a level that was detected is there")
    }
}

/// Runs an expression with `$simd` bound to the token of the level, compiled for that level. The second form also
/// binds a constant that says whether the level has thirty-two registers of eight lanes.
macro_rules! on_lanes {
    ($lanes:expr, $simd:ident => $op:expr) => {
        on_lanes!($lanes, $simd, _WIDE => $op)
    };
    ($lanes:expr, $simd:ident, $wide:ident => $op:expr) => {
        match $lanes {
            #[cfg(target_arch = "x86_64")]
            $crate::lanes::Lanes::Avx512($simd) => {
                const $wide: bool = true;
                fearless_simd::Simd::vectorize(
                    $simd,
                    #[inline(always)]
                    || $op,
                )
            }
            #[cfg(target_arch = "x86_64")]
            $crate::lanes::Lanes::Avx2($simd) => {
                const $wide: bool = false;
                fearless_simd::Simd::vectorize(
                    $simd,
                    #[inline(always)]
                    || $op,
                )
            }
            $crate::lanes::Lanes::Portable($simd) => {
                const $wide: bool = false;
                fearless_simd::Simd::vectorize(
                    $simd,
                    #[inline(always)]
                    || $op,
                )
            }
        }
    };
}
pub(crate) use on_lanes;

/// Coefficients of `(asin(r)/r - 1)/y`, `y = r^2` in `[0, 1/4]`; relative error of `asin` below 5.6e-17.
const ASIN: [f64; 12] = [
    0.1666666666666665,
    0.07500000000020764,
    0.044642857103423646,
    0.03038194736709848,
    0.02237204763174451,
    0.017355259955786323,
    0.013929652902326633,
    0.011875494382636922,
    0.0078029494773533175,
    0.01603551434914882,
    -0.010749050339697808,
    0.028169218060881414,
];

/// Coefficients of `(atan(u)/u - 1)/z`, `z = u^2` in `[0, tan(pi/8)^2]`; relative error of `atan` below 7.2e-18.
const ATAN: [f64; 11] = [
    -0.3333333333333333,
    0.1999999999999552,
    -0.14285714284666542,
    0.11111111015256361,
    -0.09090904578123903,
    0.07692183190826087,
    -0.06664511447381948,
    0.0585814891280221,
    -0.0508544973794026,
    0.03923165829558719,
    -0.01917688711906226,
];

/// `tan(pi/8)`, where the arctangent switches to `pi/4 + atan((t - 1)/(t + 1))`.
const TAN_PI_8: f64 = 0.41421356237309503;

/// `a b + c` rounded once, in every lane; the same bits at every instruction set.
///
/// Where the instruction is missing the emulation is a call, so that kernels stay of a size that compiles in seconds.
#[inline(always)]
pub(crate) fn fused<S: Simd>(simd: S, a: f64x8<S>, b: f64x8<S>, c: f64x8<S>) -> f64x8<S> {
    if has_fused(simd.level()) {
        a.mul_add_precise(b, c)
    } else {
        f64x8::load_array(simd, emulated(a.to_array(), b.to_array(), c.to_array()))
    }
}

/// Whether an instruction set has a fused multiply-add; decided when a kernel is compiled for it.
#[inline(always)]
fn has_fused(level: fearless_simd::Level) -> bool {
    match level {
        #[cfg(target_arch = "x86_64")]
        fearless_simd::Level::Avx512(_) | fearless_simd::Level::Avx2(_) => true,
        #[cfg(target_arch = "aarch64")]
        fearless_simd::Level::Neon(_) => true,
        _ => false,
    }
}

#[inline(never)]
fn emulated(a: [f64; 8], b: [f64; 8], c: [f64; 8]) -> [f64; 8] {
    std::array::from_fn(|i| libm::fma(a[i], b[i], c[i]))
}

/// Horner's rule, highest coefficient last in the table.
#[inline(always)]
pub(crate) fn horner<S: Simd>(simd: S, table: &[f64], z: f64x8<S>) -> f64x8<S> {
    let mut sum = f64x8::splat(simd, table[table.len() - 1]);
    for c in table[..table.len() - 1].iter().rev() {
        sum = fused(simd, sum, z, f64x8::splat(simd, *c));
    }
    sum
}

/// `pi - arccos(c)` and `sin(arccos(c))` of cosines; `|c| > 1` counts as 1.
///
/// Absolute error at most `2 EPSILON` each, measured (the argument taken as exact). Near `|c| = 1` the angle of a
/// *rounded* cosine has lost half its digits; the gating function has not, because its derivative in `c` is
/// bounded (docs/theory/two_layer.md, T.7).
#[inline(always)]
pub(crate) fn psi_sine<S: Simd>(simd: S, c: f64x8<S>) -> (f64x8<S>, f64x8<S>) {
    let one = f64x8::splat(simd, 1.0);
    let half = f64x8::splat(simd, 0.5);
    let a = c.abs().min(one);
    let big = a.simd_gt(half);
    let z = (one - a) * half;
    let y = big.select(z, a * a);
    let r = big.select(z.sqrt(), a);
    let asin = fused(simd, r * y, horner(simd, &ASIN, y), r);
    let acos = big.select(asin + asin, f64x8::splat(simd, FRAC_PI_2) - asin);
    let psi = c.simd_lt(f64x8::splat(simd, 0.0)).select(acos, f64x8::splat(simd, PI) - acos);
    let sine = ((one - a) * (one + a)).sqrt();
    (psi, sine)
}

/// `atan2(y, x)`, relative error at most `4 EPSILON`, measured; `atan2(0, 0) = 0`, and signs of zeros are ignored.
#[inline(always)]
pub(crate) fn atan2<S: Simd>(simd: S, y: f64x8<S>, x: f64x8<S>) -> f64x8<S> {
    let zero = f64x8::splat(simd, 0.0);
    let (ay, ax) = (y.abs(), x.abs());
    let steep = ay.simd_gt(ax);
    let (low, high) = (steep.select(ax, ay), steep.select(ay, ax));
    let far = low.simd_gt(high * f64x8::splat(simd, TAN_PI_8));
    let numerator = far.select(low - high, low);
    let denominator = far.select(low + high, high);
    let safe = denominator.simd_gt(zero).select(denominator, f64x8::splat(simd, 1.0));
    let u = numerator / safe;
    let z = u * u;
    let atan = fused(simd, u * z, horner(simd, &ATAN, z), u);
    let first = far.select(f64x8::splat(simd, FRAC_PI_4) + atan, atan);
    let quarter = steep.select(f64x8::splat(simd, FRAC_PI_2) - first, first);
    let upper = x.simd_lt(zero).select(f64x8::splat(simd, PI) - quarter, quarter);
    y.simd_lt(zero).select(-upper, upper)
}

/// The sum of eight lanes in a fixed order.
#[inline(always)]
pub(crate) fn sum_lanes<S: Simd>(v: f64x8<S>) -> f64 {
    let a = v.to_array();
    ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]))
}

/// The smallest multiple of eight that is at least `n`.
pub(crate) const fn padded(n: usize) -> usize {
    n.div_ceil(8) * 8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation)] // lane numbers

    use super::*;

    fn psi_sine_of(level: Level, c: [f64; 8]) -> ([f64; 8], [f64; 8]) {
        let lanes = Lanes::new(level).expect("available");
        on_lanes!(lanes, simd => {
            let (p, s) = psi_sine(simd, f64x8::load_array(simd, c));
            (p.to_array(), s.to_array())
        })
    }

    fn atan2_of(level: Level, y: [f64; 8], x: [f64; 8]) -> [f64; 8] {
        let lanes = Lanes::new(level).expect("available");
        on_lanes!(lanes, simd => atan2(simd, f64x8::load_array(simd, y), f64x8::load_array(simd, x)).to_array())
    }

    #[test]
    fn the_angle_kernel_is_within_two_epsilon_everywhere() {
        let mut worst = (0.0_f64, 0.0_f64);
        for block in 0..50_000 {
            let c: [f64; 8] =
                std::array::from_fn(|i| -1.0 + 2.0 * f64::from(block * 8 + i as u32) / 399_999.0);
            let (p, s) = psi_sine_of(Level::detect(), c);
            for i in 0..8 {
                worst.0 = worst.0.max((p[i] - libm::acos(-c[i])).abs());
                worst.1 = worst.1.max((s[i] - ((1.0 - c[i]) * (1.0 + c[i])).sqrt()).abs());
            }
        }
        assert!(worst.0 <= 2.0 * f64::EPSILON && worst.1 <= 2.0 * f64::EPSILON, "{worst:?}");
        let (p, s) =
            psi_sine_of(Level::detect(), [1.0, -1.0, 1.0 + 1e-15, -1.0 - 1e-15, 0.0, 0.5, -0.5, -0.0]);
        assert_eq!((p[0], p[1], p[2], p[3], s[0], s[1]), (PI, 0.0, PI, 0.0, 0.0, 0.0));
    }

    #[test]
    fn the_arctangent_keeps_relative_accuracy() {
        let mut worst = 0.0_f64;
        for k in 0..200_000_u32 {
            let t = -7.0 + 14.0 * f64::from(k) / 199_999.0;
            let y: [f64; 8] = std::array::from_fn(|i| t * [1.0, 1e-3, 1e-8, 1e-100, 3.0, 0.41, 1.0, -2.0][i]);
            let x: [f64; 8] = std::array::from_fn(|i| [1.0, 1.0, -1.0, 1.0, -2.0, t, 7.1 - t, 0.0][i]);
            let got = atan2_of(Level::detect(), y, x);
            for i in 0..8 {
                let want = libm::atan2(y[i], x[i]);
                if want != 0.0 {
                    worst = worst.max(((got[i] - want) / want).abs());
                }
            }
        }
        assert!(worst <= 4.0 * f64::EPSILON, "{}", worst / f64::EPSILON);
        assert_eq!(atan2_of(Level::detect(), [0.0; 8], [0.0; 8]), [0.0; 8]);
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        for k in 0..2000_u32 {
            let c: [f64; 8] = std::array::from_fn(|i| libm::sin(f64::from(k * 8 + i as u32)));
            let x: [f64; 8] = std::array::from_fn(|i| libm::cos(f64::from(k * 3 + i as u32)));
            let want = (psi_sine_of(Level::Portable, c), atan2_of(Level::Portable, c, x));
            for level in Level::available() {
                assert_eq!((psi_sine_of(level, c), atan2_of(level, c, x)), want, "{level:?}");
            }
        }
    }
}
