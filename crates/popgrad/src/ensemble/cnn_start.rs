//! Where the runs of a convolutional ensemble begin.

use super::EnsembleError;
use super::cnn_axes::CnnAxes;
use crate::vector::{dot, first_non_finite, norm};
use crate::{Cnn, RandomStream};

/// The law of a convolutional student's filter `v` and output weights `a` at the start.
///
/// Start `i` of seed `s` is drawn from [`RandomStream`] `(s, i)` and from nothing else. The few numbers that the dynamics see
/// are drawn first, the directions that they do not see afterwards (docs/theory/ensemble.md, (B.13)), so that an ensemble costs
/// the same for any number of patches and any dimension.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CnnStart {
    /// `v` uniform on a sphere of `R^p`, `a` uniform in a ball of `R^k`, independent.
    Ball {
        /// Length of `v`.
        filter_norm: f64,
        /// Radius of the ball; zero begins every run at `a = 0`.
        radius: f64,
    },
    /// Given starts, `n x (p + k)` row by row, `v` before `a`; run `i` begins at the `i`-th, and nothing is drawn.
    Given {
        /// The starts.
        starts: Vec<f64>,
    },
}

/// A start in the axes of the teacher, and the stream that its directions come from.
#[derive(Clone, Debug)]
pub(super) struct BallDraw {
    /// The filter along and across the teacher's.
    pub(super) filter: [f64; 2],
    /// The output along ones, along the teacher's rest, and the length of what is left.
    pub(super) output: [f64; 3],
    stream: RandomStream,
}

/// A chi-square number: one or two squares, or a gamma number of at least one degree of freedom and a half.
fn chi_square(stream: &mut RandomStream, freedom: usize) -> f64 {
    match freedom {
        0 => 0.0,
        1 | 2 => (0..freedom).map(|_| stream.normal()).fold(0.0, |sum, z| sum + z * z),
        _ => 2.0 * stream.gamma(0.5 * freedom as f64),
    }
}

/// A direction uniform among those orthogonal to some orthonormal vectors, which must not span the whole space.
fn across(stream: &mut RandomStream, axes: &[&[f64]], dimension: usize) -> Vec<f64> {
    let mut direction = vec![0.0; dimension];
    stream.fill_normal(&mut direction);
    // Once for the projection, once for its rounding.
    for axis in axes.iter().chain(axes) {
        let along = dot(axis, &direction);
        for (x, a) in direction.iter_mut().zip(*axis) {
            *x -= along * a;
        }
    }
    let length = norm(&direction);
    for x in &mut direction {
        *x /= length;
    }
    direction
}

impl BallDraw {
    /// Start `run` of `seed` (B.13).
    fn new((seed, run): (u64, u64), (patches, dimension): (usize, usize), law: (f64, f64)) -> Self {
        let (filter_norm, radius) = law;
        let mut stream = RandomStream::new(seed, run);
        let along = stream.normal();
        let square = chi_square(&mut stream, dimension - 1);
        let scale = filter_norm / (along * along + square).sqrt();
        let filter = [along * scale, square.sqrt() * scale];
        let mean = stream.normal();
        let along = if patches > 1 { stream.normal() } else { 0.0 };
        let square = chi_square(&mut stream, patches.saturating_sub(2));
        // Two degrees of freedom more make the sphere of R^(k+2) a ball of R^k.
        let beyond = -2.0 * libm::log(stream.uniform_positive());
        let scale = radius / (mean * mean + (along * along + (square + beyond))).sqrt();
        Self { filter, output: [mean * scale, along * scale, square.sqrt() * scale], stream }
    }

    /// The directions that the dynamics do not see: of the filter across the teacher's, and of the output across both axes.
    pub(super) fn directions(mut self, axes: &CnnAxes) -> (Vec<f64>, Vec<f64>) {
        let (k, p) = axes.shape();
        let filter = if p > 1 { across(&mut self.stream, &[axes.filter()], p) } else { vec![0.0] };
        let [ones, rest] = axes.output();
        let output = if k > 2 { across(&mut self.stream, &[ones, rest], k) } else { vec![0.0; k] };
        (filter, output)
    }
}

impl CnnStart {
    /// The law of the paper: `v` on the unit sphere, `a` in the ball of radius `scale |w*| |1.a*| / sqrt(k)`.
    ///
    /// ```text
    /// |v| = 1,   |a| <= scale |w*| |1.a*| / sqrt(k),   so that |1.a| <= scale |w*| |1.a*|
    /// ```
    ///
    /// Source: Du et al. (2018), section 5.
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStart};
    /// let law = CnnStart::ball(&Cnn::try_new(&[2.0], &[1.0; 4])?, 0.5);
    /// assert_eq!(law, CnnStart::Ball { filter_norm: 1.0, radius: 2.0 });
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn ball(problem: &Cnn, scale: f64) -> Self {
        let radius = problem.filter_norm() * problem.output_sum().abs() / (problem.patches() as f64).sqrt();
        Self::Ball { filter_norm: 1.0, radius: scale * radius }
    }

    /// The number of starts there are; `None` where they are drawn.
    pub(super) fn count(&self, entries: usize) -> Option<u64> {
        match self {
            Self::Given { starts } => Some((starts.len() / entries) as u64),
            Self::Ball { .. } => None,
        }
    }

    pub(super) fn check(&self, (patches, dimension): (usize, usize)) -> Result<(), EnsembleError> {
        match self {
            Self::Ball { filter_norm, radius } => {
                let parameter =
                    |name, value, requirement| Err(EnsembleError::Parameter { name, value, requirement });
                if !(filter_norm.is_finite() && *filter_norm > 0.0) {
                    return parameter("start.filter_norm", *filter_norm, "finite and positive");
                }
                if !(radius.is_finite() && *radius >= 0.0) {
                    return parameter("start.radius", *radius, "finite and not negative");
                }
                Ok(())
            }
            Self::Given { starts } => {
                let (name, got, size) = ("start.starts", starts.len(), patches + dimension);
                if got == 0 || got % size != 0 {
                    let want = got.div_ceil(size).max(1) * size;
                    return Err(EnsembleError::Length {
                        name,
                        got,
                        want,
                        why: "whole students of p + k weights",
                    });
                }
                if let Some((index, value)) = first_non_finite(starts) {
                    return Err(EnsembleError::NonFinite { name, index, value });
                }
                match starts.chunks_exact(size).position(|start| start[..dimension].iter().all(|v| *v == 0.0))
                {
                    Some(start) => Err(EnsembleError::ZeroFilter { start }),
                    None => Ok(()),
                }
            }
        }
    }

    /// The draw of a run, of a law that draws.
    pub(super) fn draw(&self, run: (u64, u64), shape: (usize, usize)) -> Option<BallDraw> {
        match self {
            Self::Ball { filter_norm, radius } => Some(BallDraw::new(run, shape, (*filter_norm, *radius))),
            Self::Given { .. } => None,
        }
    }

    /// The given start of a run: filter and output.
    pub(super) fn given(&self, run: u64, (patches, dimension): (usize, usize)) -> Option<(&[f64], &[f64])> {
        let Self::Given { starts } = self else { return None };
        let size = patches + dimension;
        let from = usize::try_from(run).ok()?.checked_mul(size)?;
        Some(starts.get(from..from.checked_add(size)?)?.split_at(dimension))
    }
}
