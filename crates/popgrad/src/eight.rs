//! Eight samples side by side: the layout of kernels over samples, with the same bits at every instruction set.

use crate::lanes::fused;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};

/// Samples per vector.
pub(crate) const EIGHT: usize = 8;

/// One number for each of eight samples, aligned to a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
pub(crate) struct Eight(pub(crate) [f64; EIGHT]);

impl Eight {
    /// As a register.
    #[inline(always)]
    pub(crate) fn load<S: Simd>(&self, simd: S) -> f64x8<S> {
        f64x8::simd_from(simd, self.0)
    }

    /// From a register.
    #[inline(always)]
    pub(crate) fn store<S: Simd>(&mut self, value: f64x8<S>) {
        self.0 = value.into();
    }
}

/// `u . x` for eight samples, over two interleaved partial sums.
#[inline(always)]
pub(crate) fn project<S: Simd>(simd: S, u: &[f64], x: &[Eight]) -> f64x8<S> {
    project_all(simd, [u], [x])[0][0]
}

/// `u_i . x_g` for several vectors and several groups of eight samples, entry `[i][g]`; each as [`project`] forms it.
#[inline(always)]
pub(crate) fn project_all<S: Simd, const U: usize, const G: usize>(
    simd: S,
    u: [&[f64]; U],
    x: [&[Eight]; G],
) -> [[f64x8<S>; G]; U] {
    let mut even = [[f64x8::splat(simd, 0.0); G]; U];
    let mut odd = even;
    let d = x[0].len();
    // Slices of one known length, so that no step of the loop checks a bound.
    let (mut tops, mut rows) = ([&[][..]; U], [&[][..]; G]);
    for i in 0..U {
        tops[i] = &u[i][..d];
    }
    for g in 0..G {
        rows[g] = &x[g][..d];
    }
    let mut j = 0;
    while j + 1 < d {
        for i in 0..U {
            let (first, second) = (f64x8::splat(simd, tops[i][j]), f64x8::splat(simd, tops[i][j + 1]));
            for g in 0..G {
                even[i][g] = fused(simd, rows[g][j].load(simd), first, even[i][g]);
                odd[i][g] = fused(simd, rows[g][j + 1].load(simd), second, odd[i][g]);
            }
        }
        j += 2;
    }
    for i in 0..U {
        for g in 0..G {
            if j < d {
                even[i][g] = fused(simd, rows[g][j].load(simd), f64x8::splat(simd, tops[i][j]), even[i][g]);
            }
            even[i][g] += odd[i][g];
        }
    }
    even
}
