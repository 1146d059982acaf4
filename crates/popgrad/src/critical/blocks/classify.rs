//! A point of a family as a critical point of the full problem, classified without its `k^2 x k^2` Hessian.

use super::family::{BlockFamily, FamilyPoint};
use super::structure::BlockMatrix;
use crate::critical::classify::Located;
use crate::critical::cone_membership::{ConeMembership, count_in_cone};
use crate::critical::{CriticalError, CriticalPoint};
use crate::vector::dot;
use crate::{Eigenspace, Matrix, TwoLayer, symmetric_eigenvalues};
use std::f64::consts::TAU;

/// Teachers whose inner products differ from those of unit vectors by more than this are not orthonormal.
const ORTHONORMAL: f64 = 1e-12;
/// Students whose angle has a sine below this share a direction.
const SAME_DIRECTION: f64 = 1e-9;

impl BlockFamily {
    /// A point of the family as a critical point of a problem with orthonormal teachers, in any input dimension.
    ///
    /// Source: docs/theory/critical.md, (Z.7)-(Z.9), (Z.20)-(Z.22). The spectrum comes from isotypic blocks; directions orthogonal to the
    /// teachers add the `k` eigenvalues of (Z.8), by blocks as well.
    ///
    /// - Domain: whole sizes that add up to the number of teachers.
    /// - Accuracy: as [`BlockFamily::spectrum`]; `eigenvalue_error` estimates rounding and the distance from the exact point.
    /// - Cost: that of the `k x d` weights and of a non-negative least-squares problem for each block.
    ///
    /// # Errors
    ///
    /// [`CriticalError::NotOrthonormal`], [`CriticalError::Blocks`], and those of [`BlockFamily::spectrum`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{BlockFamily, Matrix, Nature, TwoLayer};
    /// let family = BlockFamily::try_new(&[1.0, 99.0])?;
    /// let point = family.find(&[-0.95, 0.013, 1.0, 0.0, 0.02], 0)?;
    /// let problem = TwoLayer::try_new(Matrix::identity(100, 100))?;
    /// let point = family.classify(&problem, &point)?;
    /// assert_eq!((point.nature, point.index), (Nature::Minimum, 0));
    /// assert!((point.lambda_min - 0.078163).abs() < 1e-6);
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn classify(&self, problem: &TwoLayer, point: &FamilyPoint) -> Result<CriticalPoint, CriticalError> {
        let counts = self.counts()?;
        let k: usize = counts.iter().sum();
        check(problem, k)?;
        let matrix = self.matrix(&point.coordinates)?;
        let d = problem.input_dimension();
        let kappa = problem.kappa();
        let mut eigenvalues = self.spectrum(&point.coordinates)?;
        if d > k {
            let outer = self.outer_spectrum(&matrix)?;
            eigenvalues
                .extend(outer.iter().map(|e| Eigenspace { multiplicity: e.multiplicity * (d - k), ..*e }));
            eigenvalues.sort_by(|a, b| a.value.total_cmp(&b.value));
        }
        eigenvalues.iter_mut().for_each(|e| e.value *= kappa);
        let geometry = self.geometry(&matrix)?;
        let total: f64 =
            counts.iter().zip(&geometry.lengths).map(|(p, l)| *p as f64 * l).sum::<f64>() + k as f64;
        let shortest = geometry.lengths.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = eigenvalues.iter().fold(0.0_f64, |m, e| m.max(e.value.abs()));
        let rate = 3.0 * total / (shortest * shortest).min(shortest).min(1.0);
        let rounding = 64.0 * f64::EPSILON * k as f64 * largest;
        // A curvature of the size of rounding belongs to an orbit, along which nothing is to be corrected.
        let curved = eigenvalues.iter().map(|e| e.value.abs()).filter(|v| *v > rounding);
        let gentlest = curved.fold(largest, f64::min).max(f64::EPSILON.sqrt() * largest);
        let error = rounding + rate * point.gradient_norm / gentlest;
        let (teachers_in_student_cone, students_in_teacher_cone) = self.cones(&matrix, &counts)?;
        let located = Located {
            weights: in_teacher_axes(&self.embed(&point.coordinates)?, problem),
            output: vec![1.0; k],
            loss: kappa * point.loss,
            gradient_norm: kappa * point.gradient_norm,
            scale: kappa.sqrt() * total,
            manifold_dimension: self.shared_directions(&matrix, &counts)?,
            rotation_dimension: 0,
            out_of_plane_rank: 0,
            teacher_rank: k,
            teachers_in_student_cone,
            students_in_teacher_cone,
        };
        Ok(located.with_spectrum(eigenvalues, error))
    }

    /// The `k` eigenvalues of motion along one direction orthogonal to all teachers, (Z.8).
    fn outer_spectrum(&self, matrix: &BlockMatrix) -> Result<Vec<Eigenspace>, CriticalError> {
        let geometry = self.geometry(matrix)?;
        let (counts, sizes) = (self.counts()?, &self.sizes);
        let b = sizes.blocks();
        let mut out = Vec::new();
        let mut trivial = Matrix::zeros(b, b);
        for i in 0..b {
            let students: f64 =
                (0..b).map(|j| sizes.others(i, j) * geometry.lengths[j] * geometry.pair(i, j).sine).sum();
            let teachers: f64 = geometry.teacher_sines(i);
            let diagonal = 0.5 + (students - teachers) / (TAU * geometry.lengths[i]);
            let within = geometry.pair(i, i).psi / TAU;
            for j in 0..b {
                let sizes = sizes.0[i] * sizes.0[j];
                trivial.row_mut(i)[j] = sizes.sqrt() * geometry.pair(i, j).psi / TAU;
            }
            trivial.row_mut(i)[i] = diagonal + (sizes.0[i] - 1.0) * within;
            if counts[i] > 1 {
                out.push(Eigenspace { value: diagonal - within, multiplicity: counts[i] - 1 });
            }
        }
        let values = symmetric_eigenvalues(trivial.view())?;
        out.extend(values.into_iter().map(|value| Eigenspace { value, multiplicity: 1 }));
        Ok(out)
    }

    /// Students less directions: the dimension of the exchange of lengths, (Z.9).
    fn shared_directions(&self, matrix: &BlockMatrix, counts: &[usize]) -> Result<usize, CriticalError> {
        let geometry = self.geometry(matrix)?;
        let parallel = |i: usize, j: usize| {
            let turn = geometry.pair(i, j);
            turn.sine < SAME_DIRECTION && turn.cosine > 0.0
        };
        let mut zeros = 0;
        for i in 0..counts.len() {
            zeros += if counts[i] > 1 && parallel(i, i) { counts[i] - 1 } else { 0 };
            zeros += usize::from((0..i).any(|j| parallel(i, j)));
        }
        Ok(zeros)
    }

    /// Both counts of Theorem 4, from one unit of each block.
    fn cones(
        &self,
        matrix: &BlockMatrix,
        counts: &[usize],
    ) -> Result<(ConeMembership, ConeMembership), CriticalError> {
        let students = self.embed(&self.coordinates(matrix))?;
        let k = students.rows();
        let teachers = Matrix::identity(k, k);
        let (mut of_teachers, mut of_students) = (ConeMembership::default(), ConeMembership::default());
        let mut first = 0;
        for p in counts {
            let one = |a: &Matrix| Matrix::from_parts(1, k, a.row(first).to_vec());
            let inside = count_in_cone(one(&teachers).view(), students.view());
            of_teachers.inside += p * inside.inside;
            of_teachers.on_boundary += p * inside.on_boundary;
            let inside = count_in_cone(one(&students).view(), teachers.view());
            of_students.inside += p * inside.inside;
            of_students.on_boundary += p * inside.on_boundary;
            first += p;
        }
        Ok((of_teachers, of_students))
    }
}

/// Refuses a problem whose teachers are not `k` orthonormal ones with the plain ReLU and white input.
pub(super) fn check(problem: &TwoLayer, k: usize) -> Result<(), CriticalError> {
    let teacher = problem.teacher();
    let m = teacher.rows();
    let fail = |why| Err(CriticalError::NotOrthonormal { teachers: m, why, students: k });
    if m != k {
        return fail("of another number");
    }
    if problem.teacher_output().iter().any(|b| *b != 1.0)
        || problem.leaky() != 0.0
        || problem.has_covariance()
        || problem.teacher_skip().iter().any(|c| *c != 0.0)
    {
        return fail("not those of the plain problem");
    }
    for i in 0..m {
        for j in 0..=i {
            let want = if i == j { 1.0 } else { 0.0 };
            if (dot(teacher.row(i), teacher.row(j)) - want).abs() > ORTHONORMAL {
                return fail("not orthonormal");
            }
        }
    }
    Ok(())
}

/// Coordinates along the teachers, in the original ones.
pub(super) fn in_teacher_axes(x: &Matrix, problem: &TwoLayer) -> Matrix {
    let mut out = Matrix::zeros(x.rows(), problem.input_dimension());
    for r in 0..x.rows() {
        for (m, c) in x.row(r).iter().enumerate() {
            out.row_mut(r).iter_mut().zip(problem.teacher().row(m)).for_each(|(o, v)| *o = c.mul_add(*v, *o));
        }
    }
    out
}
