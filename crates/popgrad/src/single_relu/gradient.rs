//! Loss and gradient of one student and one teacher, without cancellation near `w = v`.
//!
//! For `x ~ N(0, I_d)` and `J = 1/2 E[(relu(w.x) - relu(v.x))^2]`. Derivation: docs/theory/single_relu.md,
//! equations (S.1)-(S.3). Accuracy: relative, also for `w` close to `v`; measured.

use crate::angle::{VectorError, angle, check_pair};
use crate::angular_c1;
use crate::vector::{dot, norm};
use std::f64::consts::{PI, TAU};

/// Gradient of the loss of one student `w` and one teacher `v`.
///
/// ```text
/// grad J = (1/2pi) [pi (w - v) + theta v - (|v|/|w|) sin(theta) w],   theta = angle(w, v)
/// ```
///
/// Source: Tian (2017), eq. 6, divided by the number of samples; docs/theory/single_relu.md, (S.2).
///
/// - Shapes: `w`, `v` and the result of length `d >= 1`.
/// - Units: those of the weights.
/// - Domain: finite vectors, `w` not zero; a zero `v` gives `w/2`.
/// - Accuracy (measured, against 60 digits): error at most `2 EPSILON (|w| + |v|)` in each entry, and for
///   `|w - v| <= |v|/10` at most `2 EPSILON |w - v|`.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`], [`VectorError::Zero`] if `w` is zero.
///
/// # Examples
///
/// ```
/// let g = popgrad::single_relu_gradient(&[1.0 + 1e-9, 0.0], &[1.0, 0.0])?;
/// assert_eq!(g, [0.5 * ((1.0 + 1e-9) - 1.0), 0.0]);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn single_relu_gradient(w: &[f64], v: &[f64]) -> Result<Vec<f64>, VectorError> {
    check_pair(("w", w), ("v", v))?;
    let (n, m) = (norm(w), norm(v));
    if n == 0.0 {
        return Err(VectorError::Zero { which: "w" });
    }
    if m == 0.0 {
        return Ok(w.iter().map(|x| 0.5 * x).collect());
    }
    let at = angle(w, v)?;
    let pull = libm::sin(at.theta.min(at.psi)) * m;
    let entry = |(w, v): (&f64, &f64)| (PI * (w - v) + (at.theta * v - pull * (w / n))) / TAU;
    Ok(w.iter().zip(v).map(entry).collect())
}

/// Loss of one student `w` and one teacher `v`.
///
/// ```text
/// J = |w - v|^2 / 4 - |w| |v| c1(theta) / (2 pi),   c1(t) = sin t - t cos t
/// ```
///
/// Source: docs/theory/single_relu.md, (S.3).
///
/// - Shapes: `w`, `v` of length `d >= 1`.
/// - Units: squared output.
/// - Domain: all finite vectors.
/// - Accuracy (measured, against 60 digits): relative error at most `8 EPSILON`, also for `w` close to `v`.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`].
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::single_relu_loss(&[0.0, 0.0], &[2.0, 0.0])?, 1.0); // |v|^2 / 4
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn single_relu_loss(w: &[f64], v: &[f64]) -> Result<f64, VectorError> {
    check_pair(("w", w), ("v", v))?;
    let gap: Vec<f64> = w.iter().zip(v).map(|(a, b)| a - b).collect();
    let (n, m) = (norm(w), norm(v));
    let square = 0.25 * dot(&gap, &gap);
    if n == 0.0 || m == 0.0 {
        return Ok(square);
    }
    Ok(square - n * m * (angular_c1(angle(w, v)?.theta) / TAU))
}
