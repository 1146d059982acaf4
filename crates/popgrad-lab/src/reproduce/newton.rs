//! Critical points polished by Newton's method with the exact Hessian, for the claims of section 5.

use super::sampling::length;
use popgrad::{Blocks, Matrix, Student, TwoLayer, symmetric_eigenvalues, symmetric_eigenvectors};

/// What can go wrong while a claim is measured.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Curvatures below this share of the largest are those of a manifold of critical points; no step is taken along them.
const FLAT: f64 = 1e-7;
/// Steps at most.
const STEPS: usize = 100;
/// Largest length of a step.
const REACH: f64 = 0.3;

/// A point with a small gradient, and the spectrum of the Hessian there.
pub(super) struct Polished {
    pub(super) weights: Matrix,
    pub(super) gradient: f64,
    pub(super) loss: f64,
    pub(super) eigenvalues: Vec<f64>,
}

impl Polished {
    /// Eigenvalues below zero, beyond rounding.
    pub(super) fn index(&self) -> usize {
        self.eigenvalues.iter().filter(|x| **x < -1e-9).count()
    }

    /// Eigenvalues that are zero up to rounding.
    pub(super) fn nullity(&self) -> usize {
        self.eigenvalues.iter().filter(|x| x.abs() <= 1e-9).count()
    }
}

/// Newton's method from a start, until the gradient is at rounding or the steps are used up; flat directions stay.
pub(super) fn polish(problem: &TwoLayer, start: &Matrix) -> Result<Polished, Failure> {
    let mut weights = start.clone();
    let mut best = (f64::INFINITY, weights.clone());
    for _ in 0..STEPS {
        let gradient = problem.gradient(Student::new(weights.view()))?.weights.into_vec();
        let size = length(&gradient);
        if size < best.0 {
            best = (size, weights.clone());
        }
        // One more step after the gradient is small gains the last digits.
        if size < 1e-15 || (best.0 < 1e-12 && size > best.0) {
            break;
        }
        let hessian = problem.hessian(Student::new(weights.view()), Blocks::Weights)?;
        let (values, vectors) = symmetric_eigenvectors(hessian.view())?;
        let largest = values.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        let mut step = vec![0.0; gradient.len()];
        for (i, value) in values.iter().enumerate().filter(|(_, x)| x.abs() > FLAT * largest) {
            let along: f64 = vectors.row(i).iter().zip(&gradient).map(|(v, g)| v * g).sum();
            step.iter_mut().zip(vectors.row(i)).for_each(|(s, v)| *s -= along / value * v);
        }
        let short = (REACH / length(&step)).min(1.0);
        weights.as_mut_slice().iter_mut().zip(&step).for_each(|(w, s)| *w += short * s);
    }
    let (gradient, weights) = best;
    let student = Student::new(weights.view());
    let loss = problem.loss(student)?;
    let eigenvalues = symmetric_eigenvalues(problem.hessian(student, Blocks::Weights)?.view())?;
    Ok(Polished { weights, gradient, loss, eigenvalues })
}
