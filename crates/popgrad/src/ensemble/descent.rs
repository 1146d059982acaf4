//! Gradient descent over lanes: steps, the rules that end a run, and the refill of its lane.

use super::problem::{LaneProblem, Measures, Step, status_of_basin};
use super::queue::Queue;
use super::rules::LOSS_ROUNDING;
use super::run::Machine;
use super::{EnsembleStop, NormKind, RunEnd, RunStatus};
use crate::StepHalving;
use crate::eight::{EIGHT, Eight};
use crate::lanes::{Lanes, on_lanes};
use fearless_simd::{Select, Simd, SimdBase, SimdMask, f64x8};
use std::ops::Range;

/// A run ends as diverged once its gradient norm exceeds this.
const DIVERGENCE: f64 = 1e100;

/// After so many halvings of its step a run ends as stalled.
const MAX_HALVINGS: u32 = 60;

/// Margin of the squared bounds: more than the roundings between them and the norms that are judged.
const MARGIN: f64 = 16.0 * f64::EPSILON;

/// What the lanes of a group compare with; every entry is one lane's.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    /// `-eta unit`.
    scale: Eight,
    /// A little above the squared bound on the gradient norm, over the unit; `-1` where there is none.
    bound: Eight,
    /// A little below the squared norm above which the run restarts or has diverged. What these two let pass is judged
    /// exactly, and what they stop is stopped whatever happens in the other lanes.
    limit: Eight,
    /// The loss one step before, and for how many steps it has been low without rising.
    loss_before: Eight,
    calm: Eight,
}

/// One lane's run.
#[derive(Clone, Copy, Debug)]
struct LaneRun {
    run: u64,
    /// The machine's clock at the run's start, or at its last restart.
    begun: u64,
    step: f64,
    halvings: u32,
}

/// Gradient descent of a range of runs.
#[derive(Debug)]
pub(super) struct Descent<P> {
    problem: P,
    step: f64,
    restart_above: Option<f64>,
    stop: EnsembleStop,
    lanes: Lanes,
    queue: Queue,
    /// States now and after the next step, group by group.
    now: Vec<Eight>,
    next: Vec<Eight>,
    rules: Vec<Rules>,
    runs: Vec<Option<LaneRun>>,
    /// What the last step met, group by group, where there was something to settle.
    met: Vec<Met>,
    /// Steps that the lanes have taken together since the machine began.
    clock: u64,
    /// One run's state, on its way into or out of its lane.
    scratch: Vec<f64>,
}

/// What the last step met in a group's lanes.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    total: Eight,
    largest: Eight,
    shortest: Eight,
    basin: Eight,
}

impl<P: LaneProblem> Descent<P> {
    pub(super) fn new(
        problem: P,
        (step, halving): (f64, StepHalving),
        stop: EnsembleStop,
        runs: Range<u64>,
        lanes: Lanes,
    ) -> Self {
        let restart_above = if let StepHalving::RestartAbove { gradient_norm } = halving {
            Some(gradient_norm)
        } else {
            None
        };
        let size = problem.entries() * P::GROUPS;
        let mut machine = Self {
            problem,
            step,
            restart_above,
            stop,
            lanes,
            queue: Queue::new(runs),
            now: vec![Eight::default(); size],
            next: vec![Eight::default(); size],
            rules: vec![Rules::default(); P::GROUPS],
            runs: vec![None; P::GROUPS * EIGHT],
            met: vec![Met::default(); P::GROUPS],
            clock: 0,
            scratch: vec![0.0; size / P::GROUPS],
        };
        machine.fill();
        machine
    }

    /// Gives the resting lanes runs, their first states in `now`.
    fn fill(&mut self) {
        std::mem::swap(&mut self.now, &mut self.next);
        for lane in 0..self.runs.len() {
            if self.runs[lane].is_none() {
                self.refill(lane);
            }
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// Gives a lane the next run, its first state in `next`; rests the lane where there is none.
    fn refill(&mut self, lane: usize) {
        let run = self.queue.take_next();
        self.runs[lane] = run.map(|run| LaneRun { run, begun: self.clock, step: self.step, halvings: 0 });
        self.begin(lane);
    }

    /// Puts a lane at the start of its run.
    fn begin(&mut self, lane: usize) {
        let (group, at) = (lane / EIGHT, lane % EIGHT);
        let unit = self.problem.unit();
        let (scale, bound, limit) = if let Some(run) = self.runs[lane] {
            self.problem.begin(run.run, &mut self.scratch);
            let bound = self.stop.gradient_norm.map_or(-1.0, |bound| (bound / unit) * (bound / unit));
            let limit = self.restart_above.unwrap_or(DIVERGENCE).min(DIVERGENCE) / unit;
            // The start itself may exceed the limit of restarts; that is judged lane by lane.
            (-run.step * unit, bound * (1.0 + MARGIN), limit * limit * (1.0 - MARGIN))
        } else {
            self.problem.idle(&mut self.scratch);
            (0.0, -1.0, f64::INFINITY)
        };
        let rules = &mut self.rules[group];
        rules.scale.0[at] = scale;
        rules.bound.0[at] = bound;
        rules.limit.0[at] = limit;
        rules.loss_before.0[at] = f64::NEG_INFINITY;
        rules.calm.0[at] = 0.0;
        let size = self.problem.entries();
        for (to, x) in self.next[group * size..(group + 1) * size].iter_mut().zip(&self.scratch) {
            to.0[at] = *x;
        }
    }

    /// Steps of a lane's run so far.
    fn steps_of(&self, run: &LaneRun) -> u64 {
        self.clock - run.begun
    }

    /// Evaluates states, moves, and stops at the first state at which some lane may have something to settle; returns
    /// the number of evaluations and whether there was one. The last evaluation's states are in `next`, those it was made
    /// at in `now`.
    #[inline(always)]
    fn steps<S: Simd, const LOSS: bool>(&mut self, simd: S, most: u64) -> (u64, bool) {
        let (groups, size) = (P::GROUPS, self.problem.entries());
        let loss = LossRule {
            below: self.stop.loss.map_or(0.0, |rule| rule.below) / self.problem.unit(),
            steps: self.stop.loss.map_or(0, |rule| rule.steps) as f64,
            noise: LOSS_ROUNDING * self.problem.loss_scale(),
        };

        let watches = P::BASINS && self.problem.watches_basins();
        // What is prepared for the group at hand and for the two after it; memory is cheaper than moving registers on.
        let first = self.problem.prepare(simd, &self.now[part::<P>(0, size)]);
        let mut ahead = [first, self.problem.prepare(simd, &self.now[part::<P>(1, size)]), first];
        let (mut done, mut found) = (0, false);
        while done < most && !found {
            if done > 0 {
                std::mem::swap(&mut self.now, &mut self.next);
            }
            for group in 0..groups {
                // The roots of two groups ahead; those of the next step's first groups come from this step.
                let from = if group + 2 < groups { &self.now } else { &self.next };
                ahead[(group + 2) % 3] = self.problem.prepare(simd, &from[part::<P>(group + 2, size)]);
                let rules = &mut self.rules[group];
                let step = Step { scale: rules.scale.load(simd), moves: true, loss: LOSS, basins: watches };
                let states = (&self.now[part::<P>(group, size)], &mut self.next[part::<P>(group, size)]);
                let met = self.problem.step(simd, ahead[group % 3], states, step);
                found |= judge::<S, LOSS>(simd, rules, &met, self.stop.norm, loss);
                if watches {
                    found |= !met.basin.simd_eq(f64x8::splat(simd, 0.0)).all_true();
                }
            }
            done += 1;
        }
        (done, found)
    }

    /// Evaluates the states in `now` once more, to note what is met there.
    #[inline(always)]
    fn measure<S: Simd>(&mut self, simd: S) {
        let size = self.problem.entries();
        let watches = P::BASINS && self.problem.watches_basins();
        let groups = self.now.chunks_exact(size).zip(self.next.chunks_exact_mut(size));
        for (((now, next), rules), to) in groups.zip(&self.rules).zip(&mut self.met) {
            let scale = rules.scale.load(simd);
            let step = Step { scale, moves: true, loss: false, basins: watches };
            let met = self.problem.evaluate(simd, now, next, step);
            to.total.store(met.total);
            to.largest.store(met.largest);
            to.shortest.store(met.shortest);
            to.basin.store(met.basin);
        }
    }

    /// Evaluations until some run has used up its steps, counting the one that finds it.
    fn until_limit(&self) -> u64 {
        let left = self.runs.iter().flatten().map(|run| self.stop.steps.saturating_sub(self.steps_of(run)));
        left.min().unwrap_or(0).saturating_add(1)
    }

    /// Settles every lane at the state of the last evaluation.
    fn settle(&mut self) {
        for lane in 0..self.runs.len() {
            let Some(run) = self.runs[lane] else { continue };
            let (group, at) = (lane / EIGHT, lane % EIGHT);
            let met = &self.met[group];
            let square = match self.stop.norm {
                NormKind::Frobenius => met.total.0[at],
                NormKind::LargestNeuron => met.largest.0[at],
            };
            let norm = square.sqrt() * self.problem.unit();
            let steps = self.steps_of(&run);
            let too_large = !norm.is_finite() || norm > self.restart_above.unwrap_or(f64::INFINITY);
            let calm = self.stop.loss.is_some_and(|rule| self.rules[group].calm.0[at] >= rule.steps as f64);
            let status = if met.shortest.0[at] == 0.0 {
                RunStatus::ZeroStudent
            } else if self.restart_above.is_some() && steps > 0 && too_large {
                self.restart(lane, run);
                continue;
            } else if !norm.is_finite() || norm > DIVERGENCE {
                RunStatus::Diverged
            } else if self.stop.gradient_norm.is_some_and(|bound| norm <= bound) {
                RunStatus::Converged
            } else if calm {
                RunStatus::LossBelow
            } else if let Some(status) = status_of_basin(met.basin.0[at]) {
                status
            } else if steps >= self.stop.steps {
                RunStatus::StepLimit
            } else {
                continue;
            };
            if norm.is_finite() || steps == 0 || status == RunStatus::ZeroStudent {
                self.file(lane, run, status, norm);
            } else {
                self.file_last_finite(run, steps);
            }
            self.refill(lane);
            self.runs[lane].iter_mut().for_each(|run| run.begun = self.clock + 1);
        }
    }

    /// Files a run whose gradient is no number any more at the state before, which is computed anew: runs that leave the
    /// numbers do so after few steps, and no lane keeps an old state.
    fn file_last_finite(&mut self, run: LaneRun, steps: u64) {
        let stop = EnsembleStop { steps: steps - 1, gradient_norm: None, loss: None, ..self.stop };
        let (step, range) = ((run.step, StepHalving::Never), run.run..run.run + 1);
        let mut alone = Self::new(self.problem.clone(), step, stop, range, self.lanes);
        alone.advance(u64::MAX);
        for end in alone.queue.take_ended() {
            self.queue.file(RunEnd { status: RunStatus::Diverged, ..end });
        }
    }

    /// Halves the step of a lane's run and begins it again.
    fn restart(&mut self, lane: usize, run: LaneRun) {
        let halvings = run.halvings + 1;
        self.runs[lane] = Some(LaneRun { begun: self.clock + 1, step: 0.5 * run.step, halvings, ..run });
        self.begin(lane);
        if halvings >= MAX_HALVINGS {
            let start = LaneRun { begun: self.clock, halvings, ..run };
            std::mem::swap(&mut self.now, &mut self.next);
            self.file(lane, start, RunStatus::Stalled, f64::INFINITY);
            std::mem::swap(&mut self.now, &mut self.next);
            self.refill(lane);
            self.runs[lane].iter_mut().for_each(|run| run.begun = self.clock + 1);
        }
    }

    /// Files the end of a lane's run at its state in `now`.
    fn file(&mut self, lane: usize, run: LaneRun, status: RunStatus, gradient_norm: f64) {
        let (group, at) = (lane / EIGHT, lane % EIGHT);
        let size = self.problem.entries();
        for (to, x) in self.scratch.iter_mut().zip(&self.now[group * size..(group + 1) * size]) {
            *to = x.0[at];
        }
        let end = self.problem.end(run.run, &self.scratch);
        let gradient_norm = match status {
            RunStatus::ZeroStudent => self.problem.norm_with_zeros(&end, self.stop.norm),
            _ => gradient_norm.min(f64::INFINITY),
        };
        let steps = self.steps_of(&run);
        self.queue.file(RunEnd {
            run: run.run,
            status,
            steps,
            halvings: run.halvings,
            time: steps as f64 * run.step,
            loss: end.loss,
            gradient_norm,
            weights: end.weights,
            output: end.output,
        });
    }
}

/// Where a group's states lie; groups are counted round.
#[inline(always)]
fn part<P: LaneProblem>(group: usize, size: usize) -> Range<usize> {
    let group = group % P::GROUPS;
    group * size..(group + 1) * size
}

/// The rule on the loss, over its unit.
#[derive(Clone, Copy, Debug)]
struct LossRule {
    below: f64,
    steps: f64,
    noise: f64,
}

/// Updates the loss's record and says whether some lane may have something to settle.
#[inline(always)]
fn judge<S: Simd, const LOSS: bool>(
    simd: S,
    rules: &mut Rules,
    met: &Measures<S>,
    norm: NormKind,
    rule: LossRule,
) -> bool {
    let square = match norm {
        NormKind::Frobenius => met.total,
        NormKind::LargestNeuron => met.largest,
    };
    let converged = square.simd_le(rules.bound.load(simd));
    // A zero student's direction is no number, and neither is the norm.
    let mut found = converged | !square.simd_lt(rules.limit.load(simd));
    if LOSS {
        let before = rules.loss_before.load(simd) + f64x8::splat(simd, rule.noise);
        let low = met.loss.simd_le(f64x8::splat(simd, rule.below)) & met.loss.simd_le(before);
        let calm = rules.calm.load(simd) + f64x8::splat(simd, 1.0);
        let calm = low.select(calm, f64x8::splat(simd, 0.0));
        rules.calm.store(calm);
        rules.loss_before.store(met.loss);
        found |= calm.simd_ge(f64x8::splat(simd, rule.steps));
    }
    found.any_true()
}

impl<P: LaneProblem> Machine for Descent<P> {
    fn advance(&mut self, budget: u64) {
        let mut left = budget.div_ceil(self.runs.len() as u64).max(1);
        while left > 0 && !self.queue.is_done() {
            let to_limit = self.until_limit();
            let lanes = self.lanes;
            let most = left.min(to_limit);
            let (done, found) = if self.stop.loss.is_some() {
                on_lanes!(lanes, simd => self.steps::<_, true>(simd, most))
            } else {
                on_lanes!(lanes, simd => self.steps::<_, false>(simd, most))
            };
            left -= done;
            let live = self.runs.iter().flatten().count() as u64;
            self.queue.steps += done * live;
            self.clock += done - 1;
            if found || done == to_limit {
                on_lanes!(lanes, simd => self.measure(simd));
                self.settle();
            }
            std::mem::swap(&mut self.now, &mut self.next);
            self.clock += 1;
        }
    }

    fn extend(&mut self, runs: Range<u64>) {
        self.queue.extend(runs);
        self.fill();
    }

    fn queue(&self) -> &Queue {
        &self.queue
    }

    fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }
}
