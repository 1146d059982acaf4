//! Certificates of critical points, and their check without a search.
//!
//! A certificate holds what a search found: centers, radii, groups of students. The check takes them as they are. It evaluates gradient
//! and Hessian over the stored balls and applies (V.5)-(V.12) of docs/theory/certified_points.md to them anew; eigenvectors serve as
//! a frame in which the bounds are narrow, and a bad frame makes the check fail.

use super::error::{PointError, PointReason};
use super::exact::Likeness;
use super::existence::{Found, around};
use super::index::smallest_eigenvalue;
use super::merge::Merged;
use super::newton::eigenbasis;
use super::symmetric::{Structure, Symmetric};
use super::{PointProblem, PointReport, PointSetting, PointStatus};
use crate::Interval;
use crate::enclosed_matrix::{EnclosedMatrix, norm_up, raised};
use crate::landscape::Landscape;
use popgrad::{Kind, Matrix};
use thiserror::Error;

/// Stored numbers are wider than found ones by this share, so that sums in another order do not matter.
const SLACK: f64 = 0.01;
/// Entries of a center that differ by less than this belong to one orbit of its symmetry.
const SAME_ENTRY: f64 = 1e-14;

/// What is claimed about one critical point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointClaim {
    /// The double-precision point next to which it lies.
    pub center: Matrix,
    /// Students that share a direction exactly.
    pub coincident: Vec<Vec<usize>>,
    /// Sizes of the classes of axes that are permuted, if the proof is in the subspace that permutations fix; empty otherwise.
    pub symmetry: Vec<usize>,
    /// Upper bound of the distance from the center, after merging.
    pub radius: f64,
    /// No other critical point is within this distance, modulo the manifold, after merging.
    pub unique_radius: f64,
    /// Enclosure of the loss.
    pub loss: Interval,
    /// Enclosure of the smallest eigenvalue, those left out that the manifold forces to zero.
    pub lambda_min: Interval,
    /// Number of negative eigenvalues, if it is claimed.
    pub index: Option<usize>,
    /// Number of zero eigenvalues, if it is claimed.
    pub nullity: Option<usize>,
    /// Dimension of the manifold of critical points, if it is claimed.
    pub manifold_dimension: Option<usize>,
    /// Whether the students are the teacher, each teacher one or shared out.
    pub is_teacher: bool,
}

/// Critical points of one problem, claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct PointsCertificate {
    /// The teacher.
    pub teacher: Matrix,
    /// Its output weights.
    pub teacher_output: Vec<f64>,
    /// The students' output weights.
    pub student_output: Vec<f64>,
    /// What the problem has beside ReLU units and white input.
    pub setting: PointSetting,
    /// The points.
    pub points: Vec<PointClaim>,
}

/// Why a certificate of critical points proves nothing.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PointClaimError {
    /// The problem is none.
    #[error(transparent)]
    Problem(#[from] PointError),
    /// The stored center is no point of the problem.
    #[error("point {point}: {error}")]
    Center {
        /// Position, from 0.
        point: usize,
        /// What is wrong with it.
        error: PointError,
    },
    /// The stored ball is not seen to hold a critical point.
    #[error("point {point}: {reason}")]
    NotProved {
        /// Position, from 0.
        point: usize,
        /// Why.
        reason: PointReason,
    },
    /// A claim is more than what is found, or something else.
    #[error("point {point}: the {what} is claimed to be {claimed}, and {found} is found")]
    Differs {
        /// Position, from 0.
        point: usize,
        /// Which claim.
        what: &'static str,
        /// What the certificate says.
        claimed: String,
        /// What the check finds.
        found: String,
    },
}

impl PointClaimError {
    /// The kind of this failure: a problem that is none is bad input, a claim that does not hold is not.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Problem(error) => error.kind(),
            _ => Kind::NotConverged,
        }
    }
}

impl PointProblem {
    /// The certificate of points that were certified for this problem; none if one of the reports is not that of a certified point,
    /// or does not pass its own check.
    pub fn certificate(&self, reports: &[PointReport]) -> Option<PointsCertificate> {
        let points: Option<Vec<PointClaim>> = reports.iter().map(|report| self.claim(report)).collect();
        Some(PointsCertificate {
            teacher: self.landscape.teacher().to_matrix(),
            teacher_output: self.landscape.teacher_output().to_vec(),
            student_output: self.landscape.student_output().to_vec(),
            setting: self.landscape.setting().clone(),
            points: points?,
        })
    }

    /// A report as a claim: what its own check finds, made a little wider.
    pub(crate) fn claim(&self, report: &PointReport) -> Option<PointClaim> {
        if report.status != PointStatus::Certified {
            return None;
        }
        let mut claim = PointClaim {
            center: report.center.clone()?,
            coincident: report.coincident.clone(),
            symmetry: report.symmetry.clone(),
            radius: 0.0,
            unique_radius: report.unique_radius?,
            loss: Interval::ENTIRE,
            lambda_min: Interval::ENTIRE,
            index: None,
            nullity: None,
            manifold_dimension: None,
            is_teacher: false,
        };
        let found = self.established(&claim).ok()?;
        claim.radius = raised(found.radius * (1.0 + SLACK), 4);
        claim.loss = if found.is_teacher { Interval::ZERO } else { wider(found.loss) };
        claim.lambda_min = wider(found.lambda_min);
        (claim.index, claim.nullity) = (found.index, found.nullity);
        (claim.manifold_dimension, claim.is_teacher) = (found.manifold_dimension, found.is_teacher);
        (claim.radius < claim.unique_radius).then_some(claim)
    }

    /// What holds about the critical point in the stored ball.
    fn established(&self, claim: &PointClaim) -> Result<Established, PointReason> {
        if claim.symmetry.is_empty() { self.by_hessian(claim) } else { self.by_orbits(claim) }
    }

    fn by_hessian(&self, claim: &PointClaim) -> Result<Established, PointReason> {
        let merged = Merged::grouped(&self.landscape, claim.center.view(), &claim.coincident);
        let gauge = self.complement.gauge(merged.start.view());
        let forced = gauge.dimension();
        let n = merged.start.as_slice().len();
        let mut frame = eigenbasis(&merged.landscape, merged.start.view(), forced)?;
        let tangents = gauge.actions(&around(&merged.start, 0.0));
        frame.iter_mut().zip(tangents.iter().flatten()).for_each(|(x, t)| *x = t.middle());
        let ball = Ball {
            gradient: merged.landscape.gradient(&around(&merged.start, 0.0))?,
            unique: claim.unique_radius,
            forced,
            frame: &frame,
        };
        let radius = ball.zero(|radius| {
            let over = around(&merged.start, radius);
            Ok(EnclosedMatrix::from_intervals(n, n, &merged.landscape.hessian(&over)?))
        })?;
        if forced > 0 {
            // The gradient is orthogonal to the tangents anywhere; with the slice they have to span the space.
            let enclosure = around(&merged.start, radius);
            let mut rows: Vec<Interval> = gauge.actions(&enclosure).concat();
            rows.extend(frame[forced * n..].iter().map(|x| Interval::point(*x)));
            let product = EnclosedMatrix::from_intervals(n, n, &rows).transposed().times_left(&frame);
            let defect = product.distance_from_identity(&vec![1.0; n]);
            if defect.is_nan() || defect >= 0.9 {
                return Err(PointReason::NotTransversal { defect });
            }
        }
        let found = Found { center: merged.start.clone(), radius, unique_radius: claim.unique_radius };
        let (center, enclosure) = merged.split(&found);
        let forced = forced + merged.dimension();
        if merged.dimension() > 0 {
            frame = eigenbasis(&self.landscape, center.view(), forced)?;
        }
        let signs = Signs::of(&self.landscape, &enclosure, &frame, forced)?;
        let moved = gauge.dimension() > 0;
        let likeness = if moved { Likeness::Unknown } else { Likeness::of(&merged.landscape, &found) };
        let is_teacher = likeness == Likeness::Teacher;
        let split = merged.dimension() * center.cols();
        let known = likeness != Likeness::Unknown && signs.negative == 0 && signs.open + forced == split;
        let nullity = if signs.open == 0 { Some(forced) } else { known.then_some(split) };
        let index = if signs.open == 0 { Some(signs.negative) } else { (is_teacher || known).then_some(0) };
        let loss = if is_teacher { Interval::ZERO } else { loss(&self.landscape, &center, &enclosure) };
        Ok(Established {
            radius,
            loss,
            lambda_min: signs.smallest,
            index,
            nullity,
            manifold_dimension: nullity.map(|_| forced),
            is_teacher,
        })
    }

    fn by_orbits(&self, claim: &PointClaim) -> Result<Established, PointReason> {
        let size = claim.center.as_slice().iter().fold(1.0_f64, |m, x| m.max(x.abs()));
        let setting = self.landscape.setting();
        if setting.covariance.is_some() || setting.pushes() {
            return Err(PointReason::NotSymmetric);
        }
        let structure = Structure::of(&self.landscape, claim.center.view(), SAME_ENTRY * size)
            .filter(|s| s.classes() == claim.symmetry)
            .ok_or(PointReason::NotSymmetric)?;
        let symmetric = Symmetric { landscape: &self.landscape, structure: &structure };
        let (radius, enclosure) = symmetric.zero_in(claim.center.view(), claim.unique_radius)?;
        let spectrum = symmetric.spectrum(&enclosure)?;
        Ok(Established {
            radius,
            loss: loss(&self.landscape, &claim.center, &enclosure),
            lambda_min: spectrum.smallest,
            index: spectrum.index,
            nullity: spectrum.index.map(|_| 0),
            manifold_dimension: spectrum.index.map(|_| 0),
            is_teacher: false,
        })
    }

    /// Checks one claim.
    pub(crate) fn check(&self, point: usize, claim: &PointClaim) -> Result<(), PointClaimError> {
        self.admissible(claim).map_err(|error| PointClaimError::Center { point, error })?;
        let found = self.established(claim).map_err(|reason| PointClaimError::NotProved { point, reason })?;
        let differs = |what, claimed: String, found: String| {
            Err(PointClaimError::Differs { point, what, claimed, found })
        };
        if !(found.radius <= claim.radius && claim.radius < claim.unique_radius) {
            return differs("radius", format!("{:e}", claim.radius), format!("{:e}", found.radius));
        }
        if !claim.loss.encloses(found.loss) {
            return differs("loss", format!("{:?}", claim.loss), format!("{:?}", found.loss));
        }
        if !claim.lambda_min.encloses(found.lambda_min) {
            let [claimed, found] = [claim.lambda_min, found.lambda_min].map(|x| format!("{x:?}"));
            return differs("smallest eigenvalue", claimed, found);
        }
        let shown = |x: Option<usize>| x.map_or_else(|| "open".to_owned(), |x| x.to_string());
        for (what, claimed, found) in [
            ("index", claim.index, found.index),
            ("nullity", claim.nullity, found.nullity),
            ("dimension of the manifold", claim.manifold_dimension, found.manifold_dimension),
            ("teacher's mark", Some(usize::from(claim.is_teacher)), Some(usize::from(found.is_teacher))),
        ] {
            if claimed != found {
                return differs(what, shown(claimed), shown(found));
            }
        }
        Ok(())
    }

    /// Whether a claim is about a point of this problem, with groups that are groups.
    fn admissible(&self, claim: &PointClaim) -> Result<(), PointError> {
        let options = super::PointOptions { radius: Some(claim.unique_radius), ..Default::default() };
        self.admits(claim.center.view(), &options)?;
        let mut members: Vec<usize> = claim.coincident.concat();
        members.sort_unstable();
        let repeated = members.windows(2).any(|pair| pair[0] == pair[1]);
        let beyond = members.last().is_some_and(|j| *j >= claim.center.rows());
        let output = self.landscape.student_output();
        let signs =
            |group: &Vec<usize>| group.iter().all(|j| output[*j].signum() == output[group[0]].signum());
        if repeated || beyond || !claim.coincident.iter().all(|g| g.len() > 1 && signs(g)) {
            return Err(PointError::Groups);
        }
        Ok(())
    }
}

/// What the check finds.
struct Established {
    radius: f64,
    loss: Interval,
    lambda_min: Interval,
    index: Option<usize>,
    nullity: Option<usize>,
    manifold_dimension: Option<usize>,
    is_teacher: bool,
}

fn wider(x: Interval) -> Interval {
    let more = raised(SLACK * x.width(), 1);
    x + Interval::ball(0.0, more)
}

/// The loss at the critical point in a box: at the center, plus the gradient over the box times the way.
fn loss(landscape: &Landscape, center: &Matrix, enclosure: &[Interval]) -> Interval {
    let at: Vec<Interval> = center.as_slice().iter().map(|x| Interval::point(*x)).collect();
    let (Ok(value), Ok(gradient)) = (landscape.loss(&at), landscape.gradient(enclosure)) else {
        return Interval::ENTIRE;
    };
    let ways = gradient.iter().zip(enclosure.iter().zip(&at));
    let not_negative = Interval::new(0.0, f64::INFINITY).unwrap_or(Interval::ENTIRE);
    (value + Interval::sum(ways.map(|(g, (x, m))| *g * (*x - *m)))).intersection(not_negative)
}

/// A ball that is to hold one zero of the gradient on a slice.
pub(super) struct Ball<'a> {
    pub(super) gradient: Vec<Interval>,
    pub(super) unique: f64,
    /// Rows of the frame that are tangents.
    pub(super) forced: usize,
    pub(super) frame: &'a [f64],
}

impl Ball<'_> {
    /// (V.6) with the stored radius: the distance within which the zero lies.
    pub(super) fn zero(
        &self,
        hessian: impl Fn(f64) -> Result<EnclosedMatrix, PointReason>,
    ) -> Result<f64, PointReason> {
        let n = self.gradient.len();
        let slice = &self.frame[self.forced * n..];
        let gram = EnclosedMatrix::exact(n, n, self.frame.to_vec()).transposed().times_left(self.frame);
        let skew = gram.distance_from_identity(&vec![1.0; n]);
        let failed = |residual: f64, factor: f64| PointReason::NoContraction {
            residual,
            factor,
            near_zero: 0,
            explained: self.forced,
        };
        if skew.is_nan() || skew >= 0.1 {
            return Err(failed(f64::NAN, f64::INFINITY));
        }
        let ball = raised(self.unique * (1.0 + 3.0 * skew), 4);
        let turned = hessian(raised(ball * (1.0 + skew), 4))?.congruent(slice);
        let steps: Vec<f64> = (0..n - self.forced).map(|i| 1.0 / turned.entry(i, i).middle()).collect();
        let factor = turned.distance_from_identity(&steps);
        let along = EnclosedMatrix::from_intervals(n, 1, &self.gradient).times_left(slice);
        let parts = steps.iter().enumerate().map(|(i, s)| raised(along.entry(i, 0).magnitude() * s.abs(), 1));
        let residual = norm_up(&parts.collect::<Vec<f64>>());
        if !(factor < 1.0 && raised(residual + factor * ball, 4) < ball) {
            return Err(failed(residual, factor));
        }
        let margin = 1.0 - raised(factor, 1);
        if margin > 0.0 {
            Ok(raised(residual / margin * (1.0 + skew), 8))
        } else {
            Err(failed(residual, factor))
        }
    }
}

/// Signs of the eigenvalues over a box.
struct Signs {
    negative: usize,
    open: usize,
    smallest: Interval,
}

impl Signs {
    /// (V.9), (V.10): discs apart from zero across the manifold, whose tangents come first in the frame.
    fn of(
        landscape: &Landscape,
        enclosure: &[Interval],
        frame: &[f64],
        forced: usize,
    ) -> Result<Self, PointReason> {
        let n = enclosure.len();
        let turned = EnclosedMatrix::from_intervals(n, n, &landscape.hessian(enclosure)?).congruent(frame);
        let gram = EnclosedMatrix::exact(n, n, frame.to_vec()).transposed().times_left(frame);
        let skew = gram.distance_from_identity(&vec![1.0; n]);
        let (whole, across) = (turned.discs(), turned.trailing(forced).discs());
        let (mut negative, mut open) = (0, 0);
        for disc in &across {
            negative += usize::from(disc.is_certainly_negative());
            open += usize::from(disc.contains(0.0) || !disc.is_bounded());
        }
        if skew.is_nan() || skew >= 0.5 {
            (negative, open) = (0, across.len());
        }
        let smallest = if open == 0 && negative == 0 {
            smallest_eigenvalue(&whole, &across, skew)
        } else {
            smallest_eigenvalue(&whole, &whole, skew)
        };
        Ok(Self { negative, open, smallest })
    }
}

/// Verifies a certificate of critical points without searching: every stored ball is evaluated once.
///
/// # Errors
///
/// [`PointClaimError`] with the first point that fails.
///
/// # Examples
///
/// ```
/// use popgrad::Matrix;
/// use popgrad_proof::{PointOptions, PointProblem, check_points};
/// let problem = PointProblem::try_new(Matrix::identity(2, 2), vec![1.0; 2], vec![1.0; 2])?;
/// let report = problem.certify(Matrix::identity(2, 2).view(), PointOptions::default())?;
/// let mut certificate = problem.certificate(&[report]).unwrap();
/// assert_eq!(check_points(&certificate).unwrap(), 1);
/// certificate.points[0].index = Some(1);
/// let error = check_points(&certificate).unwrap_err().to_string();
/// assert_eq!(error, "point 0: the index is claimed to be 1, and 0 is found");
/// # Ok::<(), popgrad_proof::PointError>(())
/// ```
pub fn check_points(certificate: &PointsCertificate) -> Result<usize, PointClaimError> {
    let PointsCertificate { teacher, teacher_output, student_output, setting, points } = certificate;
    let problem = PointProblem::try_new(teacher.clone(), teacher_output.clone(), student_output.clone())?
        .with_setting(setting.clone())?;
    for (point, claim) in points.iter().enumerate() {
        problem.check(point, claim)?;
    }
    Ok(points.len())
}
