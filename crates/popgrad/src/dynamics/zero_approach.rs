//! How a student comes to zero under the gradient flow, and when it is there.
//!
//! Near `w_j = 0` the gradient depends on the direction of `w_j` only, so a student that vanishes does so on a
//! straight line at constant speed, in finite time; its direction turns at rate `1/|w_j|` and has settled long
//! before. Docs/theory/dynamics.md, (D.11)-(D.13).

use std::ops::Range;

/// A step covers at most this share of the time that a student needs to reach zero in a straight line: each step
/// then takes the norm to a tenth, and no step jumps over zero.
const SHARE: f64 = 0.9;

/// Steps turn no student by more than this (in radians) at the first step.
pub(super) const FIRST_TURN: f64 = 0.1;

/// A student counts as vanishing only if it would be at zero within this time; slow decay (as the exponential
/// one of a student opposite to its teacher) never is.
const SOON: f64 = 1e-3;

/// What the students allow the next step to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Approach {
    /// Upper bound of the step; infinite if no student shrinks.
    pub(crate) step: f64,
    /// Smallest student norm.
    pub(crate) smallest: f64,
}

/// The straight-line time to zero of one student, `|w|^2 / (w . grad)`; infinite unless it shrinks.
fn time_to_zero(squares: f64, inward: f64) -> f64 {
    if inward > 0.0 { squares / inward } else { f64::INFINITY }
}

fn products(w: &[f64], g: &[f64]) -> (f64, f64) {
    w.iter().zip(g).fold((0.0, 0.0), |(ww, wg), (w, g)| (ww + w * w, wg + w * g))
}

/// Bounds the step by (D.12), and lists in `vanishing` the students that are as good as zero by (D.13), each
/// with the time it still needs.
pub(crate) fn approach(
    point: &[f64],
    gradient: &[f64],
    (students, frozen): (&[Range<usize>], &[usize]),
    (radius, time): (f64, f64),
    vanishing: &mut Vec<(usize, f64)>,
) -> Approach {
    vanishing.clear();
    let mut out = Approach { step: f64::INFINITY, smallest: f64::INFINITY };
    for (j, slice) in students.iter().enumerate() {
        if frozen.contains(&j) {
            continue;
        }
        let (squares, inward) = products(&point[slice.clone()], &gradient[slice.clone()]);
        let norm = squares.sqrt();
        let left = time_to_zero(squares, inward);
        out.smallest = out.smallest.min(norm);
        out.step = out.step.min(SHARE * left);
        let unresolved = left <= 8.0 * f64::EPSILON * time;
        if unresolved || (norm <= radius && left <= SOON) {
            vanishing.push((j, left));
        }
    }
    vanishing.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    out
}

/// The step in which no student turns by more than [`FIRST_TURN`]: `0.1 min_j |w_j| / |grad_j|`.
pub(crate) fn first_turn(
    point: &[f64],
    gradient: &[f64],
    students: &[Range<usize>],
    frozen: &[usize],
) -> f64 {
    let mut step = f64::INFINITY;
    for (j, slice) in students.iter().enumerate() {
        let speed = super::run::norm(&gradient[slice.clone()]);
        if speed > 0.0 && !frozen.contains(&j) {
            step = step.min(FIRST_TURN * super::run::norm(&point[slice.clone()]) / speed);
        }
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_students_that_are_small_and_quick_vanish() {
        let students = [0..2, 2..4, 4..6];
        // Small and inward at speed 0.5; small and decaying; large and inward.
        let point = [1e-11, 0.0, 0.0, 1e-11, 3.0, 4.0];
        let gradient = [0.5, 0.1, 0.0, 0.5e-11, 0.6, 0.8];
        let mut vanishing = Vec::new();
        let got = approach(&point, &gradient, (&students, &[]), (1e-10, 1.0), &mut vanishing);
        assert_eq!(vanishing, [(0, 2e-11)]);
        assert!((got.step - SHARE * 2e-11).abs() < 1e-25 && got.smallest == 1e-11);
        let got = approach(&point, &gradient, (&students, &[0]), (1e-10, 1.0), &mut vanishing);
        assert!(vanishing.is_empty() && (got.step - SHARE * 2.0).abs() < 1e-12);
    }
}
