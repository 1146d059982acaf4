//! Students of one direction: the roots of a function of one angle, each a segment of critical points.
//!
//! docs/theory/enumeration.md, (E.6): both students along the angle `psi` are critical exactly if
//! `g(psi) = sum_k |v_k| H'(psi - psi_k) = 0` and the sum of their lengths is `sum_k |v_k| H(psi - psi_k) / pi`.

use super::certificate::ListedPoint;
use super::circle::Values;
use super::plane::Plane;
use crate::Interval;
use popgrad::Matrix;

/// Arcs narrower than this stay undecided.
const NARROWEST: f64 = 1e-9;

/// A segment of critical points.
pub(super) struct Segment {
    /// The point with students of equal length.
    pub(super) point: Matrix,
    /// The direction of both students, as an angle.
    pub(super) direction: Interval,
    /// The sum of their lengths.
    pub(super) length: Interval,
}

/// The segments of a teacher.
pub(super) struct Segments {
    pub(super) found: Vec<Segment>,
    pub(super) undecided: usize,
    /// The arcs that make up the circle, and whether each holds a root.
    pub(super) arcs: Vec<(Interval, bool)>,
}

/// `g` and its derivative over an arc, and the length of the two students together.
pub(super) fn balance(plane: &Plane, psi: Interval) -> [Interval; 3] {
    let parts = plane.lengths().into_iter().zip(plane.places());
    parts.fold([Interval::ZERO; 3], |[g, slope, length], (rho, place)| {
        let h = Values::over(psi - place);
        [g + rho * h.first, slope + rho * h.second, length + rho * h.value / Interval::PI]
    })
}

/// All directions on the circle.
pub(super) fn directions(plane: &Plane) -> Segments {
    let mut open = vec![circle(plane)];
    let (mut roots, mut undecided, mut arcs) = (Vec::new(), 0, Vec::new());
    while let Some(arc) = open.pop() {
        let [g, slope, _] = balance(plane, arc);
        let middle = arc.middle();
        let [at, _, _] = balance(plane, Interval::point(middle));
        if !g.contains(0.0) || !(at + slope * (arc - middle)).contains(0.0) {
            arcs.push((arc, false));
            continue;
        }
        let larger = larger(arc);
        let [_, slope, _] = balance(plane, larger);
        let image = if slope.contains(0.0) { Interval::ENTIRE } else { Interval::point(middle) - at / slope };
        if larger.lo() < image.lo() && image.hi() < larger.hi() {
            // g keeps its slope's sign on the larger arc: exactly one root there, in the image.
            arcs.push((arc, true));
            if !roots.iter().any(|(unique, _): &(Interval, Interval)| same_place(*unique, image)) {
                roots.push((larger, image));
            }
        } else if arc.width() < NARROWEST {
            undecided += 1;
        } else {
            let m = Interval::point(middle);
            open.extend([m.hull(Interval::point(arc.hi())), m.hull(Interval::point(arc.lo()))]);
        }
    }
    let found = roots.into_iter().map(|(_, image)| segment(plane, image)).collect();
    Segments { found, undecided, arcs }
}

/// A whole turn and a little more.
pub(super) fn circle(plane: &Plane) -> Interval {
    let start = Interval::point(plane.places()[0].lo() - 1.0 / 64.0);
    start.hull(start + Interval::PI * 2.0)
}

/// A slightly larger arc, which finds a root at the common end of two.
pub(super) fn larger(arc: Interval) -> Interval {
    arc + Interval::ball(0.0, arc.width() / 16.0 + f64::EPSILON)
}

/// Whether a root lies where another is the only one, up to a whole turn.
fn same_place(unique: Interval, image: Interval) -> bool {
    [-2.0, 0.0, 2.0].into_iter().any(|turn| unique.encloses(image + Interval::PI * turn))
}

/// The segment of a root: the arc is narrowed by Newton's method first.
fn segment(plane: &Plane, mut arc: Interval) -> Segment {
    for _ in 0..6 {
        let [at, _, _] = balance(plane, Interval::point(arc.middle()));
        let [_, slope, _] = balance(plane, arc);
        let image = (Interval::point(arc.middle()) - at / slope).intersection(arc);
        if image.is_empty() {
            break;
        }
        arc = image;
    }
    Segment::on(plane, arc)
}

impl Segment {
    /// The segment along a direction that is a root.
    pub(super) fn on(plane: &Plane, direction: Interval) -> Self {
        let psi = direction.middle();
        let length = balance(plane, direction)[2];
        let half = 0.5 * length.middle();
        let point = Matrix::from_rows(&[[half * libm::cos(psi), half * libm::sin(psi)]; 2]);
        Self { point, direction, length }
    }

    /// Whether it is the segment of a listed point: the sum of the students lies where that of the point is the only one.
    pub(super) fn is_in_ball(&self, p: &ListedPoint) -> bool {
        let center = &p.plane.center;
        let sum = [self.direction.cos() * self.length, self.direction.sin() * self.length];
        let offset = |i: usize| sum[i] - (Interval::point(center.row(0)[i]) + center.row(1)[i]);
        (offset(0).square() + offset(1).square()).sqrt().hi() < p.plane.unique_radius
    }
}

/// The only segment of parallel teachers: `g` is the sum of their lengths times `H'`, which is zero along them, and opposite
/// to them, where the length in (E.6) is zero.
pub(super) fn shared_out(plane: &Plane) -> Segments {
    Segments { found: vec![Segment::on(plane, plane.places()[0])], undecided: 0, arcs: Vec::new() }
}
