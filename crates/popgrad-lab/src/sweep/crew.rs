//! The threads of a sweep: parts computed one after another in the same lanes, and handed over as they are complete.
//!
//! A thread that has no more runs to begin takes the next part of the same cell, while slow runs of earlier parts go on; so
//! lanes rest only at the end of a cell, and where the ends of one more part would take too much memory.

use super::classes::Classes;
use super::error::SweepError;
use super::part::{Class, Part, Row};
use super::plan::Plan;
use popgrad::{EnsembleAdvance, EnsembleError, EnsembleRun, RunEnd, RunStatus};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Pairs of units that one look at the interrupt may cost, some ten milliseconds.
const PAIRS_OF_A_SLICE: u64 = 4_000_000;
/// Numbers that the ends of a thread's unfinished parts may hold before no more are begun.
const MOST_NUMBERS: u64 = 1 << 23;

/// What the threads share.
pub(super) struct Crew<'s> {
    plan: &'s Plan,
    waiting: Mutex<VecDeque<u64>>,
    /// Runs stored, or ended in a part that is being computed.
    done: AtomicU64,
    /// Raised when one of them fails, so that the others end as well.
    stop: AtomicBool,
    interrupt: &'s AtomicBool,
}

/// What takes the ends of a complete part, in the order of the runs.
pub(super) type Hand<'h> = dyn Fn(u64, Vec<RunEnd>) -> Result<(), SweepError> + Sync + 'h;

impl<'s> Crew<'s> {
    /// A crew for some parts of a plan, of whose runs `done` are stored.
    pub(super) fn new(plan: &'s Plan, parts: VecDeque<u64>, done: u64, interrupt: &'s AtomicBool) -> Self {
        let (waiting, done, stop) = (Mutex::new(parts), AtomicU64::new(done), AtomicBool::new(false));
        Self { plan, waiting, done, stop, interrupt }
    }

    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Ends the work of all threads soon.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.is_interrupted()
    }

    /// The next part; of the given cell only, if one is given.
    fn take(&self, cell: Option<usize>) -> Option<u64> {
        let mut waiting = self.waiting.lock().ok()?;
        let next = *waiting.front()?;
        if cell.is_some_and(|cell| self.plan.place(next).0 != cell) {
            return None;
        }
        waiting.pop_front()
    }

    /// The work of one thread: takes parts until none is left.
    pub(super) fn work(&self, hand: &Hand<'_>) -> Result<(), SweepError> {
        while !self.is_over() {
            let Some(part) = self.take(None) else { break };
            let result = self.cell_from(part, hand);
            if result.is_err() {
                self.stop();
                return result;
            }
        }
        Ok(())
    }

    /// Computes a part and those of its cell that follow.
    fn cell_from(&self, part: u64, hand: &Hand<'_>) -> Result<(), SweepError> {
        let number = self.plan.place(part).0;
        let cell = &self.plan.cells[number];
        let fail = |e: EnsembleError| failure(number, &e);
        let machine = cell.runs(0..0, self.plan.level).map_err(fail)?;
        let mut lanes = Lanes { plan: self.plan, machine, open: Vec::new() };
        lanes.begin(part).map_err(fail)?;
        let budget = PAIRS_OF_A_SLICE / cell.size().1.max(1) as u64 + 1;
        while !self.is_over() {
            let slice = lanes.advance(budget);
            self.done.fetch_add(slice.ended, Ordering::Relaxed);
            for (part, ends) in slice.complete {
                hand(part, ends)?;
            }
            // Enough to begin with until the next look.
            while lanes.machine.progress().waiting <= slice.ended && lanes.has_room() {
                let Some(part) = self.take(Some(number)) else { break };
                lanes.begin(part).map_err(fail)?;
            }
            if lanes.open.is_empty() {
                return Ok(());
            }
        }
        // Parts that are given up do not count.
        let lost: usize = lanes.open.iter().map(|open| open.ends.len()).sum();
        self.done.fetch_sub(lost as u64, Ordering::Relaxed);
        Ok(())
    }
}

fn failure(cell: usize, error: &EnsembleError) -> SweepError {
    SweepError::Cell { cell, message: error.to_string(), kind: error.kind() }
}

/// A part some of whose runs are waiting or going on.
struct Open {
    part: u64,
    runs: (u64, u64),
    ends: Vec<RunEnd>,
}

/// The lanes of a thread and the parts whose runs are in them.
struct Lanes<'p> {
    plan: &'p Plan,
    machine: EnsembleRun<'p>,
    open: Vec<Open>,
}

/// What a slice of work has brought.
struct Slice {
    ended: u64,
    complete: Vec<(u64, Vec<RunEnd>)>,
}

impl Lanes<'_> {
    fn begin(&mut self, part: u64) -> Result<(), EnsembleError> {
        let runs = self.plan.range(part);
        self.open.push(Open { part, runs, ends: Vec::new() });
        self.machine.extend(runs.0..runs.1)
    }

    /// Whether the ends of one more part may be held.
    fn has_room(&self) -> bool {
        let of_part = self.plan.numbers_of_a_part();
        self.open.is_empty() || (self.open.len() as u64 + 1).saturating_mul(of_part) <= MOST_NUMBERS
    }

    fn advance(&mut self, budget: u64) -> Slice {
        let ends = match self.machine.advance(budget) {
            EnsembleAdvance::Running(_) => self.machine.take_ended(),
            EnsembleAdvance::Done(ends) => ends,
        };
        let ended = ends.len() as u64;
        for end in ends {
            let of = |open: &&mut Open| (open.runs.0..open.runs.1).contains(&end.run);
            if let Some(open) = self.open.iter_mut().find(of) {
                open.ends.push(end);
            }
        }
        let is_complete = |open: &mut Open| open.ends.len() as u64 == open.runs.1 - open.runs.0;
        let complete = self.open.extract_if(.., is_complete).map(|mut open| {
            open.ends.sort_unstable_by_key(|end| end.run);
            (open.part, open.ends)
        });
        Slice { ended, complete: complete.collect() }
    }
}

/// The rows and classes of a part, from the ends of its runs in order.
pub(super) fn part_of(plan: &Plan, part: u64, ends: &[RunEnd]) -> Result<Part, SweepError> {
    let (number, part) = (plan.place(part), plan.range(part));
    let cell = &plan.cells[number.0];
    let mut classes = Classes::new(cell);
    let mut rows = Vec::with_capacity(ends.len());
    for end in ends {
        let class = match end.status {
            RunStatus::LossBelow => Class::GlobalManifold,
            RunStatus::Converged if cell.is_on_manifold(end) => Class::GlobalManifold,
            RunStatus::Converged | RunStatus::GlobalBasin | RunStatus::SpuriousBasin => {
                classes.add(&cell.representative(end))?
            }
            _ => Class::None,
        };
        let (loss, gradient_norm) = cell.polished(end).map_err(|e| failure(cell.number, &e))?;
        rows.push(Row {
            steps: end.steps,
            halvings: end.halvings,
            status: end.status,
            class,
            loss,
            gradient_norm,
            time: end.time,
        });
    }
    let (cell, number) = number;
    Ok(Part { cell, number, first: part.0, rows, classes: classes.into_representatives() })
}
