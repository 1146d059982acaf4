//! The one door through which every run is driven: a budget of steps in, progress or the result out.

use super::{Event, Status};

/// What a call of `advance` gives back.
#[derive(Clone, Debug, PartialEq)]
pub enum Advance {
    /// The budget is used up and the run goes on.
    Running(Progress),
    /// The run has ended; further calls give the same result.
    Done(Outcome),
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps completed.
    pub steps: u64,
    /// Flow time reached.
    pub time: f64,
    /// Euclidean norm of the gradient there.
    pub gradient_norm: f64,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it ended.
    pub status: Status,
    /// The state at the end.
    pub point: Vec<f64>,
    /// The loss there.
    pub loss: f64,
    /// Euclidean norm of the gradient there; the slices of zero students count as zero.
    pub gradient_norm: f64,
    /// Flow time at the end.
    pub time: f64,
    /// Steps completed.
    pub steps: u64,
    /// Steps tried and thrown away.
    pub rejected: u64,
    /// Gradients evaluated.
    pub gradients: u64,
    /// All events, in order of time.
    pub events: Vec<Event>,
}
