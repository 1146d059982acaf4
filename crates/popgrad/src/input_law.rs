//! Laws of the input for which the population loss is exact.
//!
//! For `x = r u` with `u` uniform on the sphere and any independent radius `r >= 0` of finite second moment, every
//! quantity of this crate that is homogeneous of degree two in `x` is the Gaussian one times
//! `kappa = E|x|^2 / d` (docs/theory/input_laws.md, (I.2)); exact, no approximation in `d`.

use crate::Kind;
use thiserror::Error;

/// A centred, rotation-invariant law of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum InputLaw {
    /// Standard normal, `kappa = 1`.
    #[default]
    Gaussian,
    /// Uniform on the sphere of the given radius, `kappa = R^2 / d`.
    Sphere {
        /// Radius `R > 0`.
        radius: f64,
    },
    /// Uniform in the ball of the given radius, `kappa = R^2 / (d + 2)`.
    Ball {
        /// Radius `R > 0`.
        radius: f64,
    },
    /// Multivariate Student t with unit scale, `kappa = nu / (nu - 2)`.
    StudentT {
        /// Degrees of freedom, above 2.
        nu: f64,
    },
    /// Any centred rotation-invariant law, known by `kappa = E|x|^2 / d` alone.
    Kappa(f64),
}

/// Why a law of the input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum InputLawError {
    /// A radius or kappa that is not positive and finite.
    #[error("the input law's {parameter} is {value}; it must be positive and finite")]
    NotPositive {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
    },
    /// A Student t law without a second moment.
    #[error("the Student t law has nu = {nu}; its second moment is finite only for nu > 2")]
    NoSecondMoment {
        /// The degrees of freedom given.
        nu: f64,
    },
}

impl InputLawError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

impl InputLaw {
    /// `kappa = E|x|^2 / d`, the factor between this law's loss and the Gaussian one.
    ///
    /// Source: docs/theory/input_laws.md, (I.3).
    ///
    /// - Domain: `d >= 1`; parameters as stated at each variant.
    /// - Accuracy: two roundings.
    ///
    /// # Errors
    ///
    /// [`InputLawError`] if the parameter is out of its domain.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::InputLaw;
    /// assert_eq!(InputLaw::Sphere { radius: 2.0 }.kappa(4)?, 1.0);
    /// # Ok::<(), popgrad::InputLawError>(())
    /// ```
    pub fn kappa(&self, d: usize) -> Result<f64, InputLawError> {
        let positive = |parameter, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(value)
            } else {
                Err(InputLawError::NotPositive { parameter, value })
            }
        };
        let d = d as f64;
        match *self {
            Self::Gaussian => Ok(1.0),
            Self::Sphere { radius } => positive("radius", radius).map(|r| r * r / d),
            Self::Ball { radius } => positive("radius", radius).map(|r| r * r / (d + 2.0)),
            Self::StudentT { nu } if nu > 2.0 && nu.is_finite() => Ok(nu / (nu - 2.0)),
            Self::StudentT { nu } => Err(InputLawError::NoSecondMoment { nu }),
            Self::Kappa(kappa) => positive("kappa", kappa),
        }
    }
}
