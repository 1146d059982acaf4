//! All critical points of two students in the plane of two teachers, complete: every box is excluded or certified.
//!
//! docs/theory/enumeration.md. Two students at the angle `theta` that are not collinear, or antiparallel, are critical in the
//! plane exactly if `f1 = f2 = 0` ((E.1)) and both lengths are positive. By Conjecture 1 one teacher lies strictly inside their
//! cone and one outside, or the point is the global minimum; so the unknowns are `theta` and the place `u` of the inner
//! teacher in the cone, in the rectangle `(0, pi] x [0, 1]`, once for each teacher. Small `theta` are excluded by the divided
//! forms of Conjecture 1 ([`small_angle`]), the rest by a branch and prune ([`search`]). Students of one direction are
//! segments of critical points, the roots of a function of one variable ([`collinear`]).
//!
//! Collinear teachers are taken if they are so exactly. Parallel ones leave the students no choice but to share them out;
//! of opposite ones both may be near the rays of a narrow cone, which takes divided forms of its own ([`opposite`]).
//!
//! Points where a student is zero have no gradient. Those at which the other student is critical are the ends of the segments, and
//! for each it is certified whether some direction of the vanished student descends from it ([`vanished`]).

mod certificate;
mod check;
mod circle;
mod collinear;
mod fold;
mod fold_check;
mod judge;
mod opposite;
mod plane;
mod search;
mod small_angle;
mod system;
mod vanished;

pub use certificate::{BoxProof, Boxes, EnumerationCertificate, ListedPoint, ListedVanished};
pub use check::{CheckedEnumeration, EnumerationError, check_enumeration};
pub use fold::{Fold, certify_fold, certify_threshold};
pub use fold_check::{FoldCertificate, FoldError, check_fold};
pub use vanished::{Descent, VanishedPoint};

use crate::Interval;
use crate::environment::{EnvironmentError, check_environment};
use crate::points::{PointError, PointReport, PointStatus};
use judge::Judge;
use plane::{Arrangement, Plane};
use popgrad::{Kind, Matrix, MatrixView};
use search::Search;
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
    /// A teacher is zero.
    #[error("teacher {teacher} is zero; an enumeration needs two teachers that are not")]
    ZeroTeacher {
        /// The teacher, from 0.
        teacher: usize,
    },
    /// The teachers are as good as collinear, but not exactly.
    #[error(
        "the teachers are collinear up to rounding but not exactly: the sine of their angle is about {sine:e}; write one \
         as the exact multiple of the other, for instance both along an axis, or raise the angle"
    )]
    NearlyCollinear {
        /// Sine of the angle.
        sine: f64,
    },
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
    /// The same with parallel teachers: the students share them out in any way, and the loss is zero.
    GlobalSegment,
}

impl PointClass {
    /// The word for files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Isolated => "isolated",
            Self::Segment => "segment",
            Self::GlobalSegment => "global segment",
        }
    }

    /// Dimension of the manifold of critical points.
    pub fn dimension(self) -> usize {
        usize::from(matches!(self, Self::Segment | Self::GlobalSegment))
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
    /// Position on the list of the mirror image in the bisector of the teachers, where these have one length up to rounding, or
    /// in their line, where they are collinear.
    /// It is recognised in floating point, to help a reader; nothing rests on it.
    pub mirror: Option<usize>,
}

/// The critical points of a teacher in its plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// The teacher that the list is about. Rows that rounding alone keeps from lying on one axis are put on it.
    pub teacher: Matrix,
    /// The points, by rising loss.
    pub points: Vec<EnumeratedPoint>,
    /// The points at which a student is zero and the other critical: ends of the segments, one of each, and both students zero.
    pub vanished: Vec<VanishedPoint>,
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
    searches: Vec<Search>,
}

impl EnumerationSearch {
    /// The search for a teacher of two vectors in the plane.
    ///
    /// # Errors
    ///
    /// [`EnumerateError`] if the teacher has another shape, an entry that is not finite, a row of zeros, or rows that are collinear up
    /// to rounding but not exactly.
    pub fn try_new(teacher: MatrixView<'_>) -> Result<Self, EnumerateError> {
        Self::admits(teacher)?;
        let teacher = plane::on_axis(teacher);
        let plane = Self::exact_plane(teacher.view())?;
        let searches = match plane.arrangement() {
            Arrangement::Parallel => Vec::new(),
            _ => [0, 1].map(|inside| Search::new(plane.system(inside))).into(),
        };
        Ok(Self { teacher, plane, searches })
    }

    fn admits(teacher: MatrixView<'_>) -> Result<(), EnumerateError> {
        check_environment()?;
        let (rows, cols) = (teacher.rows(), teacher.cols());
        if (rows, cols) != (2, 2) {
            return Err(EnumerateError::Shape { rows, cols });
        }
        if let Some(at) = teacher.as_slice().iter().position(|x| !x.is_finite()) {
            let value = teacher.as_slice()[at];
            return Err(EnumerateError::NonFinite { row: at / 2, col: at % 2, value });
        }
        if let Some(teacher) = (0..2).find(|k| teacher.row(*k).iter().all(|x| *x == 0.0)) {
            return Err(EnumerateError::ZeroTeacher { teacher });
        }
        Ok(())
    }

    /// The plane of a teacher that is taken as it is.
    fn exact_plane(teacher: MatrixView<'_>) -> Result<Plane, EnumerateError> {
        Self::admits(teacher)?;
        Plane::new(teacher).ok_or_else(|| EnumerateError::NearlyCollinear { sine: plane::sine(teacher) })
    }

    /// Evaluates at most `budget` boxes; true when no box is left.
    pub fn advance(&mut self, budget: usize) -> bool {
        if let Some(next) = self.searches.iter_mut().find(|search| !search.is_done()) {
            next.advance(budget);
        }
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
    pub fn finish(self) -> Result<Enumeration, EnumerateError> {
        Ok(self.finish_with_certificate()?.0)
    }

    /// The same, and the certificate if the list is complete.
    ///
    /// # Errors
    ///
    /// As [`EnumerationSearch::finish`].
    pub fn finish_with_certificate(
        mut self,
    ) -> Result<(Enumeration, Option<EnumerationCertificate>), EnumerateError> {
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
        let segments = match self.plane.arrangement() {
            Arrangement::Parallel => collinear::shared_out(&self.plane),
            _ => collinear::directions(&self.plane),
        };
        undecided += segments.undecided;
        let mut vanished = Vec::with_capacity(segments.found.len() + 1);
        for segment in &segments.found {
            // The students of parallel teachers are on the list already.
            let at = if self.plane.arrangement() == Arrangement::Parallel { 0 } else { points.len() };
            if at == points.len() {
                points.push(judge.segment(segment)?);
            }
            let loss = points[at].in_plane.loss.unwrap_or(Interval::ENTIRE);
            vanished.push(VanishedPoint::end(&self.plane, segment, at, loss));
        }
        vanished.push(VanishedPoint::both(&self.plane));
        undecided += points.iter().filter(|p| p.in_plane.status != PointStatus::Certified).count();
        undecided += vanished.iter().filter(|p| p.stationary.is_none()).count();
        let small_angle = self.searches.iter().map(Search::first_angle).fold(f64::INFINITY, f64::min);
        let evaluations = self.evaluations();
        let mut found = Enumeration {
            teacher: self.teacher.clone(),
            points,
            vanished,
            undecided,
            evaluations,
            small_angle,
        };
        found.sort_by_loss();
        self.plane.mark_mirrors(&mut found);
        let certificate = certificate::of(&self.searches, &segments, &judge, &found);
        Ok((found, certificate))
    }
}

impl Enumeration {
    fn sort_by_loss(&mut self) {
        let loss = |p: &EnumeratedPoint| p.in_plane.loss.map_or(f64::INFINITY, Interval::middle);
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        order.sort_by(|i, j| loss(&self.points[*i]).total_cmp(&loss(&self.points[*j])));
        for p in &mut self.vanished {
            p.segment = p.segment.and_then(|at| order.iter().position(|i| *i == at));
        }
        self.points = order.into_iter().map(|i| self.points[i].clone()).collect();
    }
}
