//! An array of one, two or three axes as it came from a file, in C order.

use super::StorageError;
use popgrad::Matrix;

/// Finite real numbers in C order with their shape and the place they came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    location: String,
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Array {
    /// Checks that the array has one to three axes, is not empty and is finite.
    pub(super) fn try_new(location: String, shape: Vec<usize>, data: Vec<f64>) -> Result<Self, StorageError> {
        let array = Self { location, shape, data };
        if array.data.is_empty() {
            return Err(StorageError::Empty { location: array.location.clone(), shape: array.shape_text() });
        }
        if array.shape.is_empty() || array.shape.len() > 3 {
            return Err(array.wrong_shape("an array of one to three axes"));
        }
        match array.data.iter().position(|x| !x.is_finite()) {
            None => Ok(array),
            Some(flat) => Err(StorageError::NonFinite {
                index: array.index_text(flat),
                value: array.data[flat],
                location: array.location,
            }),
        }
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The entries in C order.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    /// A vector.
    ///
    /// # Errors
    ///
    /// [`StorageError::Shape`] if the array does not have one axis; `needed` says what it should be.
    pub fn into_vector(self, needed: &str) -> Result<Vec<f64>, StorageError> {
        match self.shape[..] {
            [_] => Ok(self.data),
            _ => Err(self.wrong_shape(needed)),
        }
    }

    /// A matrix.
    ///
    /// # Errors
    ///
    /// [`StorageError::Shape`] if the array does not have two axes; `needed` says what it should be.
    pub fn into_matrix(self, needed: &str) -> Result<Matrix, StorageError> {
        match self.shape[..] {
            [rows, cols] => Ok(matrix(rows, cols, self.data)),
            _ => Err(self.wrong_shape(needed)),
        }
    }

    /// A list of matrices of one shape: the slices of an array of three axes, or the one matrix of two axes.
    ///
    /// # Errors
    ///
    /// [`StorageError::Shape`] if the array has one axis; `needed` says what it should be.
    pub fn into_matrices(self, needed: &str) -> Result<Vec<Matrix>, StorageError> {
        match self.shape[..] {
            [rows, cols] => Ok(vec![matrix(rows, cols, self.data)]),
            [_, rows, cols] => {
                Ok(self.data.chunks_exact(rows * cols).map(|c| matrix(rows, cols, c.to_vec())).collect())
            }
            _ => Err(self.wrong_shape(needed)),
        }
    }

    fn wrong_shape(&self, needed: &str) -> StorageError {
        StorageError::Shape {
            location: self.location.clone(),
            shape: self.shape_text(),
            needed: needed.to_owned(),
        }
    }

    fn shape_text(&self) -> String {
        shape_text(&self.shape)
    }

    /// The position of a flat index, axis by axis.
    fn index_text(&self, flat: usize) -> String {
        let mut rest = flat;
        let mut index: Vec<String> = Vec::with_capacity(self.shape.len());
        for &length in self.shape.iter().rev() {
            index.push((rest % length).to_string());
            rest /= length;
        }
        index.reverse();
        index.join(", ")
    }
}

fn matrix(rows: usize, cols: usize, data: Vec<f64>) -> Matrix {
    Matrix::try_new(rows, cols, data).expect("the shape was checked against the number of entries")
}

/// A shape in NumPy's notation: `(3,)`, `(2, 3)`.
pub(super) fn shape_text<T: ToString>(shape: &[T]) -> String {
    match shape {
        [one] => format!("({},)", one.to_string()),
        _ => format!("({})", shape.iter().map(T::to_string).collect::<Vec<_>>().join(", ")),
    }
}
