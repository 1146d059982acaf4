//! The reduced field of the convolutional network at eight states.

use super::angles::early_supplement;
use super::cnn_axes::{CnnAxes, ENTRIES};
use super::problem::{EndPoint, LaneProblem, Measures, Step};
use super::{CnnEnsemble, NormKind};
use crate::ReducedCnn;
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
    wedges: Wedges,
}

/// Distance kept from the boundary of a wedge, relative to the size of the terms: rounding cannot cross it.
const MARGIN: f64 = 256.0 * f64::EPSILON;

/// The wedges that decide a run, (B.14), in numbers of the axes.
#[derive(Clone, Copy, Debug)]
struct Wedges {
    /// `pi - h_c` of the saddle, with the margins to either side of it.
    global: f64,
    spurious: f64,
    /// `k m*`, and the margin of the second condition.
    pull: f64,
    margin: f64,
    /// `m*^2` and `u*^2`, and the least that `s alpha` may tend to along each.
    highest: [f64; 2],
    lowest: [f64; 2],
}

impl Wedges {
    fn new(axes: &CnnAxes, problem: &ReducedCnn) -> Self {
        let k = problem.patches() as f64;
        let highest = axes.teacher.map(|a| a * a);
        let (gap, margin) = (PI - problem.saddle_h(), MARGIN * (1.0 + problem.ratio()));
        Self {
            global: gap - margin,
            spurious: gap + margin,
            pull: k * axes.teacher[0],
            margin: MARGIN * PI * (k * highest[0] + axes.square),
            highest,
            lowest: [highest[0] * (k - 1.0) / axes.width, -highest[1] / (PI - 1.0)],
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
        let wedges = Wedges::new(axes, &ensemble.problem().reduced());
        Self { ensemble, mean, along, square: axes.square, width: axes.width, wedges }
    }

    /// Which wedge holds the states (B.14): one, minus one, or zero. `seen` is `(s alpha, pi - h)`.
    #[inline(always)]
    fn basin<S: Simd>(
        &self,
        simd: S,
        roots: &Roots<S>,
        (mean, along): (f64x8<S>, f64x8<S>),
        seen: (f64x8<S>, f64x8<S>),
        step: Step<S>,
    ) -> f64x8<S> {
        let (zero, one) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 1.0));
        let ((overlap, gap), wedges) = (seen, &self.wedges);
        let lift = fused(
            simd,
            mean,
            f64x8::splat(simd, -wedges.pull),
            (f64x8::splat(simd, PI - 1.0) - gap) * self.square,
        );
        let is_global = overlap.simd_ge(zero)
            & gap.simd_lt(f64x8::splat(simd, wedges.global))
            & lift.simd_gt(f64x8::splat(simd, wedges.margin));
        let is_spurious = overlap.simd_le(zero)
            & gap.simd_gt(f64x8::splat(simd, wedges.spurious))
            & lift.simd_lt(f64x8::splat(simd, -wedges.margin));
        let inside = is_global.select(one, is_spurious.select(-one, zero));
        // On the axis of the teacher's filter a filter stays.
        let found = roots.sine.simd_eq(zero).select(one.copysign(roots.cosine), inside);
        if !step.moves {
            return found;
        }
        // The largest |s alpha| to come (B.15), under which no step turns the filter past the axis.
        let along_ones = (mean + self.mean) * self.mean;
        let along_rest = (along + self.along) * self.along;
        let high = along_ones.max(f64x8::splat(simd, wedges.highest[0]))
            + along_rest.max(f64x8::splat(simd, wedges.highest[1]));
        let low = along_ones.min(f64x8::splat(simd, wedges.lowest[0]))
            + along_rest.min(f64x8::splat(simd, wedges.lowest[1]));
        let turned = high.max(-low) * (step.scale * -TAU);
        turned.simd_le(roots.shortest * 2.0).select(found, zero)
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
        // In no wedge, whatever the teacher is.
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
        let psi = early_supplement(simd, cosine, sine.abs());
        // pi - h and s alpha.
        let gap = f64x8::splat(simd, PI) - fused(simd, psi, cosine, sine.abs());
        let overlap = fused(simd, along, f64x8::splat(simd, self.along), f64x8::splat(simd, self.square));
        let overlap = fused(simd, mean, f64x8::splat(simd, self.mean), overlap);
        // The gradient in the filter is `turn` times (-sine, cosine), at a right angle to it.
        let turn = overlap * psi * (inverse * sine);
        let g_mean = fused(simd, f64x8::splat(simd, self.width), mean, gap * self.mean);
        let g_along = fused(simd, slow, along, gap * self.along);
        let g_rest = slow * rest;
        let zero = f64x8::splat(simd, 0.0);
        let kept = |value: f64x8<S>| if step.moves { value } else { zero };
        let turned = step.scale * turn;
        next[0].store(fused(simd, -turned, sine, kept(x)));
        next[1].store(fused(simd, turned, cosine, kept(y)));
        next[2].store(fused(simd, step.scale, g_mean, kept(mean)));
        next[3].store(fused(simd, step.scale, g_along, kept(along)));
        next[4].store(fused(simd, step.scale, g_rest, kept(rest)));
        let output = fused(simd, g_mean, g_mean, fused(simd, g_along, g_along, g_rest * g_rest));
        let mut loss = output;
        if step.loss {
            let others = fused(simd, along, along, rest * rest) * slow;
            let quadratic = fused(simd, mean * mean, f64x8::splat(simd, self.width), others);
            loss = fused(simd, overlap, gap, quadratic * 0.5);
        }
        let basin =
            if step.basins { self.basin(simd, &roots, (mean, along), (overlap, gap), step) } else { zero };
        let total = fused(simd, turn, turn, output);
        Measures { total, largest: (turn * turn).max(output), shortest, loss, basin }
    }

    fn watches_basins(&self) -> bool {
        self.ensemble.watches_basins()
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
