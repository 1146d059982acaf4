//! A student, the scalars that the loss sees of it, and the gradient at it.

use super::state::check_finite;
use super::{Cnn, CnnError};
use crate::Angle;

/// A convolutional student, borrowed: filter `v` (length `p`) and output weights `a` (length `k`).
///
/// Whether the filter is divided by its length is a property of the problem, [`Cnn::form`].
///
/// ```
/// use popgrad::{Cnn, CnnStudent};
/// let problem = Cnn::with_ratio(2, 3, 0.5)?;
/// let student = CnnStudent { filter: &[1.0, 0.0, 0.0], output: &[0.5, 0.5] };
/// assert!(problem.loss(student)? > 0.0);
/// # Ok::<(), popgrad::CnnError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CnnStudent<'a> {
    /// The filter `v`.
    pub filter: &'a [f64],
    /// The output weights `a`.
    pub output: &'a [f64],
}

impl CnnStudent<'_> {
    /// Refuses wrong lengths and entries that are not finite.
    pub(super) fn check(&self, problem: &Cnn) -> Result<(), CnnError> {
        let arguments = [
            ("the student's filter", self.filter, problem.patch_dimension(), "one for each input of a patch"),
            ("the student's output", self.output, problem.patches(), "one for each patch"),
        ];
        for (name, x, want, why) in arguments {
            if x.len() != want {
                return Err(CnnError::Length { name, got: x.len(), want, why });
            }
            check_finite(name, x)?;
        }
        Ok(())
    }

    /// Whether the filter is exactly zero.
    pub(super) fn has_zero_filter(&self) -> bool {
        self.filter.iter().all(|x| *x == 0.0)
    }
}

/// What the loss sees of a student: an angle and four numbers. Returned by [`Cnn::scalars`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CnnScalars {
    /// `phi`, the angle between `v` and `w*`, and its supplement.
    pub angle: Angle,
    /// `|v|`.
    pub filter_norm: f64,
    /// `alpha = a.a*`.
    pub alpha: f64,
    /// `S_a = 1.a`.
    pub output_sum: f64,
    /// `|a|^2`.
    pub output_square: f64,
}

/// The gradient of the loss at a convolutional student.
#[derive(Clone, Debug, PartialEq)]
pub struct CnnGradient {
    /// Derivative with respect to the filter `v`, length `p`; zeros where [`CnnGradient::zero_filter`] is set.
    pub filter: Vec<f64>,
    /// Derivative with respect to the output weights `a`, length `k`.
    pub output: Vec<f64>,
    /// Whether the filter is exactly zero: in the plain form the loss is defined there, the direction of its derivative in
    /// `v` is not. Never set in the normalised form, which refuses a zero filter.
    pub zero_filter: bool,
}
