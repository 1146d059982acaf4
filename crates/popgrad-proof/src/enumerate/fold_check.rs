//! Certificates of folds, and their check: Krawczyk's operator on the stored boxes, written out once more.

use super::fold::extended;
use crate::Interval;
use crate::environment::{EnvironmentError, check_environment};
use popgrad::Kind;
use thiserror::Error;

/// A fold that is claimed, for teachers at an angle in degrees; nothing is assumed about the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldCertificate {
    /// The angle between the teachers.
    pub degrees: f64,
    /// Boxes of the angle between the students, the place of the inner teacher and the ratio that hold the fold.
    pub enclosure: [Interval; 3],
    /// Larger boxes in which it is the only one.
    pub unique: [Interval; 3],
}

/// Why a certificate of a fold proves nothing.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FoldError {
    /// Floating-point arithmetic is not what intervals need.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The numbers are no boxes, or not those of a fold.
    #[error(
        "the boxes are no boxes of a fold: an angle between 0 and 180 degrees, positive angle and ratio, the enclosure inside the \
         box of uniqueness"
    )]
    Misshapen,
    /// The operator does not map a box into itself.
    #[error("the {which} is not mapped into its inside, so nothing is proved about it")]
    NotContracting {
        /// Which box.
        which: &'static str,
    },
}

impl FoldError {
    /// The kind of this failure: a claim that does not hold.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Environment(error) => error.kind(),
            _ => Kind::NotConverged,
        }
    }
}

/// Solves `M x = e_k` in floating point for the inverse, a guess, by elimination with pivots.
fn rough_inverse(matrix: &[[Interval; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let mut rows = [[0.0; 6]; 3];
    for (i, row) in rows.iter_mut().enumerate() {
        (0..3).for_each(|j| row[j] = matrix[i][j].middle());
        row[3 + i] = 1.0;
    }
    for column in 0..3 {
        let pivot = (column..3).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let scale = 1.0 / rows[column][column];
        rows[column].iter_mut().for_each(|x| *x *= scale);
        let line = rows[column];
        for other in (0..3).filter(|i| *i != column) {
            let factor = rows[other][column];
            rows[other].iter_mut().zip(line).for_each(|(x, y)| *x -= factor * y);
        }
    }
    let inverse = rows.map(|row| [row[3], row[4], row[5]]);
    inverse.iter().flatten().all(|x| x.is_finite()).then_some(inverse)
}

/// Whether Krawczyk's operator maps a box into its inside: it then holds exactly one zero.
fn holds_one_zero(angle: Interval, x: [Interval; 3]) -> bool {
    let center = x.map(Interval::middle);
    let (at, _) = extended(angle, center.map(Interval::point));
    let (_, jacobian) = extended(angle, x);
    let Some(c) = rough_inverse(&jacobian) else { return false };
    let step = |i: usize| at[0] * c[i][0] + at[1] * c[i][1] + at[2] * c[i][2];
    let defect = |i: usize, j: usize| {
        let product = jacobian[0][j] * c[i][0] + jacobian[1][j] * c[i][1] + jacobian[2][j] * c[i][2];
        (if i == j { Interval::ONE } else { Interval::ZERO }) - product
    };
    (0..3).all(|i| {
        let spread = (0..3).fold(Interval::ZERO, |sum, j| sum + defect(i, j) * (x[j] - center[j]));
        let image = Interval::point(center[i]) - step(i) + spread;
        x[i].lo() < image.lo() && image.hi() < x[i].hi()
    })
}

/// Verifies a fold without searching: both stored boxes hold exactly one zero of (E.2) and (E.8), the same.
///
/// # Errors
///
/// [`FoldError`].
///
/// # Examples
///
/// ```
/// use popgrad_proof::{certify_threshold, check_fold};
/// let certificate = certify_threshold(90.0)?.unwrap().certificate(90.0);
/// assert_eq!(check_fold(&certificate), Ok(()));
/// let mut edited = certificate;
/// edited.enclosure[2] = edited.enclosure[2] + 1e-9;
/// assert!(check_fold(&edited).is_err());
/// # Ok::<(), popgrad_proof::EnvironmentError>(())
/// ```
pub fn check_fold(certificate: &FoldCertificate) -> Result<(), FoldError> {
    check_environment()?;
    let FoldCertificate { degrees, enclosure, unique } = *certificate;
    let nested =
        enclosure.iter().zip(&unique).all(|(x, y)| x.is_bounded() && y.is_bounded() && y.encloses(*x));
    let positive = unique[0].is_certainly_positive() && unique[2].is_certainly_positive();
    if !(nested && positive && degrees > 0.0 && degrees < 180.0) {
        return Err(FoldError::Misshapen);
    }
    let angle = Interval::PI * degrees / 180.0;
    for (which, x) in [("enclosure", enclosure), ("box of uniqueness", unique)] {
        if !holds_one_zero(angle, x) {
            return Err(FoldError::NotContracting { which });
        }
    }
    Ok(())
}
