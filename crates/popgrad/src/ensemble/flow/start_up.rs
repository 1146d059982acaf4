//! The beginning of a lane's run: what already holds, and the first step.

use super::{Flow, LaneFlow, lane_of};
use crate::dynamics::{Controller, first_turn};
use crate::eight::{EIGHT, Eight};
use crate::ensemble::RunStatus;
use crate::ensemble::problem::{LaneProblem, Step, status_of_basin};
use crate::lanes::on_lanes;
use fearless_simd::{SimdBase, f64x8};

impl<P: LaneProblem> Flow<P> {
    /// Gives a lane the next run that does not end at its start; rests the lane where there is none.
    pub(super) fn refill(&mut self, lane: usize) {
        loop {
            let Some(number) = self.queue.take_next() else {
                self.rest(lane);
                return;
            };
            let mut start = vec![0.0; self.y.len()];
            self.problem.begin(number, &mut start);
            for (to, y) in self.y.iter_mut().zip(&start) {
                to.0[lane] = *y;
            }
            let atol = self.tolerances.1.value(&start, &self.students);
            let run = LaneFlow {
                run: number,
                time: 0.0,
                step: 0.0,
                is_last: false,
                controller: Controller::new(),
                steps: 0,
                atol,
                gradient_norm: self.norm_at(&start),
                speed: 0.0,
                smallest_student: 0.0,
                loss: f64::NEG_INFINITY,
                calm: 0,
                last_was_nan: false,
            };
            if let Some(status) = self.ends_at_start(&start, run.gradient_norm) {
                self.file(lane, run, status);
                continue;
            }
            self.begin(lane, run, &start);
            return;
        }
    }

    /// Evaluates the first stage and chooses the first step.
    fn begin(&mut self, lane: usize, mut run: LaneFlow, start: &[f64]) {
        let gradient = lane_of(&self.probe, 0);
        for (to, g) in self.k[0].iter_mut().zip(&gradient) {
            to.0[lane] = *g;
        }
        run.speed = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        self.atol.0[lane] = run.atol;
        run.step = self.first_step(start, &gradient, run.atol);
        self.runs[lane] = Some(run);
    }

    fn ends_at_start(&self, start: &[f64], norm: f64) -> Option<RunStatus> {
        let is_zero = |slice: &std::ops::Range<usize>| start[slice.clone()].iter().all(|w| *w == 0.0);
        if self.students.iter().any(is_zero) {
            Some(RunStatus::ZeroStudent)
        } else if !norm.is_finite() {
            Some(RunStatus::Diverged)
        } else if self.stop.gradient_norm.is_some_and(|bound| norm <= bound) {
            Some(RunStatus::Converged)
        } else if let Some(status) = status_of_basin(self.probe_basin) {
            Some(status)
        } else if self.stop.time.is_some_and(|end| end <= 0.0) {
            Some(RunStatus::TimeLimit)
        } else {
            (self.stop.steps == 0).then_some(RunStatus::StepLimit)
        }
    }

    /// Puts a lane that has no run at a state that is harmless to evaluate.
    fn rest(&mut self, lane: usize) {
        self.runs[lane] = None;
        let mut state = vec![0.0; self.y.len()];
        self.problem.idle(&mut state);
        for ((y, z), (first, state)) in
            self.y.iter_mut().zip(&mut self.z).zip(self.k[0].iter_mut().zip(&state))
        {
            (y.0[lane], z.0[lane], first.0[lane]) = (*state, *state, 0.0);
        }
        (self.h.0[lane], self.atol.0[lane]) = (0.0, 1.0);
    }

    /// A first step whose local error is expected to be a hundredth of the tolerance, and in which no student turns by
    /// more than a tenth of a radian (docs/theory/dynamics.md, (D.8)). Costs one gradient.
    fn first_step(&mut self, start: &[f64], gradient: &[f64], atol: f64) -> f64 {
        let turn = first_turn(start, gradient, &self.students, &[]);
        let rtol = self.tolerances.0;
        let n = start.len().max(1) as f64;
        let scaled = |values: &[f64]| {
            let mut sum = 0.0;
            for (value, y) in values.iter().zip(start) {
                let ratio = value / (atol + rtol * y.abs()).max(f64::MIN_POSITIVE);
                sum += ratio * ratio;
            }
            (sum / n).sqrt()
        };
        let (d0, d1) = (scaled(start), scaled(gradient));
        let h0 = (if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 }).min(turn);
        let ahead: Vec<f64> = start.iter().zip(gradient).map(|(y, g)| y - h0 * g).collect();
        self.norm_at(&ahead);
        let change: Vec<f64> = self.probe.iter().zip(gradient).map(|(probe, g)| probe.0[0] - g).collect();
        let steepest = d1.max(scaled(&change) / h0);
        let h1 = if !steepest.is_finite() {
            h0
        } else if steepest <= 1e-15 {
            (1e-3 * h0).max(1e-6)
        } else {
            libm::pow(0.01 / steepest, 0.2)
        };
        (100.0 * h0).min(h1).min(turn)
    }

    /// The gradient norm at one state, evaluated in all lanes; leaves the gradient in `probe`, and in `probe_basin` the point
    /// that the run is bound for.
    pub(super) fn norm_at(&mut self, point: &[f64]) -> f64 {
        for (to, y) in self.stage.iter_mut().zip(point) {
            *to = Eight([*y; EIGHT]);
        }
        let (mut total, mut largest, mut basin) = (Eight::default(), Eight::default(), Eight::default());
        let (unit, basins) = (self.problem.unit(), P::BASINS && self.problem.watches_basins());
        let (problem, stage, probe) = (&mut self.problem, &self.stage, &mut self.probe);
        on_lanes!(self.lanes, simd => {
            let step = Step { scale: f64x8::splat(simd, unit), moves: false, loss: false, basins };
            let met = problem.evaluate(simd, stage, probe, step);
            total.store(met.total);
            largest.store(met.largest);
            basin.store(met.basin);
        });
        self.probe_basin = basin.0[0];
        self.norm(total.0[0], largest.0[0])
    }
}
