//! The search for a critical point of a two-layer problem, of any index, from one start.

use super::CriticalError;
use super::plain::Plain;
use super::steering::{Curved, Steering};
use crate::two_layer::{Blocks, Evaluator, Reduction, Student, TwoLayer, TwoLayerError};
use crate::vector::norm;
use crate::{Matrix, MatrixView, Trained};

/// Students below this share of the units' size count as zero.
const ZERO_STUDENT: f64 = 1e-5;
/// Square matrices of the number of unknowns that a step holds at once: the Hessian, its eigenvectors in both orders, and the work
/// of finding them.
const MATRICES: u128 = 5;
/// A point farther out than this many times the units' size has diverged.
const FAR: f64 = 1e6;

/// How a critical point is sought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchOptions {
    /// The index to steer for: 0 seeks minima, `m` saddles with `m` descending directions. The end may have another one.
    pub index: usize,
    /// Most steps, each one Hessian and its eigenvectors; 400 by default.
    pub max_steps: u64,
    /// The search has converged once the norm of the gradient is at most this times
    /// `kappa (sum_z |c_z| |z|) max(|a|)` over all units; `1e-14` by default.
    pub tolerance: f64,
    /// Which parameters move.
    pub trained: Trained,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { index: 0, max_steps: 400, tolerance: 1e-14, trained: Trained::Weights }
    }
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchStatus {
    /// The gradient is below the tolerance.
    Converged,
    /// The steps are used up.
    StepLimit,
    /// No step makes the gradient smaller.
    Stalled,
    /// The point left every bound.
    Diverged,
    /// A student shrank to zero, where the loss has no gradient.
    ZeroStudent,
}

impl SearchStatus {
    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::StepLimit => "step_limit",
            Self::Stalled => "stalled",
            Self::Diverged => "diverged",
            Self::ZeroStudent => "zero_student",
        }
    }
}

/// Where a search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchEnd {
    /// Why it ended.
    pub status: SearchStatus,
    /// Hidden weights, `K x d`.
    pub weights: Matrix,
    /// Output weights, length `K`.
    pub output: Vec<f64>,
    /// Euclidean norm of the gradient in all that is trained; under a covariance, of the plain problem.
    pub gradient_norm: f64,
    /// Steps taken.
    pub steps: u64,
}

/// What a call of [`CriticalSearch::advance`] gives back.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchAdvance {
    /// The budget is used up and the search goes on, at this norm of the gradient.
    Running {
        /// Steps taken so far.
        steps: u64,
        /// Euclidean norm of the gradient.
        gradient_norm: f64,
    },
    /// The search has ended; further calls give the same end.
    Done(SearchEnd),
}

/// A search for a critical point, of any index, from one start.
///
/// ```text
/// approach:  p = -sum_i s_i (u_i.g) / |lambda_i| u_i,  s_i = -1 for the lowest m eigenvalues, within a radius
/// polish:    p = -sum_i lambda_i (u_i.g) / (lambda_i^2 + delta^2) u_i
/// ```
///
/// Source: docs/theory/critical.md, (Z.1)-(Z.3). The search runs in the plain problem (Z.26), (Z.29), and in the span of teacher
/// and start where that is smaller than the input space, which loses nothing: no step leaves it (R.2). A student's skip stays as it is.
///
/// - Domain: any law, slope and skip, and covariances of full rank.
/// - Accuracy: a converged end has a gradient of at most the tolerance times the scale of its terms; how near the exact
///   point it lies is that divided by the smallest curvature off the symmetries.
///
/// # Examples
///
/// ```
/// use popgrad::{CriticalSearch, Matrix, SearchOptions, SearchStatus, Student, TwoLayer};
/// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
/// let start = Matrix::from_rows(&[[0.6, 0.4], [0.4, 0.5]]);
/// let options = SearchOptions { index: 1, ..SearchOptions::default() };
/// let end = CriticalSearch::try_new(&problem, Student::new(start.view()), options)?.run()?;
/// assert_eq!(end.status, SearchStatus::Converged);
/// assert!(end.gradient_norm < 1e-13);
/// # Ok::<(), popgrad::CriticalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CriticalSearch {
    function: TwoLayerFunction,
    steering: Steering,
}

/// The loss of the plain problem in the span of teacher and start.
#[derive(Clone, Debug)]
struct TwoLayerFunction {
    reduced: Reduction,
    plain: Plain,
    k: usize,
    d: usize,
    output: Vec<f64>,
    trained: Trained,
}

impl TwoLayerFunction {
    fn problem(&self) -> &TwoLayer {
        self.reduced.problem()
    }

    fn lift(&self, point: &[f64]) -> Result<Matrix, TwoLayerError> {
        let weights = Matrix::from_parts(self.k, self.d, point[..self.k * self.d].to_vec());
        Ok(self.plain.leave(self.reduced.lift(weights.view())?))
    }

    fn output<'a>(&'a self, point: &'a [f64]) -> &'a [f64] {
        match self.trained {
            Trained::Weights => &self.output,
            Trained::WeightsAndOutput => &point[self.k * self.d..],
        }
    }

    fn student<'a>(&'a self, point: &'a [f64]) -> Result<Student<'a>, TwoLayerError> {
        let (k, d) = (self.k, self.d);
        let view = MatrixView::try_new(k, d, &point[..k * d]).map_err(|_| TwoLayerError::Empty {
            name: "the student",
            rows: k,
            cols: d,
        })?;
        Ok(Student::new(view).with_output(self.output(point)))
    }
}

impl Curved for TwoLayerFunction {
    fn gradient(&self, point: &[f64]) -> Result<Option<Vec<f64>>, CriticalError> {
        let mut out = vec![0.0; point.len()];
        if point.iter().any(|x| !x.is_finite()) {
            return Ok(None);
        }
        let mut evaluator = Evaluator::new(self.problem(), self.k);
        let (weights, output) = out.split_at_mut(self.k * self.d);
        if !evaluator.gradient_into(self.student(point)?, weights)?.is_empty() {
            return Ok(None);
        }
        if !output.is_empty() {
            evaluator.output_gradient_into(self.student(point)?, output);
        }
        Ok(Some(out))
    }

    fn hessian(&self, point: &[f64]) -> Result<Matrix, CriticalError> {
        let blocks = match self.trained {
            Trained::Weights => Blocks::Weights,
            Trained::WeightsAndOutput => Blocks::All,
        };
        Ok(self.problem().hessian(self.student(point)?, blocks)?)
    }

    fn scale(&self, point: &[f64]) -> f64 {
        let lengths: Vec<f64> = point[..self.k * self.d].chunks_exact(self.d).map(norm).collect();
        scale(self.problem(), &lengths, self.output(point), self.trained)
    }

    fn size(&self) -> f64 {
        let (total, count) = (teacher_size(self.problem()), self.problem().teacher().rows());
        if total > 0.0 { total / count as f64 } else { 1.0 }
    }

    fn refuses(&self, point: &[f64]) -> Option<SearchStatus> {
        let size = self.size();
        if point.iter().any(|x| x.is_nan() || x.abs() > FAR * size.max(1.0)) {
            return Some(SearchStatus::Diverged);
        }
        let mut students = point[..self.k * self.d].chunks_exact(self.d);
        students.any(|row| norm(row) < ZERO_STUDENT * size).then_some(SearchStatus::ZeroStudent)
    }
}

impl CriticalSearch {
    /// A search from a student with its output weights.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Problem`] for a student that does not fit, or unknowns whose Hessian and eigenvectors do not fit into the memory
    /// limit; [`CriticalError::Option`], [`CriticalError::SingularCovariance`].
    pub fn try_new(
        problem: &TwoLayer,
        start: Student<'_>,
        options: SearchOptions,
    ) -> Result<Self, CriticalError> {
        let SearchOptions { index, max_steps, tolerance, trained } = options;
        if !(tolerance.is_finite() && tolerance > 0.0) {
            let (name, value) = ("the tolerance", tolerance);
            return Err(CriticalError::Option { name, value, wanted: "finite and positive" });
        }
        let k = start.neurons();
        let output = if start.output.is_empty() { vec![1.0; k] } else { start.output.to_vec() };
        start.check(problem.input_dimension())?;
        let plain = Plain::new(problem, start.skip())?;
        let entered = plain.enter(start.weights());
        let reduced = plain.problem.reduce(Student::new(entered.view()))?;
        let d = reduced.student().weights().cols();
        let mut point = reduced.student().weights().as_slice().to_vec();
        if trained == Trained::WeightsAndOutput {
            point.extend_from_slice(&output);
        }
        let entries = MATRICES * (point.len() as u128) * (point.len() as u128);
        problem.check_memory("a step's Hessian with its eigenvectors", entries)?;
        let function = TwoLayerFunction { reduced, plain, k, d, output, trained };
        let steering = Steering::new(&function, point, (index, max_steps, tolerance))?;
        Ok(Self { function, steering })
    }

    /// Bytes that a step holds at once: five square matrices of the number of unknowns.
    pub fn memory(&self) -> u64 {
        let unknowns = self.steering.point.len() as u128;
        u64::try_from(8 * MATRICES * unknowns * unknowns).unwrap_or(u64::MAX)
    }

    /// Goes on for a number of steps.
    ///
    /// # Errors
    ///
    /// [`CriticalError`], if a Hessian does not fit into the memory limit or its eigenvalues do not come out.
    pub fn advance(&mut self, budget: u64) -> Result<SearchAdvance, CriticalError> {
        for _ in 0..budget {
            if self.steering.status.is_some() {
                break;
            }
            self.steering.step(&self.function)?;
        }
        let Steering { point, gradient, steps, status, .. } = &self.steering;
        let (gradient_norm, steps) = (norm(gradient), *steps);
        let Some(status) = *status else {
            return Ok(SearchAdvance::Running { steps, gradient_norm });
        };
        let weights = self.function.lift(point)?;
        let output = self.function.output(point).to_vec();
        Ok(SearchAdvance::Done(SearchEnd { status, weights, output, gradient_norm, steps }))
    }

    /// Runs the search to its end.
    ///
    /// # Errors
    ///
    /// As [`CriticalSearch::advance`].
    pub fn run(mut self) -> Result<SearchEnd, CriticalError> {
        loop {
            if let SearchAdvance::Done(end) = self.advance(u64::MAX)? {
                return Ok(end);
            }
        }
    }
}

/// `sum_m |b_m| |v_m|`.
fn teacher_size(problem: &TwoLayer) -> f64 {
    let teacher = problem.teacher();
    problem.teacher_output().iter().enumerate().map(|(m, b)| b.abs() * norm(teacher.row(m))).sum()
}

/// The size of a gradient's terms: `kappa (sum_z |c_z| |z|) max(|a|)`, with `max |w|` where output weights are trained.
fn scale(problem: &TwoLayer, lengths: &[f64], output: &[f64], trained: Trained) -> f64 {
    let of_students: f64 = lengths.iter().zip(output).map(|(l, a)| l * a.abs()).sum();
    let mut factor = crate::vector::max_abs(output);
    if trained == Trained::WeightsAndOutput {
        factor = factor.max(crate::vector::max_abs(lengths));
    }
    problem.kappa() * (teacher_size(problem) + of_students) * factor
}

/// The size of the terms of the gradient at given students.
pub(super) fn scale_of_terms(
    problem: &TwoLayer,
    weights: MatrixView<'_>,
    output: &[f64],
    trained: Trained,
) -> f64 {
    let lengths: Vec<f64> = (0..weights.rows()).map(|j| norm(weights.row(j))).collect();
    scale(problem, &lengths, output, trained)
}
