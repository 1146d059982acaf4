//! What a convolutional problem refuses, and in which words.

use popgrad::{Cnn, CnnError, CnnForm, CnnStudent, Kind};

fn refused<T: std::fmt::Debug>(result: Result<T, CnnError>, words: &str) {
    let error = result.unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(error.kind(), Kind::Input);
}

#[test]
fn bad_teachers_are_refused_by_name() {
    refused(Cnn::try_new(&[], &[1.0]), "the teacher's filter is empty; it needs at least one entry");
    refused(Cnn::try_new(&[1.0], &[]), "the teacher's output is empty; it needs at least one entry");
    refused(Cnn::try_new(&[1.0, f64::NAN], &[1.0]), "the teacher's filter[1] = NaN is not finite");
    refused(Cnn::try_new(&[1.0], &[1.0, f64::INFINITY]), "the teacher's output[1] = inf is not finite");
    refused(Cnn::try_new(&[0.0, -0.0], &[1.0]), "the teacher's filter is the zero vector");
    refused(Cnn::try_new(&[1.0], &[0.0]), "the teacher's output is the zero vector");
    refused(Cnn::try_new(&[1e200], &[1.0]), "leaves the range of double precision");
    refused(Cnn::try_new(&[1.0], &[1e-200]), "leaves the range of double precision");
}

#[test]
fn ratios_that_cannot_be_built_are_refused() {
    refused(Cnn::with_ratio(0, 3, 1.0), "the number of patches k = 0; it must be at least 1");
    refused(Cnn::with_ratio(3, 0, 1.0), "the patch dimension p = 0; it must be at least 1");
    refused(
        Cnn::with_ratio(4, 3, 4.5),
        "a ratio (1.a*)^2/|a*|^2 of 4.5 cannot be built with 4 patches; it must be between 0 and k = 4",
    );
    refused(Cnn::with_ratio(4, 3, -0.1), "must be between 0 and k = 4");
    refused(Cnn::with_ratio(4, 3, f64::NAN), "must be between 0 and k = 4");
    refused(Cnn::with_ratio(1, 3, 0.5), "cannot be built with 1 patches; it must be 1");
}

#[test]
fn bad_students_are_refused_by_name() {
    let problem = Cnn::with_ratio(2, 3, 1.0).unwrap();
    let loss = |filter: &[f64], output: &[f64]| problem.loss(CnnStudent { filter, output });
    refused(loss(&[1.0], &[1.0, 1.0]), "the student's filter has 1 entries; it needs 3");
    refused(loss(&[1.0; 3], &[1.0]), "the student's output has 1 entries; it needs 2, one for each patch");
    refused(loss(&[1.0, f64::NAN, 0.0], &[1.0; 2]), "the student's filter[1] = NaN is not finite");
    refused(loss(&[1.0; 3], &[1.0, f64::NEG_INFINITY]), "the student's output[1] = -inf is not finite");
    refused(loss(&[0.0; 3], &[1.0; 2]), "the student's filter is the zero vector, which has no direction");
}

/// Without normalisation a zero filter is the zero function: its loss is defined, and only the direction of `grad_v` is not.
#[test]
fn a_zero_filter_of_the_plain_form_is_a_reported_condition() {
    let problem = Cnn::with_ratio(2, 3, 1.0).unwrap().with_form(CnnForm::Plain);
    let student = CnnStudent { filter: &[0.0; 3], output: &[1.0, 2.0] };
    let energy = problem.loss(CnnStudent { filter: &[1.0, 0.0, 0.0], output: &[0.0; 2] }).unwrap();
    assert_eq!(problem.loss(student).unwrap(), energy);
    let gradient = problem.gradient(student).unwrap();
    assert!(gradient.zero_filter && gradient.filter == [0.0; 3] && gradient.output == [0.0; 2]);
    refused(problem.hessian(student), "the Hessian is not defined there");
    refused(problem.scalars(student), "its angle with the teacher's is not defined there");
}

#[test]
fn a_hessian_beyond_the_memory_limit_is_refused() {
    let problem = Cnn::with_ratio(2, 3, 1.0).unwrap().with_memory_limit(199);
    let error = problem.hessian(CnnStudent { filter: &[1.0; 3], output: &[1.0; 2] }).unwrap_err();
    assert_eq!(error.kind(), Kind::Resource);
    assert_eq!(
        error.to_string(),
        "the Hessian needs 200 bytes, above the memory limit of 199; raise the limit or ask for less"
    );
}
