//! The projected equations, the function `L` and Theorem 3 of Tian (2017) as a test (eq. 10-14).
//!
//! `L_jj'(e*)` is what a unit teacher along `e*` leaves of the projection of `-2 pi grad_{w_j} J` on the direction of `w_j'`
//! once the lengths solve the radial equation. Derivation: docs/theory/normal_equation.md, (N.4)-(N.13).

use super::gram::ENTRY;
use super::l12::planar_pair;
use super::normal_equation::{NormalEquation, cosine, h, sine};
use crate::Angle;
use std::f64::consts::PI;

/// Relative error of the planar form, 12 EPSILON of its own and what relative errors of 4 EPSILON in the angles make of it.
const RELATIVE: f64 = 256.0 * f64::EPSILON;
/// What rounded coordinates make of an angle, times the largest logarithmic slope of `L` times the distance from its zeros.
const ROUNDED: f64 = 16.0 * f64::EPSILON;

/// Values of `L` for every teacher and pair, with bounds on their errors.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualProjections {
    k: usize,
    values: Vec<f64>,
    errors: Vec<f64>,
}

impl ResidualProjections {
    fn index(&self, teacher: usize, (j, onto): (usize, usize)) -> usize {
        (teacher * self.k + j) * self.k + onto
    }

    /// `L_jj'` of the direction of one teacher: the equation of student `j` projected on student `j'`.
    ///
    /// - Accuracy: [`ResidualProjections::error`] is a bound.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    pub fn value(&self, teacher: usize, pair: (usize, usize)) -> f64 {
        self.values[self.index(teacher, pair)]
    }

    /// A bound on the error of [`ResidualProjections::value`].
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    pub fn error(&self, teacher: usize, pair: (usize, usize)) -> f64 {
        self.errors[self.index(teacher, pair)]
    }

    /// All values, teacher by teacher, row by row.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }
}

/// What Theorem 3 says of the students' directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theorem3 {
    /// Whether no lengths of the students, and no positive factors on the teachers, make the point critical.
    pub excluded: bool,
    /// The pair `(j, j')` that comes closest to excluding, or excludes with the largest margin; `None` with one student or
    /// where `M_r` is not regular.
    pub pair: Option<(usize, usize)>,
    /// For that pair, the least `|L_jj'|` over the teachers less the bound on its error, all `L` counted with one sign;
    /// above zero exactly where the point is excluded.
    pub margin: Option<f64>,
}

/// The entry of `M` or `M*`: the angle of `j` with the unit, of `j'` with the unit, and of `j` with `j'`.
fn entry(own: Angle, onto: Angle, between: Angle) -> f64 {
    own.psi * cosine(onto) + sine(own) * cosine(between)
}

impl NormalEquation {
    /// `M`, the coefficients of the students' lengths in the projected equations.
    ///
    /// ```text
    /// m_jj',k = (pi - theta_jk) cos theta_kj' + sin theta_jk cos theta_jj'
    /// ```
    ///
    /// Source: Tian (2017), eq. 11; docs/theory/normal_equation.md, (N.5).
    ///
    /// - Shapes: `K^3` numbers, index `k` fastest, then `j'`.
    /// - Accuracy (measured, against 50 digits): absolute error at most `4 EPSILON`.
    pub fn projections(&self) -> Vec<f64> {
        let (k, _) = self.counts();
        let cells = (0..k * k * k).map(|i| (i / (k * k), i / k % k, i % k));
        cells.map(|(j, onto, l)| entry(self.angle(j, l), self.angle(l, onto), self.angle(j, onto))).collect()
    }

    /// `M*`, the coefficients of the teachers' lengths in the projected equations.
    ///
    /// ```text
    /// m*_jj',m = (pi - theta*_jm) cos theta*_j'm + sin theta*_jm cos theta_jj'
    /// ```
    ///
    /// Source: Tian (2017), eq. 12; docs/theory/normal_equation.md, (N.5).
    ///
    /// - Shapes: `K^2 M` numbers, index `m` fastest, then `j'`.
    /// - Accuracy (measured, against 50 digits): absolute error at most `4 EPSILON`.
    pub fn teacher_projections(&self) -> Vec<f64> {
        let (k, m) = self.counts();
        let cells = (0..k * k * m).map(|i| (i / (k * m), i / m % k, i % m));
        let star =
            |j, onto, z| entry(self.teacher_angle(j, z), self.teacher_angle(onto, z), self.angle(j, onto));
        cells.map(|(j, onto, z)| star(j, onto, z)).collect()
    }

    /// `L_jj'` of every teacher's direction; `None` where `M_r` is not regular. The rows of a zero teacher hold zeros.
    ///
    /// ```text
    /// L_jj'(e*) = m*_jj' - v^T M_r^-1 m_jj',   v_l = h(angle(e*, e_l))
    /// ```
    ///
    /// Source: Tian (2017), eq. 14; docs/theory/normal_equation.md, (N.10). For two students in two dimensions the form
    /// without cancellation is used, (N.14).
    ///
    /// - Shapes: see [`ResidualProjections`]; the memory is that of `M K^2` numbers and `M`.
    /// - Accuracy: the errors are bounds, derived from those of the angles and the residual of an approximate inverse;
    ///   relative to the distance from the zeros for two students in two dimensions.
    pub fn residual_projections(&self) -> Option<ResidualProjections> {
        let (k, m) = self.counts();
        let zeros = vec![0.0; m * k * k];
        let mut out = ResidualProjections { k, values: zeros.clone(), errors: zeros };
        if self.planar && self.planar_projections(&mut out) {
            return Some(out);
        }
        let inverse = self.gram.inverse()?;
        let (table, stars) = (self.projections(), self.teacher_projections());
        for z in (0..m).filter(|&z| self.teacher_lengths[z] != 0.0) {
            let right: Vec<f64> = (0..k).map(|l| h(self.teacher_angle(l, z))).collect();
            let (c, errors) = inverse.solve(&self.gram, &right, 1.0);
            let mass: f64 = c.iter().map(|x| x.abs()).sum();
            for (pair, row) in table.chunks_exact(k).enumerate() {
                let drawn: f64 = row.iter().zip(&c).map(|(x, y)| x * y).sum();
                let carried: f64 = row.iter().zip(&errors).map(|(x, e)| x.abs() * e).sum();
                let rounding = (k as f64 + 4.0) * f64::EPSILON * (PI + PI * mass);
                out.values[z * k * k + pair] = stars[pair * m + z] - drawn;
                out.errors[z * k * k + pair] = ENTRY * (1.0 + mass) + carried + rounding;
            }
        }
        Some(out)
    }

    /// Two students in two dimensions; false where they are collinear.
    fn planar_projections(&self, out: &mut ResidualProjections) -> bool {
        let (first, second) = (self.students.row(0), self.students.row(1));
        for z in (0..self.teacher.rows()).filter(|&z| self.teacher_lengths[z] != 0.0) {
            let teacher = self.teacher.row(z);
            let angles = (self.teacher_angle(0, z), self.teacher_angle(1, z));
            let between = self.angle(0, 1);
            let Some(pair) = planar_pair((first, second, teacher), between, angles) else {
                return false;
            };
            // L vanishes where any of these does.
            let distances = [between.theta, between.psi, angles.0.theta, angles.1.theta];
            let slope: f64 = distances.iter().map(|d| 1.0 / d).sum();
            for (slot, value) in [(1, pair.0), (2, pair.1)] {
                out.values[z * 4 + slot] = value;
                let error = value.abs() * (RELATIVE + ROUNDED * slope);
                out.errors[z * 4 + slot] = if value == 0.0 { ROUNDED } else { error };
            }
        }
        true
    }

    /// Theorem 3 as a test: if `b_m L_jj'(v_m)` has one strict sign over all teachers for some pair, the students'
    /// directions belong to no critical point, whatever the lengths.
    ///
    /// A sign counts only beyond the bound on its error, in which the coordinates count as rounded once; so `excluded` is due
    /// neither to rounding here nor to that of the point. A point that was found only to some accuracy is another one than
    /// the critical point beside it, and may be excluded with a margin of the size of the gradient that it has left.
    ///
    /// Source: Tian (2017), Theorem 3; docs/theory/normal_equation.md, (N.11)-(N.13).
    ///
    /// - Domain: students whose output weight is zero exclude nothing, their gradient in `w_j` being zero; teachers of
    ///   weight or length zero do not count.
    pub fn theorem3(&self) -> Theorem3 {
        let none = Theorem3 { excluded: false, pair: None, margin: None };
        let Some(values) = self.residual_projections() else { return none };
        let (k, m) = self.counts();
        let active: Vec<usize> = (0..m).filter(|&z| self.teacher_lengths[z] != 0.0).collect();
        if active.is_empty() {
            return none;
        }
        let mut best: Option<((usize, usize), f64)> = None;
        for j in (0..k).filter(|&j| self.output[j] != 0.0) {
            for onto in (0..k).filter(|&onto| onto != j) {
                let least = |sign: f64| {
                    let part = |z: &usize| {
                        let signed = sign * self.teacher_lengths[*z].signum() * values.value(*z, (j, onto));
                        signed - values.error(*z, (j, onto))
                    };
                    active.iter().map(part).fold(f64::INFINITY, f64::min)
                };
                let margin = least(1.0).max(least(-1.0));
                if best.is_none_or(|(_, other)| margin > other) {
                    best = Some(((j, onto), margin));
                }
            }
        }
        let Some((pair, margin)) = best else { return none };
        Theorem3 { excluded: margin > 0.0, pair: Some(pair), margin: Some(margin) }
    }
}
