//! The points that a search found, certified in the plane and in space.

use super::certificate::ListedPoint;
use super::check::EnumerationError;
use super::collinear::Segment;
use super::plane::{Arrangement, Plane};
use super::search::Cell;
use super::{EnumeratedPoint, PointClass};
use crate::Interval;
use crate::points::{PointClaim, PointError, PointOptions, PointProblem, PointReport};
use popgrad::Matrix;

/// Certifies the points that a search found, in the plane and in space.
pub(super) struct Judge {
    plane: PointProblem,
    space: PointProblem,
    teacher: Matrix,
}

/// A matrix with a further column of zeros.
fn lifted(x: &Matrix) -> Matrix {
    let rows: Vec<Vec<f64>> = (0..x.rows()).map(|i| [x.row(i), &[0.0]].concat()).collect();
    Matrix::try_from_rows(&rows).unwrap_or_else(|_| x.clone())
}

impl Judge {
    pub(super) fn new(teacher: &Matrix) -> Result<Self, PointError> {
        let problem = |v: Matrix| PointProblem::try_new(v, vec![1.0; 2], vec![1.0; 2]);
        Ok(Self {
            plane: problem(teacher.clone())?,
            space: problem(lifted(teacher))?,
            teacher: teacher.clone(),
        })
    }

    fn certify(&self, weights: &Matrix) -> Result<(PointReport, Option<usize>), PointError> {
        let in_plane = self.plane.certify(weights.view(), PointOptions::default())?;
        let in_space = self.space.certify(lifted(weights).view(), PointOptions::default())?;
        let out = match (in_plane.index, in_space.index) {
            (Some(plane), Some(space)) => space.checked_sub(plane),
            _ => None,
        };
        Ok((in_plane, out))
    }

    pub(super) fn global(&self, plane: &Plane) -> Result<EnumeratedPoint, PointError> {
        let (class, students) = match plane.arrangement() {
            Arrangement::Parallel => (PointClass::GlobalSegment, self.shared_out()),
            _ => (PointClass::Global, self.teacher.clone()),
        };
        let (in_plane, out_of_plane_index) = self.certify(&students)?;
        Ok(EnumeratedPoint {
            class,
            theta: plane.angle(),
            teachers_in_cone: Some(0),
            in_plane,
            out_of_plane_index,
            mirror: None,
        })
    }

    /// Two equal students that add up to the teachers.
    fn shared_out(&self) -> Matrix {
        let (v, u) = (self.teacher.row(0), self.teacher.row(1));
        Matrix::from_rows(&[[0.5 * (v[0] + u[0]), 0.5 * (v[1] + u[1])]; 2])
    }

    /// Adds a root unless the list has it: antiparallel students are found once for each teacher. False if the certified ball
    /// was not seen to hold the point of the root.
    pub(super) fn isolated(
        &self,
        root: &Cell,
        weights: &[Interval],
        points: &mut Vec<EnumeratedPoint>,
    ) -> Result<bool, PointError> {
        let middles = Matrix::try_new(2, 2, weights.iter().map(|x| x.middle()).collect())
            .unwrap_or_else(|_| self.teacher.clone());
        let (in_plane, out_of_plane_index) = self.certify(&middles)?;
        let same = |p: &EnumeratedPoint| p.class.dimension() == 0 && is_same_point(&p.in_plane, &in_plane);
        if points.iter().any(same) {
            return Ok(true);
        }
        let known = holds(&in_plane, weights);
        let strictly = root.theta.hi() < Interval::PI.lo();
        points.push(EnumeratedPoint {
            class: PointClass::Isolated,
            theta: root.theta,
            teachers_in_cone: strictly.then_some(1),
            in_plane,
            out_of_plane_index,
            mirror: None,
        });
        Ok(known)
    }

    /// What is claimed about a point, in the plane and in space.
    pub(super) fn claims(&self, in_plane: &PointReport) -> Option<(PointClaim, Option<PointClaim>)> {
        let center = in_plane.center.as_ref()?;
        let in_space = self.space.certify(lifted(center).view(), PointOptions::default()).ok()?;
        Some((self.plane.claim(in_plane)?, self.space.claim(&in_space)))
    }

    /// Checks both claims about a listed point, and that they are about one point.
    pub(super) fn check(&self, at: usize, p: &ListedPoint) -> Result<(), EnumerationError> {
        let failed = |lifted| move |error| EnumerationError::Point { lifted, error };
        self.plane.check(at, &p.plane).map_err(failed(false))?;
        let Some(space) = &p.space else { return Ok(()) };
        self.space.check(at, space).map_err(failed(true))?;
        let near = lifted(&p.plane.center).as_slice().iter().zip(space.center.as_slice()).all(|(x, y)| {
            // The point of the plane is one of space; it lies where that of space is the only one.
            (x - y).abs() + p.plane.radius < 0.25 * space.unique_radius
        });
        if near && p.plane.coincident == space.coincident {
            return Ok(());
        }
        Err(EnumerationError::List { reason: format!("point {at} is another one with one more dimension") })
    }

    pub(super) fn segment(&self, segment: &Segment) -> Result<EnumeratedPoint, PointError> {
        let (in_plane, out_of_plane_index) = self.certify(&segment.point)?;
        Ok(EnumeratedPoint {
            class: PointClass::Segment,
            theta: Interval::ZERO,
            teachers_in_cone: Some(0),
            in_plane,
            out_of_plane_index,
            mirror: None,
        })
    }
}

/// Whether two listed points are not seen to differ: their students, merged where they share a direction, in either order.
pub(super) fn may_be_same(a: &ListedPoint, b: &ListedPoint) -> bool {
    if a.class.dimension() != b.class.dimension() {
        return false;
    }
    let rows = |p: &ListedPoint| {
        let c = &p.plane.center;
        if p.class.dimension() == 0 {
            c.as_slice().to_vec()
        } else {
            vec![c.row(0)[0] + c.row(1)[0], c.row(0)[1] + c.row(1)[1]]
        }
    };
    let (x, y) = (rows(a), rows(b));
    let mut swapped = y.clone();
    swapped.rotate_left(2 % y.len());
    let apart = |y: &[f64]| {
        let offsets = x.iter().zip(y).map(|(p, q)| (Interval::point(*p) - *q).square());
        let distance = Interval::sum(offsets).sqrt();
        // The sum of a segment's students is off by rounding.
        distance.lo() > a.plane.radius + b.plane.radius + 1e-12
    };
    !apart(&y) || !apart(&swapped)
}

/// Whether a box of students, in either order, lies where a listed point is the only one.
pub(super) fn is_in_ball(p: &ListedPoint, weights: &[Interval]) -> bool {
    let swapped = [&weights[2..], &weights[..2]].concat();
    [weights, &swapped].into_iter().any(|w| {
        let offsets = w.iter().zip(p.plane.center.as_slice()).map(|(x, c)| (*x - *c).square());
        Interval::sum(offsets).sqrt().hi() < p.plane.unique_radius
    })
}

/// Whether a box of students lies in the ball in which the certified point is the only one.
fn holds(report: &PointReport, weights: &[Interval]) -> bool {
    let (Some(center), Some(unique)) = (&report.center, report.unique_radius) else { return false };
    let offsets = weights.iter().zip(center.as_slice()).map(|(x, c)| (*x - *c).square());
    Interval::sum(offsets).sqrt().hi() < unique
}

/// Whether two certified balls hold the same critical point, students permuted or not: the center of one lies well inside
/// the ball in which the other's point is the only one.
fn is_same_point(a: &PointReport, b: &PointReport) -> bool {
    let (Some(x), Some(y)) = (&a.center, &b.center) else { return false };
    let (Some(unique), Some(radius)) = (a.unique_radius, b.radius) else { return false };
    let swapped = [y.row(1), y.row(0)].concat();
    [y.as_slice(), &swapped].into_iter().any(|y| {
        let offsets = x.as_slice().iter().zip(y).map(|(p, q)| (Interval::point(*p) - *q).square());
        (Interval::sum(offsets).sqrt() + radius).hi() < unique
    })
}
