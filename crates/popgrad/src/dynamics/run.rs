//! Small things that both kinds of run need.

use super::{DynamicsError, Landscape};
use crate::vector::first_non_finite;
use std::ops::Range;

/// Checks that a start belongs to the landscape.
pub(super) fn check_start<L: Landscape>(landscape: &L, start: &[f64]) -> Result<(), DynamicsError> {
    if start.len() != landscape.dimension() {
        return Err(DynamicsError::Dimension { got: start.len(), want: landscape.dimension() });
    }
    match first_non_finite(start) {
        Some((index, value)) => Err(DynamicsError::NonFinite { index, value }),
        None => Ok(()),
    }
}

/// Sum of squares over eight interleaved partial sums, in index order, without fused operations: the same bits
/// at every level of instructions, and no call of a library function where the machine has no fused ones.
fn sum_of_squares(x: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let (whole, rest) = x.as_chunks::<8>();
    for chunk in whole {
        for i in 0..8 {
            lanes[i] += chunk[i] * chunk[i];
        }
    }
    for (i, value) in rest.iter().enumerate() {
        lanes[i] += value * value;
    }
    sum_lanes(&lanes)
}

/// The eight partial sums added in a fixed order.
fn sum_lanes(lanes: &[f64; 8]) -> f64 {
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}

/// Euclidean norm.
pub(super) fn norm(x: &[f64]) -> f64 {
    let squares = sum_of_squares(x);
    // Between these bounds no square has over- or underflowed in a way that matters.
    if (1e-280..1e280).contains(&squares) || squares == 0.0 && x.iter().all(|v| *v == 0.0) {
        return squares.sqrt();
    }
    if x.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    crate::vector::norm(x)
}

/// Whether every entry is exactly zero.
pub(super) fn all_zero(x: &[f64]) -> bool {
    x.iter().all(|v| *v == 0.0)
}

/// Sets the slices of the frozen students to zero.
#[inline]
pub(super) fn clear(x: &mut [f64], students: &[Range<usize>], frozen: &[usize]) {
    for &student in frozen {
        x[students[student].clone()].fill(0.0);
    }
}
