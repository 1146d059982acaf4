//! Rotations that fix the teacher, their orbits, and a slice across them.
//!
//! For vectors `p`, `q` orthogonal to every teacher the map `x -> x (p q^T - q p^T)` generates rotations of the students that
//! leave the loss alone ((V.8)). The vectors need to be exactly orthogonal, not normalised: coordinate axes where the
//! teacher's columns are exactly zero, and otherwise guesses whose distance from such a vector is enclosed.

use super::index::smallest_eigenvalue_of_gram;
use crate::Interval;
use popgrad::{Matrix, MatrixView, symmetric_eigenvectors};

/// Singular values of the students' part across the teacher below this share of the students count as zero.
const OUT_OF_PLANE: f64 = 1e-4;
/// Eigenvalues of the teacher's Gram matrix below this share count as zero.
const TEACHER_RANK: f64 = 1e-12;

/// Vectors orthogonal to every teacher, each enclosed.
#[derive(Clone, Debug)]
pub(super) struct Complement {
    vectors: Vec<Vec<Interval>>,
}

/// Generators of an orbit: each a combination of rotations in the planes of two vectors.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    vectors: Vec<Vec<Interval>>,
    /// One row a generator, one coefficient a plane, in the order of [`planes`].
    coefficients: Vec<Vec<f64>>,
}

/// Pairs of indices in order.
fn planes(q: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..q).flat_map(move |a| (a + 1..q).map(move |b| (a, b)))
}

/// Eigenvectors as rows by falling eigenvalue, of a small matrix given row by row; none if the iteration fails.
fn falling(n: usize, entries: Vec<f64>) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
    let matrix = Matrix::try_new(n, n, entries).ok()?;
    let (mut values, vectors) = symmetric_eigenvectors(matrix.view()).ok()?;
    values.reverse();
    Some((values, (0..n).rev().map(|i| vectors.row(i).to_vec()).collect()))
}

fn dot(u: &[f64], v: &[f64]) -> f64 {
    u.iter().zip(v).map(|(a, b)| a * b).sum()
}

impl Complement {
    /// What is certainly orthogonal to the teacher; a teacher with dependent rows may have more.
    pub(super) fn of(teacher: MatrixView<'_>) -> Self {
        let d = teacher.cols();
        let used: Vec<usize> =
            (0..d).filter(|i| (0..teacher.rows()).any(|m| teacher.row(m)[*i] != 0.0)).collect();
        let axis = |i: usize| (0..d).map(|l| if l == i { Interval::ONE } else { Interval::ZERO }).collect();
        let mut vectors: Vec<Vec<Interval>> = (0..d).filter(|i| !used.contains(i)).map(axis).collect();
        vectors.extend(across(teacher, &used).unwrap_or_default());
        Self { vectors }
    }

    /// The orbit through a point: none if the students lie in the span of the teacher.
    pub(super) fn gauge(&self, weights: MatrixView<'_>) -> Gauge {
        let coefficients = self.generators(weights).unwrap_or_default();
        Gauge { vectors: self.vectors.clone(), coefficients }
    }

    /// Combinations of the plane rotations whose actions on the point are orthonormal.
    fn generators(&self, weights: MatrixView<'_>) -> Option<Vec<Vec<f64>>> {
        let q = self.vectors.len();
        let middles: Vec<Vec<f64>> =
            self.vectors.iter().map(|p| p.iter().map(|x| x.middle()).collect()).collect();
        let parts: Vec<Vec<f64>> =
            (0..weights.rows()).map(|j| middles.iter().map(|p| dot(weights.row(j), p)).collect()).collect();
        let gram = (0..q * q).map(|at| parts.iter().map(|z| z[at / q] * z[at % q]).sum()).collect();
        let (values, _) = falling(q, gram)?;
        let scale = dot(weights.as_slice(), weights.as_slice()).sqrt() * OUT_OF_PLANE;
        let rank = values.iter().filter(|x| **x > scale * scale).count();
        let dimension = rank * q - rank * (rank + 1) / 2;
        if dimension == 0 {
            return None;
        }
        let actions: Vec<Vec<f64>> = planes(q)
            .map(|(a, b)| {
                let row = |z: &Vec<f64>| -> Vec<f64> {
                    middles[a].iter().zip(&middles[b]).map(|(p, r)| z[a] * r - z[b] * p).collect()
                };
                parts.iter().flat_map(row).collect()
            })
            .collect();
        let g = actions.len();
        let gram = (0..g * g).map(|at| dot(&actions[at / g], &actions[at % g])).collect();
        let (values, vectors) = falling(g, gram)?;
        let scaled = |i: usize| vectors[i].iter().map(|x| x / values[i].sqrt()).collect();
        Some((0..dimension).map(scaled).collect())
    }
}

/// Vectors orthogonal to teachers with independent rows, supported on the columns that are not all zero.
fn across(teacher: MatrixView<'_>, used: &[usize]) -> Option<Vec<Vec<Interval>>> {
    let (m, d, n) = (teacher.rows(), teacher.cols(), used.len());
    if n <= m {
        return None;
    }
    let column = |i: usize| (0..m).map(move |r| teacher.row(r)[used[i]]);
    let gram = (0..n * n).map(|at| column(at / n).zip(column(at % n)).map(|(a, b)| a * b).sum()).collect();
    let (values, vectors) = falling(n, gram)?;
    if values[m - 1] < TEACHER_RANK * values[0] {
        return None;
    }
    // A guess p is off by V^T (V V^T)^-1 V p, at most |V| |V p| / (smallest eigenvalue of V V^T).
    let least = smallest_eigenvalue_of_gram(teacher).filter(|x| *x > 0.0)?;
    let norm = Interval::sum(teacher.as_slice().iter().map(|x| Interval::point(*x).square())).sqrt();
    let enclosed = |guess: &Vec<f64>| -> Vec<Interval> {
        let mut p = vec![0.0; d];
        used.iter().zip(guess).for_each(|(i, x)| p[*i] = *x);
        let products = (0..m).map(|r| {
            let row = teacher.row(r).iter().zip(&p);
            Interval::sum(row.map(|(v, x)| Interval::point(*v) * *x)).square()
        });
        let off = (norm * Interval::sum(products).sqrt() / least).hi();
        let slack =
            |(i, x): (usize, f64)| if used.contains(&i) { Interval::ball(x, off) } else { Interval::ZERO };
        p.into_iter().enumerate().map(slack).collect()
    };
    Some(vectors[m..].iter().map(enclosed).collect())
}

impl Gauge {
    /// Dimension of the orbit.
    pub(super) fn dimension(&self) -> usize {
        self.coefficients.len()
    }

    /// The generators' actions on a box of students, one a list.
    pub(super) fn actions(&self, weights: &[Interval]) -> Vec<Vec<Interval>> {
        let d = self.vectors.first().map_or(1, Vec::len);
        let part = |row: &[Interval], p: &[Interval]| Interval::sum(row.iter().zip(p).map(|(x, y)| *x * *y));
        let parts: Vec<Vec<Interval>> =
            weights.chunks_exact(d).map(|row| self.vectors.iter().map(|p| part(row, p)).collect()).collect();
        let action = |coefficients: &Vec<f64>| -> Vec<Interval> {
            let mut out = vec![Interval::ZERO; weights.len()];
            for ((a, b), c) in planes(self.vectors.len()).zip(coefficients).filter(|(_, c)| **c != 0.0) {
                for (row, z) in out.chunks_exact_mut(d).zip(&parts) {
                    for (i, x) in row.iter_mut().enumerate() {
                        *x = *x + (z[a] * self.vectors[b][i] - z[b] * self.vectors[a][i]) * *c;
                    }
                }
            }
            out
        };
        self.coefficients.iter().map(action).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_orthogonal_to_a_teacher_in_general_position() {
        let teacher = Matrix::from_rows(&[[0.3, -1.2, 0.0, 0.7, 2.0], [1.0, 0.1, 0.0, -0.4, 0.6]]);
        let complement = Complement::of(teacher.view());
        assert_eq!(complement.vectors.len(), 3);
        for p in &complement.vectors {
            for m in 0..2 {
                let product = Interval::sum(p.iter().zip(teacher.row(m)).map(|(x, v)| *x * *v));
                assert!(product.contains(0.0) && product.width() < 1e-13, "{product:?}");
            }
        }
    }

    #[test]
    fn orbits_have_the_dimension_of_a_stiefel_manifold() {
        let complement = Complement::of(Matrix::identity(2, 6).view());
        let gauge = |rows: [[f64; 6]; 2]| complement.gauge(Matrix::from_rows(&rows).view()).dimension();
        assert_eq!(gauge([[0.5, 0.5, 0.0, 0.0, 0.0, 0.0], [0.1, 0.9, 0.0, 0.0, 0.0, 0.0]]), 0);
        assert_eq!(gauge([[0.5, 0.5, 0.3, 0.1, 0.0, 0.2], [0.1, 0.9, -0.3, -0.1, 0.0, -0.2]]), 3);
        assert_eq!(gauge([[0.5, 0.5, 0.3, 0.1, 0.0, 0.2], [0.1, 0.9, 0.3, -0.1, 0.5, 0.0]]), 5);
    }

    #[test]
    fn actions_are_orthonormal_at_their_point() {
        let complement = Complement::of(Matrix::identity(1, 4).view());
        let point = Matrix::from_rows(&[[0.5, 0.5, 0.3, 0.1], [0.1, 0.9, -0.3, 0.4]]);
        let weights: Vec<Interval> = point.as_slice().iter().map(|x| Interval::point(*x)).collect();
        let actions = complement.gauge(point.view()).actions(&weights);
        assert_eq!(actions.len(), 3);
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let product = Interval::sum(actions[i].iter().zip(&actions[j]).map(|(x, y)| *x * *y));
            let want = f64::from(u8::from(i == j));
            assert!((product.middle() - want).abs() < 1e-12, "{i} {j} {product:?}");
        }
    }
}
