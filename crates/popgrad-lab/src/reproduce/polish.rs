//! Critical points near given starts, for the claims of section 5.

use super::claim::Failure;
use popgrad::{Blocks, CriticalSearch, Matrix, SearchOptions, Student, TwoLayer, symmetric_eigenvalues};

/// Curvatures below this share of the largest are those of a manifold of critical points.
const FLAT: f64 = 1e-7;
/// The gradient, relative to its terms, at which the search ends: the last digit.
const TOLERANCE: f64 = 1e-15;

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

/// The critical point near a start, with as many descending directions as the start has.
pub(super) fn polish(problem: &TwoLayer, start: &Matrix) -> Result<Polished, Failure> {
    let values = spectrum(problem, start)?;
    let flat = FLAT * values.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
    let index = values.iter().filter(|x| **x < -flat).count();
    let options = SearchOptions { index, tolerance: TOLERANCE, ..SearchOptions::default() };
    let end = CriticalSearch::try_new(problem, Student::new(start.view()), options)?.run()?;
    let loss = problem.loss(Student::new(end.weights.view()))?;
    let eigenvalues = spectrum(problem, &end.weights)?;
    Ok(Polished { weights: end.weights, gradient: end.gradient_norm, loss, eigenvalues })
}

fn spectrum(problem: &TwoLayer, weights: &Matrix) -> Result<Vec<f64>, Failure> {
    let hessian = problem.hessian(Student::new(weights.view()), Blocks::Weights)?;
    Ok(symmetric_eigenvalues(hessian.view())?)
}
