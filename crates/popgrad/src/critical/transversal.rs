//! The Hessian at a point, split into what moves within the span of the units and what moves out of it.
//!
//! A reflection along a direction orthogonal to all units leaves the problem and the point as they are, so the Hessian does
//! not mix that direction with others: it acts there as one `K x K` matrix, the same for every such direction
//! (docs/theory/critical.md, (Z.8)).

use super::CriticalError;
use super::plane::Plane;
use crate::two_layer::{Blocks, Student, TwoLayer};
use crate::vector::{dot, max_abs, norm};
use crate::{Eigenspace, InputLaw, Matrix, Trained, symmetric_eigenvectors};

/// Eigenvalues in coordinates of the plane, and the `K` eigenvalues out of it.
#[derive(Clone, Debug)]
pub(super) struct Spectra {
    /// Eigenvalues of motion within the span of all units (and of output weights, where they are trained).
    pub(super) inside: Vec<f64>,
    /// Eigenvalues of motion along one direction orthogonal to all units; empty if there is none.
    pub(super) outside: Vec<f64>,
    /// Bound on the rounding of an eigenvalue.
    pub(super) rounding: f64,
    /// Length of Newton's step from here: an estimate of the distance from the exact point.
    pub(super) newton_step: f64,
}

impl Spectra {
    /// All eigenvalues, ascending, those out of the span with `copies`.
    pub(super) fn merged(&self, copies: usize) -> Vec<Eigenspace> {
        let inside = self.inside.iter().map(|value| Eigenspace { value: *value, multiplicity: 1 });
        let outside = self.outside.iter().map(|value| Eigenspace { value: *value, multiplicity: copies });
        let mut all: Vec<Eigenspace> = inside.chain(outside).collect();
        all.sort_by(|a, b| a.value.total_cmp(&b.value));
        all
    }
}

/// The problem in coordinates of a plane, with `cols` coordinates (at least as many as basis vectors).
pub(super) fn in_plane(problem: &TwoLayer, plane: &Plane, cols: usize) -> Result<TwoLayer, CriticalError> {
    let teacher = plane.span.coordinates(problem.teacher(), cols);
    Ok(TwoLayer::try_new(teacher)?
        .with_teacher_output(problem.teacher_output().to_vec())?
        .with_leaky(problem.leaky())?
        .with_law(InputLaw::Kappa(problem.kappa()))
        .map_err(CriticalError::from)?
        .with_memory_limit(problem.memory_limit()))
}

/// The spectra at a critical point.
pub(super) fn spectra(
    problem: &TwoLayer,
    student: Student<'_>,
    trained: Trained,
    plane: &Plane,
) -> Result<Spectra, CriticalError> {
    let (k, d, rank) = (student.neurons(), student.weights().cols(), plane.span.len());
    let cols = if rank < d { rank + 1 } else { rank };
    let flat = in_plane(problem, plane, cols)?;
    let weights = plane.span.coordinates(student.weights(), cols);
    let student = Student::new(weights.view()).with_output(student.output);
    let blocks = if trained == Trained::Weights { Blocks::Weights } else { Blocks::All };
    let hessian = flat.hessian(student, blocks)?;
    let mut inner: Vec<usize> = (0..k).flat_map(|j| (0..rank).map(move |c| j * cols + c)).collect();
    inner.extend(k * cols..hessian.rows());
    let (inside, vectors) = symmetric_eigenvectors(pick(&hessian, &inner).view())?;
    let outer: Vec<usize> = if rank < d { (0..k).map(|j| j * cols + rank).collect() } else { Vec::new() };
    let outside =
        if outer.is_empty() { Vec::new() } else { symmetric_eigenvectors(pick(&hessian, &outer).view())?.0 };
    let gradient = flat.gradient(student)?;
    let mut slope: Vec<f64> = (0..k).flat_map(|j| gradient.weights.row(j)[..rank].iter().copied()).collect();
    slope.extend_from_slice(&gradient.output[..hessian.rows() - k * cols]);
    let largest = max_abs(&inside).max(max_abs(&outside)).max(hessian_terms(&hessian));
    let rounding = 8.0 * (inside.len() as f64) * f64::EPSILON * largest;
    let newton_step = newton_step(&inside, &vectors, &slope, rounding);
    Ok(Spectra { inside, outside, rounding, newton_step })
}

/// The largest entry: terms that cancel in an eigenvalue still round.
fn hessian_terms(hessian: &Matrix) -> f64 {
    max_abs(hessian.as_slice())
}

/// Rows and columns of a symmetric matrix.
fn pick(a: &Matrix, which: &[usize]) -> Matrix {
    let mut out = Matrix::zeros(which.len(), which.len());
    for (row, i) in which.iter().enumerate() {
        for (column, j) in which.iter().enumerate() {
            out.row_mut(row)[column] = a.row(*i)[*j];
        }
    }
    out
}

/// Length of Newton's step. A zero eigenvalue whose slope is rounding lies along an orbit and adds nothing; any other counts
/// with a curvature of at least `sqrt(EPSILON)` of the largest.
fn newton_step(values: &[f64], vectors: &Matrix, slope: &[f64], rounding: f64) -> f64 {
    let largest = max_abs(values);
    let noise = 16.0 * f64::EPSILON * largest.max(norm(slope));
    let mut parts = Vec::with_capacity(values.len());
    for (i, value) in values.iter().enumerate() {
        let along = dot(vectors.row(i), slope).abs();
        if value.abs() <= rounding && along <= noise {
            continue;
        }
        parts.push(along / value.abs().max(f64::EPSILON.sqrt() * largest));
    }
    norm(&parts)
}
