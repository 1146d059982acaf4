//! Angles between vectors, to full relative accuracy near 0 and near pi.
//!
//! `acos(u.v / |u||v|)` loses half the digits at both ends. Here the component of `v` orthogonal to `u` is
//! formed twice with fused multiply-adds, and the angle and its supplement come from one `atan2` each
//! (docs/theory/kernel.md, equation K.2). Laws of `x` play no part. Accuracy: relative, measured.

use crate::Kind;
use crate::vector::{dot, first_non_finite, power_of_two_scale};
use thiserror::Error;

/// Why an angle, a kernel or a gating value could not be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum VectorError {
    /// The two vectors live in different spaces.
    #[error(
        "{first} has {first_len} components but {second} has {second_len}; both must equal the input dimension d"
    )]
    Dimension {
        /// Name of the first argument.
        first: &'static str,
        /// Its length.
        first_len: usize,
        /// Name of the second argument.
        second: &'static str,
        /// Its length.
        second_len: usize,
    },
    /// An entry is NaN or infinite.
    #[error("{which}[{index}] = {value} is not finite")]
    NonFinite {
        /// Name of the argument.
        which: &'static str,
        /// Position of the first offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A direction was asked of the zero vector.
    #[error("{which} is the zero vector, which has no direction")]
    Zero {
        /// Name of the argument.
        which: &'static str,
    },
}

impl VectorError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// An angle in `[0, pi]` and its supplement, each with its own full relative accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Angle {
    /// The angle theta, in radians.
    pub theta: f64,
    /// `pi - theta`, in radians; not computed as that difference.
    pub psi: f64,
}

/// Checks that two vectors have one dimension and finite entries.
pub(crate) fn check_pair(
    (first, u): (&'static str, &[f64]),
    (second, v): (&'static str, &[f64]),
) -> Result<(), VectorError> {
    if u.len() != v.len() {
        return Err(VectorError::Dimension { first, first_len: u.len(), second, second_len: v.len() });
    }
    for (which, x) in [(first, u), (second, v)] {
        if let Some((index, value)) = first_non_finite(x) {
            return Err(VectorError::NonFinite { which, index, value });
        }
    }
    Ok(())
}

/// The part of `v` orthogonal to `u`, to full relative accuracy: formed twice, each time with fused
/// multiply-adds. `u` must not be zero; both vectors must be of moderate size.
pub(crate) fn orthogonal_part(u: &[f64], v: &[f64]) -> Vec<f64> {
    let uu = dot(u, u);
    let c = dot(u, v) / uu;
    let mut residual: Vec<f64> = u.iter().zip(v).map(|(a, b)| (-c).mul_add(*a, *b)).collect();
    let c2 = dot(&residual, u) / uu;
    for (r, a) in residual.iter_mut().zip(u) {
        *r = (-c2).mul_add(*a, *r);
    }
    residual
}

/// `v` split along and across `u`, for vectors of any finite magnitude, `u` not zero.
pub(crate) struct Split {
    /// `u / |u|`.
    pub(crate) axis: Vec<f64>,
    /// `|v|`, possibly zero.
    pub(crate) length: f64,
    /// `v_perp / |v|`, or zeros when `v` is zero.
    pub(crate) across: Vec<f64>,
    /// Angle between the two; zero when `v` is zero.
    pub(crate) angle: Angle,
}

/// Splits `v` along and across `u`; see [`Split`].
pub(crate) fn split(u: &[f64], v: &[f64]) -> Split {
    let (su, sv) = (power_of_two_scale(u), power_of_two_scale(v));
    let u: Vec<f64> = u.iter().map(|x| x * su).collect();
    let v: Vec<f64> = v.iter().map(|x| x * sv).collect();
    let (nu, nv) = (dot(&u, &u).sqrt(), dot(&v, &v).sqrt());
    let axis: Vec<f64> = u.iter().map(|x| x / nu).collect();
    if nv == 0.0 {
        let across = vec![0.0; v.len()];
        return Split { axis, length: 0.0, across, angle: Angle { theta: 0.0, psi: std::f64::consts::PI } };
    }
    let mut across = orthogonal_part(&u, &v);
    let (q, p) = (dot(&u, &v) / nu, dot(&across, &across).sqrt());
    for r in &mut across {
        *r /= nv;
    }
    Split {
        axis,
        length: nv / sv,
        across,
        angle: Angle { theta: libm::atan2(p, q), psi: libm::atan2(p, -q) },
    }
}

/// Angle between `u` and `v`, and its supplement, both to full relative accuracy.
///
/// ```text
/// theta = atan2(|v_perp|, v.u/|u|),   psi = pi - theta = atan2(|v_perp|, -v.u/|u|)
/// ```
///
/// Source: docs/theory/kernel.md, (K.2).
///
/// - Shapes: `u`, `v` of length `d >= 1`.
/// - Units: radians.
/// - Domain: all finite vectors but zero; any magnitude.
/// - Accuracy (measured, against 150 digits): relative error of each of `theta` and `psi` at most `4 EPSILON`, with a
///   floor of `4 EPSILON^2` absolute, which only vectors parallel to the last bits meet.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`], [`VectorError::Zero`].
///
/// # Examples
///
/// ```
/// let a = popgrad::angle(&[1.0, 0.0], &[-1.0, 1e-12])?;
/// assert_eq!(a.psi, 1e-12);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn angle(u: &[f64], v: &[f64]) -> Result<Angle, VectorError> {
    check_pair(("u", u), ("v", v))?;
    for (which, x) in [("u", u), ("v", v)] {
        if x.iter().all(|c| *c == 0.0) {
            return Err(VectorError::Zero { which });
        }
    }
    Ok(split(u, v).angle)
}
