//! Eigenvalues and eigenvectors of symmetric matrices against closed forms.

use crate::fixture::{Worst, allowed};
use popgrad::{Matrix, SpectrumError, symmetric_eigenvalues, symmetric_eigenvectors};

/// The second-difference matrix: 2 on the diagonal, -1 beside it.
fn second_difference(n: usize) -> Matrix {
    let entry = |i: usize, j: usize| match i.abs_diff(j) {
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    };
    Matrix::try_new(n, n, (0..n * n).map(|i| entry(i / n, i % n)).collect()).unwrap()
}

#[test]
fn golden_eigenvalues_of_the_second_difference() {
    let mut worst = Worst::new("symmetric_eigenvalues");
    for n in [1, 2, 3, 8, 17, 60] {
        let values = symmetric_eigenvalues(second_difference(n).view()).unwrap();
        let most = allowed("symmetric_eigenvalues", n as f64 * values[n - 1]);
        for (k, got) in values.iter().enumerate() {
            // lambda_k = 4 sin^2(k pi / 2(n + 1)), k = 1..n
            let sine = ((k + 1) as f64 * std::f64::consts::FRAC_PI_2 / (n + 1) as f64).sin();
            worst.check(*got, 4.0 * sine * sine, most, || format!("{k} of {n}"));
        }
    }
}

#[test]
fn eigenvectors_are_orthonormal_and_solve_their_equation() {
    let mut worst = Worst::new("symmetric_eigenvectors");
    let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(x, y)| x * y).sum::<f64>();
    for n in [1, 2, 5, 20, 40] {
        let mut a = second_difference(n);
        // A double eigenvalue and a large one beside it.
        a.row_mut(n - 1).fill(0.0);
        (0..n).for_each(|i| a.row_mut(i)[n - 1] = 0.0);
        a.row_mut(n - 1)[n - 1] = 1e3;
        let (values, vectors) = symmetric_eigenvectors(a.view()).unwrap();
        assert_eq!(values.len(), n);
        let largest = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for i in 0..n {
            let most = allowed("symmetric_eigenvectors", n as f64 * largest);
            for c in 0..n {
                let got = dot(a.row(c), vectors.row(i));
                worst.check(got, values[i] * vectors.row(i)[c], most, || format!("vector {i} of {n}"));
            }
            for j in 0..n {
                let most = allowed("symmetric_eigenvectors", n as f64);
                let want = if i == j { 1.0 } else { 0.0 };
                worst.check(dot(vectors.row(i), vectors.row(j)), want, most, || format!("{i}.{j} of {n}"));
            }
        }
    }
}

#[test]
fn what_has_no_spectrum_is_refused() {
    let error = symmetric_eigenvalues(Matrix::zeros(2, 3).view()).unwrap_err();
    assert_eq!(error, SpectrumError::NotSquare { rows: 2, cols: 3 });
    let bad = Matrix::try_new(2, 2, vec![1.0, 0.0, f64::NAN, 1.0]);
    // A matrix may hold NaN or refuse it at once; a spectrum never accepts it.
    if let Ok(bad) = bad {
        let error = symmetric_eigenvectors(bad.view()).unwrap_err();
        assert!(error.to_string().starts_with("entry [1, 0] = NaN"), "{error}");
    }
}
