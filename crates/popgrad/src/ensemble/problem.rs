//! What the dynamics need to know of a problem whose runs lie in lanes.

use super::{NormKind, RunStatus};
use crate::eight::Eight;
use fearless_simd::{Simd, f64x8};
use std::ops::Range;

/// What a step does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<S: Simd> {
    /// The factor of the gradient over its unit.
    pub(super) scale: f64x8<S>,
    /// Whether the state itself is added, so that the next state comes out, and not a multiple of the gradient.
    pub(super) moves: bool,
    /// Whether the loss is wanted.
    pub(super) loss: bool,
    /// Whether it is wanted which point the run is bound for.
    pub(super) basins: bool,
}

/// What one step has met, lane by lane, at the state that it left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures<S: Simd> {
    /// Squared Frobenius norm of the gradient over its unit.
    pub(super) total: f64x8<S>,
    /// The largest squared norm of one neuron's part of it.
    pub(super) largest: f64x8<S>,
    /// The smallest squared length of a student.
    pub(super) shortest: f64x8<S>,
    /// The loss over its unit, where it was asked for.
    pub(super) loss: f64x8<S>,
    /// Which point the run is proved to be bound for, where that was asked for and is known: one for the global minimum, minus
    /// one for a spurious one, zero where it is open.
    pub(super) basin: f64x8<S>,
}

/// The end point of a run in the problem's own coordinates.
#[derive(Clone, Debug)]
pub(super) struct EndPoint {
    pub(super) weights: Vec<f64>,
    pub(super) output: Vec<f64>,
    pub(super) loss: f64,
}

/// A problem that is evaluated for eight runs at a time, each in a lane of its own. Every lane is computed by the same
/// operations in the same order, whatever stands in the others.
pub(super) trait LaneProblem: Clone + Send + std::fmt::Debug {
    /// How many groups of eight runs are advanced in turn, so that one's latency hides behind the others: one, or a
    /// multiple of three.
    const GROUPS: usize;

    /// Entries of one run's state.
    fn entries(&self) -> usize;

    /// The factor between a gradient and what [`LaneProblem::step`] adds up, `kappa / 2 pi`; also for the loss.
    fn unit(&self) -> f64;

    /// Writes the state at the start of a run to `out`.
    fn begin(&self, run: u64, out: &mut [f64]);

    /// A state that is harmless to evaluate, for lanes without a run.
    fn idle(&self, out: &mut [f64]);

    /// What a step needs first and what takes longest to come: it is begun for two groups ahead.
    type Prepared<S: Simd>: Copy;

    /// Begins the evaluation at a state.
    fn prepare<S: Simd>(&self, simd: S, now: &[Eight]) -> Self::Prepared<S>;

    /// From the states `now` and `next`: `next = now + scale G(now)` with `grad J = unit G`, or `scale G(now)` alone, and what
    /// was met at `now`.
    fn step<S: Simd>(
        &mut self,
        simd: S,
        prepared: Self::Prepared<S>,
        states: (&[Eight], &mut [Eight]),
        step: Step<S>,
    ) -> Measures<S>;

    /// A step of one group by itself.
    #[inline(always)]
    fn evaluate<S: Simd>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        step: Step<S>,
    ) -> Measures<S> {
        let prepared = self.prepare(simd, now);
        self.step(simd, prepared, (now, next), step)
    }

    /// Whether [`Measures::basin`] is ever known; the code that reads it is compiled only then.
    const BASINS: bool = false;

    /// Whether a run ends as soon as it is known.
    fn watches_basins(&self) -> bool {
        false
    }

    /// The size of the loss's terms, by which its rounding is judged, over the unit.
    fn loss_scale(&self) -> f64;

    /// The slices of the state that are students.
    fn students(&self) -> Vec<Range<usize>>;

    /// The end point of a run in the problem's own coordinates, with its loss.
    fn end(&mut self, run: u64, state: &[f64]) -> EndPoint;

    /// The gradient norm at an end point some of whose students are zero; their parts count as zero.
    fn norm_with_zeros(&mut self, end: &EndPoint, norm: NormKind) -> f64;
}

/// The status of a run that a basin's sign ends.
pub(super) fn status_of_basin(sign: f64) -> Option<RunStatus> {
    if sign > 0.0 { Some(RunStatus::GlobalBasin) } else { (sign < 0.0).then_some(RunStatus::SpuriousBasin) }
}
