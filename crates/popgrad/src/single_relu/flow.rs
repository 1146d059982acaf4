//! The exact solution of gradient flow for one student and one teacher, in any dimension.
//!
//! The solution of `dw/dt = -grad J` is elementary (docs/theory/single_relu.md, (S.9)):
//!
//! ```text
//! q(t) = exp(-t/2) w_0 + (psi_0/pi) (1 - exp(-t/2)) v,   psi = pi - theta the angle to -v
//! w(t) = (psi(t)/psi_0) q(t),   psi(t) = angle(q(t), -v)
//! ```
//!
//! Time is per-sample flow time, angles are in radians. The flow converges to `v` from every start but zero and
//! the open ray along `-v`, on which it shrinks to zero.

use super::SingleReluError;
use crate::angle::{Angle, VectorError, check_pair, split};
use crate::angular_c1;
use crate::vector::norm;
use std::f64::consts::{PI, TAU};

/// Gradient flow of one student from a start `w_0` with a teacher `v`, solved exactly.
///
/// ```
/// use popgrad::SingleReluFlow;
/// let flow = SingleReluFlow::try_new(&[-0.9, 0.3], &[1.0, 0.0])?;
/// let w = flow.position(40.0)?;
/// assert!((w[0] - 1.0).abs() < 1e-7 && flow.loss(40.0)? < 1e-14);
/// # Ok::<(), popgrad::SingleReluError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SingleReluFlow {
    start: Vec<f64>,
    teacher: Vec<f64>,
    /// `w_0 - v`.
    offset: Vec<f64>,
    /// `|v|`.
    size: f64,
    /// `|w_0| / |v|`.
    ratio: f64,
    /// Angle between `w_0` and `v`.
    angle: Angle,
}

/// The solution at one time, in the plane of `w_0` and `v`.
struct Instant {
    /// `exp(-t/2)`.
    decay: f64,
    angle: Angle,
    /// `psi(t) / psi_0`, one on the line through `v`.
    growth: f64,
    /// `|w(t)| / |v|`.
    radius: f64,
}

/// `sin` of an angle, accurate near zero and near pi.
fn sine(angle: Angle) -> f64 {
    libm::sin(angle.theta.min(angle.psi))
}

impl SingleReluFlow {
    /// The flow from `start` towards `teacher`.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Vector`] if lengths differ, an entry is not finite or one of the vectors is zero.
    pub fn try_new(start: &[f64], teacher: &[f64]) -> Result<Self, SingleReluError> {
        check_pair(("w0", start), ("v", teacher))?;
        for (which, u) in [("w0", start), ("v", teacher)] {
            if u.iter().all(|x| *x == 0.0) {
                return Err(VectorError::Zero { which }.into());
            }
        }
        let parts = split(teacher, start);
        let size = norm(teacher);
        Ok(Self {
            start: start.to_vec(),
            teacher: teacher.to_vec(),
            offset: start.iter().zip(teacher).map(|(a, b)| a - b).collect(),
            size,
            ratio: parts.length / size,
            angle: parts.angle,
        })
    }

    /// Whether the flow ends at the teacher; if not, the start is exactly on the ray along `-v` and the end is zero.
    pub fn reaches_teacher(&self) -> bool {
        self.angle.psi > 0.0
    }

    /// The conserved quantity; infinite on the line through `v`.
    ///
    /// ```text
    /// C = (pi - theta) / (r sin(theta)) - pi cot(theta),   r = |w| / |v|
    /// ```
    ///
    /// Source: docs/theory/single_relu.md, (S.6).
    ///
    /// - Accuracy (measured, against 25 digits): relative `8 EPSILON`.
    pub fn conserved(&self) -> f64 {
        let across = self.ratio * sine(self.angle);
        if across == 0.0 {
            return f64::INFINITY;
        }
        (self.angle.psi - PI * self.ratio * libm::cos(self.angle.theta)) / across
    }

    /// Angle between `w(t)` and `v`.
    ///
    /// ```text
    /// pi cot(theta(t)) = pi cot(theta_0) + (pi - theta_0) / (r_0 sin(theta_0)) (exp(t/2) - 1)
    /// ```
    ///
    /// Source: docs/theory/single_relu.md, (S.7).
    ///
    /// - Accuracy (measured, against 25 digits): relative error of `theta` and of `psi` at most `4 EPSILON (1 + t)`.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Time`].
    pub fn angle(&self, time: f64) -> Result<Angle, SingleReluError> {
        Ok(self.at(time)?.angle)
    }

    /// Length of `w(t)` in units of `|v|`.
    ///
    /// Source: docs/theory/single_relu.md, (S.8).
    ///
    /// - Accuracy: as [`SingleReluFlow::position`].
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Time`].
    pub fn radius(&self, time: f64) -> Result<f64, SingleReluError> {
        Ok(self.at(time)?.radius)
    }

    /// The student `w(t)`.
    ///
    /// Source: docs/theory/single_relu.md, (S.9).
    ///
    /// - Shapes: length `d`.
    /// - Domain: finite `t >= 0`.
    /// - Accuracy (measured, against 25 digits, `t` up to 60): error at most `4 EPSILON (1 + t) |w(t)|` in each entry.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Time`].
    pub fn position(&self, time: f64) -> Result<Vec<f64>, SingleReluError> {
        let at = self.at(time)?;
        let towards = at.angle.psi / PI * -libm::expm1(-0.5 * time);
        let keep = at.growth * at.decay;
        Ok(self.start.iter().zip(&self.teacher).map(|(w, v)| keep * w + towards * v).collect())
    }

    /// The distance vector `w(t) - v`, accurate relative to its own length however small that is.
    ///
    /// ```text
    /// w(t) - v = exp(-t/2) (psi/psi_0) (w_0 - v) + (1/pi) [exp(-t/2) (psi/psi_0) theta_0 - theta] v
    /// ```
    ///
    /// Source: docs/theory/single_relu.md, (S.10).
    ///
    /// - Shapes: length `d`.
    /// - Accuracy (measured, against 60 digits, `t` up to 60): error at most `4 EPSILON (1 + t) |w(t) - v|` in each
    ///   entry, for starts whose angle to `-v` is above `0.03`.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Time`].
    pub fn deviation(&self, time: f64) -> Result<Vec<f64>, SingleReluError> {
        let at = self.at(time)?;
        Ok(self.deviation_at(&at))
    }

    /// The loss `J(w(t))`, accurate relative to itself however small it is.
    ///
    /// Source: docs/theory/single_relu.md, (S.3) with (S.10).
    ///
    /// - Accuracy (measured, against 60 digits, `t` up to 60): relative error at most `16 EPSILON (1 + t)`.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Time`].
    pub fn loss(&self, time: f64) -> Result<f64, SingleReluError> {
        let at = self.at(time)?;
        Ok(self.loss_at(&at))
    }

    /// The time at which the angle to the teacher has fallen to `theta`.
    ///
    /// ```text
    /// t = 2 ln(1 + pi r_0 sin(theta_0 - theta) / ((pi - theta_0) sin(theta)))
    /// ```
    ///
    /// Source: docs/theory/single_relu.md, (S.11).
    ///
    /// - Domain: `0 < theta <= theta_0`, for a start off the line through `v`.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Angle`].
    pub fn time_to_angle(&self, theta: f64) -> Result<f64, SingleReluError> {
        let high = if self.angle.psi > 0.0 { self.angle.theta } else { 0.0 };
        if !(theta > 0.0 && theta <= high) {
            return Err(SingleReluError::Angle { theta, low: 0.0, high });
        }
        let turned = PI * self.ratio * libm::sin(self.angle.theta - theta);
        Ok(2.0 * libm::log1p(turned / (self.angle.psi * libm::sin(theta))))
    }

    /// The time at which the loss has fallen to `loss`, by bisection on the exact loss.
    ///
    /// Source: docs/theory/single_relu.md, (S.12): the loss decreases strictly, like `exp(-t)` in the end.
    ///
    /// - Domain: losses from the limit of the flow (exclusive) to that of the start.
    /// - Accuracy: the bracket is halved until its ends are neighbouring doubles, so the time is as accurate as
    ///   [`SingleReluFlow::loss`] determines it.
    ///
    /// # Errors
    ///
    /// [`SingleReluError::Unreachable`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::SingleReluFlow;
    /// let flow = SingleReluFlow::try_new(&[2.0], &[1.0])?; // w(t) - 1 = exp(-t/2), J = exp(-t)/4
    /// assert!((flow.time_to_loss(1e-20 / 4.0)? - 20.0 * std::f64::consts::LN_10).abs() < 1e-13);
    /// # Ok::<(), popgrad::SingleReluError>(())
    /// ```
    pub fn time_to_loss(&self, loss: f64) -> Result<f64, SingleReluError> {
        let value = |time: f64| self.loss_at(&self.instant(time));
        let start = value(0.0);
        let limit = if self.reaches_teacher() { 0.0 } else { 0.25 * self.size * self.size };
        if !(loss > limit && loss <= start) {
            return Err(SingleReluError::Unreachable { loss, start, limit });
        }
        let (mut low, mut high) = (0.0, 1.0);
        while value(high) > loss {
            (low, high) = (high, 2.0 * high);
            if high > 1e4 {
                return Err(SingleReluError::Unreachable { loss, start, limit });
            }
        }
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return Ok(high);
            }
            if value(middle) > loss { low = middle } else { high = middle }
        }
    }

    fn at(&self, time: f64) -> Result<Instant, SingleReluError> {
        if time >= 0.0 && time.is_finite() {
            Ok(self.instant(time))
        } else {
            Err(SingleReluError::Time { time })
        }
    }

    /// (S.7) and (S.8), from the direction `q(t)`.
    fn instant(&self, time: f64) -> Instant {
        let decay = libm::exp(-0.5 * time);
        let towards = self.angle.psi / PI * -libm::expm1(-0.5 * time);
        let along = (decay * self.ratio).mul_add(libm::cos(self.angle.theta), towards);
        let across = decay * self.ratio * sine(self.angle);
        if self.angle.psi == 0.0 {
            return Instant { decay, angle: self.angle, growth: 1.0, radius: decay * self.ratio };
        }
        let angle = Angle { theta: libm::atan2(across, along), psi: libm::atan2(across, -along) };
        let growth = angle.psi / self.angle.psi;
        Instant { decay, angle, growth, radius: growth * libm::hypot(along, across) }
    }

    fn deviation_at(&self, at: &Instant) -> Vec<f64> {
        let keep = at.growth * at.decay;
        let turn = (keep * self.angle.theta - at.angle.theta) / PI;
        let on_ray = self.angle.psi == 0.0;
        let entry =
            |((w, v), d): ((&f64, &f64), &f64)| if on_ray { keep * w - v } else { keep * d + turn * v };
        self.start.iter().zip(&self.teacher).zip(&self.offset).map(entry).collect()
    }

    fn loss_at(&self, at: &Instant) -> f64 {
        let gap = norm(&self.deviation_at(at));
        let angular = at.radius * self.size * self.size * (angular_c1(at.angle.theta) / TAU);
        0.25 * gap * gap - angular
    }
}
