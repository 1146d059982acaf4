//! What happens inside a step: dense output, requested times, crossings, in order of time.

use super::{GradientFlow, gradient_at};
use crate::dynamics::crossing::locate;
use crate::dynamics::run::norm;
use crate::dynamics::stages::{Block, combine};
use crate::dynamics::tsitouras::interpolant;
use crate::dynamics::{Event, EventKind, Landscape, Row, Status};

/// A crossing: the share of the step at which it lies, what it is, and the status it ends the run with, if any.
pub(super) type Crossing = (f64, EventKind, Option<Status>);

impl<L: Landscape> GradientFlow<L> {
    /// Locates all crossings of the step and meets them in order of time; true if one ended the run.
    pub(super) fn meet_crossings(&mut self, h: f64, end: f64, gradient_norm: f64) -> bool {
        let mut crossings = std::mem::take(&mut self.crossings);
        crossings.clear();
        self.find_stops(h, gradient_norm, &mut crossings);
        self.find_events(h, end, &mut crossings);
        crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ended = crossings.iter().any(|crossing| self.meet_crossing(*crossing, h, end));
        self.crossings = crossings;
        ended
    }

    /// Meets one crossing; true if it ended the run.
    fn meet_crossing(&mut self, (share, kind, status): Crossing, h: f64, end: f64) -> bool {
        let time = if share == 1.0 { end } else { self.time + share * h };
        self.write_rows_until(h, time);
        if let Some(status) = status {
            self.move_within_step(share, h, time);
            self.finish(status, Some(kind));
            return true;
        }
        self.trace.events.push(Event { kind, step: self.steps, time });
        if self.trace.follows_steps() {
            self.write_row_within_step(share, h, time, Some(kind));
        }
        false
    }

    /// The bounds on gradient norm and loss.
    fn find_stops(&mut self, h: f64, norm_after: f64, out: &mut Vec<Crossing>) {
        let stop = self.options.stop;
        if let Some(bound) = stop.gradient_norm
            && norm_after <= bound
        {
            let share = locate(self.gradient_norm - bound, norm_after - bound, |share| {
                self.dense(share, h);
                self.gradient_norm_of_stage() - bound
            });
            out.push((share, EventKind::GradientNorm, Some(Status::Converged)));
        }
        if let Some(bound) = stop.loss {
            let after = self.landscape.loss(&self.z.as_flattened()[..self.dimension]);
            if after <= bound {
                let before = self.current_loss();
                let share = locate(before - bound, after - bound, |share| {
                    self.dense(share, h);
                    self.landscape.loss(&self.stage.as_flattened()[..self.dimension]) - bound
                });
                out.push((share, EventKind::Loss, Some(Status::Converged)));
            }
        }
    }

    /// The caller's event functions.
    fn find_events(&mut self, h: f64, end: f64, out: &mut Vec<Crossing>) {
        let mut functions = std::mem::take(&mut self.functions);
        for (index, function) in functions.iter_mut().enumerate() {
            let after = function.eval(end, &self.z.as_flattened()[..self.dimension]);
            if function.crosses(after) {
                let share = locate(function.before, after, |share| {
                    self.dense(share, h);
                    function.eval(self.time + share * h, &self.stage.as_flattened()[..self.dimension])
                });
                let status = function.ends.then_some(Status::Event);
                out.push((share, EventKind::Crossing { function: index }, status));
            }
            function.before = after;
        }
        self.functions = functions;
    }

    /// Takes the values of the event functions at the present state as those to compare with.
    pub(super) fn renew_event_functions(&mut self) {
        for function in &mut self.functions {
            function.before = function.eval(self.time, &self.y.as_flattened()[..self.dimension]);
        }
    }

    /// Writes the dense output at a share of the step into `stage` (D.9).
    fn dense(&mut self, share: f64, h: f64) {
        if share == 1.0 {
            self.stage.copy_from_slice(&self.z);
            return;
        }
        let terms: [&[Block]; 7] = std::array::from_fn(|i| &self.k[i][..]);
        combine(self.lanes, &mut self.stage, &self.y, interpolant(share).map(|b| -h * b), terms);
    }

    /// Gradient norm at the state in `stage`.
    fn gradient_norm_of_stage(&mut self) -> f64 {
        let frozen = (&self.students[..], &self.frozen[..]);
        gradient_at(&mut self.landscape, (&self.stage, &mut self.probe), self.dimension, frozen);
        self.gradients += 1;
        norm(self.probe.as_flattened())
    }

    /// Makes the dense output at a share of the step the present state.
    fn move_within_step(&mut self, share: f64, h: f64, time: f64) {
        self.dense(share, h);
        std::mem::swap(&mut self.y, &mut self.stage);
        self.time = time;
        self.steps += 1;
        self.loss = None;
        self.evaluate_first_stage();
    }

    /// Writes the rows whose times were requested and lie in the step, up to `until`.
    pub(super) fn write_rows_until(&mut self, h: f64, until: f64) {
        while let Some(time) = self.trace.next_time_until(until) {
            let share = ((time - self.time) / h).clamp(0.0, 1.0);
            self.write_row_within_step(share, h, time, None);
        }
    }

    fn write_row_within_step(&mut self, share: f64, h: f64, time: f64, event: Option<EventKind>) {
        self.dense(share, h);
        let gradient_norm = self.gradient_norm_of_stage();
        let point = self.stage.as_flattened()[..self.dimension].to_vec();
        let loss = self.landscape.loss(&point);
        self.trace.rows.push(Row { step: self.steps, time, loss, gradient_norm, point, event });
    }
}
