//! The convolutional network: both sides of the threshold, what stays undecided, and the numbers against double precision.

use popgrad::{Cnn, CnnStudent, symmetric_eigenvalues};
use popgrad_proof::{CnnProofError, CnnTeacher, Interval, PointStatus};
use std::f64::consts::PI;

fn threshold(k: usize) -> f64 {
    1.0 + (k - 1) as f64 / PI
}

#[test]
fn both_sides_of_the_threshold_are_decided() {
    for k in [2, 4, 9, 25, 36, 49, 64, 81, 100, 400] {
        for p in [2, 6, 100] {
            for share in [0.0, 0.1, 0.5, 0.99, 1.0 - 1e-12, 1.0 + 1e-12, 1.01, 1.5] {
                let ratio = share * threshold(k);
                if ratio > k as f64 {
                    continue;
                }
                for s in [1.0, 0.3] {
                    let report = CnnTeacher::try_new(k, p, s, ratio.sqrt(), 1.0).unwrap().certify();
                    let below = share < 1.0;
                    let (yes, no) = (PointStatus::Certified, PointStatus::Refuted);
                    let want = if below { (yes, yes) } else { (no, no) };
                    assert_eq!((report.spurious.minimum, report.saddle.exists), want, "{k} {p} {share}");
                    assert!(report.spurious.loss.is_certainly_positive());
                    assert_eq!(report.spurious.nullity, p);
                    assert_eq!(report.spurious.third_order.is_certainly_positive(), below);
                    assert_eq!(report.spurious.descent.is_some(), !below);
                    assert!(report.spurious.descent.is_none_or(Interval::is_certainly_positive));
                    assert_eq!(
                        (report.saddle.index, report.saddle.nullity),
                        (below.then_some(1), below.then_some(p - 1))
                    );
                    assert!(report.saddle.lambda_min_upper.is_none_or(|bound| bound < 0.0));
                    assert_eq!((report.global.minimum, report.global.nullity), (yes, 1));
                    assert_eq!(report.ratio.hi() < report.threshold.lo(), below);
                }
            }
        }
    }
}

/// Nearer to the threshold than the intervals are wide nothing is claimed.
#[test]
fn at_the_threshold_nothing_is_claimed() {
    let mut undecided = 0;
    for k in [4, 25, 100] {
        let sum = threshold(k).sqrt();
        for step in -3..=3_i32 {
            let sum = (0..step.abs()).fold(sum, |x, _| if step < 0 { x.next_down() } else { x.next_up() });
            let report = CnnTeacher::try_new(k, 3, 1.0, sum, 1.0).unwrap().certify();
            if report.spurious.minimum == PointStatus::Undecided {
                undecided += 1;
                assert!(report.spurious.alpha.contains(0.0) && report.spurious.descent.is_none());
                assert_eq!((report.saddle.exists, report.saddle.index), (PointStatus::Undecided, None));
                assert!(report.saddle.angle.is_none() && report.saddle.loss.is_none());
            }
            // The loss is enclosed all the same.
            assert!(report.spurious.loss.is_certainly_positive() && report.spurious.loss.width() < 1e-14);
        }
    }
    assert!(undecided > 0);
}

/// With one patch the ratio is the threshold exactly, and the point is no minimum unless the filter cannot turn; filters that cannot
/// turn make it a minimum on both sides.
#[test]
fn one_patch_and_one_input_are_decided_by_algebra() {
    let report = CnnTeacher::of(&Cnn::try_new(&[0.1, 0.7], &[-0.3]).unwrap()).unwrap().certify();
    assert_eq!((report.spurious.minimum, report.saddle.exists), (PointStatus::Refuted, PointStatus::Refuted));
    assert!(report.spurious.descent.unwrap().is_certainly_positive());
    // J = s^2 a*^2 / 4 at the zero output.
    assert!((report.spurious.loss.middle() - 0.5 * 0.09 / 4.0).abs() < 1e-16);
    for ratio in [0.5, 3.5] {
        let report = CnnTeacher::of(&Cnn::with_ratio(4, 1, ratio).unwrap()).unwrap().certify();
        assert_eq!(
            (report.spurious.minimum, report.saddle.exists),
            (PointStatus::Certified, PointStatus::Refuted)
        );
        assert!(report.global.turning.is_none());
    }
}

/// Enclosures hold the numbers of the mathematics crate, widened by its own rounding.
#[test]
fn enclosures_hold_the_values_in_double_precision() {
    let near = |x: Interval, value: f64, scale: f64| {
        let slack = 64.0 * f64::EPSILON * scale;
        assert!(x.lo() - slack <= value && value <= x.hi() + slack, "{x:?} {value}");
        assert!(x.width() <= 64.0 * f64::EPSILON * scale, "{x:?} {scale}");
    };
    let teachers = [
        Cnn::with_ratio(25, 6, 4.0).unwrap(),
        Cnn::with_ratio(4, 3, 0.0).unwrap(),
        Cnn::with_ratio(9, 2, 3.2).unwrap(),
        Cnn::try_new(&[0.75, -0.5, 1.25], &[1.0, -0.5, 0.25, 0.5]).unwrap(),
        Cnn::try_new(&[1e-3, 2e-3], &[30.0, -20.0, 5.0]).unwrap(),
    ];
    for problem in &teachers {
        let report = CnnTeacher::of(problem).unwrap().certify();
        let size = problem.filter_norm().powi(2) * problem.output_square();
        let spurious = problem.spurious_point();
        near(report.spurious.loss, spurious.loss, size);
        near(report.spurious.alpha, spurious.alpha, problem.filter_norm() * problem.output_square());
        near(report.ratio, problem.ratio(), problem.ratio().max(1.0));
        near(report.threshold, problem.threshold(), problem.threshold());
        let saddle = problem.saddle().unwrap();
        let certified = &report.saddle;
        near(certified.angle.unwrap(), saddle.angle.theta, PI);
        near(certified.loss.unwrap(), saddle.loss, size);
        // The bound is above the smallest eigenvalue at |v| = 1, and not far above.
        let unit: Vec<f64> = saddle.filter.iter().map(|x| x / problem.filter_norm()).collect();
        let hessian = problem.hessian(CnnStudent { filter: &unit, output: &saddle.output }).unwrap();
        let least = symmetric_eigenvalues(hessian.view()).unwrap()[0];
        let bound = certified.lambda_min_upper.unwrap();
        assert!(least <= bound * (1.0 - 1e-9) && bound < 0.0 && bound < 0.2 * least, "{least} {bound}");
        let turning = report.global.turning.unwrap();
        near(turning, 0.5 * size, size);
        assert!(report.global.lambda_min.is_certainly_positive());
    }
}

/// The values in 25 digits lie inside, and the enclosures are a few roundings wide. A value rounded to a double may leave a narrow
/// enclosure by half a step.
#[test]
fn golden_values_lie_inside() {
    let holds = |x: Interval, text: &str, width: f64| {
        let value: f64 = text.parse().unwrap();
        assert!(x.lo() <= value.next_up() && value.next_down() <= x.hi(), "{text} {x:?}");
        assert!(x.width() <= width, "{text} {x:?}");
    };
    let mut saddles = 0;
    for line in include_str!("../fixtures/cnn_points.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [k, s, sum, square, loss, alpha, angle, saddle_loss] = words[..] else { panic!("{line}") };
        let number = |text: &str| text.parse::<f64>().unwrap();
        let teacher =
            CnnTeacher::try_new(k.parse().unwrap(), 3, number(s), number(sum), number(square)).unwrap();
        let report = teacher.certify();
        holds(report.spurious.loss, loss, 1e-14);
        holds(report.spurious.alpha, alpha, 1e-14);
        assert_eq!(report.saddle.angle.is_some(), angle != "-", "{line}");
        if let (Some(enclosed), Some(enclosed_loss)) = (report.saddle.angle, report.saddle.loss) {
            holds(enclosed, angle, 1e-14);
            holds(enclosed_loss, saddle_loss, 1e-14);
            saddles += 1;
        }
    }
    assert_eq!(saddles, 3);
}

/// A saddle of an enclosed angle has no other students at its angle: `alpha` changes sign there and only there.
#[test]
fn the_saddle_parts_the_signs_of_alpha() {
    let problem = Cnn::with_ratio(25, 6, 4.0).unwrap();
    let angle = CnnTeacher::of(&problem).unwrap().certify().saddle.angle.unwrap();
    for n in 0..=1000 {
        let theta = PI * f64::from(n) / 1000.0;
        let alpha = problem.reduced().valley_output(popgrad::Angle { theta, psi: PI - theta })[0];
        assert_eq!(alpha > 0.0, theta < angle.lo(), "{theta}");
    }
}

#[test]
fn what_is_no_teacher_is_refused() {
    let refused = |result: Result<CnnTeacher, CnnProofError>, words: &str| {
        let error = result.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.kind(), popgrad::Kind::Input);
    };
    refused(CnnTeacher::try_new(0, 2, 1.0, 0.0, 1.0), "the number of patches = 0; it must be at least 1");
    refused(CnnTeacher::try_new(2, 0, 1.0, 0.0, 1.0), "the patch dimension = 0");
    refused(CnnTeacher::try_new(2, 2, 0.0, 0.0, 1.0), "filter_norm = 0 is not a positive finite number");
    refused(CnnTeacher::try_new(2, 2, 1.0, 0.0, f64::NAN), "output_square = NaN");
    refused(CnnTeacher::try_new(2, 2, 1.0, f64::INFINITY, 1.0), "output_sum = inf is not finite");
    refused(CnnTeacher::try_new(2, 2, 1.0, 1.5, 1.0), "no output weights of 2 patches have the sum 1.5");
    refused(CnnTeacher::try_new(1, 2, 1.0, 0.5, 1.0), "no output weights of 1 patches");
    refused(CnnTeacher::try_new(2, 2, 1.0, 1e200, 1e300), "no output weights of 2 patches");
}
