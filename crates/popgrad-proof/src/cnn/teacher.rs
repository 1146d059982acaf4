//! The scalars that the landscape of a convolutional teacher depends on, enclosed.

use super::CnnProofError;
use crate::{Interval, check_environment};
use popgrad::Cnn;

/// A convolutional teacher as its landscape sees it: counts, and enclosures of `s = |w*|`, `1.a*` and `|a*|^2`.
///
/// ```
/// use popgrad_proof::{CnnTeacher, PointStatus};
/// // 25 patches of dimension 6, |w*| = 1, 1.a* = 2, |a*|^2 = 1: the ratio is 4, the threshold 8.64.
/// let report = CnnTeacher::try_new(25, 6, 1.0, 2.0, 1.0)?.certify();
/// assert_eq!(report.spurious.minimum, PointStatus::Certified);
/// assert!(report.spurious.loss.is_certainly_positive());
/// # Ok::<(), popgrad_proof::CnnProofError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CnnTeacher {
    pub(super) patches: usize,
    pub(super) patch_dimension: usize,
    /// `s`, positive.
    pub(super) s: Interval,
    /// `S*^2`.
    pub(super) sum_square: Interval,
    /// `|a*|^2`, positive.
    pub(super) square: Interval,
    /// `|a*|^2 - S*^2/k`, not negative.
    pub(super) spread: Interval,
}

impl CnnTeacher {
    /// A teacher by its scalars, each double taken exactly.
    ///
    /// - Domain: `patches`, `patch_dimension` at least 1; `filter_norm`, `output_square` positive;
    ///   `output_sum^2 <= patches * output_square`, with equality taken for granted with one patch.
    ///
    /// # Errors
    ///
    /// [`CnnProofError`]; [`CnnProofError::Impossible`] where the last condition is certainly violated.
    pub fn try_new(
        patches: usize,
        patch_dimension: usize,
        filter_norm: f64,
        output_sum: f64,
        output_square: f64,
    ) -> Result<Self, CnnProofError> {
        for (name, value) in [("filter_norm", filter_norm), ("output_square", output_square)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(CnnProofError::NotPositive { name, value });
            }
        }
        if !output_sum.is_finite() {
            return Err(CnnProofError::NotFinite { name: "output_sum", value: output_sum });
        }
        let (sum_square, square) = (Interval::point(output_sum).square(), Interval::point(output_square));
        let spread = square - sum_square / patches.max(1) as f64;
        let impossible = spread.is_certainly_negative() || (patches == 1 && spread.is_certainly_positive());
        if impossible {
            return Err(CnnProofError::Impossible { patches, sum: output_sum, square: output_square });
        }
        Self::enclosed(patches, patch_dimension, Interval::point(filter_norm), [sum_square, square, spread])
    }

    /// The teacher of a problem: its filter and output weights are taken exactly, their scalars enclosed.
    ///
    /// # Errors
    ///
    /// [`CnnProofError::Environment`], [`CnnProofError::OutOfRange`].
    pub fn of(problem: &Cnn) -> Result<Self, CnnProofError> {
        let point = |x: &f64| Interval::point(*x);
        let s = Interval::sum(problem.filter().iter().map(|x| point(x).square())).sqrt();
        let sum = Interval::sum(problem.output().iter().map(point));
        let square = Interval::sum(problem.output().iter().map(|x| point(x).square()));
        let mean = sum / problem.patches() as f64;
        let spread = Interval::sum(problem.output().iter().map(|x| (point(x) - mean).square()));
        Self::enclosed(problem.patches(), problem.patch_dimension(), s, [sum.square(), square, spread])
    }

    fn enclosed(
        patches: usize,
        patch_dimension: usize,
        s: Interval,
        [sum_square, square, spread]: [Interval; 3],
    ) -> Result<Self, CnnProofError> {
        check_environment()?;
        for (name, count) in [("the number of patches", patches), ("the patch dimension", patch_dimension)] {
            if count == 0 {
                return Err(CnnProofError::ZeroCount { name });
            }
        }
        for (name, x) in [("|w*|", s), ("|a*|^2", square), ("(1.a*)^2", sum_square + 1.0)] {
            if !x.is_bounded() || !x.is_certainly_positive() {
                return Err(CnnProofError::OutOfRange { name });
            }
        }
        let spread = if patches == 1 { Interval::ZERO } else { spread.positive_part() };
        Ok(Self { patches, patch_dimension, s, sum_square, square, spread })
    }

    /// `(1.a*)^2 / |a*|^2`.
    pub fn ratio(&self) -> Interval {
        if self.patches == 1 { Interval::ONE } else { self.sum_square / self.square }
    }

    /// `1 + (k-1)/pi`.
    pub fn threshold(&self) -> Interval {
        Interval::ONE + Interval::point((self.patches - 1) as f64) / Interval::PI
    }

    /// `k + pi - 1`, an eigenvalue of `C = 11^T + (pi-1) I`.
    pub(super) fn width(&self) -> Interval {
        Interval::point((self.patches - 1) as f64) + Interval::PI
    }
}
