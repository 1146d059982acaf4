//! The two-dimensional dynamics of an orthonormal teacher (Tian 2017, Theorem 7).
//!
//! With `K` orthonormal teacher units as the axes, the students `w_1 = (x, y, ..., y)` and its cyclic shifts
//! keep this form under gradient flow and gradient descent, so the whole network moves in the plane `(x, y)`.
//! For inputs `x ~ N(0, I)` this module evaluates the field of that motion, its Jacobian and the loss.
//! Derivation: docs/theory/symmetric.md, equations (Y.6)-(Y.13). Time is gradient-flow time of the per-sample
//! loss; the paper's time is this one divided by the number of samples, and its public code divides its step
//! by `2 pi`. Angles are in radians.

use crate::Kind;
use crate::angular_c1;
use crate::matrix::Matrix;
use crate::vector::power_of_two_scale;
use std::f64::consts::{FRAC_PI_2, PI, SQRT_2, TAU};
use thiserror::Error;

/// Why something about the plane of Theorem 7 could not be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum XyError {
    /// Fewer than two units were asked for.
    #[error("the plane (x, y) needs at least 2 units, got K = {units}")]
    Units {
        /// The number of units given.
        units: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("{coordinate} = {value} is not finite")]
    NonFinite {
        /// `"x"` or `"y"`.
        coordinate: &'static str,
        /// Its value.
        value: f64,
    },
    /// The field was asked for where all students vanish.
    #[error("at x = y = 0 all students vanish and the gradient has no direction; any other point is allowed")]
    Origin,
    /// The half plane x < y holds no spurious point.
    #[error(
        "for K = 2 the half plane x < y leads to (0, 1), the teacher in the other order; spurious points need K >= 3"
    )]
    NoSpuriousPoint,
    /// Newton's iteration did not settle.
    #[error(
        "no critical point of the half plane x < y found for K = {units} in {iterations} Newton steps: \
         last point ({x}, {y}), residual {residual:e}"
    )]
    NotFound {
        /// The number of units.
        units: usize,
        /// Steps made.
        iterations: usize,
        /// Last `x`.
        x: f64,
        /// Last `y`.
        y: f64,
        /// Length of the field there.
        residual: f64,
    },
}

impl XyError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotConverged,
            _ => Kind::Input,
        }
    }
}

/// The plane `(x, y)` of a network of `K` units with an orthonormal teacher.
///
/// ```
/// use popgrad::XyPlane;
/// let plane = XyPlane::try_new(5)?;
/// let [dx, dy] = plane.field(1e-3, 0.0)?;
/// assert!(dx > 1.13 && dy > 0.24); // the start of the detour of Figure 8
/// assert_eq!(plane.field(1.0, 0.0)?, [0.0, 0.0]); // the teacher
/// # Ok::<(), popgrad::XyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XyPlane {
    units: usize,
}

/// Everything about `(x, y)` that the formulas share; lengths are divided by `n = |w_1|`.
pub(super) struct Shape {
    /// `|w_1| = sqrt(x^2 + (K-1) y^2)`.
    pub(super) n: f64,
    /// `x / n = cos(theta)`, the angle to the unit's own teacher.
    pub(super) x: f64,
    /// `y / n = cos(theta*)`, the angle to another unit's teacher.
    pub(super) y: f64,
    /// `(x - y) / n`, with one rounding of the difference.
    pub(super) delta: f64,
    /// `(x + (K-1) y) / n`.
    pub(super) sum: f64,
    /// `sin(theta) = sqrt(K-1) |y| / n`.
    pub(super) own_sine: f64,
    /// `sin(theta*) = sqrt(x^2 + (K-2) y^2) / n`.
    pub(super) other_sine: f64,
    /// `|w_1 + w_2| sqrt(2) / n`, so that `sin(phi) = |delta| pair / sqrt(2)`.
    pub(super) pair: f64,
    /// `sin(phi)`, `phi` the angle between two students.
    pub(super) pair_sine: f64,
    /// `cos(phi)`.
    pub(super) pair_cosine: f64,
}

impl Shape {
    /// `theta`, the angle to the unit's own teacher.
    fn own_angle(&self) -> f64 {
        libm::atan2(self.own_sine, self.x)
    }

    /// `pi - theta`.
    fn own_supplement(&self) -> f64 {
        libm::atan2(self.own_sine, -self.x)
    }

    /// `pi - theta*`.
    fn other_supplement(&self) -> f64 {
        libm::atan2(self.other_sine, -self.y)
    }

    /// `beta = pi/2 - theta*`, accurate relative to itself.
    fn other_excess(&self) -> f64 {
        libm::atan2(self.y, self.other_sine)
    }

    /// `phi`, the angle between two students.
    fn pair_angle(&self) -> f64 {
        libm::atan2(self.pair_sine, self.pair_cosine)
    }

    /// `pi - phi`.
    pub(super) fn pair_supplement(&self) -> f64 {
        libm::atan2(self.pair_sine, -self.pair_cosine)
    }

    /// `alpha = pi/2 - phi`, accurate relative to itself.
    fn pair_excess(&self) -> f64 {
        libm::atan2(self.pair_cosine, self.pair_sine)
    }
}

/// `a sin(a) - 2 sin(a/2)^2 = a sin(a) + cos(a) - 1`, of order `a^2 / 2`.
fn excess_square(a: f64, sine: f64) -> f64 {
    let half = libm::sin(0.5 * a);
    a * sine - 2.0 * half * half
}

impl XyPlane {
    /// The plane for `units = K >= 2`.
    ///
    /// # Errors
    ///
    /// [`XyError::Units`] if `units < 2`.
    pub fn try_new(units: usize) -> Result<Self, XyError> {
        if units < 2 { Err(XyError::Units { units }) } else { Ok(Self { units }) }
    }

    /// The number of units `K`.
    pub fn units(&self) -> usize {
        self.units
    }

    /// `K` as a number.
    pub(super) fn k(self) -> f64 {
        self.units as f64
    }

    /// The field `(dx/dt, dy/dt)` of gradient flow.
    ///
    /// ```text
    /// -2pi dx/dt = pi x + (pi - phi)(K-1) y - (pi - theta) - S x
    /// -2pi dy/dt = pi y + (pi - phi)(x + (K-2) y) - (pi - theta*) - S y
    /// S = (K-1) (sin(theta*)/n - sin(phi)) + sin(theta)/n,   n = |w_1|
    /// cos(theta) = x/n,  cos(theta*) = y/n,  cos(phi) = (2 x y + (K-2) y^2) / n^2
    /// ```
    ///
    /// Source: Tian (2017), Theorem 7 and its proof, divided by the number of samples; evaluated as
    /// docs/theory/symmetric.md, (Y.9) near the teacher and (Y.11) near the diagonal.
    ///
    /// - Units: weight per unit of per-sample flow time.
    /// - Domain: every finite point but the origin, where the field has no limit; lengths from 1e-300 to 1e150.
    /// - Accuracy (measured, against 60 digits, K from 2 to 100): error at most `4 K EPSILON (1 + n)` in each
    ///   component; near `(1, 0)` at most `4 K EPSILON |(x - 1, y)|`, so full relative accuracy of
    ///   the vector. On the diagonal `x = y` the two components have the same bits, and close to it their
    ///   difference is accurate relative to `x - y`.
    ///
    /// # Errors
    ///
    /// [`XyError::NonFinite`], [`XyError::Origin`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::XyPlane;
    /// let [dx, dy] = XyPlane::try_new(3)?.field(0.7, 0.7)?;
    /// assert_eq!(dx.to_bits(), dy.to_bits());
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn field(&self, x: f64, y: f64) -> Result<[f64; 2], XyError> {
        Self::check(x, y)?;
        let [gx, gy] = self.slope(x, y);
        Ok([0.0 - gx, 0.0 - gy])
    }

    /// Loss of the full network, `J = 1/2 E[(sum_j relu(w_j.x) - sum_j relu(v_j.x))^2]`.
    ///
    /// ```text
    /// J = (K/2pi) [n^2 (pi + (K-1) h(phi))/2 - n (h(theta) + (K-1) h(theta*)) + (pi + K - 1)/2]
    /// ```
    ///
    /// Source: docs/theory/symmetric.md, (Y.12); evaluated in the form (Y.13), which is a sum of terms of
    /// second order in the distance to the teacher.
    ///
    /// - Units: squared output.
    /// - Domain: every finite point, the origin included.
    /// - Accuracy (measured, against 60 digits, K from 2 to 100): error at most `4 EPSILON K^2 (1 + n^2)`; within 0.02
    ///   of `(1, 0)` relative error at most `16 EPSILON`.
    ///
    /// # Errors
    ///
    /// [`XyError::NonFinite`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::XyPlane;
    /// let loss = XyPlane::try_new(2)?.loss_at(1.0 + 1e-9, 0.0)?;
    /// assert!((loss / 5e-19 - 1.0 - 1.0 / std::f64::consts::PI).abs() < 1e-6);
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn loss_at(&self, x: f64, y: f64) -> Result<f64, XyError> {
        match Self::check(x, y) {
            Ok(()) | Err(XyError::Origin) => Ok(self.loss(&[x, y])),
            Err(error) => Err(error),
        }
    }

    /// Derivatives of the field, rows `(dx/dt, dy/dt)`, columns `(x, y)`.
    ///
    /// Source: docs/theory/symmetric.md, (Y.14). Its eigenvalues are those of minus the full Hessian on the plane.
    ///
    /// - Units: one per unit of flow time.
    /// - Domain: every finite point but the origin; on the axes and on the diagonal the limit, which exists.
    /// - Accuracy (measured, against 60 digits): error at most `4 K EPSILON (1 + 1/n)`.
    ///
    /// # Errors
    ///
    /// [`XyError::NonFinite`], [`XyError::Origin`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::XyPlane;
    /// let plane = XyPlane::try_new(4)?;
    /// let (at, minus) = (plane.jacobian(1.0, 0.0)?, plane.linearisation());
    /// assert!((at[1][0] + minus[1][0]).abs() < 1e-15);
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn jacobian(&self, x: f64, y: f64) -> Result<[[f64; 2]; 2], XyError> {
        Self::check(x, y)?;
        Ok(self.slope_jacobian(x, y).map(|row| row.map(|v| -v)))
    }

    /// The students as rows: `x` on the diagonal, `y` elsewhere (`K x K`, in the teacher's basis).
    pub fn embed(&self, x: f64, y: f64) -> Matrix {
        let k = self.units;
        let mut weights = Matrix::zeros(k, k);
        for i in 0..k {
            weights.row_mut(i).fill(y);
            weights.row_mut(i)[i] = x;
        }
        weights
    }

    /// The teacher as rows: the identity (`K x K`).
    pub fn teacher(&self) -> Matrix {
        Matrix::identity(self.units, self.units)
    }

    /// Minus the field, into `out`: the first and the second entry of the gradient with respect to `w_1`.
    ///
    /// Gradient descent on the full network with step `eta` is `point - eta * out` in the plane. `out` is the
    /// gradient of `J / K` in the metric `dx^2 + (K-1) dy^2`, not the plain gradient of [`XyPlane::loss`].
    /// At the origin `out` is zero; a point that is not finite gives values that are not finite.
    ///
    /// # Panics
    ///
    /// If `point` or `out` has fewer than two entries.
    pub fn gradient(&self, point: &[f64], out: &mut [f64]) {
        let [gx, gy] =
            if point[0] == 0.0 && point[1] == 0.0 { [0.0, 0.0] } else { self.slope(point[0], point[1]) };
        out[0] = gx;
        out[1] = gy;
    }

    /// Loss of the full network at `point = [x, y]`; see [`XyPlane::loss_at`].
    ///
    /// # Panics
    ///
    /// If `point` has fewer than two entries.
    pub fn loss(&self, point: &[f64]) -> f64 {
        let (mut x, mut y) = (point[0], point[1]);
        if self.units == 2 && y > x {
            (x, y) = (y, x);
        }
        let k = self.k();
        if x == 0.0 && y == 0.0 {
            return k * (PI + k - 1.0) / (2.0 * TAU);
        }
        let s = self.shape(x, y);
        let xi = x - 1.0;
        let growth = self.norm_growth(x, y, s.n);
        // (Y.13): every term is of second order in (xi, y).
        let mean = (k - 1.0).mul_add(y, xi);
        let students = s.n * s.n * excess_square(s.pair_excess(), s.pair_cosine);
        let teachers = 2.0 * s.n * excess_square(s.other_excess(), s.y);
        let linear = FRAC_PI_2 * y * (k - 2.0).mul_add(y, 2.0 * xi);
        let pairs = (k - 1.0) * (growth * growth - linear + students - teachers);
        0.25 * k * (mean * mean + (pairs - 2.0 * s.n * angular_c1(s.own_angle())) / PI)
    }

    /// Finite and not the origin.
    fn check(x: f64, y: f64) -> Result<(), XyError> {
        for (coordinate, value) in [("x", x), ("y", y)] {
            if !value.is_finite() {
                return Err(XyError::NonFinite { coordinate, value });
            }
        }
        if x == 0.0 && y == 0.0 { Err(XyError::Origin) } else { Ok(()) }
    }

    /// Lengths and sines shared by all formulas, safe for tiny and huge points.
    pub(super) fn shape(self, x: f64, y: f64) -> Shape {
        let k = self.k();
        let scale = power_of_two_scale(&[x, y]);
        let (x, y) = (x * scale, y * scale);
        let n = (x * x + (k - 1.0) * y * y).sqrt();
        let (delta, plus) = ((x - y) / n, (x + y) / n);
        let sum = (k - 1.0).mul_add(y, x) / n;
        let (x, y) = (x / n, y / n);
        let pair = (2.0 * plus * plus + 4.0 * (k - 2.0) * y * y).sqrt();
        Shape {
            n: n / scale,
            x,
            y,
            delta,
            sum,
            own_sine: (k - 1.0).sqrt() * y.abs(),
            other_sine: (x * x + (k - 2.0) * y * y).sqrt(),
            pair,
            pair_sine: delta.abs() * pair / SQRT_2,
            pair_cosine: y * (k - 2.0).mul_add(y, 2.0 * x),
        }
    }

    /// `n - 1` without cancellation near the teacher.
    fn norm_growth(self, x: f64, y: f64, n: f64) -> f64 {
        if n > 4.0 {
            return n - 1.0;
        }
        ((x - 1.0) * (x + 1.0) + (self.k() - 1.0) * y * y) / (n + 1.0)
    }

    /// Minus the field; the point is finite and not the origin.
    pub(super) fn slope(self, x: f64, y: f64) -> [f64; 2] {
        if self.units == 2 && y > x {
            let [a, b] = self.slope(y, x);
            return [b, a];
        }
        if x == y {
            // (Y.10): linear on the diagonal.
            let g = 0.5 * self.k() * (x - self.diagonal_rest(x > 0.0));
            return [g, g];
        }
        if (x - y).abs() <= 0.5 * y.abs() {
            return self.slope_near_diagonal(x, y);
        }
        self.slope_by_differences(x, y)
    }

    /// (Y.9): every term vanishes with the distance to the teacher `(1, 0)`.
    fn slope_by_differences(self, x: f64, y: f64) -> [f64; 2] {
        let (k, s) = (self.k(), self.shape(x, y));
        let xi = x - 1.0;
        let (alpha, beta) = (s.pair_excess(), s.other_excess());
        // n (sin(phi) - sin(theta*)/n)
        let students = s.n * (s.pair_cosine * s.pair_cosine / (1.0 + s.pair_sine));
        let teachers = s.y * s.y / (1.0 + s.other_sine);
        let difference = self.norm_growth(x, y, s.n) + (teachers - students);
        let own = s.own_angle() - s.own_sine * s.x;
        let gx = PI * xi + own + (k - 1.0) * ((FRAC_PI_2 + alpha) * y + difference * s.x);
        let partner = (k - 2.0).mul_add(y, x);
        let turned = FRAC_PI_2 * (k - 2.0).mul_add(y, xi) + (alpha * partner - beta);
        let gy = PI * y + turned + ((k - 1.0) * difference - s.own_sine) * s.y;
        [gx / TAU, gy / TAU]
    }

    /// (Y.11): the sum `g_x + (K-1) g_y` and the difference `g_x - g_y`, which vanishes with `x - y`.
    fn slope_near_diagonal(self, x: f64, y: f64) -> [f64; 2] {
        let (k, s) = (self.k(), self.shape(x, y));
        let phi = s.pair_angle();
        let sines = (k - 1.0) * s.other_sine + s.own_sine;
        let total = (k - 1.0).mul_add(y, x);
        let supplements = s.own_supplement() + (k - 1.0) * s.other_supplement();
        let pairs = (k - 1.0) * (s.pair_supplement() + s.pair_sine);
        let sum = total * (PI + pairs) - supplements - s.sum * sines;
        // theta - theta*, from its sine and cosine
        let sine = -s.delta * (s.x + s.y) / (s.own_sine * s.y + s.x * s.other_sine);
        let turn = libm::atan2(sine, s.x * s.y + s.own_sine * s.other_sine);
        let difference = (x - y) * (phi + (k - 1.0) * s.pair_sine) + turn - s.delta * sines;
        [(sum + (k - 1.0) * difference) / (k * TAU), (sum - difference) / (k * TAU)]
    }

    /// Derivatives of minus the field, (Y.14).
    pub(super) fn slope_jacobian(self, x: f64, y: f64) -> [[f64; 2]; 2] {
        let (k, s) = (self.k(), self.shape(x, y));
        let (k1, k2) = (k - 1.0, k - 2.0);
        let (n, x, y, p, q) = (s.n, s.x, s.y, s.own_sine, s.other_sine);
        // x / sin(theta*), y / sin(theta*): the sine vanishes for K = 2 and x = 0 only.
        let (xq, yq) = if q > 0.0 { (x / q, y / q) } else { (0.0, 0.0) };
        // n dphi/dx and n dphi/dy; sum/pair is 0/0 for K = 2 and x = -y only, where its factor vanishes.
        let turn = if s.pair > 0.0 { 2.0 * SQRT_2 * s.sum / s.pair } else { 0.0 };
        let turn = if s.delta < 0.0 { -turn } else { turn };
        let (phi_x, phi_y) = (turn * y, -turn * x);
        let psi = s.pair_supplement();
        let first = x * s.pair_cosine - y;
        let second = k1 * y * s.pair_cosine - (x + k2 * y);
        let radial = [
            [
                -2.0 * p * p * p - k1 * (q + x * xq - 2.0 * x * x * q),
                2.0 * x * k1 * k1.sqrt() * y * y.abs() - k1 * (k2 * x * yq - 2.0 * k1 * x * y * q),
            ],
            [
                2.0 * p * y * x - k2 * y * xq + 2.0 * k1 * x * y * q,
                -2.0 * p * x * x - x * xq - k1 * (q + k2 * y * yq - 2.0 * k1 * y * y * q),
            ],
        ];
        let angular = [
            [PI + k1 * (s.pair_sine + phi_x * first), k1 * (psi + phi_y * first)],
            [psi + phi_x * second, PI + k2 * psi + k1 * s.pair_sine + phi_y * second],
        ];
        let at = |i: usize, j: usize| (angular[i][j] + radial[i][j] / n) / TAU;
        [[at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]]
    }
}
