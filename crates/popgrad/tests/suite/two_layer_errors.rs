//! What a two-layer problem refuses: every kind of failure once, with its message.

use popgrad::{Blocks, Evaluator, InputLaw, Kind, Level, Matrix, Student, TwoLayer, TwoLayerError};

fn problem() -> TwoLayer {
    TwoLayer::try_new(Matrix::identity(2, 3)).unwrap()
}

fn refused<T>(result: Result<T, TwoLayerError>, kind: Kind, message: &str) {
    let Err(error) = result else { panic!("not refused: {message}") };
    assert_eq!(error.to_string(), message);
    assert_eq!(error.kind(), kind);
}

#[test]
fn empty_matrices() {
    let message = "the teacher is 0 x 3; it needs at least one neuron (row) and one input (column)";
    refused(TwoLayer::try_new(Matrix::zeros(0, 3)), Kind::Input, message);
    let w = Matrix::zeros(2, 0);
    let message = "the student is 2 x 0; it needs at least one neuron (row) and one input (column)";
    refused(problem().loss(Student::new(w.view())), Kind::Input, message);
}

#[test]
fn shapes_that_do_not_fit() {
    let w = Matrix::identity(2, 4);
    let message = "the student has 4 columns but the teacher has 3; both must equal the input dimension d";
    refused(problem().gradient(Student::new(w.view())), Kind::Input, message);
    let message = "teacher_output has 3 entries; it needs 2, one for each teacher neuron";
    refused(problem().with_teacher_output(vec![1.0; 3]), Kind::Input, message);
    let message = "teacher_skip has 2 entries; it needs 3, one for each input";
    refused(problem().with_teacher_skip(vec![1.0; 2]), Kind::Input, message);
    let w = Matrix::identity(2, 3);
    let student = Student::new(w.view());
    let message = "student_output has 1 entries; it needs 2, one for each student neuron";
    refused(problem().loss(student.with_output(&[1.0])), Kind::Input, message);
    let message = "student_skip has 4 entries; it needs 3, one for each input";
    refused(problem().gradient_error(student.with_skip(&[1.0; 4])), Kind::Input, message);
    let problem = problem();
    let mut evaluator = Evaluator::new(&problem, 2);
    let message = "the gradient's buffer has 5 entries; it needs 6, one for each hidden weight";
    refused(evaluator.gradient_into(student, &mut [0.0; 5]).map(<[usize]>::to_vec), Kind::Input, message);
    let mut evaluator = Evaluator::new(&problem, 3);
    let message =
        "the student has 6 entries; it needs 9, one row for each neuron that the evaluator was made for";
    refused(evaluator.loss(student), Kind::Input, message);
    let p = Matrix::identity(1, 3);
    let message = "the direction of the weights has 3 entries; it needs 6, one for each hidden weight";
    refused(problem.hessian_product(student, p.view(), &[]), Kind::Input, message);
    let message = "the direction of the outputs has 1 entries; it needs 2, one for each student neuron";
    refused(problem.hessian_product(student, w.view(), &[1.0]), Kind::Input, message);
}

#[test]
fn entries_that_are_not_finite() {
    let mut bad = Matrix::identity(2, 3);
    bad.row_mut(1)[2] = f64::NAN;
    refused(TwoLayer::try_new(bad.clone()), Kind::Input, "teacher[1, 2] = NaN is not finite");
    refused(problem().loss(Student::new(bad.view())), Kind::Input, "student[1, 2] = NaN is not finite");
    bad.row_mut(1)[2] = f64::NEG_INFINITY;
    refused(problem().loss(Student::new(bad.view())), Kind::Input, "student[1, 2] = -inf is not finite");
    let good = Matrix::identity(2, 3);
    let student = Student::new(good.view());
    let product = problem().hessian_product(student, bad.view(), &[]);
    refused(product, Kind::Input, "direction[1, 2] = -inf is not finite");
    let message = "student_output[0, 1] = inf is not finite";
    refused(problem().gradient(student.with_output(&[1.0, f64::INFINITY])), Kind::Input, message);
    let message = "student_skip[0, 0] = NaN is not finite";
    refused(problem().gradient(student.with_skip(&[f64::NAN; 3])), Kind::Input, message);
    let message = "teacher_output[0, 0] = NaN is not finite";
    refused(problem().with_teacher_output(vec![f64::NAN, 1.0]), Kind::Input, message);
    refused(problem().with_leaky(f64::NAN), Kind::Input, "the leaky slope = NaN is not finite");
}

#[test]
fn covariances() {
    let of = |rows: &[[f64; 3]; 3]| problem().with_covariance(&Matrix::from_rows(rows));
    let rule = "it must be a symmetric positive semidefinite 3 x 3 matrix";
    let message = format!("the covariance has entries [1, 0] = 0 and [0, 1] = 0.5; {rule}");
    refused(of(&[[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), Kind::Input, &message);
    let message = format!("the covariance has the negative pivot -3e0 in row 1; {rule}");
    refused(of(&[[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), Kind::Input, &message);
    let message = format!("the covariance has a zero pivot in row 0 beside the entry 5e-1; {rule}");
    refused(of(&[[0.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]), Kind::Input, &message);
    let message = format!("the covariance is 2 x 2; {rule}");
    refused(problem().with_covariance(&Matrix::identity(2, 2)), Kind::Input, &message);
    let message = "covariance[2, 2] = NaN is not finite";
    refused(of(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, f64::NAN]]), Kind::Input, message);
}

#[test]
fn laws_levels_zero_students_and_memory() {
    let law = InputLaw::StudentT { nu: 2.0 };
    let message = law.kappa(3).unwrap_err().to_string();
    refused(problem().with_law(law), Kind::Input, &message);
    for level in [Level::Avx512, Level::Avx2, Level::Portable] {
        let there = Level::available().contains(&level);
        match problem().with_level(level) {
            Ok(_) => assert!(there),
            Err(error) => {
                assert!(
                    !there && error.to_string().starts_with("this machine lacks the SIMD level"),
                    "{error}"
                );
            }
        }
    }
    let w = Matrix::from_rows(&[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
    let student = Student::new(w.view());
    let message = "student 1 is exactly zero; the loss has no Hessian there (its gradient has no direction)";
    refused(problem().hessian(student, Blocks::Weights), Kind::Input, message);
    refused(problem().hessian_product(student, w.view(), &[]), Kind::Input, message);
    assert!(problem().hessian(student, Blocks::Output).is_ok());
    let message =
        "the Hessian needs 288 bytes, above the memory limit of 287; raise the limit or ask for less";
    refused(problem().with_memory_limit(287).hessian(student, Blocks::Weights), Kind::Resource, message);
}
