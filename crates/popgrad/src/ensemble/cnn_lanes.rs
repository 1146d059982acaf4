//! The reduced field of the convolutional network at eight states.

use super::angles::supplement;
use super::cnn_axes::{CnnAxes, ENTRIES};
use super::problem::{EndPoint, LaneProblem, Measures, Step};
use super::{CnnEnsemble, NormKind};
use crate::cnn::supplement_of_level;
use crate::eight::Eight;
use crate::lanes::fused;
use fearless_simd::{Select, Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{PI, TAU};
use std::ops::Range;

/// A convolutional problem with its constants.
#[derive(Clone, Debug)]
pub(super) struct CnnLanes<'e> {
    ensemble: &'e CnnEnsemble,
    /// `s a*` on the axes of the output: along ones, and along the rest of `a*`.
    mean: f64,
    along: f64,
    /// `s^2 |a*|^2` and `k + pi - 1`.
    square: f64,
    width: f64,
    sets: Sets,
}

/// The two invariant sets of (B.14), and (B.16), in numbers of the axes.
#[derive(Clone, Copy, Debug)]
struct Sets {
    /// The sign of `1.a*`; zero where it vanishes.
    sign: f64,
    /// `-s |S*| pi / ((k + pi - 1) sqrt(k))`, below which the output's mean is too far from the teacher's for the trap.
    mean: f64,
    /// The squared cosine of the trap's angle; above one where there is no trap.
    cosine_square: f64,
    /// What (B.16) compares with `s |alpha|`: `reach + |pull m|`.
    reach: f64,
    pull: f64,
}

impl Sets {
    fn new(axes: &CnnAxes, ratio: f64) -> Self {
        let (k, width) = (axes.shape().0 as f64, axes.width);
        let mean = axes.teacher[0];
        let level = 1.0 - PI * ratio / width;
        let cosine_square = if level > 0.0 {
            let cosine = libm::cos(supplement_of_level(level.min(1.0)));
            cosine * cosine
        } else {
            2.0
        };
        let sign = if mean == 0.0 { 0.0 } else { mean.signum() };
        Self {
            sign,
            mean: -mean.abs() * PI / width,
            cosine_square,
            reach: k * mean * mean / (PI - 1.0) + axes.square,
            pull: k * mean / (PI - 1.0),
        }
    }
}

/// What has to wait for a root: the filter's length, and its direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots<S: Simd> {
    shortest: f64x8<S>,
    inverse: f64x8<S>,
    cosine: f64x8<S>,
    sine: f64x8<S>,
}

impl<'e> CnnLanes<'e> {
    pub(super) fn new(ensemble: &'e CnnEnsemble) -> Self {
        let axes = ensemble.axes();
        let [mean, along] = axes.teacher;
        let sets = Sets::new(axes, ensemble.problem().ratio());
        Self { ensemble, mean, along, square: axes.square, width: axes.width, sets }
    }

    /// `s alpha`.
    #[inline(always)]
    fn overlap<S: Simd>(&self, simd: S, now: &[Eight]) -> f64x8<S> {
        let (mean, along) = (f64x8::splat(simd, self.mean), f64x8::splat(simd, self.along));
        let rest = fused(simd, along, now[3].load(simd), f64x8::splat(simd, self.square));
        fused(simd, mean, now[2].load(simd), rest)
    }
}

impl LaneProblem for CnnLanes<'_> {
    const GROUPS: usize = 6;
    const BASINS: bool = true;

    fn entries(&self) -> usize {
        ENTRIES
    }

    fn unit(&self) -> f64 {
        1.0 / TAU
    }

    fn begin(&self, run: u64, out: &mut [f64]) {
        out.copy_from_slice(&self.ensemble.begin(run));
    }

    fn idle(&self, out: &mut [f64]) {
        // At a right angle to the teacher's filter no invariant set holds it.
        out.copy_from_slice(&[0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    type Prepared<S: Simd> = Roots<S>;

    #[inline(always)]
    fn prepare<S: Simd>(&self, simd: S, now: &[Eight]) -> Roots<S> {
        let (x, y) = (now[0].load(simd), now[1].load(simd));
        let shortest = fused(simd, x, x, y * y);
        let inverse = f64x8::splat(simd, 1.0) / shortest.sqrt();
        Roots { shortest, inverse, cosine: x * inverse, sine: y * inverse }
    }

    #[inline(always)]
    fn step<S: Simd>(
        &mut self,
        simd: S,
        roots: Roots<S>,
        (now, next): (&[Eight], &mut [Eight]),
        step: Step<S>,
    ) -> Measures<S> {
        let Roots { shortest, inverse, cosine, sine } = roots;
        let slow = f64x8::splat(simd, PI - 1.0);
        let (x, y) = (now[0].load(simd), now[1].load(simd));
        let (mean, along, rest) = (now[2].load(simd), now[3].load(simd), now[4].load(simd));
        let psi = supplement(simd, cosine, sine.abs());
        // pi - h, which carries the rounding of pi only.
        let deficit = f64x8::splat(simd, PI) - fused(simd, psi, cosine, sine.abs());
        let overlap = self.overlap(simd, now);
        // The gradient in the filter is `turn` times (-sine, cosine), at a right angle to it.
        let turn = overlap * psi * (inverse * sine);
        let g_mean = fused(simd, f64x8::splat(simd, self.width), mean, deficit * self.mean);
        let g_along = fused(simd, slow, along, deficit * self.along);
        let g_rest = slow * rest;
        let zero = f64x8::splat(simd, 0.0);
        let kept = |value: f64x8<S>| if step.moves { value } else { zero };
        let turned = step.scale * turn;
        next[0].store(fused(simd, -turned, sine, kept(x)));
        next[1].store(fused(simd, turned, cosine, kept(y)));
        next[2].store(fused(simd, step.scale, g_mean, kept(mean)));
        next[3].store(fused(simd, step.scale, g_along, kept(along)));
        next[4].store(fused(simd, step.scale, g_rest, kept(rest)));
        let filter = turn * turn;
        let output = fused(simd, g_mean, g_mean, fused(simd, g_along, g_along, g_rest * g_rest));
        let mut loss = filter;
        if step.loss {
            let others = fused(simd, along, along, rest * rest) * slow;
            let quadratic = fused(simd, mean * mean, f64x8::splat(simd, self.width), others);
            loss = fused(simd, overlap, deficit, quadratic * 0.5);
        }
        Measures { total: filter + output, largest: filter.max(output), shortest, loss }
    }

    fn watches_basins(&self) -> bool {
        self.ensemble.watches_basins()
    }

    /// (B.14), (B.16): one where the global set holds the state, minus one where the trap does, else zero.
    #[inline(always)]
    fn basin<S: Simd>(&self, simd: S, now: &[Eight], scale: f64x8<S>) -> f64x8<S> {
        let zero = f64x8::splat(simd, 0.0);
        let (x, y, mean) = (now[0].load(simd), now[1].load(simd), now[2].load(simd));
        let square = fused(simd, x, x, y * y);
        let overlap = self.overlap(simd, now);
        let signed = mean * self.sets.sign;
        let is_global = x.simd_gt(zero) & overlap.simd_gt(zero) & signed.simd_le(zero);
        let far = (square * self.sets.cosine_square).simd_le(x * x);
        let is_spurious = x.simd_lt(zero)
            & overlap.simd_lt(zero)
            & signed.simd_ge(f64x8::splat(simd, self.sets.mean))
            & far;
        // A step must not turn the filter past the axis of the teacher by more than it was away from it.
        let sum = (mean + self.mean) * self.sets.pull;
        let bound = overlap.abs().max(sum.abs() + self.sets.reach) * (scale * (-0.5 * TAU));
        let is_small = bound.simd_le(square * 2.0);
        let one = f64x8::splat(simd, 1.0);
        let found = is_global.select(one, is_spurious.select(-one, zero));
        is_small.select(found, zero)
    }

    fn loss_scale(&self) -> f64 {
        0.5 * self.width * self.mean * self.mean + 0.5 * (PI - 1.0) * self.along * self.along
    }

    fn end(&mut self, _run: u64, state: &[f64]) -> EndPoint {
        let axes = self.ensemble.axes();
        let end = axes.reduced(state);
        EndPoint {
            weights: vec![end.x, end.y],
            output: vec![end.overlap, end.sum, end.rest],
            loss: axes.loss(state),
        }
    }

    fn students(&self) -> Vec<Range<usize>> {
        vec![0..2]
    }

    fn norm_with_zeros(&mut self, _end: &EndPoint, _norm: NormKind) -> f64 {
        0.0
    }
}
