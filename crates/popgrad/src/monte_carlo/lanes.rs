//! Eight samples side by side: the layout in which Monte Carlo kernels keep numbers in memory.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};

/// Samples per vector.
pub(crate) const LANES: usize = 8;

/// One number for each of eight samples, aligned to a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
pub(crate) struct Lanes(pub(crate) [f64; LANES]);

impl Lanes {
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
