//! The limit of a sequence that is a smooth function of a variable going to zero.

use super::StatisticsError;

/// A limit with its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The extrapolated value.
    pub value: f64,
    /// The change from the polynomial of one degree less: an estimate of the error, not a bound.
    pub error: f64,
}

/// The value at `x = 0` of the polynomial through the points `(x_i, y_i)`, by Neville's scheme.
///
/// ```text
/// P[i..=j](0) = (x_i P[i+1..=j] - x_j P[i..=j-1]) / (x_i - x_j)
/// ```
///
/// Source: docs/theory/critical.md, (Z.27).
///
/// - Shapes: as many `x` as `y`, at least 3, all `x` different from each other and from zero.
/// - Accuracy: that of the data times the growth of the scheme: for `x` falling by a factor of 2 or more the errors of the data come in at most
///   9 times enlarged. The degree is one less than the number of points.
///
/// # Errors
///
/// [`StatisticsError::Points`], [`StatisticsError::Value`].
///
/// # Examples
///
/// ```
/// let x = [0.4_f64, 0.2, 0.1, 0.05, 0.025];
/// let y = x.map(|x| 3.0 + x / (1.0 + x));
/// let limit = popgrad::extrapolate_to_zero(&x, &y)?;
/// assert!((limit.value - 3.0).abs() < limit.error && limit.error < 1e-3);
/// # Ok::<(), popgrad::StatisticsError>(())
/// ```
pub fn extrapolate_to_zero(x: &[f64], y: &[f64]) -> Result<Limit, StatisticsError> {
    if x.len() != y.len() || x.len() < 3 {
        return Err(StatisticsError::Points { x: x.len(), y: y.len(), weights: y.len() });
    }
    for (which, list) in [("x", x), ("y", y)] {
        if let Some(index) = list.iter().position(|v| !v.is_finite()) {
            return Err(StatisticsError::Value { which, index, value: list[index], wanted: "finite" });
        }
    }
    for (index, value) in x.iter().enumerate() {
        if *value == 0.0 || x[..index].contains(value) {
            let wanted = "different from zero and from every other";
            return Err(StatisticsError::Value { which: "x", index, value: *value, wanted });
        }
    }
    let mut column = y.to_vec();
    let mut before = column[column.len() - 1];
    for degree in 1..x.len() {
        before = column[column.len() - 1];
        column = (0..x.len() - degree)
            .map(|i| (x[i] * column[i + 1] - x[i + degree] * column[i]) / (x[i] - x[i + degree]))
            .collect();
    }
    Ok(Limit { value: column[0], error: (column[0] - before).abs() })
}
