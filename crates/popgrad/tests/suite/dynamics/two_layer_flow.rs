//! The two-layer landscape: against finite differences, and workload W3 against a reference of tolerance 1e-13.

use super::landscapes::{Plain, distance, norm};
use crate::fixture::{numbers, read};
use popgrad::{
    AbsoluteTolerance, Evaluator, FlowOptions, GradientFlow, Landscape, Matrix, MatrixView, Outcome, Status,
    StopRule, Student, Trained, TwoLayer, TwoLayerLandscape,
};

fn problem() -> (TwoLayer, Matrix) {
    let teacher = Matrix::from_rows(&[[1.0, 0.2, -0.3], [-0.4, 0.9, 0.5]]);
    let problem = TwoLayer::try_new(teacher).unwrap().with_teacher_output(vec![1.2, -0.7]).unwrap();
    (problem, Matrix::from_rows(&[[0.5, 0.4, -0.2], [-0.3, 0.8, 0.9], [0.7, -0.6, 0.4]]))
}

#[test]
fn gradient_and_loss_of_the_landscape_are_those_of_the_plain_sums() {
    let (problem, w) = problem();
    let mut plain = Plain::new(3, vec![vec![1.0, 0.2, -0.3], vec![-0.4, 0.9, 0.5]]);
    plain.teacher_output = vec![1.2, -0.7];
    plain.output = vec![0.8, -1.1, 0.6];
    for trained in [Trained::Weights, Trained::WeightsAndOutput] {
        plain.trains_output = trained == Trained::WeightsAndOutput;
        let landscape = TwoLayerLandscape::new(&problem, 3).with_trained(trained);
        let mut landscape = landscape.with_output(plain.output.clone()).unwrap();
        let point = landscape.state(w.view()).unwrap();
        let (mut got, mut want) = (vec![0.0; point.len()], vec![0.0; point.len()]);
        landscape.gradient(&point, &mut got);
        plain.gradient(&point, &mut want);
        assert!(distance(&got, &want) <= 1e-14, "{got:?} {want:?}");
        assert!((landscape.loss(&point) - plain.loss(&point)).abs() <= 1e-14);
        assert_eq!(landscape.students(), plain.students());
        let (weights, output) = landscape.split(&point);
        assert_eq!((weights, output), (w.as_slice(), &plain.output[..]));
    }
}

#[test]
fn states_that_cannot_be_evaluated_give_no_number_and_wrong_shapes_are_refused() {
    let (problem, w) = problem();
    let mut landscape = TwoLayerLandscape::new(&problem, 3);
    let mut out = vec![0.0; 9];
    landscape.gradient(&[f64::INFINITY; 9], &mut out);
    assert!(out.iter().all(|g| g.is_nan()) && landscape.loss(&[f64::NAN; 9]).is_nan());
    assert!(landscape.state(Matrix::zeros(2, 3).view()).is_err());
    assert!(landscape.clone().with_output(vec![1.0; 2]).is_err());
    assert!(landscape.clone().with_skip(vec![f64::NAN; 3]).is_err());
    assert!(landscape.state(w.view()).is_ok());
}

fn w3(rtol: f64, atol: f64) -> Outcome {
    let problem = TwoLayer::try_new(Matrix::identity(10, 10)).unwrap();
    let start = numbers(&read("w3_start.json")["w0"]);
    let options = FlowOptions {
        rtol,
        atol: AbsoluteTolerance::Fixed(atol),
        stop: StopRule { gradient_norm: Some(1e-8), ..StopRule::default() },
        ..FlowOptions::default()
    };
    GradientFlow::try_new(TwoLayerLandscape::new(&problem, 10), &start, options).unwrap().run()
}

/// The end state at rtol 1e-8 lies within `10 rtol` of that at rtol 1e-13, though the flow lingers at saddles on
/// its way and takes the time 881.
#[test]
fn ten_students_end_within_ten_rtol_of_the_reference() {
    let (end, reference) = (w3(1e-8, 1e-10), w3(1e-13, 1e-15));
    assert_eq!((end.status, reference.status), (Status::Converged, Status::Converged));
    let error = distance(&end.point, &reference.point) / norm(&reference.point);
    println!(
        "{} steps, {} rejected, {} gradients, t {:.4} ({:.4}), error {error:.2e}",
        end.steps, end.rejected, end.gradients, end.time, reference.time
    );
    assert!(error <= 10.0 * 1e-8, "error {error:e}");
    assert!(end.steps + end.rejected <= 1603, "diffrax takes 1603 steps of the same pair");
}

#[test]
fn gradients_are_accurate_on_both_sides_of_the_change_of_form() {
    let problem = TwoLayer::try_new(Matrix::identity(3, 3)).unwrap();
    let mut landscape = TwoLayerLandscape::new(&problem, 3);
    let mut evaluator = Evaluator::new(&problem, 3);
    for exponent in -16..0 {
        let offset = libm::pow(10.0, f64::from(exponent));
        let point: Vec<f64> = (0..9)
            .map(|i| f64::from(u8::from(i % 4 == 0)) + offset * libm::sin(f64::from(i) + 0.5))
            .collect();
        let (mut got, mut want) = (vec![0.0; 9], vec![0.0; 9]);
        landscape.gradient(&point, &mut got);
        let student = Student::new(MatrixView::try_new(3, 3, &point).unwrap());
        evaluator.gradient_into(student, &mut want).unwrap();
        // Three neurons, each with six terms of norm at most one half: 4 EPSILON times 9; and 1e-6 relative.
        let bound = (36.0 * f64::EPSILON).min(1e-6 * norm(&want));
        assert!(distance(&got, &want) <= bound, "offset {offset:e}: {got:?} {want:?}");
    }
}
