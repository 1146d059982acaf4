//! Interval for a probability from counted successes.

use super::{StatisticsError, check_probability, two_sided_bound};

/// A share and an interval that holds the probability behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WilsonInterval {
    /// Observed share, `successes / trials`.
    pub share: f64,
    /// Lower end, in `[0, share]`.
    pub low: f64,
    /// Upper end, in `[share, 1]`.
    pub high: f64,
}

/// Wilson score interval for the probability behind `successes` out of `trials`.
///
/// ```text
/// (p + z^2/2n +- z sqrt(p (1 - p) / n + z^2/4n^2)) / (1 + z^2/n),   P(|Z| > z) = 1 - confidence
/// ```
///
/// The lower end is formed as a quotient, so that nothing cancels; with no failures (successes) the upper (lower)
/// end is exactly 1 (0).
///
/// Source: Wilson (1927); docs/theory/sampling.md, (M.8).
///
/// - Domain: `trials >= 1`, `successes <= trials`, `0 < confidence < 1`.
/// - Accuracy (measured, by the score equation that both ends solve): relative error of the distance from the share
///   at most `1e-12`, with `1 - confidence` taken as exact. The coverage is that of a normal approximation: near `confidence` for all but tiny expected
///   counts.
///
/// # Errors
///
/// [`StatisticsError::Counts`], [`StatisticsError::Probability`].
///
/// # Examples
///
/// ```
/// let all = popgrad::wilson_interval(2000, 2000, 0.95)?;
/// assert!(all.low > 0.998 && all.high == 1.0);
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn wilson_interval(
    successes: u64,
    trials: u64,
    confidence: f64,
) -> Result<WilsonInterval, StatisticsError> {
    if trials == 0 || successes > trials {
        return Err(StatisticsError::Counts { successes, trials });
    }
    check_probability("confidence", confidence)?;
    let z = two_sided_bound(1.0 - confidence)?;
    let (n, z2) = (trials as f64, z * z);
    let low = lower_end(successes as f64, n, z2);
    let high = if successes == trials { 1.0 } else { upper_end(successes as f64, n, z2) };
    let share = successes as f64 / n;
    Ok(WilsonInterval { share, low: low.min(share), high: high.max(share) })
}

/// `z` times the standard deviation of the number of successes, squared terms included.
fn half_width(s: f64, n: f64, z2: f64) -> f64 {
    (z2 * (s * ((n - s) / n) + 0.25 * z2)).sqrt()
}

/// Upper end for `s` successes out of `n`: a sum of positive terms.
fn upper_end(s: f64, n: f64, z2: f64) -> f64 {
    (s + 0.5 * z2 + half_width(s, n, z2)) / (n + z2)
}

/// Lower end for `s` successes out of `n`, as `s^2 / n` over the larger root, so that nothing cancels.
fn lower_end(s: f64, n: f64, z2: f64) -> f64 {
    s * s / (n * (s + 0.5 * z2 + half_width(s, n, z2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_satisfy_the_score_equation() {
        for (s, n, confidence) in [(3, 17, 0.9), (1999, 2000, 0.95), (1, 1_000_000, 0.999), (500, 1000, 0.5)]
        {
            let z = two_sided_bound(1.0 - confidence).unwrap();
            let w = wilson_interval(s, n, confidence).unwrap();
            for p in [w.low, w.high] {
                let deviation = (w.share - p).abs();
                let want = z * (p * (1.0 - p) / n as f64).sqrt();
                let row = crate::accuracy::bound("wilson_interval").unwrap();
                assert!(row.used(deviation, want, want) <= 1.0, "{s} of {n}: {p} {deviation:e} {want:e}");
            }
        }
    }

    #[test]
    fn the_ends_reach_zero_and_one_exactly() {
        let none = wilson_interval(0, 50, 0.95).unwrap();
        let all = wilson_interval(50, 50, 0.95).unwrap();
        assert_eq!((none.low, all.high), (0.0, 1.0));
        assert!((none.high - (1.0 - all.low)).abs() < 1e-15);
    }

    #[test]
    fn nonsense_counts_are_refused() {
        assert_eq!(
            wilson_interval(3, 2, 0.95).unwrap_err(),
            StatisticsError::Counts { successes: 3, trials: 2 }
        );
        assert!(wilson_interval(0, 0, 0.95).is_err());
        assert!(wilson_interval(1, 2, 1.0).is_err());
        assert!(wilson_interval(1, 2, f64::NAN).is_err());
    }
}
