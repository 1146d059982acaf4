//! The two-layer population loss as a landscape for the dynamics.

use super::Landscape;
use crate::{Evaluator, Matrix, MatrixView, Student, TwoLayer, TwoLayerError};
use std::ops::Range;

/// Gradients are formed from pairs of student and teacher, which takes three times as long, only where they are this
/// much smaller than the units' lengths added up. Above that the plain sums have a relative error below 1e-6, and an
/// absolute one far below every tolerance of a step; see [`Evaluator::with_pairs_below`].
const PAIRS_BELOW: f64 = 1e-9;

/// Which parameters of the student move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trained {
    /// The hidden weights; the output weights stay as they are.
    #[default]
    Weights,
    /// Hidden and output weights.
    WeightsAndOutput,
}

/// The loss of `K` students of one [`TwoLayer`] problem, with the hidden weights trained, or these and the output
/// weights.
///
/// ```text
/// state = (w_1, ..., w_K)   or   (w_1, ..., w_K, a_1, ..., a_K)
/// ```
///
/// - Shapes: `K d` or `K (d + 1)` entries, rows of the weights first.
/// - Accuracy: that of [`Evaluator::loss`], and for gradients `4 EPSILON` times the sum of the norms of their terms,
///   with relative accuracy 1e-15 where they are below `1e-9` of the lengths of all units added up. Where these refuse a state (entries that are
///   not finite), gradient and loss are NaN, which ends a run as diverged.
///
/// # Examples
///
/// ```
/// use popgrad::{FlowOptions, GradientFlow, Matrix, Status, StopRule, TwoLayer, TwoLayerLandscape};
/// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
/// let landscape = TwoLayerLandscape::new(&problem, 2);
/// let start = landscape.state(Matrix::from_rows(&[[0.9, 0.2], [-0.1, 0.7]]).view())?;
/// let stop = StopRule { gradient_norm: Some(1e-8), ..StopRule::default() };
/// let end = GradientFlow::try_new(landscape, &start, FlowOptions { stop, ..FlowOptions::default() })?.run();
/// assert_eq!(end.status, Status::Converged);
/// assert!((end.point[0] - 1.0).abs() < 1e-6 && end.loss < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoLayerLandscape<'p> {
    evaluator: Evaluator<'p>,
    k: usize,
    d: usize,
    trained: Trained,
    output: Vec<f64>,
    skip: Vec<f64>,
}

impl<'p> TwoLayerLandscape<'p> {
    /// The loss of `k` students with output weights one, of which the hidden weights are trained.
    pub fn new(problem: &'p TwoLayer, k: usize) -> Self {
        Self {
            evaluator: Evaluator::new(problem, k).with_pairs_below(PAIRS_BELOW),
            k,
            d: problem.input_dimension(),
            trained: Trained::Weights,
            output: vec![1.0; k],
            skip: Vec::new(),
        }
    }

    /// Sets the output weights: fixed, or where they are trained those that [`TwoLayerLandscape::state`] starts from.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError`], if there are not `K` of them or one is not finite.
    pub fn with_output(mut self, output: Vec<f64>) -> Result<Self, TwoLayerError> {
        self.check(&Matrix::zeros(self.k, self.d), &output, &self.skip)?;
        self.output = output;
        Ok(self)
    }

    /// Sets the student's skip connection, which stays as it is.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError`], if there are not `d` entries or one is not finite.
    pub fn with_skip(mut self, skip: Vec<f64>) -> Result<Self, TwoLayerError> {
        self.check(&Matrix::zeros(self.k, self.d), &self.output, &skip)?;
        self.skip = skip;
        Ok(self)
    }

    /// Chooses what is trained.
    #[must_use]
    pub fn with_trained(self, trained: Trained) -> Self {
        Self { trained, ..self }
    }

    /// The state of given hidden weights (`K x d`), with the output weights behind them if these are trained.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError`], if the shape is wrong or an entry is not finite.
    pub fn state(&self, weights: MatrixView<'_>) -> Result<Vec<f64>, TwoLayerError> {
        self.check(&weights.to_matrix(), &self.output, &self.skip)?;
        let mut state = weights.as_slice().to_vec();
        if self.trained == Trained::WeightsAndOutput {
            state.extend_from_slice(&self.output);
        }
        Ok(state)
    }

    /// The hidden weights (row by row) and the output weights of a state.
    ///
    /// # Panics
    ///
    /// If the state has not as many entries as the landscape has dimensions.
    pub fn split<'a>(&'a self, point: &'a [f64]) -> (&'a [f64], &'a [f64]) {
        assert_eq!(point.len(), self.dimension(), "entries of the state");
        let (weights, output) = point.split_at(self.k * self.d);
        (weights, if output.is_empty() { &self.output } else { output })
    }

    /// Lets the evaluator judge a student of these parts.
    fn check(&self, weights: &Matrix, output: &[f64], skip: &[f64]) -> Result<(), TwoLayerError> {
        let student = Student::new(weights.view()).with_output(output).with_skip(skip);
        self.evaluator.clone().gradient_into(student, &mut vec![0.0; self.k * self.d]).map(|_| ())
    }
}

/// The student of a state; `None` only for a state of the wrong length, which the trait rules out.
fn student<'a>(
    (k, d): (usize, usize),
    point: &'a [f64],
    fixed_output: &'a [f64],
    skip: &'a [f64],
) -> Option<Student<'a>> {
    let (weights, output) = point.split_at_checked(k * d)?;
    let output = if output.is_empty() { fixed_output } else { output };
    Some(Student::new(MatrixView::try_new(k, d, weights).ok()?).with_output(output).with_skip(skip))
}

impl Landscape for TwoLayerLandscape<'_> {
    fn dimension(&self) -> usize {
        match self.trained {
            Trained::Weights => self.k * self.d,
            Trained::WeightsAndOutput => self.k * (self.d + 1),
        }
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        let (by_weights, by_output) = out.split_at_mut(self.k * self.d);
        let student = student((self.k, self.d), point, &self.output, &self.skip);
        let evaluated = student.is_some_and(|s| {
            let done = self.evaluator.gradient_into(s, by_weights).is_ok();
            if done && !by_output.is_empty() {
                self.evaluator.output_gradient_into(s, by_output);
            }
            done
        });
        if !evaluated {
            out.fill(f64::NAN);
        }
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        student((self.k, self.d), point, &self.output, &self.skip)
            .and_then(|s| self.evaluator.loss(s).ok())
            .unwrap_or(f64::NAN)
    }

    fn students(&self) -> Vec<Range<usize>> {
        (0..self.k).map(|j| j * self.d..(j + 1) * self.d).collect()
    }
}
