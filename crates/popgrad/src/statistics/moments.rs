//! Mean and spread of a stream of numbers, accumulated once and merged in a fixed order.

/// Count, mean and sum of squared deviations of a stream of numbers.
///
/// Numbers enter by Welford's rule and partial streams merge by the pairwise rule of Chan, Golub and LeVeque; both
/// keep the accuracy of a two-pass variance. Merging parts in index order gives the same bits whoever computed them.
///
/// Source: docs/theory/sampling.md, (M.3), (M.4).
///
/// ```
/// use popgrad::Moments;
/// let mut m = Moments::default();
/// for x in [1.0, 2.0, 3.0, 4.0] {
///     m.push(x);
/// }
/// assert_eq!((m.mean(), m.variance()), (2.5, 5.0 / 3.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes in one number.
    pub fn push(&mut self, x: f64) {
        self.count += 1;
        let before = x - self.mean;
        self.mean += before / self.count as f64;
        self.squares = before.mul_add(x - self.mean, self.squares);
    }

    /// Moments of `count` numbers known by their sum and their sum of squares.
    ///
    /// The variance loses `log10(mean^2 / variance)` digits; meant for short stretches whose mean is not large
    /// beside their spread.
    pub fn from_sums(count: u64, sum: f64, sum_of_squares: f64) -> Self {
        if count == 0 {
            return Self::default();
        }
        let mean = sum / count as f64;
        Self { count, mean, squares: (-mean).mul_add(sum, sum_of_squares).max(0.0) }
    }

    /// Appends the numbers of another stream.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let gap = other.mean - self.mean;
        self.count += other.count;
        self.mean += gap * (m / (n + m));
        self.squares += gap * gap * (n * (m / (n + m))) + other.squares;
    }

    /// How many numbers were taken in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 for an empty stream.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their unbiased sample variance (denominator `count - 1`); 0 for fewer than two numbers.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }

    /// Standard error of the mean, `sqrt(variance / count)`, for numbers that are independent of each other.
    pub fn standard_error(&self) -> f64 {
        if self.count < 2 { 0.0 } else { (self.variance() / self.count as f64).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_parts_agree_with_one_stream() {
        let numbers: Vec<f64> = (0..1000).map(|i| f64::from(i * 7919 % 997) * 1e-3 + 5.0).collect();
        let mut whole = Moments::default();
        for x in &numbers {
            whole.push(*x);
        }
        let mut merged = Moments::default();
        for part in numbers.chunks(77) {
            let sum = part.iter().sum();
            merged.merge(&Moments::from_sums(part.len() as u64, sum, part.iter().map(|x| x * x).sum()));
        }
        let two_pass = {
            let mean = numbers.iter().sum::<f64>() / 1000.0;
            numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 999.0
        };
        // One rounding per step and, in the sums, a mean ten times the spread: 1000 EPSILON and 300 EPSILON.
        assert!((whole.variance() / two_pass - 1.0).abs() < 1000.0 * f64::EPSILON);
        assert!((merged.variance() / two_pass - 1.0).abs() < 1000.0 * f64::EPSILON);
        assert!((merged.mean() - whole.mean()).abs() < 100.0 * f64::EPSILON);
        assert_eq!(merged.count(), 1000);
    }

    #[test]
    fn a_far_mean_does_not_spoil_the_spread() {
        let mut m = Moments::default();
        for x in [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0] {
            m.push(x);
        }
        assert_eq!(m.variance(), 30.0);
    }

    #[test]
    fn short_streams_have_no_spread() {
        let mut m = Moments::default();
        assert_eq!((m.mean(), m.variance(), m.standard_error()), (0.0, 0.0, 0.0));
        m.push(3.0);
        assert_eq!((m.mean(), m.variance(), m.standard_error()), (3.0, 0.0, 0.0));
        m.merge(&Moments::default());
        assert_eq!(m.count(), 1);
    }
}
