//! A two-layer network by its numbers: weights, output weights, leaky slope, linear skip.
//!
//! `g(x) = sum_j a_j s(w_j . x) + c . x` with `s(z) = alpha z + (1 - alpha) max(z, 0)`. Sampled quantities (Monte
//! Carlo, data) take teacher and student in this form.

use crate::eight::{Eight, project};
use crate::lanes::fused;
use crate::vector::{dot, first_non_finite};
use crate::{Kind, Matrix, MatrixView};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};
use thiserror::Error;

/// Why a network, or a computation on one, is refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A matrix without rows or without columns.
    #[error("{which} is {rows} x {cols}; it needs at least one row and one column")]
    Empty {
        /// Name of the matrix.
        which: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
    },
    /// A list or matrix of the wrong size.
    #[error("{which} has {got} entries; it needs {wanted}, the {meaning}")]
    Size {
        /// Name of the list.
        which: &'static str,
        /// Its length.
        got: usize,
        /// The length that would be right.
        wanted: usize,
        /// What that length is.
        meaning: &'static str,
    },
    /// An entry that is NaN or infinite.
    #[error("{which}[{index}] = {value} is not finite")]
    NonFinite {
        /// Name of the list; matrices count row by row.
        which: &'static str,
        /// Position of the first offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Teacher and student with different activations.
    #[error("the teacher's leaky slope is {teacher} and the student's {student}; they must be equal")]
    Leaky {
        /// Slope of the teacher.
        teacher: f64,
        /// Slope of the student.
        student: f64,
    },
}

impl NetworkError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// Refuses a list of the wrong length or with an entry that is not finite.
pub(crate) fn check_list(
    which: &'static str,
    list: &[f64],
    wanted: usize,
    meaning: &'static str,
) -> Result<(), NetworkError> {
    if list.len() != wanted {
        return Err(NetworkError::Size { which, got: list.len(), wanted, meaning });
    }
    match first_non_finite(list) {
        Some((index, value)) => Err(NetworkError::NonFinite { which, index, value }),
        None => Ok(()),
    }
}

/// Refuses an empty matrix or one with an entry that is not finite.
pub(crate) fn check_matrix(which: &'static str, matrix: MatrixView<'_>) -> Result<(), NetworkError> {
    let (rows, cols) = (matrix.rows(), matrix.cols());
    if rows == 0 || cols == 0 {
        return Err(NetworkError::Empty { which, rows, cols });
    }
    check_list(which, matrix.as_slice(), rows * cols, "product of its sizes")
}

/// A two-layer network `g(x) = sum_j a_j s(w_j . x) + c . x`.
///
/// ```
/// use popgrad::{Matrix, Network};
/// let g = Network::try_new(Matrix::from_rows(&[[1.0, 0.0], [0.0, 1.0]]))?.with_output(vec![2.0, -1.0])?;
/// assert_eq!(g.eval(&[3.0, -4.0]), 6.0);
/// # Ok::<(), popgrad::NetworkError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    weights: Matrix,
    output: Vec<f64>,
    skip: Vec<f64>,
    leaky: f64,
}

impl Network {
    /// A network of ReLU units, one a row of `weights`, with output weights 1 and no skip.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Empty`], [`NetworkError::NonFinite`].
    pub fn try_new(weights: Matrix) -> Result<Self, NetworkError> {
        check_matrix("weights", weights.view())?;
        let output = vec![1.0; weights.rows()];
        let skip = vec![0.0; weights.cols()];
        Ok(Self { weights, output, skip, leaky: 0.0 })
    }

    /// Sets the output weights `a`, one a unit.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Size`], [`NetworkError::NonFinite`].
    pub fn with_output(mut self, output: Vec<f64>) -> Result<Self, NetworkError> {
        check_list("output weights", &output, self.units(), "number of units")?;
        self.output = output;
        Ok(self)
    }

    /// Sets the linear skip `c`, one entry an input.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Size`], [`NetworkError::NonFinite`].
    pub fn with_skip(mut self, skip: Vec<f64>) -> Result<Self, NetworkError> {
        check_list("skip weights", &skip, self.inputs(), "input dimension")?;
        self.skip = skip;
        Ok(self)
    }

    /// Sets the slope `alpha` of the activation on negative numbers; 0 is ReLU, 1 linear, -1 the absolute value.
    ///
    /// # Errors
    ///
    /// [`NetworkError::NonFinite`].
    pub fn with_leaky(mut self, alpha: f64) -> Result<Self, NetworkError> {
        check_list("leaky slope", &[alpha], 1, "single slope")?;
        self.leaky = alpha;
        Ok(self)
    }

    /// Number of units `K`.
    pub fn units(&self) -> usize {
        self.weights.rows()
    }

    /// Input dimension `d`.
    pub fn inputs(&self) -> usize {
        self.weights.cols()
    }

    /// Weights, one unit a row.
    pub fn weights(&self) -> MatrixView<'_> {
        self.weights.view()
    }

    /// Output weights.
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// Skip weights, zeros when there is no skip.
    pub fn skip(&self) -> &[f64] {
        &self.skip
    }

    /// Slope of the activation on negative numbers.
    pub fn leaky(&self) -> f64 {
        self.leaky
    }

    /// The network's value at `x`.
    ///
    /// # Panics
    ///
    /// If `x` has not the input dimension.
    pub fn eval(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.inputs(), "x has the input dimension");
        let units =
            (0..self.units()).map(|j| self.output[j] * leaky_relu(self.leaky, dot(self.weights.row(j), x)));
        units.sum::<f64>() + dot(&self.skip, x)
    }

    /// Overwrites the weights, row by row, and then, if the list goes on, the output weights; unchecked.
    pub(crate) fn set_parameters(&mut self, point: &[f64]) {
        let parameters = self.weights.as_mut_slice().iter_mut().chain(&mut self.output);
        for (to, from) in parameters.zip(point) {
            *to = *from;
        }
    }

    /// The units' part of the value at eight samples, `sum_j a_j s(w_j . x)` without the skip; pre-activations are
    /// kept in `units` when given.
    #[inline(always)]
    pub(crate) fn eval_eight<S: Simd>(
        &self,
        simd: S,
        x: &[Eight],
        mut units: Option<&mut [Eight]>,
    ) -> f64x8<S> {
        let mut value = f64x8::splat(simd, 0.0);
        for j in 0..self.units() {
            let z = project(simd, self.weights.row(j), x);
            if let Some(units) = units.as_deref_mut() {
                units[j].store(z);
            }
            value = fused(simd, activation(simd, self.leaky, z), f64x8::splat(simd, self.output[j]), value);
        }
        value
    }
}

/// `s(z) = alpha z + (1 - alpha) max(z, 0)`.
pub(crate) fn leaky_relu(alpha: f64, z: f64) -> f64 {
    if z > 0.0 { z } else { alpha * z }
}

/// `s(z)` of eight numbers.
#[inline(always)]
pub(crate) fn activation<S: Simd>(simd: S, alpha: f64, z: f64x8<S>) -> f64x8<S> {
    z.simd_gt(f64x8::splat(simd, 0.0)).select(z, z * f64x8::splat(simd, alpha))
}

/// Refuses a pair that does not compute on the same inputs with the same activation.
pub(crate) fn check_pair(teacher: &Network, student: &Network) -> Result<(), NetworkError> {
    let (got, wanted) = (student.inputs(), teacher.inputs());
    if got != wanted {
        let meaning = "input dimension of the teacher";
        return Err(NetworkError::Size { which: "a row of the student's weights", got, wanted, meaning });
    }
    if teacher.leaky != student.leaky {
        return Err(NetworkError::Leaky { teacher: teacher.leaky, student: student.leaky });
    }
    Ok(())
}
