//! What a run writes down on its way: rows of observables, and the events that were located.

use super::DynamicsError;

/// Something that happened at a definite time of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The gradient norm reached its bound.
    GradientNorm,
    /// The loss reached its bound.
    Loss,
    /// A student became zero.
    ZeroStudent {
        /// Its index among [`crate::Landscape::students`].
        student: usize,
    },
    /// A caller's event function changed sign.
    Crossing {
        /// Index of the function, in the order in which they were added.
        function: usize,
    },
    /// Gradient descent halved its step.
    StepHalved,
    /// Gradient descent halved its step and began again at the start.
    Restarted,
}

impl EventKind {
    /// The name used in files; never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradientNorm => "gradient_norm",
            Self::Loss => "loss",
            Self::ZeroStudent { .. } => "zero_student",
            Self::Crossing { .. } => "crossing",
            Self::StepHalved => "step_halved",
            Self::Restarted => "restarted",
        }
    }

    /// The student or the function the event belongs to.
    pub fn index(self) -> Option<usize> {
        match self {
            Self::ZeroStudent { student } => Some(student),
            Self::Crossing { function } => Some(function),
            _ => None,
        }
    }
}

/// An event with its place in the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Number of steps completed before it.
    pub step: u64,
    /// Flow time at which it happened.
    pub time: f64,
}

/// Which rows a run writes down. The default writes none.
///
/// A row costs one loss, one copy of the state and, between steps of the gradient flow, one gradient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordPlan {
    /// A row at the start, after every so many steps, at every event and at the end.
    pub every: Option<u64>,
    /// A row at each of these flow times, ascending. The gradient flow evaluates its dense output there (D.9);
    /// gradient descent writes the first step that reaches the time.
    pub times: Vec<f64>,
}

impl RecordPlan {
    /// The plan that writes a row every `steps` steps.
    pub fn every(steps: u64) -> Self {
        Self { every: Some(steps), times: Vec::new() }
    }

    /// The plan that writes a row at the given times.
    pub fn at_times(times: Vec<f64>) -> Self {
        Self { every: None, times }
    }

    pub(super) fn check(&self) -> Result<(), DynamicsError> {
        if self.every == Some(0) {
            return Err(DynamicsError::Parameter {
                name: "record.every",
                value: 0.0,
                requirement: "at least 1",
            });
        }
        let mut last = 0.0;
        for &value in &self.times {
            if !value.is_finite() || value < last {
                return Err(DynamicsError::Parameter {
                    name: "a time in record.times",
                    value,
                    requirement: "finite, not negative, and not before the one that precedes it",
                });
            }
            last = value;
        }
        Ok(())
    }
}

/// The observables of one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Number of steps completed.
    pub step: u64,
    /// Flow time.
    pub time: f64,
    /// The loss.
    pub loss: f64,
    /// Euclidean norm of the whole gradient.
    pub gradient_norm: f64,
    /// The state.
    pub point: Vec<f64>,
    /// The event that the row was written for, if it was.
    pub event: Option<EventKind>,
}

/// The rows and events of a run, as far as it has gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    plan: RecordPlan,
    next_time: usize,
    pub(super) rows: Vec<Row>,
    pub(super) events: Vec<Event>,
}

impl Trace {
    pub(super) fn new(plan: RecordPlan) -> Self {
        Self { plan, ..Self::default() }
    }

    /// Whether a row is due after `step` steps.
    pub(super) fn due(&self, step: u64) -> bool {
        self.plan.every.is_some_and(|every| step.is_multiple_of(every))
    }

    /// Whether rows are written for events and for the end.
    pub(super) fn follows_steps(&self) -> bool {
        self.plan.every.is_some()
    }

    /// The next requested time that is at most `time`; each is given out once.
    pub(super) fn next_time_until(&mut self, time: f64) -> Option<f64> {
        let next = *self.plan.times.get(self.next_time)?;
        (next <= time).then(|| {
            self.next_time += 1;
            next
        })
    }

    /// Whether a requested time lies at or before `time`.
    pub(super) fn has_time_until(&self, time: f64) -> bool {
        self.plan.times.get(self.next_time).is_some_and(|next| *next <= time)
    }

    /// Forgets the rows of an abandoned attempt; its events stay.
    pub(super) fn restart(&mut self) {
        self.rows.clear();
        self.next_time = 0;
    }
}
