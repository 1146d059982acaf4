//! Critical points near given ones: existence, local uniqueness, loss, index, certified.
//!
//! docs/theory/certified_points.md. A given point is a guess. Newton's method moves it to a better guess, and around that
//! one a ball is shown to hold exactly one zero of the gradient ([`existence`]); where rotations move the point, on a slice
//! across their orbit ([`gauge`]); where students share a direction, for the problem in which they are one ([`merge`]). The
//! Hessian over the ball gives the index ([`index`]). Large points that permutations of the axes leave alone are reduced to the
//! subspace that these fix ([`symmetric`]).

mod claim;
mod error;
mod exact;
mod existence;
mod gauge;
mod index;
mod merge;
mod newton;
mod report;
mod symmetric;

pub use claim::{PointClaim, PointClaimError, PointsCertificate, check_points};
pub use error::{PointError, PointReason};
pub(crate) use exact::same_direction;
pub use report::{Claim, PointOptions, PointReport, PointStatus};

use crate::Interval;
use crate::environment::check_environment;
use crate::landscape::Landscape;
pub use crate::landscape::{PointSetting, PointSkip};
use existence::{Existence, Found};
use gauge::Complement;
use index::Spectrum;
use merge::Merged;
use newton::Guess;
use popgrad::{Matrix, MatrixView};
use report::Kind;
use symmetric::{Structure, Symmetric};

/// Bytes that the matrices of a point of `n` numbers take, for each of the `n^2` entries.
const BYTES_PER_ENTRY: u128 = 160;
/// Points of more numbers than this are first looked at for symmetry.
const SYMMETRIC_ABOVE: usize = 150;

/// A two-layer problem whose critical points are to be certified: teacher and output weights, taken exactly.
///
/// ```
/// use popgrad::Matrix;
/// use popgrad_proof::{PointOptions, PointProblem, PointStatus};
/// let problem = PointProblem::try_new(Matrix::identity(2, 2), vec![1.0; 2], vec![1.0; 2])?;
/// let report = problem.certify(Matrix::identity(2, 2).view(), PointOptions::default())?;
/// assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)));
/// assert!(report.lambda_min.unwrap().contains(0.25 - 1.0 / std::f64::consts::TAU));
/// # Ok::<(), popgrad_proof::PointError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PointProblem {
    landscape: Landscape,
    complement: Complement,
}

impl PointProblem {
    /// A problem with teacher `V` (`M x d`), its output weights `b` (`M`) and the students' output weights `a` (`K`).
    ///
    /// # Errors
    ///
    /// [`PointError`] if a length does not fit, an entry is not finite, or an output weight of a student is zero.
    pub fn try_new(
        teacher: Matrix,
        teacher_output: Vec<f64>,
        student_output: Vec<f64>,
    ) -> Result<Self, PointError> {
        check_environment()?;
        error::check_entries("the teacher", teacher.view())?;
        let expected = [
            (&teacher_output, "teacher_output", teacher.rows()),
            (&student_output, "student_output", student_output.len().max(1)),
        ];
        for (list, name, want) in expected {
            if list.len() != want {
                return Err(PointError::Length { name, got: list.len(), want });
            }
            if let Some((index, value)) = list.iter().copied().enumerate().find(|(_, x)| !x.is_finite()) {
                return Err(PointError::Output { name, index, value });
            }
        }
        if let Some(index) = student_output.iter().position(|a| *a == 0.0) {
            return Err(PointError::Output { name: "student_output", index, value: 0.0 });
        }
        let complement = Complement::of(teacher.view());
        Ok(Self { landscape: Landscape::new(teacher, teacher_output, student_output), complement })
    }

    /// The same problem with a leaky slope, a linear skip or a covariance, by their exact reductions.
    ///
    /// Under a covariance, or with fixed skips that differ, points that rotations move are not put on a slice, and no
    /// permutations are looked for.
    ///
    /// Source: docs/theory/certified_points.md, (V.18), (V.19).
    ///
    /// # Errors
    ///
    /// [`PointError`] if a length does not fit, a number is not finite, or the covariance is not symmetric and certainly positive
    /// definite.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::Matrix;
    /// use popgrad_proof::{PointOptions, PointProblem, PointSetting};
    /// let teacher = Matrix::identity(2, 2);
    /// let setting = PointSetting { leaky: 0.25, ..PointSetting::default() };
    /// let problem = PointProblem::try_new(teacher.clone(), vec![1.0; 2], vec![1.0; 2])?.with_setting(setting)?;
    /// assert_eq!(problem.certify(teacher.view(), PointOptions::default())?.index, Some(0));
    /// # Ok::<(), popgrad_proof::PointError>(())
    /// ```
    pub fn with_setting(self, setting: PointSetting) -> Result<Self, PointError> {
        let teacher = self.landscape.teacher();
        let mut fixed: Vec<Vec<f64>> = (0..teacher.rows()).map(|m| teacher.row(m).to_vec()).collect();
        if let (PointSkip::Fixed { student, teacher }, true) = (&setting.skip, setting.pushes()) {
            fixed.extend([student, teacher].into_iter().filter(|c| c.iter().any(|x| *x != 0.0)).cloned());
        }
        let landscape = self.landscape.with_setting(setting)?;
        let complement = match (&landscape.setting().covariance, Matrix::try_from_rows(&fixed)) {
            (None, Ok(fixed)) => Complement::of(fixed.view()),
            _ => Complement::none(),
        };
        Ok(Self { landscape, complement })
    }

    /// Certifies, refutes or leaves undecided that a critical point lies near `point` (`K x d`).
    ///
    /// ```text
    /// certified: exactly one W* with grad J(W*) = 0 and |W* - W_0| <= unique_radius, |W* - W_0| <= radius, |W* - point| <= options.radius
    /// refuted:   no W with grad J(W) = 0 and |W - point| <= options.radius
    /// ```
    ///
    /// Norms are Euclidean over all entries. On a manifold of critical points the uniqueness is meant modulo the manifold.
    ///
    /// Source: docs/theory/certified_points.md, (V.5)-(V.15).
    ///
    /// # Errors
    ///
    /// [`PointError`] for input that is no point of this problem: wrong shape, an entry that is not finite, a student that
    /// is zero, where the loss has no gradient.
    pub fn certify(&self, point: MatrixView<'_>, options: PointOptions) -> Result<PointReport, PointError> {
        self.admits(point, &options)?;
        let radius = options.radius.unwrap_or_else(|| report::default_radius(point));
        let setting = self.landscape.setting();
        let permuted = setting.covariance.is_none() && !setting.pushes();
        let symmetric = (permuted && point.as_slice().len() > SYMMETRIC_ABOVE)
            .then(|| self.symmetric(point, radius, options.claim))
            .flatten();
        if let Some(Ok(report)) = &symmetric
            && report.index.is_some()
        {
            return Ok(report.clone());
        }
        let n = point.as_slice().len() as u128;
        let needed = BYTES_PER_ENTRY * n * n;
        if needed > u128::from(options.memory_limit) {
            return self.without_hessian(point, radius, symmetric, needed, options.memory_limit);
        }
        let mut reason = symmetric.as_ref().and_then(|s| s.as_ref().err().cloned());
        for merged in Merged::attempts(&self.landscape, point, radius) {
            match self.attempt(&merged, point, radius, options.claim) {
                Ok(report) => return Ok(report),
                Err(why) => reason = reason.or(Some(why)),
            }
        }
        // A critical point without an index is more than nothing.
        symmetric.and_then(Result::ok).map_or_else(|| Ok(self.without_point(point, radius, reason)), Ok)
    }

    /// Where the Hessian does not fit into memory: what the symmetry gave, or the signs of the gradient.
    fn without_hessian(
        &self,
        point: MatrixView<'_>,
        radius: f64,
        symmetric: Option<Result<PointReport, PointReason>>,
        needed: u128,
        limit: u64,
    ) -> Result<PointReport, PointError> {
        let reason = match symmetric {
            Some(Ok(report)) => return Ok(report),
            Some(Err(why)) => Some(why),
            None => None,
        };
        if let Some(why) = existence::gradient_keeps_sign(&self.landscape, point, radius) {
            return Ok(PointReport::nothing(PointStatus::Refuted, Some(why)));
        }
        match reason {
            Some(_) => Ok(PointReport::nothing(PointStatus::Undecided, reason)),
            None => Err(PointError::Memory { needed, limit }),
        }
    }

    fn admits(&self, point: MatrixView<'_>, options: &PointOptions) -> Result<(), PointError> {
        error::check_entries("the point", point)?;
        let (want, got) =
            ((self.landscape.students(), self.landscape.dimension()), (point.rows(), point.cols()));
        if want != got {
            return Err(PointError::Shape { got, want });
        }
        if let Some(student) = (0..got.0).find(|j| point.row(*j).iter().all(|x| *x == 0.0)) {
            return Err(PointError::ZeroStudent { student });
        }
        if let Some(radius) = options.radius.filter(|r| !(*r > 0.0 && r.is_finite())) {
            return Err(PointError::Radius { radius });
        }
        Ok(())
    }

    /// One way to see the point: with some students merged, or as it is.
    fn attempt(
        &self,
        merged: &Merged,
        point: MatrixView<'_>,
        radius: f64,
        claim: Claim,
    ) -> Result<PointReport, PointReason> {
        let guess = Guess::polished(&merged.landscape, merged.start.view(), 100.0 * radius)?;
        let gauge = self.complement.gauge(guess.weights.view());
        let (found, basis) =
            Existence { landscape: &merged.landscape, guess: &guess, gauge: &gauge }.prove()?;
        let (center, enclosure) = merged.split(&found);
        let distance = report::within(point, &enclosure, radius)?;
        let forced = gauge.dimension() + merged.dimension();
        let basis = if merged.dimension() == 0 {
            basis
        } else {
            newton::eigenbasis(&self.landscape, center.view(), forced)?
        };
        let spectrum = Spectrum::certified(&self.landscape, &enclosure, &basis, forced)?;
        let kind = merged.kind(&found, &gauge);
        let certified = Certified {
            found,
            center,
            enclosure,
            distance,
            spectrum,
            forced,
            kind,
            coincident: merged.groups(),
            symmetry: Vec::new(),
        };
        Ok(self.report(certified, claim))
    }

    /// The point as one that permutations of the axes fix; none if it is not of that kind. A tolerance that takes different
    /// values for one sees too large a group, so smaller ones follow.
    fn symmetric(
        &self,
        point: MatrixView<'_>,
        radius: f64,
        claim: Claim,
    ) -> Option<Result<PointReport, PointReason>> {
        let tolerances = [2.0, 2e-2, 2e-4].map(|share| share * radius);
        let mut tried: Vec<Structure> = Vec::new();
        let mut outcome = None;
        for structure in tolerances.iter().filter_map(|t| Structure::of(&self.landscape, point, *t)) {
            if !tried.contains(&structure) {
                let result = self.symmetric_with(&structure, point, radius, claim);
                if result.is_ok() {
                    return Some(result);
                }
                outcome = outcome.or(Some(result));
                tried.push(structure);
            }
        }
        outcome
    }

    fn symmetric_with(
        &self,
        structure: &Structure,
        point: MatrixView<'_>,
        radius: f64,
        claim: Claim,
    ) -> Result<PointReport, PointReason> {
        let symmetric = Symmetric { landscape: &self.landscape, structure };
        let (found, enclosure) = symmetric.prove(point)?;
        let distance = report::within(point, &enclosure, radius)?;
        let spectrum = symmetric.spectrum(&enclosure)?;
        let certified = Certified {
            center: found.center.clone(),
            found,
            enclosure,
            distance,
            spectrum,
            forced: 0,
            kind: Kind::default(),
            coincident: Vec::new(),
            symmetry: structure.classes(),
        };
        Ok(self.report(certified, claim))
    }

    fn report(&self, c: Certified, claim: Claim) -> PointReport {
        let loss = self.loss(&c);
        let (status, reason) = report::judge(claim, &c.spectrum, c.kind);
        let zero = c.kind.is_teacher();
        let not_negative = Interval::new(0.0, f64::INFINITY).unwrap_or(Interval::ENTIRE);
        let nullity = c.kind.nullity(&c.spectrum);
        let lambda = c.spectrum.smallest;
        let index = c.kind.index(&c.spectrum);
        PointReport {
            status,
            reason,
            radius: Some(c.found.radius),
            unique_radius: Some(c.found.unique_radius),
            distance: Some(c.distance.hi()),
            loss: Some(if zero { Interval::ZERO } else { loss }),
            lambda_min: Some(if zero { lambda.intersection(not_negative) } else { lambda }),
            index,
            nullity,
            certain_signs: Some(c.spectrum.certain),
            manifold_dimension: index.filter(|_| nullity.is_some()).map(|_| c.forced),
            is_teacher: zero,
            coincident: c.coincident,
            symmetry: c.symmetry,
            center: Some(c.center),
        }
    }

    /// The loss at the critical point: at the center, where rounding is all that counts, plus the change up to the point.
    fn loss(&self, c: &Certified) -> Interval {
        let center: Vec<Interval> = c.center.as_slice().iter().map(|x| Interval::point(*x)).collect();
        let over = |w: &[Interval]| self.landscape.loss(w).unwrap_or(Interval::ENTIRE);
        let whole = over(&c.enclosure);
        // J(W*) = J(W_0) + grad J(W).(W* - W_0) for some W between the two, and W is in the enclosure.
        let Ok(gradient) = self.landscape.gradient(&c.enclosure) else { return whole };
        let offsets = c.enclosure.iter().zip(&center).map(|(x, m)| *x - *m);
        let change = Interval::sum(gradient.iter().zip(offsets).map(|(g, d)| *g * d));
        (over(&center) + change).intersection(whole)
    }

    /// No critical point was certified: the ball is shown to hold none, or nothing is said.
    fn without_point(&self, point: MatrixView<'_>, radius: f64, reason: Option<PointReason>) -> PointReport {
        let refuted = existence::excluded(&self.landscape, point, radius);
        let (status, reason) = match refuted {
            Some(why) => (PointStatus::Refuted, Some(why)),
            None => (PointStatus::Undecided, reason),
        };
        PointReport::nothing(status, reason)
    }
}

/// What an attempt has established.
struct Certified {
    found: Found,
    center: Matrix,
    enclosure: Vec<Interval>,
    distance: Interval,
    spectrum: Spectrum,
    forced: usize,
    kind: Kind,
    coincident: Vec<Vec<usize>>,
    symmetry: Vec<usize>,
}
