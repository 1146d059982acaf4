//! Theorem 6: the probability that a random start lies in Omega, exactly.
//!
//! `Omega = {w : |w - v| < |v|}`, and radii are in units of `|v|`. On the sphere of radius `rho < 2` Omega is the cap of
//! cosine above `rho/2`, whose fraction is `I_{1 - rho^2/4}((d-1)/2, 1/2) / 2`. Derivation:
//! docs/theory/single_relu.md, equations (S.13)-(S.18). The paper states a lower bound for the ball only.

use super::SingleReluError;
use crate::beta::{log_of_pair, log_scaled, of_pair, stirling_remainder};
use std::f64::consts::{PI, SQRT_2};

/// The integrand is followed until it has dropped by this factor's logarithm from its peak.
const DROP: f64 = 45.0;

/// Step of the double-exponential rule. A bell that fills the window gets two nodes for each standard deviation;
/// with twice the step the error is above 1e-10.
const STEP: f64 = 1.0 / 48.0;

/// Nodes on each side: at `155/48` the remaining weight is below 1e-17.
const NODES: i32 = 155;

fn check(d: usize, parameter: &'static str, value: f64) -> Result<(), SingleReluError> {
    if d == 0 {
        return Err(SingleReluError::NoDimension);
    }
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(SingleReluError::NotPositive { parameter, value })
    }
}

/// Probability that `w` uniform in the ball of radius `r |v|` in `R^d` satisfies `|w - v| < |v|`.
///
/// ```text
/// r <= sqrt 2:     P = I_{1 - r^2/4}((d+1)/2, 1/2)/2 + r^-d I_{r^2 - r^4/4}((d+1)/2, 1/2)/2
/// sqrt 2 < r < 2:  P = I_{1 - r^2/4}((d+1)/2, 1/2)/2 + r^-d (1 - I_{r^2 - r^4/4}((d+1)/2, 1/2)/2)
/// r >= 2:          P = r^-d
/// ```
///
/// Source: docs/theory/single_relu.md, (S.15), (S.16). Tian (2017), Theorem 6, bounds it from below by
/// [`theorem6_bound`].
///
/// - Domain: `d >= 1`, `r > 0` in units of `|v|`.
/// - Accuracy (measured, against 25 digits, `d` up to 10^6): relative error at most `4 EPSILON (1 + |ln P|)`.
///
/// # Errors
///
/// [`SingleReluError::NoDimension`], [`SingleReluError::NotPositive`].
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad::ball_probability(3, 2.0)?, 0.125);
/// assert!((popgrad::ball_probability(1, 0.5)? - 0.5).abs() < 1e-15);
/// # Ok::<(), popgrad::SingleReluError>(())
/// ```
pub fn ball_probability(d: usize, r: f64) -> Result<f64, SingleReluError> {
    check(d, "radius", r)?;
    let n = d as f64;
    if r >= 2.0 {
        return Ok(libm::pow(r, -n));
    }
    let p = 0.5 * (n + 1.0);
    let y = 0.25 * r * r;
    let cap = of_pair(p, 0.5, (1.0 - 0.5 * r) * (1.0 + 0.5 * r), y);
    // The second argument is z = r^2 (1 - y), and 1 - z = (1 - r^2/2)^2 exactly.
    let half = (1.0 - r / SQRT_2) * (1.0 + r / SQRT_2);
    let (z, rest) = (r * r * (1.0 - y), half * half);
    if r > SQRT_2 {
        let outside = 1.0 - 0.5 * of_pair(p, 0.5, z, rest);
        return Ok(0.5 * cap + libm::pow(r, -n) * outside);
    }
    // r^-d z^p = r (1 - y)^p, so that neither power is formed.
    let log = if rest > 0.0 { log_scaled(p, 0.5, z, rest) } else { -p * libm::log(z) };
    let inside = r * libm::exp(log + p * libm::log1p(-y));
    Ok(0.5 * (cap + inside))
}

/// Probability that `w` with independent centred Gaussian coordinates of standard deviation `sd |v|` satisfies
/// `|w - v| < |v|`.
///
/// ```text
/// P = E[ I_{1 - rho^2/4}((d-1)/2, 1/2) / 2 ; rho < 2 ],   rho = sd chi_d
/// ```
///
/// With `sd = c / sqrt(d)`, the usual scale of initialisation, this falls exponentially in `d`; with `sd = c / d` it
/// has a positive limit.
///
/// Source: docs/theory/single_relu.md, (S.17), (S.18).
///
/// - Domain: `d >= 1`, `sd > 0` in units of `|v|`.
/// - Method: double-exponential quadrature with 311 nodes around the peak of the integrand.
/// - Accuracy (measured, against 25 digits, `d` up to 1000): relative error at most `64 EPSILON (1 + |ln P|)`.
///
/// # Errors
///
/// [`SingleReluError::NoDimension`], [`SingleReluError::NotPositive`].
///
/// # Examples
///
/// ```
/// let small = popgrad::gaussian_probability(1000, 0.5 / 1000.0_f64.sqrt())?;
/// assert!(small > 1e-15 && small < 2e-15);
/// # Ok::<(), popgrad::SingleReluError>(())
/// ```
pub fn gaussian_probability(d: usize, sd: f64) -> Result<f64, SingleReluError> {
    check(d, "standard deviation", sd)?;
    if d == 1 {
        return Ok(0.5 * libm::erf(SQRT_2 / sd));
    }
    let law = Radial::new(d, sd);
    let peak = law.peak();
    let top = law.log_density(peak);
    let low = law.edge(peak, -1.0, top - DROP);
    let high = law.edge(peak, law.end, top - DROP);
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let mut sum = 0.0;
    for i in -NODES..=NODES {
        let t = STEP * f64::from(i);
        let inner = 0.5 * PI * libm::sinh(t);
        let weight = 0.5 * PI * libm::cosh(t) / (libm::cosh(inner) * libm::cosh(inner));
        sum += weight * libm::exp(law.log_density(middle + half * libm::tanh(inner)) - top);
    }
    Ok(libm::exp(top) * (STEP * half * sum))
}

/// The integrand of (S.18) in `tau`, where `chi_d = sqrt(d-1) (1 + tau)`: the mode of `chi_d` is `tau = 0`.
struct Radial {
    /// `d - 1`.
    degrees: f64,
    /// `rho` at the mode, `sd sqrt(d-1)`.
    scale: f64,
    /// Logarithm of the density of `tau` at zero.
    log_mode: f64,
    /// Where `rho = 2`.
    end: f64,
}

impl Radial {
    fn new(d: usize, sd: f64) -> Self {
        let n = d as f64;
        let degrees = n - 1.0;
        let scale = sd * degrees.sqrt();
        // (S.18): the density of chi_d at its mode by Stirling's formula, times sqrt(d-1).
        let log_mode =
            0.5 * degrees * libm::log1p(-1.0 / n) + 0.5 - 0.5 * libm::log(PI) - stirling_remainder(0.5 * n)
                + 0.5 * libm::log(degrees);
        Self { degrees, scale, log_mode, end: 2.0 / scale - 1.0 }
    }

    fn log_density(&self, tau: f64) -> f64 {
        if tau <= -1.0 || tau >= self.end {
            return f64::NEG_INFINITY;
        }
        let radial = self.degrees * (libm::log1p(tau) - tau * (1.0 + 0.5 * tau));
        let half = 0.5 * self.scale * (1.0 + tau);
        let cap = log_of_pair(0.5 * self.degrees, 0.5, (1.0 - half) * (1.0 + half), half * half);
        self.log_mode + radial + cap - std::f64::consts::LN_2
    }

    /// Place of the largest value, by ternary search: both factors are log-concave where they matter.
    fn peak(&self) -> f64 {
        let (mut low, mut high) = (-1.0_f64, self.end.min(40.0));
        for _ in 0..120 {
            let third = (high - low) / 3.0;
            if self.log_density(low + third) < self.log_density(high - third) {
                low += third;
            } else {
                high -= third;
            }
        }
        0.5 * (low + high)
    }

    /// The point between `peak` and `limit` where the logarithm falls to `level`, or `limit`.
    fn edge(&self, peak: f64, limit: f64, level: f64) -> f64 {
        let (mut inside, mut outside) = (peak, limit.min(60.0));
        for _ in 0..60 {
            let middle = 0.5 * (inside + outside);
            if self.log_density(middle) > level { inside = middle } else { outside = middle }
        }
        outside
    }
}

/// The radius of Theorem 6 in units of `|v|`.
///
/// ```text
/// r = eps sqrt(2 pi / (d + 1))
/// ```
///
/// Source: Tian (2017), Theorem 6. It is the radius of a ball: one coordinate of a point uniform in it has the
/// standard deviation `r / sqrt(d+2)`, of order `eps / d`.
///
/// # Errors
///
/// [`SingleReluError::NoDimension`], [`SingleReluError::NotPositive`].
pub fn theorem6_radius(d: usize, eps: f64) -> Result<f64, SingleReluError> {
    check(d, "eps", eps)?;
    Ok(eps * (2.0 * PI / (d as f64 + 1.0)).sqrt())
}

/// The paper's lower bound `(1 - eps) / 2` of [`ball_probability`] at [`theorem6_radius`].
///
/// Source: Tian (2017), Theorem 6; docs/theory/single_relu.md, (S.16). As `d` grows the probability itself tends to
/// `Phi(-eps sqrt(pi/2))`, which touches the bound at `eps = 0`.
///
/// # Errors
///
/// [`SingleReluError::NotPositive`].
pub fn theorem6_bound(eps: f64) -> Result<f64, SingleReluError> {
    check(1, "eps", eps)?;
    Ok(0.5 * (1.0 - eps))
}
