//! Regularised incomplete beta function `I_x(p, q)` and its logarithm.
//!
//! `I_{sin^2 a}((d-1)/2, 1/2) / 2` is the fraction of the unit sphere of `R^d` within the angle `a` of a pole, which is what
//! initialisation probabilities are made of (docs/theory/single_relu.md, (S.14)). Both tails keep their digits for `d`
//! up to a million: the argument is taken together with its complement, and no difference of large logarithms
//! is formed. Derivation: docs/theory/single_relu.md, equations (S.19)-(S.22).

use crate::Kind;
use std::f64::consts::PI;
use thiserror::Error;

/// Why the function could not be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum BetaError {
    /// The first parameter is not positive and finite.
    #[error("p = {p} must be positive and finite")]
    First {
        /// The parameter.
        p: f64,
    },
    /// The second parameter is outside `(0, 1]`.
    #[error(
        "q = {q} must be above 0 and at most 1; use I_x(p, q) = 1 - I_(1-x)(q, p) where p is that parameter"
    )]
    Second {
        /// The parameter.
        q: f64,
    },
    /// The argument is outside `[0, 1]`.
    #[error("x = {x} must lie in [0, 1]")]
    Argument {
        /// The argument.
        x: f64,
    },
}

impl BetaError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// From here on five terms of Stirling's series leave less than 2e-17.
const STIRLING: f64 = 15.0;

/// Terms of a series or of a continued fraction at most; 300 are met in the whole domain `p <= 10^6`.
const TERMS: usize = 20_000;

/// `ln Gamma(x) - [(x - 1/2) ln x - x + ln(2 pi)/2]`, Stirling's remainder, for `x > 0`.
pub(crate) fn stirling_remainder(x: f64) -> f64 {
    if x < STIRLING {
        return libm::log(libm::tgamma(x)) - ((x - 0.5) * libm::log(x) - x + 0.5 * libm::log(2.0 * PI));
    }
    let z = 1.0 / (x * x);
    let sum = 1.0 / 12.0
        - z * (1.0 / 360.0
            - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z * (1.0 / 1188.0 - z * (691.0 / 360_360.0)))));
    sum / x
}

/// `ln B(p, q)` for `p > 0`, `0 < q <= 1`, without a difference of large logarithms (S.22).
fn log_beta(p: f64, q: f64) -> f64 {
    let gamma_q = libm::log(libm::tgamma(q));
    if p < STIRLING {
        return gamma_q + libm::log(libm::tgamma(p) / libm::tgamma(p + q));
    }
    let remainders = stirling_remainder(p) - stirling_remainder(p + q);
    gamma_q + ((q - (p - 0.5) * libm::log1p(q / p)) - q * libm::log(p + q)) + remainders
}

/// `sum_n (p+q)_n / (p+1)_n x^n`, all terms positive (S.19).
fn power_series(p: f64, q: f64, x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 0..TERMS {
        let n = n as f64;
        term *= (p + q + n) / (p + 1.0 + n) * x;
        sum += term;
        if term < 0.1 * f64::EPSILON * sum {
            break;
        }
    }
    sum
}

/// `2F1(1-q, 1; p+1; -x/y)` by Gauss's continued fraction, all terms positive for `q <= 1` (S.20).
fn continued_fraction(p: f64, q: f64, ratio: f64) -> f64 {
    let (a, c) = (1.0 - q, p + 1.0);
    let (mut value, mut numerator, mut denominator) = (1.0, 1.0, 0.0);
    for i in 0..TERMS {
        let k = (i / 2) as f64;
        let coefficient = if i % 2 == 0 {
            (a + k) * (c - 1.0 + k) / ((c + 2.0 * k - 1.0) * (c + 2.0 * k))
        } else {
            (k + 1.0) * (c - a + k) / ((c + 2.0 * k) * (c + 2.0 * k + 1.0))
        };
        let step = coefficient * ratio;
        // Modified Lentz; every quantity is positive, so nothing can vanish.
        denominator = 1.0 / (1.0 + step * denominator);
        numerator = 1.0 + step / numerator;
        let change = numerator * denominator;
        value *= change;
        if (change - 1.0).abs() <= 0.5 * f64::EPSILON {
            break;
        }
    }
    1.0 / value
}

/// `ln x` from whichever of `x` and `y = 1 - x` is exact.
fn log_of(x: f64, y: f64) -> f64 {
    if y < 0.5 { libm::log1p(-y) } else { libm::log(x) }
}

/// Whether `1 - I_x` is the smaller quantity that a short series gives.
fn is_upper(p: f64, q: f64, y: f64) -> bool {
    y <= 0.5 && y * (p + q) < 1.0
}

/// `1 - I_x(p, q)` where [`is_upper`] holds.
fn complement(p: f64, q: f64, x: f64, y: f64) -> f64 {
    let front = q * libm::log(y) + p * log_of(x, y) - log_beta(p, q);
    libm::exp(front) / q * power_series(q, p, y)
}

/// `ln(I_x(p, q) / x^p)` for `x + y = 1`, `x, y > 0`, `p > 0`, `0 < q <= 1`, parameters not checked.
pub(crate) fn log_scaled(p: f64, q: f64, x: f64, y: f64) -> f64 {
    if is_upper(p, q, y) {
        return libm::log1p(-complement(p, q, x, y)) - p * log_of(x, y);
    }
    let front = -libm::log(p) - log_beta(p, q);
    if x <= 0.5 {
        front + q * libm::log1p(-x) + libm::log(power_series(p, q, x))
    } else {
        front + (q - 1.0) * libm::log(y) + libm::log(continued_fraction(p, q, x / y))
    }
}

/// `ln I_x(p, q)` for `x + y = 1`, both given so that the smaller one is exact; parameters not checked.
pub(crate) fn log_of_pair(p: f64, q: f64, x: f64, y: f64) -> f64 {
    if y <= 0.0 {
        return 0.0;
    }
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if is_upper(p, q, y) {
        return libm::log1p(-complement(p, q, x, y));
    }
    log_scaled(p, q, x, y) + p * log_of(x, y)
}

/// `I_x(p, q)` for `x + y = 1`; see [`log_of_pair`].
pub(crate) fn of_pair(p: f64, q: f64, x: f64, y: f64) -> f64 {
    if y > 0.0 && x > 0.0 && is_upper(p, q, y) {
        return 1.0 - complement(p, q, x, y);
    }
    libm::exp(log_of_pair(p, q, x, y))
}

fn check(p: f64, q: f64, x: f64) -> Result<(), BetaError> {
    if !(p > 0.0 && p.is_finite()) {
        return Err(BetaError::First { p });
    }
    if !(q > 0.0 && q <= 1.0) {
        return Err(BetaError::Second { q });
    }
    if (0.0..=1.0).contains(&x) { Ok(()) } else { Err(BetaError::Argument { x }) }
}

/// Regularised incomplete beta function.
///
/// ```text
/// I_x(p, q) = integral_0^x t^(p-1) (1-t)^(q-1) dt / B(p, q)
/// ```
///
/// Source: DLMF 8.17.2; docs/theory/single_relu.md, (S.19)-(S.22).
///
/// - Domain: `p > 0` finite, `0 < q <= 1`, `0 <= x <= 1`.
/// - Accuracy (measured, `q = 1/2`, `p` up to 5e5, against 60 digits): relative error at most
///   `4 EPSILON (2 + |ln I|)`, with `x` taken as exact. Other `q`: not characterised.
///
/// # Errors
///
/// [`BetaError`] names the argument that is out of its domain.
///
/// # Examples
///
/// ```
/// // A quarter of the circle lies within pi/4 of a pole: I_{1/2}(1/2, 1/2) / 2.
/// let quarter = popgrad::incomplete_beta(0.5, 0.5, 0.5)? / 2.0;
/// assert!((quarter - 0.25).abs() < 1e-15);
/// # Ok::<(), popgrad::BetaError>(())
/// ```
pub fn incomplete_beta(p: f64, q: f64, x: f64) -> Result<f64, BetaError> {
    check(p, q, x)?;
    Ok(of_pair(p, q, x, 1.0 - x))
}

/// Logarithm of [`incomplete_beta`], also where the function itself is below the range of `f64`.
///
/// Source: docs/theory/single_relu.md, (S.19)-(S.22).
///
/// - Domain: as [`incomplete_beta`]; minus infinity at `x = 0`.
/// - Accuracy (measured, `q = 1/2`, `p` up to 5e5, against 60 digits): absolute error at most
///   `4 EPSILON (2 + |ln I|)`.
///
/// # Errors
///
/// [`BetaError`] names the argument that is out of its domain.
///
/// # Examples
///
/// ```
/// let log = popgrad::log_incomplete_beta(1000.5, 0.5, 1e-3)?;
/// assert!(log < -6900.0);
/// # Ok::<(), popgrad::BetaError>(())
/// ```
pub fn log_incomplete_beta(p: f64, q: f64, x: f64) -> Result<f64, BetaError> {
    check(p, q, x)?;
    Ok(log_of_pair(p, q, x, 1.0 - x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_branches_agree_where_they_meet() {
        for p in [0.7, 3.0, 40.0, 1000.0, 5e5] {
            let y = 1.0 / (p + 0.5);
            let (below, above) = (y * (1.0 - 1e-12), y * (1.0 + 1e-12));
            let (a, b) = (of_pair(p, 0.5, 1.0 - below, below), of_pair(p, 0.5, 1.0 - above, above));
            assert!((a - b).abs() < 1e-11 * a, "p = {p}: {a} {b}");
        }
    }

    #[test]
    fn ends_and_bad_arguments() {
        assert_eq!(incomplete_beta(2.0, 0.5, 0.0).unwrap(), 0.0);
        assert_eq!(incomplete_beta(2.0, 0.5, 1.0).unwrap(), 1.0);
        assert_eq!(
            incomplete_beta(-1.0, 0.5, 0.5).unwrap_err().to_string(),
            "p = -1 must be positive and finite"
        );
        assert!(incomplete_beta(1.0, 2.0, 0.5).is_err() && incomplete_beta(1.0, 0.5, f64::NAN).is_err());
    }

    #[test]
    fn one_and_one_is_the_identity() {
        // I_x(1, 1) = x and I_x(1, 1/2) = 1 - sqrt(1 - x).
        for i in 1..100 {
            let x = f64::from(i) / 100.0;
            assert!((incomplete_beta(1.0, 1.0, x).unwrap() - x).abs() < 2e-15);
            assert!((incomplete_beta(1.0, 0.5, x).unwrap() - (1.0 - (1.0 - x).sqrt())).abs() < 2e-15);
        }
    }
}
