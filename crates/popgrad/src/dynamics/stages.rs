//! The vector work of a Runge-Kutta step: sums of stages, the error norm, and the interpolant.
//!
//! States are kept in blocks of eight, padded with zeros. Each kernel is one pass over memory. Only unfused
//! `+ - * /` are used and sums run over eight lanes in index order, so every level of instructions, also
//! WebAssembly's, gives the same bits.

use crate::lanes::{Lanes, on_lanes, sum_lanes};
use fearless_simd::{Simd, SimdBase, f64x8};

/// Eight consecutive entries of a state.
pub(super) type Block = [f64; 8];

/// Room for `n` entries, all zero.
pub(super) fn blocks(n: usize) -> Vec<Block> {
    vec![[0.0; 8]; n.div_ceil(8)]
}

/// `out = base + sum_i weights[i] terms[i]`, the sum formed first.
pub(super) fn combine<const N: usize>(
    lanes: Lanes,
    out: &mut [Block],
    base: &[Block],
    weights: [f64; N],
    terms: [&[Block]; N],
) {
    on_lanes!(lanes, simd => combine_lanes(simd, out, base, &weights, terms));
}

// Loops rather than `map` here and below: a closure passed to a library function is not compiled for the level.
#[inline(always)]
fn combine_lanes<S: Simd, const N: usize>(
    simd: S,
    out: &mut [Block],
    base: &[Block],
    weights: &[f64; N],
    mut terms: [&[Block]; N],
) {
    let len = out.len();
    let base = &base[..len];
    for term in &mut terms {
        *term = &term[..len];
    }
    for i in 0..len {
        let mut sum = f64x8::load_array_ref(simd, &terms[0][i]) * weights[0];
        for j in 1..N {
            sum += f64x8::load_array_ref(simd, &terms[j][i]) * weights[j];
        }
        (f64x8::load_array_ref(simd, &base[i]) + sum).store_slice(&mut out[i]);
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
    lanes: Lanes,
    states: (&[Block], &[Block]),
    weights: [f64; 7],
    terms: [&[Block]; 7],
    tolerance: (f64, f64),
) -> Measures {
    on_lanes!(lanes, simd => measure_lanes(simd, states, &weights, terms, tolerance))
}

#[inline(always)]
fn measure_lanes<S: Simd>(
    simd: S,
    (y, z): (&[Block], &[Block]),
    weights: &[f64; 7],
    mut terms: [&[Block]; 7],
    (rtol, atol): (f64, f64),
) -> Measures {
    let len = y.len();
    let z = &z[..len];
    for term in &mut terms {
        *term = &term[..len];
    }
    let atol = f64x8::splat(simd, atol);
    // Keeps 0 / 0 of padding, and of entries that stay exactly zero, at zero.
    let least = f64x8::splat(simd, f64::MIN_POSITIVE);
    let zero = f64x8::splat(simd, 0.0);
    let (mut error, mut moved, mut gradient) = (zero, zero, zero);
    for i in 0..len {
        let mut sum = f64x8::load_array_ref(simd, &terms[0][i]) * weights[0];
        for j in 1..7 {
            sum += f64x8::load_array_ref(simd, &terms[j][i]) * weights[j];
        }
        let (from, to) = (f64x8::load_array_ref(simd, &y[i]), f64x8::load_array_ref(simd, &z[i]));
        let scale = (atol + from.abs().max(to.abs()) * rtol).max(least);
        let ratio = sum / scale;
        error += ratio * ratio;
        let step = to - from;
        moved += step * step;
        let last = f64x8::load_array_ref(simd, &terms[6][i]);
        gradient += last * last;
    }
    Measures { error: sum_lanes(error), moved: sum_lanes(moved), gradient: sum_lanes(gradient) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

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
            let lanes = Lanes::new(level).expect("available");
            let mut out = blocks(100);
            combine(lanes, &mut out, &y, weights, terms);
            let m = measure(lanes, (&y, &z), weights, terms, (1e-8, 1e-10));
            (out, m.error.to_bits(), m.moved.to_bits(), m.gradient.to_bits())
        };
        let reference = of(Level::Portable);
        for level in Level::available() {
            assert_eq!(of(level), reference, "{level:?}");
        }
    }

    #[test]
    fn zeros_with_a_zero_tolerance_have_no_error() {
        let zero = blocks(3);
        let m = measure(Lanes::detect(), (&zero, &zero), [1.0; 7], [&zero[..]; 7], (1e-8, 0.0));
        assert_eq!((m.error, m.moved, m.gradient), (0.0, 0.0, 0.0));
    }
}
