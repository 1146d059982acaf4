//! The closed system against the whole network: field, loss, gradient norms, steps and flow.

use super::problem;
use crate::fixture::{Worst, allowed, list, number, numbers, read};
use popgrad::{
    AbsoluteTolerance, Cnn, CnnLandscape, CnnState, CnnStudent, DescentOptions, FlowOptions, GradientDescent,
    GradientFlow, Landscape, RandomStream, ReducedCnn, StopRule,
};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// A random teacher of `k` patches of dimension `p`, and a random student as `(v, a)`.
fn random(seed: u64, (k, p): (usize, usize)) -> (Cnn, Vec<f64>) {
    let mut stream = RandomStream::new(seed, (100 * k + p) as u64);
    let mut numbers = vec![0.0; 2 * (k + p)];
    stream.fill_normal(&mut numbers);
    let student = numbers.split_off(k + p);
    (Cnn::try_new(&numbers[..p], &numbers[p..]).unwrap(), student)
}

fn student(problem: &Cnn, state: &[f64]) -> CnnState {
    let (filter, output) = state.split_at(problem.patch_dimension());
    problem.reduced_state(CnnStudent { filter, output }).unwrap()
}

const SIZES: [(usize, usize); 7] = [(1, 1), (1, 2), (2, 2), (3, 2), (4, 5), (9, 3), (25, 6)];

/// Sums of the absolute terms of the field's five entries (W.43).
fn field_scales(problem: &ReducedCnn, state: &CnnState) -> [f64; 5] {
    let (s, sum, square) = (problem.filter_norm(), problem.output_sum().abs(), problem.output_square());
    let k = problem.patches() as f64;
    let turn = s * state.overlap.abs() / state.filter_norm();
    let overlap = sum * state.sum.abs() + 3.0 * state.overlap.abs() + s * (sum * sum + 4.0 * square);
    let mean = (k + 3.0) * state.sum.abs() + s * (k + 4.0) * sum;
    [turn, turn, overlap / TAU, mean / TAU, state.rest]
}

/// Sum of the absolute terms of the loss (W.42).
fn loss_scale(problem: &ReducedCnn, state: &CnnState) -> f64 {
    let (s, sum, square) = (problem.filter_norm(), problem.output_sum().abs(), problem.output_square());
    let own = state.sum * state.sum + 3.0 * problem.output_norm_squared(state);
    (own + 2.0 * s * (state.sum.abs() * sum + 4.0 * state.overlap.abs()) + s * s * (sum * sum + 3.0 * square))
        / TAU
}

#[test]
fn field_loss_and_gradient_norms_have_25_digits() {
    let mut field = Worst::new("ReducedCnn::field");
    let mut loss = Worst::new("ReducedCnn::loss");
    for case in list(&read("cnn.json")["cases"]) {
        let (w, a_star) = (numbers(&case["w_star"]), numbers(&case["a_star"]));
        let (v, a) = (numbers(&case["v"]), numbers(&case["a"]));
        let full = Cnn::try_new(&w, &a_star).unwrap();
        let (reduced, state) = (full.reduced(), student(&full, &[v, a].concat()));
        let label = || format!("{} k = {}", case["label"], case["k"]);
        // The closed field is the projection of the two gradients.
        let (by_v, by_a) = (numbers(&case["grad_v"]), numbers(&case["grad_a"]));
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
        let ones = vec![1.0; by_a.len()];
        let want = [-dot(&by_v, &w) / full.filter_norm(), -dot(&by_a, &a_star), -dot(&by_a, &ones)];
        let (got, scales) = (reduced.field(&state).unwrap(), field_scales(&reduced, &state));
        for (i, want) in [0, 2, 3].into_iter().zip(want) {
            field.check(got[i], want, allowed("ReducedCnn::field", scales[i]), label);
        }
        let scale = loss_scale(&reduced, &state);
        let want = number(&case["loss"]);
        loss.check(reduced.loss(&state).unwrap(), want, allowed("ReducedCnn::loss", scale), label);
    }
}

#[test]
fn field_and_norms_are_those_of_the_whole_network() {
    let mut norms = Worst::new("ReducedCnn::gradient_norms");
    let mut field = Worst::new("ReducedCnn::field");
    let mut output = Worst::new("ReducedCnn::output_norm_squared");
    for size in SIZES {
        for seed in 0..200 {
            let (full, point) = random(seed, size);
            let (reduced, state) = (full.reduced(), student(&full, &point));
            let p = full.patch_dimension();
            let mut gradient = vec![0.0; point.len()];
            CnnLandscape::new(&full).gradient(&point, &mut gradient);
            // r and y have no linear image: their rates follow from the squares.
            let moved: Vec<f64> = point.iter().zip(&gradient).map(|(y, g)| y - g).collect();
            let (next, got) = (student(&full, &moved), reduced.field(&state).unwrap());
            let scales = field_scales(&reduced, &state);
            let place = || format!("k, p = {size:?}, seed {seed}");
            for (i, (after, before)) in next.to_array().into_iter().zip(state.to_array()).enumerate() {
                let want = if i == 1 && before + got[1] < 0.0 { -after } else { after } - before;
                // x and y are those of a vector of length |v|, r is what is left of |a|.
                let own = [state.filter_norm(), state.filter_norm(), before.abs(), before.abs(), 0.0][i];
                let output = if i == 4 { reduced.output_norm_squared(&state).sqrt() } else { 0.0 };
                let scale = scales[i] + own + after.abs() + 4.0 * output;
                field.check(got[i], want, allowed("ReducedCnn::field", scale), place);
            }
            let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
            let want = [length(&gradient[..p]), length(&gradient[p..])];
            let spread = full.output_square() - full.output_sum() * full.output_sum() / size.0 as f64;
            let skew = if size.0 == 1 { 1.0 } else { (full.output_square() / spread).max(1.0) };
            let scales = [scales[0], (scales[2] + scales[3]) * skew + state.rest];
            for ((got, want), scale) in
                reduced.gradient_norms(&state).unwrap().into_iter().zip(want).zip(scales)
            {
                norms.check(got, want, allowed("ReducedCnn::gradient_norms", scale), place);
            }
            let want = point[p..].iter().map(|a| a * a).sum::<f64>();
            let allowed = allowed("ReducedCnn::output_norm_squared", want * skew);
            output.check(reduced.output_norm_squared(&state), want, allowed, place);
        }
    }
}

#[test]
fn steps_of_descent_are_those_of_the_whole_network() {
    for size in SIZES {
        for seed in 0..20 {
            let (full, point) = random(seed, size);
            let reduced = full.reduced();
            let stop = StopRule { steps: Some(300), ..StopRule::default() };
            let state = student(&full, &point);
            let rates = reduced.rates(state.filter_norm());
            // A contraction at the teacher: larger steps let the angle oscillate and amplify rounding.
            let step = 0.5 / rates.sum.max(rates.angle);
            let options = DescentOptions { step, stop, ..DescentOptions::default() };
            let end =
                GradientDescent::try_new(CnnLandscape::new(&full), &point, options.clone()).unwrap().run();
            let closed = GradientDescent::try_new(reduced, &state.to_array(), options).unwrap().run();
            let want = student(&full, &end.point);
            // Contraction: rounding of a step does not grow; 300 steps of a few roundings each, and their amplification
            // while a run leaves the neighbourhood of the saddle.
            let scale = 1.0 + state.filter_norm() + full.output_square() + want.sum.abs();
            let bound = 1e-12 * scale * full.filter_norm().max(1.0);
            for (got, want) in closed.point.iter().zip(want.to_array()) {
                assert!((got.abs() - want.abs()).abs() < bound, "{size:?} seed {seed}: {got} {want}");
            }
            assert!(
                (closed.loss - end.loss).abs() < bound * scale,
                "{size:?}: {:e} {:e}",
                closed.loss,
                end.loss
            );
        }
    }
}

#[test]
fn the_flow_is_that_of_the_whole_network() {
    for size in SIZES {
        for seed in 0..5 {
            let (full, point) = random(seed, size);
            let options = FlowOptions {
                rtol: 1e-12,
                atol: AbsoluteTolerance::Fixed(1e-14),
                stop: StopRule { time: Some(10.0), ..StopRule::default() },
                ..FlowOptions::default()
            };
            let state = student(&full, &point);
            let end = GradientFlow::try_new(CnnLandscape::new(&full), &point, options.clone()).unwrap().run();
            let closed = GradientFlow::try_new(full.reduced(), &state.to_array(), options).unwrap().run();
            let want = student(&full, &end.point);
            let scale = 1.0 + state.filter_norm() + full.output_square() + want.sum.abs();
            for (got, want) in closed.point.iter().zip(want.to_array()) {
                assert!((got - want).abs() < 1e-11 * scale, "{size:?} seed {seed}: {got} {want}");
            }
            // (W.46): the flow keeps the length of the filter.
            let norm = CnnState::from_array([closed.point[0], closed.point[1], 0.0, 0.0, 0.0]).filter_norm();
            assert!((norm / state.filter_norm() - 1.0).abs() < 1e-10);
        }
    }
}

#[test]
fn a_step_past_the_axis_of_the_teacher_leaves_y_negative() {
    // eta rate of the angle is 4: the filter turns past w*.
    let full = Cnn::try_new(&[1.0, 0.0], &[1.0, 2.0]).unwrap();
    let point = [1.0, 0.5, 1.0, 2.0];
    let state = student(&full, &point);
    let mut gradient = [0.0; 4];
    CnnLandscape::new(&full).gradient(&point, &mut gradient);
    let step = 3.0;
    let moved: Vec<f64> = point.iter().zip(&gradient).map(|(y, g)| y - step * g).collect();
    let field = full.reduced().field(&state).unwrap();
    let y = state.y + step * field[1];
    assert!(y < 0.0 && moved[1] < 0.0, "{y}");
    assert!((y - moved[1]).abs() < 1e-15 && (y.abs() - student(&full, &moved).y).abs() < 1e-15);
    let turned = CnnState { y, ..state };
    let upright = CnnState { y: -y, ..state };
    assert_eq!(full.reduced().loss(&turned), full.reduced().loss(&upright));
}

#[test]
fn the_length_of_the_filter_grows_by_the_square_of_its_gradient() {
    for seed in 0..100 {
        let (full, point) = random(seed, (4, 5));
        let (reduced, state) = (full.reduced(), student(&full, &point));
        let eta = 0.7;
        let next = super::descend(&reduced, &state, eta);
        let [gradient, _] = reduced.gradient_norms(&state).unwrap();
        let want = state.x * state.x + state.y * state.y + eta * eta * gradient * gradient;
        let got = next.x * next.x + next.y * next.y;
        assert!((got / want - 1.0).abs() < 16.0 * f64::EPSILON, "{got} {want}");
    }
}

#[test]
fn the_field_in_the_angle_is_the_field() {
    let mut worst = Worst::new("ReducedCnn::angle_field");
    let problem = ReducedCnn::try_new(7, 1.3, -2.0, 1.7).unwrap();
    for (phi, norm) in [(0.3, 1.0), (1.1, 2.0), (FRAC_PI_2, 0.5), (2.0, 1.0), (3.0, 1.0), (3.13, 4.0)] {
        let state = CnnState::at_angle(norm, phi, 0.7, -0.4);
        let [dx, dy, d_overlap, d_sum, _] = problem.field(&state).unwrap();
        let want = [(dy * libm::cos(phi) - dx * libm::sin(phi)) / norm, d_overlap, d_sum];
        let scales = field_scales(&problem, &state);
        let scales = [scales[0] / norm, scales[2], scales[3]];
        let got = problem.angle_field(norm, phi, 0.7, -0.4).unwrap();
        for ((got, want), scale) in got.into_iter().zip(want).zip(scales) {
            worst.check(got, want, allowed("ReducedCnn::angle_field", scale), || format!("phi = {phi}"));
        }
    }
}

#[test]
fn loss_falls_at_the_rate_of_the_squared_gradient() {
    let problem = ReducedCnn::try_new(7, 1.3, -2.0, 1.7).unwrap();
    let state = CnnState { rest: 0.6, ..CnnState::at_angle(1.2, 2.0, 0.7, -0.4) };
    let h = 1e-4;
    let [ahead, back] = [h, -h].map(|h| problem.loss(&super::runge_kutta(&problem, &state, h)).unwrap());
    let [by_filter, by_output] = problem.gradient_norms(&state).unwrap();
    let want = -(by_filter * by_filter + by_output * by_output);
    assert!(((ahead - back) / (2.0 * h) / want - 1.0).abs() < 1e-7);
}

#[test]
fn a_zero_student_and_a_zero_filter_are_met() {
    let full = Cnn::try_new(&[1.0, 0.0], &[1.0, 2.0]).unwrap();
    let point = [0.0, 0.0, 1.0, 2.0];
    let mut gradient = [1.0; 4];
    CnnLandscape::new(&full).gradient(&point, &mut gradient);
    assert_eq!(gradient, [0.0; 4]);
    let silent = full.loss(CnnStudent { filter: &[1.0, 0.0], output: &[0.0, 0.0] }).unwrap();
    assert!((CnnLandscape::new(&full).loss(&point) / silent - 1.0).abs() < 1e-15);
    let zero = CnnState { x: 0.0, y: 0.0, overlap: 1.0, sum: 1.0, rest: 0.0 };
    assert!(full.reduced().field(&zero).is_err() && full.reduced().loss(&zero).is_err());
    let end =
        GradientDescent::try_new(CnnLandscape::new(&full), &point, DescentOptions::default()).unwrap().run();
    assert_eq!(end.status, popgrad::Status::ZeroStudent);
}

#[test]
fn bad_scalars_and_states_are_refused_in_a_sentence() {
    let message = |r: Result<ReducedCnn, popgrad::CnnError>| r.unwrap_err().to_string();
    assert!(message(ReducedCnn::try_new(0, 1.0, 1.0, 1.0)).contains("patches"));
    assert!(message(ReducedCnn::try_new(3, 1.0, 2.0, 1.0)).contains("between 0 and k = 3"));
    assert!(message(ReducedCnn::try_new(1, 1.0, 0.5, 1.0)).contains("must be 1"));
    assert!(message(ReducedCnn::try_new(3, 0.0, 1.0, 1.0)).contains("|w*|"));
    assert!(message(ReducedCnn::try_new(3, f64::NAN, 1.0, 1.0)).contains("NaN"));
    let state = CnnState { rest: f64::INFINITY, ..CnnState::at_angle(1.0, 1.0, 1.0, 1.0) };
    assert!(problem(3, 1.0).field(&state).unwrap_err().to_string().contains("[4] = inf"));
    assert!(problem(3, 1.0).angle_field(1.0, PI + 0.1, 0.0, 0.0).is_err());
}

#[test]
fn the_critical_points_are_zeros_of_the_field() {
    let mut saddle = Worst::new("ReducedCnn::saddle_state");
    let mut loss = Worst::new("ReducedCnn::saddle_loss");
    for k in [2, 4, 10, 25, 100] {
        for share in [0.0, 0.1, 0.5, 0.9, 0.99] {
            let threshold = 1.0 + (k as f64 - 1.0) / PI;
            let problem = ReducedCnn::try_new(k, 1.3, -(share * threshold * 1.7_f64).sqrt(), 1.7).unwrap();
            assert!((problem.threshold() - threshold).abs() < 1e-14 * threshold);
            let place = || format!("k = {k}, {share} of the threshold");
            if let Some(state) = problem.saddle_state(2.0) {
                let scales = field_scales(&problem, &state);
                let allow = allowed("ReducedCnn::saddle_state", (1.0 + k as f64) * scales[2].max(scales[3]));
                for rate in problem.field(&state).unwrap() {
                    saddle.check(rate, 0.0, allow, place);
                }
                let (got, want) = (problem.saddle_loss().unwrap(), problem.loss(&state).unwrap());
                loss.check(got, want, allowed("ReducedCnn::saddle_loss", want), place);
            } else {
                panic!("no saddle at {share} of the threshold, k = {k}");
            }
            let spurious = problem.spurious_state(2.0);
            for rate in problem.field(&spurious).unwrap() {
                let scales = field_scales(&problem, &spurious);
                assert!(rate.abs() <= 4.0 * f64::EPSILON * scales[2].max(scales[3]), "{rate:e}");
            }
            assert!(spurious.overlap < 0.0);
        }
        let above = problem(k, 1.01 + (k as f64 - 1.0) / PI);
        assert!(above.saddle_state(1.0).is_none() && above.saddle_loss().is_none());
        assert!(above.saddle_h() < 0.0 && above.spurious_state(1.0).overlap > 0.0);
    }
}

#[test]
fn the_valley_is_the_least_loss_and_rises_up_to_the_saddle() {
    let problem = ReducedCnn::try_new(9, 1.3, 1.5, 1.7).unwrap();
    let top = problem.saddle_angle().unwrap().theta;
    let mut last = -1.0;
    for i in 0..=200 {
        let phi = PI * f64::from(i) / 200.0;
        let at = CnnState::at_angle(1.0, phi, 0.0, 0.0);
        let angle = at.angle();
        let [overlap, sum] = problem.valley_output(angle);
        let best = CnnState { overlap, sum, ..at };
        let got = problem.valley_loss(angle);
        if i > 0 {
            // The accuracy itself is measured with the whole output weights; here alpha and S_a carry roundings of s |a*|^2.
            let want = problem.loss(&best).unwrap();
            assert!((got - want).abs() <= 8.0 * f64::EPSILON * loss_scale(&problem, &best), "phi = {phi}");
        }
        for (d_overlap, d_sum) in [(0.01, 0.0), (0.0, 0.01), (-0.01, 0.01)] {
            let other = CnnState { overlap: overlap + d_overlap, sum: sum + d_sum, ..best };
            assert!(problem.loss(&other).unwrap() > got);
        }
        assert!(if phi < top { got > last } else { i > 0 }, "phi = {phi}");
        if phi > top + PI / 200.0 {
            assert!(got < last, "phi = {phi}");
        }
        last = got;
    }
}
