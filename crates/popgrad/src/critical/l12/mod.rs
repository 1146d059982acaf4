//! `L12` and `L21` of two students: the function behind Theorems 3, 4 and Conjecture 1 of Tian (2017).
//!
//! For students at angle theta and a teacher at angle phi from the first, `L12 = (sin theta / D) F(theta, phi)`, where
//! `D = pi^2 - h(theta)^2 > 0` and `F` is evaluated region by region with its zeros as factors; the 2 x 2 system of
//! (N.10) is never solved. Derivation: docs/theory/normal_equation.md, (N.14)-(N.25). Angles are in radians.
//! Accuracy: relative, the angles taken as exact; see [`crate::accuracy`]. Values below the range of doubles, which begin
//! at theta = 1e-60, are zero.

mod error;
mod grid;
mod planar;
mod region;
mod row;
mod survey;
mod theta;

pub use error::L12Error;
pub use grid::{L12Map, SignForm};
pub(super) use planar::{orientation, planar_pair};
pub use survey::{SignAdvance, SignCount, SignSurvey};

use region::{Region, supplement};
use std::f64::consts::{PI, TAU};
use theta::ThetaPart;

/// Checks both angles and finds the region; `None` where everything vanishes with theta.
fn place(theta: f64, phi: f64) -> Result<Option<(ThetaPart, Region)>, L12Error> {
    for (name, value, low, high) in [("theta", theta, 0.0, PI), ("phi", phi, -PI, TAU)] {
        if !(low..=high).contains(&value) {
            return Err(L12Error::Angle { name, value, low, high });
        }
    }
    if theta == 0.0 {
        return Ok(None);
    }
    Ok(Some((ThetaPart::new(theta, supplement(theta)), Region::of(theta, phi))))
}

/// `F`, the factor of `L12` that carries its sign and its zeros.
///
/// ```text
/// F(theta, phi) = D (pi - t1) sin phi - eta [pi h(t2) - h(theta) h(t1)],   L12 = (sin theta / D) F
/// D = pi^2 - h(theta)^2,   eta = (pi - theta) sin theta,   t1, t2 = angles of the teacher to the students
/// ```
///
/// Source: Tian (2017), eq. 14 for K = 2; docs/theory/normal_equation.md, (N.15), in the forms (N.19)-(N.22).
///
/// - Units: radians; `F` has none.
/// - Domain: `0 <= theta <= pi`, `-pi <= phi <= 2 pi`; exactly 0 on `theta = 0`, `phi = 0` and `phi = theta`. The double
///   nearest to 2 pi lies beside that angle, and so beside its zero.
/// - Accuracy (measured, against 150 digits): relative error at most `12 EPSILON`.
///
/// # Errors
///
/// [`L12Error::Angle`].
///
/// # Examples
///
/// ```
/// assert!(popgrad::l12_numerator(1e-6, 0.5e-6)? > 0.0);
/// assert!(popgrad::l12_numerator(1e-6, 1.5e-6)? < 0.0);
/// assert_eq!(popgrad::l12_numerator(1e-6, 1e-6)?, 0.0);
/// # Ok::<(), popgrad::L12Error>(())
/// ```
pub fn l12_numerator(theta: f64, phi: f64) -> Result<f64, L12Error> {
    Ok(place(theta, phi)?.map_or(0.0, |(t, region)| region.numerator(&t) + 0.0))
}

/// `L12` of a unit teacher at angle `phi` from the first of two students at angle `theta`, all in one plane.
///
/// ```text
/// L12 = -2 pi e2 . grad_{w1} J  per unit length of the teacher, the students' lengths being those of (N.8)
/// ```
///
/// Source: Tian (2017), eq. 14; docs/theory/normal_equation.md, (N.14).
///
/// - Units: radians; the value has none. The gradient is per sample, for standard Gaussian input.
/// - Domain: `0 <= theta <= pi`, `-pi <= phi <= 2 pi`; exactly 0 on `theta = 0`, `phi = 0` and `phi = theta`.
/// - Accuracy (measured, against 150 digits): relative error at most `12 EPSILON`.
///
/// # Errors
///
/// [`L12Error::Angle`].
///
/// # Examples
///
/// ```
/// let theta = 1e-4; // at the bisector L12 is theta^3 / 4 to leading order
/// assert!((popgrad::l12(theta, 0.5 * theta)? / 1e-12 - 0.25).abs() < 1e-4);
/// # Ok::<(), popgrad::L12Error>(())
/// ```
pub fn l12(theta: f64, phi: f64) -> Result<f64, L12Error> {
    Ok(place(theta, phi)?.map_or(0.0, |(t, region)| t.scale() * region.numerator(&t) + 0.0))
}

/// `L21`, the same with the students exchanged: `L21(theta, phi) = L12(theta, theta - phi)`.
///
/// Source: Tian (2017), eq. 14; docs/theory/normal_equation.md, (N.25).
///
/// - Units: radians; the value has none.
/// - Domain: as [`l12`]; exactly 0 on `theta = 0`, `phi = 0` and `phi = theta`.
/// - Accuracy (measured, against 150 digits): relative error at most `12 EPSILON`.
///
/// # Errors
///
/// [`L12Error::Angle`].
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::l21(1.0, 0.25)?, popgrad::l12(1.0, 0.75)?);
/// # Ok::<(), popgrad::L12Error>(())
/// ```
pub fn l21(theta: f64, phi: f64) -> Result<f64, L12Error> {
    Ok(place(theta, phi)?.map_or(0.0, |(t, region)| t.scale() * region.mirrored().numerator(&t) + 0.0))
}
