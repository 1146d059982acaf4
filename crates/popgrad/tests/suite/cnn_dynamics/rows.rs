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
    let (mut states, mut limits) = (Vec::new(), Vec::new());
    for (k, ratio) in [(2, 0.3), (4, 0.0), (9, 1.0), (25, 4.0), (25, 8.0), (100, 20.0)] {
        let full = Cnn::with_ratio(k, 3, ratio).unwrap();
        let reduced = full.reduced();
        for (point, state) in [
            (full.spurious_point(), reduced.spurious_state(1.0)),
            (full.saddle().unwrap(), reduced.saddle_state(1.0).unwrap()),
        ] {
            let products = point.output.iter().zip(full.output()).map(|(a, b)| a * b);
            let sizes = products.clone().map(f64::abs).sum::<f64>();
            states.push((state.overlap, products.sum(), 1.0 + sizes));
            let sizes = point.output.iter().map(|a| a.abs()).sum::<f64>();
            states.push((state.sum, point.output.iter().sum(), 1.0 + sizes));
            let psi = state.angle().psi;
            assert!((psi - point.angle.psi).abs() <= 4.0 * f64::EPSILON * psi, "k = {k}, ratio {ratio}");
        }
        let limit = reduced.approach_to_spurious(1.7).unwrap();
        let alpha = full.spurious_point().alpha;
        limits.push((limit, TAU * 1.7 * 1.7 / alpha.abs(), limit * (1.0 + 1.0 / alpha.abs())));
        assert!((reduced.saddle_loss().unwrap() / full.saddle().unwrap().loss - 1.0).abs() < 1e-14);
    }
    close("ReducedCnn::valley_output", &states);
    close("ReducedCnn::approach_to_spurious", &limits);
}

/// `k`, `S*`, `|a*|^2` and `h_c` to 17 digits, by multiple precision from the doubles.
const LEVELS: [(usize, f64, f64, f64); 8] = [
    (2, 0.3, 1.0, 0.952_427_759_821_237_98),
    (4, -1.25, 0.9, 0.156_041_680_002_303_61),
    (9, 1.9, 1.0, -0.026_495_966_397_524_731),
    (25, 2.0, 1.0, 0.629_827_957_712_740_58),
    (25, 2.9, 1.0, 0.038_480_360_438_624_911),
    (100, -5.7, 1.0, 0.001_022_910_399_360_875_6),
    (25, 4.0, 1.0, -2.075_456_402_222_391_4),
    (3, 1.7, 1.0, -1.748_811_051_149_433_4),
];

#[test]
fn the_level_of_the_saddle_keeps_its_digits() {
    let levels: Vec<_> = LEVELS
        .into_iter()
        .map(|(k, sum, square, want)| {
            let problem = ReducedCnn::try_new(k, 1.3, sum, square).unwrap();
            let scale = if want > 0.0 { 1.0 } else { 2.0 * (1.0 + problem.ratio()) };
            (problem.saddle_h(), want, scale)
        })
        .collect();
    close("ReducedCnn::saddle_h", &levels);
}

#[test]
fn one_patch_stands_at_the_threshold_exactly() {
    for output in [1.0, 0.1, -3.7, 1e-3] {
        let reduced = Cnn::try_new(&[0.7, 0.2], &[output]).unwrap().reduced();
        assert_eq!((reduced.saddle_h(), reduced.spurious_state(1.0).overlap), (0.0, 0.0), "{output}");
        assert!(reduced.saddle_angle().is_none() && reduced.saddle_rate(1.0).is_none());
        assert!(reduced.approach_to_spurious(1.0).is_none());
    }
}

#[test]
fn scalars_and_states_beyond_the_doubles_are_refused() {
    assert!(ReducedCnn::try_new(2, 1e141, 1.0, 1.0).is_err());
    assert!(ReducedCnn::try_new(2, 1.0, 0.0, 1e-290).is_err());
    let problem = ReducedCnn::try_new(2, 1.0, 1.0, 1.0).unwrap();
    let huge = CnnState::at_angle(1.0, 1.0, 1e308, 1e308);
    assert!(problem.loss(&huge).unwrap_err().to_string().contains("leaves the range"));
    assert!(problem.field(&huge).is_err() && problem.gradient_norms(&huge).is_err());
}

#[test]
fn rates_and_limits_are_their_definitions() {
    let problem = ReducedCnn::try_new(7, 1.3, -2.0, 1.7).unwrap();
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
