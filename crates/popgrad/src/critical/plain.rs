//! A problem under a covariance or with a linear skip as one of plain units under white input.
//!
//! ```text
//! J_Sigma(W; V) = J(W L; V L),  Sigma = L L^T,      e.x = [s(e.x) - s(-e.x)] / (1 + alpha)
//! ```
//!
//! Critical points, their index and their nullity are those of the plain problem (docs/theory/critical.md, (Z.26), (Z.29)). What the
//! covariance leaves of the rotations are those that commute with it: they keep the inner products within each of its eigenspaces
//! ((Z.30), (Z.31)).

use super::CriticalError;
use super::plane::Plane;
use super::span::Span;
use crate::vector::{dot, norm};
use crate::{InputLaw, Matrix, MatrixView, TwoLayer, symmetric_eigenvectors};

/// Eigenvalues of the covariance closer than this share of the largest are one.
const SAME_VARIANCE: f64 = 1e-9;

/// The plain problem, and the way there and back.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    /// White input, no skip; teachers of the original problem first.
    pub(super) problem: TwoLayer,
    /// The same teachers in the original coordinates.
    teachers: Matrix,
    factor: Option<Matrix>,
    /// The covariance's distinct eigenvalues, each with an orthonormal basis of its space; empty for white input.
    spaces: Vec<(f64, Span)>,
}

impl Plain {
    /// The plain problem for students with a skip that stays as it is; empty means zero.
    pub(super) fn new(problem: &TwoLayer, student_skip: &[f64]) -> Result<Self, CriticalError> {
        let d = problem.input_dimension();
        let (teachers, output) = with_skip_as_units(problem, student_skip);
        let factor = problem.covariance_factor().cloned();
        if let Some(l) = &factor
            && let Some(row) = (0..d).find(|i| l.row(*i)[*i] == 0.0)
        {
            return Err(CriticalError::SingularCovariance { row });
        }
        if factor.is_none() && output.len() == problem.teacher().rows() && problem.teacher_skip().is_empty() {
            return Ok(Self { problem: problem.clone(), teachers, factor, spaces: Vec::new() });
        }
        let spaces = factor.as_ref().map_or(Ok(Vec::new()), eigenspaces)?;
        let white = factor.as_ref().map_or_else(|| teachers.clone(), |l| times(teachers.view(), l));
        let plain = TwoLayer::try_new(white)?
            .with_teacher_output(output)?
            .with_leaky(problem.leaky())?
            .with_law(InputLaw::Kappa(problem.kappa()))?
            .with_memory_limit(problem.memory_limit());
        Ok(Self { problem: plain, teachers, factor, spaces })
    }

    /// Whether the coordinates are not the original ones.
    pub(super) fn is_tilted(&self) -> bool {
        self.factor.is_some()
    }

    /// The largest eigenvalue of the covariance; 1 for white input.
    pub(super) fn variance(&self) -> f64 {
        self.spaces.last().map_or(1.0, |space| space.0)
    }

    /// Students in the plain problem, `W L`.
    pub(super) fn enter(&self, weights: MatrixView<'_>) -> Matrix {
        self.factor.as_ref().map_or_else(|| weights.to_matrix(), |l| times(weights, l))
    }

    /// Students of the plain problem in the original coordinates, `Y L^-1`.
    pub(super) fn leave(&self, weights: Matrix) -> Matrix {
        let Some(l) = &self.factor else { return weights };
        let mut out = weights;
        let d = out.cols();
        for j in 0..out.rows() {
            let row = out.row_mut(j);
            for i in (0..d).rev() {
                let after: f64 = (i + 1..d).map(|c| l.row(c)[i] * row[c]).sum();
                row[i] = (row[i] - after) / l.row(i)[i];
            }
        }
        out
    }

    /// Inner products of the teachers within each eigenspace of the covariance, times its eigenvalue; they add up to those of
    /// the plain teachers. None where the covariance has one eigenvalue, whose inner products are those.
    pub(super) fn teacher_layers(&self) -> Vec<Matrix> {
        if self.spaces.len() < 2 {
            return Vec::new();
        }
        let m = self.teachers.rows();
        let layer = |(variance, space): &(f64, Span)| {
            let part = space.coordinates(self.teachers.view(), space.len());
            let mut out = Matrix::zeros(m, m);
            for i in 0..m {
                for j in 0..m {
                    out.row_mut(i)[j] = variance * dot(part.row(i), part.row(j));
                }
            }
            out
        };
        self.spaces.iter().map(layer).collect()
    }

    /// The dimension of the orbit of students (in the original coordinates) under the rotations of the input that fix the teachers
    /// and keep its law, (Z.31); `plane` is that of the plain problem.
    pub(super) fn rotations(&self, weights: MatrixView<'_>, plane: &Plane) -> usize {
        if self.spaces.is_empty() {
            return plane.manifold(weights.cols());
        }
        let longest = |a: MatrixView<'_>| (0..a.rows()).map(|i| norm(a.row(i))).fold(0.0, f64::max);
        let size = longest(self.teachers.view()).max(longest(weights));
        let within = |space: &Span| {
            let part = |rows| space.coordinates(rows, space.len());
            Plane::of(part(self.teachers.view()).view(), part(weights).view(), size).manifold(space.len())
        };
        self.spaces.iter().map(|(_, space)| within(space)).sum()
    }
}

/// The teachers and their output weights, with two more for what the skips differ by.
fn with_skip_as_units(problem: &TwoLayer, student_skip: &[f64]) -> (Matrix, Vec<f64>) {
    let (m, d) = (problem.teacher().rows(), problem.input_dimension());
    let entry = |skip: &[f64], i: usize| skip.get(i).copied().unwrap_or(0.0);
    // The even function |z| has nothing in common with an odd one: there a skip adds a constant to the loss.
    let slope = 1.0 + problem.leaky();
    let gap: Vec<f64> = (0..d).map(|i| entry(problem.teacher_skip(), i) - entry(student_skip, i)).collect();
    let mut output = problem.teacher_output().to_vec();
    if slope == 0.0 || gap.iter().all(|x| *x == 0.0) {
        return (problem.teacher().to_matrix(), output);
    }
    let mut rows = problem.teacher().as_slice().to_vec();
    for sign in [1.0, -1.0] {
        rows.extend(gap.iter().map(|x| sign * x / slope));
        output.push(sign);
    }
    (Matrix::from_parts(m + 2, d, rows), output)
}

/// `A L`.
fn times(a: MatrixView<'_>, l: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(a.rows(), a.cols());
    for i in 0..a.rows() {
        for (c, x) in a.row(i).iter().enumerate() {
            out.row_mut(i).iter_mut().zip(l.row(c)).for_each(|(o, y)| *o = x.mul_add(*y, *o));
        }
    }
    out
}

/// The distinct eigenvalues of `L L^T`, ascending, with bases of their spaces.
fn eigenspaces(l: &Matrix) -> Result<Vec<(f64, Span)>, CriticalError> {
    let d = l.rows();
    let mut sigma = Matrix::zeros(d, d);
    for i in 0..d {
        for j in 0..d {
            sigma.row_mut(i)[j] = dot(l.row(i), l.row(j));
        }
    }
    let (values, vectors) = symmetric_eigenvectors(sigma.view())?;
    let largest = values.last().copied().unwrap_or(0.0);
    let mut out: Vec<(f64, Span)> = Vec::new();
    for (i, value) in values.iter().enumerate() {
        let vector = vectors.row(i).to_vec();
        match out.last_mut() {
            Some((last, space)) if value - *last <= SAME_VARIANCE * largest => space.vectors.push(vector),
            _ => out.push((*value, Span { vectors: vec![vector] })),
        }
    }
    Ok(out)
}
