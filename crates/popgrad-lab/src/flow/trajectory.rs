//! One run, sliced.

use super::Model;
use crate::storage::TrajectoryRow;
use popgrad::{
    Advance, DescentOptions, DynamicsError, EventKind, FlowOptions, GradientDescent, GradientFlow, Landscape,
    Matrix, Outcome, Progress, Row,
};

/// How the state moves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Method {
    /// Gradient descent.
    Descent(DescentOptions),
    /// The gradient flow, integrated adaptively.
    Flow(FlowOptions),
}

type Machine<M> = Box<M>;

enum Run<'m> {
    Descent(Machine<GradientDescent<Box<dyn Landscape + 'm>>>),
    Flow(Machine<GradientFlow<Box<dyn Landscape + 'm>>>),
}

/// One run of a model from one start.
pub struct Trajectory<'m> {
    model: &'m Model,
    teacher: Matrix,
    run: Run<'m>,
}

impl std::fmt::Debug for Trajectory<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trajectory").field("model", &self.model).finish_non_exhaustive()
    }
}

impl<'m> Trajectory<'m> {
    /// Sets up a run; evaluates the gradient at the start.
    ///
    /// # Errors
    ///
    /// [`DynamicsError`], if the start or an option is out of its domain.
    pub fn try_new(model: &'m Model, method: &Method, start: &[f64]) -> Result<Self, DynamicsError> {
        let landscape = model.landscape();
        let run = match method.clone() {
            Method::Descent(options) => {
                Run::Descent(Box::new(GradientDescent::try_new(landscape, start, options)?))
            }
            Method::Flow(options) => Run::Flow(Box::new(GradientFlow::try_new(landscape, start, options)?)),
        };
        Ok(Self { model, teacher: model.teacher(), run })
    }

    /// Tries up to `budget` steps. Where a run is cut never changes a bit of it.
    pub fn advance(&mut self, budget: u64) -> Advance {
        match &mut self.run {
            Run::Descent(run) => run.advance(budget),
            Run::Flow(run) => run.advance(budget),
        }
    }

    /// Ends the run as interrupted, unless it has ended already.
    pub fn interrupt(&mut self) -> Outcome {
        match &mut self.run {
            Run::Descent(run) => run.interrupt(),
            Run::Flow(run) => run.interrupt(),
        }
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        match &self.run {
            Run::Descent(run) => run.progress(),
            Run::Flow(run) => run.progress(),
        }
    }

    /// Takes the rows recorded so far, each with the network that its state stands for.
    pub fn take_rows(&mut self, run: i64) -> Vec<TrajectoryRow> {
        let rows = match &mut self.run {
            Run::Descent(run) => run.take_rows(),
            Run::Flow(run) => run.take_rows(),
        };
        rows.iter().map(|row| self.expand(run, row)).collect()
    }

    fn expand(&self, run: i64, row: &Row) -> TrajectoryRow {
        let (weights, output) = self.model.weights(&row.point);
        TrajectoryRow {
            run,
            step: i64::try_from(row.step).unwrap_or(i64::MAX),
            t: row.time,
            loss: row.loss,
            grad_norm: row.gradient_norm,
            angles: Model::angles(&weights, &self.teacher),
            weights: weights.into_vec(),
            output,
            overlaps: self.model.overlaps(&row.point),
            event: row.event.map_or_else(String::new, event_name),
        }
    }
}

/// The name of an event with its student or function, `zero_student:2`.
fn event_name(kind: EventKind) -> String {
    match kind.index() {
        Some(index) => format!("{}:{index}", kind.name()),
        None => kind.name().to_owned(),
    }
}
