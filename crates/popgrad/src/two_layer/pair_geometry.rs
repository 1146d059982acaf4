//! Angles and axes of one student with all units, as the second derivatives need them.
//!
//! For student direction `e` and another direction `f`: `c = e.f`, `n = (f - c e)/s`, `m = (e - c f)/s`, `s = |f - c e|`.
//! The sine is the length of the residual, so that `s n m^T` keeps full absolute accuracy for nearly parallel units;
//! where `s = 0` both axes are zero and the second derivatives take their limits (docs/theory/two_layer.md, (T.17)).

use crate::lanes::{fused, padded, psi_sine, sum_lanes};
use fearless_simd::{Simd, SimdBase, f64x8};

/// Beyond this cosine `pi - theta` comes from the residual, because the cosine has lost its digits.
const PARALLEL_COSINE: f64 = 0.9;

/// Angles and axes of one student with `n` units.
#[derive(Clone, Debug)]
pub(super) struct PairGeometry {
    dp: usize,
    pub(super) cosines: Vec<f64>,
    /// `pi - theta`.
    pub(super) psi: Vec<f64>,
    pub(super) sines: Vec<f64>,
    /// The axes `n`, `n x dp`.
    pub(super) across: Vec<f64>,
}

impl PairGeometry {
    pub(super) fn new(n: usize, dp: usize) -> Self {
        let lanes = vec![0.0; padded(n)];
        Self { dp, cosines: lanes.clone(), psi: lanes.clone(), sines: lanes, across: vec![0.0; n * dp] }
    }

    /// Geometry of the direction `e` with the rows of `units`; `cosines` are the products, padded to whole vectors.
    #[inline(always)]
    pub(super) fn update<'u, S: Simd>(
        &mut self,
        simd: S,
        e: &[f64],
        units: impl Iterator<Item = &'u [f64]>,
        cosines: &[f64],
    ) {
        self.cosines.copy_from_slice(cosines);
        for (cells, psi) in self.cosines.chunks_exact(8).zip(self.psi.chunks_exact_mut(8)) {
            psi_sine(simd, f64x8::from_slice(simd, cells)).0.store_slice(psi);
        }
        for (z, (f, axis)) in units.zip(self.across.chunks_exact_mut(self.dp)).enumerate() {
            let cosine = self.cosines[z];
            let slope = f64x8::splat(simd, -cosine);
            let mut square = f64x8::splat(simd, 0.0);
            for at in (0..self.dp).step_by(8) {
                let (x, y) = (&e[at..at + 8], &f[at..at + 8]);
                let rest = fused(simd, slope, f64x8::from_slice(simd, x), f64x8::from_slice(simd, y));
                square = fused(simd, rest, rest, square);
                rest.store_slice(&mut axis[at..at + 8]);
            }
            let sine = sum_lanes(square).sqrt();
            self.sines[z] = sine;
            if cosine.abs() > PARALLEL_COSINE {
                self.psi[z] = libm::atan2(sine, -cosine);
            }
            let inverse = f64x8::splat(simd, if sine > 0.0 { 1.0 / sine } else { 0.0 });
            for at in (0..self.dp).step_by(8) {
                let r = &mut axis[at..at + 8];
                (f64x8::from_slice(simd, r) * inverse).store_slice(r);
            }
        }
    }
}
