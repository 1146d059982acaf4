//! When a run ends, and what its end is called.

use super::DynamicsError;

/// When gradient descent or the gradient flow ends; whichever rule is met first.
///
/// All bounds are absolute, in the units of the per-sample loss `J = 1/2 E[(f - f*)^2]`. A rule that is `None`
/// does not stop the run.
///
/// # Examples
///
/// ```
/// use popgrad::StopRule;
/// let stop = StopRule { gradient_norm: Some(1e-8), ..StopRule::default() };
/// assert_eq!(stop.steps, Some(1_000_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopRule {
    /// Ends as [`Status::Converged`] once the Euclidean norm of the whole gradient is at most this.
    pub gradient_norm: Option<f64>,
    /// Ends as [`Status::Converged`] once the loss is at most this. Costs one loss a step.
    pub loss: Option<f64>,
    /// Ends as [`Status::StepLimit`] after this many (accepted) steps; one million by default.
    pub steps: Option<u64>,
    /// Ends as [`Status::TimeLimit`] at this flow time, which the gradient flow hits exactly and gradient
    /// descent (whose time is the sum of its steps) at the first step that reaches it.
    pub time: Option<f64>,
}

impl Default for StopRule {
    fn default() -> Self {
        Self { gradient_norm: None, loss: None, steps: Some(1_000_000), time: None }
    }
}

impl StopRule {
    pub(super) fn check(&self) -> Result<(), DynamicsError> {
        if self.steps.is_none() && self.time.is_none() {
            return Err(DynamicsError::Endless);
        }
        let bounds =
            [("stop.gradient_norm", self.gradient_norm), ("stop.loss", self.loss), ("stop.time", self.time)];
        for (name, value) in bounds {
            let Some(value) = value else { continue };
            if !value.is_finite() || value < 0.0 {
                return Err(DynamicsError::Parameter { name, value, requirement: "finite and not negative" });
            }
        }
        Ok(())
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The bound on the gradient norm or on the loss is met.
    Converged,
    /// The number of steps is used up.
    StepLimit,
    /// The final time is reached.
    TimeLimit,
    /// The state, the gradient or the loss left every bound or stopped being a number.
    Diverged,
    /// A student shrank to zero and the rule was to stop there.
    ZeroStudent,
    /// A caller's event function asked for the end.
    Event,
    /// The step fell below what the floating-point numbers at hand resolve, without divergence: the tolerance
    /// asks for more digits than there are, or the gradient jumps.
    Stalled,
    /// The caller broke the run off.
    Interrupted,
}

impl Status {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::Converged,
        Self::StepLimit,
        Self::TimeLimit,
        Self::Diverged,
        Self::ZeroStudent,
        Self::Event,
        Self::Stalled,
        Self::Interrupted,
    ];

    /// The name used in files and on the command line; never changes.
    ///
    /// ```
    /// assert_eq!(popgrad::Status::ZeroStudent.name(), "zero_student");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::StepLimit => "step_limit",
            Self::TimeLimit => "time_limit",
            Self::Diverged => "diverged",
            Self::ZeroStudent => "zero_student",
            Self::Event => "event",
            Self::Stalled => "stalled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status of a name, or `None` for an unknown one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What happens once a student is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZeroStudentRule {
    /// The run ends as [`Status::ZeroStudent`].
    #[default]
    Stop,
    /// The student stays at zero for the rest of the run and the others move on.
    ///
    /// This is the solution that the convention `relu'(0) = 0` of training software selects: a zero unit is
    /// inactive on every input, so its gradient is zero (docs/theory/dynamics.md, section 6, compares it with
    /// the other solutions that leave zero).
    Freeze,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_statuses_round_trip() {
        for status in Status::ALL {
            assert_eq!(Status::from_name(status.name()), Some(status));
        }
        assert_eq!(Status::from_name("Converged"), None);
    }

    #[test]
    fn rules_that_never_end_or_make_no_sense_are_refused() {
        let endless = StopRule { steps: None, gradient_norm: Some(1e-8), ..StopRule::default() };
        assert_eq!(endless.check(), Err(DynamicsError::Endless));
        let nan = StopRule { loss: Some(f64::NAN), ..StopRule::default() };
        assert!(nan.check().unwrap_err().to_string().starts_with("stop.loss = NaN"));
        assert_eq!(StopRule::default().check(), Ok(()));
    }
}
