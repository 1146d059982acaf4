//! The two phases of Du et al. (2018), measured on a run: when the fast decay begins, and how fast it is.
//!
//! Derivation: docs/theory/cnn_dynamics.md, section 5, equations (W.54), (W.55), (W.73). Times are per-sample flow time;
//! for gradient descent `t = eta n`.

use super::reduced_landscape::state_of;
use super::state::{check, check_step};
use super::{CnnError, CnnState, ReducedCnn};
use crate::{
    AbsoluteTolerance, Advance, DescentOptions, DynamicsError, FlowOptions, GradientDescent, GradientFlow,
    LineFit, StopRule, fit_line,
};

/// The run ends once the loss is below this share of the loss of the zero student.
const FLOOR: f64 = 1e-22;

/// The slope of the second phase is fitted where the loss is between this share and [`FLOOR`].
const FIT_FROM: f64 = 1e-14;

/// The flow's steps times the fastest rate: the error of a decay over such a step is below 1e-5 of it.
const RESOLUTION: f64 = 0.5;

/// Tolerances of the flow: small beside the smallest `alpha` and `cos(phi)` that are followed, 1e-10.
const TOLERANCE: (f64, f64) = (1e-11, 1e-16);

/// How the run whose phases are measured moves.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PhaseMethod {
    /// The gradient flow.
    Flow,
    /// Gradient descent.
    Descent {
        /// The step per sample.
        step: f64,
    },
}

/// The two phases of one run towards the teacher.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoPhases {
    /// `T1`: the first time at which `-d log J/dt` is at least half of [`TwoPhases::final_rate`].
    pub first_phase: f64,
    /// The time from which it stays at least that. Later than `T1` where the output weights adapt fast at first.
    pub settled: f64,
    /// The rate `-d log J/dt` of the second phase by theory, at the length of the filter at the end.
    pub final_rate: f64,
    /// Straight line through `log J` over time in the second phase; minus its slope is the measured rate.
    pub tail: LineFit,
    /// `|v|` at the end; the flow keeps it, descent makes it longer.
    pub filter_norm: f64,
    /// Time at which the run ended.
    pub end: f64,
}

/// `T1` along a line of starts, with the straight lines that tell a power from a logarithm.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseScan {
    /// The coordinate that was varied, in the order given.
    pub values: Vec<f64>,
    /// `T1` of each.
    pub first_phase: Vec<f64>,
    /// `log T1` over `log value`: the slope is the exponent of `T1`.
    pub exponent: LineFit,
    /// `T1` over `log(1/value)`: the slope is `1 / saddle_rate` where runs leave along the saddle.
    pub logarithmic: LineFit,
}

/// The coordinate of the start that a scan varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhaseCoordinate {
    /// `alpha = a.a*` at the start.
    Overlap,
    /// `cos(phi)` at the start, for the filter's length of the base start.
    Cosine,
}

/// What is kept of a run: times, logarithms of the loss, and its rate of decay.
#[derive(Default)]
struct Decay {
    time: Vec<f64>,
    log_loss: Vec<f64>,
    rate: Vec<f64>,
}

impl ReducedCnn {
    /// Follows a run from `start` to the teacher and measures its two phases.
    ///
    /// ```text
    /// T1 = min { t : -d log J/dt >= half of the final rate }
    /// ```
    ///
    /// The rate of the flow is `|grad J|^2 / J`, that of descent `log(J_n / J_(n+1)) / eta`; between two steps it is taken as
    /// straight. The slope of the second phase is fitted where the loss is between 1e-14 and 1e-22 of the zero student's.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.54), (W.55).
    ///
    /// - Units: per-sample flow time.
    /// - Domain: starts from which the loss falls to 1e-22 of the zero student's before `max_time`.
    /// - Accuracy (measured): `T1` to 0.1 % or a step, whichever is larger; the slope to 2 % of [`TwoPhases::final_rate`], which is the
    ///   share of the second slowest mode that is left when the fit begins.
    ///
    /// # Errors
    ///
    /// [`CnnError::NoSecondPhase`] if the loss does not fall that far; [`CnnError::NonFinite`], [`CnnError::NotPositive`],
    /// [`CnnError::ZeroFilter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CnnState, PhaseMethod, ReducedCnn};
    /// let problem = ReducedCnn::try_new(9, 1.0, 0.0, 1.0)?;
    /// let start = CnnState::at_angle(1.0, 1.57, 1e-4, 0.0);
    /// let phases = problem.two_phases(&start, PhaseMethod::Flow, 1e3)?;
    /// assert!(phases.first_phase > 20.0);
    /// assert!((-phases.tail.slope / phases.final_rate - 1.0).abs() < 0.02);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn two_phases(
        &self,
        start: &CnnState,
        method: PhaseMethod,
        max_time: f64,
    ) -> Result<TwoPhases, CnnError> {
        check(start)?;
        if !max_time.is_finite() || max_time <= 0.0 {
            return Err(CnnError::NotPositive { name: "the largest time", value: max_time });
        }
        let (decay, end) = match method {
            PhaseMethod::Flow => self.follow_flow(start, max_time)?,
            PhaseMethod::Descent { step } => self.follow_descent(start, step, max_time)?,
        };
        let final_rate = match method {
            PhaseMethod::Flow => self.final_loss_rate(&end),
            PhaseMethod::Descent { step } => self.final_descent_rate(&end, step)?,
        };
        let (first_phase, settled) = decay.crossings(0.5 * final_rate);
        let tail = decay.tail(libm::log(FIT_FROM * self.silent_loss()))?;
        let last = decay.time.last().copied().unwrap_or(0.0);
        Ok(TwoPhases { first_phase, settled, final_rate, tail, filter_norm: end.filter_norm(), end: last })
    }

    /// `T1` for starts that differ from `base` in one coordinate, with the lines that show how it depends on it.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.73): close to the saddle `T1` grows like `log(1/value) / saddle_rate`, so that
    /// its exponent tends to zero.
    ///
    /// - Shapes: at least three values.
    /// - Domain: positive values, below one for the cosine.
    /// - Accuracy: that of [`ReducedCnn::two_phases`]; the lines carry their standard errors.
    ///
    /// # Errors
    ///
    /// As [`ReducedCnn::two_phases`], and [`CnnError::Scan`] if the values or the times allow no line.
    pub fn scan_first_phase(
        &self,
        base: &CnnState,
        coordinate: PhaseCoordinate,
        values: &[f64],
        (method, max_time): (PhaseMethod, f64),
    ) -> Result<PhaseScan, CnnError> {
        let mut first_phase = Vec::with_capacity(values.len());
        for &value in values {
            let start = start_at(base, coordinate, value)?;
            first_phase.push(self.two_phases(&start, method, max_time)?.first_phase);
        }
        let logs = |list: &[f64]| -> Vec<f64> { list.iter().map(|x| libm::log(*x)).collect() };
        let (x, y) = (logs(values), logs(&first_phase));
        let inverse: Vec<f64> = x.iter().map(|x| -x).collect();
        let fit = |x: &[f64], y: &[f64]| fit_line(x, y).map_err(|source| CnnError::Scan { source });
        let (exponent, logarithmic) = (fit(&x, &y)?, fit(&inverse, &first_phase)?);
        Ok(PhaseScan { values: values.to_vec(), first_phase, exponent, logarithmic })
    }

    /// Runs the flow until the loss is below the floor.
    fn follow_flow(&self, start: &CnnState, max_time: f64) -> Result<(Decay, CnnState), CnnError> {
        let rates = self.rates(start.filter_norm());
        let options = FlowOptions {
            rtol: TOLERANCE.0,
            atol: AbsoluteTolerance::Fixed(TOLERANCE.1),
            max_step: RESOLUTION / rates.sum.max(rates.angle),
            stop: StopRule { time: Some(max_time), steps: None, ..StopRule::default() },
            ..FlowOptions::default()
        };
        let mut run = GradientFlow::try_new(*self, &start.to_array(), options).map_err(refused)?;
        let mut decay = Decay::default();
        let floor = FLOOR * self.silent_loss();
        loop {
            let state = state_of(run.point());
            let loss = self.loss_unchecked(&state);
            let [filter, output] = self.norms_unchecked(&state);
            decay.push(run.progress().time, loss, (filter * filter + output * output) / loss);
            if loss <= floor {
                return Ok((decay, state));
            }
            if let Advance::Done(end) = run.advance(1) {
                return Err(CnnError::NoSecondPhase { time: end.time, loss: end.loss, wanted: floor });
            }
        }
    }

    /// Runs gradient descent until the loss is below the floor.
    fn follow_descent(
        &self,
        start: &CnnState,
        step: f64,
        max_time: f64,
    ) -> Result<(Decay, CnnState), CnnError> {
        check_step(step)?;
        let stop = StopRule { time: Some(max_time), steps: None, ..StopRule::default() };
        let options = DescentOptions { step, stop, ..DescentOptions::default() };
        let mut run = GradientDescent::try_new(*self, &start.to_array(), options).map_err(refused)?;
        let mut decay = Decay::default();
        let floor = FLOOR * self.silent_loss();
        let mut loss = self.loss_unchecked(start);
        loop {
            let time = run.progress().time;
            let done = run.advance(1);
            let state = state_of(run.point());
            let next = self.loss_unchecked(&state);
            decay.push(time, loss, libm::log(loss / next) / step);
            if next <= floor {
                return Ok((decay, state));
            }
            if let Advance::Done(end) = done {
                return Err(CnnError::NoSecondPhase { time: end.time, loss: end.loss, wanted: floor });
            }
            loss = next;
        }
    }
}

fn refused(source: DynamicsError) -> CnnError {
    CnnError::Run { source }
}

/// `base` with one coordinate replaced.
fn start_at(base: &CnnState, coordinate: PhaseCoordinate, value: f64) -> Result<CnnState, CnnError> {
    if !(value > 0.0 && value.is_finite()) {
        return Err(CnnError::NotPositive { name: "a value of the scan", value });
    }
    Ok(match coordinate {
        PhaseCoordinate::Overlap => CnnState { overlap: value, ..*base },
        PhaseCoordinate::Cosine => {
            if value > 1.0 {
                return Err(CnnError::Cosine { value });
            }
            let norm = base.filter_norm();
            CnnState { x: norm * value, y: norm * ((1.0 - value) * (1.0 + value)).sqrt(), ..*base }
        }
    })
}

impl Decay {
    fn push(&mut self, time: f64, loss: f64, rate: f64) {
        self.time.push(time);
        self.log_loss.push(libm::log(loss));
        self.rate.push(rate);
    }

    /// The first time at which the rate reaches `level`, and the time from which it stays there.
    fn crossings(&self, level: f64) -> (f64, f64) {
        let reached = |rate: &f64| *rate >= level;
        let first = self.rate.iter().position(reached).unwrap_or(self.rate.len() - 1);
        let settled = self.rate.iter().rposition(|rate| !reached(rate)).map_or(0, |last| last + 1);
        (self.time_between(first, level), self.time_between(settled.min(self.rate.len() - 1), level))
    }

    /// The time at which the straight line between the rates before and at `index` meets `level`.
    fn time_between(&self, index: usize, level: f64) -> f64 {
        if index == 0 {
            return self.time[0];
        }
        let (t0, t1) = (self.time[index - 1], self.time[index]);
        let (r0, r1) = (self.rate[index - 1], self.rate[index]);
        if r1 == r0 { t1 } else { t0 + (t1 - t0) * ((level - r0) / (r1 - r0)).clamp(0.0, 1.0) }
    }

    /// The line through the part whose logarithm of the loss is below `from`.
    fn tail(&self, from: f64) -> Result<LineFit, CnnError> {
        let begin = self.log_loss.iter().position(|l| *l <= from).unwrap_or(self.log_loss.len());
        fit_line(&self.time[begin..], &self.log_loss[begin..]).map_err(|source| CnnError::Scan { source })
    }
}
