//! A student, and the gradient at it.

use super::TwoLayerError;
use crate::vector::first_non_finite;
use crate::{Matrix, MatrixView};

/// A student network, borrowed: hidden weights, output weights, linear skip.
///
/// ```
/// use popgrad::{Matrix, Student};
/// let w = Matrix::from_rows(&[[1.0, 0.5], [0.0, 2.0]]);
/// let student = Student::new(w.view()).with_output(&[1.0, -1.0]);
/// assert_eq!(student.neurons(), 2);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Student<'a> {
    pub(super) weights: MatrixView<'a>,
    /// Empty means ones.
    pub(crate) output: &'a [f64],
    /// Empty means zero.
    pub(super) skip: &'a [f64],
}

impl<'a> Student<'a> {
    /// A student with the given hidden weights (`K x d`), output weights one and no skip.
    pub fn new(weights: MatrixView<'a>) -> Self {
        Self { weights, output: &[], skip: &[] }
    }

    /// Sets the output weights (length `K`).
    #[must_use]
    pub fn with_output(self, output: &'a [f64]) -> Self {
        Self { output, ..self }
    }

    /// Sets the linear skip connection (length `d`).
    #[must_use]
    pub fn with_skip(self, skip: &'a [f64]) -> Self {
        Self { skip, ..self }
    }

    /// Number of neurons, `K`.
    pub fn neurons(&self) -> usize {
        self.weights.rows()
    }

    /// The hidden weights.
    pub fn weights(&self) -> MatrixView<'a> {
        self.weights
    }

    /// The output weights; empty means ones.
    pub(crate) fn output(&self) -> &'a [f64] {
        self.output
    }

    /// The skip connection; empty means zero.
    pub(crate) fn skip(&self) -> &'a [f64] {
        self.skip
    }

    /// Whether there is a linear skip that is not zero.
    pub(crate) fn has_skip(&self) -> bool {
        self.skip.iter().any(|c| *c != 0.0)
    }

    /// Refuses wrong shapes and entries that are not finite.
    #[inline(always)] // so that a caller compiled for wider lanes uses them
    pub(crate) fn check(&self, d: usize) -> Result<(), TwoLayerError> {
        let (k, cols) = (self.weights.rows(), self.weights.cols());
        if k == 0 || cols == 0 {
            return Err(TwoLayerError::Empty { name: "the student", rows: k, cols });
        }
        if cols != d {
            return Err(TwoLayerError::InputDimension { name: "the student", got: cols, want: d });
        }
        check_entries("student", self.weights.as_slice(), d)?;
        check_optional("student_output", self.output, k, "one for each student neuron")?;
        check_optional("student_skip", self.skip, d, "one for each input")
    }
}

/// Refuses entries that are not finite; `cols` is the row length for the message.
#[inline(always)]
pub(super) fn check_entries(name: &'static str, x: &[f64], cols: usize) -> Result<(), TwoLayerError> {
    match first_non_finite(x) {
        None => Ok(()),
        Some((i, value)) => Err(TwoLayerError::NonFinite { name, row: i / cols, col: i % cols, value }),
    }
}

/// An empty slice stands for the default; any other must have the right length and finite entries.
#[inline(always)]
pub(super) fn check_optional(
    name: &'static str,
    x: &[f64],
    want: usize,
    why: &'static str,
) -> Result<(), TwoLayerError> {
    if x.is_empty() {
        return Ok(());
    }
    if x.len() != want {
        return Err(TwoLayerError::Length { name, got: x.len(), want, why });
    }
    check_entries(name, x, want)
}

/// The gradient of the loss at a student.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// Derivative with respect to the hidden weights, `K x d`. Rows of zero students hold zeros.
    pub weights: Matrix,
    /// Derivative with respect to the output weights, length `K`.
    pub output: Vec<f64>,
    /// Derivative with respect to the skip connection; empty unless the teacher or the student has one.
    pub skip: Vec<f64>,
    /// Students that are exactly zero: the loss is defined there, the direction of their gradient is not.
    pub zero_students: Vec<usize>,
}
