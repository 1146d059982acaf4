//! The problem in a basis of the span of its units: what happens there costs the same for every input dimension.

use super::{Student, TwoLayer, TwoLayerError};
use crate::lanes::on_lanes;
use crate::vector::{dot, power_of_two_scale};
use crate::{InputLaw, Matrix, MatrixView};

/// A unit whose part outside the basis is smaller than this share of its length adds no basis vector. A few roundings of
/// a unit that lies in the span leave no more; anything smaller would add directions that are noise.
const OUTSIDE: f64 = 16.0 * f64::EPSILON;

/// A two-layer problem with a student, in an orthonormal basis of the span of all units (and skips); see
/// [`TwoLayer::reduce`].
#[derive(Clone, Debug)]
pub struct Reduction {
    problem: TwoLayer,
    weights: Matrix,
    skip: Vec<f64>,
    /// The basis, one vector a row; `None` where the coordinates are the original ones.
    basis: Option<Matrix>,
}

impl TwoLayer {
    /// The same problem in an orthonormal basis of the span of teacher and student, of at most `K + M` vectors
    /// (`K + M + 2` with skips). Training never leaves that span, so that a step costs the same for every `d`.
    ///
    /// ```text
    /// W = Y Q,  V = Z Q,  Q Q^T = I:   J(W) with teacher V = J(Y) with teacher Z,   grad_W J = (grad_Y J) Q
    /// ```
    ///
    /// Source: docs/theory/reduction.md, (R.1)-(R.3).
    ///
    /// - Shapes: the student is `K x d`; the reduced one `K x r`, `r <= min(d, K + M + 2)`. Where `d` is not larger
    ///   than the number of units and skips, the coordinates stay the original ones, bit for bit.
    /// - Domain: white input, of any rotation-invariant law. Under a covariance training leaves the span.
    /// - Accuracy (measured): `lift(weights)` is within `8 EPSILON |w_j|` of each unit. So the reduced problem is
    ///   the exact image of units that differ in the last bits; closer to the teacher than that, gradient and loss
    ///   of the original problem are more accurate.
    /// - Cost: `2 (K + M)^2 d` products, once; memory of `K + M` vectors of length `d`.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::NotReducible`] under a covariance, [`TwoLayerError::Memory`], and those of a student that does
    /// not fit the problem.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(2, 1000))?;
    /// let w = Matrix::try_new(1, 1000, vec![0.1; 1000])?;
    /// let reduction = problem.reduce(Student::new(w.view()))?;
    /// assert_eq!(reduction.problem().input_dimension(), 3);
    /// let full = problem.gradient(Student::new(w.view()))?.weights;
    /// let reduced = reduction.problem().gradient(reduction.student())?.weights;
    /// let lifted = reduction.lift(reduced.view())?;
    /// assert!(full.as_slice().iter().zip(lifted.as_slice()).all(|(a, b)| (a - b).abs() < 1e-15));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reduce(&self, student: Student<'_>) -> Result<Reduction, TwoLayerError> {
        let d = self.input_dimension();
        student.check(d)?;
        if self.factor.is_some() {
            return Err(TwoLayerError::NotReducible);
        }
        let (m, k) = (self.teacher().rows(), student.neurons());
        let skips = [&self.skip[..], student.skip].into_iter().filter(|s| !s.is_empty());
        let units = (0..m).map(|i| self.white.rows.row(i)).chain((0..k).map(|j| student.weights.row(j)));
        let vectors: Vec<&[f64]> = units.chain(skips).collect();
        if d <= vectors.len() {
            let (weights, skip) = (student.weights.to_matrix(), student.skip.to_vec());
            return Ok(Reduction { problem: self.clone(), weights, skip, basis: None });
        }
        self.check_memory("the basis of the units' span", vectors.len() as u128 * d as u128)?;
        let mut basis = Basis::new(d);
        let coordinates: Vec<Vec<f64>> =
            vectors.iter().map(|u| on_lanes!(self.lanes, _simd => basis.coordinates(u))).collect();
        let r = basis.close();
        let mut problem = Self::try_new(padded_rows(&coordinates[..m], r))?
            .with_teacher_output(self.output.clone())?
            .with_leaky(self.alpha)?
            .with_law(InputLaw::Kappa(self.kappa))?
            .with_memory_limit(self.memory_limit);
        problem.lanes = self.lanes;
        let mut next = m + k;
        if !self.skip.is_empty() {
            problem = problem.with_teacher_skip(padded_rows(&coordinates[next..=next], r).into_vec())?;
            next += 1;
        }
        let weights = padded_rows(&coordinates[m..m + k], r);
        let skip = padded_rows(&coordinates[next..], r).into_vec();
        Ok(Reduction { problem, weights, skip, basis: Some(padded_rows(&basis.vectors, d)) })
    }
}

impl Reduction {
    /// The problem in the coordinates of the basis.
    pub fn problem(&self) -> &TwoLayer {
        &self.problem
    }

    /// The student in the coordinates of the basis, with output weights one; those of the original student are set by
    /// [`Student::with_output`] as before.
    pub fn student(&self) -> Student<'_> {
        Student::new(self.weights.view()).with_skip(&self.skip)
    }

    /// Rows given in the coordinates of the basis, in the original ones: weights, and gradients with respect to them.
    ///
    /// - Shapes: `n x r` in, `n x d` out.
    /// - Accuracy (measured): `8 EPSILON` times the length of each row.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::InputDimension`] if the rows do not have one entry for each basis vector.
    pub fn lift(&self, coordinates: MatrixView<'_>) -> Result<Matrix, TwoLayerError> {
        let (got, want) = (coordinates.cols(), self.problem.input_dimension());
        if got != want {
            return Err(TwoLayerError::InputDimension { name: "the matrix to lift", got, want });
        }
        let Some(basis) = &self.basis else { return Ok(coordinates.to_matrix()) };
        let mut out = Matrix::zeros(coordinates.rows(), basis.cols());
        for i in 0..coordinates.rows() {
            for (c, q) in coordinates.row(i).iter().zip(0..) {
                on_lanes!(self.problem.lanes, _simd => add_multiple(out.row_mut(i), *c, basis.row(q)));
            }
        }
        Ok(out)
    }
}

/// An orthonormal basis that grows with the vectors it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Basis {
    d: usize,
    vectors: Vec<Vec<f64>>,
}

impl Basis {
    /// The empty basis of `R^d`.
    pub(crate) fn new(d: usize) -> Self {
        Self { d, vectors: Vec::new() }
    }

    /// The number of basis vectors.
    pub(crate) fn len(&self) -> usize {
        self.vectors.len()
    }

    /// The vector of the given coordinates, written to `out`; coordinates beyond the basis are not looked at.
    #[inline(always)]
    pub(crate) fn combine(&self, coordinates: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (c, q) in coordinates.iter().zip(&self.vectors) {
            add_multiple(out, *c, q);
        }
    }

    /// Coordinates of `u`, after its part outside the basis has become a basis vector. The projection is removed twice,
    /// which leaves the new vector orthogonal to rounding however small that part is.
    #[inline(always)]
    pub(crate) fn coordinates(&mut self, u: &[f64]) -> Vec<f64> {
        let scale = power_of_two_scale(u);
        let mut rest: Vec<f64> = u.iter().map(|x| x * scale).collect();
        let length = dot(&rest, &rest).sqrt();
        let mut coordinates = vec![0.0; self.vectors.len()];
        for _ in 0..2 {
            for (c, q) in coordinates.iter_mut().zip(&self.vectors) {
                let along = dot(q, &rest);
                add_multiple(&mut rest, -along, q);
                *c += along;
            }
        }
        let outside = dot(&rest, &rest).sqrt();
        if outside > OUTSIDE * length {
            rest.iter_mut().for_each(|x| *x /= outside);
            self.vectors.push(rest);
            coordinates.push(outside);
        }
        coordinates.iter_mut().for_each(|c| *c /= scale);
        coordinates
    }

    /// The number of basis vectors, after the first axis has been taken where all units are zero.
    fn close(&mut self) -> usize {
        if self.vectors.is_empty() {
            let mut axis = vec![0.0; self.d];
            axis[0] = 1.0;
            self.vectors.push(axis);
        }
        self.vectors.len()
    }
}

/// Rows of length at most `cols`, filled up with zeros.
fn padded_rows(rows: &[Vec<f64>], cols: usize) -> Matrix {
    let mut out = Matrix::zeros(rows.len(), cols);
    for (i, row) in rows.iter().enumerate() {
        out.row_mut(i)[..row.len()].copy_from_slice(row);
    }
    out
}

/// `out += factor u`.
#[inline(always)]
fn add_multiple(out: &mut [f64], factor: f64, u: &[f64]) {
    for (o, x) in out.iter_mut().zip(u) {
        *o = factor.mul_add(*x, *o);
    }
}
