//! How many vectors lie in the cone that others span: the counts of Theorem 4 for any number of units in any dimension.
//!
//! At a critical point a vector may lie on the boundary up to the point's own error, so that no sign decides; for two students and two
//! teachers in the plane [`super::cone`] decides exactly.
//!
//! A vector lies in the cone of units iff the non-negative least-squares problem for it has no residual
//! (docs/theory/critical.md, (Z.11)). Near the boundary a count is a matter of rounding, so vectors there are counted apart.

use crate::MatrixView;
use crate::vector::{dot, norm};

/// A residual below this share of the vector's length is none.
const RESIDUAL: f64 = 1e-7;
/// A vector lies on the boundary if moving it outward by this share of its length takes it out of the cone.
const MARGIN: f64 = 1e-5;

/// How many vectors lie in a closed cone, and how many of those on its relative boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConeMembership {
    /// Vectors in the closed cone, its boundary included.
    pub inside: usize,
    /// Those within `1e-5` of their length of the cone's relative boundary, where a finer distinction would be one of
    /// rounding.
    pub on_boundary: usize,
}

/// Counts the vectors in the closed cone `{sum_j c_j g_j, c >= 0}` of the generators. Zero vectors are not counted.
pub(super) fn count_in_cone(vectors: MatrixView<'_>, generators: MatrixView<'_>) -> ConeMembership {
    let units: Vec<Vec<f64>> = (0..generators.rows()).filter_map(|j| unit(generators.row(j))).collect();
    let mut centre = vec![0.0; generators.cols()];
    for u in &units {
        centre.iter_mut().zip(u).for_each(|(c, x)| *c += x);
    }
    let mut count = ConeMembership::default();
    for v in (0..vectors.rows()).filter_map(|m| unit(vectors.row(m))) {
        if residual(&units, &v) > RESIDUAL {
            continue;
        }
        count.inside += 1;
        // The sum of the generators lies in the relative interior; stepping away from it leaves the cone at its boundary.
        let outward: Vec<f64> =
            v.iter().zip(&centre).map(|(x, c)| x - MARGIN * c / units.len() as f64).collect();
        if residual(&units, &outward) > RESIDUAL {
            count.on_boundary += 1;
        }
    }
    count
}

fn unit(v: &[f64]) -> Option<Vec<f64>> {
    let length = norm(v);
    (length > 0.0).then(|| v.iter().map(|x| x / length).collect())
}

/// Distance of `v` from the cone of the units: non-negative least squares by active sets (Lawson and Hanson).
fn residual(units: &[Vec<f64>], v: &[f64]) -> f64 {
    let n = units.len();
    let mut passive: Vec<usize> = Vec::new();
    let mut barred = vec![false; n];
    let mut amounts = vec![0.0; n];
    let mut rest = v.to_vec();
    // Each pass adds one unit; the objective falls at each, so that no passive set comes twice.
    for _ in 0..10 * n + 10 {
        let slope = |j: &usize| dot(&units[*j], &rest);
        let best = (0..n)
            .filter(|j| !passive.contains(j) && !barred[*j])
            .max_by(|a, b| slope(a).total_cmp(&slope(b)));
        let Some(entering) = best.filter(|j| slope(j) > 1e-12) else { break };
        passive.push(entering);
        loop {
            let Some(solution) = least_squares(units, &passive, v) else {
                // The unit depends on those already there and can add nothing.
                passive.pop();
                barred[entering] = true;
                break;
            };
            let negative = |(i, x): (usize, &f64)| {
                (*x <= 0.0).then(|| (i, amounts[passive[i]] / (amounts[passive[i]] - x)))
            };
            let blocking =
                solution.iter().enumerate().filter_map(negative).min_by(|a, b| a.1.total_cmp(&b.1));
            let Some((_, share)) = blocking else {
                passive.iter().zip(&solution).for_each(|(j, x)| amounts[*j] = *x);
                barred.fill(false);
                break;
            };
            let share = if share.is_nan() { 0.0 } else { share };
            passive.iter().zip(&solution).for_each(|(j, x)| amounts[*j] += share * (x - amounts[*j]));
            let left: Vec<usize> = passive.iter().copied().filter(|j| amounts[*j] > 1e-15).collect();
            (0..n).filter(|j| !left.contains(j)).for_each(|j| amounts[j] = 0.0);
            if !left.contains(&entering) {
                barred[entering] = true;
            }
            passive = left;
            if passive.is_empty() {
                break;
            }
        }
        rest.copy_from_slice(v);
        for (j, x) in amounts.iter().enumerate().filter(|(_, x)| **x > 0.0) {
            rest.iter_mut().zip(&units[j]).for_each(|(r, u)| *r -= x * u);
        }
    }
    norm(&rest)
}

/// Least-squares amounts of the chosen units, by modified Gram-Schmidt; `None` if they are dependent.
fn least_squares(units: &[Vec<f64>], chosen: &[usize], v: &[f64]) -> Option<Vec<f64>> {
    let n = chosen.len();
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(n);
    let mut upper = vec![vec![0.0; n]; n];
    for (column, j) in chosen.iter().enumerate() {
        let mut q = units[*j].clone();
        for _ in 0..2 {
            for (row, b) in basis.iter().enumerate() {
                let along = dot(b, &q);
                upper[row][column] += along;
                q.iter_mut().zip(b).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = norm(&q);
        if length < 1e-10 {
            return None;
        }
        upper[column][column] = length;
        q.iter_mut().for_each(|x| *x /= length);
        basis.push(q);
    }
    let mut amounts: Vec<f64> = basis.iter().map(|q| dot(q, v)).collect();
    for row in (0..n).rev() {
        for column in row + 1..n {
            amounts[row] -= upper[row][column] * amounts[column];
        }
        amounts[row] /= upper[row][row];
    }
    Some(amounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, RandomStream};

    #[test]
    fn in_the_plane_the_cone_is_an_angle() {
        let mut stream = RandomStream::new(5, 0);
        let mut seen = [0; 2];
        for _ in 0..2000 {
            let mut draw = [0.0; 6];
            stream.fill_normal(&mut draw);
            let generators = Matrix::from_rows(&[[draw[0], draw[1]], [draw[2], draw[3]]]);
            let v = Matrix::from_rows(&[[draw[4], draw[5]]]);
            // Cramer's rule, away from the boundary.
            let det = draw[0] * draw[3] - draw[1] * draw[2];
            let first = (draw[4] * draw[3] - draw[5] * draw[2]) / det;
            let second = (draw[0] * draw[5] - draw[1] * draw[4]) / det;
            if first.abs().min(second.abs()) < 1e-3 || det.abs() < 1e-2 {
                continue;
            }
            let inside = usize::from(first > 0.0 && second > 0.0);
            let got = count_in_cone(v.view(), generators.view());
            assert_eq!((got.inside, got.on_boundary), (inside, 0), "{draw:?}");
            seen[inside] += 1;
        }
        assert!(seen[0] > 300 && seen[1] > 300, "{seen:?}");
    }

    #[test]
    fn generators_lie_on_the_boundary_and_combinations_inside() {
        let generators = Matrix::identity(4, 6);
        assert_eq!(
            count_in_cone(generators.view(), generators.view()),
            ConeMembership { inside: 4, on_boundary: 4 }
        );
        let v = Matrix::from_rows(&[
            [0.1, 2.0, 0.3, 1.0, 0.0, 0.0],
            [0.1, 2.0, 0.3, 1.0, 1e-3, 0.0],
            [1.0, 1.0, 0.0, 1.0, 0.0, 0.0],
        ]);
        assert_eq!(count_in_cone(v.view(), generators.view()), ConeMembership { inside: 2, on_boundary: 1 });
    }

    #[test]
    fn random_cones_contain_their_positive_combinations() {
        let mut stream = RandomStream::new(6, 0);
        for n in [3, 7, 12] {
            let mut draw = vec![0.0; n * 6];
            stream.fill_normal(&mut draw);
            let generators = Matrix::try_new(n, 6, draw).unwrap();
            let mut v = vec![0.0; 6];
            for j in 0..n {
                let amount = 0.2 + stream.uniform();
                v.iter_mut().zip(generators.row(j)).for_each(|(x, g)| *x += amount * g);
            }
            let v = Matrix::try_new(1, 6, v).unwrap();
            assert_eq!(count_in_cone(v.view(), generators.view()).inside, 1, "{n}");
        }
    }
}
