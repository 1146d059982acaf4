//! The vector work of a Runge-Kutta step: sums of stages, the error norm, and the interpolant.
//!
//! States are kept in blocks of eight, padded with zeros. Each kernel is one pass over memory. Only unfused
//! `+ - * / sqrt` are used and sums run over eight lanes in index order, so every level of instructions, also
//! WebAssembly's, gives the same bits.

use super::run::sum_lanes;
use fearless_simd::{Level, Simd, SimdBase, dispatch, f64x8};

/// Eight consecutive entries of a state.
pub(super) type Block = [f64; 8];

/// Room for `n` entries, all zero.
pub(super) fn blocks(n: usize) -> Vec<Block> {
    vec![[0.0; 8]; n.div_ceil(8)]
}

/// `out = base + sum_i weights[i] terms[i]`, the sum formed first.
pub(super) fn combine<const N: usize>(
    level: Level,
    out: &mut [Block],
    base: &[Block],
    weights: [f64; N],
    terms: [&[Block]; N],
) {
    dispatch!(level, simd => combine_lanes(simd, out, base, weights, terms));
}

#[inline(always)]
fn combine_lanes<S: Simd, const N: usize>(
    simd: S,
    out: &mut [Block],
    base: &[Block],
    weights: [f64; N],
    terms: [&[Block]; N],
) {
    let len = out.len();
    let base = &base[..len];
    let terms = terms.map(|t| &t[..len]);
    let weights = weights.map(|w| f64x8::splat(simd, w));
    for i in 0..len {
        let mut sum = weights[0] * f64x8::from_slice(simd, &terms[0][i]);
        for j in 1..N {
            sum += weights[j] * f64x8::from_slice(simd, &terms[j][i]);
        }
        (f64x8::from_slice(simd, &base[i]) + sum).store_slice(&mut out[i]);
    }
}

/// What one pass over a finished step gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures {
    /// `sum_i (e_i / (atol + rtol max(|y_i|, |z_i|)))^2`, with `e` the error estimate.
    pub(super) error: f64,
    /// `|z - y|^2`.
    pub(super) moved: f64,
    /// `|g|^2` of the last stage, the gradient at `z`.
    pub(super) gradient: f64,
}

/// Measures a step from `y` to `z` with stages `terms` and error weights `weights` (step included).
pub(super) fn measure(
    level: Level,
    (y, z): (&[Block], &[Block]),
    weights: [f64; 7],
    terms: [&[Block]; 7],
    tolerance: (f64, f64),
) -> Measures {
    dispatch!(level, simd => measure_lanes(simd, (y, z), weights, terms, tolerance))
}

#[inline(always)]
fn measure_lanes<S: Simd>(
    simd: S,
    (y, z): (&[Block], &[Block]),
    weights: [f64; 7],
    terms: [&[Block]; 7],
    (rtol, atol): (f64, f64),
) -> Measures {
    let len = y.len();
    let z = &z[..len];
    let terms = terms.map(|t| &t[..len]);
    let weights = weights.map(|w| f64x8::splat(simd, w));
    let (rtol, atol) = (f64x8::splat(simd, rtol), f64x8::splat(simd, atol));
    // Keeps 0 / 0 of padding, and of entries that stay exactly zero, at zero.
    let least = f64x8::splat(simd, f64::MIN_POSITIVE);
    let zero = f64x8::splat(simd, 0.0);
    let (mut error, mut moved, mut gradient) = (zero, zero, zero);
    for i in 0..len {
        let mut sum = weights[0] * f64x8::from_slice(simd, &terms[0][i]);
        for j in 1..7 {
            sum += weights[j] * f64x8::from_slice(simd, &terms[j][i]);
        }
        let (from, to) = (f64x8::from_slice(simd, &y[i]), f64x8::from_slice(simd, &z[i]));
        let scale = (atol + rtol * from.abs().max(to.abs())).max(least);
        let ratio = sum / scale;
        error += ratio * ratio;
        let step = to - from;
        moved += step * step;
        let last = f64x8::from_slice(simd, &terms[6][i]);
        gradient += last * last;
    }
    let total = |x: f64x8<S>| {
        let mut lanes = [0.0; 8];
        x.store_slice(&mut lanes);
        sum_lanes(&lanes)
    };
    Measures { error: total(error), moved: total(moved), gradient: total(gradient) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u64) -> Vec<Block> {
        let mut state = seed;
        let mut out = blocks(n);
        for x in &mut out.as_flattened_mut()[..n] {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *x = (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
        }
        out
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let terms: Vec<Vec<Block>> = (0..7).map(|i| numbers(100, i)).collect();
        let terms: [&[Block]; 7] = std::array::from_fn(|i| &terms[i][..]);
        let (y, z) = (numbers(100, 8), numbers(100, 9));
        let weights: [f64; 7] = std::array::from_fn(|i| 0.3 + 0.1 * i as f64);
        let of = |level| {
            let mut out = blocks(100);
            combine(level, &mut out, &y, weights, terms);
            let m = measure(level, (&y, &z), weights, terms, (1e-8, 1e-10));
            (out, m.error.to_bits(), m.moved.to_bits(), m.gradient.to_bits())
        };
        let reference = of(Level::baseline());
        assert_eq!(of(Level::new()), reference);
        #[cfg(target_arch = "x86_64")]
        for level in [Level::new().as_sse4_2().map(Simd::level), Level::new().as_avx2().map(Simd::level)] {
            assert!(level.is_none_or(|level| of(level) == reference));
        }
    }

    #[test]
    fn zeros_with_a_zero_tolerance_have_no_error() {
        let zero = blocks(3);
        let m = measure(Level::new(), (&zero, &zero), [1.0; 7], [&zero[..]; 7], (1e-8, 0.0));
        assert_eq!((m.error, m.moved, m.gradient), (0.0, 0.0, 0.0));
    }
}
