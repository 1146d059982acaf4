//! The runs of a machine: which is next, and the ends that have come in.

use super::{EnsembleProgress, RunEnd};
use std::collections::VecDeque;
use std::ops::Range;

/// Runs waiting, and ends collected in the order in which lanes finish.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Range<u64>>,
    ends: Vec<RunEnd>,
    runs: u64,
    ended: u64,
    /// Steps tried by all runs together.
    pub(super) steps: u64,
}

impl Queue {
    pub(super) fn new(runs: Range<u64>) -> Self {
        let mut queue = Self { waiting: VecDeque::new(), ends: Vec::new(), runs: 0, ended: 0, steps: 0 };
        queue.extend(runs);
        queue
    }

    /// Lets a range of runs wait behind the others.
    pub(super) fn extend(&mut self, runs: Range<u64>) {
        if !runs.is_empty() {
            self.runs = self.runs.saturating_add(runs.end - runs.start);
            self.waiting.push_back(runs);
        }
    }

    /// The next run that no lane has taken.
    pub(super) fn take_next(&mut self) -> Option<u64> {
        let front = self.waiting.front_mut()?;
        let run = front.next();
        if front.is_empty() {
            self.waiting.pop_front();
        }
        run
    }

    /// Files the end of a run.
    pub(super) fn file(&mut self, end: RunEnd) {
        self.ends.push(end);
        self.ended += 1;
    }

    /// The ends that have come in, in the order of the runs.
    pub(super) fn take_ended(&mut self) -> Vec<RunEnd> {
        let mut ends = std::mem::take(&mut self.ends);
        ends.sort_unstable_by_key(|end| end.run);
        ends
    }

    pub(super) fn is_done(&self) -> bool {
        self.ended == self.runs
    }

    pub(super) fn progress(&self) -> EnsembleProgress {
        let waiting = self.waiting.iter().map(|range| range.end - range.start).sum();
        EnsembleProgress { ended: self.ended, runs: self.runs, waiting, steps: self.steps }
    }
}
