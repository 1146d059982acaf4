//! Theorem 5: how fast the distance between student and teacher falls, and where.
//!
//! For one student `w` and one teacher `v` under `x ~ N(0, I_d)`. Derivation: docs/theory/single_relu.md,
//! equations (S.4) and (S.5). Angles are in radians; time is per-sample flow time.

use super::SingleReluError;
use super::gradient::single_relu_gradient;
use crate::angle::{VectorError, check_pair};
use crate::angular_c1;
use crate::vector::{dot, norm};
use std::f64::consts::PI;

/// The angle below which `M(theta)` is positive definite: the first zero of its determinant in `(0, pi)`.
///
/// 133.36 degrees; Omega lies within 90 degrees of the teacher. Source: docs/theory/single_relu.md, (S.5).
pub const THEOREM5_CRITICAL_ANGLE: f64 = 2.327_616_034_877_177_5;

fn check_angle(theta: f64) -> Result<(), SingleReluError> {
    if (0.0..=PI).contains(&theta) {
        Ok(())
    } else {
        Err(SingleReluError::Angle { theta, low: 0.0, high: PI })
    }
}

/// The matrix `M(theta)` of Theorem 5.
///
/// ```text
/// d/dt |w - v|^2 / 2 = -(1/2pi) y^T M(theta) y,   y = (|w|, |v|)
/// M = [[pi, -((2 pi - theta) cos(theta) + sin(theta))/2], [same, pi - theta + sin(theta) cos(theta)]]
/// ```
///
/// Source: Tian (2017), Theorem 5 and its proof; docs/theory/single_relu.md, (S.4).
///
/// - Domain: `0 <= theta <= pi`.
/// - Accuracy: absolute, `4 EPSILON pi`. For the determinant use [`theorem5_determinant`].
///
/// # Errors
///
/// [`SingleReluError::Angle`].
pub fn theorem5_matrix(theta: f64) -> Result<[[f64; 2]; 2], SingleReluError> {
    check_angle(theta)?;
    let (s, c) = libm::sincos(theta);
    let off = -0.5 * ((2.0 * PI - theta) * c + s);
    Ok([[PI, off], [off, (PI - theta) + s * c]])
}

/// Determinant of `M(theta)`, without cancellation near `theta = 0`.
///
/// ```text
/// det M = pi (pi - theta) sin(theta)^2 - c1(theta)^2 / 4,   c1(t) = sin t - t cos t
/// ```
///
/// Source: docs/theory/single_relu.md, (S.5).
///
/// - Domain: `0 <= theta <= pi`.
/// - Accuracy (measured, against 25 digits): relative `8 EPSILON` up to 2 radians, absolute `32 EPSILON` beyond.
///
/// # Errors
///
/// [`SingleReluError::Angle`].
///
/// # Examples
///
/// ```
/// let det = popgrad::theorem5_determinant(1e-9)?; // pi^2 theta^2
/// assert!((det / 9.869604401089358e-18 - 1.0).abs() < 1e-9);
/// # Ok::<(), popgrad::SingleReluError>(())
/// ```
pub fn theorem5_determinant(theta: f64) -> Result<f64, SingleReluError> {
    check_angle(theta)?;
    let (s, c1) = (libm::sin(theta), angular_c1(theta));
    Ok(PI * (PI - theta) * s * s - 0.25 * c1 * c1)
}

/// Whether `w` lies in `Omega = {w : |w - v| < |v|}`, the set from which Theorem 5 proves convergence.
///
/// ```text
/// w in Omega  <=>  w.(2 v - w) > 0
/// ```
///
/// Source: Tian (2017), Theorem 5; docs/theory/single_relu.md, (S.13). The flow itself converges from every start
/// off the ray along `-v`; Omega is sufficient only.
///
/// - Domain: all finite vectors; zero is not in the open set.
/// - Accuracy: the sign of a sum of products; exact unless `w` is within `4 d EPSILON |v|` of the boundary.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`].
///
/// # Examples
///
/// ```
/// assert!(popgrad::in_omega(&[0.1, 0.1], &[1.0, 0.0])?);
/// assert!(!popgrad::in_omega(&[0.1, 0.5], &[1.0, 0.0])?);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn in_omega(w: &[f64], v: &[f64]) -> Result<bool, VectorError> {
    check_pair(("w", w), ("v", v))?;
    let n = norm(w);
    if n == 0.0 {
        return Ok(false);
    }
    let mirror: Vec<f64> = w.iter().zip(v).map(|(w, v)| 2.0 * v - w).collect();
    let unit: Vec<f64> = w.iter().map(|x| x / n).collect();
    Ok(dot(&unit, &mirror) > 0.0)
}

/// Rate at which half the squared distance to the teacher changes along the flow, `dV/dt`, `V = |w - v|^2 / 2`.
///
/// ```text
/// dV/dt = -(w - v).grad J = -(1/2pi) y^T M(theta) y
/// ```
///
/// Source: Tian (2017), Theorem 5, divided by the number of samples; docs/theory/single_relu.md, (S.4). The first form is
/// evaluated, which keeps its relative accuracy near `w = v`.
///
/// - Domain: finite vectors, `w` not zero.
/// - Accuracy (measured, against the quadratic form): absolute `16 EPSILON (|w| + |v|)^2`; near `w = v` relative.
///
/// # Errors
///
/// As [`single_relu_gradient`].
pub fn distance_decrease(w: &[f64], v: &[f64]) -> Result<f64, VectorError> {
    let gradient = single_relu_gradient(w, v)?;
    let gap: Vec<f64> = w.iter().zip(v).map(|(a, b)| a - b).collect();
    Ok(-dot(&gap, &gradient))
}
