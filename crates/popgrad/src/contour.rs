//! Lines along which a function on a grid vanishes: nullclines, boundaries of sign maps.

/// Segments along which `values` is zero, by marching squares with linear interpolation.
///
/// Source: the rule is the usual one: each cell whose corners differ in sign holds one segment, or two where
/// opposite corners agree, and then the sign of the mean of the corners says which.
///
/// - Shapes: `values[i * x.len() + j]` belongs to `(x[j], y[i])`; `x` and `y` ascend.
/// - Domain: cells with a corner that is not finite are left out. A corner that is exactly zero counts as positive.
/// - Accuracy: second order in the spacing of the grid; an interpolated point lies on the edge of a cell.
///
/// # Panics
///
/// If `values` does not have `x.len() * y.len()` entries.
///
/// # Examples
///
/// ```
/// // f(x, y) = x - y on the unit square: the diagonal.
/// let segments = popgrad::zero_contour(&[0.0, 1.0], &[0.0, 1.0], &[0.0, 1.0, -1.0, 0.0]);
/// assert_eq!(segments, [[(1.0, 1.0), (0.0, 0.0)]]);
/// ```
pub fn zero_contour(x: &[f64], y: &[f64], values: &[f64]) -> Vec<[(f64, f64); 2]> {
    assert_eq!(values.len(), x.len() * y.len(), "one value for every point of the grid");
    let mut segments = Vec::new();
    for i in 1..y.len() {
        for j in 1..x.len() {
            let at = |row: usize, col: usize| values[row * x.len() + col];
            // Corners in the order around the cell.
            let corners = [
                ((x[j - 1], y[i - 1]), at(i - 1, j - 1)),
                ((x[j], y[i - 1]), at(i - 1, j)),
                ((x[j], y[i]), at(i, j)),
                ((x[j - 1], y[i]), at(i, j - 1)),
            ];
            if corners.iter().all(|(_, value)| value.is_finite()) {
                cell(&corners, &mut segments);
            }
        }
    }
    segments
}

type Corner = ((f64, f64), f64);

/// The segments of one cell.
fn cell(corners: &[Corner; 4], segments: &mut Vec<[(f64, f64); 2]>) {
    let mut crossings = [(0.0, 0.0); 4];
    let mut count = 0;
    for edge in 0..4 {
        let (a, b) = (corners[edge], corners[(edge + 1) % 4]);
        if (a.1 >= 0.0) != (b.1 >= 0.0) {
            crossings[count] = crossing(a, b);
            count += 1;
        }
    }
    match count {
        2 => segments.push([crossings[0], crossings[1]]),
        4 => {
            let mean: f64 = corners.iter().map(|c| 0.25 * c.1).sum();
            // The crossings lie on edges 0 to 3. Where the middle agrees with corner 0, corners 1 and 3 are cut off.
            let (p, q) = if (mean >= 0.0) == (corners[0].1 >= 0.0) { (1, 3) } else { (3, 1) };
            segments.push([crossings[0], crossings[p]]);
            segments.push([crossings[2], crossings[q]]);
        }
        _ => {}
    }
}

fn crossing((p, a): Corner, (q, b): Corner) -> (f64, f64) {
    let t = a / (a - b);
    (p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every point of the contour of the unit circle lies within the interpolation error of the circle.
    #[test]
    fn a_circle_is_followed_to_second_order() {
        for n in [40_usize, 80] {
            let axis: Vec<f64> = (0..=n).map(|i| -1.5 + 3.0 * i as f64 / n as f64).collect();
            let f = |x: f64, y: f64| x * x + y * y - 1.0;
            let values: Vec<f64> = axis.iter().flat_map(|&y| axis.iter().map(move |&x| f(x, y))).collect();
            let segments = zero_contour(&axis, &axis, &values);
            let spacing = 3.0 / n as f64;
            // Along an edge f has second derivative 2, so the error of the zero is at most h^2 / (4 |f'|).
            for (x, y) in segments.iter().flatten() {
                assert!((x * x + y * y - 1.0).abs() <= 0.25 * spacing * spacing + 1e-12, "({x}, {y})");
            }
            let length: f64 = segments.iter().map(|[a, b]| libm::hypot(a.0 - b.0, a.1 - b.1)).sum();
            assert!((length - std::f64::consts::TAU).abs() < spacing * spacing, "{length}");
        }
    }

    #[test]
    fn opposite_corners_give_two_segments_on_the_side_of_the_mean() {
        let square = [0.0, 1.0];
        let segments = zero_contour(&square, &square, &[3.0, -1.0, -1.0, 3.0]);
        // The mean is positive: the negative corners (1, 0) and (0, 1) are cut off.
        assert_eq!(segments, [[(0.75, 0.0), (1.0, 0.25)], [(0.25, 1.0), (0.0, 0.75)]]);
        let segments = zero_contour(&square, &square, &[1.0, -3.0, -3.0, 1.0]);
        assert_eq!(segments, [[(0.25, 0.0), (0.0, 0.25)], [(0.75, 1.0), (1.0, 0.75)]]);
    }

    #[test]
    fn cells_without_values_are_left_out() {
        let segments = zero_contour(&[0.0, 1.0], &[0.0, 1.0], &[1.0, f64::NAN, -1.0, 1.0]);
        assert!(segments.is_empty());
    }
}
