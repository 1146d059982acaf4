//! Zero eigenvalues that no symmetry explains: does the loss fall along them?
//!
//! Where students share a direction the loss is twice, not three times, differentiable: it grows like `|s|^3` along a
//! split (docs/theory/critical.md, (Z.10)). So a descent is looked for at finite distance, and accepted only where it is far above
//! rounding and shrinks like a third power.

use super::CriticalError;
use super::plane::Plane;
use super::transversal::in_plane;
use crate::two_layer::{Blocks, Student, TwoLayer};
use crate::vector::norm;
use crate::{Matrix, MatrixView, RandomStream, Trained, symmetric_eigenvectors};

/// Lengths of the steps along a null direction, as shares of the shortest student.
const STEPS: [f64; 3] = [0.04, 0.02, 0.01];
/// Random combinations of null vectors that are tried besides the vectors themselves.
const COMBINATIONS: u64 = 32;
/// A fall below this many roundings of the loss is none.
const NOISE: f64 = 1e4;

/// Whether the loss falls, to third order, along a direction in the null space of the Hessian (both signs are tried). The space
/// searched is the span of all units and one direction out of it.
pub(super) fn descends_along_null_space(
    problem: &TwoLayer,
    student: Student<'_>,
    trained: Trained,
    threshold: f64,
) -> Result<bool, CriticalError> {
    let (k, d) = (student.neurons(), student.weights().cols());
    let plane = Plane::new(problem, student.weights()).with_outer_direction(d);
    let rank = plane.span.len();
    let flat = in_plane(problem, &plane, rank)?;
    let weights = plane.span.coordinates(student.weights(), rank);
    let blocks = if trained == Trained::Weights { Blocks::Weights } else { Blocks::All };
    let hessian = flat.hessian(Student::new(weights.view()).with_output(student.output), blocks)?;
    let (values, vectors) = symmetric_eigenvectors(hessian.view())?;
    let null: Vec<usize> = (0..values.len()).filter(|i| values[*i].abs() <= threshold).collect();
    let shortest = (0..k).map(|j| norm(weights.row(j))).fold(f64::INFINITY, f64::min);
    let loss_at = |direction: &[f64], step: f64| -> Result<f64, CriticalError> {
        let mut moved = weights.clone();
        let mut output = student.output.to_vec();
        let (hidden, outer) = direction.split_at(k * rank);
        moved.as_mut_slice().iter_mut().zip(hidden).for_each(|(x, z)| *x += step * z);
        output.iter_mut().zip(outer).for_each(|(x, z)| *x += step * z);
        Ok(flat.loss(Student::new(moved.view()).with_output(&output))?)
    };
    let zero = vec![0.0; values.len()];
    let here = loss_at(&zero, 0.0)?;
    let noise = NOISE * f64::EPSILON * flat_scale(&flat, &weights);
    for direction in directions(&vectors, &null) {
        for sign in [1.0, -1.0] {
            let mut falls = [0.0; STEPS.len()];
            for (fall, step) in falls.iter_mut().zip(STEPS) {
                *fall = here - loss_at(&direction, sign * step * shortest)?;
            }
            let cubic = |pair: &[f64]| pair[0] > 4.0 * pair[1] && pair[0] < 16.0 * pair[1];
            if falls.iter().all(|f| *f > noise) && falls.windows(2).all(cubic) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The null vectors, and random combinations of them.
fn directions(vectors: &Matrix, null: &[usize]) -> Vec<Vec<f64>> {
    let mut out: Vec<Vec<f64>> = null.iter().map(|i| vectors.row(*i).to_vec()).collect();
    for draw in 0..COMBINATIONS {
        let mut stream = RandomStream::new(0, draw);
        let mut sum = vec![0.0; vectors.cols()];
        for i in null {
            let amount = stream.normal();
            sum.iter_mut().zip(vectors.row(*i)).for_each(|(s, v)| *s += amount * v);
        }
        let length = norm(&sum);
        if length > 0.0 {
            out.push(sum.iter().map(|s| s / length).collect());
        }
    }
    out
}

/// The size of the terms that a loss is summed from.
fn flat_scale(problem: &TwoLayer, weights: &Matrix) -> f64 {
    let total = |a: MatrixView<'_>| (0..a.rows()).map(|i| norm(a.row(i))).sum::<f64>();
    let sum = total(problem.teacher()) + total(weights.view());
    problem.kappa() * sum * sum
}
