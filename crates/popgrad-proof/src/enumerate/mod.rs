//! All critical points of two students in the plane of two teachers, complete: every box is excluded or certified.
//!
//! docs/theory/enumeration.md. Two students at the angle `theta` that are not collinear, or antiparallel, are critical in the
//! plane exactly if `f1 = f2 = 0` ((E.1)) and both lengths are positive. By Conjecture 1 one teacher lies strictly inside their
//! cone and one outside, or the point is the global minimum; so the unknowns are `theta` and the place `u` of the inner
//! teacher in the cone, in the rectangle `(0, pi] x [0, 1]`, once for each teacher. Small `theta` are excluded by the divided
//! forms of Conjecture 1 ([`small_angle`]), the rest by a branch and prune ([`search`]). Students of one direction are
//! segments of critical points, the roots of a function of one variable ([`collinear`]).
//!
//! Points where a student is zero have no gradient. Those at which the other student is critical are the ends of the segments, and
//! it is certified where some direction of the vanished student descends from them.

mod circle;
mod collinear;
mod fold;
mod plane;
mod search;
mod small_angle;
mod system;

pub use fold::{Fold, certify_fold, certify_threshold};

use crate::Interval;
use crate::environment::{EnvironmentError, check_environment};
use crate::points::{PointError, PointOptions, PointProblem, PointReport, PointStatus};
use collinear::Segment;
use plane::Plane;
use popgrad::{Kind, Matrix, MatrixView};
use search::{Cell, Search};
use thiserror::Error;

/// Why the critical points of a teacher cannot be enumerated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EnumerateError {
    /// Floating-point arithmetic is not what intervals need.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The teacher is not two vectors of the plane.
    #[error("the teacher is {rows} x {cols}; an enumeration needs two teachers in the plane, 2 x 2")]
    Shape {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
    /// An entry is NaN or infinite.
    #[error("the teacher[{row}, {col}] = {value} is not finite")]
    NonFinite {
        /// Row of the first offending entry.
        row: usize,
        /// Its column.
        col: usize,
        /// Its value.
        value: f64,
    },
    /// The teachers are collinear, or one is zero.
    #[error(
        "the teachers are collinear or as good as collinear (or one is zero); an enumeration needs an angle between 0 and pi"
    )]
    Collinear,
    /// The two-layer problem was refused.
    #[error(transparent)]
    Point(#[from] PointError),
}

impl EnumerateError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Environment(error) => error.kind(),
            Self::Point(error) => error.kind(),
            _ => Kind::Input,
        }
    }
}

/// What a point of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointClass {
    /// The students are the teachers.
    Global,
    /// The students are not collinear, or antiparallel.
    Isolated,
    /// The students share a direction; only the sum of their lengths is fixed. A representative with equal lengths is given.
    Segment,
}

impl PointClass {
    /// The word for files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Isolated => "isolated",
            Self::Segment => "segment",
        }
    }
}

/// A critical point of the list, up to a permutation of the students.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumeratedPoint {
    /// What it is.
    pub class: PointClass,
    /// Enclosure of the angle between the students.
    pub theta: Interval,
    /// Teachers strictly inside the students' cone; none if that is not decided, as for antiparallel students.
    pub teachers_in_cone: Option<usize>,
    /// What is proved about it in the plane.
    pub in_plane: PointReport,
    /// Number of negative eigenvalues for each further input dimension.
    pub out_of_plane_index: Option<usize>,
    /// Of a segment: whether the loss certainly descends from its ends, where one student is zero, in some direction of it.
    pub ends_descend: Option<bool>,
    /// Position on the list of the mirror image in the bisector of the teachers, where these have one length up to rounding.
    /// It is recognised in floating point, to help a reader; nothing rests on it.
    pub mirror: Option<usize>,
}

/// The critical points of a teacher in its plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// The points, by rising loss.
    pub points: Vec<EnumeratedPoint>,
    /// Boxes that were neither excluded nor certified; the list is complete if there is none.
    pub undecided: usize,
    /// Boxes that were evaluated.
    pub evaluations: usize,
    /// Angles up to this one were excluded at once.
    pub small_angle: f64,
}

/// The search, to be advanced in pieces. Where it is cut changes nothing.
///
/// ```
/// use popgrad::Matrix;
/// use popgrad_proof::{EnumerationSearch, PointClass};
/// let mut search = EnumerationSearch::try_new(Matrix::identity(2, 2).view())?;
/// while !search.advance(1000) {}
/// let found = search.finish()?;
/// assert_eq!(found.undecided, 0);
/// assert_eq!(found.points[0].class, PointClass::Global);
/// # Ok::<(), popgrad_proof::EnumerateError>(())
/// ```
#[derive(Debug)]
pub struct EnumerationSearch {
    teacher: Matrix,
    plane: Plane,
    searches: [Search; 2],
}

impl EnumerationSearch {
    /// The search for a teacher of two vectors in the plane.
    ///
    /// # Errors
    ///
    /// [`EnumerateError`] if the teacher has another shape, an entry that is not finite, or collinear rows.
    pub fn try_new(teacher: MatrixView<'_>) -> Result<Self, EnumerateError> {
        check_environment()?;
        let (rows, cols) = (teacher.rows(), teacher.cols());
        if (rows, cols) != (2, 2) {
            return Err(EnumerateError::Shape { rows, cols });
        }
        if let Some(at) = teacher.as_slice().iter().position(|x| !x.is_finite()) {
            let value = teacher.as_slice()[at];
            return Err(EnumerateError::NonFinite { row: at / 2, col: at % 2, value });
        }
        let plane = Plane::new(teacher).ok_or(EnumerateError::Collinear)?;
        let searches = [0, 1].map(|inside| Search::new(plane.system(inside)));
        Ok(Self { teacher: teacher.to_matrix(), plane, searches })
    }

    /// Evaluates at most `budget` boxes; true when no box is left.
    pub fn advance(&mut self, budget: usize) -> bool {
        let [first, second] = &mut self.searches;
        let next = if first.is_done() { second } else { first };
        next.advance(budget);
        self.searches.iter().all(Search::is_done)
    }

    /// Boxes evaluated so far.
    pub fn evaluations(&self) -> usize {
        self.searches.iter().map(Search::evaluations).sum()
    }

    /// Finishes the search and certifies what it found.
    ///
    /// # Errors
    ///
    /// [`EnumerateError::Point`] if the two-layer problem refuses the teacher.
    pub fn finish(mut self) -> Result<Enumeration, EnumerateError> {
        while !self.advance(usize::MAX) {}
        let judge = Judge::new(&self.teacher)?;
        let mut undecided = self.searches.iter().map(Search::undecided).sum();
        let mut points = vec![judge.global(&self.plane)?];
        for (inside, search) in self.searches.iter().enumerate() {
            for root in search.roots() {
                match self.plane.critical_point(inside, &root.place) {
                    plane::Outcome::Point(weights) => {
                        undecided += usize::from(!judge.isolated(&root.place, &weights, &mut points)?);
                    }
                    plane::Outcome::None => {}
                    plane::Outcome::Open => undecided += 1,
                }
            }
        }
        let segments = collinear::directions(&self.plane);
        undecided += segments.undecided;
        for segment in &segments.found {
            points.push(judge.segment(segment)?);
        }
        undecided += points.iter().filter(|p| p.in_plane.status != PointStatus::Certified).count();
        let loss = |p: &EnumeratedPoint| p.in_plane.loss.map_or(f64::INFINITY, Interval::middle);
        points.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        self.plane.mark_mirrors(&mut points);
        let small_angle = self.searches.iter().map(Search::first_angle).fold(f64::INFINITY, f64::min);
        Ok(Enumeration { points, undecided, evaluations: self.evaluations(), small_angle })
    }
}

/// Certifies the points that a search found, in the plane and in space.
struct Judge {
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
    fn new(teacher: &Matrix) -> Result<Self, PointError> {
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

    fn global(&self, plane: &Plane) -> Result<EnumeratedPoint, PointError> {
        let (in_plane, out_of_plane_index) = self.certify(&self.teacher)?;
        Ok(EnumeratedPoint {
            class: PointClass::Global,
            theta: plane.angle(),
            teachers_in_cone: Some(0),
            in_plane,
            out_of_plane_index,
            ends_descend: None,
            mirror: None,
        })
    }

    /// Adds a root unless the list has it: antiparallel students are found once for each teacher. False if the certified ball
    /// was not seen to hold the point of the root.
    fn isolated(
        &self,
        root: &Cell,
        weights: &[Interval],
        points: &mut Vec<EnumeratedPoint>,
    ) -> Result<bool, PointError> {
        let middles = Matrix::try_new(2, 2, weights.iter().map(|x| x.middle()).collect())
            .unwrap_or_else(|_| self.teacher.clone());
        let (in_plane, out_of_plane_index) = self.certify(&middles)?;
        let same =
            |p: &EnumeratedPoint| p.class != PointClass::Segment && is_same_point(&p.in_plane, &in_plane);
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
            ends_descend: None,
            mirror: None,
        });
        Ok(known)
    }

    fn segment(&self, segment: &Segment) -> Result<EnumeratedPoint, PointError> {
        let (in_plane, out_of_plane_index) = self.certify(&segment.point)?;
        Ok(EnumeratedPoint {
            class: PointClass::Segment,
            theta: Interval::ZERO,
            teachers_in_cone: Some(0),
            in_plane,
            out_of_plane_index,
            ends_descend: Some(segment.ends_descend),
            mirror: None,
        })
    }
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
