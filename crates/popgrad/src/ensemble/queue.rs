//! The runs of a range: which is next, and the ends that have come in, in order.

use super::{EnsembleProgress, RunEnd};
use std::collections::VecDeque;
use std::ops::Range;

/// Runs waiting, and ends collected. Lanes finish out of order; ends go out in the order of the runs.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    first: u64,
    next: u64,
    end: u64,
    /// Runs handed out so far belong before this one.
    out: u64,
    ends: VecDeque<Option<RunEnd>>,
    ended: u64,
    /// Steps tried by all runs together.
    pub(super) steps: u64,
}

impl Queue {
    pub(super) fn new(runs: &Range<u64>) -> Self {
        let (first, end) = (runs.start, runs.end);
        Self { first, next: first, end, out: first, ends: VecDeque::new(), ended: 0, steps: 0 }
    }

    /// The next run that no lane has taken.
    pub(super) fn take_next(&mut self) -> Option<u64> {
        let run = self.next;
        (run < self.end).then(|| {
            self.next += 1;
            self.ends.push_back(None);
            run
        })
    }

    /// Files the end of a run.
    pub(super) fn file(&mut self, end: RunEnd) {
        let slot = end.run.checked_sub(self.out).and_then(|at| usize::try_from(at).ok());
        if let Some(slot) = slot.and_then(|at| self.ends.get_mut(at)) {
            *slot = Some(end);
            self.ended += 1;
        }
    }

    /// The ends that have come in, up to the first run that is still going.
    pub(super) fn take_ended(&mut self) -> Vec<RunEnd> {
        let mut out = Vec::new();
        while let Some(end) = self.ends.front_mut().and_then(Option::take) {
            self.ends.pop_front();
            self.out += 1;
            out.push(end);
        }
        out
    }

    pub(super) fn is_done(&self) -> bool {
        self.ended == self.end - self.first
    }

    pub(super) fn progress(&self) -> EnsembleProgress {
        EnsembleProgress { ended: self.ended, runs: self.end - self.first, steps: self.steps }
    }
}
