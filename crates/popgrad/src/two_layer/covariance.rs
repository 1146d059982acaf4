//! Factor of a covariance: `Sigma = L L^T`, so that every weight `u` is replaced by `L^T u`.

use super::TwoLayerError;
use crate::Matrix;

/// Relative size below which a pivot counts as zero, in units of `d EPSILON` times the largest diagonal entry.
const ZERO_PIVOT: f64 = 8.0;

/// The lower Cholesky factor of a symmetric positive semidefinite matrix (docs/theory/input_laws.md, (I.1)).
///
/// # Errors
///
/// [`TwoLayerError::Covariance`] saying what is wrong.
pub(super) fn cholesky(sigma: &Matrix, d: usize) -> Result<Matrix, TwoLayerError> {
    let bad = |why: String| TwoLayerError::Covariance { why, d };
    if sigma.rows() != d || sigma.cols() != d {
        return Err(bad(format!("is {} x {}", sigma.rows(), sigma.cols())));
    }
    let scale = (0..d).fold(0.0_f64, |m, i| m.max(sigma.row(i)[i].abs()));
    for i in 0..d {
        for j in 0..i {
            let (lower, upper) = (sigma.row(i)[j], sigma.row(j)[i]);
            if !(lower - upper).abs().le(&(ZERO_PIVOT * f64::EPSILON * scale)) {
                return Err(bad(format!("has entries [{i}, {j}] = {lower} and [{j}, {i}] = {upper}")));
            }
        }
    }
    let floor = ZERO_PIVOT * d as f64 * f64::EPSILON * scale;
    let mut l = Matrix::zeros(d, d);
    for j in 0..d {
        let pivot = sigma.row(j)[j] - crate::vector::dot(&l.row(j)[..j], &l.row(j)[..j]);
        if pivot < -floor || pivot.is_nan() {
            return Err(bad(format!("has the negative pivot {pivot:e} in row {j}")));
        }
        let root = if pivot > floor { pivot.sqrt() } else { 0.0 };
        l.row_mut(j)[j] = root;
        for i in j + 1..d {
            let rest = sigma.row(i)[j] - crate::vector::dot(&l.row(i)[..j], &l.row(j)[..j]);
            if root > 0.0 {
                l.row_mut(i)[j] = rest / root;
            } else if rest.abs() > floor.sqrt() * scale.sqrt() {
                return Err(bad(format!("has a zero pivot in row {j} beside the entry {rest:e}")));
            }
        }
    }
    Ok(l)
}

/// `out = L^T u`.
pub(super) fn whiten(l: &Matrix, u: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (i, x) in u.iter().enumerate() {
        for (o, c) in out.iter_mut().zip(&l.row(i)[..=i]) {
            *o = x.mul_add(*c, *o);
        }
    }
}

/// `out = L g`: carries a gradient back to the original coordinates.
pub(super) fn carry_back(l: &Matrix, g: &[f64], out: &mut [f64]) {
    for (i, o) in out.iter_mut().enumerate() {
        *o = crate::vector::dot(&l.row(i)[..=i], &g[..=i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_times_its_transpose_is_the_covariance() {
        let sigma = Matrix::from_rows(&[[4.0, 2.0, 0.4], [2.0, 3.0, 0.2], [0.4, 0.2, 1.0]]);
        let l = cholesky(&sigma, 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let got = crate::vector::dot(l.row(i), l.row(j));
                assert!((got - sigma.row(i)[j]).abs() <= 4.0 * f64::EPSILON * 4.0);
            }
        }
    }

    #[test]
    fn semidefinite_is_accepted_and_indefinite_is_not() {
        assert!(cholesky(&Matrix::from_rows(&[[1.0, 1.0], [1.0, 1.0]]), 2).is_ok());
        let error = cholesky(&Matrix::from_rows(&[[1.0, 2.0], [2.0, 1.0]]), 2).unwrap_err();
        assert!(error.to_string().contains("negative pivot -3"), "{error}");
        assert!(cholesky(&Matrix::from_rows(&[[1.0, 0.5], [0.4, 1.0]]), 2).is_err());
        assert!(cholesky(&Matrix::from_rows(&[[0.0, 0.5], [0.5, 1.0]]), 2).is_err());
    }
}
