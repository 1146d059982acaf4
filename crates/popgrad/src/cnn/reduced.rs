//! The four numbers that the network of Du et al. (2018) moves in, and everything that depends on them only.
//!
//! Under gradient flow and gradient descent with weight normalisation the filter `v` and the output weights `a`
//! enter through `x = v.w*/|w*|`, `y = |v - x w*/|w*||`, `alpha = a.a*` and `S_a = 1.a`; the length `r` of the part of
//! `a` that is orthogonal to both `1` and `a*` closes the loss and the gradient norm as well. Inputs are standard
//! Gaussian, time is per-sample flow time, angles are in radians.
//! Derivation: docs/theory/cnn_dynamics.md, equations (W.40)-(W.48).

use super::geometry::{FilterGeometry, angular_gap, in_range};
use super::state::{check, check_finite};
use super::{CnnError, CnnState};
use crate::angle::Angle;
use crate::vector::{SAFE_MAX, SAFE_MIN};
use std::f64::consts::{PI, TAU};

/// Below this share of `|a*|^2` the part of `a*` orthogonal to `1` is rounding, and counts as zero.
const PARALLEL: f64 = 16.0 * f64::EPSILON;

/// The teacher of a convolutional network as far as the closed dynamics see it: four scalars.
///
/// ```
/// use popgrad::{CnnState, ReducedCnn};
/// let problem = ReducedCnn::try_new(4, 1.0, 1.0, 1.0)?; // k = 4, |w*| = 1, 1.a* = 1, |a*|^2 = 1
/// let teacher = problem.teacher_state(2.0);
/// assert_eq!(problem.field(&teacher)?, [0.0; 5]);
/// assert_eq!(problem.loss(&teacher)?, 0.0);
/// # Ok::<(), popgrad::CnnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReducedCnn {
    patches: usize,
    filter_norm: f64,
    output_sum: f64,
    output_square: f64,
}

impl ReducedCnn {
    /// The problem with `k` patches, `|w*|`, `S* = 1.a*` and `|a*|^2`.
    ///
    /// # Errors
    ///
    /// [`CnnError`], if `k` is zero, a number is not finite, `|w*|` or `|a*|^2` is not positive, `|w*|` or `|a*|` is not
    /// between 1e-140 and 1e140, or `S*^2 > k |a*|^2`, which no `a*` has (with one patch `S*^2 = |a*|^2`).
    pub fn try_new(
        patches: usize,
        filter_norm: f64,
        output_sum: f64,
        output_square: f64,
    ) -> Result<Self, CnnError> {
        if patches == 0 {
            return Err(CnnError::ZeroCount { name: "the number of patches k" });
        }
        check_finite("the teacher's [|w*|, 1.a*, |a*|^2]", &[filter_norm, output_sum, output_square])?;
        for (name, value) in [("|w*|", filter_norm), ("|a*|^2", output_square)] {
            if value <= 0.0 {
                return Err(CnnError::NotPositive { name, value });
            }
        }
        let problem = Self::of(patches, filter_norm, output_sum, output_square);
        problem.check_range()?;
        let ratio = problem.ratio();
        if ratio > problem.k() * (1.0 + PARALLEL) || (patches == 1 && ratio < 1.0 - PARALLEL) {
            return Err(CnnError::ratio(ratio, patches));
        }
        Ok(problem)
    }

    /// Refuses lengths whose squares leave the range of double precision.
    pub(super) fn check_range(&self) -> Result<(), CnnError> {
        let range = SAFE_MIN..SAFE_MAX;
        if range.contains(&self.filter_norm) && range.contains(&self.output_square.sqrt()) {
            return Ok(());
        }
        Err(CnnError::OutOfRange { what: "the length of the teacher's filter or output" })
    }

    /// The problem of scalars that a teacher has.
    pub(crate) fn of(patches: usize, filter_norm: f64, output_sum: f64, output_square: f64) -> Self {
        Self { patches, filter_norm, output_sum, output_square }
    }

    /// Number of patches `k`.
    pub fn patches(&self) -> usize {
        self.patches
    }

    /// `s = |w*|`.
    pub fn filter_norm(&self) -> f64 {
        self.filter_norm
    }

    /// `S* = 1.a*`.
    pub fn output_sum(&self) -> f64 {
        self.output_sum
    }

    /// `|a*|^2`.
    pub fn output_square(&self) -> f64 {
        self.output_square
    }

    /// `S*^2 / |a*|^2`, between 0 and `k`.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.41).
    ///
    /// - Accuracy (measured, against 50 digits): relative error at most `3 EPSILON`; from output weights, with what their
    ///   [`crate::Cnn::output_square`] and [`crate::Cnn::output_sum`] carry.
    pub fn ratio(&self) -> f64 {
        self.output_sum * self.output_sum / self.output_square
    }

    /// `k` as a number.
    pub(crate) fn k(&self) -> f64 {
        self.patches as f64
    }

    /// `k + pi - 1`, an eigenvalue of `11^T + (pi - 1) I`.
    pub(crate) fn width(&self) -> f64 {
        // pi - 1 is exact, so that one patch gives pi.
        self.k() + (PI - 1.0)
    }

    /// `B = |a*|^2 - S*^2/k`, the squared length of the part of `a*` orthogonal to `1`; zero where it is rounding.
    pub(crate) fn centred_square(&self) -> f64 {
        let rest = self.output_square - self.output_sum * self.output_sum / self.k();
        if rest <= PARALLEL * self.output_square { 0.0 } else { rest }
    }

    /// The teacher as a state, with a filter of the given length: `a = |w*| a*`, `phi = 0`.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.41).
    ///
    /// - Accuracy: one rounding an entry.
    pub fn teacher_state(&self, norm: f64) -> CnnState {
        let s = self.filter_norm;
        CnnState { x: norm, y: 0.0, overlap: s * self.output_square, sum: s * self.output_sum, rest: 0.0 }
    }

    /// The field of the gradient flow, `d/dt [x, y, alpha, S_a, r]`.
    ///
    /// ```text
    /// dx/dt     =  (s alpha (pi - phi) / (2 pi |v|)) sin^2(phi)
    /// dy/dt     = -(s alpha (pi - phi) / (2 pi |v|)) sin(phi) cos(phi)
    /// dalpha/dt = -(1/2pi) [S* S_a + (pi - 1) alpha - s (S*^2 + (h - 1) |a*|^2)]
    /// dS_a/dt   = -(1/2pi) [(k + pi - 1) S_a - s (k + h - 1) S*]
    /// dr/dt     = -((pi - 1)/2pi) r,     h = h(phi),  s = |w*|
    /// ```
    ///
    /// Source: Du et al. (2018), Theorem 3.1 projected; docs/theory/cnn_dynamics.md, (W.43), evaluated as (W.45), whose
    /// terms vanish at the teacher. One step of gradient descent on the whole network with step `eta` is exactly
    /// `state + eta field`, (W.46).
    ///
    /// - Units: per unit of per-sample flow time.
    /// - Domain: finite states whose filter is not zero.
    /// - Accuracy (measured, against 25 digits): `dx/dt`, `dy/dt` to `8 EPSILON s |alpha| / |v|`, the others to
    ///   `8 EPSILON` times the sum of their absolute terms.
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`], [`CnnError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CnnState, ReducedCnn};
    /// let problem = ReducedCnn::try_new(1, 1.0, 1.0, 1.0)?;
    /// let [dx, dy, ..] = problem.field(&CnnState::at_angle(2.0, 1.0, 0.5, 0.5))?;
    /// assert!(dx > 0.0 && dy < 0.0); // alpha > 0: the filter turns towards the teacher
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn field(&self, state: &CnnState) -> Result<[f64; 5], CnnError> {
        check(state)?;
        let field = self.slope(state).map(|g| 0.0 - g);
        in_range("the field", &field)?;
        Ok(field)
    }

    /// Minus the field, without checks: zero where the filter is zero.
    pub(crate) fn slope(&self, state: &CnnState) -> [f64; 5] {
        if state.x == 0.0 && state.y == 0.0 {
            return [0.0; 5];
        }
        let g = FilterGeometry::of(state);
        let turn = self.filter_norm * state.overlap * g.angle.psi / (TAU * g.norm);
        let [overlap, sum] = self.output_slope(state, g.gap);
        let rest = (PI - 1.0) / TAU * state.rest;
        [-turn * g.sine * g.sine, turn * g.sine * g.cosine, overlap, sum, rest]
    }

    /// (W.45): `a*.grad_a` and `1.grad_a` from the distances to the teacher and `pi - h`.
    fn output_slope(&self, state: &CnnState, gap: f64) -> [f64; 2] {
        let (s, sum, square) = (self.filter_norm, self.output_sum, self.output_square);
        let from_sum = state.sum - s * sum;
        let from_overlap = state.overlap - s * square;
        let turned = s * gap;
        [
            (sum * from_sum + ((PI - 1.0) * from_overlap + turned * square)) / TAU,
            (self.width() * from_sum + turned * sum) / TAU,
        ]
    }

    /// The field in the angle: `d/dt [phi, alpha, S_a]` for a filter of length `norm`, which the flow keeps.
    ///
    /// ```text
    /// dphi/dt = -(s alpha / (2 pi |v|^2)) (pi - phi) sin(phi),   alpha and S_a as in ReducedCnn::field
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.47).
    ///
    /// - Units: radians and per-sample flow time.
    /// - Domain: `0 <= phi <= pi`, `norm > 0`, finite numbers.
    /// - Accuracy (measured, against [`ReducedCnn::field`]): `8 EPSILON` times the sum of the absolute terms.
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::NotPositive`], [`CnnError::Angle`], [`CnnError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::ReducedCnn::try_new(3, 1.0, 0.0, 1.0)?;
    /// let [turning, ..] = problem.angle_field(1.0, 1.0, 0.2, 0.0)?;
    /// assert!(turning < 0.0);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn angle_field(&self, norm: f64, phi: f64, overlap: f64, sum: f64) -> Result<[f64; 3], CnnError> {
        check_finite("the arguments [|v|, phi, a.a*, 1.a]", &[norm, phi, overlap, sum])?;
        if norm <= 0.0 {
            return Err(CnnError::NotPositive { name: "|v|", value: norm });
        }
        if !(0.0..=PI).contains(&phi) {
            return Err(CnnError::Angle { value: phi });
        }
        let angle = Angle { theta: phi, psi: PI - phi };
        let turn = self.filter_norm * overlap * angle.psi * libm::sin(phi) / (TAU * norm * norm);
        let state = CnnState { x: 1.0, y: 0.0, overlap, sum, rest: 0.0 };
        let [overlap, sum] = self.output_slope(&state, angular_gap(angle));
        let field = [turn, overlap, sum].map(|g| 0.0 - g);
        in_range("the field", &field)?;
        Ok(field)
    }

    /// The loss of the whole network, `J = 1/2 E[(f - f*)^2]`.
    ///
    /// ```text
    /// J = (1/4pi) [(S_a - s S*)^2 + (pi - 1) |a - s a*|^2 + 2 s (pi - h(phi)) alpha]
    /// |a - s a*|^2 = (S_a - s S*)^2 / k + b^2 / B + r^2
    /// b = (alpha - s |a*|^2) - (S*/k) (S_a - s S*),   B = |a*|^2 - S*^2/k
    /// ```
    ///
    /// Source: Du et al. (2018), Theorem 3.1; docs/theory/cnn_dynamics.md, (W.42). Where `B = 0` the output weights of
    /// the teacher are equal, `alpha = S* S_a / k` carries nothing of its own, and the term drops out.
    ///
    /// - Units: squared output.
    /// - Domain: finite states; at a zero filter the student is zero and so is `f`.
    /// - Accuracy (measured, against 25 digits): `8 EPSILON` times the sum of the absolute terms of the first form.
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`], [`CnnError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CnnState, ReducedCnn};
    /// let problem = ReducedCnn::try_new(1, 1.0, 1.0, 1.0)?;
    /// let zero = CnnState::at_angle(1.0, 0.3, 0.0, 0.0); // a = 0: J = |w*|^2 |a*|^2 / 4
    /// assert!((problem.loss(&zero)? - 0.25).abs() < 1e-16);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn loss(&self, state: &CnnState) -> Result<f64, CnnError> {
        check(state)?;
        let loss = self.loss_unchecked(state);
        in_range("the loss", &[loss])?;
        Ok(loss)
    }

    /// [`ReducedCnn::loss`] without checks; at a zero filter that of a silent student.
    pub(crate) fn loss_unchecked(&self, state: &CnnState) -> f64 {
        if state.x == 0.0 && state.y == 0.0 {
            return self.silent_loss();
        }
        let turned = self.filter_norm * FilterGeometry::of(state).gap * state.overlap;
        let (from_sum, from_centre) = self.distances(state);
        let distance = self.square_of(from_sum, from_centre, state.rest);
        (from_sum * from_sum + ((PI - 1.0) * distance + 2.0 * turned)) / (2.0 * TAU)
    }

    /// The loss of the zero student.
    pub(crate) fn silent_loss(&self) -> f64 {
        let (s, sum) = (self.filter_norm, self.output_sum);
        s * s * (sum * sum + (PI - 1.0) * self.output_square) / (2.0 * TAU)
    }

    /// `S_a - s S*` and `b`, the distances to the teacher along `1` and along the rest of `a*`.
    fn distances(&self, state: &CnnState) -> (f64, f64) {
        let s = self.filter_norm;
        let from_sum = state.sum - s * self.output_sum;
        let from_overlap = state.overlap - s * self.output_square;
        (from_sum, from_overlap - self.output_sum / self.k() * from_sum)
    }

    /// The squared length of a vector of `R^k` with `1.u`, `u.b*` (`b* = a* - (S*/k) 1`) and the length of the rest.
    fn square_of(&self, sum: f64, centred: f64, rest: f64) -> f64 {
        let square = self.centred_square();
        let along = if square > 0.0 { centred * centred / square } else { 0.0 };
        sum * sum / self.k() + (along + rest * rest)
    }

    /// `|a|^2` of a state.
    ///
    /// ```text
    /// |a|^2 = S_a^2 / k + (alpha - S* S_a / k)^2 / B + r^2
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.42).
    ///
    /// - Accuracy (measured, against the sum of squares of `a`): `8 EPSILON |a|^2 |a*|^2 / B`.
    pub fn output_norm_squared(&self, state: &CnnState) -> f64 {
        self.square_of(state.sum, state.overlap - self.output_sum / self.k() * state.sum, state.rest)
    }

    /// Norms of the two gradients of the whole network, `|grad_v J|` and `|grad_a J|`.
    ///
    /// ```text
    /// |grad_v J|   = s |alpha| (pi - phi) sin(phi) / (2 pi |v|)
    /// |grad_a J|^2 = g_1^2 / k + g_b^2 / B + ((pi - 1)/2pi)^2 r^2
    /// g_1 = 1.grad_a J,   g_b = a*.grad_a J - (S*/k) g_1
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.48).
    ///
    /// - Units: loss per unit of `v`, loss per unit of `a`.
    /// - Domain: finite states whose filter is not zero.
    /// - Accuracy (measured, against the whole network): `16 EPSILON` times the sum of the absolute terms, over
    ///   `sqrt(B)` for the part along `a*`.
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`], [`CnnError::OutOfRange`].
    pub fn gradient_norms(&self, state: &CnnState) -> Result<[f64; 2], CnnError> {
        check(state)?;
        let norms = self.norms_unchecked(state);
        in_range("a norm of the gradient", &norms)?;
        Ok(norms)
    }

    /// [`ReducedCnn::gradient_norms`] without checks.
    pub(crate) fn norms_unchecked(&self, state: &CnnState) -> [f64; 2] {
        if state.x == 0.0 && state.y == 0.0 {
            return [0.0; 2];
        }
        let g = FilterGeometry::of(state);
        let filter = self.filter_norm * (state.overlap * g.sine).abs() * g.angle.psi / (TAU * g.norm);
        let (from_sum, from_centre) = self.distances(state);
        let turned = self.filter_norm * g.gap;
        let sum = (self.width() * from_sum + turned * self.output_sum) / TAU;
        let centred = ((PI - 1.0) * from_centre + turned * self.centred_square()) / TAU;
        let rest = (PI - 1.0) / TAU * state.rest;
        [filter, self.square_of(sum, centred, rest).sqrt()]
    }
}
