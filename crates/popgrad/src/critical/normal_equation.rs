//! The normal equation `Y E^T = B* W*^T` of a point, and its radial part (Tian 2017, eq. 9 and 13).
//!
//! Angles are in radians and come from `crate::angle`, which keeps their relative accuracy at both ends. Output weights
//! multiply the lengths. Derivation: docs/theory/normal_equation.md, (N.1)-(N.9). Accuracy: relative to the terms.

use super::gram::Gram;
use super::normal_equation_error::NormalEquationError;
use super::span::Span;
use crate::angle::split;
use crate::arc_cosine::angular_c1;
use crate::vector::norm;
use crate::{Angle, Matrix, Student, TwoLayer, angular_h};

/// Directions whose sines from a plane are below this lie in it.
const IN_PLANE: f64 = 1e-10;

/// The normal equation of a point: angles, lengths, and everything that section 5 of the paper makes of them.
///
/// ```text
/// row j of  Y E^T - B* W*^T  =  (2 pi / kappa a_j) grad_{w_j} J
/// ```
///
/// ```
/// use popgrad::{Matrix, NormalEquation, Student, TwoLayer};
/// let teacher = Matrix::from_rows(&[[1.0, 0.0], [0.0, 1.0]]);
/// let problem = TwoLayer::try_new(teacher.clone())?;
/// // Both students inside the teachers' cone: by Theorem 4 no lengths make them critical.
/// let students = Matrix::from_rows(&[[1.0, 0.2], [0.3, 1.0]]);
/// assert!(NormalEquation::try_new(&problem, Student::new(students.view()))?.theorem3().excluded);
/// assert!(!NormalEquation::try_new(&problem, Student::new(teacher.view()))?.theorem3().excluded);
/// # Ok::<(), popgrad::NormalEquationError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NormalEquation {
    pub(super) students: Matrix,
    pub(super) teacher: Matrix,
    /// `a_k`.
    pub(super) output: Vec<f64>,
    /// `a_k |w_k|`.
    pub(super) lengths: Vec<f64>,
    /// `b_m |v_m|`.
    pub(super) teacher_lengths: Vec<f64>,
    /// Angles between students, row by row, and of the students with the teachers.
    pub(super) angles: Vec<Angle>,
    pub(super) teacher_angles: Vec<Angle>,
    /// Whether everything lies in one plane of coordinates, with two students.
    pub(super) planar: bool,
    pub(super) gram: Gram,
}

/// The lengths that the radial equation `M_r w = M_r* v` gives to the students' directions.
#[derive(Clone, Debug, PartialEq)]
pub struct RadialSolution {
    /// `a_k |w_k|` for each student.
    pub lengths: Vec<f64>,
    /// A bound on the error of each.
    pub errors: Vec<f64>,
    /// The sign of each, 0 where the bound does not decide it.
    pub signs: Vec<i8>,
    /// Whether every sign is that of the student's output weight, as it is at every critical point.
    pub admissible: bool,
}

/// Sine from the smaller of an angle and its supplement.
pub(super) fn sine(a: Angle) -> f64 {
    libm::sin(a.theta.min(a.psi))
}

/// Cosine from the smaller of an angle and its supplement.
pub(super) fn cosine(a: Angle) -> f64 {
    if a.psi < a.theta { -libm::cos(a.psi) } else { libm::cos(a.theta) }
}

/// `h` of an angle known with its supplement.
pub(super) fn h(a: Angle) -> f64 {
    if a.theta > 1.2 { angular_c1(a.psi) } else { angular_h(a.theta) }
}

impl NormalEquation {
    /// Forms the equation at a point.
    ///
    /// - Shapes: `K` students, `M` teachers in `d` dimensions, all free; teachers may be zero and then count nothing.
    ///
    /// # Errors
    ///
    /// [`NormalEquationError`]: a zero student, a leaky slope, a skip or a covariance; and what
    /// [`TwoLayer::gradient`] refuses.
    pub fn try_new(problem: &TwoLayer, student: Student<'_>) -> Result<Self, NormalEquationError> {
        let d = problem.input_dimension();
        student.check(d)?;
        let departure = problem.departure().or(student.has_skip().then_some("a linear skip"));
        if let Some(what) = departure {
            return Err(NormalEquationError::Departure { what });
        }
        let (students, teacher) = (student.weights().to_matrix(), problem.teacher().to_matrix());
        let (k, m) = (students.rows(), teacher.rows());
        if let Some(neuron) = (0..k).find(|&j| students.row(j).iter().all(|x| *x == 0.0)) {
            return Err(NormalEquationError::ZeroStudent { neuron });
        }
        // The tables M and M* of all projections are the largest things made of this.
        let cells = (k as u128) * (k as u128) * (k as u128 + 2 * m as u128);
        problem.check_memory("the normal equation", cells)?;
        let angle = |i: usize, j: usize| split(students.row(i), students.row(j)).angle;
        let mut angles = vec![Angle { theta: 0.0, psi: std::f64::consts::PI }; k * k];
        for i in 0..k {
            for j in 0..i {
                angles[i * k + j] = angle(i, j);
                angles[j * k + i] = angles[i * k + j];
            }
        }
        let teacher_angles = (0..k).flat_map(|j| (0..m).map(move |z| (j, z)));
        let teacher_angles =
            teacher_angles.map(|(j, z)| split(students.row(j), teacher.row(z)).angle).collect();
        let output = if student.output().is_empty() { vec![1.0; k] } else { student.output().to_vec() };
        let lengths = (0..k).map(|j| output[j] * norm(students.row(j))).collect();
        let teacher_lengths = (0..m).map(|z| problem.teacher_output()[z] * norm(teacher.row(z))).collect();
        let gram = Gram::new(k, angles.iter().map(|a| h(*a)).collect());
        let planar = k == 2 && d == 2;
        Ok(Self { students, teacher, output, lengths, teacher_lengths, angles, teacher_angles, planar, gram })
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.students.rows(), self.teacher.rows())
    }

    pub(super) fn angle(&self, i: usize, j: usize) -> Angle {
        self.angles[i * self.students.rows() + j]
    }

    pub(super) fn teacher_angle(&self, j: usize, z: usize) -> Angle {
        self.teacher_angles[j * self.teacher.rows() + z]
    }

    /// `Y`, the students' side of the equation.
    ///
    /// ```text
    /// Y_jk = (pi - theta_jk) a_k |w_k|,   Y_jj = pi a_j |w_j| + sum_k sin(theta_jk) a_k |w_k| - sum_m sin(theta*_jm) b_m |v_m|
    /// ```
    ///
    /// Source: Tian (2017), eq. 9; docs/theory/normal_equation.md, (N.2).
    ///
    /// - Shapes: `K x K`.
    /// - Units: a length.
    /// - Accuracy (measured, against 50 digits): error at most `EPSILON` times the sum of the terms of an entry.
    pub fn student_side(&self) -> Matrix {
        let (k, m) = self.counts();
        let mut out = Matrix::zeros(k, k);
        for j in 0..k {
            let students: f64 = (0..k).map(|l| sine(self.angle(j, l)) * self.lengths[l]).sum();
            let teachers: f64 =
                (0..m).map(|z| sine(self.teacher_angle(j, z)) * self.teacher_lengths[z]).sum();
            for l in 0..k {
                out.row_mut(j)[l] = self.angle(j, l).psi * self.lengths[l];
            }
            out.row_mut(j)[j] += students - teachers;
        }
        out
    }

    /// `B*`, the teachers' side of the equation: `B*_jm = pi - theta*_jm`.
    ///
    /// Source: Tian (2017), eq. 9; docs/theory/normal_equation.md, (N.2).
    ///
    /// - Shapes: `K x M`; a zero teacher, which has no direction, gets pi.
    /// - Units: radians.
    /// - Accuracy (measured, against 50 digits): relative error at most `4 EPSILON`.
    pub fn teacher_side(&self) -> Matrix {
        let (k, m) = self.counts();
        Matrix::from_parts(k, m, self.teacher_angles.iter().map(|a| a.psi).collect())
    }

    /// `Y E^T - B* W*^T`, whose row `j` is `2 pi grad_{w_j} J / (kappa a_j)`; zero at a critical point.
    ///
    /// Source: Tian (2017), eq. 9; docs/theory/normal_equation.md, (N.1).
    ///
    /// - Shapes: `K x d`.
    /// - Units: a length.
    /// - Accuracy (measured, against [`TwoLayer::gradient`]): error of a row at most `2 EPSILON` times the sum of the
    ///   lengths of its terms.
    pub fn residual(&self) -> Matrix {
        let (k, m) = self.counts();
        let d = self.students.cols();
        let side = self.student_side();
        let mut out = Matrix::zeros(k, d);
        for j in 0..k {
            for l in 0..k {
                // The directions, from rows of any magnitude.
                let factor = side.row(j)[l] / norm(self.students.row(l));
                for (o, x) in out.row_mut(j).iter_mut().zip(self.students.row(l)) {
                    *o += factor * x;
                }
            }
            for z in (0..m).filter(|&z| self.teacher_lengths[z] != 0.0) {
                let factor =
                    self.teacher_angle(j, z).psi * self.teacher_lengths[z] / norm(self.teacher.row(z));
                for (o, x) in out.row_mut(j).iter_mut().zip(self.teacher.row(z)) {
                    *o -= factor * x;
                }
            }
        }
        out
    }

    /// `M_r = h(theta_jk)`, the Gram matrix of the students' directions, `2 pi k(e_j, e_k)`.
    ///
    /// Source: Tian (2017), eq. 13; docs/theory/normal_equation.md, (N.7).
    ///
    /// - Shapes: `K x K`, symmetric and positive semidefinite.
    /// - Accuracy (measured, against 50 digits): absolute error at most `4 EPSILON`.
    pub fn radial_matrix(&self) -> Matrix {
        let (k, _) = self.counts();
        Matrix::from_parts(k, k, self.angles.iter().map(|a| h(*a)).collect())
    }

    /// `M_r* = h(theta*_jm)`.
    ///
    /// Source: Tian (2017), eq. 13; docs/theory/normal_equation.md, (N.7).
    ///
    /// - Shapes: `K x M`; a zero teacher's column holds `h(0) = pi` and is multiplied by its length, 0.
    /// - Accuracy (measured, against 50 digits): absolute error at most `4 EPSILON`.
    pub fn radial_teacher_matrix(&self) -> Matrix {
        let (k, m) = self.counts();
        Matrix::from_parts(k, m, self.teacher_angles.iter().map(|a| h(*a)).collect())
    }

    /// Whether `M_r` is regular: shown by an approximate inverse, so that `true` is certain. It is false where two students
    /// coincide or the directions are too close to tell.
    pub fn is_full_rank(&self) -> bool {
        self.gram.inverse().is_some()
    }

    /// Whether every student lies in the teachers' span: sines of at most 1e-10.
    pub fn is_in_plane(&self) -> bool {
        let plane = self.plane();
        (0..self.students.rows()).all(|j| plane.sine(self.students.row(j)) <= IN_PLANE)
    }

    /// Whether the students' projections span the teachers' span: together with [`NormalEquation::is_in_plane`] this makes
    /// the projected equations equivalent to the normal equation.
    pub fn is_spanning(&self) -> bool {
        let plane = self.plane();
        let shadows = plane.coordinates(self.students.view(), plane.len());
        let rows = (0..shadows.rows()).map(|j| shadows.row(j));
        Span::of_directions(rows, IN_PLANE).len() == plane.len()
    }

    /// An orthonormal basis of the teachers' span.
    fn plane(&self) -> Span {
        Span::of_directions((0..self.teacher.rows()).map(|z| self.teacher.row(z)), IN_PLANE)
    }

    /// Solves the radial equation for the lengths that the directions would need; `None` where `M_r` is not regular.
    ///
    /// ```text
    /// M_r w = M_r* v,   w = (a_k |w_k|),  v = (b_m |v_m|)
    /// ```
    ///
    /// At a critical point with full rank the solution is the students' own lengths, so a solution with a wrong sign
    /// excludes the directions.
    ///
    /// Source: Tian (2017), eq. 13; docs/theory/normal_equation.md, (N.8).
    ///
    /// - Shapes: `K` numbers each.
    /// - Units: a length.
    /// - Accuracy: the errors are bounds, derived from those of the angles and the residual of an approximate inverse.
    pub fn radial_solution(&self) -> Option<RadialSolution> {
        let (k, m) = self.counts();
        let inverse = self.gram.inverse()?;
        let size: f64 = self.teacher_lengths.iter().map(|v| v.abs()).sum();
        let right = |j: usize| (0..m).map(|z| h(self.teacher_angle(j, z)) * self.teacher_lengths[z]).sum();
        let right: Vec<f64> = (0..k).map(right).collect();
        let (lengths, errors) = inverse.solve(&self.gram, &right, size * (1.0 + m as f64 / 64.0));
        let sign = |j: usize| {
            if lengths[j].abs() <= errors[j] { 0 } else { 2 * i8::from(lengths[j] > 0.0) - 1 }
        };
        let signs: Vec<i8> = (0..k).map(sign).collect();
        let wanted = |j: usize| i8::from(self.output[j] > 0.0) - i8::from(self.output[j] < 0.0);
        let admissible = (0..k).all(|j| signs[j] == wanted(j));
        Some(RadialSolution { lengths, errors, signs, admissible })
    }
}
