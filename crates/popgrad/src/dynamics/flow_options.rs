//! The options of the gradient flow, and what its tolerances mean.

use super::run::norm;
use super::{DynamicsError, RecordPlan, StopRule, ZeroStudentRule};
use std::ops::Range;

/// The absolute part of the tolerance of a step.
///
/// A student that is smaller than the absolute tolerance has no accurate direction, and near zero the direction
/// decides where the student goes. So the tolerance must be small beside the smallest student of the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AbsoluteTolerance {
    /// This value, whatever the start.
    Fixed(f64),
    /// This value times the smaller of one and the norm of the smallest nonzero student at the start (of the
    /// whole state where the landscape has no students).
    OfSmallestStudent(f64),
}

impl AbsoluteTolerance {
    pub(crate) fn value(self, start: &[f64], students: &[Range<usize>]) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::OfSmallestStudent(factor) => {
                let whole = [0..start.len()];
                let slices = if students.is_empty() { &whole[..] } else { students };
                let norms = slices.iter().map(|slice| norm(&start[slice.clone()])).filter(|n| *n > 0.0);
                factor * norms.fold(1.0, f64::min)
            }
        }
    }
}

/// How the gradient flow runs.
///
/// The tolerances bound the estimated local error of every step, component by component, in the root mean
/// square: a step from `y` to `z` with error estimate `e` is accepted iff
///
/// ```text
/// sqrt( 1/n sum_i (e_i / (atol + rtol max(|y_i|, |z_i|)))^2 ) <= 1
/// ```
///
/// Source: docs/theory/dynamics.md, (D.6). No single component errs by more than `sqrt(n)` times its scale in a
/// step. The error at the end of a run is the sum of what the flow makes of the local ones; measured figures stand
/// at [`crate::GradientFlow`].
#[derive(Clone, Debug, PartialEq)]
pub struct FlowOptions {
    /// Relative tolerance per component, `1e-8` by default.
    pub rtol: f64,
    /// Absolute tolerance per component, `1e-10` of the smallest student by default.
    pub atol: AbsoluteTolerance,
    /// The first step tried; chosen from the start's derivatives if `None`.
    pub first_step: Option<f64>,
    /// No step is longer than this; infinite by default.
    pub max_step: f64,
    /// A student shrinking to zero counts as zero below this norm; the absolute tolerance if `None`.
    pub zero_radius: Option<f64>,
    /// When the run ends.
    pub stop: StopRule,
    /// What happens at a student that has become zero.
    pub zero_student: ZeroStudentRule,
    /// What is written down.
    pub record: RecordPlan,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            rtol: 1e-8,
            atol: AbsoluteTolerance::OfSmallestStudent(1e-10),
            first_step: None,
            max_step: f64::INFINITY,
            zero_radius: None,
            stop: StopRule::default(),
            zero_student: ZeroStudentRule::Stop,
            record: RecordPlan::default(),
        }
    }
}

impl FlowOptions {
    pub(super) fn check(&self) -> Result<(), DynamicsError> {
        self.stop.check()?;
        self.record.check()?;
        let (AbsoluteTolerance::Fixed(atol) | AbsoluteTolerance::OfSmallestStudent(atol)) = self.atol;
        for (name, value) in
            [("rtol", self.rtol), ("atol", atol), ("zero_radius", self.zero_radius.unwrap_or(0.0))]
        {
            if !value.is_finite() || value < 0.0 {
                return Err(DynamicsError::Parameter { name, value, requirement: "finite and not negative" });
            }
        }
        if self.rtol == 0.0 && atol == 0.0 {
            return Err(DynamicsError::Parameter {
                name: "rtol",
                value: 0.0,
                requirement: "positive where atol is zero",
            });
        }
        for (name, value) in [("first_step", self.first_step.unwrap_or(1.0)), ("max_step", self.max_step)] {
            if value.is_nan() || value <= 0.0 {
                return Err(DynamicsError::Parameter { name, value, requirement: "positive" });
            }
        }
        Ok(())
    }
}
