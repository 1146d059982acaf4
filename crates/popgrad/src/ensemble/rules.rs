//! How the runs of an ensemble move, and when one ends.

use super::EnsembleError;
use crate::{AbsoluteTolerance, StepHalving};

/// A rise of the loss by less than this share of the loss's terms is rounding.
pub(super) const LOSS_ROUNDING: f64 = 64.0 * f64::EPSILON;

/// How the runs move. Steps and time are per sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EnsembleDynamics {
    /// Gradient descent with a fixed step.
    Descent {
        /// The step `eta` per sample.
        step: f64,
        /// [`StepHalving::Never`], or [`StepHalving::RestartAbove`], which compares the norm of [`EnsembleStop::norm`].
        halving: StepHalving,
    },
    /// The gradient flow, integrated with a step of its own for every run, as [`crate::GradientFlow`] does.
    Flow {
        /// Relative tolerance per component.
        rtol: f64,
        /// Absolute tolerance per component.
        atol: AbsoluteTolerance,
    },
}

impl EnsembleDynamics {
    /// Gradient descent with a step that is never halved.
    pub fn descent(step: f64) -> Self {
        Self::Descent { step, halving: StepHalving::Never }
    }

    /// The gradient flow with the default tolerances of [`crate::FlowOptions`].
    pub fn flow() -> Self {
        Self::Flow { rtol: 1e-8, atol: AbsoluteTolerance::OfSmallestStudent(1e-10) }
    }

    pub(super) fn check(&self) -> Result<(), EnsembleError> {
        let positive = |name, value: f64| {
            let right = value.is_finite() && value > 0.0;
            let requirement = "finite and positive";
            if right { Ok(()) } else { Err(EnsembleError::Parameter { name, value, requirement }) }
        };
        match *self {
            Self::Descent { step, halving } => {
                positive("step", step)?;
                match halving {
                    StepHalving::Never => Ok(()),
                    StepHalving::RestartAbove { gradient_norm } => {
                        positive("halving.gradient_norm", gradient_norm)
                    }
                    StepHalving::OnLossRise => Err(EnsembleError::Departure {
                        what: "a step that is halved when the loss rises, which single runs only know",
                    }),
                }
            }
            Self::Flow { rtol, atol } => {
                let (AbsoluteTolerance::Fixed(atol) | AbsoluteTolerance::OfSmallestStudent(atol)) = atol;
                positive("rtol", rtol)?;
                positive("atol", atol)
            }
        }
    }
}

/// Which norm of the gradient the rules compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NormKind {
    /// The Euclidean norm of the whole gradient; the Frobenius norm of its matrix.
    #[default]
    Frobenius,
    /// The largest Euclidean norm of one neuron's gradient (with its output weight's, where that is trained).
    LargestNeuron,
}

/// The rule that ends a run by its loss.
///
/// With more students than teachers the gradient near global ends falls only like `1/t^2`, so a bound on its norm takes
/// very long. This rule ends a run once its loss is at most `below` and has not risen over `steps` consecutive steps
/// since it came to be (docs/theory/ensemble.md, (B.8)); the run ends as [`crate::RunStatus::LossBelow`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossStop {
    /// The bound on the per-sample loss.
    pub below: f64,
    /// Over how many consecutive steps the loss must not rise, at least one.
    pub steps: u64,
}

/// When a run ends; whichever rule is met first. All bounds are per sample.
///
/// ```
/// use popgrad::EnsembleStop;
/// let stop = EnsembleStop { gradient_norm: Some(1e-12), ..EnsembleStop::default() };
/// assert_eq!(stop.steps, 1_000_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnsembleStop {
    /// Ends a run as [`crate::RunStatus::Converged`] once its gradient norm is at most this.
    pub gradient_norm: Option<f64>,
    /// Which norm that is.
    pub norm: NormKind,
    /// Ends a run by its loss.
    pub loss: Option<LossStop>,
    /// Ends a run as [`crate::RunStatus::StepLimit`] after this many steps.
    pub steps: u64,
    /// Ends a run of the flow as [`crate::RunStatus::TimeLimit`] at this time, which is hit exactly.
    pub time: Option<f64>,
}

impl Default for EnsembleStop {
    fn default() -> Self {
        Self { gradient_norm: None, norm: NormKind::default(), loss: None, steps: 1_000_000, time: None }
    }
}

impl EnsembleStop {
    pub(super) fn check(&self, dynamics: &EnsembleDynamics) -> Result<(), EnsembleError> {
        let loss = self.loss.map(|rule| rule.below);
        for (name, value) in
            [("stop.gradient_norm", self.gradient_norm), ("stop.loss", loss), ("stop.time", self.time)]
        {
            let Some(value) = value else { continue };
            if !value.is_finite() || value < 0.0 {
                return Err(EnsembleError::Parameter { name, value, requirement: "finite and not negative" });
            }
        }
        if self.loss.is_some_and(|rule| rule.steps == 0) {
            let (name, requirement) = ("stop.loss.steps", "at least 1");
            return Err(EnsembleError::Parameter { name, value: 0.0, requirement });
        }
        if self.time.is_some() && matches!(dynamics, EnsembleDynamics::Descent { .. }) {
            let requirement = "absent for gradient descent, whose time is a number of steps";
            let value = self.time.unwrap_or_default();
            return Err(EnsembleError::Parameter { name: "stop.time", value, requirement });
        }
        Ok(())
    }
}
