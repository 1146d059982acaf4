//! The closed form of one ReLU, sampled like a run.

use crate::storage::TrajectoryRow;
use popgrad::{Outcome, SingleReluError, SingleReluFlow, Status, single_relu_gradient};

/// The gradient flow of one student and one teacher in closed form, as rows at equal times.
///
/// Under a rotation-invariant law the loss is `kappa` times the Gaussian one, so that its flow at time `t` is the
/// Gaussian flow at time `kappa t`.
#[derive(Clone, Debug)]
pub struct ExactTrajectory {
    flow: SingleReluFlow,
    teacher: Vec<f64>,
    kappa: f64,
    end: f64,
    status: Status,
}

impl ExactTrajectory {
    /// The flow from `start` up to `end`, or up to the loss `stop_loss` if that comes first.
    ///
    /// # Errors
    ///
    /// [`SingleReluError`] if a vector is zero or the lengths differ.
    pub fn try_new(
        start: &[f64],
        teacher: &[f64],
        kappa: f64,
        end: f64,
        stop_loss: Option<f64>,
    ) -> Result<Self, SingleReluError> {
        let flow = SingleReluFlow::try_new(start, teacher)?;
        let (mut last, mut status) = (end, Status::TimeLimit);
        if let Some(loss) = stop_loss {
            let reached = if flow.loss(0.0)? * kappa <= loss {
                Some(0.0)
            } else {
                // A loss below the infimum is never reached; the time then decides.
                flow.time_to_loss(loss / kappa).ok().map(|t| t / kappa)
            };
            if let Some(time) = reached.filter(|t| *t <= end) {
                (last, status) = (time, Status::Converged);
            }
        }
        Ok(Self { flow, teacher: teacher.to_vec(), kappa, end: last, status })
    }

    /// The closed form itself.
    pub fn flow(&self) -> &SingleReluFlow {
        &self.flow
    }

    /// The last time.
    pub fn end(&self) -> f64 {
        self.end
    }

    /// The row at time `t`.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Time`] for a negative time.
    pub fn row(&self, run: i64, step: i64, t: f64) -> Result<TrajectoryRow, SingleReluError> {
        let time = self.kappa * t;
        let weights = self.flow.position(time)?;
        Ok(TrajectoryRow {
            run,
            step,
            t,
            loss: self.kappa * self.flow.loss(time)?,
            grad_norm: self.kappa * norm(&single_relu_gradient(&weights, &self.teacher)?),
            angles: vec![self.flow.angle(time)?.theta],
            weights,
            output: vec![1.0],
            overlaps: None,
            event: String::new(),
        })
    }

    /// The last row as the end of a run.
    ///
    /// # Errors
    ///
    /// As [`ExactTrajectory::row`].
    pub fn outcome(&self, steps: u64) -> Result<Outcome, SingleReluError> {
        let row = self.row(0, 0, self.end)?;
        Ok(Outcome {
            status: self.status,
            point: row.weights,
            loss: row.loss,
            gradient_norm: row.grad_norm,
            time: self.end,
            steps,
            rejected: 0,
            gradients: 0,
            events: Vec::new(),
        })
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_law_runs_kappa_times_as_fast() {
        let (start, teacher) = ([0.3, -0.8], [1.0, 0.0]);
        let one = ExactTrajectory::try_new(&start, &teacher, 1.0, 10.0, None).unwrap();
        let half = ExactTrajectory::try_new(&start, &teacher, 0.5, 10.0, None).unwrap();
        let (a, b) = (one.row(0, 0, 2.0).unwrap(), half.row(0, 0, 4.0).unwrap());
        assert_eq!(a.weights, b.weights);
        assert_eq!(0.5 * a.loss, b.loss);
    }

    #[test]
    fn a_loss_ends_the_run_where_it_is_reached() {
        let flow = ExactTrajectory::try_new(&[0.3, -0.8], &[1.0, 0.0], 2.0, 100.0, Some(1e-6)).unwrap();
        let end = flow.outcome(5).unwrap();
        assert_eq!(end.status, Status::Converged);
        assert!((end.loss / 1e-6 - 1.0).abs() < 1e-9, "{:e}", end.loss);
        let never = ExactTrajectory::try_new(&[0.3, -0.8], &[1.0, 0.0], 2.0, 1.0, Some(1e-6)).unwrap();
        assert_eq!(never.outcome(5).unwrap().status, Status::TimeLimit);
    }
}
