//! What a critical point is: spectrum, index, nullity apart from the zeros that symmetry forces, place in space.

use super::CriticalError;
use super::cone_membership::{ConeMembership, count_in_cone};
use super::newton::scale_of_terms;
use super::past_hessian::descends_along_null_space;
use super::plain::Plain;
use super::plane::Plane;
use super::transversal::spectra;
use crate::vector::{dot, max_abs, norm};
use crate::{Blocks, Eigenspace, Matrix, MatrixView, Student, Trained, TwoLayer, symmetric_eigenvalues};

/// A gradient above this share of its terms is no critical point.
const CRITICAL: f64 = 1e-10;
/// A loss below this share of the square of its terms is zero: the rounding of the sum.
const ZERO_LOSS: f64 = 1e-15;
/// Students closer in direction than this (radians) share it: a split unit's ends are known no better.
const SAME_DIRECTION: f64 = 1e-5;

/// What a critical point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Nature {
    /// The loss is zero to rounding: a global minimum, whatever its Hessian.
    GlobalMinimum,
    /// No negative eigenvalue, and every zero one is tangent to the manifold that symmetry makes of the point: a
    /// strict minimum off that manifold.
    Minimum,
    /// A negative eigenvalue, or a descent of third order along a zero one.
    Saddle,
    /// No negative eigenvalue, zeros that symmetry does not explain, and no descent found along them.
    Degenerate,
}

impl Nature {
    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalMinimum => "global_minimum",
            Self::Minimum => "minimum",
            Self::Saddle => "saddle",
            Self::Degenerate => "degenerate",
        }
    }
}

/// A critical point with what its neighbourhood looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct CriticalPoint {
    /// Hidden weights, `K x d`.
    pub weights: Matrix,
    /// Output weights, length `K`.
    pub output: Vec<f64>,
    /// The loss.
    pub loss: f64,
    /// Euclidean norm of the gradient in all that is trained.
    pub gradient_norm: f64,
    /// Eigenvalues of the Hessian in all that is trained, ascending. Directions orthogonal to all units give the
    /// same `K` values each under white input, and stand here once with their multiplicity.
    pub eigenvalues: Vec<Eigenspace>,
    /// Estimate of the error of each eigenvalue, not a bound: rounding, and the length of Newton's step from here times the rate at
    /// which the Hessian changes. An eigenvalue within it counts as zero. Bounds come from the interval proofs of `popgrad-proof`.
    pub eigenvalue_error: f64,
    /// Number of negative eigenvalues.
    pub index: usize,
    /// Number of zero eigenvalues.
    pub nullity: usize,
    /// Dimension of the manifold of critical points through this one: rotations, exchange of length between students of
    /// one direction, and scaling of units where output weights are trained. So many zeros are forced.
    pub manifold_dimension: usize,
    /// Dimension of the part of that manifold that rotations of the input make which fix the teacher and keep the law of the input:
    /// all of a point's rotations under white input, and those that commute with a covariance.
    pub rotation_dimension: usize,
    /// Smallest eigenvalue once the forced zeros are taken away; infinite if nothing is left.
    pub lambda_min: f64,
    /// Rank of the students' part outside the teacher's span; 0 for a point in the plane.
    pub out_of_plane_rank: usize,
    /// Dimension of the teacher's span.
    pub teacher_rank: usize,
    /// What the point is.
    pub nature: Nature,
    /// Theorem 4: teachers in the cone of the students.
    pub teachers_in_student_cone: ConeMembership,
    /// Theorem 4: students in the cone of the teachers.
    pub students_in_teacher_cone: ConeMembership,
}

impl CriticalPoint {
    /// Classifies a critical point.
    ///
    /// ```text
    /// manifold = r q - r(r+1)/2 + sum over directions (students of that direction - 1) [+ K if outputs are trained]
    /// ```
    ///
    /// Source: Tian (2017), section 5.3 and Theorem 2; docs/theory/critical.md, (Z.7)-(Z.11), (Z.31). `r` is the rank of the
    /// out-of-plane part, `q = d - dim span(V)`.
    ///
    /// Under a covariance, index, nullity and manifold are those of the plain problem (Z.26), with the skip, if there is one, as
    /// two teachers more (Z.29); the eigenvalues are those of the Hessian in the original weights.
    ///
    /// - Shapes: the student is `K x d`.
    /// - Domain: any law, slope and skip, and covariances of full rank; points where no student is zero.
    /// - Accuracy: eigenvalues within `eigenvalue_error` (an estimate with named constants, tested against closed forms).
    /// - Cost: eigenvalues of a matrix of `K (dim span(V) + r)` rows, whatever `d`; of `K d` rows under a covariance.
    ///
    /// # Errors
    ///
    /// [`CriticalError::NotCritical`] if the gradient is above `1e-10` of its terms; [`CriticalError::Problem`] for a student that does
    /// not fit or is zero somewhere; [`CriticalError::SingularCovariance`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CriticalPoint, Matrix, Nature, Student, Trained, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(6, 6))?;
    /// let w = Matrix::identity(6, 6);
    /// let point = CriticalPoint::classify(&problem, Student::new(w.view()), Trained::Weights)?;
    /// assert_eq!(point.nature, Nature::GlobalMinimum);
    /// assert!((point.lambda_min - (0.25 - 0.5 / std::f64::consts::PI)).abs() < point.eigenvalue_error);
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn classify(
        problem: &TwoLayer,
        student: Student<'_>,
        trained: Trained,
    ) -> Result<Self, CriticalError> {
        student.check(problem.input_dimension())?;
        let plain = Plain::new(problem, student.skip())?;
        let k = student.neurons();
        let output = if student.output.is_empty() { vec![1.0; k] } else { student.output.to_vec() };
        let student = student.with_output(&output);
        let entered = plain.enter(student.weights());
        let inner = Student::new(entered.view()).with_output(&output);
        let slope = gradient_norm(&plain.problem, inner, trained)?;
        let scale = scale_of_terms(&plain.problem, entered.view(), &output, trained);
        if slope > CRITICAL * scale {
            return Err(CriticalError::NotCritical { gradient: slope, allowed: CRITICAL * scale });
        }
        let plane = Plane::new(&plain.problem, entered.view());
        let spectra = spectra(&plain.problem, inner, trained, &plane)?;
        let shortest = (0..k).map(|j| norm(entered.row(j))).fold(f64::INFINITY, f64::min);
        let rate = 3.0 * scale / (shortest * shortest).min(shortest).min(1.0);
        let error = spectra.rounding + rate * (spectra.newton_step + plane.dropped);
        let located = Located {
            loss: problem.loss(student)?,
            gradient_norm: if plain.is_tilted() { gradient_norm(problem, student, trained)? } else { slope },
            scale,
            manifold_dimension: forced_zeros(entered.view(), trained, &plane),
            rotation_dimension: plain.rotations(student.weights(), &plane),
            out_of_plane_rank: plane.outside(),
            teacher_rank: plane.teacher,
            teachers_in_student_cone: count_in_cone(problem.teacher(), student.weights()),
            students_in_teacher_cone: count_in_cone(student.weights(), problem.teacher()),
            weights: student.weights().to_matrix(),
            output: output.clone(),
        };
        let copies = entered.cols() - plane.span.len();
        let mut point = located.with_spectrum(spectra.merged(copies), error);
        if point.nature == Nature::Degenerate
            && descends_along_null_space(&plain.problem, inner, trained, point.eigenvalue_error)?
        {
            point.nature = Nature::Saddle;
        }
        if plain.is_tilted() {
            point.tilt(problem, student, trained, plain.variance())?;
        }
        Ok(point)
    }

    /// Replaces the spectrum of the plain problem by that of the original one, whose index and nullity are the same (Sylvester).
    fn tilt(
        &mut self,
        problem: &TwoLayer,
        student: Student<'_>,
        trained: Trained,
        variance: f64,
    ) -> Result<(), CriticalError> {
        let blocks = if trained == Trained::Weights { Blocks::Weights } else { Blocks::All };
        let values = symmetric_eigenvalues(problem.hessian(student, blocks)?.view())?;
        let rounding = 8.0 * values.len() as f64 * f64::EPSILON * max_abs(&values);
        let error = rounding + variance.max(1.0) * self.eigenvalue_error;
        self.eigenvalues = values.into_iter().map(|value| Eigenspace { value, multiplicity: 1 }).collect();
        let counted = Counted::new(&self.eigenvalues, error, self.manifold_dimension);
        (self.eigenvalue_error, self.lambda_min) = (counted.threshold, counted.lambda_min);
        Ok(())
    }

    /// Whether all students lie in the teacher's span.
    pub fn is_in_plane(&self) -> bool {
        self.out_of_plane_rank == 0
    }

    /// The student.
    pub fn student(&self) -> Student<'_> {
        Student::new(self.weights.view()).with_output(&self.output)
    }
}

/// What is known of a critical point before its spectrum is counted.
pub(super) struct Located {
    pub(super) weights: Matrix,
    pub(super) output: Vec<f64>,
    pub(super) loss: f64,
    pub(super) gradient_norm: f64,
    /// The size of the gradient's terms.
    pub(super) scale: f64,
    pub(super) manifold_dimension: usize,
    pub(super) rotation_dimension: usize,
    pub(super) out_of_plane_rank: usize,
    pub(super) teacher_rank: usize,
    pub(super) teachers_in_student_cone: ConeMembership,
    pub(super) students_in_teacher_cone: ConeMembership,
}

impl Located {
    /// The point with its eigenvalues, ascending, each known to within about `error`.
    pub(super) fn with_spectrum(self, eigenvalues: Vec<Eigenspace>, error: f64) -> CriticalPoint {
        let counted = Counted::new(&eigenvalues, error, self.manifold_dimension);
        CriticalPoint {
            nature: counted.nature(self.manifold_dimension, self.loss, self.scale),
            eigenvalues,
            eigenvalue_error: counted.threshold,
            index: counted.index,
            nullity: counted.nullity,
            lambda_min: counted.lambda_min,
            weights: self.weights,
            output: self.output,
            loss: self.loss,
            gradient_norm: self.gradient_norm,
            manifold_dimension: self.manifold_dimension,
            rotation_dimension: self.rotation_dimension,
            out_of_plane_rank: self.out_of_plane_rank,
            teacher_rank: self.teacher_rank,
            teachers_in_student_cone: self.teachers_in_student_cone,
            students_in_teacher_cone: self.students_in_teacher_cone,
        }
    }
}

/// Euclidean norm of the gradient in all that is trained.
fn gradient_norm(problem: &TwoLayer, student: Student<'_>, trained: Trained) -> Result<f64, CriticalError> {
    let gradient = problem.gradient(student)?;
    let mut flat = gradient.weights.into_vec();
    if trained == Trained::WeightsAndOutput {
        flat.extend_from_slice(&gradient.output);
    }
    Ok(norm(&flat))
}

/// Signs of the eigenvalues.
#[derive(Clone, Copy, Debug)]
struct Counted {
    index: usize,
    nullity: usize,
    lambda_min: f64,
    threshold: f64,
}

impl Counted {
    /// Counts eigenvalues that are known to within `error`, of which `forced` are zeros by symmetry.
    fn new(all: &[Eigenspace], error: f64, forced: usize) -> Self {
        let mut by_size = all.to_vec();
        by_size.sort_by(|a, b| a.value.abs().total_cmp(&b.value.abs()));
        // The forced zeros are zeros whatever rounding makes of them: the largest of them is a measured error.
        let mut counted = 0;
        let mut measured = 0.0;
        for space in &by_size {
            if counted >= forced {
                break;
            }
            counted += space.multiplicity;
            measured = space.value.abs();
        }
        let threshold = if measured <= 100.0 * error { error.max(2.0 * measured) } else { error };
        let total = |keep: &dyn Fn(f64) -> bool| -> usize {
            all.iter().filter(|e| keep(e.value)).map(|e| e.multiplicity).sum()
        };
        let index = total(&|v| v < -threshold);
        let nullity = total(&|v| v.abs() <= threshold);
        // Take the forced zeros away, those nearest to zero first.
        let mut left = forced.min(nullity);
        let mut lambda_min = f64::INFINITY;
        for space in &by_size {
            if space.multiplicity <= left {
                left -= space.multiplicity;
            } else {
                left = 0;
                lambda_min = lambda_min.min(space.value);
            }
        }
        Self { index, nullity, lambda_min, threshold }
    }

    /// What the point is, as far as the Hessian and the loss say.
    fn nature(&self, forced: usize, loss: f64, scale: f64) -> Nature {
        match self {
            _ if loss <= ZERO_LOSS * scale * scale => Nature::GlobalMinimum,
            Self { index: 1.., .. } => Nature::Saddle,
            Self { nullity, .. } if *nullity <= forced => Nature::Minimum,
            _ => Nature::Degenerate,
        }
    }
}

/// Dimension of the manifold of critical points that the problem's symmetries make of the point.
fn forced_zeros(weights: MatrixView<'_>, trained: Trained, plane: &Plane) -> usize {
    let mut zeros = plane.manifold(weights.cols());
    let k = weights.rows();
    let mut seen: Vec<usize> = Vec::new();
    for j in 0..k {
        if seen.iter().any(|i| same_direction(weights.row(*i), weights.row(j))) {
            zeros += 1;
        } else {
            seen.push(j);
        }
    }
    if trained == Trained::WeightsAndOutput {
        zeros += k;
    }
    zeros
}

/// Whether two vectors point the same way.
fn same_direction(u: &[f64], v: &[f64]) -> bool {
    let (p, q) = (norm(u), norm(v));
    let apart: f64 = u.iter().zip(v).map(|(x, y)| (x / p - y / q) * (x / p - y / q)).sum();
    dot(u, v) > 0.0 && apart.sqrt() < SAME_DIRECTION
}
