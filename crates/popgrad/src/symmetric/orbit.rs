//! Networks whose units are the orbit of one weight under a finite group (Tian 2017, eqs. 17 and 18).
//!
//! With `w_j = P_j w` and `v_j = P_j v` for the elements `P_j` of a finite group of orthogonal matrices, the
//! gradient with respect to `w_j` is `P_j G(w)`, so gradient flow and gradient descent keep the form and only
//! `w` has to be followed. For inputs `x ~ N(0, I_d)` this module evaluates `G` and the loss.
//! Derivation: docs/theory/symmetric.md, equations (Y.1)-(Y.5). Time is per-sample gradient-flow time.

use super::group::FiniteGroup;
use crate::angle::orthogonal_part;
use crate::matrix::Matrix;
use crate::vector::{dot, first_non_finite, norm, power_of_two_scale};
use crate::{Kind, angular_c1};
use std::f64::consts::{PI, TAU};
use thiserror::Error;

/// Why an orbit network could not be made or evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OrbitError {
    /// A vector has the wrong length.
    #[error("{which} has {len} components; the group acts on {dimension} coordinates")]
    Dimension {
        /// Name of the argument.
        which: &'static str,
        /// Its length.
        len: usize,
        /// The dimension of the group.
        dimension: usize,
    },
    /// An entry is NaN or infinite.
    #[error("{which}[{index}] = {value} is not finite")]
    NonFinite {
        /// Name of the argument.
        which: &'static str,
        /// Position of the first offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The gradient was asked for at a zero weight.
    #[error("w is the zero vector: all students vanish there and the gradient has no direction")]
    ZeroStudent,
}

impl OrbitError {
    /// The kind of this failure, always [`Kind::Input`].
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// Nodes and weights of Gauss-Legendre quadrature with five points on `[0, 1]`.
const GAUSS_LEGENDRE: [(f64, f64); 5] = [
    (0.046_910_077_030_668_004, 0.118_463_442_528_094_54),
    (0.230_765_344_947_158_45, 0.239_314_335_249_683_23),
    (0.5, 0.284_444_444_444_444_44),
    (0.769_234_655_052_841_55, 0.239_314_335_249_683_23),
    (0.953_089_922_969_332, 0.118_463_442_528_094_54),
];

/// Below this fraction of the smallest distance between teacher lines, the loss is integrated along the ray
/// from the teacher. Five nodes err by less than 1e-14 there (measured); above it the direct sum loses at most
/// three digits, and with a smaller value it would lose more.
const NEAR: f64 = 0.1;

/// A network whose students and teachers are orbits of `w` and `v` under a finite group.
///
/// ```
/// use popgrad::{FiniteGroup, GroupOrbit};
/// let network = GroupOrbit::try_new(FiniteGroup::rotations(5)?, &[1.0, 0.0])?;
/// assert_eq!(network.reduced_gradient(&[1.0, 0.0])?, [0.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GroupOrbit {
    group: FiniteGroup,
    teacher: Vec<f64>,
    /// Smallest of `|g v - v|` over `g v != v` and of `|g v + v|` over `g v != -v`.
    separation: f64,
}

/// A direction: a vector of moderate size (a power of two times the original, so nothing is rounded), its
/// length, and the unit vector.
struct Axis {
    line: Vec<f64>,
    length: f64,
    unit: Vec<f64>,
}

impl Axis {
    fn of(u: &[f64]) -> Self {
        let scale = power_of_two_scale(u);
        let line: Vec<f64> = u.iter().map(|x| x * scale).collect();
        let length = norm(&line);
        let unit = line.iter().map(|x| x / length).collect();
        Self { line, length, unit }
    }
}

/// Position of a vector relative to an axis `e`: `p = |r|`, `q = e.w`, `r` the orthogonal part.
struct Polar {
    across: Vec<f64>,
    p: f64,
    q: f64,
}

impl Polar {
    fn of(axis: &Axis, w: &[f64]) -> Self {
        let across = orthogonal_part(&axis.line, w);
        Self { p: norm(&across), q: dot(&axis.line, w) / axis.length, across }
    }

    fn angle(&self) -> f64 {
        libm::atan2(self.p, self.q)
    }

    fn supplement(&self) -> f64 {
        libm::atan2(self.p, -self.q)
    }
}

impl GroupOrbit {
    /// The network with the teacher rows `P_j v`.
    ///
    /// # Errors
    ///
    /// [`OrbitError::Dimension`], [`OrbitError::NonFinite`].
    pub fn try_new(group: FiniteGroup, teacher: &[f64]) -> Result<Self, OrbitError> {
        check("v", teacher, group.dimension())?;
        let mut separation = f64::INFINITY;
        let size = norm(teacher);
        for image in group.orbit(teacher).as_slice().chunks(teacher.len()) {
            for sign in [1.0, -1.0] {
                let gap: Vec<f64> = image.iter().zip(teacher).map(|(a, b)| a - sign * b).collect();
                let gap = norm(&gap);
                if gap > 1e-12 * size {
                    separation = separation.min(gap);
                }
            }
        }
        Ok(Self { group, teacher: teacher.to_vec(), separation })
    }

    /// The group.
    pub fn group(&self) -> &FiniteGroup {
        &self.group
    }

    /// The teacher rows `P_j v`.
    pub fn teacher(&self) -> Matrix {
        self.group.orbit(&self.teacher)
    }

    /// The student rows `P_j w`.
    ///
    /// # Errors
    ///
    /// [`OrbitError::Dimension`], [`OrbitError::NonFinite`].
    pub fn students(&self, w: &[f64]) -> Result<Matrix, OrbitError> {
        check("w", w, self.group.dimension())?;
        Ok(self.group.orbit(w))
    }

    /// The gradient with respect to the first student, `G(w)` of eq. 18.
    ///
    /// ```text
    /// G(w) = sum_{g in P} [F(w, g w) - F(w, g v)]
    /// ```
    ///
    /// It is the gradient of the reduced loss `j(w) = J / |P|`. Each pair is evaluated as a difference,
    /// after `w` has been moved to the copy nearest to the teacher.
    ///
    /// Source: Tian (2017), eq. 18, divided by the number of samples; docs/theory/symmetric.md, (Y.3), (Y.4).
    ///
    /// - Shapes: `w` and the result of length `d`.
    /// - Units: weights, per unit of per-sample flow time.
    /// - Domain: finite `w` but zero.
    /// - Accuracy (measured, against 60 digits, orders up to 6): `|P| EPSILON (|w| + |v|)` in each entry; near a
    ///   copy `g v` of the teacher `2 |P| EPSILON |w - g v|` for groups of permutations, whose maps are exact. For
    ///   other matrices add `EPSILON |w|`, the error of the maps themselves, unless the copy is `v` itself.
    ///
    /// # Errors
    ///
    /// [`OrbitError::Dimension`], [`OrbitError::NonFinite`], [`OrbitError::ZeroStudent`].
    pub fn reduced_gradient(&self, w: &[f64]) -> Result<Vec<f64>, OrbitError> {
        check("w", w, self.group.dimension())?;
        if w.iter().all(|x| *x == 0.0) {
            return Err(OrbitError::ZeroStudent);
        }
        let mut out = vec![0.0; w.len()];
        self.gradient(w, &mut out);
        Ok(out)
    }

    /// The gradient with respect to every student, `P_j G(w)` of eq. 17, as rows (`|P| x d`).
    ///
    /// Source: Tian (2017), eq. 17; docs/theory/symmetric.md, (Y.2).
    ///
    /// # Errors
    ///
    /// As [`GroupOrbit::reduced_gradient`].
    pub fn full_gradient(&self, w: &[f64]) -> Result<Matrix, OrbitError> {
        Ok(self.group.orbit(&self.reduced_gradient(w)?))
    }

    /// The loss of the whole network, `J = |P| j(w)`.
    ///
    /// ```text
    /// j(w) = 1/2 sum_{g in P} [k(w, g w) - 2 k(w, g v) + k(v, g v)]
    /// ```
    ///
    /// Near a copy of the teacher it is integrated from the gradient along the ray, which keeps its relative
    /// accuracy: `j(v + D) = integral_0^1 D.G(v + t D) dt`.
    ///
    /// Source: docs/theory/symmetric.md, (Y.3), (Y.5).
    ///
    /// - Shapes: `w` of length `d`.
    /// - Units: squared output.
    /// - Domain: every finite `w`.
    /// - Accuracy (measured, against 60 digits, orders up to 6): error at most
    ///   `|P|^2 EPSILON (|w| + |v|)^2`; within a tenth of the smallest distance between teacher lines, relative `1e-14`.
    ///
    /// # Errors
    ///
    /// [`OrbitError::Dimension`], [`OrbitError::NonFinite`].
    pub fn full_loss(&self, w: &[f64]) -> Result<f64, OrbitError> {
        check("w", w, self.group.dimension())?;
        Ok(self.loss(w))
    }

    /// `G(w)` into `out`, for dynamics; zero at `w = 0`. Entries that are not finite give results that are not.
    ///
    /// # Panics
    ///
    /// If `w` or `out` has another length than the group's dimension.
    pub fn gradient(&self, w: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        if w.iter().all(|x| *x == 0.0) {
            return;
        }
        let (copy, moved) = self.nearest(w);
        let local = self.local_gradient(&moved);
        self.group.apply(copy, &local, out);
    }

    /// The loss of the whole network at `w`; see [`GroupOrbit::full_loss`].
    ///
    /// # Panics
    ///
    /// If `w` has another length than the group's dimension.
    pub fn loss(&self, w: &[f64]) -> f64 {
        let (_, moved) = self.nearest(w);
        let offset: Vec<f64> = moved.iter().zip(&self.teacher).map(|(a, b)| a - b).collect();
        if offset.iter().all(|x| *x == 0.0) {
            return 0.0;
        }
        let order = self.group.order() as f64;
        // A teacher of one line has no separation; its own length is the scale then.
        let scale = self.separation.min(norm(&self.teacher));
        if norm(&offset) > NEAR * scale {
            return order * self.direct_loss(&moved, &offset);
        }
        let mut total = 0.0;
        for (node, weight) in GAUSS_LEGENDRE {
            let step: Vec<f64> = offset.iter().map(|d| node * d).collect();
            total += weight * dot(&offset, &self.gradient_at_offset(&step));
        }
        order * total
    }

    /// The element `h` with `h v` nearest to `w`, and `h^-1 w`. Ties go to the smallest index.
    fn nearest(&self, w: &[f64]) -> (usize, Vec<f64>) {
        let (mut best, mut distance) = (0, f64::INFINITY);
        let (mut moved, mut image) = (w.to_vec(), vec![0.0; w.len()]);
        for j in 0..self.group.order() {
            self.group.apply_inverse(j, w, &mut image);
            let gap: Vec<f64> = image.iter().zip(&self.teacher).map(|(a, b)| a - b).collect();
            let gap = norm(&gap);
            if gap < distance {
                (best, distance) = (j, gap);
                moved.copy_from_slice(&image);
            }
        }
        (best, moved)
    }

    /// `G` at `w`, with the difference to the teacher formed in doubles.
    fn local_gradient(&self, w: &[f64]) -> Vec<f64> {
        let offset: Vec<f64> = w.iter().zip(&self.teacher).map(|(a, b)| a - b).collect();
        self.gradient_with(w, &offset)
    }

    /// `G(v + offset)`, with the offset taken as exact.
    fn gradient_at_offset(&self, offset: &[f64]) -> Vec<f64> {
        let w: Vec<f64> = self.teacher.iter().zip(offset).map(|(a, b)| a + b).collect();
        self.gradient_with(&w, offset)
    }

    /// (Y.4): the sum over the group of `F(w, g w) - F(w, g v)`, each as a difference; `offset = w - v`.
    fn gradient_with(&self, w: &[f64], offset: &[f64]) -> Vec<f64> {
        let axis = Axis::of(w);
        let mut out = vec![0.0; w.len()];
        let (mut student, mut gap) = (vec![0.0; w.len()], vec![0.0; w.len()]);
        for j in 0..self.group.order() {
            self.group.apply(j, w, &mut student);
            self.group.apply(j, offset, &mut gap);
            for x in &mut gap {
                *x = -*x;
            }
            let at = if j == 0 {
                Polar { across: vec![0.0; w.len()], p: 0.0, q: norm(w) }
            } else {
                Polar::of(&axis, &student)
            };
            add_pair(&mut out, &axis, &student, &at, &gap);
        }
        for x in &mut out {
            *x /= TAU;
        }
        out
    }

    /// `j(w)` as the sum of kernels, with the linear part of the kernels taken out.
    fn direct_loss(&self, w: &[f64], offset: &[f64]) -> f64 {
        let order = self.group.order();
        let (n, m) = (norm(w), norm(&self.teacher));
        let (student_axis, teacher_axis) = (Axis::of(w), Axis::of(&self.teacher));
        let mut image = vec![0.0; w.len()];
        let mut mean = vec![0.0; w.len()];
        let mut angular = 0.0;
        for j in 0..order {
            self.group.apply(j, offset, &mut image);
            for (s, x) in mean.iter_mut().zip(&image) {
                *s += x;
            }
            let mut value = |axis: &Axis, u: &[f64], length: f64| {
                self.group.apply(j, u, &mut image);
                if length == 0.0 { 0.0 } else { length * angular_c1(Polar::of(axis, &image).angle()) }
            };
            angular += value(&student_axis, w, n * n) - 2.0 * value(&student_axis, &self.teacher, n * m)
                + value(&teacher_axis, &self.teacher, m * m);
        }
        0.25 * dot(&mean, &mean) / order as f64 + 0.5 * angular / TAU
    }
}

/// Adds `2 pi [F(e, w) - F(e, w + gap)]` for the unit vector `e` of `axis`; `at` is the position of `w`.
fn add_pair(out: &mut [f64], axis: &Axis, w: &[f64], at: &Polar, gap: &[f64]) {
    let shift = Polar::of(axis, gap);
    let cross = 2.0 * dot(&shift.across, &at.across) + dot(&shift.across, &shift.across);
    let across: Vec<f64> = at.across.iter().zip(&shift.across).map(|(a, b)| a + b).collect();
    let (p, q) = (norm(&across), at.q + shift.q);
    let dp = if at.p + p > 0.0 { cross / (at.p + p) } else { 0.0 };
    let turn = libm::atan2(dp * at.q - shift.q * at.p, q * at.q + p * at.p);
    let psi = if at.p == 0.0 && at.q > 0.0 { PI } else { at.supplement() };
    for i in 0..out.len() {
        out[i] += turn * (w[i] + gap[i]) - psi * gap[i] - dp * axis.unit[i];
    }
}

/// Length and finiteness.
fn check(which: &'static str, u: &[f64], dimension: usize) -> Result<(), OrbitError> {
    if u.len() != dimension {
        return Err(OrbitError::Dimension { which, len: u.len(), dimension });
    }
    match first_non_finite(u) {
        Some((index, value)) => Err(OrbitError::NonFinite { which, index, value }),
        None => Ok(()),
    }
}
