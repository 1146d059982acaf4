//! Where the runs of a two-layer ensemble begin.

use super::EnsembleError;
use crate::vector::first_non_finite;
use crate::{MatrixView, RandomStream};

/// The law of the students' weights at the start. Start `i` of seed `s` is drawn from [`RandomStream`] `(s, i)` and
/// from nothing else, row by row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StartLaw {
    /// Independent normal entries.
    Normal {
        /// Standard deviation of an entry.
        sd: f64,
    },
    /// Every student uniform on the sphere, independently.
    Sphere {
        /// The radius.
        radius: f64,
    },
    /// A fixed matrix plus independent normal entries.
    Around {
        /// The fixed part, `K x d` row by row.
        centre: Vec<f64>,
        /// Standard deviation of an entry of the noise.
        sd: f64,
    },
    /// Given starts, `n x K x d` row by row; run `i` begins at the `i`-th, and nothing is drawn.
    Given {
        /// The starts.
        starts: Vec<f64>,
    },
}

impl StartLaw {
    /// The default: normal entries of variance `1/d`.
    ///
    /// ```
    /// assert_eq!(popgrad::StartLaw::normal(4), popgrad::StartLaw::Normal { sd: 0.5 });
    /// ```
    pub fn normal(d: usize) -> Self {
        Self::Normal { sd: 1.0 / (d as f64).sqrt() }
    }

    /// The matrix `x` on the diagonal and `y` elsewhere (`K x K`), plus noise: the starts of Tian's Conjecture 2.
    ///
    /// ```
    /// use popgrad::StartLaw;
    /// let law = StartLaw::around_plane(2, [0.5, 0.1], 0.01);
    /// assert_eq!(law, StartLaw::Around { centre: vec![0.5, 0.1, 0.1, 0.5], sd: 0.01 });
    /// ```
    pub fn around_plane(k: usize, [x, y]: [f64; 2], sd: f64) -> Self {
        let centre = (0..k * k).map(|i| if i % (k + 1) == 0 { x } else { y }).collect();
        Self::Around { centre, sd }
    }

    /// The number of starts there are; `None` where they are drawn.
    pub(super) fn count(&self, entries: usize) -> Option<u64> {
        match self {
            Self::Given { starts } => Some((starts.len() / entries) as u64),
            _ => None,
        }
    }

    pub(super) fn check(&self, k: usize, d: usize) -> Result<(), EnsembleError> {
        let scale = |name, value: f64| {
            let right = value.is_finite() && value > 0.0;
            let requirement = "finite and positive";
            if right { Ok(()) } else { Err(EnsembleError::Parameter { name, value, requirement }) }
        };
        let finite = |name, entries: &[f64]| match first_non_finite(entries) {
            Some((index, value)) => Err(EnsembleError::NonFinite { name, index, value }),
            None => Ok(()),
        };
        match self {
            Self::Normal { sd } => scale("start.sd", *sd),
            Self::Sphere { radius } => scale("start.radius", *radius),
            Self::Around { centre, sd } => {
                let (got, want) = (centre.len(), k * d);
                if got != want {
                    let why = "one for each weight of the K x d student";
                    return Err(EnsembleError::Length { name: "start.centre", got, want, why });
                }
                finite("start.centre", centre)?;
                scale("start.sd", *sd)
            }
            Self::Given { starts } => {
                let (got, size) = (starts.len(), k * d);
                if got == 0 || got % size != 0 {
                    let want = got.div_ceil(size).max(1) * size;
                    let why = "whole students of K x d weights";
                    return Err(EnsembleError::Length { name: "start.starts", got, want, why });
                }
                finite("start.starts", starts)
            }
        }
    }

    /// Writes start `run` of `seed` (`K x d`) to `out`; a checked law and a run that has a start.
    pub(super) fn draw(&self, (seed, run): (u64, u64), d: usize, out: &mut [f64]) {
        match self {
            Self::Normal { sd } => {
                RandomStream::new(seed, run).fill_normal(out);
                for w in out {
                    *w *= sd;
                }
            }
            Self::Sphere { radius } => {
                let mut stream = RandomStream::new(seed, run);
                for row in out.chunks_exact_mut(d) {
                    stream.fill_sphere(*radius, row);
                }
            }
            Self::Around { centre, sd } => {
                RandomStream::new(seed, run).fill_normal(out);
                for (w, c) in out.iter_mut().zip(centre) {
                    *w = c + sd * *w;
                }
            }
            Self::Given { starts } => {
                let size = out.len();
                let from = usize::try_from(run).unwrap_or(usize::MAX).saturating_mul(size);
                if let Some(start) = starts.get(from..from.saturating_add(size)) {
                    out.copy_from_slice(start);
                }
            }
        }
    }
}

/// Given starts of matrices.
impl<'a> FromIterator<MatrixView<'a>> for StartLaw {
    fn from_iter<I: IntoIterator<Item = MatrixView<'a>>>(starts: I) -> Self {
        Self::Given { starts: starts.into_iter().flat_map(|w| w.as_slice().iter().copied()).collect() }
    }
}
