//! From the teacher to the systems, and from their roots to students.

use super::EnumeratedPoint;
use super::search::Cell;
use super::system::System;
use crate::Interval;
use popgrad::MatrixView;

/// Two teachers that are not collinear, the second counterclockwise of the first.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    lengths: [Interval; 2],
    /// Angles of the teachers from the first axis.
    places: [Interval; 2],
    angle: Interval,
}

/// What a root stands for.
pub(super) enum Outcome {
    /// A critical point: the students' entries, row by row.
    Point(Vec<Interval>),
    /// The global minimum, or lengths that are not both positive.
    None,
    /// The sign of a length is open.
    Open,
}

impl Plane {
    /// None if the teachers are collinear, or cannot be told from it.
    pub(super) fn new(teacher: MatrixView<'_>) -> Option<Self> {
        let vector = |k: usize| [teacher.row(k)[0], teacher.row(k)[1]].map(Interval::point);
        let cross = |a: [Interval; 2], b: [Interval; 2]| a[0] * b[1] - a[1] * b[0];
        let (mut first, mut second) = (vector(0), vector(1));
        if cross(first, second).is_certainly_negative() {
            (first, second) = (second, first);
        }
        if !cross(first, second).is_certainly_positive() {
            return None;
        }
        let dot = first[0] * second[0] + first[1] * second[1];
        let length = |a: [Interval; 2]| (a[0].square() + a[1].square()).sqrt();
        let place = |a: [Interval; 2]| Interval::atan2(a[1], a[0]);
        Some(Self {
            lengths: [length(first), length(second)],
            places: [place(first), place(second)],
            angle: Interval::atan2(cross(first, second), dot),
        })
    }

    /// The angle between the teachers.
    pub(super) fn angle(&self) -> Interval {
        self.angle
    }

    pub(super) fn lengths(&self) -> [Interval; 2] {
        self.lengths
    }

    pub(super) fn places(&self) -> [Interval; 2] {
        self.places
    }

    /// The system with one teacher inside the students' cone.
    pub(super) fn system(&self, inside: usize) -> System {
        let beta = if inside == 0 { self.angle } else { -self.angle };
        System { inside: self.lengths[inside], outside: self.lengths[1 - inside], beta }
    }

    /// Notes for each point which one is its mirror image, if the teachers have one length up to rounding.
    pub(super) fn mark_mirrors(&self, points: &mut [EnumeratedPoint]) {
        if self.lengths[0].intersection(self.lengths[1]).is_empty() {
            return;
        }
        // A reflection that takes the angle x to twice the bisector minus x.
        let twice = self.places[0].middle() * 2.0 + self.angle.middle();
        let (sine, cosine) = (libm::sin(twice), libm::cos(twice));
        let entries: Vec<Option<Vec<f64>>> =
            points.iter().map(|p| p.in_plane.center.as_ref().map(|c| c.as_slice().to_vec())).collect();
        for (p, own) in points.iter_mut().zip(&entries) {
            let Some(w) = own else { continue };
            let turn = |x: f64, y: f64| [cosine * x + sine * y, sine * x - cosine * y];
            let (first, second) = (turn(w[0], w[1]), turn(w[2], w[3]));
            let near = |v: &Vec<f64>, a: [f64; 2], b: [f64; 2]| {
                v.iter().zip([a, b].as_flattened()).all(|(x, y)| (x - y).abs() < 1e-9)
            };
            let is_image = |other: &Option<Vec<f64>>| {
                other.as_ref().is_some_and(|v| near(v, first, second) || near(v, second, first))
            };
            p.mirror = entries.iter().position(is_image);
        }
    }

    /// The students of a root.
    pub(super) fn critical_point(&self, inside: usize, root: &Cell) -> Outcome {
        // The global minimum is the exact root theta = angle, u = 0 (first teacher inside) or u = 1.
        let edge = if inside == 0 { 0.0 } else { 1.0 };
        if root.u.contains(edge) && root.theta.encloses(self.angle) {
            return Outcome::None;
        }
        let lengths = self.system(inside).lengths(root.theta, root.u);
        if lengths.iter().any(|x| x.is_certainly_negative()) {
            return Outcome::None;
        }
        if !lengths.iter().all(|x| x.is_certainly_positive()) {
            return Outcome::Open;
        }
        let first = self.places[inside] - root.u * root.theta;
        let angles = [first, first + root.theta];
        let rows = angles.iter().zip(&lengths).flat_map(|(a, length)| [a.cos() * *length, a.sin() * *length]);
        Outcome::Point(rows.collect())
    }
}
