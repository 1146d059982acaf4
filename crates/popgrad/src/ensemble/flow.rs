//! The gradient flow over eight lanes, each with a step of its own.
//!
//! The integrator is that of [`crate::GradientFlow`]: the same tableau, controller, first step, dense output and rules near
//! zero students. All eight lanes try a step at the same time; each accepts or rejects its own.

use super::problem::{EndPoint, LaneProblem, Step, status_of_basin};
use super::queue::Queue;
use super::rules::LOSS_ROUNDING;
use super::run::Machine;
use super::{EnsembleStop, NormKind, RunEnd, RunStatus};
use crate::AbsoluteTolerance;
use crate::dynamics::tsitouras::{A2, A3, A4, A5, A6, B, ERROR, interpolant};
use crate::dynamics::{Controller, approach, locate};
use crate::eight::{EIGHT, Eight};
use crate::lanes::{Lanes, on_lanes};
use fearless_simd::{Simd, SimdBase, f64x8};
use std::ops::Range;

mod start_up;

/// A run ends as diverged once its gradient norm exceeds this.
const DIVERGENCE: f64 = 1e100;

/// Once the remaining time is at most this multiple of the step, the step goes to the end.
const STRETCH: f64 = 1.01;

/// The gradient flow of a range of runs.
#[derive(Debug)]
pub(super) struct Flow<P> {
    problem: P,
    tolerances: (f64, AbsoluteTolerance),
    stop: EnsembleStop,
    lanes: Lanes,
    queue: Queue,
    students: Vec<Range<usize>>,
    runs: [Option<LaneFlow>; EIGHT],
    /// State before and after the step, and the gradients of the seven stages; the first belongs to `y`.
    y: Vec<Eight>,
    z: Vec<Eight>,
    k: [Vec<Eight>; 7],
    /// Scratch: a state and its gradient.
    stage: Vec<Eight>,
    probe: Vec<Eight>,
    /// Step and absolute tolerance of each lane; zero where it rests.
    h: Eight,
    atol: Eight,
    measures: StepMeasures,
    /// [`Measures::basin`](super::problem::Measures::basin) of the state that was last probed.
    probe_basin: f64,
}

/// One lane's run.
#[derive(Clone, Copy, Debug)]
struct LaneFlow {
    run: u64,
    time: f64,
    step: f64,
    is_last: bool,
    controller: Controller,
    steps: u64,
    atol: f64,
    /// The norm that the rules compare, and that of the state's own motion.
    gradient_norm: f64,
    speed: f64,
    /// A lower bound of the norms of all students, kept up by the triangle inequality.
    smallest_student: f64,
    loss: f64,
    calm: u64,
    last_was_nan: bool,
}

/// What a tried step gives, lane by lane.
#[derive(Clone, Copy, Debug, Default)]
struct StepMeasures {
    error: Eight,
    moved: Eight,
    speed: Eight,
    total: Eight,
    largest: Eight,
    loss: Eight,
    basin: Eight,
}

/// `out = base + sum_i h weights[i] terms[i]`, the sum formed first, without fused operations.
#[inline(always)]
fn combine<S: Simd, const N: usize>(
    simd: S,
    out: &mut [Eight],
    base: &[Eight],
    (h, weights): (&Eight, &[f64; N]),
    terms: &[Vec<Eight>; 7],
) {
    let minus = -h.load(simd);
    let mut scaled = [minus; N];
    for i in 0..N {
        scaled[i] = minus * weights[i];
    }
    for i in 0..out.len() {
        let mut sum = terms[0][i].load(simd) * scaled[0];
        for j in 1..N {
            sum += terms[j][i].load(simd) * scaled[j];
        }
        out[i].store(base[i].load(simd) + sum);
    }
}

/// One lane of a state.
fn lane_of(state: &[Eight], lane: usize) -> Vec<f64> {
    state.iter().map(|x| x.0[lane]).collect()
}

impl<P: LaneProblem> Flow<P> {
    pub(super) fn new(
        problem: P,
        tolerances: (f64, AbsoluteTolerance),
        stop: EnsembleStop,
        runs: Range<u64>,
        lanes: Lanes,
    ) -> Self {
        let state = vec![Eight::default(); problem.entries()];
        let mut flow = Self {
            students: problem.students(),
            problem,
            tolerances,
            stop,
            lanes,
            queue: Queue::new(runs),
            runs: [None; EIGHT],
            y: state.clone(),
            z: state.clone(),
            k: std::array::from_fn(|_| state.clone()),
            stage: state.clone(),
            probe: state,
            h: Eight::default(),
            atol: Eight([1.0; EIGHT]),
            measures: StepMeasures::default(),
            probe_basin: 0.0,
        };
        flow.fill();
        flow
    }

    /// Gives the resting lanes runs.
    fn fill(&mut self) {
        for lane in 0..EIGHT {
            if self.runs[lane].is_none() {
                self.refill(lane);
            }
        }
    }

    /// The norm that the rules compare, from the squared ones.
    fn norm(&self, total: f64, largest: f64) -> f64 {
        let square = match self.stop.norm {
            NormKind::Frobenius => total,
            NormKind::LargestNeuron => largest,
        };
        square.sqrt() * self.problem.unit()
    }

    // ---- one step of all lanes ----

    /// Chooses the step of a lane; false if its run ended instead and another one is to be looked at.
    fn choose_step(&mut self, lane: usize) -> bool {
        let Some(mut run) = self.runs[lane] else {
            self.h.0[lane] = 0.0;
            return true;
        };
        if self.meet_students(lane, &mut run) {
            return false;
        }
        let (mut h, mut is_last) = (run.step, false);
        if let Some(end) = self.stop.time
            && run.time + STRETCH * h >= end
        {
            (h, is_last) = (end - run.time, true);
        }
        if run.time + h <= run.time || h < 8.0 * f64::EPSILON * run.time {
            let status = if run.last_was_nan { RunStatus::Diverged } else { RunStatus::Stalled };
            self.finish(lane, run, status);
            return false;
        }
        run.is_last = is_last;
        self.h.0[lane] = h;
        self.runs[lane] = Some(run);
        true
    }

    /// Forms the stages and measures the step of all lanes.
    #[inline(always)]
    fn form_stages<S: Simd>(&mut self, simd: S) {
        let scale = f64x8::splat(simd, self.problem.unit());
        let mut step = Step { scale, moves: false, loss: false, basins: false };
        let (h, y) = (&self.h, &self.y);
        combine(simd, &mut self.stage, y, (h, &A2), &self.k);
        self.problem.evaluate(simd, &self.stage, &mut self.k[1], step);
        combine(simd, &mut self.stage, y, (h, &A3), &self.k);
        self.problem.evaluate(simd, &self.stage, &mut self.k[2], step);
        combine(simd, &mut self.stage, y, (h, &A4), &self.k);
        self.problem.evaluate(simd, &self.stage, &mut self.k[3], step);
        combine(simd, &mut self.stage, y, (h, &A5), &self.k);
        self.problem.evaluate(simd, &self.stage, &mut self.k[4], step);
        combine(simd, &mut self.stage, y, (h, &A6), &self.k);
        self.problem.evaluate(simd, &self.stage, &mut self.k[5], step);
        combine(simd, &mut self.z, y, (h, &B), &self.k);
        step.loss = self.stop.loss.is_some();
        step.basins = P::BASINS && self.problem.watches_basins();
        let met = self.problem.evaluate(simd, &self.z, &mut self.k[6], step);
        self.measures.total.store(met.total);
        self.measures.largest.store(met.largest);
        self.measures.loss.store(met.loss);
        self.measures.basin.store(met.basin);
        self.measure(simd);
    }

    /// Error, motion and speed of the step.
    #[inline(always)]
    fn measure<S: Simd>(&mut self, simd: S) {
        let zero = f64x8::splat(simd, 0.0);
        // Keeps 0 / 0 of entries that stay exactly zero at zero.
        let least = f64x8::splat(simd, f64::MIN_POSITIVE);
        let (h, atol) = (self.h.load(simd), self.atol.load(simd));
        let (mut error, mut moved, mut speed) = (zero, zero, zero);
        for i in 0..self.y.len() {
            let mut sum = self.k[0][i].load(simd) * (h * ERROR[0]);
            for j in 1..7 {
                sum += self.k[j][i].load(simd) * (h * ERROR[j]);
            }
            let (from, to) = (self.y[i].load(simd), self.z[i].load(simd));
            let scale = (atol + from.abs().max(to.abs()) * self.tolerances.0).max(least);
            let ratio = sum / scale;
            error += ratio * ratio;
            let step = to - from;
            moved += step * step;
            let last = self.k[6][i].load(simd);
            speed += last * last;
        }
        self.measures.error.store(error);
        self.measures.moved.store(moved);
        self.measures.speed.store(speed);
    }

    /// Accepts or rejects a lane's step.
    fn judge(&mut self, lane: usize) {
        let Some(mut run) = self.runs[lane] else { return };
        let h = self.h.0[lane];
        let error = (self.measures.error.0[lane] / self.y.len().max(1) as f64).sqrt();
        let speed = self.measures.speed.0[lane];
        if error <= 1.0 && speed.is_finite() {
            let factor = run.controller.accept(error);
            run.last_was_nan = false;
            let before = run.step;
            if self.accept(lane, &mut run, h) {
                return;
            }
            // A step cut short by the end of the run or by a student says little about the next one.
            run.step = (h * factor).max(if run.is_last { before } else { 0.0 });
        } else {
            run.last_was_nan = !error.is_finite();
            run.step = h * run.controller.reject(error);
        }
        self.runs[lane] = Some(run);
    }

    /// Moves a lane to its new state; true if that ended its run.
    fn accept(&mut self, lane: usize, run: &mut LaneFlow, h: f64) -> bool {
        let norm = self.norm(self.measures.total.0[lane], self.measures.largest.0[lane]);
        if let Some(bound) = self.stop.gradient_norm
            && norm <= bound
        {
            self.finish_within_step(lane, *run, h, (bound, norm));
            return true;
        }
        let end = if run.is_last { self.stop.time.unwrap_or(run.time + h) } else { run.time + h };
        run.steps += 1;
        run.time = end;
        run.gradient_norm = norm;
        run.speed = self.measures.speed.0[lane].sqrt();
        run.smallest_student -= self.measures.moved.0[lane].sqrt();
        for i in 0..self.y.len() {
            self.y[i].0[lane] = self.z[i].0[lane];
            self.k[0][i].0[lane] = self.k[6][i].0[lane];
        }
        let calm = self.note_loss(lane, run);
        let status = if norm > DIVERGENCE {
            RunStatus::Diverged
        } else if calm {
            RunStatus::LossBelow
        } else if let Some(status) = status_of_basin(self.measures.basin.0[lane]) {
            status
        } else if run.is_last {
            RunStatus::TimeLimit
        } else if run.steps >= self.stop.steps {
            RunStatus::StepLimit
        } else {
            return false;
        };
        self.finish(lane, *run, status);
        true
    }

    /// Keeps the loss's record; true if its rule ends the run.
    fn note_loss(&self, lane: usize, run: &mut LaneFlow) -> bool {
        let Some(rule) = self.stop.loss else { return false };
        let unit = self.problem.unit();
        let loss = self.measures.loss.0[lane] * unit;
        let low = loss <= rule.below && loss <= run.loss + LOSS_ROUNDING * self.problem.loss_scale() * unit;
        run.calm = if low { run.calm + 1 } else { 0 };
        run.loss = loss;
        run.calm >= rule.steps
    }

    // ---- ends ----

    /// Bounds a lane's next step by the students that shrink, and meets those that are as good as zero; true if there were
    /// any, so that the run has ended.
    fn meet_students(&mut self, lane: usize, run: &mut LaneFlow) -> bool {
        let radius = run.atol;
        let near = 0.9 * run.smallest_student <= run.step * run.speed;
        if !(near || run.smallest_student <= radius) {
            return false;
        }
        let (mut y, k) = (lane_of(&self.y, lane), lane_of(&self.k[0], lane));
        let mut vanishing = Vec::new();
        let found = approach(&y, &k, (&self.students, &[]), (radius, run.time), &mut vanishing);
        run.smallest_student = found.smallest;
        let last = vanishing.last().map_or(0.0, |(_, left)| run.time + left);
        if vanishing.is_empty() || self.stop.time.is_some_and(|end| last >= end) {
            run.step = run.step.min(found.step);
            return false;
        }
        run.time = last;
        let left = vanishing.last().map_or(0.0, |(_, left)| *left);
        for (y, g) in y.iter_mut().zip(&k) {
            *y -= left * g;
        }
        for (student, _) in vanishing {
            y[self.students[student].clone()].fill(0.0);
        }
        for (to, y) in self.y.iter_mut().zip(&y) {
            to.0[lane] = *y;
        }
        self.finish(lane, *run, RunStatus::ZeroStudent);
        true
    }

    /// Ends a run where the gradient norm meets its bound within the step, on the dense output.
    fn finish_within_step(&mut self, lane: usize, mut run: LaneFlow, h: f64, (bound, after): (f64, f64)) {
        let y = lane_of(&self.y, lane);
        let k: [Vec<f64>; 7] = std::array::from_fn(|i| lane_of(&self.k[i], lane));
        let z = lane_of(&self.z, lane);
        let mut point = z.clone();
        let share = locate(run.gradient_norm - bound, after - bound, |share| {
            dense(&y, &k, &z, (share, h), &mut point);
            self.norm_at(&point) - bound
        });
        dense(&y, &k, &z, (share, h), &mut point);
        run.gradient_norm = self.norm_at(&point);
        run.time += share * h;
        run.steps += 1;
        for (to, y) in self.y.iter_mut().zip(&point) {
            to.0[lane] = *y;
        }
        self.finish(lane, run, RunStatus::Converged);
    }

    /// Files a run at its state in `y`, and gives the lane the next one.
    fn finish(&mut self, lane: usize, run: LaneFlow, status: RunStatus) {
        self.file(lane, run, status);
        self.refill(lane);
    }

    /// Files a run at its state in `y`.
    fn file(&mut self, lane: usize, run: LaneFlow, status: RunStatus) {
        let end: EndPoint = self.problem.end(run.run, &lane_of(&self.y, lane));
        let gradient_norm = match status {
            RunStatus::ZeroStudent => self.problem.norm_with_zeros(&end, self.stop.norm),
            _ => run.gradient_norm,
        };
        self.queue.file(RunEnd {
            run: run.run,
            status,
            steps: run.steps,
            halvings: 0,
            time: run.time,
            loss: end.loss,
            gradient_norm: gradient_norm.min(f64::INFINITY),
            weights: end.weights,
            output: end.output,
        });
    }
}

/// The dense output at a share of the step (docs/theory/dynamics.md, (D.9)).
fn dense(y: &[f64], k: &[Vec<f64>; 7], z: &[f64], (share, h): (f64, f64), out: &mut [f64]) {
    if share == 1.0 {
        out.copy_from_slice(z);
        return;
    }
    let weights = interpolant(share).map(|b| -h * b);
    for (i, out) in out.iter_mut().enumerate() {
        let mut sum = k[0][i] * weights[0];
        for j in 1..7 {
            sum += k[j][i] * weights[j];
        }
        *out = y[i] + sum;
    }
}

impl<P: LaneProblem> Machine for Flow<P> {
    fn advance(&mut self, budget: u64) {
        let mut left = budget.div_ceil(EIGHT as u64).max(1);
        while left > 0 && !self.queue.is_done() {
            for lane in 0..EIGHT {
                while !self.choose_step(lane) {}
            }
            let live = self.runs.iter().flatten().count() as u64;
            if live == 0 {
                return;
            }
            let lanes = self.lanes;
            on_lanes!(lanes, simd => self.form_stages(simd));
            for lane in 0..EIGHT {
                self.judge(lane);
            }
            self.queue.steps += live;
            left -= 1;
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
