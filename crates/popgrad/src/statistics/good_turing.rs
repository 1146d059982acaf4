//! What was not seen: the Good-Turing estimate and Chao's bound on the number of classes.

use super::StatisticsError;

/// What a sample of classes says about the classes it did not meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoodTuring {
    /// Number of draws.
    pub draws: u64,
    /// Classes met exactly once.
    pub singletons: u64,
    /// Classes met exactly twice.
    pub doubletons: u64,
    /// Estimated probability that the next draw meets a new class.
    pub unseen_share: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Chao's lower bound, in expectation, on the number of classes not met.
    pub unseen_classes: f64,
}

/// Good and Turing's estimate of the share of the classes not met, from how often each class was met.
///
/// ```text
/// share = n1 / N,   standard error = sqrt(n1 (1 - n1 / N) + 2 n2) / N,   classes = (N - 1)/N n1 (n1 - 1) / (2 (n2 + 1))
/// ```
///
/// with `N` independent draws, `n1` classes met once and `n2` met twice.
///
/// Source: Good (1953), Biometrika 40; Esty (1983), Annals of Statistics 11; Chao (1984), Scandinavian Journal of Statistics 11;
/// docs/theory/critical.md, (Z.12).
///
/// - Domain: counts of one independent sample; zeros are ignored. Starts of a search are such a sample, points reached
///   from other points are not.
/// - Accuracy: exact arithmetic up to rounding; the estimate's own error is the standard error. No class met once gives a share
///   of zero with a standard error from the doubletons alone, which is no proof of completeness.
///
/// # Errors
///
/// [`StatisticsError::Counts`] if there is no draw.
///
/// # Examples
///
/// ```
/// let estimate = popgrad::good_turing(&[60, 37, 2, 1])?;
/// assert_eq!((estimate.draws, estimate.singletons, estimate.unseen_share), (100, 1, 0.01));
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn good_turing(counts: &[u64]) -> Result<GoodTuring, StatisticsError> {
    let draws: u64 = counts.iter().sum();
    if draws == 0 {
        return Err(StatisticsError::Counts { successes: 0, trials: 0 });
    }
    let met = |times: u64| counts.iter().filter(|c| **c == times).count() as u64;
    let (singletons, doubletons) = (met(1), met(2));
    let (n, n1, n2) = (draws as f64, singletons as f64, doubletons as f64);
    let unseen_classes = (n - 1.0) / n * n1 * (n1 - 1.0).max(0.0) / (2.0 * (n2 + 1.0));
    Ok(GoodTuring {
        draws,
        singletons,
        doubletons,
        unseen_share: n1 / n,
        standard_error: (n1 * (1.0 - n1 / n) + 2.0 * n2).max(0.0).sqrt() / n,
        unseen_classes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RandomStream;

    /// Draws from classes of geometric probabilities; the estimated share is compared with the true one.
    #[test]
    fn the_estimate_is_calibrated() {
        let shares: Vec<f64> = (0..40).map(|i| libm::pow(0.8, f64::from(i))).collect();
        let total: f64 = shares.iter().sum();
        let (mut difference, mut within) = (0.0, 0);
        for trial in 0..400 {
            let mut stream = RandomStream::new(11, trial);
            let mut counts = [0_u64; 40];
            for _ in 0..100 {
                let mut left = stream.uniform() * total;
                let class = shares.iter().position(|s| {
                    left -= s;
                    left < 0.0
                });
                counts[class.unwrap_or(39)] += 1;
            }
            let estimate = good_turing(&counts).unwrap();
            let missed: f64 =
                counts.iter().zip(&shares).filter(|(c, _)| **c == 0).map(|(_, s)| s / total).sum();
            difference += estimate.unseen_share - missed;
            within += usize::from((estimate.unseen_share - missed).abs() <= 2.0 * estimate.standard_error);
        }
        // The bias of the estimate is below 1/N = 0.01; the mean of 400 trials has an error of 0.0012.
        assert!((difference / 400.0).abs() < 0.01 / 2.0, "mean error {}", difference / 400.0);
        assert!((360..=396).contains(&within), "{within} of 400 within two standard errors");
    }

    #[test]
    fn an_empty_sample_is_refused() {
        assert!(good_turing(&[0, 0]).is_err());
    }
}
