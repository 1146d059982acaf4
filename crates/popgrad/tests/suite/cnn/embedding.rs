//! The closed forms against the general two-layer code, where patches are blocks of one input, and against samples.

use super::{Owned, SIZES, norm, random};
use crate::fixture::allowed;
use popgrad::{Cnn, CnnForm, CnnStudent, RandomStream, SamplePlan};

/// Both computations are within a few roundings of their terms: 45 EPSILON, which is 1e-14, is the target of the comparison.
fn agreement(what: &'static str, scale: f64) -> f64 {
    let allowed = allowed(what, scale);
    assert!(allowed <= 1e-14 * scale);
    allowed
}
/// Standard errors allowed: 60 000 numbers may be compared before one exceeds them by chance.
const STANDARD_ERRORS: f64 = 4.5;

/// Compares loss, gradient and Hessian, each relative to the size of its terms.
fn compare(problem: &Cnn, owned: &Owned, label: &str) {
    let student = owned.student();
    let (n, s) = (norm(&owned.filter), problem.filter_norm());
    let plain = problem.form() == CnnForm::Plain;
    let factor = if plain { n } else { 1.0 };
    let size = |x: &[f64]| x.iter().map(|x| x.abs()).sum::<f64>();
    let root = 0.5 * (factor * size(&owned.output) + s * size(problem.output()));
    let embedding = problem.embedding(student).unwrap();
    let close = |got: f64, want: f64, scale: f64, what: &'static str| {
        let error = (got - want).abs();
        assert!(error <= agreement(what, scale), "{label}, {what}: {got:e} {want:e}, {error:e} of {scale:e}");
    };
    close(problem.loss(student).unwrap(), embedding.loss().unwrap(), root * root, "CnnEmbedding::loss");
    let (got, want) = (problem.gradient(student).unwrap(), embedding.gradient().unwrap());
    for (got, want) in got.filter.iter().zip(&want.filter) {
        close(*got, *want, root * root / n, "CnnEmbedding::gradient");
    }
    for (got, want) in got.output.iter().zip(&want.output) {
        close(*got, *want, factor * root, "CnnEmbedding::gradient");
    }
    let (got, want) = (problem.hessian(student).unwrap(), embedding.hessian().unwrap());
    let p = owned.filter.len();
    for i in 0..got.rows() {
        for j in 0..got.cols() {
            let scale = match (i < p, j < p) {
                (true, true) => root * root / n / n,
                (false, false) => factor * factor,
                _ if plain => root,
                _ => root / n,
            };
            close(got.row(i)[j], want.row(i)[j], scale, "CnnEmbedding::hessian");
        }
    }
}

#[test]
fn independent_random_students_agree_with_the_two_layer_code() {
    let mut stream = RandomStream::new(20180, 1);
    for form in [CnnForm::Normalised, CnnForm::Plain] {
        for size in SIZES {
            for round in 0..8 {
                let (problem, student) = random(&mut stream, size, form);
                compare(&problem, &student, &format!("{size:?} {form:?} {round}"));
            }
        }
    }
}

#[test]
fn independent_degenerate_students_agree_with_the_two_layer_code() {
    let (w, a_star) = ([0.75, -0.5, 1.25], [1.0, -0.5, 0.25, 0.5]);
    let off = |t: f64, e: f64| vec![t * w[0] + 0.3 * e, t * w[1] + 0.7 * e, t * w[2] - 0.2 * e];
    let s = norm(&w);
    let outputs = [
        [0.2, 0.5, -0.1, 0.3],
        [-0.7, 0.4, 0.1, -0.6],
        [0.0; 4],
        a_star.map(|a| s * a),
        a_star.map(|a| s * a + 1e-8),
        a_star,
    ];
    for form in [CnnForm::Normalised, CnnForm::Plain] {
        let problem = Cnn::try_new(&w, &a_star).unwrap().with_form(form);
        for t in [1.0, -1.0, 2.0, -0.5, 1e-6, 1e6] {
            for e in [0.0, 1e-3, 1e-8, 1e-12, 1e-15] {
                for output in &outputs {
                    let student = Owned { filter: off(t, e * t), output: output.to_vec() };
                    compare(&problem, &student, &format!("{form:?} t = {t} e = {e} {output:?}"));
                }
            }
        }
    }
}

#[test]
fn independent_samples_agree_within_their_standard_errors() {
    let mut stream = RandomStream::new(20180, 2);
    for (round, form) in [CnnForm::Normalised, CnnForm::Plain].into_iter().enumerate() {
        for size in [(1, 2), (4, 3)] {
            let (problem, owned) = random(&mut stream, size, form);
            let (student, plan) = (owned.student(), SamplePlan { samples: 200_000, seed: round as u64 });
            let embedding = problem.embedding(student).unwrap();
            let sampled = embedding.monte_carlo(plan).unwrap();
            let gradient = problem.gradient(student).unwrap();
            let (filter, bounds) = embedding.filter_estimate(&sampled);
            let loss = problem.loss(student).unwrap();
            let rows =
                std::iter::once((loss, sampled.loss, sampled.loss_error))
                    .chain((0..size.0).map(|j| {
                        (gradient.output[j], sampled.output.mean[j], sampled.output.standard_error[j])
                    }))
                    .chain((0..size.1).map(|i| (gradient.filter[i], filter[i], bounds[i])));
            for (exact, mean, error) in rows {
                assert!(
                    (exact - mean).abs() <= STANDARD_ERRORS * error,
                    "{form:?} {size:?} {exact} {mean} {error}"
                );
                // An error bar that is far too wide would hide a mistake.
                assert!(error < 0.05 * (1.0 + loss) * (1.0 + 1.0 / norm(&owned.filter)), "{error}");
            }
        }
    }
}

#[test]
fn a_zero_filter_has_no_embedding() {
    let problem = Cnn::with_ratio(2, 2, 1.0).unwrap().with_form(CnnForm::Plain);
    let error = problem.embedding(CnnStudent { filter: &[0.0, 0.0], output: &[1.0, 1.0] }).unwrap_err();
    assert!(
        error.to_string().contains("which has no direction; the embedding is not defined there"),
        "{error}"
    );
}
