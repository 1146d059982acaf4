//! The population loss.

use super::TwoLayerError;
use super::evaluator::Evaluator;
use super::field_lanes::LaneField;
use super::near_loss;
use super::problem::TwoLayer;
use super::student::Student;
use crate::lanes::on_lanes;
use crate::vector::dot;

impl Evaluator<'_> {
    /// The population loss; see [`TwoLayer::loss`].
    ///
    /// # Errors
    ///
    /// As [`Evaluator::gradient_into`].
    pub fn loss(&mut self, student: Student<'_>) -> Result<f64, TwoLayerError> {
        self.check(student)?;
        let problem = self.problem();
        let (w, a) = (white_weights(&self.white, problem, student), output(&self.ones, student));
        let lanes = &mut self.lanes;
        let mut relu = on_lanes!(problem.lanes, simd, WIDE => lanes.loss::<_, WIDE>(simd, w, a));
        relu += problem.energy();
        self.paired = false;
        // Away from the teacher the loss is of the size of the energies, and so is its accuracy.
        if let Some(near) = &mut self.near
            && relu < problem.energy()
            && on_lanes!(problem.lanes, _simd => near.pair(problem, (student.weights.as_slice(), w), a, |j, t| lanes.psi_of_loss(j, t)))
        {
            self.paired = true;
            let near = &*near;
            relu = on_lanes!(problem.lanes, _simd => near_loss::loss(near));
        }
        let slope = 1.0 - problem.alpha;
        let mut total = slope * slope * relu;
        self.update_linear(student);
        if self.linear.active {
            let (s, q) = (&self.linear.sum, &self.linear.shift);
            total += 0.5 * (dot(q, q) + slope * dot(q, s));
        }
        Ok(problem.kappa * total)
    }
}

/// The student's weights in white coordinates.
pub(super) fn white_weights<'a>(white: &'a [f64], problem: &TwoLayer, student: Student<'a>) -> &'a [f64] {
    if problem.factor.is_some() { white } else { student.weights.as_slice() }
}

/// The student's output weights.
pub(super) fn output<'a>(ones: &'a [f64], student: Student<'a>) -> &'a [f64] {
    if student.output.is_empty() { ones } else { student.output }
}

impl TwoLayer {
    /// The population loss `J(W, a, c)`, per sample.
    ///
    /// ```text
    /// J = 1/2 c^T k(Z, Z) c,   Z = (W; V),  c = (a; -b)
    /// ```
    ///
    /// for ReLU and white Gaussian input; leaky slope, skip, covariance and law enter by their exact reductions. Near
    /// the teacher a form without cancellation is used.
    ///
    /// Source: Tian (2017), eq. 2 in expectation, divided by the number of samples; docs/theory/two_layer.md, (T.2),
    /// (T.12)-(T.16).
    ///
    /// - Shapes: the student is `K x d` with any `K >= 1`.
    /// - Domain: finite entries; lengths of rows zero or between 1e-150 and 1e150.
    /// - Accuracy (measured, against 60 digits): `4 EPSILON` times the sum of the magnitudes of its terms. Near the teacher,
    ///   up to a permutation of the units, 2e-15 relative, also where units are coincident, antiparallel, short or zero.
    ///   Where the units' differences cancel, so that `J` is below a quarter of the sum of the losses of the single units,
    ///   that quarter takes the place of `J`. An ill-conditioned covariance adds its share: 5e-15 is the largest seen at
    ///   condition number 1e6.
    ///
    /// # Errors
    ///
    /// Wrong shapes and entries that are not finite: [`TwoLayerError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::from_rows(&[[1.0, 0.0]]))?;
    /// let w = Matrix::from_rows(&[[1.0 + 1e-9, 0.0]]);
    /// let loss = problem.loss(Student::new(w.view()))?; // |w - v|^2 / 4
    /// assert!((loss / 2.5e-19 - 1.0).abs() < 1e-6);
    /// # Ok::<(), popgrad::TwoLayerError>(())
    /// ```
    pub fn loss(&self, student: Student<'_>) -> Result<f64, TwoLayerError> {
        Evaluator::new(self, student.neurons()).loss(student)
    }

    /// `1/2 b^T k(V, V) b`, the teacher's own energy in white coordinates.
    pub(crate) fn energy(&self) -> f64 {
        *self.white.energy.get_or_init(|| {
            let m = self.output.len();
            let mut lanes = LaneField::new(self, m);
            let rows = self.white.rows.as_slice();
            // With the teacher as student the loss without energy is 1/2 - 1 times the double sum.
            -on_lanes!(self.lanes, simd, WIDE => lanes.loss::<_, WIDE>(simd, rows, &self.output))
        })
    }
}
