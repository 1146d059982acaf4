//! Critical points of the plane of Theorem 7: the teacher, the saddles on the diagonal, the spurious points.
//!
//! Derivation: docs/theory/symmetric.md, equations (Y.10) and (Y.15)-(Y.18). Eigenvalues belong to the field, so a
//! positive one is a direction that flow leaves along, in units of one per per-sample flow time.

use super::xy::{XyError, XyPlane};
use std::f64::consts::{PI, TAU};

/// Newton steps that [`XyPlane::find_spurious`] allows itself; six are enough for every `K` up to 10^6.
const NEWTON_STEPS: usize = 50;

/// A critical point of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct XyPoint {
    /// First coordinate.
    pub x: f64,
    /// Second coordinate.
    pub y: f64,
    /// Loss of the full network there.
    pub loss: f64,
    /// The two eigenvalues of the field's Jacobian in the plane, the smaller first.
    pub eigenvalues: [f64; 2],
}

/// Where gradient flow of the plane ends; see [`XyPlane::end_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XyEnd {
    /// The teacher `(1, 0)`.
    Teacher,
    /// The saddle on the positive diagonal.
    Saddle,
    /// The saddle on the negative diagonal.
    NegativeSaddle,
    /// The teacher with its two units exchanged, `(0, 1)`; for `K = 2` only.
    Exchanged,
    /// The point of [`XyPlane::find_spurious`]; for `K >= 3`.
    Spurious,
}

/// Eigenvalues of a symmetric 2 x 2 matrix `[[a, b], [b, d]]`, the smaller first.
pub(super) fn symmetric_eigenvalues(a: f64, b: f64, d: f64) -> [f64; 2] {
    let (mean, half) = (0.5 * (a + d), 0.5 * (a - d));
    let large = mean + libm::copysign(libm::hypot(half, b), mean);
    if large == 0.0 {
        return [0.0, 0.0];
    }
    let small = (a * d - b * b) / large;
    if small < large { [small, large] } else { [large, small] }
}

impl XyPlane {
    /// Where the field of the diagonal vanishes, on its positive or negative half (Y.10).
    pub(super) fn diagonal_rest(self, positive: bool) -> f64 {
        let k = self.k();
        let (root, angle) = ((k - 1.0).sqrt(), libm::atan((k - 1.0).sqrt()));
        if positive { (root + (PI - angle)) / (PI * k) } else { (angle - root) / (PI * k) }
    }

    /// The saddle `(x_s, x_s)` with `x_s > 0`, whose stable manifold is the positive half of the diagonal.
    ///
    /// ```text
    /// x_s = (sqrt(K-1) + pi - arccos(1/sqrt(K))) / (pi K)
    /// eigenvalues: -K/2 along (1, 1),  +K^2 / (2 sqrt(K-1) (pi - arccos(1/sqrt(K)) + sqrt(K-1))) along (K-1, -1)
    /// ```
    ///
    /// Source: Tian (2017), Theorem 7 (the point); docs/theory/symmetric.md, (Y.10) and (Y.15) (the eigenvalues).
    ///
    /// - Accuracy: relative `4 EPSILON` for point and eigenvalues (a few roundings).
    ///
    /// # Examples
    ///
    /// ```
    /// let saddle = popgrad::XyPlane::try_new(2)?.saddle();
    /// assert!((saddle.x - 0.5341549430918953).abs() < 1e-15);
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn saddle(&self) -> XyPoint {
        self.diagonal_point(true)
    }

    /// The second saddle, on the negative half of the diagonal, where every start `x = y < 0` ends.
    ///
    /// ```text
    /// x_- = -(sqrt(K-1) - arccos(1/sqrt(K))) / (pi K)
    /// eigenvalues: -K/2 along (1, 1),  +K^2 / (2 sqrt(K-1) (sqrt(K-1) - arccos(1/sqrt(K)))) along (K-1, -1)
    /// ```
    ///
    /// Source: docs/theory/symmetric.md, (Y.10) and (Y.15); not in the paper, whose region is `x > y >= 0`.
    ///
    /// - Accuracy: `64 EPSILON K / |x|` in the eigenvalues, measured against the Jacobian.
    pub fn negative_saddle(&self) -> XyPoint {
        self.diagonal_point(false)
    }

    fn diagonal_point(self, positive: bool) -> XyPoint {
        let (k, x) = (self.k(), self.diagonal_rest(positive));
        let unstable = k / (TAU * (k - 1.0).sqrt() * x.abs());
        XyPoint { x, y: x, loss: self.loss(&[x, x]), eigenvalues: [-0.5 * k, unstable] }
    }

    /// The matrix `A` of the linearised field at the teacher: `d(x-1, y)/dt = -A (x-1, y)`.
    ///
    /// ```text
    /// A = [[1/2 + (K-1)/2pi, (K-1)/4], [1/4, K/4 + 1/2pi]]
    /// ```
    ///
    /// Source: docs/theory/symmetric.md, (Y.16).
    pub fn linearisation(&self) -> [[f64; 2]; 2] {
        let k = self.k();
        [[0.5 + (k - 1.0) / TAU, 0.25 * (k - 1.0)], [0.25, 0.25 * k + 1.0 / TAU]]
    }

    /// The slowest rate of approach to the teacher: the smaller eigenvalue of [`XyPlane::linearisation`].
    ///
    /// Source: docs/theory/symmetric.md, (Y.16).
    ///
    /// # Examples
    ///
    /// ```
    /// let rate = popgrad::XyPlane::try_new(2)?.slowest_rate(); // 1/4 + 1/2pi
    /// assert!((rate - 0.4091549430918953).abs() < 1e-15);
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn slowest_rate(&self) -> f64 {
        let [[a, b], [c, d]] = self.linearisation();
        symmetric_eigenvalues(a, (b * c).sqrt(), d)[0]
    }

    /// Where gradient flow from `(x, y)` ends.
    ///
    /// ```text
    /// x > y: Teacher;   x = y > 0: Saddle;   x = y < 0: NegativeSaddle;   x < y: Exchanged (K = 2), Spurious (K >= 3)
    /// ```
    ///
    /// The diagonal is invariant and attracts to its two saddles exactly (proved, (Y.10)); for `K = 2` the
    /// half plane `x < y` is the mirror image of `x > y` (proved). For `x > y` the paper proves convergence for
    /// `x` in `(0, 1]`, `y` in `[0, 1]`; elsewhere, and for `x < y` with `K >= 3`, the answer is measured
    /// (docs/theory/symmetric.md, section 7). The separatrix is thus the diagonal.
    ///
    /// # Errors
    ///
    /// [`XyError::NonFinite`], [`XyError::Origin`].
    pub fn end_of(&self, x: f64, y: f64) -> Result<XyEnd, XyError> {
        self.field(x, y)?;
        Ok(if x > y {
            XyEnd::Teacher
        } else if x < y {
            if self.units() == 2 { XyEnd::Exchanged } else { XyEnd::Spurious }
        } else if x > 0.0 {
            XyEnd::Saddle
        } else {
            XyEnd::NegativeSaddle
        })
    }

    /// The critical point of the half plane `x < y` for `K >= 3`, which attracts that half plane.
    ///
    /// The point has `x < 0 < y` and positive loss. It is close to the teacher reflected in the line
    /// through the mean direction, `(2/K - 1, 2/K)`, where Newton's method starts. In the full space it is
    /// a saddle for `K = 3, 4, 5` and a strict local minimum from `K = 6` on: see
    /// [`XyPlane::spectrum`](Self::spectrum).
    ///
    /// Source: docs/theory/symmetric.md, (Y.17).
    ///
    /// - Accuracy (measured, against 25 digits, K from 3 to 20): absolute error of `x`, `y` at most `5 EPSILON`. The
    ///   iteration stops when the step no longer shrinks, so the point is accurate to rounding.
    ///
    /// # Errors
    ///
    /// [`XyError::NoSpuriousPoint`] for `K = 2`; [`XyError::NotFound`] with the last point and its residual.
    ///
    /// # Examples
    ///
    /// ```
    /// let point = popgrad::XyPlane::try_new(6)?.find_spurious()?;
    /// assert!((point.loss - 0.05566858132228338).abs() < 1e-14);
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn find_spurious(&self) -> Result<XyPoint, XyError> {
        if self.units() == 2 {
            return Err(XyError::NoSpuriousPoint);
        }
        let k = self.k();
        let (mut x, mut y) = (2.0 / k - 1.0, 2.0 / k);
        let mut last = f64::INFINITY;
        for _ in 0..NEWTON_STEPS {
            let [gx, gy] = self.slope(x, y);
            let [[a, b], [c, d]] = self.slope_jacobian(x, y);
            let det = a * d - b * c;
            let (sx, sy) = ((d * gx - b * gy) / det, (a * gy - c * gx) / det);
            let size = libm::hypot(sx, sy);
            if size >= last && size <= 1e-13 {
                return Ok(self.point_at(x, y));
            }
            (x, y, last) = (x - sx, y - sy, size);
        }
        let residual = self.slope(x, y);
        let residual = libm::hypot(residual[0], residual[1]);
        Err(XyError::NotFound { units: self.units(), iterations: NEWTON_STEPS, x, y, residual })
    }

    /// A point with its loss and the eigenvalues of the field there.
    fn point_at(self, x: f64, y: f64) -> XyPoint {
        let [[a, b], [_, d]] = self.slope_jacobian(x, y);
        let [low, high] = symmetric_eigenvalues(a, b / (self.k() - 1.0).sqrt(), d);
        XyPoint { x, y, loss: self.loss(&[x, y]), eigenvalues: [-high, -low] }
    }
}
