//! The paper's algorithm on the whole network: golden runs, and what happens at and beyond the limits of the step.

use super::{descend, problem};
use crate::fixture::{count, list, number, numbers, read};
use popgrad::{
    Advance, Cnn, CnnForm, CnnLandscape, CnnState, CnnStudent, DescentOptions, GradientDescent, ReducedCnn,
    Status, StopRule,
};
use std::f64::consts::PI;

#[test]
fn three_hundred_steps_have_their_digits() {
    for case in list(&read("cnn.json")["gradient_descent"]) {
        let problem = Cnn::try_new(&numbers(&case["w_star"]), &numbers(&case["a_star"])).unwrap();
        let start = [numbers(&case["v0"]), numbers(&case["a0"])].concat();
        let stop = StopRule { steps: Some(count(&case["steps"]) as u64), ..StopRule::default() };
        let options = DescentOptions { step: number(&case["eta"]), stop, ..DescentOptions::default() };
        let end = GradientDescent::try_new(CnnLandscape::new(&problem), &start, options).unwrap().run();
        assert_eq!(end.status, Status::StepLimit);
        let want = [numbers(&case["v"]), numbers(&case["a"])].concat();
        for (got, want) in end.point.iter().zip(&want) {
            // A rounding of the state for each of 300 steps.
            assert!((got - want).abs() <= 300.0 * f64::EPSILON, "{got:e} {want:e}");
        }
        let (filter, output) = end.point.split_at(3);
        let phi = problem.reduced_state(CnnStudent { filter, output }).unwrap().angle().theta;
        let want = number(&case["phi"]);
        // The small components of v shrink by factors: their error is relative, 300 steps of 8 roundings.
        assert!((phi / want - 1.0).abs() < 2400.0 * f64::EPSILON, "{phi:e} {want:e}");
    }
}

#[test]
fn where_a_run_is_cut_changes_no_bit() {
    let problem = Cnn::with_ratio(5, 3, 1.0).unwrap();
    let start = [0.3, -0.5, 0.8, 0.1, 0.2, -0.3, 0.4, 0.0];
    let stop = StopRule { steps: Some(100), ..StopRule::default() };
    let options = DescentOptions { step: 0.2, stop, ..DescentOptions::default() };
    let whole = GradientDescent::try_new(CnnLandscape::new(&problem), &start, options.clone()).unwrap().run();
    let mut cut = GradientDescent::try_new(CnnLandscape::new(&problem), &start, options).unwrap();
    let end = loop {
        if let Advance::Done(end) = cut.advance(7) {
            break end;
        }
    };
    assert_eq!(whole, end);
}

#[test]
fn the_plain_form_runs_through_the_same_door() {
    let problem = Cnn::with_ratio(3, 2, 1.0).unwrap().with_form(CnnForm::Plain);
    let stop = StopRule { gradient_norm: Some(1e-10), ..StopRule::default() };
    let options = DescentOptions { step: 0.1, stop, ..DescentOptions::default() };
    let start = [0.8, 0.3, 0.4, 0.2, 0.5];
    let end = GradientDescent::try_new(CnnLandscape::new(&problem), &start, options).unwrap().run();
    assert_eq!(end.status, Status::Converged);
    assert!(end.loss < 1e-18, "{:e}", end.loss);
}

fn run(problem: &ReducedCnn, start: &CnnState, eta: f64, steps: usize) -> CnnState {
    (0..steps).fold(*start, |state, _| descend(problem, &state, eta))
}

#[test]
fn the_step_limit_of_the_output_weights_is_sharp() {
    // (W.56): 2 % below it the run converges, 2 % above it the sum grows by eta rate - 1 a step (W.57).
    for (k, ratio) in [(4, 1.0), (25, 4.0), (9, 0.0)] {
        let problem = problem(k, ratio);
        let start = CnnState::at_angle(2.0, 1.0, 0.3, 0.4);
        let [limit, _] = problem.step_limits(2.0);
        assert!((limit - 4.0 * PI / (k as f64 + PI - 1.0)).abs() < 4.0 * f64::EPSILON * limit);
        let below = run(&problem, &start, 0.98 * limit, 1500);
        let teacher = problem.teacher_state(1.0);
        assert!(problem.loss(&below).unwrap() < 1e-20, "k = {k}: {below:?}");
        let eta = 1.02 * limit;
        let mut state = run(&problem, &start, eta, 100);
        for _ in 0..50 {
            let [_, best] = problem.valley_output(state.angle());
            let next = descend(&problem, &state, eta);
            let factor = (next.sum - best) / (state.sum - best);
            // The quotient of two distances, each with the rounding of sums of size |S_a| + s |S*|.
            let bound =
                64.0 * f64::EPSILON * (1.0 + (state.sum.abs() + teacher.sum) / (state.sum - best).abs());
            assert!((factor + 1.04).abs() < bound * k as f64, "k = {k}: {factor}");
            state = next;
        }
        assert!(state.sum.abs() > 10.0, "k = {k}: {state:?}");
        if ratio == 0.0 {
            // The sum is decoupled where S* = 0: angle and alpha still converge.
            let end = run(&problem, &state, eta, 400);
            assert!(end.angle().theta < 1e-9 && (end.overlap - 1.0).abs() < 1e-9, "{end:?}");
        }
    }
}

#[test]
fn beyond_the_step_limit_of_the_filter_it_grows_until_the_step_fits() {
    // k = 1: the limit of the output weights is 4, that of the filter 4 |v|^2 = 0.01.
    let problem = ReducedCnn::try_new(1, 1.0, 1.0, 1.0).unwrap();
    let start = CnnState::at_angle(0.05, 1e-3, 1.0, 1.0);
    let [_, limit] = problem.step_limits(0.05);
    assert!((limit - 0.01).abs() < 1e-16);
    let below = run(&problem, &start, 0.9 * limit, 3000);
    assert!(below.angle().theta < 1e-12 && below.filter_norm() < 0.051, "{below:?}");
    let eta = 1.0;
    let end = run(&problem, &start, eta, 3000);
    assert!(end.angle().theta < 1e-9 && problem.loss(&end).unwrap() < 1e-18, "{end:?}");
    // (W.58): the length at the end allows the step, the length at the start did not.
    assert!(problem.step_limits(end.filter_norm())[1] > eta && end.filter_norm() > 0.5, "{end:?}");
}
