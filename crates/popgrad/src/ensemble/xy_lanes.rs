//! The field of Theorem 7's plane at eight points.

use super::angles::supplement;
use super::problem::{EndPoint, LaneProblem, Measures, Step};
use super::{NormKind, XyEnsemble};
use crate::eight::Eight;
use crate::lanes::fused;
use fearless_simd::{Select, Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{PI, TAU};
use std::ops::Range;

/// The plane with its constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct XyLanes<'e> {
    ensemble: &'e XyEnsemble,
    /// `K`, and the roots that the sines need.
    k: f64,
    root: f64,
}

/// What has to wait for a root: a point's length, and cosines and sines of the angles to the own teacher (`own`), to
/// another teacher (`other`) and to another student (`pair`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots<S: Simd> {
    shortest: f64x8<S>,
    inverse: f64x8<S>,
    own: f64x8<S>,
    other: f64x8<S>,
    other_sine: f64x8<S>,
    pair_sine: f64x8<S>,
}

impl<'e> XyLanes<'e> {
    pub(super) fn new(ensemble: &'e XyEnsemble) -> Self {
        let k = ensemble.plane().units() as f64;
        Self { ensemble, k, root: (k - 1.0).sqrt() }
    }
}

impl LaneProblem for XyLanes<'_> {
    const GROUPS: usize = 6;

    fn entries(&self) -> usize {
        2
    }

    fn unit(&self) -> f64 {
        1.0 / TAU
    }

    fn begin(&self, run: u64, out: &mut [f64]) {
        out.copy_from_slice(&self.ensemble.draw(run));
    }

    fn idle(&self, out: &mut [f64]) {
        out.copy_from_slice(&[1.0, 0.0]);
    }

    type Prepared<S: Simd> = Roots<S>;

    #[inline(always)]
    fn prepare<S: Simd>(&self, simd: S, now: &[Eight]) -> Roots<S> {
        let (others, rest) = (f64x8::splat(simd, self.k - 1.0), f64x8::splat(simd, self.k - 2.0));
        let (x, y) = (now[0].load(simd), now[1].load(simd));
        let shortest = fused(simd, x, x, others * (y * y));
        let inverse = f64x8::splat(simd, 1.0) / shortest.sqrt();
        let (own, other) = (x * inverse, y * inverse);
        let square = rest * (other * other);
        let other_sine = fused(simd, own, own, square).sqrt();
        let sum = own + other;
        let pair_sine = (own - other).abs() * fused(simd, sum, sum, square + square).sqrt();
        Roots { shortest, inverse, own, other, other_sine, pair_sine }
    }

    #[inline(always)]
    fn step<S: Simd>(
        &mut self,
        simd: S,
        roots: Roots<S>,
        (now, next): (&[Eight], &mut [Eight]),
        step: Step<S>,
    ) -> Measures<S> {
        let pi = f64x8::splat(simd, PI);
        let (others, rest) = (f64x8::splat(simd, self.k - 1.0), f64x8::splat(simd, self.k - 2.0));
        let (x, y) = (now[0].load(simd), now[1].load(simd));
        let Roots { shortest, inverse, own, other, other_sine, pair_sine } = roots;
        let own_sine = other.abs() * self.root;
        let pair = other * fused(simd, rest, other, own + own);
        let own_psi = supplement(simd, own, own_sine);
        let other_psi = supplement(simd, other, other_sine);
        let pair_psi = supplement(simd, pair, pair_sine);
        // The coefficient of the unit itself, pi - S (B.6).
        let sines = fused(simd, others, other_sine, own_sine);
        let axis = fused(simd, -inverse, sines, fused(simd, others, pair_sine, pi));
        let partners = others * y;
        let gx = fused(simd, axis, x, fused(simd, pair_psi, partners, -own_psi));
        let gy = fused(simd, axis, y, fused(simd, pair_psi, (partners - y) + x, -other_psi));
        let gy = x.simd_eq(y).select(gx, gy);
        let zero = f64x8::splat(simd, 0.0);
        next[0].store(fused(simd, step.scale, gx, if step.moves { x } else { zero }));
        next[1].store(fused(simd, step.scale, gy, if step.moves { y } else { zero }));
        let largest = fused(simd, gx, gx, others * (gy * gy));
        let total = largest * self.k;
        let mut loss = total;
        if step.loss {
            // psi c + s of each pair, and (Y.12) over its unit.
            let pair_h = fused(simd, pair_psi, pair, pair_sine);
            let teachers = fused(simd, own_psi, own, own_sine);
            let teachers = fused(simd, others, fused(simd, other_psi, other, other_sine), teachers);
            let students = fused(simd, others, pair_h, pi) * shortest * 0.5;
            let constant = f64x8::splat(simd, 0.5 * (PI + self.k - 1.0));
            loss = (constant + fused(simd, shortest * inverse, -teachers, students)) * self.k;
        }
        Measures { total, largest, shortest, loss, basin: f64x8::splat(simd, 0.0) }
    }

    fn loss_scale(&self) -> f64 {
        0.5 * self.k * (PI + self.k - 1.0)
    }

    fn end(&mut self, _run: u64, state: &[f64]) -> EndPoint {
        let loss = self.ensemble.plane().loss(state);
        EndPoint { weights: state.to_vec(), output: Vec::new(), loss }
    }

    fn students(&self) -> Vec<Range<usize>> {
        vec![0..2]
    }

    fn norm_with_zeros(&mut self, _end: &EndPoint, _norm: NormKind) -> f64 {
        0.0
    }
}
