//! The closed variables as a landscape for gradient descent and the gradient flow.

use super::{CnnState, ReducedCnn};
use crate::Landscape;
use std::ops::Range;

/// The state is `[x, y, alpha, S_a, r]`, and the gradient is minus [`ReducedCnn::field`], so that steps and times are those
/// of the whole network; it is not the gradient of the loss in these variables. The filter `(x, y)` is the only student.
impl Landscape for ReducedCnn {
    fn dimension(&self) -> usize {
        5
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.slope(&state_of(point)));
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        self.loss_unchecked(&state_of(point))
    }

    fn students(&self) -> Vec<Range<usize>> {
        std::iter::once(0..2).collect()
    }
}

/// The five entries of a flat state; a landscape is never handed fewer.
pub(super) fn state_of(point: &[f64]) -> CnnState {
    let mut entries = [f64::NAN; 5];
    for (entry, value) in entries.iter_mut().zip(point) {
        *entry = *value;
    }
    CnnState::from_array(entries)
}
