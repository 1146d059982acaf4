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

/// Generators of an orbit: rotations in planes of two of the vectors.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    vectors: Vec<Vec<Interval>>,
    /// The two vectors of a plane, and a factor that makes the action on the point a unit vector.
    planes: Vec<(usize, usize, f64)>,
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

    /// No vectors: no rotation is made use of.
    pub(super) fn none() -> Self {
        Self { vectors: Vec::new() }
    }

    /// The orbit through a point: none if the students lie in the span of the teacher.
    pub(super) fn gauge(&self, weights: MatrixView<'_>) -> Gauge {
        self.generators(weights).unwrap_or(Gauge { vectors: Vec::new(), planes: Vec::new() })
    }

    /// In the principal axes of the students' parts across the teacher the actions of the planes are orthogonal.
    fn generators(&self, weights: MatrixView<'_>) -> Option<Gauge> {
        let q = self.vectors.len();
        let middles: Vec<Vec<f64>> =
            self.vectors.iter().map(|p| p.iter().map(|x| x.middle()).collect()).collect();
        let parts: Vec<Vec<f64>> =
            (0..weights.rows()).map(|j| middles.iter().map(|p| dot(weights.row(j), p)).collect()).collect();
        let gram = (0..q * q).map(|at| parts.iter().map(|z| z[at / q] * z[at % q]).sum()).collect();
        let (squares, axes) = falling(q, gram)?;
        let smallest = OUT_OF_PLANE * OUT_OF_PLANE * dot(weights.as_slice(), weights.as_slice());
        let rank = squares.iter().filter(|x| **x > smallest).count();
        let size = |a: usize| if a < rank { squares[a] } else { 0.0 };
        let planes: Vec<(usize, usize, f64)> = (0..rank)
            .flat_map(|a| (a + 1..q).map(move |b| (a, b)))
            .map(|(a, b)| (a, b, 1.0 / (size(a) + size(b)).sqrt()))
            .collect();
        // Any combination of vectors orthogonal to the teacher is orthogonal to it.
        let combined = |axis: &Vec<f64>| -> Vec<Interval> {
            let d = weights.cols();
            let terms = |i: usize| axis.iter().zip(&self.vectors).map(move |(c, p)| p[i] * *c);
            (0..d).map(|i| Interval::sum(terms(i))).collect()
        };
        (!planes.is_empty()).then(|| Gauge { vectors: axes.iter().map(combined).collect(), planes })
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
        self.planes.len()
    }

    /// The generators' actions on a box of students, one a list.
    pub(super) fn actions(&self, weights: &[Interval]) -> Vec<Vec<Interval>> {
        let d = self.vectors.first().map_or(1, Vec::len);
        let part = |row: &[Interval], p: &[Interval]| Interval::sum(row.iter().zip(p).map(|(x, y)| *x * *y));
        let parts: Vec<Vec<Interval>> =
            weights.chunks_exact(d).map(|row| self.vectors.iter().map(|p| part(row, p)).collect()).collect();
        let action = |(a, b, factor): &(usize, usize, f64)| -> Vec<Interval> {
            let (p, r) = (&self.vectors[*a], &self.vectors[*b]);
            let row = |z: &Vec<Interval>| -> Vec<Interval> {
                p.iter().zip(r).map(|(p, r)| (z[*a] * *r - z[*b] * *p) * *factor).collect()
            };
            parts.iter().flat_map(row).collect()
        };
        self.planes.iter().map(action).collect()
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
