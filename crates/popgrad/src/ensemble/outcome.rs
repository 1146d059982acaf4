//! What an ensemble hands out: progress, and the ends of its runs.

/// How a run of an ensemble ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RunStatus {
    /// The gradient norm met its bound.
    Converged,
    /// The loss met the rule of [`crate::LossStop`]; the gradient norm had not yet met its bound.
    LossBelow,
    /// The number of steps is used up.
    StepLimit,
    /// The final flow time is reached.
    TimeLimit,
    /// The state or its gradient left every bound; the end is the last state where both were numbers.
    Diverged,
    /// A student became zero, where the gradient has no direction.
    ZeroStudent,
    /// The step fell below what the floating-point numbers at hand resolve, or was halved without end.
    Stalled,
    /// The run is proved to be bound for the global minimum.
    GlobalBasin,
    /// The run is proved to be bound for a spurious minimum.
    SpuriousBasin,
}

impl RunStatus {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Converged,
        Self::LossBelow,
        Self::StepLimit,
        Self::TimeLimit,
        Self::Diverged,
        Self::ZeroStudent,
        Self::Stalled,
        Self::GlobalBasin,
        Self::SpuriousBasin,
    ];

    /// The name used in files; never changes.
    ///
    /// ```
    /// assert_eq!(popgrad::RunStatus::LossBelow.name(), "loss_below");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::LossBelow => "loss_below",
            Self::StepLimit => "step_limit",
            Self::TimeLimit => "time_limit",
            Self::Diverged => "diverged",
            Self::ZeroStudent => "zero_student",
            Self::Stalled => "stalled",
            Self::GlobalBasin => "global_basin",
            Self::SpuriousBasin => "spurious_basin",
        }
    }

    /// The status of a name, or `None` for an unknown one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the run came to an end point: by its gradient or by its loss. A run that is bound for one did not.
    pub fn is_converged(self) -> bool {
        matches!(self, Self::Converged | Self::LossBelow)
    }
}

/// The end of one run. Never holds a NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// The number of the run, which is that of its start.
    pub run: u64,
    /// Why it ended.
    pub status: RunStatus,
    /// Steps completed since the last restart; accepted steps of the flow.
    pub steps: u64,
    /// How often the step was halved and the run begun again.
    pub halvings: u32,
    /// Flow time at the end; for gradient descent the number of steps times the step.
    pub time: f64,
    /// The per-sample loss at the end, evaluated for this run alone with the accuracy of [`crate::TwoLayer::loss`].
    pub loss: f64,
    /// The gradient norm at the end, in the norm of [`crate::EnsembleStop::norm`].
    pub gradient_norm: f64,
    /// The students at the end, `K x d` row by row in the problem's own coordinates; `[x, y]` in Theorem 7's plane, and for
    /// the filter of a convolutional network.
    pub weights: Vec<f64>,
    /// The output weights at the end, `K`, where they are trained; `[alpha, S_a, r]` for a convolutional network; empty
    /// otherwise.
    pub output: Vec<f64>,
}

/// How far the runs of a machine have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnsembleProgress {
    /// Runs that have ended.
    pub ended: u64,
    /// Runs asked for.
    pub runs: u64,
    /// Runs that no lane has taken yet.
    pub waiting: u64,
    /// Steps tried by all runs together.
    pub steps: u64,
}

/// What a call of [`crate::EnsembleRun::advance`] gives back.
#[derive(Clone, Debug, PartialEq)]
pub enum EnsembleAdvance {
    /// The budget is used up and some runs go on.
    Running(EnsembleProgress),
    /// Every run has ended. Holds their ends in the order of the runs, without those taken out by
    /// [`crate::EnsembleRun::take_ended`].
    Done(Vec<RunEnd>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_statuses_round_trip() {
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::from_name(status.name()), Some(status));
        }
        assert_eq!(RunStatus::from_name("Converged"), None);
    }
}
