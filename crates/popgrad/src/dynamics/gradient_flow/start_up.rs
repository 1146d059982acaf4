//! The beginning of a run, and its new beginning after a student was frozen: what already holds, and the first step.

use super::{GradientFlow, gradient_at};
use crate::dynamics::controller::Controller;
use crate::dynamics::stages::combine;
use crate::dynamics::zero_approach::first_turn;
use crate::dynamics::{EventKind, Landscape, Status};

impl<L: Landscape> GradientFlow<L> {
    /// Ends the run if a stop rule holds already; chooses the step otherwise.
    pub(super) fn begin(&mut self) {
        if self.status.is_some() {
            return;
        }
        let stop = self.options.stop;
        if stop.gradient_norm.is_some_and(|bound| self.gradient_norm <= bound) {
            self.finish(Status::Converged, Some(EventKind::GradientNorm));
        } else if let Some(bound) = stop.loss
            && self.current_loss() <= bound
        {
            self.finish(Status::Converged, Some(EventKind::Loss));
        } else if stop.time.is_some_and(|end| self.time >= end) {
            self.finish(Status::TimeLimit, None);
        } else if stop.steps.is_some_and(|end| self.steps >= end) {
            self.finish(Status::StepLimit, None);
        } else {
            if self.trace.due(self.steps) || self.trace.has_time_until(self.time) {
                self.write_row(None);
            }
            self.controller = Controller::new();
            self.step = match self.options.first_step {
                Some(step) if self.steps == 0 => step,
                _ => self.first_step(),
            };
            // Unknown until the students are looked at, which a bound of zero forces.
            self.smallest_student = 0.0;
        }
    }

    /// A first step whose local error is expected to be a hundredth of the tolerance, and in which no student
    /// turns by more than a tenth of a radian (D.8). Costs one gradient.
    fn first_step(&mut self) -> f64 {
        let n = self.dimension;
        let turn = first_turn(self.point(), self.k[0].as_flattened(), &self.students, &self.frozen);
        let (d0, d1) = (self.scaled_norm(&|y, _, _| y), self.scaled_norm(&|_, g, _| g));
        let small = d0 < 1e-5 || d1 < 1e-5;
        let h0 = (if small { 1e-6 } else { 0.01 * d0 / d1 }).min(turn);
        combine(self.lanes, &mut self.stage, &self.y, [-h0], [&self.k[0]]);
        let frozen = (&self.students[..], &self.frozen[..]);
        gradient_at(&mut self.landscape, (&self.stage, &mut self.probe), n, frozen);
        self.gradients += 1;
        let d2 = self.scaled_norm(&|_, g, probe| probe - g) / h0;
        let steepest = d1.max(d2);
        let h1 = if !steepest.is_finite() {
            h0
        } else if steepest <= 1e-15 {
            (1e-3 * h0).max(1e-6)
        } else {
            libm::pow(0.01 / steepest, 0.2)
        };
        (100.0 * h0).min(h1).min(turn)
    }

    /// Root mean square of a quantity made of state, gradient and probed gradient, in units of the tolerance.
    fn scaled_norm(&self, quantity: &dyn Fn(f64, f64, f64) -> f64) -> f64 {
        let (y, g) = (self.y.as_flattened(), self.k[0].as_flattened());
        let probe = self.probe.as_flattened();
        let mut sum = 0.0;
        for i in 0..self.dimension {
            let scale = (self.atol + self.options.rtol * y[i].abs()).max(f64::MIN_POSITIVE);
            let ratio = quantity(y[i], g[i], probe[i]) / scale;
            sum += ratio * ratio;
        }
        (sum / self.dimension.max(1) as f64).sqrt()
    }
}
