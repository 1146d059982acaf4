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
    let splat = |c: f64| f64x8::splat(simd, c);
    let mut sums = [splat(0.0); 2];
    let ((pairs, last_x), (coefficients, last_u)) = (x.as_chunks::<2>(), u.as_chunks::<2>());
    for (x, u) in pairs.iter().zip(coefficients) {
        sums[0] = fused(simd, x[0].load(simd), splat(u[0]), sums[0]);
        sums[1] = fused(simd, x[1].load(simd), splat(u[1]), sums[1]);
    }
    if let (Some(x), Some(u)) = (last_x.first(), last_u.first()) {
        sums[0] = fused(simd, x.load(simd), splat(*u), sums[0]);
    }
    sums[0] + sums[1]
}
