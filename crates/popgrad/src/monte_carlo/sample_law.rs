//! Laws of the input that can be sampled, with their order of draws.
//!
//! Derivation: docs/theory/sampling.md, (M.2), (M.11)-(M.13) and, for samples that depend on each other, (M.19).

use super::MonteCarloError;
use super::bulk_normal::BulkNormal;
use crate::eight::{EIGHT, Eight};
use crate::lanes::fused;
use crate::{InputLaw, RandomStream};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};

/// A law of the input to sample from; the same start of the same seed gives the same samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum SampleLaw {
    /// `N(0, I)`, all `d` normal numbers drawn; covariance `I`.
    #[default]
    Gaussian,
    /// Independent coordinates uniform on `[-1/2, 1/2)`; covariance `I/12`.
    Uniform,
    /// Independent coordinates `1` or `-1`; covariance `I`.
    Rademacher,
    /// Independent coordinates with density `exp(-|x|)/2`; covariance `2 I`.
    Laplace,
    /// Independent Student t coordinates; covariance `nu/(nu-2) I`. Standard errors mean what they say for `nu > 4`.
    StudentT {
        /// Degrees of freedom, above 2.
        nu: f64,
    },
    /// Uniform on the sphere; covariance `R^2/d I`.
    Sphere {
        /// Radius `R > 0`.
        radius: f64,
    },
    /// Uniform in the ball; covariance `R^2/(d+2) I`.
    Ball {
        /// Radius `R > 0`.
        radius: f64,
    },
    /// Multivariate Student t with unit scale; covariance `nu/(nu-2) I`. Standard errors mean what they say for
    /// `nu > 4`.
    MultivariateT {
        /// Degrees of freedom, above 2.
        nu: f64,
    },
    /// Samples that depend on each other, each `N(0, I)`: independent sequences of `length` samples with
    /// `x_{n+1} = rho x_n + sqrt(1 - rho^2) z_n`.
    Autoregressive {
        /// Correlation of neighbours, `-1 < rho < 1`.
        rho: f64,
        /// Samples in a sequence, at least 1.
        length: u32,
    },
    /// Samples that depend on each other, each `N(0, I)`: independent sequences of `length` samples with
    /// `x_n = sqrt(rho) z_0 + sqrt(1 - rho) z_n`, so that any two of a sequence have correlation `rho`.
    Equicorrelated {
        /// Correlation of any two samples of a sequence, `0 <= rho <= 1`.
        rho: f64,
        /// Samples in a sequence, at least 1.
        length: u32,
    },
}

/// Groups of eight samples in a batch of independent samples.
const GROUPS: u64 = 64;

/// Key tags: random numbers of different uses come from different keys.
const NORMAL_TAG: u8 = 1;
const SCALAR_TAG: u8 = 2;

impl SampleLaw {
    /// The law to sample from for a law with closed forms, or `None` where only its `kappa` is known.
    ///
    /// ```
    /// use popgrad::{InputLaw, SampleLaw};
    /// let law = SampleLaw::from_input_law(InputLaw::StudentT { nu: 5.0 });
    /// assert_eq!(law, Some(SampleLaw::MultivariateT { nu: 5.0 }));
    /// assert_eq!(SampleLaw::from_input_law(InputLaw::Kappa(2.0)), None);
    /// ```
    pub fn from_input_law(law: InputLaw) -> Option<Self> {
        match law {
            InputLaw::Gaussian => Some(Self::Gaussian),
            InputLaw::Sphere { radius } => Some(Self::Sphere { radius }),
            InputLaw::Ball { radius } => Some(Self::Ball { radius }),
            InputLaw::StudentT { nu } => Some(Self::MultivariateT { nu }),
            InputLaw::Kappa(_) => None,
        }
    }

    /// `E|x|^2 / d`, the variance of a coordinate; every law here has covariance `kappa I`.
    ///
    /// - Domain: `d >= 1`, parameters as at each variant.
    ///
    /// # Errors
    ///
    /// [`MonteCarloError::Parameter`].
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(popgrad::SampleLaw::Uniform.kappa(10)?, 1.0 / 12.0);
    /// # Ok::<(), popgrad::MonteCarloError>(())
    /// ```
    pub fn kappa(&self, d: usize) -> Result<f64, MonteCarloError> {
        self.check()?;
        let d = d as f64;
        Ok(match *self {
            Self::Uniform => 1.0 / 12.0,
            Self::Laplace => 2.0,
            Self::StudentT { nu } | Self::MultivariateT { nu } => nu / (nu - 2.0),
            Self::Sphere { radius } => radius * radius / d,
            Self::Ball { radius } => radius * radius / (d + 2.0),
            _ => 1.0,
        })
    }

    pub(crate) fn check(&self) -> Result<(), MonteCarloError> {
        let need = |holds: bool, parameter, value, wanted| {
            if holds { Ok(()) } else { Err(MonteCarloError::Parameter { parameter, value, wanted }) }
        };
        match *self {
            Self::StudentT { nu } | Self::MultivariateT { nu } => need(
                nu > 2.0 && nu.is_finite(),
                "nu",
                nu,
                "finite and above 2, so that a second moment exists",
            ),
            Self::Sphere { radius } | Self::Ball { radius } => {
                need(radius > 0.0 && radius.is_finite(), "radius", radius, "positive and finite")
            }
            Self::Autoregressive { rho, length } => {
                need(length > 0, "length", f64::from(length), "at least 1")?;
                need(rho > -1.0 && rho < 1.0, "rho", rho, "strictly between -1 and 1")
            }
            Self::Equicorrelated { rho, length } => {
                need(length > 0, "length", f64::from(length), "at least 1")?;
                need((0.0..=1.0).contains(&rho), "rho", rho, "between 0 and 1")
            }
            _ => Ok(()),
        }
    }

    /// Whether samples come in sequences.
    pub(crate) fn is_sequential(&self) -> bool {
        matches!(self, Self::Autoregressive { .. } | Self::Equicorrelated { .. })
    }

    /// Samples that form one independent unit.
    pub(crate) fn unit(&self) -> u64 {
        match *self {
            Self::Autoregressive { length, .. } | Self::Equicorrelated { length, .. } => u64::from(length),
            _ => 1,
        }
    }

    /// Groups of eight samples in a batch: 64, or the length of a sequence.
    pub(crate) fn groups(&self) -> u64 {
        if self.is_sequential() { self.unit() } else { GROUPS }
    }
}

/// The samples of one batch, group after group; batch `b` of seed `s` is a pure function of `(s, b)`.
pub(crate) struct Batch {
    law: SampleLaw,
    normals: BulkNormal,
    scalars: RandomStream,
    /// The last sample of a sequence, or what its samples share; empty before the first.
    memory: Vec<Eight>,
    point: Vec<f64>,
}

impl Batch {
    pub(crate) fn new(law: SampleLaw, seed: u64, batch: u64) -> Self {
        Self {
            law,
            normals: BulkNormal::new(seed, NORMAL_TAG, batch),
            scalars: RandomStream::tagged(seed, SCALAR_TAG, batch),
            memory: Vec::new(),
            point: Vec::new(),
        }
    }

    /// Draws the next groups of eight samples, one after the other in `x`.
    #[inline(always)]
    pub(crate) fn draw_groups<S: Simd>(&mut self, simd: S, x: &mut [Eight], d: usize) {
        if self.law == SampleLaw::Gaussian && d.is_multiple_of(2) {
            // Whole pairs: the groups' numbers follow each other.
            return self.normals.fill(simd, x);
        }
        for x in x.chunks_exact_mut(d) {
            self.draw(simd, x);
        }
    }

    /// Draws the next eight samples; `x[j]` receives their coordinate `j`.
    #[inline(always)]
    pub(crate) fn draw<S: Simd>(&mut self, simd: S, x: &mut [Eight]) {
        match self.law {
            SampleLaw::Gaussian => self.normals.fill(simd, x),
            SampleLaw::Autoregressive { rho, .. } => self.draw_autoregressive(simd, rho, x),
            SampleLaw::Equicorrelated { rho, .. } => self.draw_equicorrelated(simd, rho, x),
            _ => self.draw_scalars(x),
        }
    }

    /// Sample after sample from one scalar stream.
    fn draw_scalars(&mut self, x: &mut [Eight]) {
        self.point.resize(x.len(), 0.0);
        for lane in 0..EIGHT {
            let (stream, point) = (&mut self.scalars, &mut self.point);
            match self.law {
                SampleLaw::Sphere { radius } => stream.fill_sphere(radius, point),
                SampleLaw::Ball { radius } => stream.fill_ball(radius, point),
                SampleLaw::MultivariateT { nu } => stream.fill_multivariate_t(nu, point),
                SampleLaw::Uniform => point.iter_mut().for_each(|x| *x = stream.uniform_centred()),
                SampleLaw::Rademacher => point.iter_mut().for_each(|x| *x = stream.rademacher()),
                SampleLaw::Laplace => point.iter_mut().for_each(|x| *x = stream.laplace()),
                SampleLaw::StudentT { nu } => point.iter_mut().for_each(|x| *x = stream.student_t(nu)),
                _ => stream.fill_normal(point),
            }
            for (to, from) in x.iter_mut().zip(&self.point) {
                to.0[lane] = *from;
            }
        }
    }

    #[inline(always)]
    fn draw_autoregressive<S: Simd>(&mut self, simd: S, rho: f64, x: &mut [Eight]) {
        self.normals.fill(simd, x);
        if self.memory.is_empty() {
            self.memory = x.to_vec();
            return;
        }
        mix(simd, rho, (1.0 - rho * rho).sqrt(), &self.memory, x);
        self.memory.copy_from_slice(x);
    }

    #[inline(always)]
    fn draw_equicorrelated<S: Simd>(&mut self, simd: S, rho: f64, x: &mut [Eight]) {
        self.normals.fill(simd, x);
        if self.memory.is_empty() {
            self.memory = x.to_vec();
            self.normals.fill(simd, x);
        }
        mix(simd, rho.sqrt(), (1.0 - rho).sqrt(), &self.memory, x);
    }
}

/// `x = a old + b x`, lane by lane.
#[inline(always)]
fn mix<S: Simd>(simd: S, a: f64, b: f64, old: &[Eight], x: &mut [Eight]) {
    for (x, old) in x.iter_mut().zip(old) {
        let fresh = x.load(simd) * b;
        x.store(fused(simd, old.load(simd), f64x8::splat(simd, a), fresh));
    }
}
