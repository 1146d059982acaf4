//! Students that are, or come to, zero during the gradient flow.

use super::GradientFlow;
use crate::dynamics::run::{all_zero, clear};
use crate::dynamics::zero_approach::approach;
use crate::dynamics::{Event, EventKind, Landscape, Status, ZeroStudentRule};

impl<L: Landscape> GradientFlow<L> {
    /// Reports students that are zero at the start.
    pub(super) fn meet_initial_zeros(&mut self) {
        self.vanishing.clear();
        for student in 0..self.students.len() {
            if all_zero(&self.point()[self.students[student].clone()]) {
                self.vanishing.push((student, 0.0));
            }
        }
        if !self.vanishing.is_empty() {
            self.vanish();
        }
    }

    /// Bounds the next step by the students that shrink (D.12), and meets those that are as good as zero
    /// (D.13); true if there were any, so that no step is to be tried now.
    pub(super) fn meet_students(&mut self) -> bool {
        // No student is nearer to zero than `smallest_student`, and none moves faster than the whole state.
        let near = 0.9 * self.smallest_student <= self.step * self.gradient_norm;
        if self.students.is_empty() || !(near || self.smallest_student <= self.radius) {
            return false;
        }
        let found = approach(
            &self.y.as_flattened()[..self.dimension],
            &self.k[0].as_flattened()[..self.dimension],
            (&self.students, &self.frozen),
            (self.radius, self.time),
            &mut self.vanishing,
        );
        self.smallest_student = found.smallest;
        let last = self.vanishing.last().map_or(0.0, |(_, left)| self.time + left);
        let after_the_end = self.options.stop.time.is_some_and(|end| last >= end);
        if self.vanishing.is_empty() || after_the_end {
            self.step = self.step.min(found.step);
            return false;
        }
        self.vanish();
        self.begin();
        true
    }

    /// Takes the listed students to zero along their straight lines, and ends the run or freezes them.
    ///
    /// Each needs so little time that the others move by less than the tolerance; they are moved by one Euler
    /// step, whose error is of second order in that time.
    fn vanish(&mut self) {
        let left = self.vanishing.last().map_or(0.0, |(_, left)| *left);
        for (y, g) in self.y.as_flattened_mut().iter_mut().zip(self.k[0].as_flattened()) {
            *y -= left * g;
        }
        let events: Vec<Event> = self
            .vanishing
            .iter()
            .map(|&(student, left)| Event {
                kind: EventKind::ZeroStudent { student },
                step: self.steps,
                time: self.time + left,
            })
            .collect();
        self.frozen.extend(self.vanishing.iter().map(|(student, _)| *student));
        clear(self.y.as_flattened_mut(), &self.students, &self.frozen);
        self.time += left;
        self.loss = None;
        self.evaluate_first_stage();
        let first = events[0].kind;
        self.trace.events.extend(events);
        if self.options.zero_student == ZeroStudentRule::Stop {
            self.end_with_row(Status::ZeroStudent, Some(first));
            return;
        }
        if self.trace.follows_steps() {
            self.write_row(Some(first));
        }
        self.renew_event_functions();
    }
}
