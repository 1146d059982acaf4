//! Points at which a student is zero: one-sided stationary or not.
//!
//! docs/theory/enumeration.md, section 4. If `w_2 = 0`, the loss is differentiable in `w_1`, which therefore is critical alone: the
//! end of a segment. In the direction `e` of the vanished student its one-sided derivative is (E.7),
//!
//! ```text
//! 2 pi dJ/d|w_2| = |w_1| h(angle(e, w_1)) - sum_k |v_k| h(angle(e, v_k))
//! ```
//!
//! It is zero where `e` points along `w_1`, to first order in the angle, and its second derivative there is
//! `-2 sum_k |v_k| sin(angle(w_1, v_k))` (E.9): unless the teachers lie on the line of `w_1`, the loss descends to both sides of it.

use super::Enumeration;
use super::circle::Values;
use super::collinear::{Segment, balance};
use super::plane::{Arrangement, Plane};
use crate::Interval;
use popgrad::Matrix;
use std::f64::consts::TAU;

/// Directions of a vanished student that are tried.
const DIRECTIONS: u32 = 256;

/// A direction in which a vanished student lowers the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// The direction as an angle from the first axis.
    pub direction: f64,
    /// The derivative of the loss in the length of that student, certainly negative.
    pub slope: Interval,
}

/// A point at which a student is zero and the other one, if it is not, critical; up to a permutation of the students.
#[derive(Clone, Debug, PartialEq)]
pub struct VanishedPoint {
    /// The students, near enough; zero means exactly zero.
    pub students: Matrix,
    /// Enclosure of the loss.
    pub loss: Interval,
    /// Position on the list of the segment that ends here; none if both students are zero.
    pub segment: Option<usize>,
    /// Whether no direction of a vanished student descends; none if that is open.
    pub stationary: Option<bool>,
    /// A direction that descends, the steepest of those that were tried.
    pub descent: Option<Descent>,
    /// Position on the list of vanished points of the mirror image, as for the other points.
    pub mirror: Option<usize>,
}

/// `dJ/d|w_2|` at 0 in the direction `e`, with a first student of given direction and length.
pub(super) fn slope(plane: &Plane, e: Interval, direction: Interval, length: Interval) -> Interval {
    let teachers = balance(plane, e)[2] * Interval::PI;
    (length * Values::over(e - direction).value - teachers) / (Interval::PI * 2.0)
}

/// The direction with the least upper bound of the slope, if that is below zero.
fn steepest(slope: impl Fn(Interval) -> Interval) -> Option<Descent> {
    let tried = (0..DIRECTIONS).map(|n| {
        let direction = f64::from(n) * (TAU / f64::from(DIRECTIONS));
        Descent { direction, slope: slope(Interval::point(direction)) }
    });
    let best = tried.min_by(|a, b| a.slope.hi().total_cmp(&b.slope.hi()));
    best.filter(|descent| descent.slope.is_certainly_negative())
}

impl VanishedPoint {
    /// The end of a segment, the one with a first student.
    pub(super) fn end(plane: &Plane, segment: &Segment, at: usize, loss: Interval) -> Self {
        let (direction, length) = (segment.direction, segment.length);
        let first = [direction.cos(), direction.sin()].map(|x| (x * length).middle());
        // With parallel teachers along the student the derivative is zero in every direction, and the loss is.
        let shared_out = plane.arrangement() == Arrangement::Parallel;
        let descent = if shared_out { None } else { steepest(|e| slope(plane, e, direction, length)) };
        Self {
            students: Matrix::from_rows(&[first, [0.0; 2]]),
            loss,
            segment: Some(at),
            stationary: if shared_out { Some(true) } else { descent.map(|_| false) },
            descent,
            mirror: None,
        }
    }

    /// Both students zero: `2 pi dJ/d|w| = -sum_k |v_k| h(angle(e, v_k))` descends in the direction of a teacher.
    pub(super) fn both(plane: &Plane) -> Self {
        let [a, b] = plane.lengths();
        let cross = a * b * Values::over(plane.angle()).value / (Interval::PI * 2.0);
        let descent = steepest(|e| slope(plane, e, Interval::ZERO, Interval::ZERO));
        Self {
            students: Matrix::zeros(2, 2),
            loss: (a.square() + b.square()) * 0.25 + cross,
            segment: None,
            stationary: descent.map(|_| false),
            descent,
            mirror: None,
        }
    }
}

impl Enumeration {
    /// The mirror images of vanished points are the ends of the mirror images of segments.
    pub(super) fn mark_vanished_mirrors(&mut self) {
        let image = |p: &VanishedPoint| p.segment.map(|at| self.points[at].mirror);
        let images: Vec<Option<Option<usize>>> = self.vanished.iter().map(image).collect();
        let segments: Vec<Option<usize>> = self.vanished.iter().map(|p| p.segment).collect();
        let any = self.points.iter().any(|p| p.mirror.is_some());
        for (n, p) in self.vanished.iter_mut().enumerate() {
            p.mirror = match images[n] {
                Some(mirror) => mirror.and_then(|m| segments.iter().position(|s| *s == Some(m))),
                None => any.then_some(n),
            };
        }
    }
}
