//! A student in the closed variables, and the checks of one.
//!
//! Derivation: docs/theory/cnn_dynamics.md, equation (W.40). Angles are in radians.

use super::CnnError;
use crate::angle::Angle;

/// A student in the variables of the closed dynamics, in the order `[x, y, alpha, S_a, r]`.
///
/// The sign of `y` has no meaning: a step of gradient descent that turns the filter past the axis of `w*` leaves `y`
/// negative, and every function reads `|y|` as the length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CnnState {
    /// `x = v.w*/|w*|`, the filter along the teacher's.
    pub x: f64,
    /// `y = |v - x w*/|w*||`, the filter across the teacher's.
    pub y: f64,
    /// `alpha = a.a*`.
    pub overlap: f64,
    /// `S_a = 1.a`.
    pub sum: f64,
    /// `r`, the length of the part of `a` orthogonal to `1` and to `a*`.
    pub rest: f64,
}

impl CnnState {
    /// The state of a filter of length `norm` at an angle `phi` to the teacher's, with `r = 0`.
    ///
    /// ```text
    /// x = norm cos(phi),   y = norm sin(phi)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.40).
    ///
    /// - Units: `phi` in radians.
    /// - Accuracy: one rounding of each product; near `pi` the angle comes back with the absolute error of `phi`.
    pub fn at_angle(norm: f64, phi: f64, overlap: f64, sum: f64) -> Self {
        let (sine, cosine) = libm::sincos(phi);
        Self { x: norm * cosine, y: norm * sine, overlap, sum, rest: 0.0 }
    }

    /// The state as `[x, y, alpha, S_a, r]`.
    pub fn to_array(&self) -> [f64; 5] {
        [self.x, self.y, self.overlap, self.sum, self.rest]
    }

    /// The state from `[x, y, alpha, S_a, r]`.
    pub fn from_array([x, y, overlap, sum, rest]: [f64; 5]) -> Self {
        Self { x, y, overlap, sum, rest }
    }

    /// Length of the filter, `|v| = sqrt(x^2 + y^2)`.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.40).
    ///
    /// - Accuracy (measured): relative error at most `EPSILON`.
    pub fn filter_norm(&self) -> f64 {
        libm::hypot(self.x, self.y)
    }

    /// Angle between the filter and the teacher's, with its supplement.
    ///
    /// ```text
    /// phi = atan2(|y|, x),   pi - phi = atan2(|y|, -x)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.40).
    ///
    /// - Accuracy (measured): relative error of each at most `2 EPSILON`.
    pub fn angle(&self) -> Angle {
        let y = self.y.abs();
        Angle { theta: libm::atan2(y, self.x), psi: libm::atan2(y, -self.x) }
    }
}

/// Finite, with a filter that is not zero.
pub(crate) fn check(state: &CnnState) -> Result<(), CnnError> {
    check_finite("the state [x, y, a.a*, 1.a, r]", &state.to_array())?;
    if state.x == 0.0 && state.y == 0.0 {
        return Err(CnnError::ZeroFilter { what: "its angle with the teacher's" });
    }
    Ok(())
}

pub(crate) fn check_finite(name: &'static str, list: &[f64]) -> Result<(), CnnError> {
    match crate::vector::first_non_finite(list) {
        Some((index, value)) => Err(CnnError::NonFinite { name, index, value }),
        None => Ok(()),
    }
}

/// A step of gradient descent.
pub(crate) fn check_step(step: f64) -> Result<(), CnnError> {
    check_finite("the step [eta]", &[step])?;
    if step <= 0.0 { Err(CnnError::NotPositive { name: "the step eta", value: step }) } else { Ok(()) }
}
