//! Gradient descent with a fixed step, and with the two rules by which the step may be halved.

use super::record::Trace;
use super::run::{all_zero, check_start, clear, norm};
use super::{
    Advance, DynamicsError, Event, EventKind, Landscape, Outcome, Progress, RecordPlan, Row, Status,
    StopRule, ZeroStudentRule,
};
use std::ops::Range;

/// A rise of the loss by less than this share of its value is rounding, not overshooting.
const LOSS_ROUNDING: f64 = 64.0 * f64::EPSILON;

/// After so many halvings the run ends: a step this much smaller than asked for means that halving is no cure.
const MAX_HALVINGS: u32 = 60;

/// When gradient descent halves its step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum StepHalving {
    /// Never.
    #[default]
    Never,
    /// A step that would raise the loss (by more than rounding) is not taken; it is tried again with half the
    /// step, which stays halved. Costs one loss a step.
    OnLossRise,
    /// Once the gradient norm exceeds the limit the step is halved and the run begins again at the start, as in
    /// Safran & Shamir (2018), whose limit is `1e4`. Rows of the abandoned attempt are dropped.
    RestartAbove {
        /// The largest gradient norm that is accepted.
        gradient_norm: f64,
    },
}

/// How gradient descent runs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescentOptions {
    /// The step `eta` per sample (Tian's step times the number of samples).
    pub step: f64,
    /// Whether and when the step is halved.
    pub halving: StepHalving,
    /// When the run ends.
    pub stop: StopRule,
    /// The run ends as [`Status::Diverged`] once the gradient norm exceeds this, or, at the state before, once
    /// it is no number.
    pub divergence: f64,
    /// What happens at a student that is exactly zero.
    pub zero_student: ZeroStudentRule,
    /// What is written down.
    pub record: RecordPlan,
}

impl Default for DescentOptions {
    fn default() -> Self {
        Self {
            step: 0.1,
            halving: StepHalving::Never,
            stop: StopRule::default(),
            divergence: 1e100,
            zero_student: ZeroStudentRule::Stop,
            record: RecordPlan::default(),
        }
    }
}

/// Gradient descent as a resumable machine.
///
/// ```text
/// y(n+1) = y(n) - eta grad J(y(n)),   t(n) = sum of the steps
/// ```
///
/// Source: docs/theory/dynamics.md, (D.1).
///
/// - Units: `eta` and `t` per sample.
/// - Zero students: only a student that is exactly zero counts, since a discrete step jumps over zero.
/// - Accuracy: one rounding per operation; where the run is cut into calls of `advance` never changes a bit.
///
/// # Examples
///
/// ```
/// use popgrad::{DescentOptions, GradientDescent, Landscape, Status, StopRule};
/// struct Bowl;
/// impl Landscape for Bowl {
///     fn dimension(&self) -> usize { 1 }
///     fn gradient(&mut self, y: &[f64], out: &mut [f64]) { out[0] = y[0] }
///     fn loss(&mut self, y: &[f64]) -> f64 { 0.5 * y[0] * y[0] }
/// }
/// let stop = StopRule { gradient_norm: Some(1e-3), ..StopRule::default() };
/// let options = DescentOptions { step: 0.5, stop, ..DescentOptions::default() };
/// let end = GradientDescent::try_new(Bowl, &[1.0], options)?.run();
/// assert_eq!((end.status, end.steps, end.point[0]), (Status::Converged, 10, 0.5_f64.powi(10)));
/// # Ok::<(), popgrad::DynamicsError>(())
/// ```
#[derive(Debug)]
pub struct GradientDescent<L> {
    landscape: L,
    options: DescentOptions,
    students: Vec<Range<usize>>,
    frozen: Vec<usize>,
    start: Vec<f64>,
    point: Vec<f64>,
    trial: Vec<f64>,
    gradient: Vec<f64>,
    gradient_norm: f64,
    loss: Option<f64>,
    step: f64,
    steps: u64,
    time: f64,
    /// Steps and time at which the present step size came into use: `t = t_0 + (n - n_0) eta` has one rounding.
    stretch: (u64, f64),
    halvings: u32,
    rejected: u64,
    gradients: u64,
    status: Option<Status>,
    trace: Trace,
}

impl<L: Landscape> GradientDescent<L> {
    /// Sets up a run; evaluates the gradient at the start.
    ///
    /// # Errors
    ///
    /// [`DynamicsError`], if the start or an option is out of its domain.
    pub fn try_new(mut landscape: L, start: &[f64], options: DescentOptions) -> Result<Self, DynamicsError> {
        check_start(&landscape, start)?;
        options.check()?;
        let mut gradient = vec![0.0; start.len()];
        landscape.gradient(start, &mut gradient);
        let gradient_norm = norm(&gradient);
        if !gradient_norm.is_finite() {
            return Err(DynamicsError::Undefined { quantity: "gradient" });
        }
        let mut run = Self {
            students: landscape.students(),
            landscape,
            frozen: Vec::new(),
            start: start.to_vec(),
            point: start.to_vec(),
            trial: vec![0.0; start.len()],
            gradient,
            gradient_norm,
            loss: None,
            step: options.step,
            steps: 0,
            time: 0.0,
            stretch: (0, 0.0),
            halvings: 0,
            rejected: 0,
            gradients: 1,
            status: None,
            trace: Trace::new(options.record.clone()),
            options,
        };
        run.after_step();
        Ok(run)
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
        &self.point
    }

    /// The step in use, which halving makes smaller than the one asked for.
    pub fn step(&self) -> f64 {
        self.step
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

    /// One attempt: forms the next state, judges it, and moves there, halves, or ends.
    fn try_step(&mut self) {
        for ((next, y), g) in self.trial.iter_mut().zip(&self.point).zip(&self.gradient) {
            *next = y - self.step * g;
        }
        if self.options.halving == StepHalving::OnLossRise && self.trial_raises_loss() {
            self.rejected += 1;
            self.halve(EventKind::StepHalved);
            return;
        }
        let before = (self.gradient_norm, self.time);
        std::mem::swap(&mut self.point, &mut self.trial);
        self.steps += 1;
        self.time = self.stretch.1 + (self.steps - self.stretch.0) as f64 * self.step;
        self.evaluate_gradient();
        if self.options.halving != StepHalving::OnLossRise {
            self.loss = None;
        }
        if let StepHalving::RestartAbove { gradient_norm } = self.options.halving {
            // NaN compares as too large.
            if !self.gradient_norm.is_finite() || self.gradient_norm > gradient_norm {
                self.restart();
                return;
            }
        }
        if !self.gradient_norm.is_finite() {
            self.return_to_last_finite(before);
            return;
        }
        self.after_step();
    }

    /// Ends a run whose gradient is no number any more at the state before, where it was one.
    fn return_to_last_finite(&mut self, (gradient_norm, time): (f64, f64)) {
        std::mem::swap(&mut self.point, &mut self.trial);
        self.steps -= 1;
        self.rejected += 1;
        (self.gradient_norm, self.time) = (gradient_norm, time);
        self.loss = None;
        self.finish(Status::Diverged, None);
    }

    /// Evaluates the loss of the trial, keeps it as the current one if the step is to be taken.
    fn trial_raises_loss(&mut self) -> bool {
        let before = self.current_loss();
        let after = self.landscape.loss(&self.trial);
        let rises = !after.is_finite() || after > before + LOSS_ROUNDING * before.abs();
        if !rises {
            self.loss = Some(after);
        }
        rises
    }

    fn halve(&mut self, kind: EventKind) {
        self.halvings += 1;
        self.step *= 0.5;
        self.stretch = (self.steps, self.time);
        self.trace.events.push(Event { kind, step: self.steps, time: self.time });
        if self.halvings >= MAX_HALVINGS {
            self.finish(Status::Stalled, None);
        }
    }

    fn restart(&mut self) {
        self.rejected += self.steps;
        self.halve(EventKind::Restarted);
        if self.status.is_some() {
            return;
        }
        self.point.copy_from_slice(&self.start);
        self.frozen.clear();
        self.trace.restart();
        self.steps = 0;
        self.time = 0.0;
        self.stretch = (0, 0.0);
        self.loss = None;
        self.evaluate_gradient();
        self.after_step();
    }

    fn evaluate_gradient(&mut self) {
        self.landscape.gradient(&self.point, &mut self.gradient);
        self.gradients += 1;
        clear(&mut self.gradient, &self.students, &self.frozen);
        self.gradient_norm = norm(&self.gradient);
    }

    fn current_loss(&mut self) -> f64 {
        match self.loss {
            Some(loss) => loss,
            None => *self.loss.insert(self.landscape.loss(&self.point)),
        }
    }

    /// Everything that is checked and written at a new state.
    fn after_step(&mut self) {
        if self.gradient_norm > self.options.divergence {
            self.finish(Status::Diverged, None);
            return;
        }
        if self.meet_zero_students() {
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
        } else if self.trace.due(self.steps) || self.trace.has_time_until(self.time) {
            self.write_row(None);
        }
    }

    /// Reports students that have become exactly zero; true if that ends the run.
    fn meet_zero_students(&mut self) -> bool {
        for student in 0..self.students.len() {
            if self.frozen.contains(&student) || !all_zero(&self.point[self.students[student].clone()]) {
                continue;
            }
            let kind = EventKind::ZeroStudent { student };
            if self.options.zero_student == ZeroStudentRule::Stop {
                self.finish(Status::ZeroStudent, Some(kind));
                return true;
            }
            self.frozen.push(student);
            self.trace.events.push(Event { kind, step: self.steps, time: self.time });
            clear(&mut self.gradient, &self.students, &self.frozen);
            self.gradient_norm = norm(&self.gradient);
            if self.trace.follows_steps() {
                self.write_row(Some(kind));
            }
        }
        false
    }

    fn write_row(&mut self, event: Option<EventKind>) {
        while self.trace.next_time_until(self.time).is_some() {}
        let row = Row {
            step: self.steps,
            time: self.time,
            loss: self.current_loss(),
            gradient_norm: self.gradient_norm,
            point: self.point.clone(),
            event,
        };
        self.trace.rows.push(row);
    }

    fn finish(&mut self, status: Status, event: Option<EventKind>) {
        self.status = Some(status);
        self.current_loss();
        if let Some(kind) = event {
            self.trace.events.push(Event { kind, step: self.steps, time: self.time });
        }
        if self.trace.follows_steps() || self.trace.has_time_until(self.time) {
            self.write_row(event);
        }
    }

    fn outcome(&self, status: Status) -> Outcome {
        Outcome {
            status,
            point: self.point.clone(),
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

impl DescentOptions {
    fn check(&self) -> Result<(), DynamicsError> {
        self.stop.check()?;
        self.record.check()?;
        let mut positive = vec![("step", self.step), ("divergence", self.divergence)];
        if let StepHalving::RestartAbove { gradient_norm } = self.halving {
            positive.push(("halving.gradient_norm", gradient_norm));
        }
        for (name, value) in positive {
            if !value.is_finite() || value <= 0.0 {
                return Err(DynamicsError::Parameter { name, value, requirement: "finite and positive" });
            }
        }
        Ok(())
    }
}
