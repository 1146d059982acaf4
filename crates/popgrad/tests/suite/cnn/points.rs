//! The critical points: gradients, losses, spectra, the threshold and the valley between the points.

use crate::fixture::{Worst, allowed};
use popgrad::{Angle, Cnn, CnnForm, CnnPoint, CnnPointKind, CnnStudent, RandomStream, symmetric_eigenvalues};
use std::f64::consts::{PI, TAU};

const FORMS: [CnnForm; 2] = [CnnForm::Normalised, CnnForm::Plain];

/// Problems below, near and above the threshold, with filters of several lengths.
fn problems() -> Vec<Cnn> {
    let mut problems = Vec::new();
    for (k, p) in [(1, 2), (2, 2), (4, 3), (9, 1), (25, 6)] {
        let threshold = 1.0 + (k - 1) as f64 / PI;
        let ratios = [0.0, 0.3, 0.99 * threshold, 1.01 * threshold, k as f64];
        for ratio in ratios.into_iter().filter(|r| k == 1 && *r == 1.0 || k > 1 && *r <= k as f64) {
            let unit = Cnn::with_ratio(k, p, ratio).unwrap();
            for form in FORMS {
                problems.push(unit.clone().with_form(form));
                let mut filter = vec![0.5; p];
                filter[0] = -1.75;
                let output: Vec<f64> = unit.output().iter().map(|a| -0.7 * a).collect();
                problems.push(Cnn::try_new(&filter, &output).unwrap().with_form(form));
            }
        }
    }
    problems
}

fn points(problem: &Cnn) -> Vec<CnnPoint> {
    [problem.global_minimum(), problem.spurious_point()].into_iter().chain(problem.saddle()).collect()
}

fn student(point: &CnnPoint) -> CnnStudent<'_> {
    CnnStudent { filter: &point.filter, output: &point.output }
}

#[test]
fn all_of_them_are_critical_and_have_the_loss_that_they_say() {
    let mut loss = Worst::new("ReducedCnn::valley_loss");
    for problem in problems() {
        for point in points(&problem) {
            let s = problem.filter_norm();
            let size = s * problem.output_square().sqrt();
            let gradient = problem.gradient(student(&point)).unwrap();
            let bound = 32.0 * f64::EPSILON * size * (s + 1.0 + size / s) * problem.patches() as f64;
            for g in gradient.filter.iter().chain(&gradient.output) {
                assert!(g.abs() <= bound, "{:?} of {problem:?}: {g:e} {bound:e}", point.kind);
            }
            let got = problem.loss(student(&point)).unwrap();
            if point.kind == CnnPointKind::Global {
                assert!(got <= (2.0 * f64::EPSILON * size).powi(2) * problem.patches() as f64, "{got:e}");
            } else {
                assert!(point.loss > 0.0);
                loss.check(got, point.loss, allowed("ReducedCnn::valley_loss", point.loss), || {
                    format!("{problem:?}")
                });
            }
            let angle = problem.scalars(student(&point)).unwrap().angle;
            assert!((angle.theta - point.angle.theta).abs() <= 8.0 * f64::EPSILON, "{angle:?} {point:?}");
            assert!((angle.psi - point.angle.psi).abs() <= 8.0 * f64::EPSILON, "{angle:?} {point:?}");
        }
    }
}

/// Negative and zero eigenvalues are counted, and those of the two minima are the ones in closed form.
#[test]
fn spectra_have_the_index_and_the_nullity_that_they_say() {
    for problem in problems() {
        let (k, p) = (problem.patches(), problem.patch_dimension());
        for point in points(&problem) {
            let hessian = problem.hessian(student(&point)).unwrap();
            let eigenvalues = symmetric_eigenvalues(hessian.view()).unwrap();
            let largest = eigenvalues.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            let zero = 16.0 * (p + k) as f64 * f64::EPSILON * largest;
            let negative = eigenvalues.iter().filter(|x| **x < -zero).count();
            let nullity = eigenvalues.iter().filter(|x| x.abs() <= zero).count();
            assert_eq!((negative, nullity), (point.index, point.nullity), "{point:?} {eigenvalues:?}");
            if problem.form() == CnnForm::Plain || point.kind == CnnPointKind::Saddle {
                continue;
            }
            // The filter of the point has the length of the teacher's: s^2 |a*|^2 / (2 |v|^2) = |a*|^2 / 2.
            let turning =
                if point.kind == CnnPointKind::Global { 0.5 * problem.output_square() } else { 0.0 };
            let mut want = vec![0.0];
            want.extend(std::iter::repeat_n(turning, p - 1));
            want.extend(std::iter::repeat_n((PI - 1.0) / TAU, k - 1));
            want.push((k as f64 + PI - 1.0) / TAU);
            want.sort_by(f64::total_cmp);
            for (got, want) in eigenvalues.iter().zip(&want) {
                assert!((got - want).abs() <= zero, "{point:?}: {eigenvalues:?} {want:?}");
            }
        }
    }
}

#[test]
fn the_threshold_separates_minima_from_what_is_none_on_both_sides() {
    for k in [2, 5, 25, 100] {
        let threshold = 1.0 + (k - 1) as f64 / PI;
        for (share, minimum) in [(0.99, true), (1.0 - 1e-9, true), (1.0 + 1e-9, false), (1.01, false)] {
            let problem = Cnn::with_ratio(k, 3, share * threshold).unwrap();
            assert!((problem.threshold() - threshold).abs() <= 4.0 * f64::EPSILON * threshold);
            let point = problem.spurious_point();
            assert_eq!((point.local_minimum, problem.saddle().is_some()), (minimum, minimum), "{k} {share}");
            assert_eq!(point.alpha < 0.0, minimum, "{k} {share}");
        }
        // A filter that cannot turn keeps the point a minimum on both sides.
        for share in [0.99, 1.01] {
            let problem = Cnn::with_ratio(k, 1, share * threshold).unwrap();
            assert!(problem.spurious_is_minimum() && problem.saddle().is_none());
        }
    }
}

/// Random students around the spurious point: none is below it under the threshold, and above the threshold some are.
#[test]
fn independent_neighbours_of_the_spurious_point_say_whether_it_is_a_minimum() {
    let mut stream = RandomStream::new(2018, 3);
    for (k, p) in [(4, 2), (9, 3), (25, 6)] {
        for share in [0.5, 0.97, 1.03] {
            let problem = Cnn::with_ratio(k, p, share * (1.0 + (k - 1) as f64 / PI)).unwrap();
            let point = problem.spurious_point();
            let mut lowest = f64::INFINITY;
            for n in 0..4000 {
                let radius = 0.3 * 0.5_f64.powi(n % 6);
                let mut filter = vec![0.0; p];
                stream.fill_ball(radius, &mut filter);
                filter.iter_mut().zip(&point.filter).for_each(|(x, v)| *x += v);
                let mut output = vec![0.0; k];
                // Half of them in the valley, where the loss rises least.
                if n % 2 == 0 {
                    stream.fill_ball(radius.powi(3), &mut output);
                }
                let student = CnnStudent { filter: &filter, output: &point.output };
                let best = problem.valley_output(problem.scalars(student).unwrap().angle);
                output.iter_mut().zip(&best).for_each(|(x, a)| *x += a);
                let loss = problem.loss(CnnStudent { filter: &filter, output: &output }).unwrap();
                lowest = lowest.min(loss - point.loss);
            }
            let rounding = 16.0 * f64::EPSILON * point.loss;
            assert_eq!(lowest >= -rounding, point.local_minimum, "{k} {share}: {lowest:e}");
            assert_eq!(point.local_minimum, share < 1.0);
        }
    }
}

/// (W.31): along the valley the loss leaves the spurious point with the third power of the angle, upwards below the threshold.
#[test]
fn the_valley_leaves_the_spurious_point_at_third_order() {
    for (k, ratio) in [(4, 0.5), (4, 3.0), (25, 4.0), (25, 16.0)] {
        let problem = Cnn::with_ratio(k, 3, ratio).unwrap();
        let point = problem.spurious_point();
        let slope = -problem.filter_norm() * point.alpha / (6.0 * PI);
        for psi in [1e-2, 1e-3] {
            let rise = problem.reduced().valley_loss(Angle { theta: PI - psi, psi }) - point.loss;
            let relative = (rise / psi.powi(3) / slope - 1.0).abs();
            // The next term is of relative size psi^2; the difference rounds at EPSILON of the loss.
            let rounding = 32.0 * f64::EPSILON * point.loss / (slope.abs() * psi.powi(3));
            assert!(
                relative <= psi * psi + rounding + 2.0 * psi.powi(3) / slope.abs(),
                "{k} {ratio} {psi}: {relative:e}"
            );
        }
    }
}

/// (W.22): the valley rises to the saddle and falls from it, and is steepest where it should be.
#[test]
fn derivative_of_the_valley_is_alpha() {
    let mut worst = Worst::new("ReducedCnn::valley_output");
    for (k, ratio) in [(4, 0.5), (4, 3.0), (25, 4.0)] {
        let problem = Cnn::with_ratio(k, 2, ratio).unwrap();
        let saddle = problem.saddle().map(|s| s.angle.theta);
        let at = |theta: f64| Angle { theta, psi: PI - theta };
        for n in 1..60 {
            let theta = PI * f64::from(n) / 60.0;
            let step = 1e-5;
            let valley = |t: f64| problem.reduced().valley_loss(at(t));
            let difference = (valley(theta + step) - valley(theta - step)) / (2.0 * step);
            let alpha = problem.reduced().valley_output(at(theta))[0];
            let want = alpha * (PI - theta) * theta.sin() / TAU;
            assert!((difference - want).abs() <= 1e-9 * k as f64, "{k} {ratio} {theta}: {difference} {want}");
            assert_eq!(alpha > 0.0, saddle.is_none_or(|c| theta < c), "{k} {ratio} {theta}");
            let output = problem.valley_output(at(theta));
            let direct: f64 = output.iter().zip(problem.output()).map(|(a, b)| a * b).sum();
            let place = || format!("{k} {ratio} {theta}");
            worst.check(alpha, direct, allowed("ReducedCnn::valley_output", 1.0), place);
            let (sum, size) = (output.iter().sum(), output.iter().map(|a| a.abs()).sum::<f64>());
            let got = problem.reduced().valley_output(at(theta))[1];
            worst.check(got, sum, allowed("ReducedCnn::valley_output", size), place);
        }
    }
}

/// (W.20) as it stands, and its end at the teacher.
#[test]
fn the_best_output_is_the_one_of_the_formula() {
    let mut valley = Worst::new("Cnn::valley_output");
    let mut global = Worst::new("Cnn::global_minimum");
    for problem in problems().iter().filter(|problem| problem.form() == CnnForm::Normalised) {
        let (k, s, sum) = (problem.patches() as f64, problem.filter_norm(), problem.output_sum());
        let at = || format!("{problem:?}");
        for n in 0..=40 {
            let theta = PI * f64::from(n) / 40.0;
            let angle = Angle { theta, psi: PI - theta };
            let h = popgrad::angular_h(theta);
            for (got, star) in problem.valley_output(angle).iter().zip(problem.output()) {
                let want = s / (PI - 1.0) * ((h - 1.0) * star + sum * (PI - h) / (k + PI - 1.0));
                let scale = s * (star.abs() + sum.abs() / (k + PI - 1.0));
                valley.check(*got, want, allowed("Cnn::valley_output", scale), at);
            }
        }
        for (got, star) in problem.global_minimum().output.iter().zip(problem.output()) {
            global.check(*got, s * star, allowed("Cnn::global_minimum", (s * star).abs()), at);
        }
    }
}

#[test]
fn points_of_the_plain_form_are_the_same_networks() {
    let problem = Cnn::try_new(&[0.5, -1.5], &[1.0, 0.25, -0.75]).unwrap();
    let plain = problem.clone().with_form(CnnForm::Plain);
    for (one, other) in points(&problem).iter().zip(points(&plain)) {
        assert_eq!(
            (one.kind, one.index, one.nullity, one.loss),
            (other.kind, other.index, other.nullity, other.loss)
        );
        for (a, b) in one.output.iter().zip(&other.output) {
            assert!((a - b * problem.filter_norm()).abs() <= 4.0 * f64::EPSILON * a.abs());
        }
    }
}
