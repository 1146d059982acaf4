//! Row-major `f64` matrices: one that owns its entries and one that borrows them.
//!
//! Matrices cross the public interface in these two types only; rows are neurons throughout.

use crate::Kind;
use thiserror::Error;

/// Why a matrix could not be made.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// The number of entries is not the product of the two sizes.
    #[error("a {rows} x {cols} matrix needs {} entries, got {len}", rows * cols)]
    Length {
        /// Number of rows asked for.
        rows: usize,
        /// Number of columns asked for.
        cols: usize,
        /// Number of entries given.
        len: usize,
    },
    /// Rows of different lengths were given.
    #[error("row {row} has {len} entries but row 0 has {first}; all rows must have the same length")]
    Ragged {
        /// Index of the first row that differs.
        row: usize,
        /// Its length.
        len: usize,
        /// The length of row 0.
        first: usize,
    },
}

impl MatrixError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// A row-major matrix that owns its entries.
///
/// ```
/// use popgrad::Matrix;
/// let v = Matrix::from_rows(&[[1.0, 0.0], [0.0, 1.0]]);
/// assert_eq!(v.row(1), [0.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f64>,
}

/// A row-major matrix that borrows its entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatrixView<'a> {
    rows: usize,
    cols: usize,
    data: &'a [f64],
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// The first `rows` standard unit vectors of dimension `cols`: `(I | 0)` or `(I / 0)`.
    pub fn identity(rows: usize, cols: usize) -> Self {
        let mut out = Self::zeros(rows, cols);
        for i in 0..rows.min(cols) {
            out.data[i * cols + i] = 1.0;
        }
        out
    }

    /// Takes `rows * cols` entries in row-major order.
    ///
    /// # Errors
    ///
    /// [`MatrixError::Length`] if the number of entries differs.
    pub fn try_new(rows: usize, cols: usize, data: Vec<f64>) -> Result<Self, MatrixError> {
        if data.len() == rows * cols {
            Ok(Self { rows, cols, data })
        } else {
            Err(MatrixError::Length { rows, cols, len: data.len() })
        }
    }

    /// Takes entries whose number is right by construction.
    pub(crate) fn from_parts(rows: usize, cols: usize, data: Vec<f64>) -> Self {
        debug_assert_eq!(data.len(), rows * cols);
        Self { rows, cols, data }
    }

    /// Copies rows of a fixed length.
    pub fn from_rows<const D: usize>(rows: &[[f64; D]]) -> Self {
        Self { rows: rows.len(), cols: D, data: rows.concat() }
    }

    /// Copies rows whose lengths are known at run time only.
    ///
    /// # Errors
    ///
    /// [`MatrixError::Ragged`] if two rows differ in length.
    pub fn try_from_rows(rows: &[Vec<f64>]) -> Result<Self, MatrixError> {
        let first = rows.first().map_or(0, Vec::len);
        match rows.iter().position(|r| r.len() != first) {
            Some(row) => Err(MatrixError::Ragged { row, len: rows[row].len(), first }),
            None => Ok(Self { rows: rows.len(), cols: first, data: rows.concat() }),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i`.
    ///
    /// # Panics
    ///
    /// If `i` is not below the number of rows.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Row `i`, to be changed.
    ///
    /// # Panics
    ///
    /// If `i` is not below the number of rows.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// All entries, row by row.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    /// All entries, row by row, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.data
    }

    /// Gives up the entries, row by row.
    pub fn into_vec(self) -> Vec<f64> {
        self.data
    }

    /// A borrowed view of the whole matrix.
    pub fn view(&self) -> MatrixView<'_> {
        MatrixView { rows: self.rows, cols: self.cols, data: &self.data }
    }

    /// The transposed matrix, copied.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut out = Self::zeros(self.cols, self.rows);
        for i in 0..self.rows {
            for j in 0..self.cols {
                out.data[j * self.rows + i] = self.data[i * self.cols + j];
            }
        }
        out
    }
}

impl<'a> MatrixView<'a> {
    /// Views entries whose number is right by construction.
    pub(crate) fn from_parts(rows: usize, cols: usize, data: &'a [f64]) -> Self {
        debug_assert_eq!(data.len(), rows * cols);
        Self { rows, cols, data }
    }

    /// Views `rows * cols` entries in row-major order.
    ///
    /// # Errors
    ///
    /// [`MatrixError::Length`] if the number of entries differs.
    pub fn try_new(rows: usize, cols: usize, data: &'a [f64]) -> Result<Self, MatrixError> {
        if data.len() == rows * cols {
            Ok(Self { rows, cols, data })
        } else {
            Err(MatrixError::Length { rows, cols, len: data.len() })
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i`.
    ///
    /// # Panics
    ///
    /// If `i` is not below the number of rows.
    pub fn row(&self, i: usize) -> &'a [f64] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// All entries, row by row.
    pub fn as_slice(&self) -> &'a [f64] {
        self.data
    }

    /// An owned copy.
    pub fn to_matrix(&self) -> Matrix {
        Matrix { rows: self.rows, cols: self.cols, data: self.data.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_number_of_entries_is_refused_with_both_numbers() {
        let error = Matrix::try_new(2, 3, vec![0.0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "a 2 x 3 matrix needs 6 entries, got 5");
        assert_eq!(error.kind(), Kind::Input);
    }

    #[test]
    fn transposing_twice_gives_the_matrix_back() {
        let a = Matrix::from_rows(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(a.transposed().row(2), [3.0, 6.0]);
        assert_eq!(a.transposed().transposed(), a);
    }
}
