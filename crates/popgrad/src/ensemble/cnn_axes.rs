//! The axes in which the runs of a convolutional ensemble lie, and a run's five numbers in them.
//!
//! A filter lies along `w*` and across it, an output along `1`, along the part of `a*` orthogonal to it, and across both. In
//! these orthonormal axes the reduced dynamics are plain gradient descent; outputs are counted from the teacher's, so that
//! what is left of them near the global minimum keeps its digits (docs/theory/ensemble.md, (B.11)).

use crate::vector::{dot, norm};
use crate::{Cnn, CnnState, angular_c1};
use std::f64::consts::{PI, TAU};

/// Numbers of a run's state: `x, y`, the output's distances to the teacher's along two axes, and its rest.
pub(super) const ENTRIES: usize = 5;

/// The axes of a problem.
#[derive(Clone, Debug)]
pub(super) struct CnnAxes {
    patches: usize,
    filter: Vec<f64>,
    output: [Vec<f64>; 2],
    root_k: f64,
    /// `s a*` in the two axes of the output.
    pub(super) teacher: [f64; 2],
    /// `a*` in them.
    unit_teacher: [f64; 2],
    /// `s^2 |a*|^2`.
    pub(super) square: f64,
    /// `k + pi - 1`.
    pub(super) width: f64,
}

/// The unit vector along the part of `a*` orthogonal to ones; any one orthogonal to ones where there is none.
fn second_axis(problem: &Cnn, length: f64) -> Vec<f64> {
    let k = problem.patches();
    if length > 0.0 {
        let mean = problem.output_sum() / k as f64;
        let part: Vec<f64> = problem.output().iter().map(|a| a - mean).collect();
        let length = norm(&part);
        return part.iter().map(|a| a / length).collect();
    }
    let mut axis = vec![0.0; k];
    if k > 1 {
        (axis[0], axis[k - 1]) = (0.5_f64.sqrt(), -(0.5_f64.sqrt()));
    }
    axis
}

impl CnnAxes {
    pub(super) fn new(problem: &Cnn) -> Self {
        let k = problem.patches() as f64;
        let (s, root_k) = (problem.filter_norm(), k.sqrt());
        let along = problem.reduced().centred_square().sqrt();
        let unit_teacher = [problem.output_sum() / root_k, along];
        Self {
            patches: problem.patches(),
            filter: problem.filter().iter().map(|w| w / s).collect(),
            output: [vec![1.0 / root_k; problem.patches()], second_axis(problem, along)],
            root_k,
            teacher: unit_teacher.map(|a| s * a),
            unit_teacher,
            square: s * s * problem.output_square(),
            width: problem.reduced().width(),
        }
    }

    /// Patches and their dimension.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.patches, self.filter.len())
    }

    /// The unit vector along `w*`.
    pub(super) fn filter(&self) -> &[f64] {
        &self.filter
    }

    /// The unit vectors along ones and along the rest of `a*`.
    pub(super) fn output(&self) -> [&[f64]; 2] {
        [&self.output[0], &self.output[1]]
    }

    /// A state from a filter and an output in the axes.
    pub(super) fn state(&self, [x, y]: [f64; 2], [mean, along, rest]: [f64; 3]) -> [f64; ENTRIES] {
        let [own_mean, own_along] = self.teacher;
        if own_along == 0.0 {
            // Nothing tells the second axis from the rest.
            return [x, y, mean - own_mean, 0.0, libm::hypot(along, rest)];
        }
        [x, y, mean - own_mean, along - own_along, rest]
    }

    /// A filter and an output of the whole network in the axes, and the directions of what lies across.
    pub(super) fn split(&self, filter: &[f64], output: &[f64]) -> ([f64; 2], [f64; 3], [Vec<f64>; 2]) {
        let (x, across) = parted(filter, &[&self.filter]);
        // Where `a*` is a multiple of ones the second axis is any, and counts as part of the rest.
        let seen = if self.teacher[1] > 0.0 { 2 } else { 1 };
        let (on_axes, rest) = parted(output, &self.output()[..seen]);
        let (y, left) = (norm(&across), norm(&rest));
        let unit = |vector: Vec<f64>, length: f64| -> Vec<f64> {
            vector.iter().map(|v| if length > 0.0 { v / length } else { 0.0 }).collect()
        };
        (
            [x[0], y],
            [on_axes[0], on_axes.get(1).copied().unwrap_or(0.0), left],
            [unit(across, y), unit(rest, left)],
        )
    }

    /// Filter and output of the whole network from their coordinates and the directions across.
    pub(super) fn combine(
        &self,
        [x, y]: [f64; 2],
        [mean, along, rest]: [f64; 3],
        [across, left]: &[Vec<f64>; 2],
    ) -> (Vec<f64>, Vec<f64>) {
        let filter = self.filter.iter().zip(across).map(|(w, u)| x * w + y * u).collect();
        let [ones, second] = self.output();
        let output =
            (0..self.patches).map(|j| mean * ones[j] + (along * second[j] + rest * left[j])).collect();
        (filter, output)
    }

    /// The reduced state that users see.
    pub(super) fn reduced(&self, state: &[f64]) -> CnnState {
        let (mean, along) = (state[2] + self.teacher[0], state[3] + self.teacher[1]);
        let overlap = self.unit_teacher[0] * mean + self.unit_teacher[1] * along;
        CnnState { x: state[0], y: state[1], overlap, sum: self.root_k * mean, rest: state[4] }
    }

    /// The output in the axes of a reduced state.
    pub(super) fn output_of(&self, state: &CnnState) -> [f64; 3] {
        let mean = state.sum / self.root_k;
        let [own, other] = self.unit_teacher;
        let along = if other > 0.0 { (state.overlap - own * mean) / other } else { 0.0 };
        [mean, along, state.rest]
    }

    /// `s alpha` of a state.
    fn overlap(&self, state: &[f64]) -> f64 {
        self.teacher[0] * state[2] + (self.teacher[1] * state[3] + self.square)
    }

    /// The loss of a state (B.12), whose terms vanish at the teacher one by one.
    pub(super) fn loss(&self, state: &[f64]) -> f64 {
        let gap = gap(state[0], state[1]);
        let rest = state[3] * state[3] + state[4] * state[4];
        let quadratic = self.width * (state[2] * state[2]) + (PI - 1.0) * rest;
        (0.5 * quadratic + self.overlap(state) * gap) / TAU
    }
}

/// `pi - h` of a filter, `pi (1 - cos) - c1`, from the nearer end of the axis and without cancellation near the teacher.
fn gap(x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return PI - angular_c1(libm::atan2(y.abs(), -x));
    }
    let length = (x * x + y * y).sqrt();
    let (cosine, sine) = (x / length, y / length);
    PI * (sine * sine / (1.0 + cosine)) - angular_c1(libm::atan2(y.abs(), x))
}

/// The coordinates of a vector on orthonormal axes, and the part across them.
fn parted(vector: &[f64], axes: &[&[f64]]) -> (Vec<f64>, Vec<f64>) {
    let mut rest = vector.to_vec();
    let mut along = vec![0.0; axes.len()];
    // Twice: the second time takes away what rounding left.
    for _ in 0..2 {
        for (to, axis) in along.iter_mut().zip(axes) {
            let part = dot(axis, &rest);
            *to += part;
            for (r, a) in rest.iter_mut().zip(*axis) {
                *r -= part * a;
            }
        }
    }
    (along, rest)
}
