//! Least-squares lines with standard errors.

use super::StatisticsError;

/// A straight line `y = intercept + slope x` fitted by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineFit {
    /// Ordinate at `x = 0`.
    pub intercept: f64,
    /// Slope.
    pub slope: f64,
    /// Standard error of the intercept.
    pub intercept_error: f64,
    /// Standard error of the slope.
    pub slope_error: f64,
    /// Spread about the line: `sqrt(sum of squared residuals / (n - 2))`. With given standard deviations each residual
    /// is divided by its own, so that a value near 1 means that they explain the scatter.
    pub residual: f64,
    /// Number of points.
    pub points: usize,
}

/// Ordinary least-squares line, standard errors from the scatter about it.
///
/// ```text
/// slope = sum (x - X)(y - Y) / sum (x - X)^2,   se(slope) = residual / sqrt(sum (x - X)^2)
/// ```
///
/// Source: docs/theory/sampling.md, (M.9). The errors suppose independent scatter of one size about a true line.
///
/// - Shapes: `x`, `y` of one length, at least 3.
/// - Domain: finite numbers, not all `x` equal.
/// - Accuracy (measured): slope and intercept to `1e-13` of their scale for a hundred points.
///
/// # Errors
///
/// [`StatisticsError::Points`], [`StatisticsError::Value`], [`StatisticsError::Vertical`].
///
/// # Examples
///
/// ```
/// let line = popgrad::fit_line(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0])?;
/// assert_eq!((line.intercept, line.slope, line.slope_error), (1.0, 2.0, 0.0));
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn fit_line(x: &[f64], y: &[f64]) -> Result<LineFit, StatisticsError> {
    let sums = WeightedSums::collect(x, y, None)?;
    let residual = sums.residual(x, y, None);
    Ok(sums.line(residual, residual))
}

/// Least-squares line through points with known standard deviations, standard errors from those.
///
/// ```text
/// weights 1 / sd^2;   se(slope) = 1 / sqrt(sum weight (x - X)^2)
/// ```
///
/// Source: docs/theory/sampling.md, (M.10). The errors do not use the scatter; `residual` tells whether it agrees.
///
/// - Shapes: `x`, `y`, `sd` of one length, at least 3.
/// - Domain: finite numbers, `sd > 0`, not all `x` equal.
/// - Accuracy: as [`fit_line`].
///
/// # Errors
///
/// [`StatisticsError::Points`], [`StatisticsError::Value`], [`StatisticsError::Vertical`].
///
/// # Examples
///
/// ```
/// let line = popgrad::fit_line_weighted(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0], &[0.5, 0.5, 0.5])?;
/// assert!((line.slope_error - 0.5 / 2.0_f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn fit_line_weighted(x: &[f64], y: &[f64], sd: &[f64]) -> Result<LineFit, StatisticsError> {
    let sums = WeightedSums::collect(x, y, Some(sd))?;
    Ok(sums.line(sums.residual(x, y, Some(sd)), sums.unit))
}

/// Weighted means and central second moments of the points.
struct WeightedSums {
    points: usize,
    /// The smallest standard deviation, in which weights are expressed so that they stay in range; 1 without any.
    unit: f64,
    weight: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    slope: f64,
}

/// Weight of point `i`, at most 1.
fn weight(sd: Option<&[f64]>, unit: f64, i: usize) -> f64 {
    sd.map_or(1.0, |s| (unit / s[i]) * (unit / s[i]))
}

fn check_finite(which: &'static str, list: &[f64]) -> Result<(), StatisticsError> {
    match crate::vector::first_non_finite(list) {
        Some((index, value)) => Err(StatisticsError::Value { which, index, value, wanted: "finite" }),
        None => Ok(()),
    }
}

impl WeightedSums {
    fn collect(x: &[f64], y: &[f64], sd: Option<&[f64]>) -> Result<Self, StatisticsError> {
        let (n, weights) = (x.len(), sd.map_or(y.len(), <[f64]>::len));
        if n < 3 || y.len() != n || weights != n {
            return Err(StatisticsError::Points { x: n, y: y.len(), weights });
        }
        check_finite("x", x)?;
        check_finite("y", y)?;
        if let Some(index) = sd.and_then(|s| s.iter().position(|v| !(*v > 0.0 && v.is_finite()))) {
            let value = sd.map_or(0.0, |s| s[index]);
            return Err(StatisticsError::Value { which: "sd", index, value, wanted: "positive and finite" });
        }
        let unit = sd.map_or(1.0, |s| s.iter().fold(f64::INFINITY, |m, v| m.min(*v)));
        let weight = |i| weight(sd, unit, i);
        let total: f64 = (0..n).map(weight).sum();
        let mean = |v: &[f64]| (0..n).map(|i| weight(i) * v[i]).sum::<f64>() / total;
        let (mean_x, mean_y) = (mean(x), mean(y));
        let xx: f64 = (0..n).map(|i| weight(i) * (x[i] - mean_x) * (x[i] - mean_x)).sum();
        let xy: f64 = (0..n).map(|i| weight(i) * (x[i] - mean_x) * (y[i] - mean_y)).sum();
        if x.iter().all(|v| *v == x[0]) {
            return Err(StatisticsError::Vertical { points: n, value: x[0] });
        }
        Ok(Self { points: n, unit, weight: total, mean_x, mean_y, xx, slope: xy / xx })
    }

    fn residual(&self, x: &[f64], y: &[f64], sd: Option<&[f64]>) -> f64 {
        let off = |i: usize| (y[i] - self.mean_y) - self.slope * (x[i] - self.mean_x);
        let squares: f64 = (0..self.points).map(|i| weight(sd, self.unit, i) * off(i) * off(i)).sum();
        (squares / (self.points - 2) as f64).sqrt() / self.unit
    }

    fn line(&self, residual: f64, unit: f64) -> LineFit {
        LineFit {
            intercept: (-self.slope).mul_add(self.mean_x, self.mean_y),
            slope: self.slope,
            intercept_error: unit * (1.0 / self.weight + self.mean_x * self.mean_x / self.xx).sqrt(),
            slope_error: unit / self.xx.sqrt(),
            residual,
            points: self.points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_line_is_recovered_with_its_errors() {
        // By hand: X = 2.5, Y = 5, Sxx = 5, Sxy = 10, residuals 0.5, -0.5, -0.5, 0.5.
        let line = fit_line(&[1.0, 2.0, 3.0, 4.0], &[2.5, 3.5, 5.5, 8.5]).unwrap();
        let row = crate::accuracy::bound("fit_line").unwrap();
        assert!(row.used(line.slope, 2.0, 2.0) <= 1.0 && row.used(line.intercept, 0.0, 5.0) <= 1.0);
        assert!((line.residual - 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((line.slope_error - 0.1_f64.sqrt()).abs() < 1e-15);
        assert!((line.intercept_error - (0.5_f64 * (0.25 + 1.25)).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_point_without_weight_does_not_count() {
        let sd = [1.0, 1.0, 1.0, 1e100];
        let line = fit_line_weighted(&[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 2.0, 50.0], &sd).unwrap();
        assert!((line.slope - 1.0).abs() < 1e-14 && (line.slope_error - 0.5_f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn bad_points_are_refused_by_name() {
        assert!(matches!(fit_line(&[1.0, 2.0], &[1.0, 2.0]), Err(StatisticsError::Points { .. })));
        assert!(matches!(fit_line(&[1.0; 3], &[1.0; 3]), Err(StatisticsError::Vertical { points: 3, .. })));
        let error = fit_line(&[1.0, f64::NAN, 2.0], &[1.0; 3]).unwrap_err();
        assert!(error.to_string().starts_with("x[1] = NaN"), "{error}");
        assert!(fit_line_weighted(&[1.0, 2.0, 3.0], &[1.0; 3], &[1.0, 0.0, 1.0]).is_err());
    }
}
