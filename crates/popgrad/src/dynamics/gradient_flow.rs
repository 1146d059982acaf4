//! The gradient flow: adaptive integration with dense output and located events, as a resumable machine.

use super::controller::Controller;
use super::crossing::EventFunction;
use super::record::Trace;
use super::run::{check_start, clear, norm};
use super::stages::{Block, blocks, combine, measure};
use super::tsitouras::{A2, A3, A4, A5, A6, B, ERROR};
use super::{
    Advance, DynamicsError, Event, EventKind, FlowOptions, Landscape, Outcome, Progress, Row, Status,
};
use crate::lanes::Lanes;
use std::ops::Range;

mod start_up;
mod within_step;
mod zero_student;

/// Once the remaining time is at most this multiple of the step, the step goes to the end.
const STRETCH: f64 = 1.01;

/// The run ends as [`Status::Diverged`] once the gradient norm exceeds this.
const DIVERGENCE: f64 = 1e100;

/// The gradient flow as a resumable machine.
///
/// ```text
/// dy/dt = -grad J(y)
/// ```
///
/// Method: the explicit Runge-Kutta pair 5(4) of Tsitouras (2011), six gradients a step, proportional-integral
/// step control, dense output of order 4, events located on the dense output. The gradient at the end of a step is the
/// first stage of the next, so bounds on the gradient norm cost nothing.
///
/// Source: docs/theory/dynamics.md, (D.2)-(D.14).
///
/// - Units: `t` is per-sample flow time.
/// - Domain: starts of any size; at a start of norm `1e-12` the first steps are of that size too, since angles
///   move at rate `1/|w|`. A student that shrinks to zero is located as an event, see [`crate::ZeroStudentRule`].
/// - Accuracy: the local error of every step is bounded as [`FlowOptions`] says. Measured at the end of runs, relative
///   to the state: at most 0.8 rtol for one ReLU against its exact solution (rtol 1e-6 to 1e-11), 0.4 rtol for ten
///   students in ten dimensions at rtol 1e-8 against rtol 1e-13. A flow that passes close to a saddle multiplies errors.
/// - Repeatability: the same bits wherever the run is cut into calls of `advance`, and at every level of instructions.
/// - Nothing is allocated in a step that writes no row and meets no event.
///
/// # Examples
///
/// ```
/// use popgrad::{FlowOptions, GradientFlow, Landscape, Status, StopRule};
/// struct Bowl;
/// impl Landscape for Bowl {
///     fn dimension(&self) -> usize { 1 }
///     fn gradient(&mut self, y: &[f64], out: &mut [f64]) { out[0] = y[0] }
///     fn loss(&mut self, y: &[f64]) -> f64 { 0.5 * y[0] * y[0] }
/// }
/// let options = FlowOptions { stop: StopRule { time: Some(1.0), ..StopRule::default() }, ..FlowOptions::default() };
/// let end = GradientFlow::try_new(Bowl, &[1.0], options)?.run();
/// assert_eq!(end.status, Status::TimeLimit);
/// assert!((end.point[0] - libm::exp(-1.0)).abs() < 1e-8);
/// # Ok::<(), popgrad::DynamicsError>(())
/// ```
#[derive(Debug)]
pub struct GradientFlow<L> {
    landscape: L,
    options: FlowOptions,
    students: Vec<Range<usize>>,
    frozen: Vec<usize>,
    functions: Vec<EventFunction>,
    lanes: Lanes,
    dimension: usize,
    atol: f64,
    radius: f64,
    /// State before and after the step, scratch for a state and for a gradient, and the gradients of the seven
    /// stages; the first of them belongs to `y`.
    y: Vec<Block>,
    z: Vec<Block>,
    stage: Vec<Block>,
    probe: Vec<Block>,
    k: [Vec<Block>; 7],
    gradient_norm: f64,
    loss: Option<f64>,
    time: f64,
    step: f64,
    controller: Controller,
    /// A lower bound of the norms of all students that are not frozen, kept up by the triangle inequality.
    smallest_student: f64,
    steps: u64,
    rejected: u64,
    gradients: u64,
    last_was_nan: bool,
    status: Option<Status>,
    trace: Trace,
    vanishing: Vec<(usize, f64)>,
    crossings: Vec<within_step::Crossing>,
}

impl<L: Landscape> GradientFlow<L> {
    /// Sets up a run; evaluates the gradient at the start, and once more to choose the first step.
    ///
    /// # Errors
    ///
    /// [`DynamicsError`], if the start or an option is out of its domain.
    pub fn try_new(landscape: L, start: &[f64], options: FlowOptions) -> Result<Self, DynamicsError> {
        check_start(&landscape, start)?;
        options.check()?;
        let students = landscape.students();
        let atol = options.atol.value(start, &students);
        let n = start.len();
        let mut run = Self {
            landscape,
            students,
            frozen: Vec::new(),
            functions: Vec::new(),
            lanes: Lanes::detect(),
            dimension: n,
            atol,
            radius: options.zero_radius.unwrap_or(atol),
            y: blocks(n),
            z: blocks(n),
            stage: blocks(n),
            probe: blocks(n),
            k: std::array::from_fn(|_| blocks(n)),
            gradient_norm: 0.0,
            loss: None,
            time: 0.0,
            step: 0.0,
            controller: Controller::new(),
            smallest_student: 0.0,
            steps: 0,
            rejected: 0,
            gradients: 0,
            last_was_nan: false,
            status: None,
            trace: Trace::new(options.record.clone()),
            vanishing: Vec::new(),
            crossings: Vec::new(),
            options,
        };
        run.y.as_flattened_mut()[..n].copy_from_slice(start);
        run.evaluate_first_stage();
        if !run.gradient_norm.is_finite() {
            return Err(DynamicsError::Undefined { quantity: "gradient" });
        }
        run.meet_initial_zeros();
        run.begin();
        Ok(run)
    }

    /// Adds an event function; events are looked for from the present state on.
    #[must_use]
    pub fn with_event(mut self, mut function: EventFunction) -> Self {
        function.before = function.eval(self.time, &self.y.as_flattened()[..self.dimension]);
        self.functions.push(function);
        self
    }

    /// Tries up to `budget` steps.
    pub fn advance(&mut self, budget: u64) -> Advance {
        for _ in 0..budget {
            if self.status.is_some() {
                break;
            }
            self.try_step();
        }
        match self.status {
            Some(status) => Advance::Done(self.outcome(status)),
            None => Advance::Running(self.progress()),
        }
    }

    /// Runs to the end.
    pub fn run(mut self) -> Outcome {
        loop {
            if let Advance::Done(outcome) = self.advance(u64::MAX) {
                return outcome;
            }
        }
    }

    /// Ends the run as [`Status::Interrupted`], unless it has ended already.
    pub fn interrupt(&mut self) -> Outcome {
        if self.status.is_none() {
            self.finish(Status::Interrupted, None);
        }
        self.outcome(self.status.unwrap_or(Status::Interrupted))
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        Progress { steps: self.steps, time: self.time, gradient_norm: self.gradient_norm }
    }

    /// The current state.
    pub fn point(&self) -> &[f64] {
        &self.y.as_flattened()[..self.dimension]
    }

    /// The absolute tolerance in use, see [`crate::AbsoluteTolerance`].
    pub fn absolute_tolerance(&self) -> f64 {
        self.atol
    }

    /// The landscape that the run moves on.
    pub fn landscape(&self) -> &L {
        &self.landscape
    }

    /// The rows written so far.
    pub fn rows(&self) -> &[Row] {
        &self.trace.rows
    }

    /// Takes the rows written so far out of the run, so that a long run needs no memory for them.
    pub fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.trace.rows)
    }

    // ---- one step ----

    /// One attempt: bounds the step, forms the stages, judges the error, and moves or shrinks.
    fn try_step(&mut self) {
        if self.meet_students() {
            return;
        }
        let (h, is_last) = self.step_to_try();
        if self.time + h <= self.time || h < 8.0 * f64::EPSILON * self.time {
            let status = if self.last_was_nan { Status::Diverged } else { Status::Stalled };
            self.finish(status, None);
            return;
        }
        self.form_stages(h);
        let terms = std::array::from_fn(|i| &self.k[i][..]);
        let tolerance = (self.options.rtol, self.atol);
        let measures = measure(self.lanes, (&self.y, &self.z), ERROR.map(|e| h * e), terms, tolerance);
        let error = (measures.error / self.dimension.max(1) as f64).sqrt();
        if error <= 1.0 && measures.gradient.is_finite() {
            let factor = self.controller.accept(error);
            self.last_was_nan = false;
            self.accept(h, is_last, measures.gradient.sqrt(), measures.moved.sqrt());
            // A step cut short by the end of the run or by a student says little about the next one.
            self.step = (h * factor).max(if is_last { self.step } else { 0.0 });
        } else {
            self.last_was_nan = !error.is_finite();
            self.rejected += 1;
            self.step = h * self.controller.reject(error);
        }
    }

    /// The step, bounded by `max_step` and the final time; and whether it ends there.
    fn step_to_try(&self) -> (f64, bool) {
        let h = self.step.min(self.options.max_step);
        match self.options.stop.time {
            Some(end) if self.time + STRETCH * h >= end => (end - self.time, true),
            _ => (h, false),
        }
    }

    /// The six new stages (D.3); the last is the gradient at the new state `z`.
    fn form_stages(&mut self, h: f64) {
        self.form_stage(A2.map(|a| -h * a));
        self.form_stage(A3.map(|a| -h * a));
        self.form_stage(A4.map(|a| -h * a));
        self.form_stage(A5.map(|a| -h * a));
        self.form_stage(A6.map(|a| -h * a));
        let terms: [&[Block]; 6] = std::array::from_fn(|i| &self.k[i][..]);
        combine(self.lanes, &mut self.z, &self.y, B.map(|b| -h * b), terms);
        self.gradients += 6;
        let frozen = (&self.students[..], &self.frozen[..]);
        gradient_at(&mut self.landscape, (&self.z, &mut self.k[6]), self.dimension, frozen);
    }

    fn form_stage<const N: usize>(&mut self, weights: [f64; N]) {
        let terms: [&[Block]; N] = std::array::from_fn(|i| &self.k[i][..]);
        combine(self.lanes, &mut self.stage, &self.y, weights, terms);
        let frozen = (&self.students[..], &self.frozen[..]);
        gradient_at(&mut self.landscape, (&self.stage, &mut self.k[N]), self.dimension, frozen);
    }

    /// Moves to the new state, after everything that happened within the step has been met in order of time.
    fn accept(&mut self, h: f64, is_last: bool, gradient_norm: f64, moved: f64) {
        let end = if is_last { self.options.stop.time.unwrap_or(self.time + h) } else { self.time + h };
        if self.meet_crossings(h, end, gradient_norm) {
            return;
        }
        self.write_rows_until(h, end);
        self.steps += 1;
        self.time = end;
        self.loss = None;
        std::mem::swap(&mut self.y, &mut self.z);
        self.k.swap(0, 6);
        self.gradient_norm = gradient_norm;
        self.smallest_student -= moved;
        if gradient_norm > DIVERGENCE {
            self.finish(Status::Diverged, None);
        } else if is_last {
            self.finish(Status::TimeLimit, None);
        } else if self.options.stop.steps.is_some_and(|limit| self.steps >= limit) {
            self.finish(Status::StepLimit, None);
        } else if self.trace.due(self.steps) {
            self.write_row(None);
        }
    }

    // ---- the state between steps ----

    /// Evaluates the gradient at `y`, the first stage of the next step.
    fn evaluate_first_stage(&mut self) {
        let frozen = (&self.students[..], &self.frozen[..]);
        gradient_at(&mut self.landscape, (&self.y, &mut self.k[0]), self.dimension, frozen);
        self.gradients += 1;
        self.gradient_norm = norm(self.k[0].as_flattened());
    }

    fn current_loss(&mut self) -> f64 {
        match self.loss {
            Some(loss) => loss,
            None => *self.loss.insert(self.landscape.loss(&self.y.as_flattened()[..self.dimension])),
        }
    }

    /// Writes a row of the present state, which serves every requested time up to now.
    fn write_row(&mut self, event: Option<EventKind>) {
        while self.trace.next_time_until(self.time).is_some() {}
        let row = Row {
            step: self.steps,
            time: self.time,
            loss: self.current_loss(),
            gradient_norm: self.gradient_norm,
            point: self.point().to_vec(),
            event,
        };
        self.trace.rows.push(row);
    }

    /// Ends the run here, by an event that is noted.
    fn finish(&mut self, status: Status, event: Option<EventKind>) {
        if let Some(kind) = event {
            self.trace.events.push(Event { kind, step: self.steps, time: self.time });
        }
        self.end_with_row(status, event);
    }

    /// Ends the run here, with its last row.
    fn end_with_row(&mut self, status: Status, event: Option<EventKind>) {
        self.status = Some(status);
        self.current_loss();
        if self.trace.follows_steps() || self.trace.has_time_until(self.time) {
            self.write_row(event);
        }
    }

    fn outcome(&self, status: Status) -> Outcome {
        Outcome {
            status,
            point: self.point().to_vec(),
            loss: self.loss.unwrap_or(f64::NAN),
            gradient_norm: self.gradient_norm,
            time: self.time,
            steps: self.steps,
            rejected: self.rejected,
            gradients: self.gradients,
            events: self.trace.events.clone(),
        }
    }
}

/// Evaluates the gradient at a padded state, with the slices of frozen students held at zero.
fn gradient_at<L: Landscape>(
    landscape: &mut L,
    (point, out): (&[Block], &mut [Block]),
    n: usize,
    (students, frozen): (&[Range<usize>], &[usize]),
) {
    let out = &mut out.as_flattened_mut()[..n];
    landscape.gradient(&point.as_flattened()[..n], out);
    clear(out, students, frozen);
}
