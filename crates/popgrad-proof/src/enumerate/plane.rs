//! From the teacher to the systems, and from their roots to students.

use super::Enumeration;
use super::search::Cell;
use super::system::System;
use crate::Interval;
use crate::points::same_direction;
use popgrad::{Matrix, MatrixView};

/// How the two teachers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// At an angle strictly between 0 and pi.
    General,
    /// At the angle 0, exactly.
    Parallel,
    /// At the angle pi, exactly.
    Opposite,
    /// At the angle pi, exactly, and of exactly one length.
    Mirrored,
}

/// Two teachers, the second counterclockwise of the first.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    lengths: [Interval; 2],
    /// Angles of the teachers from the first axis.
    places: [Interval; 2],
    angle: Interval,
    arrangement: Arrangement,
}

/// An entry this small beside the other one of its row may be the rounded zero of a sine or cosine.
const ROUNDED_ZERO: f64 = 4.0 * f64::EPSILON;

/// The teacher with both rows on one axis, if rounding alone keeps them from it.
pub(super) fn on_axis(teacher: MatrixView<'_>) -> Matrix {
    let near = |axis: usize| {
        (0..2).all(|k| teacher.row(k)[1 - axis].abs() <= ROUNDED_ZERO * teacher.row(k)[axis].abs())
    };
    let mut out = teacher.to_matrix();
    if let Some(axis) = [0, 1].into_iter().find(|axis| near(*axis)) {
        (0..2).for_each(|k| out.row_mut(k)[1 - axis] = 0.0);
    }
    out
}

/// The sine of the angle between the teachers, about.
pub(super) fn sine(teacher: MatrixView<'_>) -> f64 {
    let (v, u) = (teacher.row(0), teacher.row(1));
    let length = |x: &[f64]| (x[0] * x[0] + x[1] * x[1]).sqrt();
    (v[0] * u[1] - v[1] * u[0]).abs() / (length(v) * length(u))
}

fn cross(a: [Interval; 2], b: [Interval; 2]) -> Interval {
    a[0] * b[1] - a[1] * b[0]
}

fn length(a: [Interval; 2]) -> Interval {
    (a[0].square() + a[1].square()).sqrt()
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
    /// None if the teachers cannot be told from collinear ones and are not so exactly.
    pub(super) fn new(teacher: MatrixView<'_>) -> Option<Self> {
        let vector = |k: usize| [teacher.row(k)[0], teacher.row(k)[1]].map(Interval::point);
        let (mut first, mut second) = (vector(0), vector(1));
        let place = |a: [Interval; 2]| Interval::atan2(a[1], a[0]);
        if let Some(arrangement) = collinear(teacher) {
            let angle = if arrangement == Arrangement::Parallel { Interval::ZERO } else { Interval::PI };
            return Some(Self {
                lengths: [length(first), length(second)],
                places: [place(first), place(first) + angle],
                angle,
                arrangement,
            });
        }
        if cross(first, second).is_certainly_negative() {
            (first, second) = (second, first);
        }
        if !cross(first, second).is_certainly_positive() {
            return None;
        }
        let dot = first[0] * second[0] + first[1] * second[1];
        Some(Self {
            lengths: [length(first), length(second)],
            places: [place(first), place(second)],
            angle: Interval::atan2(cross(first, second), dot),
            arrangement: Arrangement::General,
        })
    }

    /// How the teachers stand to each other.
    pub(super) fn arrangement(&self) -> Arrangement {
        self.arrangement
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
        System {
            inside: self.lengths[inside],
            outside: self.lengths[1 - inside],
            beta,
            arrangement: self.arrangement,
        }
    }

    /// Notes for each point which one is its mirror image: in the bisector, if the teachers have one length up to rounding, or in the
    /// line of collinear teachers.
    pub(super) fn mark_mirrors(&self, found: &mut Enumeration) {
        let in_line = self.arrangement != Arrangement::General;
        if !in_line && self.lengths[0].intersection(self.lengths[1]).is_empty() {
            return;
        }
        // A reflection that takes the angle x to twice the axis minus x.
        let twice = self.places[0].middle() * 2.0 + if in_line { 0.0 } else { self.angle.middle() };
        let (sine, cosine) = (libm::sin(twice), libm::cos(twice));
        let points = &mut found.points;
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
        found.mark_vanished_mirrors();
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

/// The arrangement of exactly collinear teachers.
fn collinear(teacher: MatrixView<'_>) -> Option<Arrangement> {
    let (v, u) = (teacher.row(0), teacher.row(1));
    let turned = [-u[0], -u[1]];
    if same_direction(v, u) {
        Some(Arrangement::Parallel)
    } else if !same_direction(v, &turned) {
        None
    } else if v == turned {
        Some(Arrangement::Mirrored)
    } else {
        Some(Arrangement::Opposite)
    }
}
