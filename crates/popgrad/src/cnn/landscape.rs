//! The convolutional network as a landscape for gradient descent and the gradient flow, and the way to its closed variables.

use super::{Cnn, CnnError, CnnState, CnnStudent};
use crate::Landscape;
use crate::angle::{orthogonal_part, split};
use crate::vector::{dot, norm};
use std::ops::Range;

/// A convolutional problem as a landscape whose state is `(v, a)`, the filter before the output weights.
///
/// Gradient descent on it is the algorithm of Du et al. (2018) where the problem has weight normalisation: both
/// gradients are taken at the old point, and the filter is not rescaled.
///
/// ```text
/// v <- v - eta grad_v J(v, a),   a <- a - eta grad_a J(v, a)
/// ```
///
/// Source: Du et al. (2018), Algorithm 1; docs/theory/cnn_dynamics.md, (W.46). The filter is the landscape's only student:
/// its vanishing is the zero-student event.
///
/// ```
/// use popgrad::{Cnn, CnnLandscape, DescentOptions, GradientDescent, StopRule};
/// let problem = Cnn::try_new(&[0.0, 1.0], &[1.0, -1.0])?;
/// let stop = StopRule { gradient_norm: Some(1e-9), ..StopRule::default() };
/// let options = DescentOptions { step: 0.5, stop, ..DescentOptions::default() };
/// let end = GradientDescent::try_new(CnnLandscape::new(&problem), &[1.0, 0.2, 0.1, -0.2], options)?.run();
/// assert!(end.loss < 1e-16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CnnLandscape<'p> {
    problem: &'p Cnn,
}

impl<'p> CnnLandscape<'p> {
    /// The landscape of a problem, in the form that the problem has.
    pub fn new(problem: &'p Cnn) -> Self {
        Self { problem }
    }

    /// The problem.
    pub fn problem(&self) -> &'p Cnn {
        self.problem
    }

    fn student<'a>(&self, point: &'a [f64]) -> CnnStudent<'a> {
        let (filter, output) = point.split_at(self.problem.patch_dimension().min(point.len()));
        CnnStudent { filter, output }
    }
}

impl Landscape for CnnLandscape<'_> {
    fn dimension(&self) -> usize {
        self.problem.patch_dimension() + self.problem.patches()
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        let (by_filter, by_output) = out.split_at_mut(self.problem.patch_dimension());
        match self.problem.gradient(self.student(point)) {
            Ok(gradient) => {
                by_filter.copy_from_slice(&gradient.filter);
                by_output.copy_from_slice(&gradient.output);
            }
            // The student of a zero filter is the zero function, whatever its output weights.
            Err(CnnError::ZeroFilter { .. }) => out.fill(0.0),
            Err(_) => out.fill(f64::NAN),
        }
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        match self.problem.loss(self.student(point)) {
            Ok(loss) => loss,
            Err(CnnError::ZeroFilter { .. }) => self.problem.reduced().silent_loss(),
            Err(_) => f64::NAN,
        }
    }

    fn students(&self) -> Vec<Range<usize>> {
        std::iter::once(0..self.problem.patch_dimension()).collect()
    }
}

impl Cnn {
    /// A student in the variables of the closed dynamics.
    ///
    /// ```text
    /// x = v.w*/|w*|,  y = |v - x w*/|w*||,  alpha = a.a*,  S_a = 1.a,  r = |a - its projection on span{1, a*}|
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.40). The map commutes with gradient descent and with the flow of the
    /// normalised network.
    ///
    /// - Shapes: a filter of `p` and `k` output weights.
    /// - Domain: finite, the filter not zero.
    /// - Accuracy (measured): `y` relative to itself like [`crate::angle`], the others `4 EPSILON` times the sum of
    ///   their absolute terms.
    ///
    /// # Errors
    ///
    /// [`CnnError::Length`], [`CnnError::NonFinite`], [`CnnError::ZeroFilter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStudent};
    /// let problem = Cnn::try_new(&[2.0, 0.0], &[1.0, -1.0])?;
    /// let state = problem.reduced_state(CnnStudent { filter: &[3.0, -4.0], output: &[0.5, 1.5] })?;
    /// assert_eq!(state.to_array(), [3.0, 4.0, -1.0, 2.0, 0.0]);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn reduced_state(&self, student: CnnStudent<'_>) -> Result<CnnState, CnnError> {
        let scalars = self.scalars(student)?;
        let along = split(self.filter(), student.filter);
        Ok(CnnState {
            x: dot(&along.axis, student.filter),
            // With one input there is nothing across; elsewhere a rounding of the parallel part may remain.
            y: if self.patch_dimension() == 1 { 0.0 } else { norm(&along.across) * along.length },
            overlap: scalars.alpha,
            sum: scalars.output_sum,
            rest: self.rest_of(student.output),
        })
    }

    /// The length of the part of `a` orthogonal to `1` and to `a*`, each projected out twice.
    fn rest_of(&self, output: &[f64]) -> f64 {
        let ones = vec![1.0; output.len()];
        let mut rest = orthogonal_part(&ones, output);
        if self.reduced().centred_square() > 0.0 {
            let centred = orthogonal_part(&ones, self.output());
            rest = orthogonal_part(&ones, &orthogonal_part(&centred, &rest));
        }
        norm(&rest)
    }
}
