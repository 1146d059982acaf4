//! Theorem 6 by sampling: how often a random start of one ReLU lands where Theorem 5 proves convergence.

use popgrad::{RandomStream, VectorError, in_omega};

/// The law of the start, for a teacher of length 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum StartLaw {
    /// Uniform in the ball of this radius.
    Ball {
        /// Radius, in units of the teacher's length.
        radius: f64,
    },
    /// Independent normal entries of this standard deviation.
    Normal {
        /// Standard deviation of an entry, in units of the teacher's length.
        sd: f64,
    },
}

/// Counts starts `w` with `|w - v| < |v|`, in slices; start `i` is a pure function of the seed and `i`.
///
/// ```
/// use popgrad_lab::basin::{BasinSampler, StartLaw};
/// let mut sampler = BasinSampler::new(3, StartLaw::Ball { radius: 0.8 }, 7);
/// sampler.advance(1000)?;
/// assert_eq!(sampler.samples(), 1000);
/// assert!((0.25..0.45).contains(&(sampler.successes() as f64 / 1000.0)));
/// # Ok::<(), popgrad::VectorError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BasinSampler {
    law: StartLaw,
    seed: u64,
    teacher: Vec<f64>,
    start: Vec<f64>,
    samples: u64,
    successes: u64,
}

impl BasinSampler {
    /// A sampler in dimension `d >= 1`; the teacher is the first unit vector.
    pub fn new(d: usize, law: StartLaw, seed: u64) -> Self {
        let mut teacher = vec![0.0; d.max(1)];
        teacher[0] = 1.0;
        Self { law, seed, start: vec![0.0; d.max(1)], teacher, samples: 0, successes: 0 }
    }

    /// Draws `budget` more starts. Where the sampling is cut changes nothing.
    ///
    /// # Errors
    ///
    /// [`VectorError`] if a draw is not finite, which a parameter near the largest number can bring about.
    pub fn advance(&mut self, budget: u64) -> Result<(), VectorError> {
        for _ in 0..budget {
            let mut stream = RandomStream::new(self.seed, self.samples);
            match self.law {
                StartLaw::Ball { radius } => stream.fill_ball(radius, &mut self.start),
                StartLaw::Normal { sd } => {
                    stream.fill_normal(&mut self.start);
                    self.start.iter_mut().for_each(|x| *x *= sd);
                }
            }
            self.successes += u64::from(in_omega(&self.start, &self.teacher)?);
            self.samples += 1;
        }
        Ok(())
    }

    /// Starts drawn so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Starts among them that landed in the set.
    pub fn successes(&self) -> u64 {
        self.successes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::{ball_probability, gaussian_probability, wilson_interval};

    #[test]
    fn sampling_agrees_with_the_exact_probabilities() {
        let cases = [
            (2, StartLaw::Ball { radius: 0.5 }, ball_probability(2, 0.5).unwrap()),
            (10, StartLaw::Ball { radius: 1.7 }, ball_probability(10, 1.7).unwrap()),
            (10, StartLaw::Normal { sd: 0.05 }, gaussian_probability(10, 0.05).unwrap()),
        ];
        for (d, law, want) in cases {
            let mut sampler = BasinSampler::new(d, law, 11);
            sampler.advance(40_000).unwrap();
            // A false alarm in one run of a million.
            let found = wilson_interval(sampler.successes(), sampler.samples(), 1.0 - 1e-6).unwrap();
            assert!(found.low <= want && want <= found.high, "{law:?}: {found:?} misses {want}");
        }
    }

    #[test]
    fn slices_change_nothing() {
        let mut whole = BasinSampler::new(4, StartLaw::Normal { sd: 0.3 }, 5);
        let mut sliced = whole.clone();
        whole.advance(300).unwrap();
        for budget in [1, 99, 200] {
            sliced.advance(budget).unwrap();
        }
        assert_eq!((whole.samples(), whole.successes()), (sliced.samples(), sliced.successes()));
    }
}
