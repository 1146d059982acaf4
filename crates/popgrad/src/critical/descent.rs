//! Where the unstable directions of a saddle lead: gradient flow both ways along them, then a search for a minimum.

use super::newton::{CriticalSearch, SearchEnd, SearchOptions};
use super::plain::Plain;
use super::plane::Plane;
use super::span::Span;
use super::transversal::in_plane;
use super::{CriticalError, CriticalPoint};
use crate::two_layer::Blocks;
use crate::vector::norm;
use crate::{
    FlowOptions, GradientFlow, Matrix, MatrixView, StopRule, Student, Trained, TwoLayer, TwoLayerLandscape,
    symmetric_eigenvectors,
};

/// Length of the first step along an unstable direction, as a share of the longest unit.
const PUSH: f64 = 1e-2;
/// A descent's flow hands over to the search at this gradient, relative to its terms.
const SETTLED: f64 = 1e-6;
/// Most steps of a descent's flow.
const FLOW_STEPS: u64 = 20_000;

/// The space in which a point's descents run: the span of all units with one direction out of it, or, under a covariance,
/// which mixes directions, the whole space.
pub(super) struct Room {
    problem: TwoLayer,
    weights: Matrix,
    span: Option<Span>,
    trained: Trained,
    d: usize,
}

impl Room {
    pub(super) fn new(
        problem: &TwoLayer,
        plain: &Plain,
        point: &CriticalPoint,
        trained: Trained,
    ) -> Result<Self, CriticalError> {
        let d = problem.input_dimension();
        if plain.is_tilted() {
            let weights = point.weights.clone();
            return Ok(Self { problem: problem.clone(), weights, span: None, trained, d });
        }
        let plane = Plane::new(&plain.problem, point.weights.view()).with_outer_direction(d);
        let cols = plane.span.len();
        let weights = plane.span.coordinates(point.weights.view(), cols);
        let problem = in_plane(&plain.problem, &plane, cols)?;
        Ok(Self { problem, weights, span: Some(plane.span), trained, d })
    }

    /// Eigenvalue, side and end of descents along the lowest eigenvectors, both ways.
    pub(super) fn unstable_ends(
        &self,
        point: &CriticalPoint,
        directions: usize,
    ) -> Result<Vec<(f64, i8, SearchEnd)>, CriticalError> {
        let k = self.weights.rows();
        let student = Student::new(self.weights.view()).with_output(&point.output);
        let blocks = if self.trained == Trained::Weights { Blocks::Weights } else { Blocks::All };
        let (values, vectors) = symmetric_eigenvectors(self.problem.hessian(student, blocks)?.view())?;
        let size = (0..k).map(|j| norm(self.weights.row(j))).fold(0.0, f64::max);
        let mut state = self.weights.as_slice().to_vec();
        if self.trained == Trained::WeightsAndOutput {
            state.extend_from_slice(&point.output);
        }
        let mut ends = Vec::new();
        let unstable = values.iter().take_while(|v| **v < -point.eigenvalue_error).count();
        for i in 0..unstable.min(directions) {
            for side in [1_i8, -1] {
                let step = f64::from(side) * PUSH * size;
                let moved: Vec<f64> =
                    state.iter().zip(vectors.row(i)).map(|(w, z)| step.mul_add(*z, *w)).collect();
                let end = self.flow_down(moved, &point.output, size)?;
                let weights = match &self.span {
                    Some(span) => span.lift(end.weights.view(), self.d),
                    None => end.weights,
                };
                ends.push((values[i], side, SearchEnd { weights, ..end }));
            }
        }
        Ok(ends)
    }

    fn flow_down(&self, start: Vec<f64>, output: &[f64], size: f64) -> Result<SearchEnd, CriticalError> {
        let k = output.len();
        let landscape =
            TwoLayerLandscape::new(&self.problem, k).with_output(output.to_vec())?.with_trained(self.trained);
        let gradient_norm = Some(SETTLED * size * k as f64);
        let stop = StopRule { gradient_norm, steps: Some(FLOW_STEPS), ..StopRule::default() };
        let options = FlowOptions { rtol: 1e-5, stop, ..FlowOptions::default() };
        // The start has the landscape's dimension and finite entries, and the options are in their domain.
        let state = GradientFlow::try_new(landscape, &start, options).map_or(start, |flow| flow.run().point);
        let (weights, trained) = state.split_at(self.weights.as_slice().len());
        let output = if trained.is_empty() { output } else { trained };
        let student =
            Student::new(MatrixView::from_parts(k, self.weights.cols(), weights)).with_output(output);
        let options = SearchOptions { trained: self.trained, ..SearchOptions::default() };
        CriticalSearch::try_new(&self.problem, student, options)?.run()
    }
}
