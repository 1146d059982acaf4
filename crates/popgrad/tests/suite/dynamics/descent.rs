//! Gradient descent: reference iterates and its documented rules.

use super::landscapes::{Plain, Plane};
use crate::fixture::{number, read};
use popgrad::{
    DescentOptions, DynamicsError, EventKind, GradientDescent, Landscape, RecordPlan, Status, StepHalving,
    StopRule, ZeroStudentRule,
};

/// `J = 1/2 sum c_i y_i^2`.
#[derive(Debug)]
struct Quadratic(Vec<f64>);

impl Landscape for Quadratic {
    fn dimension(&self) -> usize {
        self.0.len()
    }
    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        for i in 0..point.len() {
            out[i] = self.0[i] * point[i];
        }
    }
    fn loss(&mut self, point: &[f64]) -> f64 {
        point.iter().zip(&self.0).map(|(y, c)| 0.5 * c * y * y).sum()
    }
}

fn options(step: f64, steps: u64) -> DescentOptions {
    DescentOptions {
        step,
        stop: StopRule { steps: Some(steps), ..StopRule::default() },
        ..DescentOptions::default()
    }
}

#[test]
fn iterates_in_the_plane_of_theorem_7_match_the_reference() {
    for case in read("dynamics2d.json")["gradient_descent"].as_array().unwrap() {
        let start = [number(&case["x0"]), number(&case["y0"])];
        let steps = case["steps"].as_u64().unwrap();
        let run = GradientDescent::try_new(
            Plane { k: number(&case["K"]) },
            &start,
            options(number(&case["eta"]), steps),
        );
        let end = run.unwrap().run();
        assert_eq!((end.status, end.steps), (Status::StepLimit, steps));
        // Each step rounds at the 1e-16 level; the first ones, at |w| = 1e-3, amplify angles by 1/|w|.
        for (got, want) in end.point.iter().zip([number(&case["x"]), number(&case["y"])]) {
            assert!((got - want).abs() <= 1e-12, "{got} instead of {want}");
        }
    }
}

#[test]
fn a_step_that_is_too_long_diverges_and_the_last_finite_state_is_returned() {
    let end = GradientDescent::try_new(Quadratic(vec![1.0]), &[1.0], options(3.0, 10_000)).unwrap().run();
    assert_eq!(end.status, Status::Diverged);
    assert!(end.point[0].is_finite() && end.gradient_norm > 1e99 && end.loss.is_finite());
    let unbounded = DescentOptions { divergence: f64::MAX, ..options(1e200, 10_000) };
    let end = GradientDescent::try_new(Quadratic(vec![1.0]), &[1.0], unbounded).unwrap().run();
    assert_eq!((end.status, end.steps), (Status::Diverged, 1), "the second step overflows");
    assert!(end.point[0].is_finite());
}

#[test]
fn the_step_is_halved_while_the_loss_rises() {
    let halving = DescentOptions { halving: StepHalving::OnLossRise, ..options(3.0, 200) };
    let mut run = GradientDescent::try_new(Quadratic(vec![1.0]), &[1.0], halving).unwrap();
    run.advance(1);
    assert_eq!((run.step(), run.progress().steps), (1.5, 0), "the first step would raise the loss");
    run.advance(1);
    assert_eq!(run.point(), [-0.5]);
    let end = run.interrupt();
    assert_eq!((end.status, end.rejected, end.time), (Status::Interrupted, 1, 1.5));
    assert_eq!(end.events[0].kind, EventKind::StepHalved);
}

#[test]
fn a_run_restarts_with_half_the_step_above_the_gradient_limit() {
    let restart = DescentOptions {
        halving: StepHalving::RestartAbove { gradient_norm: 1e4 },
        record: RecordPlan::every(1),
        stop: StopRule { gradient_norm: Some(1e-6), ..StopRule::default() },
        ..options(5.0, 0)
    };
    let mut run = GradientDescent::try_new(Quadratic(vec![1.0, 0.2]), &[1.0, 1.0], restart).unwrap();
    let popgrad::Advance::Done(end) = run.advance(u64::MAX) else { panic!("the run must end") };
    assert_eq!((end.status, run.step()), (Status::Converged, 1.25), "5 and 2.5 diverge, 1.25 does not");
    assert_eq!(end.events.iter().filter(|e| e.kind == EventKind::Restarted).count(), 2);
    assert_eq!(run.rows().len() as u64, end.steps + 1, "only rows of the last attempt");
    assert_eq!((run.rows()[0].step, run.rows()[0].time), (0, 0.0));
    assert_eq!(end.time, end.steps as f64 * 1.25);
}

#[test]
fn a_student_that_is_exactly_zero_ends_or_stays() {
    // One student opposite to its teacher: r shrinks by the factor 1 - eta/2, to zero in one step of 2.
    let mut landscape = Plain::new(2, vec![vec![1.0, 0.0]]);
    landscape.output = vec![1.0, 0.0];
    let start = [-1.0, 0.0, 0.3, 0.4];
    let end = GradientDescent::try_new(landscape.clone(), &start, options(2.0, 10)).unwrap().run();
    assert_eq!((end.status, end.steps), (Status::ZeroStudent, 1));
    assert_eq!(end.events[0].kind, EventKind::ZeroStudent { student: 0 });
    assert_eq!(end.loss, 0.25, "J(0) = |v|^2 / 4");
    let freeze = DescentOptions { zero_student: ZeroStudentRule::Freeze, ..options(2.0, 10) };
    let end = GradientDescent::try_new(landscape, &start, freeze).unwrap().run();
    assert_eq!(end.status, Status::StepLimit);
    assert_eq!(end.point, [0.0, 0.0, 0.3, 0.4]);
}

#[test]
fn bad_input_is_refused_by_name_and_value() {
    let message = |start: &[f64], options| {
        GradientDescent::try_new(Quadratic(vec![1.0, 1.0]), start, options).unwrap_err().to_string()
    };
    assert_eq!(
        message(&[1.0], options(0.1, 1)),
        "the start has 1 entries but the landscape has dimension 2; they must be equal"
    );
    assert_eq!(message(&[1.0, f64::NAN], options(0.1, 1)), "start[1] = NaN is not finite");
    assert_eq!(message(&[1.0, 1.0], options(-0.1, 1)), "step = -0.1, but it must be finite and positive");
    let endless = DescentOptions { stop: StopRule { steps: None, ..StopRule::default() }, ..options(0.1, 1) };
    let error = GradientDescent::try_new(Quadratic(vec![1.0]), &[1.0], endless).unwrap_err();
    assert_eq!((error, error.kind()), (DynamicsError::Endless, popgrad::Kind::Input));
}

#[test]
fn the_time_rule_counts_steps_without_accumulating_rounding() {
    let stop = StopRule { time: Some(10.0), ..StopRule::default() };
    let run = DescentOptions { stop, record: RecordPlan::at_times(vec![0.05, 9.95]), ..options(0.1, 0) };
    let mut run = GradientDescent::try_new(Quadratic(vec![1.0]), &[1.0], run).unwrap();
    let popgrad::Advance::Done(end) = run.advance(u64::MAX) else { panic!("the run must end") };
    assert_eq!((end.status, end.steps, end.time), (Status::TimeLimit, 100, 10.0));
    assert_eq!(run.rows().iter().map(|row| row.step).collect::<Vec<_>>(), [1, 100]);
}
