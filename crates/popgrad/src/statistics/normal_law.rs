//! Distribution function and quantile of the standard normal law, to full relative accuracy in both tails.

use super::{StatisticsError, check_probability};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// `1/sqrt(2) - FRAC_1_SQRT_2`: what the double lacks.
const FRAC_1_SQRT_2_LOW: f64 = -4.833_646_656_726_457e-17;

/// Numerator and denominator of the quantile over `q = p - 1/2`, in powers of `0.180625 - q^2`, `|q| <= 0.425`.
/// Wichura (1988), Applied Statistics 37, 477-484, algorithm AS 241, routine PPND16; nominal error 1e-16.
const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.387_132_872_796_366_608,
        133.141_667_891_784_377_45,
        1_971.590_950_306_551_442_7,
        13_731.693_765_509_461_125,
        45_921.953_931_549_871_457,
        67_265.770_927_008_700_853,
        33_430.575_583_588_128_105,
        2_509.080_928_730_122_672_7,
    ],
    [
        1.0,
        42.313_330_701_600_911_252,
        687.187_007_492_057_908_3,
        5_394.196_021_424_751_107_7,
        21_213.794_301_586_595_867,
        39_307.895_800_092_710_61,
        28_729.085_735_721_942_674,
        5_226.495_278_852_854_561,
    ],
);

/// The same in powers of `r - 1.6`, `r = sqrt(-ln p) <= 5`.
const NEAR_TAIL: ([f64; 8], [f64; 8]) = (
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        0.241_780_725_177_450_611_77,
        0.022_723_844_989_269_184_583_3,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        0.689_767_334_985_100_004_55,
        0.148_103_976_427_480_074_59,
        0.015_198_666_563_616_457_196_6,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
);

/// The same in powers of `r - 5`, `r = sqrt(-ln p) > 5`.
const FAR_TAIL: ([f64; 8], [f64; 8]) = (
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        0.296_560_571_828_504_891_23,
        0.026_532_189_526_576_123_093,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        0.599_832_206_555_887_937_69,
        0.136_929_880_922_735_805_31,
        0.014_875_361_290_850_614_852_5,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
);

/// Ratio of two polynomials of degree seven, by Horner's rule; unfused, since a fused step is a function call where
/// the target's baseline has none.
fn rational(table: &([f64; 8], [f64; 8]), x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c[..7].iter().rev().fold(c[7], |s, a| s * x + a);
    horner(&table.0) / horner(&table.1)
}

/// Quantile at `p` in `(0, 1/2]`, zero or negative. Part of the promised bits: random normals are made by it.
pub(crate) fn quantile_of_lower_half(p: f64) -> f64 {
    let q = p - 0.5;
    if q >= -0.425 {
        return q * rational(&CENTRE, 0.180625 - q * q);
    }
    let r = (-libm::log(p)).sqrt();
    if r <= 5.0 { -rational(&NEAR_TAIL, r - 1.6) } else { -rational(&FAR_TAIL, r - 5.0) }
}

/// Distribution function of the standard normal law, `P(Z <= x)`.
///
/// ```text
/// Phi(x) = erfc(-x / sqrt 2) / 2
/// ```
///
/// The rounding of `x / sqrt 2`, which `erfc` would magnify `x^2` times, is measured with a fused multiply-add
/// and its effect put back to first order.
///
/// Source: docs/theory/sampling.md, (M.6). `P(Z > x)` is `normal_cdf(-x)`, with the same relative accuracy.
///
/// - Domain: every number; infinities give 0 and 1, NaN gives NaN.
/// - Accuracy (measured, against 50 digits): relative error at most `6 EPSILON` for `x >= -37`, where the result
///   is a normal number; below, a few units of the smallest subnormal number.
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::normal_cdf(0.0), 0.5);
/// assert!((popgrad::normal_cdf(-10.0) / 7.619853024160526e-24 - 1.0).abs() < 1e-14);
/// ```
pub fn normal_cdf(x: f64) -> f64 {
    if !x.is_finite() {
        return if x.is_nan() { x } else { f64::from(u8::from(x > 0.0)) };
    }
    let y = -x * FRAC_1_SQRT_2;
    let rounding = (-x).mul_add(FRAC_1_SQRT_2, -y) - x * FRAC_1_SQRT_2_LOW;
    let slope = -2.0 / PI.sqrt() * libm::exp(-(y * y));
    0.5 * slope.mul_add(rounding, libm::erfc(y))
}

/// Quantile of the standard normal law: the `x` with `P(Z <= x) = p`.
///
/// Source: Wichura (1988), algorithm AS 241; docs/theory/sampling.md, (M.5).
///
/// - Domain: `0 < p < 1`. An upper quantile `P(Z > x) = q` is `-normal_quantile(q)`, accurate however small `q`.
/// - Accuracy (measured, against 50 digits): relative error at most `8 EPSILON` for `p <= 1/2`, and as
///   much for `p > 1/2` with `1 - p` taken as exact.
///
/// # Errors
///
/// [`StatisticsError::Probability`].
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::normal_quantile(0.5)?, 0.0);
/// assert!((popgrad::normal_quantile(0.5e-6)? + 4.891638475698590).abs() < 1e-14);
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn normal_quantile(p: f64) -> Result<f64, StatisticsError> {
    check_probability("probability", p)?;
    Ok(if p <= 0.5 { quantile_of_lower_half(p) } else { -quantile_of_lower_half(1.0 - p) })
}

/// The `z` that a standard normal number exceeds in size with probability `false_alarm`.
///
/// A check that fails when `|measured - expected| > z * standard_error` fails by chance that rarely. Several
/// checks made together share one budget by dividing it among them.
///
/// Source: docs/theory/sampling.md, (M.7).
///
/// - Domain: `0 < false_alarm < 1`.
/// - Accuracy: as [`normal_quantile`].
///
/// # Errors
///
/// [`StatisticsError::Probability`].
///
/// # Examples
///
/// ```
/// assert!((popgrad::two_sided_bound(1e-6)? - 4.891638475698590).abs() < 1e-14);
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn two_sided_bound(false_alarm: f64) -> Result<f64, StatisticsError> {
    check_probability("false alarm", false_alarm)?;
    Ok(-quantile_of_lower_half(0.5 * false_alarm))
}
