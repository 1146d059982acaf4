//! Gaussian moments of ReLU pairs, in closed form: kernel, gating function, their second derivatives.
//!
//! For inputs `x ~ N(0, I_d)` and weights `u`, `v` this module evaluates `k(u, v) = E[relu(u.x) relu(v.x)]`, the
//! only integral that a bias-free population loss needs, its gradient `F` (Tian 2017, Theorem 1) and its second
//! derivatives. Derivation: docs/theory/kernel.md, equations (K.1)-(K.9). Angles are in radians.
//!
//! Accuracy: relative for `h`, `c1`, `k` and the probability, also as `v -> -u`; relative to the natural scale
//! (`|w|` for `F`, `|v|/|u|` and 1 for the second derivatives) otherwise. Measured, see [`crate::accuracy`].

use crate::angle::{Angle, VectorError, check_pair, split};
use crate::matrix::Matrix;
use std::f64::consts::{PI, TAU};

/// `pi - PI`: what the double `PI` lacks.
const PI_LOW: f64 = 1.224_646_799_147_353_2e-16;

/// Coefficients of `c1(t) / t^3` in powers of `t^2`: `(-1)^(n+1) 2n / (2n+1)!`, `n = 1..=12`.
/// With eleven terms the truncation error below `t = 1` is under 1e-23.
const C1_SERIES: [f64; 12] = [
    2.0 / 6.0,
    -4.0 / 120.0,
    6.0 / 5040.0,
    -8.0 / 362_880.0,
    10.0 / 39_916_800.0,
    -12.0 / 6_227_020_800.0,
    14.0 / 1_307_674_368_000.0,
    -16.0 / 355_687_428_096_000.0,
    18.0 / 121_645_100_408_832_000.0,
    -20.0 / 51_090_942_171_709_440_000.0,
    22.0 / 25_852_016_738_884_976_640_000.0,
    -24.0 / 15_511_210_043_330_985_984_000_000.0,
];

/// `c1(t) = sin t - t cos t`, without cancellation.
///
/// ```text
/// c1(t) = t^3/3 - t^5/30 + t^7/840 - ...
/// ```
///
/// Source: docs/theory/kernel.md, (K.4).
///
/// - Units: `t` in radians.
/// - Domain: `0 <= t <= pi`; the series below 1, the definition above. NaN gives NaN.
/// - Accuracy (measured, against 150 digits): relative error at most `4 EPSILON`.
///
/// # Examples
///
/// ```
/// let third = popgrad::angular_c1(1e-8) / 1e-24; // sin t - t cos t itself would give 0 here
/// assert!((third - 1.0 / 3.0).abs() < 1e-15);
/// ```
pub fn angular_c1(t: f64) -> f64 {
    if t >= 1.0 {
        let (s, c) = libm::sincos(t);
        return s - t * c;
    }
    let z = t * t;
    let mut sum = C1_SERIES[11];
    for c in C1_SERIES[..11].iter().rev() {
        sum = sum.mul_add(z, *c);
    }
    sum * z * t
}

/// Tian's `h(t) = (pi - t) cos t + sin t`, without cancellation near `pi`.
///
/// ```text
/// h(0) = pi,  h(pi/2) = 1,  h(pi) = 0,  h(pi - psi) = c1(psi),  h'(t) = -(pi - t) sin t
/// ```
///
/// Source: Tian (2017), before eq. 13; docs/theory/kernel.md, (K.3).
///
/// - Units: `t` in radians.
/// - Domain: `0 <= t <= pi`. NaN gives NaN.
/// - Accuracy (measured, against 150 digits): relative error at most `4 EPSILON`, with `t` taken as exact.
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::angular_h(0.0), std::f64::consts::PI);
/// assert!((popgrad::angular_h(std::f64::consts::FRAC_PI_2) - 1.0).abs() < 1e-15);
/// ```
pub fn angular_h(t: f64) -> f64 {
    let psi = (PI - t) + PI_LOW;
    if t > 1.2 {
        return angular_c1(psi);
    }
    let (s, c) = libm::sincos(t);
    psi * c + s
}

/// `h` of an angle known together with its supplement.
pub(crate) fn h_of(angle: Angle) -> f64 {
    if angle.theta > 1.2 { angular_c1(angle.psi) } else { angular_h(angle.theta) }
}

fn is_zero(u: &[f64]) -> bool {
    u.iter().all(|x| *x == 0.0)
}

/// Second moment `k(u, v) = E[relu(u.x) relu(v.x)]` for `x ~ N(0, I_d)`.
///
/// ```text
/// k(u, v) = |u| |v| h(theta) / (2 pi),   theta = angle(u, v)
/// ```
///
/// Source: Cho & Saul (2009), order-1 arc-cosine kernel `k_1 = 2 k`; docs/theory/kernel.md, (K.1).
///
/// - Shapes: `u`, `v` of length `d >= 1`.
/// - Units: `[k] = [u][v]`.
/// - Domain: all finite vectors; `k = 0` if either is zero (the limit).
/// - Accuracy (measured, against 150 digits): relative error at most `8 EPSILON`, also for nearly antiparallel
///   vectors, where `k` vanishes like the cube of the remaining angle; below an angle of `EPSILON`, absolute error
///   at most `8 EPSILON^4 |u||v|`.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`].
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::kernel(&[3.0, 4.0], &[3.0, 4.0])?, 12.5);
/// assert_eq!(popgrad::kernel(&[1.0, 0.0], &[-1.0, 0.0])?, 0.0);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn kernel(u: &[f64], v: &[f64]) -> Result<f64, VectorError> {
    check_pair(("u", u), ("v", v))?;
    if is_zero(u) || is_zero(v) {
        return Ok(0.0);
    }
    let s = split(u, v);
    Ok(crate::vector::norm(u) * (h_of(s.angle) / TAU) * s.length)
}

/// Probability that two units are active together, `P(u.x > 0, v.x > 0) = (pi - theta) / (2 pi)`.
///
/// Source: docs/theory/kernel.md, (K.5). It holds for every centred rotation-invariant law.
///
/// - Shapes: `u`, `v` of length `d >= 1`.
/// - Domain: all finite vectors but zero.
/// - Accuracy (measured): relative error at most `5 EPSILON`, with a floor of `5 EPSILON^2` absolute.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`], [`VectorError::Zero`].
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::joint_activation(&[1.0, 0.0], &[0.0, 2.0])?, 0.25);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn joint_activation(u: &[f64], v: &[f64]) -> Result<f64, VectorError> {
    Ok(crate::angle::angle(u, v)?.psi / TAU)
}

/// Gating function of Theorem 1, `F(e, w) = E[x 1(e.x > 0) relu(w.x)]` for `x ~ N(0, I_d)`.
///
/// ```text
/// F(e, w) = (1/2pi) [(pi - theta) w + |w| sin(theta) e/|e|] = (1/2pi) [|w| h(theta) e/|e| + (pi - theta) w_perp]
/// ```
///
/// The second form has no cancellation near `theta = pi` and is the one evaluated.
///
/// Source: Tian (2017), Theorem 1, eq. 5, divided by the number of samples; docs/theory/kernel.md, (K.6).
///
/// - Shapes: `e`, `w` of length `d >= 1`; the result has length `d`.
/// - Units: those of `w`; `F` depends on `e` through its direction only.
/// - Domain: all finite vectors with `e` not zero; `F = 0` if `w` is zero.
/// - Accuracy (measured, against 150 digits): error at most `8 EPSILON |w|` in Euclidean norm.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`], [`VectorError::Zero`] if `e` is zero.
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::gating(&[0.0, 3.0], &[0.0, 3.0])?, [0.0, 1.5]);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn gating(e: &[f64], w: &[f64]) -> Result<Vec<f64>, VectorError> {
    check_pair(("e", e), ("w", w))?;
    if is_zero(e) {
        return Err(VectorError::Zero { which: "e" });
    }
    let s = split(e, w);
    let (along, across) = (h_of(s.angle) / TAU, s.angle.psi / TAU);
    Ok(s.axis.iter().zip(&s.across).map(|(a, r)| along.mul_add(*a, across * r) * s.length).collect())
}

/// Second derivatives of the kernel `k(w, u)`.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelHessian {
    /// `H1 = d^2 k / dw dw^T`, `d x d`, positive semidefinite.
    pub own: Matrix,
    /// `H2 = d^2 k / dw du^T`, `d x d`, row index `w`.
    pub cross: Matrix,
}

/// Second derivatives of `k(w, u)`, with their limits at `theta = 0` and `theta = pi`.
///
/// ```text
/// H1 = |u| sin(theta) / (2pi |w|) (I - w^w^T + n n^T)
/// H2 = (1/2pi) [(pi - theta) I + sin(theta) (n m^T + w^ u^T)]
/// n = (u^ - cos(theta) w^) / sin(theta),   m = (w^ - cos(theta) u^) / sin(theta)
/// ```
///
/// Source: docs/theory/kernel.md, (K.8), (K.9). At `theta = 0`: `H1 = 0`, `H2 = I/2`; at `pi` both vanish.
///
/// - Shapes: `w`, `u` of length `d >= 1`.
/// - Domain: all finite vectors but zero.
/// - Accuracy (measured, against 150 digits): entries of `H1` to `4 EPSILON |u|/|w|`, of `H2` to `4 EPSILON`.
///
/// # Errors
///
/// [`VectorError::Dimension`], [`VectorError::NonFinite`], [`VectorError::Zero`].
///
/// # Examples
///
/// ```
/// let h = popgrad::kernel_hessian(&[2.0, 0.0], &[2.0, 0.0])?;
/// assert_eq!(h.own.as_slice(), [0.0; 4]);
/// assert_eq!(h.cross.as_slice(), [0.5, 0.0, 0.0, 0.5]);
/// # Ok::<(), popgrad::VectorError>(())
/// ```
pub fn kernel_hessian(w: &[f64], u: &[f64]) -> Result<KernelHessian, VectorError> {
    check_pair(("w", w), ("u", u))?;
    for (which, x) in [("w", w), ("u", u)] {
        if is_zero(x) {
            return Err(VectorError::Zero { which });
        }
    }
    let d = w.len();
    let (from_w, from_u) = (split(w, u), split(u, w));
    let sine = libm::sin(from_w.angle.theta.min(from_w.angle.psi));
    let unit = |x: &[f64]| -> Vec<f64> {
        let n = crate::vector::norm(x);
        x.iter().map(|c| if n > 0.0 { c / n } else { 0.0 }).collect()
    };
    let (n, m) = (unit(&from_w.across), unit(&from_u.across));
    let (e, f) = (&from_w.axis, &from_u.axis);
    let ratio = from_w.length / from_u.length;
    let mut own = Matrix::zeros(d, d);
    let mut cross = Matrix::zeros(d, d);
    for i in 0..d {
        for j in 0..d {
            let identity = f64::from(u8::from(i == j));
            own.row_mut(i)[j] = ratio * (sine / TAU) * (identity - e[i] * e[j] + n[i] * n[j]);
            cross.row_mut(i)[j] =
                (from_w.angle.psi * identity + sine * n[i].mul_add(m[j], e[i] * f[j])) / TAU;
        }
    }
    Ok(KernelHessian { own, cross })
}

/// `|F(e, w)| / |w|` from the cosine, to a few digits: for error bounds.
pub(crate) fn gating_norm(cosine: f64) -> f64 {
    let c = cosine.clamp(-1.0, 1.0);
    let (sine, psi) = ((1.0 - c * c).sqrt(), libm::acos(-c));
    let (along, across) = (psi * c + sine, psi * sine);
    (along * along + across * across).sqrt() / TAU
}
