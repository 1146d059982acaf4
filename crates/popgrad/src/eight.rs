//! Eight samples side by side: the layout of kernels over samples, with the same bits at every instruction set.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, f64x8};

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

/// `a b + c` rounded once, in every lane; the same bits at every instruction set.
///
/// Where the instruction is missing the emulation is a call, so that kernels stay of a size that compiles in seconds.
#[inline(always)]
pub(crate) fn fused<S: Simd>(simd: S, a: f64x8<S>, b: f64x8<S>, c: f64x8<S>) -> f64x8<S> {
    if has_fused(simd.level()) {
        a.mul_add_precise(b, c)
    } else {
        f64x8::simd_from(simd, emulated(a.into(), b.into(), c.into()))
    }
}

/// Whether an instruction set has a fused multiply-add; decided when a kernel is compiled for it.
#[inline(always)]
fn has_fused(level: Level) -> bool {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) | Level::Avx2(_) => true,
        #[cfg(target_arch = "aarch64")]
        Level::Neon(_) => true,
        _ => false,
    }
}

#[inline(never)]
fn emulated(a: [f64; EIGHT], b: [f64; EIGHT], c: [f64; EIGHT]) -> [f64; EIGHT] {
    std::array::from_fn(|i| libm::fma(a[i], b[i], c[i]))
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
