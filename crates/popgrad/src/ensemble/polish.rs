//! Newton's iteration from an end point to rounding level.

use super::{EnsembleError, RunEnd, TwoLayerEnsemble};
use crate::vector::norm;
use crate::{Blocks, Evaluator, MatrixView, Student, symmetric_eigenvectors};

/// Most iterations: from a gradient of 1e-6 Newton needs three.
const ITERATIONS: usize = 12;

/// An end point after Newton's iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct Polished {
    /// The students, `K x d`.
    pub weights: Vec<f64>,
    /// The loss there.
    pub loss: f64,
    /// The Frobenius norm of the gradient there.
    pub gradient_norm: f64,
    /// The smallest eigenvalue of the Hessian at the last iterate at which it was formed.
    pub smallest_eigenvalue: f64,
    /// How far the point has moved from the end of the run, in the Frobenius norm.
    pub moved: f64,
    /// Iterations made.
    pub iterations: usize,
}

impl TwoLayerEnsemble {
    /// Takes the end of a run to rounding level by Newton's iteration, where the Hessian with respect to the hidden
    /// weights is positive definite; `None` where it is not, where output weights are trained (their scale is free, so
    /// that no Hessian is definite), and where the end holds a zero student.
    ///
    /// ```text
    /// W <- W - H(W)^-1 grad J(W),   while |grad J| falls to less than half
    /// ```
    ///
    /// Source: docs/theory/ensemble.md, (B.10).
    ///
    /// - Accuracy: the gradient norm that is reported, which Newton leaves at a few `EPSILON` times the lengths of all units.
    /// - Repeatability: outside the promise of the runs, since eigenvalues pass through a linear-algebra library. Nothing that
    ///   tells end points apart depends on it.
    ///
    /// # Errors
    ///
    /// [`EnsembleError::TwoLayer`], for a Hessian above the memory limit and an end of another problem.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{EnsembleStop, Level, Matrix, TwoLayer, TwoLayerEnsemble};
    /// let ensemble = TwoLayerEnsemble::try_new(TwoLayer::try_new(Matrix::identity(3, 3))?, 3)?
    ///     .with_stop(EnsembleStop { gradient_norm: Some(1e-6), ..EnsembleStop::default() });
    /// let ends = ensemble.runs(0..1, Level::detect())?.finish();
    /// let polished = ensemble.polish(&ends[0])?.expect("the minimum is isolated");
    /// assert!(polished.gradient_norm < 1e-15 && polished.moved < 1e-4);
    /// # Ok::<(), popgrad::EnsembleError>(())
    /// ```
    pub fn polish(&self, end: &RunEnd) -> Result<Option<Polished>, EnsembleError> {
        if self.trains_output() {
            return Ok(None);
        }
        let (k, d) = (self.students(), self.problem().input_dimension());
        let (got, want) = (end.weights.len(), k * d);
        if got != want {
            let why = "one for each weight of the K x d student";
            return Err(EnsembleError::Length { name: "the end point", got, want, why });
        }
        self.problem().check_memory("the Hessian", ((k * d) as u128).pow(2))?;
        let output = self.initial_output();
        let mut evaluator = Evaluator::new(self.problem(), k);
        let mut at = end.weights.clone();
        let mut gradient = vec![0.0; k * d];
        let mut hessian = vec![0.0; k * d * k * d];
        let mut best = f64::INFINITY;
        let mut out: Option<Polished> = None;
        for iterations in 0..ITERATIONS {
            let student = Student::new(MatrixView::from_parts(k, d, &at)).with_output(&output);
            if !evaluator.gradient_into(student, &mut gradient)?.is_empty() {
                return Ok(None);
            }
            let gradient_norm = norm(&gradient);
            if iterations > 0 && gradient_norm >= 0.5 * best {
                break;
            }
            best = gradient_norm;
            evaluator.hessian_into(student, Blocks::Weights, &mut hessian)?;
            let view = MatrixView::from_parts(k * d, k * d, &hessian);
            let Ok((values, vectors)) = symmetric_eigenvectors(view) else { return Ok(None) };
            // Below this an eigenvalue's sign is rounding.
            let least = 64.0 * f64::EPSILON * values[k * d - 1].abs() * (k * d) as f64;
            if values[0] <= least {
                return Ok(None);
            }
            let moved: f64 = at.iter().zip(&end.weights).map(|(x, y)| (x - y) * (x - y)).sum();
            out = Some(Polished {
                weights: at.clone(),
                loss: evaluator.loss(student)?,
                gradient_norm,
                smallest_eigenvalue: values[0],
                moved: moved.sqrt(),
                iterations,
            });
            for (i, value) in values.iter().enumerate() {
                let vector = vectors.row(i);
                let along: f64 = vector.iter().zip(&gradient).map(|(v, g)| v * g).sum::<f64>() / value;
                for (x, v) in at.iter_mut().zip(vector) {
                    *x -= along * v;
                }
            }
        }
        Ok(out)
    }
}
