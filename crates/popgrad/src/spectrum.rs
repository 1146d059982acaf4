//! Eigenvalues of symmetric matrices, by `faer`.

use crate::{Kind, Matrix, MatrixView};
use thiserror::Error;

/// Why a spectrum could not be computed.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SpectrumError {
    /// The matrix is not square.
    #[error("the matrix is {rows} x {cols}; a spectrum needs a square one")]
    NotSquare {
        /// Its number of rows.
        rows: usize,
        /// Its number of columns.
        cols: usize,
    },
    /// An entry is NaN or infinite.
    #[error("entry [{row}, {col}] = {value} of the matrix is not finite")]
    NonFinite {
        /// Row of the first offending entry.
        row: usize,
        /// Its column.
        col: usize,
        /// Its value.
        value: f64,
    },
    /// The iteration did not converge.
    #[error("the eigenvalue iteration did not converge for a {n} x {n} matrix")]
    NotConverged {
        /// Size of the matrix.
        n: usize,
    },
}

impl SpectrumError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotConverged { .. } => Kind::NotConverged,
            _ => Kind::Input,
        }
    }
}

fn check(a: MatrixView<'_>) -> Result<usize, SpectrumError> {
    let (rows, cols) = (a.rows(), a.cols());
    if rows != cols {
        return Err(SpectrumError::NotSquare { rows, cols });
    }
    match crate::vector::first_non_finite(a.as_slice()) {
        Some((i, value)) => Err(SpectrumError::NonFinite { row: i / cols, col: i % cols, value }),
        None => Ok(rows),
    }
}

/// Eigenvalues of a symmetric matrix, ascending.
///
/// - Shapes: `n x n`; the lower triangle is read.
/// - Accuracy (measured): absolute error at most `4 n EPSILON` times the largest magnitude among the eigenvalues. The bits
///   pass through a linear-algebra library and may differ between machines.
///
/// # Errors
///
/// [`SpectrumError`].
///
/// # Examples
///
/// ```
/// let a = popgrad::Matrix::from_rows(&[[2.0, 1.0], [1.0, 2.0]]);
/// let values = popgrad::symmetric_eigenvalues(a.view())?;
/// assert!((values[0] - 1.0).abs() < 1e-14 && (values[1] - 3.0).abs() < 1e-14);
/// # Ok::<(), popgrad::SpectrumError>(())
/// ```
pub fn symmetric_eigenvalues(a: MatrixView<'_>) -> Result<Vec<f64>, SpectrumError> {
    let n = check(a)?;
    let view = faer::MatRef::from_row_major_slice(a.as_slice(), n, n);
    view.self_adjoint_eigenvalues(faer::Side::Lower).map_err(|_| SpectrumError::NotConverged { n })
}

/// Eigenvalues of a symmetric matrix, ascending, and its orthonormal eigenvectors as the rows of a matrix.
///
/// - Shapes: `n x n`; the lower triangle is read; row `i` of the result belongs to eigenvalue `i`.
/// - Accuracy: as [`symmetric_eigenvalues`]; an eigenvector is as accurate as its eigenvalue is isolated.
///
/// # Errors
///
/// [`SpectrumError`].
///
/// # Examples
///
/// ```
/// let a = popgrad::Matrix::from_rows(&[[2.0, 1.0], [1.0, 2.0]]);
/// let (values, vectors) = popgrad::symmetric_eigenvectors(a.view())?;
/// assert!((vectors.row(0)[0] + vectors.row(0)[1]).abs() < 1e-14 && values[0] < values[1]);
/// # Ok::<(), popgrad::SpectrumError>(())
/// ```
pub fn symmetric_eigenvectors(a: MatrixView<'_>) -> Result<(Vec<f64>, Matrix), SpectrumError> {
    let n = check(a)?;
    let view = faer::MatRef::from_row_major_slice(a.as_slice(), n, n);
    let eigen = view.self_adjoint_eigen(faer::Side::Lower).map_err(|_| SpectrumError::NotConverged { n })?;
    let values = (0..n).map(|i| eigen.S()[i]).collect();
    let mut vectors = Matrix::zeros(n, n);
    for i in 0..n {
        for j in 0..n {
            vectors.row_mut(i)[j] = eigen.U()[(j, i)];
        }
    }
    Ok((values, vectors))
}
