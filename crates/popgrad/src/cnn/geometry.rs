//! What loss, gradient and Hessian have in common at one student, whole or in the closed variables, formed without cancellation.

use super::{Cnn, CnnError, CnnForm, CnnScalars, CnnState, CnnStudent};
use crate::Angle;
use crate::angle::{Split, split};
use crate::arc_cosine::angular_c1;
use crate::double_double::Dd;
use crate::vector::{dot, power_of_two_scale};
use std::f64::consts::{PI, TAU};

/// Below this angle `pi - h` is formed from the angle, above it from the supplement; there is no cancellation in either.
const FROM_SUPPLEMENT: f64 = 1.2;

/// Sum in twice the precision, rounded once.
pub(super) fn sum(x: &[f64]) -> f64 {
    x.iter().fold(Dd::ZERO, |total, x| total + Dd::from(*x)).value()
}

/// `|u|` in twice the precision, for every finite vector whose length is finite.
pub(super) fn long_norm(u: &[f64]) -> Dd {
    let scale = power_of_two_scale(u);
    let square = u.iter().fold(Dd::ZERO, |total, x| {
        let x = x * scale;
        total + Dd::product(x, x)
    });
    square.sqrt() * Dd::from(1.0 / scale)
}

/// `pi - h(phi)`, to full relative accuracy also where `phi` is small (W.9).
pub(super) fn angular_gap(angle: Angle) -> f64 {
    if angle.theta > FROM_SUPPLEMENT {
        return PI - angular_c1(angle.psi);
    }
    let half = libm::sin(0.5 * angle.theta);
    TAU * half * half - angular_c1(angle.theta)
}

/// A filter in the closed variables.
pub(super) struct FilterGeometry {
    /// `|v|`.
    pub(super) norm: f64,
    /// `cos(phi)`.
    pub(super) cosine: f64,
    /// `y / |v|`, whose modulus is `sin(phi)`.
    pub(super) sine: f64,
    /// `phi` and `pi - phi`.
    pub(super) angle: Angle,
    /// `pi - h(phi)`.
    pub(super) gap: f64,
}

impl FilterGeometry {
    pub(super) fn of(state: &CnnState) -> Self {
        let (norm, angle) = (state.filter_norm(), state.angle());
        Self { norm, cosine: state.x / norm, sine: state.y / norm, angle, gap: angular_gap(angle) }
    }
}

/// A student as the closed forms see it. In the plain form `A = |v| a` stands in the place of `a` (W.11).
pub(super) struct Geometry {
    /// `s = |w*|`.
    pub(super) s: f64,
    /// `|v|`.
    pub(super) length: f64,
    /// The teacher's filter along and across `v`: `across` is `(I - uu^T) w*/s` with `u = v/|v|`.
    pub(super) split: Split,
    /// `pi - h(phi)`.
    pub(super) gap: f64,
    /// `A`, the output weights of the unit filter.
    pub(super) effective: Vec<f64>,
    /// `b = A - s a*`.
    pub(super) difference: Vec<f64>,
    /// `1.b`.
    pub(super) difference_sum: f64,
    /// `A.a*`.
    pub(super) alpha: f64,
}

impl Geometry {
    /// Checks the student and forms its geometry; `what` names the quantity that a zero filter has none of. With a
    /// zero filter of the plain form the angle is arbitrary, and multiplied by zero.
    pub(super) fn new(problem: &Cnn, student: CnnStudent<'_>, what: &'static str) -> Result<Self, CnnError> {
        student.check(problem)?;
        let zero = student.has_zero_filter();
        if zero && problem.form() == CnnForm::Normalised {
            return Err(CnnError::ZeroFilter { what });
        }
        let long_length = long_norm(student.filter);
        let factor = match problem.form() {
            CnnForm::Normalised => Dd::from(1.0),
            CnnForm::Plain => long_length,
        };
        let s = problem.long_norm();
        let effective: Vec<Dd> = student.output.iter().map(|a| factor * Dd::from(*a)).collect();
        let pairs = effective.iter().zip(problem.output());
        let difference: Vec<f64> = pairs.map(|(a, star)| (*a - s * Dd::from(*star)).value()).collect();
        let effective: Vec<f64> = effective.iter().map(|a| a.value()).collect();
        let axis = if zero { problem.filter() } else { student.filter };
        let split = split(axis, problem.filter());
        Ok(Self {
            s: s.value(),
            length: long_length.value(),
            gap: angular_gap(split.angle),
            split,
            difference_sum: sum(&difference),
            alpha: dot(&effective, problem.output()),
            effective,
            difference,
        })
    }
}

/// The result, unless it left the range of doubles.
pub(super) fn in_range(what: &'static str, results: &[f64]) -> Result<(), CnnError> {
    match crate::vector::first_non_finite(results) {
        None => Ok(()),
        Some(_) => Err(CnnError::OutOfRange { what }),
    }
}

impl Cnn {
    /// The angle and the four numbers that the loss sees of a student.
    ///
    /// ```text
    /// phi = angle(v, w*),   |v|,   alpha = a.a*,   S_a = 1.a,   |a|^2
    /// ```
    ///
    /// Source: Du et al. (2018), section 3; docs/theory/cnn.md, (W.3).
    ///
    /// - Shapes: `v` has `p` entries, `a` has `k`.
    /// - Domain: finite entries, `v` not zero.
    /// - Accuracy: `phi` and its supplement as [`crate::angle`]; `alpha` `2 EPSILON |a||a*|`, the others relative.
    ///
    /// # Errors
    ///
    /// [`CnnError::Length`], [`CnnError::NonFinite`], [`CnnError::ZeroFilter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStudent};
    /// let problem = Cnn::with_ratio(2, 2, 2.0)?;
    /// let scalars = problem.scalars(CnnStudent { filter: &[0.0, 2.0], output: &[1.0, -1.0] })?;
    /// assert_eq!((scalars.filter_norm, scalars.output_sum), (2.0, 0.0));
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn scalars(&self, student: CnnStudent<'_>) -> Result<CnnScalars, CnnError> {
        student.check(self)?;
        if student.has_zero_filter() {
            return Err(CnnError::ZeroFilter { what: "its angle with the teacher's" });
        }
        let scalars = CnnScalars {
            angle: split(student.filter, self.filter()).angle,
            filter_norm: long_norm(student.filter).value(),
            alpha: dot(student.output, self.output()),
            output_sum: sum(student.output),
            output_square: dot(student.output, student.output),
        };
        let CnnScalars { filter_norm, alpha, output_sum, output_square, .. } = scalars;
        in_range("a product of the student's weights", &[filter_norm, alpha, output_sum, output_square])?;
        Ok(scalars)
    }
}
