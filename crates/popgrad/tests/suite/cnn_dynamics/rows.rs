//! Numbers of the closed variables beside those of the whole network and beside their definitions.

use super::{descend, runge_kutta, start};
use crate::fixture::{Worst, allowed};
use popgrad::{Cnn, CnnState, CnnStudent, RandomStream, ReducedCnn, angle};
use std::f64::consts::{PI, TAU};

fn close(name: &'static str, pairs: &[(f64, f64, f64)]) {
    let mut worst = Worst::new(name);
    for &(got, want, scale) in pairs {
        worst.check(got, want, allowed(name, scale), || format!("{want:e}"));
    }
}

fn normal(stream: &mut RandomStream, n: usize) -> Vec<f64> {
    let mut x = vec![0.0; n];
    stream.fill_normal(&mut x);
    x
}

#[test]
fn a_student_has_the_coordinates_of_its_definition() {
    let mut stream = RandomStream::new(41, 0);
    let (mut angles, mut norms, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for k in [1, 2, 3, 8, 30] {
        for _ in 0..50 {
            let (w, a_star) = (normal(&mut stream, 4), normal(&mut stream, k));
            let (v, a) = (normal(&mut stream, 4), normal(&mut stream, k));
            let problem = Cnn::try_new(&w, &a_star).unwrap();
            let state = problem.reduced_state(CnnStudent { filter: &v, output: &a }).unwrap();
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
            let length = |x: &[f64]| dot(x, x).sqrt();
            let s = length(&w);
            let x = dot(&v, &w) / s;
            let across: Vec<f64> = v.iter().zip(&w).map(|(v, w)| v - x * w / s).collect();
            let mean = |x: &[f64]| x.iter().sum::<f64>() / k as f64;
            let centred = |x: &[f64]| -> Vec<f64> { x.iter().map(|c| c - mean(x)).collect() };
            let (a_c, b) = (centred(&a), centred(&a_star));
            let share = if k == 1 { 0.0 } else { dot(&a_c, &b) / dot(&b, &b) };
            let rest: Vec<f64> = a_c.iter().zip(&b).map(|(a, b)| a - share * b).collect();
            let absolute = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| (a * b).abs()).sum::<f64>();
            states.push((state.x, x, length(&v)));
            states.push((state.y, length(&across), length(&v)));
            states.push((state.overlap, dot(&a, &a_star), absolute(&a, &a_star)));
            states.push((state.sum, a.iter().sum(), a.iter().map(|a| a.abs()).sum()));
            // The reference subtracts twice; its error over the length of the rest of a* is its own.
            let skew = if k == 1 { 1.0 } else { 1.0 + length(&a_star) / length(&b) };
            states.push((state.rest, if k <= 2 { 0.0 } else { length(&rest) }, skew * length(&a)));
            let want = angle(&w, &v).unwrap();
            angles.push((state.angle().theta, want.theta, want.theta));
            angles.push((state.angle().psi, want.psi, want.psi));
            norms.push((state.filter_norm(), length(&v), length(&v)));
            let reduced = problem.reduced();
            assert_eq!((reduced.patches(), reduced.filter_norm()), (k, problem.filter_norm()));
            assert_eq!((reduced.output_sum(), reduced.ratio()), (problem.output_sum(), problem.ratio()));
        }
    }
    close("Cnn::reduced_state", &states);
    close("CnnState::angle", &angles);
    close("CnnState::filter_norm", &norms);
}

#[test]
fn critical_points_are_those_of_the_whole_network() {
    let (mut spurious, mut saddle, mut levels, mut limits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (k, ratio) in [(2, 0.3), (4, 0.0), (9, 1.0), (25, 4.0), (25, 8.0), (100, 20.0)] {
        let full = Cnn::with_ratio(k, 3, ratio).unwrap();
        let reduced = full.reduced();
        let scale = full.output_square() + full.output_sum() * full.output_sum();
        let (point, state) = (full.spurious_point(), reduced.spurious_state(1.0));
        spurious.push((state.overlap, point.alpha, scale));
        spurious.push((state.sum, point.output.iter().sum(), (k as f64).sqrt() * scale));
        let (point, state) = (full.saddle().unwrap(), reduced.saddle_state(1.0).unwrap());
        let phi = reduced.saddle_angle().unwrap();
        let slope = point.angle.psi * libm::sin(point.angle.theta);
        saddle.push((phi, point.angle.theta, 1.0 / slope));
        assert!((state.sum - point.output.iter().sum::<f64>()).abs() < 1e-13 * (k as f64).sqrt());
        // alpha of the best output weights vanishes at h_c, with slope s D / (pi - 1) (W.51).
        let h = reduced.saddle_h();
        let d = reduced.output_square() - reduced.output_sum() * reduced.output_sum() / (k as f64 + PI - 1.0);
        levels.push((h, h - reduced.best_output(h)[0] * (PI - 1.0) / d, 1.0 + ratio));
        let limit = reduced.approach_to_spurious(1.7).unwrap();
        let alpha = full.spurious_point().alpha;
        limits.push((limit, TAU * 1.7 * 1.7 / alpha.abs(), limit * (1.0 + 1.0 / alpha.abs())));
        assert!((reduced.lowest_loss(PI).unwrap() / full.spurious_point().loss - 1.0).abs() < 1e-14);
        assert!((reduced.saddle_loss().unwrap() / point.loss - 1.0).abs() < 1e-14);
    }
    close("ReducedCnn::spurious_state", &spurious);
    close("ReducedCnn::saddle_angle", &saddle);
    close("ReducedCnn::saddle_h", &levels);
    close("ReducedCnn::approach_to_spurious", &limits);
}

#[test]
fn rates_and_limits_are_their_definitions() {
    let problem = ReducedCnn::try_new(7, 1.3, -2.0, 1.7).unwrap();
    close("ReducedCnn::ratio", &[(problem.ratio(), 4.0 / 1.7, 4.0 / 1.7)]);
    close("ReducedCnn::ratio_threshold", &[(problem.ratio_threshold(), 1.0 + 6.0 / PI, 1.0 + 6.0 / PI)]);
    let rates = problem.rates(0.8);
    let want = [1.3 * 1.3 * 1.7 / (2.0 * 0.8 * 0.8), (PI - 1.0) / TAU, (6.0 + PI) / TAU];
    let got = [rates.angle, rates.output, rates.sum];
    let rows: Vec<_> = got.into_iter().zip(want).map(|(g, w)| (g, w, w)).collect();
    close("ReducedCnn::rates", &rows);
    let [by_output, by_filter] = problem.step_limits(0.8);
    close(
        "ReducedCnn::step_limits",
        &[(by_output, 2.0 / want[2], by_output), (by_filter, 2.0 / want[0], by_filter)],
    );
    let state = CnnState::at_angle(2.0, 1.0, 0.1, 0.1);
    close("ReducedCnn::final_loss_rate", &[(problem.final_loss_rate(&state), 2.0 * want[1], want[1])]);
    // A step of 0.5 is slowest in the output weights, one of 1.35 in the sum, one of 1.5 diverges.
    let descent = |step: f64, rate: f64| {
        let got = problem.final_descent_rate(&state, step).unwrap();
        let want = -2.0 * (1.0 - step * rate).abs().ln() / step;
        (got, want, want)
    };
    close(
        "ReducedCnn::final_descent_rate",
        &[descent(0.5, want[1]), descent(1.35, want[2]), descent(1.5, want[2])],
    );
    assert!(problem.final_descent_rate(&state, 1.5).unwrap() < 0.0);
}

#[test]
fn modes_that_are_absent_do_not_count() {
    // k = 1: no output weights orthogonal to 1; S* = 0 and S_a = 0: no sum.
    let one = ReducedCnn::try_new(1, 1.0, 1.0, 1.0).unwrap();
    let state = CnnState::at_angle(0.5, 1.0, 0.2, 0.2);
    assert!((one.final_loss_rate(&state) - 1.0).abs() < 1e-15);
    let equal = ReducedCnn::try_new(4, 1.0, 2.0, 1.0).unwrap();
    let along = CnnState::at_angle(0.2, 1.0, 0.2, 0.4);
    assert!((equal.final_loss_rate(&along) - (3.0 + PI) / PI).abs() < 1e-14);
    let aside = CnnState { rest: 0.1, ..along };
    assert!((equal.final_loss_rate(&aside) - (PI - 1.0) / PI).abs() < 1e-15);
}

#[test]
fn no_run_exceeds_the_bound_on_alpha() {
    let mut worst = Worst::new("ReducedCnn::overlap_bound");
    for (k, ratio) in [(4, 1.0), (25, 4.0), (25, 20.0), (9, 0.0)] {
        let problem = super::problem(k, ratio);
        let eta = TAU / (k as f64 + PI - 1.0);
        for index in 0..100 {
            // Starts with output weights up to three times as large as the paper's.
            let first = start(&problem, 3, 51, index);
            let first = CnnState { overlap: 3.0 * first.overlap - 0.5, sum: 3.0 * first.sum, ..first };
            let bound = problem.overlap_bound(&first);
            let (mut flow, mut descent) = (first, first);
            for _ in 0..300 {
                let largest = flow.overlap.abs().max(descent.overlap.abs());
                worst.check(largest.max(bound), bound, allowed("ReducedCnn::overlap_bound", bound), || {
                    format!("{first:?}")
                });
                flow = runge_kutta(&problem, &flow, 0.1);
                descent = descend(&problem, &descent, eta);
            }
        }
    }
}
