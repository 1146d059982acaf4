//! Eigenvalues and eigenvectors of symmetric matrices against a matrix of known spectrum.

use crate::fixture::allowed;
use popgrad::{Matrix, SpectrumError, symmetric_eigenvalues, symmetric_eigenvectors};

/// Twos on the diagonal and minus ones beside it: the eigenvalues are `2 - 2 cos(pi k / (n + 1))`, `k = 1..=n`.
fn chain(n: usize) -> (Matrix, Vec<f64>) {
    let mut a = Matrix::zeros(n, n);
    for i in 0..n {
        a.row_mut(i)[i] = 2.0;
        if i > 0 {
            a.row_mut(i)[i - 1] = -1.0;
            a.row_mut(i - 1)[i] = -1.0;
        }
    }
    // 2 - 2 cos t = 4 sin^2(t/2), without cancellation.
    let half = |k: usize| (std::f64::consts::FRAC_PI_2 * k as f64 / (n + 1) as f64).sin();
    (a, (1..=n).map(|k| 4.0 * half(k) * half(k)).collect())
}

#[test]
fn a_chain_has_its_known_eigenvalues_in_ascending_order() {
    for n in [1, 2, 7, 60] {
        let (a, want) = chain(n);
        let got = symmetric_eigenvalues(a.view()).unwrap();
        let most = allowed("symmetric_eigenvalues", 4.0 * n as f64);
        for (g, w) in got.iter().zip(&want) {
            assert!((g - w).abs() <= most, "n = {n}: {g} {w}");
        }
    }
}

#[test]
fn eigenvectors_are_orthonormal_rows_that_the_matrix_stretches() {
    let n = 40;
    let (a, _) = chain(n);
    let (values, vectors) = symmetric_eigenvectors(a.view()).unwrap();
    let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(x, y)| x * y).sum::<f64>();
    for i in 0..n {
        for j in 0..n {
            let want = f64::from(u8::from(i == j));
            let most = allowed("symmetric_eigenvectors", n as f64);
            assert!((dot(vectors.row(i), vectors.row(j)) - want).abs() <= most, "rows {i} and {j}");
            let stretched = dot(a.row(j), vectors.row(i));
            let most = allowed("symmetric_eigenvectors", 4.0 * n as f64);
            assert!((stretched - values[i] * vectors.row(i)[j]).abs() <= most, "vector {i}, entry {j}");
        }
    }
}

#[test]
fn what_has_no_spectrum_is_refused() {
    let error = symmetric_eigenvalues(Matrix::zeros(2, 3).view()).unwrap_err();
    assert_eq!(error, SpectrumError::NotSquare { rows: 2, cols: 3 });
    let bad = Matrix::try_new(2, 2, vec![1.0, 0.0, f64::NAN, 1.0]).unwrap();
    let error = symmetric_eigenvectors(bad.view()).unwrap_err();
    assert!(error.to_string().starts_with("entry [1, 0] = NaN"), "{error}");
}
