//! The check of an enumeration: every stored box is evaluated once, by the test that it names, and nothing is cut.
//!
//! Shared with the search are the functions that evaluate an enclosure, of (E.2), (E.3), (E.6), (E.7) and the divided forms; that the boxes
//! tile the rectangle is decided by comparing end points. Krawczyk's operator and what follows from it are written out once more.

use super::certificate::{BoxProof, Boxes, EnumerationCertificate, ListedPoint};
use super::collinear::{Segment, balance, circle, larger};
use super::judge::{Judge, is_in_ball, may_be_same};
use super::plane::{Arrangement, Outcome, Plane};
use super::search::{Cell, MARGIN};
use super::small_angle::is_excluded_up_to;
use super::system::System;
use super::vanished::slope;
use super::{EnumerateError, EnumerationSearch, PointClass};
use crate::Interval;
use crate::conjecture1::{Flaw, Leaf, tiles};
use crate::points::PointClaimError;
use popgrad::Kind;
use thiserror::Error;

/// Why a certificate of an enumeration proves nothing.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EnumerationError {
    /// The teacher is none of an enumeration.
    #[error(transparent)]
    Teacher(#[from] EnumerateError),
    /// A listed point does not hold.
    #[error("{space}: {error}", space = if *.lifted { "with one more dimension" } else { "in the plane" })]
    Point {
        /// Whether with one more input dimension.
        lifted: bool,
        /// What does not hold, with the position of the point.
        error: PointClaimError,
    },
    /// The list is no list of the right kind.
    #[error("the list: {reason}")]
    List {
        /// What is wrong.
        reason: String,
    },
    /// Boxes or arcs do not cover what they have to.
    #[error("{which}: {reason}")]
    Cover {
        /// Which boxes or arcs.
        which: String,
        /// What is wrong.
        reason: String,
    },
    /// A box or arc does not pass the test that it names.
    #[error("{which}, {index}: not seen to {proof}")]
    Leaf {
        /// Which boxes or arcs.
        which: String,
        /// Position among them.
        index: usize,
        /// What was claimed.
        proof: &'static str,
    },
}

impl EnumerationError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Teacher(error) => error.kind(),
            _ => Kind::NotConverged,
        }
    }
}

/// What a successful check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedEnumeration {
    /// Points of the list.
    pub points: usize,
    /// Points with a zero student that are stationary to one side.
    pub stationary: usize,
    /// Boxes that were evaluated.
    pub boxes: usize,
}

fn list(reason: impl Into<String>) -> EnumerationError {
    EnumerationError::List { reason: reason.into() }
}

/// Verifies that a list of critical points of two teachers is right and complete, without searching.
///
/// # Errors
///
/// [`EnumerationError`] with the first point, box or arc that fails.
///
/// # Examples
///
/// ```
/// use popgrad::Matrix;
/// use popgrad_proof::{EnumerationSearch, check_enumeration};
/// let search = EnumerationSearch::try_new(Matrix::identity(2, 2).view())?;
/// let (found, certificate) = search.finish_with_certificate()?;
/// let mut certificate = certificate.unwrap();
/// assert_eq!(check_enumeration(&certificate).unwrap().points, found.points.len());
/// certificate.searches[0].boxes.remove(7);
/// assert!(check_enumeration(&certificate).unwrap_err().to_string().contains("no box covers"));
/// # Ok::<(), popgrad_proof::EnumerateError>(())
/// ```
pub fn check_enumeration(
    certificate: &EnumerationCertificate,
) -> Result<CheckedEnumeration, EnumerationError> {
    let plane = EnumerationSearch::exact_plane(certificate.teacher.view())?;
    let judge = Judge::new(&certificate.teacher).map_err(EnumerateError::Point)?;
    points(certificate, &plane, &judge)?;
    let searched = if plane.arrangement() == Arrangement::Parallel { 0 } else { 2 };
    if certificate.searches.len() != searched {
        return Err(list(format!("{} sets of boxes; {searched} are needed", certificate.searches.len())));
    }
    for (inside, boxes) in certificate.searches.iter().enumerate() {
        Cover { plane: &plane, system: plane.system(inside), inside, points: &certificate.points }
            .check(boxes)?;
    }
    let segments = arcs(certificate, &plane)?;
    vanished(certificate, &plane, &segments)?;
    Ok(CheckedEnumeration {
        points: certificate.points.len(),
        stationary: certificate.vanished.iter().filter(|p| p.direction.is_none()).count(),
        boxes: certificate.searches.iter().map(|b| b.boxes.len()).sum(),
    })
}

/// Every listed point holds, is of its class, and is on the list once; the global minimum is on it.
fn points(c: &EnumerationCertificate, plane: &Plane, judge: &Judge) -> Result<(), EnumerationError> {
    for (at, p) in c.points.iter().enumerate() {
        judge.check(at, p)?;
        let merged = p.plane.coincident.len();
        let right = match p.class {
            PointClass::Global => p.plane.is_teacher && merged == 0,
            PointClass::Isolated => merged == 0,
            PointClass::Segment => merged == 1,
            PointClass::GlobalSegment => p.plane.is_teacher && merged == 1,
        };
        if !right {
            return Err(list(format!("point {at} is no {} point", p.class.name())));
        }
        if let Some(other) = (0..at).find(|other| may_be_same(&c.points[*other], p)) {
            return Err(list(format!("points {other} and {at} are not seen to differ")));
        }
    }
    let parallel = plane.arrangement() == Arrangement::Parallel;
    let count = |class: PointClass| c.points.iter().filter(|p| p.class == class).count();
    let wanted = if parallel { PointClass::GlobalSegment } else { PointClass::Global };
    if count(wanted) != 1
        || (parallel && c.points.len() != 1)
        || (!parallel && count(PointClass::GlobalSegment) > 0)
    {
        return Err(list("the global minimum has to be on it once, and parallel teachers have nothing else"));
    }
    Ok(())
}

/// The boxes of one system.
struct Cover<'a> {
    plane: &'a Plane,
    system: System,
    inside: usize,
    points: &'a [ListedPoint],
}

fn cell(leaf: &Leaf) -> Option<Cell> {
    let side = |x: [f64; 2]| Interval::new(x[0], x[1]);
    side(leaf.theta).zip(side(leaf.u)).map(|(theta, u)| Cell { theta, u })
}

impl Cover<'_> {
    fn check(&self, boxes: &Boxes) -> Result<(), EnumerationError> {
        let which = || format!("teacher {} inside", self.inside);
        let cover = |reason: String| EnumerationError::Cover { which: which(), reason };
        if !is_excluded_up_to(&self.system, boxes.small_angle) {
            return Err(cover(format!(
                "angles up to {} are not seen to be without a root",
                boxes.small_angle
            )));
        }
        let corner = |(leaf, _): &(Leaf, BoxProof)| (leaf.theta[0], leaf.u[0]);
        if let Some(at) = boxes.boxes.windows(2).position(|pair| corner(&pair[0]) >= corner(&pair[1])) {
            return Err(cover(format!("boxes {at} and {} are out of order", at + 1)));
        }
        let rectangle =
            Leaf { theta: [boxes.small_angle, Interval::PI.hi() + MARGIN], u: [-MARGIN, 1.0 + MARGIN] };
        let leaves: Vec<Leaf> = boxes.boxes.iter().map(|(leaf, _)| *leaf).collect();
        tiles(&rectangle, &leaves).map_err(|flaw| cover(described(flaw)))?;
        for (index, (leaf, proof)) in boxes.boxes.iter().enumerate() {
            let holds = cell(leaf).is_some_and(|cell| self.holds(&cell, *proof));
            if !holds {
                let proof = match proof {
                    BoxProof::Root => "hold one point of the list",
                    _ => "hold no root",
                };
                return Err(EnumerationError::Leaf { which: which(), index, proof });
            }
        }
        Ok(())
    }

    fn holds(&self, b: &Cell, proof: BoxProof) -> bool {
        match proof {
            BoxProof::Beyond => b.theta.lo() > Interval::PI.hi() || b.u.hi() < 0.0 || b.u.lo() > 1.0,
            BoxProof::Value(n) => n < 2 && !self.system.equation(b.theta, b.u, n).value.contains(0.0),
            BoxProof::MeanValue(n) => n < 2 && !self.mean_value(b, n).contains(0.0),
            BoxProof::Krawczyk => {
                let image = self.image(&b.larger());
                image.is_some_and(|(theta, u)| {
                    theta.intersection(b.theta).is_empty() || u.intersection(b.u).is_empty()
                })
            }
            BoxProof::Root => self.is_listed(&b.larger()),
        }
    }

    fn mean_value(&self, b: &Cell, n: usize) -> Interval {
        let (theta, u) = (b.theta.middle(), b.u.middle());
        let at = self.system.equation(Interval::point(theta), Interval::point(u), n).value;
        let slopes = self.system.equation(b.theta, b.u, n);
        at + slopes.by_theta * (b.theta - theta) + slopes.by_u * (b.u - u)
    }

    /// Krawczyk's operator on a box, with the inverse of the middle of the derivative.
    fn image(&self, b: &Cell) -> Option<(Interval, Interval)> {
        let (theta, u) = (b.theta.middle(), b.u.middle());
        let at = self.system.equations(Interval::point(theta), Interval::point(u)).map(|f| f.value);
        let [f, g] = self.system.equations(b.theta, b.u);
        let (a, c) = (f.by_theta.middle(), f.by_u.middle());
        let (d, e) = (g.by_theta.middle(), g.by_u.middle());
        let determinant = a * e - c * d;
        let rows = [[e / determinant, -c / determinant], [-d / determinant, a / determinant]];
        if !rows.as_flattened().iter().all(|x| x.is_finite()) {
            return None;
        }
        let side = |[p, q]: [f64; 2], center: f64, unit: [f64; 2]| {
            let in_theta = Interval::point(unit[0]) - (f.by_theta * p + g.by_theta * q);
            let in_u = Interval::point(unit[1]) - (f.by_u * p + g.by_u * q);
            let rest = in_theta * (b.theta - theta) + in_u * (b.u - u);
            Interval::point(center) - (at[0] * p + at[1] * q) + rest
        };
        Some((side(rows[0], theta, [1.0, 0.0]), side(rows[1], u, [0.0, 1.0])))
    }

    /// Whether a box holds exactly one root, and that is the global minimum, no point at all, or a point of the list.
    fn is_listed(&self, b: &Cell) -> bool {
        let strictly = |x: Interval, y: Interval| y.lo() < x.lo() && x.hi() < y.hi();
        let Some((theta, u)) = self.image(b) else { return false };
        if !strictly(theta, b.theta) || !strictly(u, b.u) {
            return false;
        }
        // The images of a box with one root hold that root.
        let mut place = Cell { theta, u };
        for _ in 0..60 {
            let Some((theta, u)) = self.image(&place) else { break };
            let next = Cell { theta: theta.intersection(place.theta), u: u.intersection(place.u) };
            if next.theta.is_empty() || next.u.is_empty() {
                return false;
            }
            let done =
                next.theta.width() > 0.9 * place.theta.width() && next.u.width() > 0.9 * place.u.width();
            place = next;
            if done {
                break;
            }
        }
        match self.plane.critical_point(self.inside, &place) {
            Outcome::None => true,
            Outcome::Open => false,
            Outcome::Point(weights) => {
                self.points.iter().any(|p| p.class.dimension() == 0 && is_in_ball(p, &weights))
            }
        }
    }
}

fn described(flaw: Flaw) -> String {
    match flaw {
        Flaw::Misshapen(index) => format!("box {index} is no box inside the rectangle"),
        Flaw::Gap { theta, u } => format!("no box covers the points just above theta = {theta}, u = {u}"),
        Flaw::Overlap { theta, u } => format!("two boxes overlap just above theta = {theta}, u = {u}"),
    }
}

/// The arcs cover the circle, and each root in them is a listed segment: position and data of each.
fn arcs(c: &EnumerationCertificate, plane: &Plane) -> Result<Vec<(usize, Segment)>, EnumerationError> {
    let which = || "directions".to_owned();
    let cover = |reason: &str| EnumerationError::Cover { which: which(), reason: reason.to_owned() };
    let mut found: Vec<(usize, Segment)> = Vec::new();
    if plane.arrangement() == Arrangement::Parallel {
        if !c.arcs.is_empty() {
            return Err(cover("parallel teachers need no arcs"));
        }
        return Ok(vec![(0, Segment::on(plane, plane.places()[0]))]);
    }
    let whole = circle(plane);
    let ends = c.arcs.first().zip(c.arcs.last());
    let complete = ends.is_some_and(|(a, b)| a.0[0] == whole.lo() && b.0[1] == whole.hi())
        && c.arcs.windows(2).all(|pair| pair[0].0[1] == pair[1].0[0]);
    if !complete {
        return Err(cover("the arcs do not follow each other once round the circle"));
    }
    for (index, (ends, has_root)) in c.arcs.iter().enumerate() {
        let leaf = |proof| EnumerationError::Leaf { which: which(), index, proof };
        let arc = Interval::new(ends[0], ends[1]).filter(|_| ends[0] < ends[1]);
        let Some(arc) = arc else { return Err(leaf("be an arc")) };
        if *has_root {
            let Some(direction) = only_root(plane, larger(arc)) else { return Err(leaf("hold one root")) };
            let segment = Segment::on(plane, direction);
            let Some(at) =
                c.points.iter().position(|p| p.class == PointClass::Segment && segment.is_in_ball(p))
            else {
                return Err(leaf("hold a segment of the list"));
            };
            if !found.iter().any(|(other, _)| *other == at) {
                found.push((at, segment));
            }
        } else {
            let [g, derivative, _] = balance(plane, arc);
            let [at, _, _] = balance(plane, Interval::point(arc.middle()));
            if g.contains(0.0) && (at + derivative * (arc - arc.middle())).contains(0.0) {
                return Err(leaf("hold no root"));
            }
        }
    }
    Ok(found)
}

/// The root of `g` on an arc by Newton's operator, if there is exactly one.
fn only_root(plane: &Plane, arc: Interval) -> Option<Interval> {
    let image = |arc: Interval| {
        let [at, _, _] = balance(plane, Interval::point(arc.middle()));
        let [_, derivative, _] = balance(plane, arc);
        (!derivative.contains(0.0)).then(|| Interval::point(arc.middle()) - at / derivative)
    };
    let mut root = image(arc).filter(|x| arc.lo() < x.lo() && x.hi() < arc.hi())?;
    for _ in 0..8 {
        root = image(root).map_or(root, |x| x.intersection(root));
    }
    (!root.is_empty()).then_some(root)
}

/// One end of each segment, and both students zero, each with a direction that descends; stationary are only the ends of the segment
/// of parallel teachers.
fn vanished(
    c: &EnumerationCertificate,
    plane: &Plane,
    segments: &[(usize, Segment)],
) -> Result<(), EnumerationError> {
    let parallel = plane.arrangement() == Arrangement::Parallel;
    let of = |at: Option<usize>| c.vanished.iter().filter(move |p| p.segment == at);
    let once = segments.iter().all(|(at, _)| of(Some(*at)).count() == 1) && of(None).count() == 1;
    let on_list = c.points.iter().filter(|p| p.class.dimension() > 0).count();
    if !once || c.vanished.len() != segments.len() + 1 || on_list != segments.len() {
        return Err(list("every segment and its end, and both students zero, have to be on it once"));
    }
    for p in &c.vanished {
        let student = p.segment.and_then(|at| segments.iter().find(|(n, _)| *n == at));
        let descends = |direction: f64| {
            let e = Interval::point(direction);
            let (along, length) =
                student.map_or((Interval::ZERO, Interval::ZERO), |(_, s)| (s.direction, s.length));
            slope(plane, e, along, length).is_certainly_negative()
        };
        let holds = match p.direction {
            Some(direction) => direction.is_finite() && descends(direction),
            None => parallel && student.is_some(),
        };
        if !holds {
            return Err(list("the loss is not seen to descend from a point with a zero student"));
        }
    }
    Ok(())
}
