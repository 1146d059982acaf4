//! Counter-based random numbers whose bits are promised.
//!
//! [`RandomStream`] number `i` of seed `s` is the ChaCha8 key stream with key `s` and nonce `i`: a pure function of
//! `(s, i)`, the same on every machine, whatever was drawn elsewhere (docs/theory/sampling.md, (M.1), (M.2)). Each
//! law consumes the stream in the fixed order stated at its method. Transcendental steps are polynomials or `libm`,
//! never the platform's. Golden vectors freeze every law; a change of any bit raises [`crate::NUMERICS`].

use crate::statistics::quantile_of_lower_half;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::f64::consts::TAU;

/// Keeps the squeeze of the gamma law clear of the logarithms' rounding, which grows with the shape.
const SQUEEZE_MARGIN: f64 = 1e-6;

/// `2^-53`.
const UNIT_53: f64 = 1.0 / 9_007_199_254_740_992.0;

/// One numbered stream of random numbers of one seed.
///
/// ```
/// use popgrad::RandomStream;
/// let mut a = RandomStream::new(7, 3);
/// let mut b = RandomStream::new(7, 3);
/// assert_eq!(a.normal(), b.normal());
/// assert_ne!(RandomStream::new(7, 4).normal(), RandomStream::new(7, 3).normal());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomStream {
    words: ChaCha8Rng,
}

/// The 256-bit ChaCha key of a seed: its eight bytes, little-endian, then a tag that separates uses, then zeros.
pub(crate) fn key(seed: u64, tag: u8) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = tag;
    key
}

impl RandomStream {
    /// Stream `index` of `seed`; in an ensemble, the stream of start `index`.
    ///
    /// Source: docs/theory/sampling.md, (M.1).
    ///
    /// - Domain: every pair; different pairs give streams that are independent for every practical purpose.
    pub fn new(seed: u64, index: u64) -> Self {
        Self::tagged(seed, 0, index)
    }

    /// As [`Self::new`], under a key of its own for each tag, so that uses do not share numbers.
    pub(crate) fn tagged(seed: u64, tag: u8, index: u64) -> Self {
        let mut words = ChaCha8Rng::from_seed(key(seed, tag));
        words.set_stream(index);
        Self { words }
    }

    /// The next 64 bits: two 32-bit words of the key stream, the first one low.
    pub fn next_u64(&mut self) -> u64 {
        self.words.next_u64()
    }

    /// Uniform on `[0, 1)`: the top 53 bits of one draw, times `2^-53`.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * UNIT_53
    }

    /// Uniform on `(0, 1]`: the top 53 bits of one draw plus one, times `2^-53`; safe under a logarithm.
    pub fn uniform_positive(&mut self) -> f64 {
        ((self.next_u64() >> 11) + 1) as f64 * UNIT_53
    }

    /// Uniform on `[-1/2, 1/2)`, variance `1/12`; one draw.
    pub fn uniform_centred(&mut self) -> f64 {
        self.uniform() - 0.5
    }

    /// Standard normal, by inversion; one draw.
    ///
    /// ```text
    /// z = +- Phi^-1((n + 1/2) 2^-53),   n the top 52 bits, the sign positive where the lowest bit is set
    /// ```
    ///
    /// Source: docs/theory/sampling.md, (M.2); the quantile is that of [`crate::normal_quantile`].
    ///
    /// - Domain: values lie in `[-8.3, 8.3]`; never zero.
    /// - Accuracy: the law is exact up to the grid of `2^-53` in probability and `8 EPSILON` in value.
    pub fn normal(&mut self) -> f64 {
        let bits = self.next_u64();
        let tail = ((bits >> 12) as f64 + 0.5) * UNIT_53;
        let lower = quantile_of_lower_half(tail);
        if bits & 1 == 1 { -lower } else { lower }
    }

    /// Fills `out` with standard normal numbers, in index order.
    pub fn fill_normal(&mut self, out: &mut [f64]) {
        for x in out {
            *x = self.normal();
        }
    }

    /// `1` or `-1` with equal probability; one draw, positive where its top bit is set.
    pub fn rademacher(&mut self) -> f64 {
        if self.next_u64() >> 63 == 1 { 1.0 } else { -1.0 }
    }

    /// Laplace with density `exp(-|x|) / 2`, variance 2; one draw, its lowest bit the sign.
    pub fn laplace(&mut self) -> f64 {
        let bits = self.next_u64();
        let size = -libm::log(((bits >> 12) as f64 + 0.5) * (2.0 * UNIT_53));
        if bits & 1 == 1 { size } else { -size }
    }

    /// Student t with `nu` degrees of freedom, by Bailey's polar form; two draws.
    ///
    /// ```text
    /// t = sqrt(nu (U^(-2/nu) - 1)) cos(2 pi V)
    /// ```
    ///
    /// Source: Bailey (1994), Mathematics of Computation 62; docs/theory/sampling.md, (M.2).
    ///
    /// - Domain: `nu > 0`; variance `nu / (nu - 2)` for `nu > 2`. A `nu` that is not positive gives NaN.
    pub fn student_t(&mut self, nu: f64) -> f64 {
        let radius = (nu * libm::expm1(-2.0 / nu * libm::log(self.uniform_positive()))).sqrt();
        radius * libm::cos(TAU * self.uniform())
    }

    /// Gamma with the given shape and unit scale, by Marsaglia and Tsang's rejection; a varying number of draws.
    ///
    /// Source: Marsaglia & Tsang (2000), ACM TOMS 26; docs/theory/sampling.md, (M.2).
    ///
    /// - Domain: `shape > 0`. A shape that is not positive gives NaN.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if !(shape > 0.0 && shape.is_finite()) {
            return f64::NAN;
        }
        if shape < 1.0 {
            let boost = libm::pow(self.uniform_positive(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let root = 1.0 + c * z;
            let u = self.uniform_positive();
            let v = root * root * root;
            // What the squeeze accepts the logarithms accept as well.
            let is_inside = u < 1.0 - 0.0331 * (z * z) * (z * z) - SQUEEZE_MARGIN;
            if root > 0.0 && (is_inside || libm::log(u) < 0.5 * z * z + d * (1.0 - v + libm::log(v))) {
                return d * v;
            }
        }
    }

    /// Uniform on the sphere of the given radius in as many dimensions as `out` has entries: normal numbers, divided
    /// by their length.
    ///
    /// - Accuracy: the length is `radius` to `(d / 8 + 4) EPSILON`.
    pub fn fill_sphere(&mut self, radius: f64, out: &mut [f64]) {
        self.fill_normal(out);
        let length = crate::vector::norm(out);
        for x in out {
            *x = radius * (*x / length);
        }
    }

    /// Uniform in the ball of the given radius: a point on the sphere, drawn inwards by `U^(1/d)`.
    pub fn fill_ball(&mut self, radius: f64, out: &mut [f64]) {
        self.fill_sphere(1.0, out);
        let scale = radius * libm::pow(self.uniform_positive(), 1.0 / out.len().max(1) as f64);
        for x in out {
            *x *= scale;
        }
    }

    /// Multivariate Student t with unit scale: normal numbers, divided by `sqrt(chi^2_nu / nu)` of one gamma draw.
    ///
    /// - Domain: `nu > 0`; covariance `nu / (nu - 2) I` for `nu > 2`. A `nu` that is not positive gives NaN.
    pub fn fill_multivariate_t(&mut self, nu: f64, out: &mut [f64]) {
        self.fill_normal(out);
        let scale = (0.5 * nu / self.gamma(0.5 * nu)).sqrt();
        for x in out {
            *x *= scale;
        }
    }
}
