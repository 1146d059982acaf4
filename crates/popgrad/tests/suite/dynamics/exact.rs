//! Golden and exact solutions: one ReLU in closed form, the plane of Theorem 7 in 36 digits, conserved quantities.

use super::landscapes::{Plain, Plane, distance, norm};
use crate::fixture::{number, numbers, read};
use popgrad::{AbsoluteTolerance, FlowOptions, GradientFlow, RecordPlan, Status, StopRule, angle};
use std::f64::consts::PI;

fn until(time: f64, rtol: f64, atol: f64) -> FlowOptions {
    FlowOptions {
        rtol,
        atol: AbsoluteTolerance::Fixed(atol),
        stop: StopRule { time: Some(time), ..StopRule::default() },
        ..FlowOptions::default()
    }
}

/// The error at the end in units of rtol: the documentation of `GradientFlow` states 0.8 as measured.
const FACTOR: f64 = 1.5;

#[test]
fn one_relu_follows_its_exact_solution_at_requested_times() {
    let json = read("single_relu_flow.json");
    for rtol in [1e-6, 1e-8, 1e-11] {
        let mut worst = 0.0_f64;
        for case in json["cases"].as_array().unwrap() {
            let (w0, v) = (numbers(&case["w0"]), numbers(&case["v"]));
            let points = case["points"].as_array().unwrap();
            let times: Vec<f64> = points.iter().map(|p| number(&p["t"])).collect();
            let options = FlowOptions {
                record: RecordPlan::at_times(times.clone()),
                ..until(*times.last().unwrap(), rtol, 0.01 * rtol)
            };
            let mut flow = GradientFlow::try_new(Plain::new(1, vec![v.clone()]), &w0, options).unwrap();
            while let popgrad::Advance::Running(_) = flow.advance(7) {}
            assert_eq!(flow.rows().len(), points.len(), "one row per requested time");
            for (row, want) in flow.rows().iter().zip(points) {
                let error = distance(&row.point, &numbers(&want["w"])) / norm(&v);
                worst = worst.max(error / rtol);
            }
        }
        assert!(worst <= FACTOR, "rtol {rtol:e}: worst error {worst} rtol");
    }
}

#[test]
fn the_plane_of_theorem_7_reaches_its_reference_end_points() {
    for case in read("dynamics2d.json")["trajectories"].as_array().unwrap() {
        let start = [number(&case["x0"]), number(&case["y0"])];
        let want = [number(&case["x"]), number(&case["y"])];
        for rtol in [1e-8, 1e-11] {
            let options = FlowOptions {
                atol: AbsoluteTolerance::OfSmallestStudent(0.01 * rtol),
                ..until(number(&case["T"]), rtol, 0.0)
            };
            let end = GradientFlow::try_new(Plane { k: number(&case["K"]) }, &start, options).unwrap().run();
            assert_eq!(end.status, Status::TimeLimit);
            assert_eq!(end.time.to_bits(), number(&case["T"]).to_bits(), "the final time is hit exactly");
            let error = distance(&end.point, &want);
            assert!(error <= FACTOR * rtol, "start {start:?}, rtol {rtol:e}: error {error:e}");
        }
    }
}

/// `r` and `theta` of the exact flow (docs/theory/dynamics.md, (D.14)), from its conserved quantity.
fn exact_angle(theta: f64, r: f64, t: f64) -> f64 {
    let cot = libm::cos(theta) / libm::sin(theta)
        + (PI - theta) / (PI * r * libm::sin(theta)) * libm::expm1(0.5 * t);
    libm::atan2(1.0, cot)
}

#[test]
fn runs_start_from_weights_as_small_as_1e_minus_12() {
    for size in [1e-3, 1e-6, 1e-12] {
        for theta in [0.3, 1.5, 3.0] {
            let start = [size * libm::cos(theta), size * libm::sin(theta)];
            // Times at which the direction is still turning, the later ones far beyond.
            let times: Vec<f64> = [0.1, 1.0, 10.0].iter().map(|c| c * size).chain([1.0, 5.0]).collect();
            let options = FlowOptions {
                record: RecordPlan::at_times(times),
                stop: StopRule { time: Some(5.0), ..StopRule::default() },
                ..FlowOptions::default()
            };
            let mut flow =
                GradientFlow::try_new(Plain::new(1, vec![vec![1.0, 0.0]]), &start, options).unwrap();
            let popgrad::Advance::Done(end) = flow.advance(u64::MAX) else { panic!("the run must end") };
            assert_eq!(end.status, Status::TimeLimit);
            assert!(end.steps + end.rejected < 700, "{size:e}, {theta}: {} + {}", end.steps, end.rejected);
            for row in flow.rows() {
                let got = angle(&row.point, &[1.0, 0.0]).unwrap().theta;
                let want = exact_angle(theta, size, row.time);
                // Relative: the angle itself becomes small. 1e-10 absolute over |w| and 1e-8 relative.
                let bound = 1e-6 * want;
                assert!((got - want).abs() <= bound, "{size:e}, {theta}, t {:e}: {got} {want}", row.time);
            }
        }
    }
}

#[test]
fn the_conserved_quantity_of_one_relu_stays_over_a_long_run() {
    // C = (pi - theta) / (r sin theta) - pi cot theta; the direction tends to the teacher's like exp(-t/2), so
    // C, whose terms grow like exp(t/2), is compared where it still has digits.
    let conserved = |w: &[f64]| {
        let a = angle(w, &[1.0, 0.0, 0.0]).unwrap();
        a.psi / (norm(w) * libm::sin(a.theta)) - PI * libm::cos(a.theta) / libm::sin(a.theta)
    };
    let start = [-0.5, 0.3, 0.2];
    let options = FlowOptions { record: RecordPlan::every(1), ..until(10.0, 1e-11, 1e-13) };
    let mut flow = GradientFlow::try_new(Plain::new(1, vec![vec![1.0, 0.0, 0.0]]), &start, options).unwrap();
    flow.advance(u64::MAX);
    let want = conserved(&start);
    for row in flow.rows() {
        let amplification = libm::exp(0.5 * row.time);
        let error = (conserved(&row.point) - want).abs();
        assert!(error <= 1e-11 * amplification, "t = {}: C drifts by {error:e}", row.time);
    }
}

#[test]
fn joint_training_conserves_the_balance_of_every_student() {
    let mut landscape = Plain::orthonormal(3);
    landscape.teacher_output = vec![1.0, -0.5, 2.0];
    landscape.trains_output = true;
    let start = [0.3, -0.2, 0.5, -0.4, 0.6, 0.1, 0.2, 0.3, -0.7, 0.8, -0.3, 0.5];
    let balance = |p: &[f64], j: usize| norm(&p[3 * j..3 * j + 3]).powi(2) - p[9 + j] * p[9 + j];
    let options = FlowOptions { record: RecordPlan::every(10), ..until(300.0, 1e-10, 1e-12) };
    let mut flow = GradientFlow::try_new(landscape, &start, options).unwrap();
    flow.advance(u64::MAX);
    let rows = flow.rows();
    assert!(rows.len() > 30);
    for pair in rows.windows(2) {
        // The plain sum of kernels rounds at the 1e-15 level of its terms, whatever the loss.
        assert!(pair[1].loss <= pair[0].loss + 1e-14, "the loss rises at t = {}", pair[1].time);
    }
    for row in rows {
        for j in 0..3 {
            let drift = (balance(&row.point, j) - balance(&start, j)).abs();
            // Local errors of 1e-10 add up over some hundred steps.
            assert!(drift <= 3e-8, "student {j} at t = {}: {drift:e}", row.time);
        }
    }
}
