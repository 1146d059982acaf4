//! The four regions that the lines of the two students cut the plane into, and `F` in each of them.
//!
//! In every region `F` is a sum of few terms, each of the size of the result up to a small factor, with its zeros at
//! `phi = 0` and `phi = theta` as factors (docs/theory/normal_equation.md, (N.19)-(N.22)).

use super::theta::ThetaPart;
use crate::arc_cosine::angular_c1;
use std::f64::consts::{FRAC_PI_2, PI};

/// `pi - PI`: what the double `PI` lacks.
const PI_LOW: f64 = 1.224_646_799_147_353_2e-16;

/// Terms of the series for the divided difference of the sinc function; the remainder is under 1e-18 for sums up to pi.
const TERMS: usize = 15;

/// Where a teacher lies relative to two students at angle theta: its distances from the zeros of `F` and of the sine, each
/// accurate relatively.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Region {
    /// Between the students, `phi = x = theta - rest`.
    Inside { x: f64, rest: f64 },
    /// Between the second student and the first one's opposite, `phi = theta + y = theta + pi - far`.
    Ahead { y: f64, far: f64 },
    /// Between the opposites, `phi = pi + x = pi + theta - rest`.
    Opposite { x: f64, rest: f64 },
    /// Between the second student's opposite and the first one, `phi = -psi = far - pi`.
    Behind { psi: f64, far: f64 },
}

/// `pi - t` to full relative accuracy, `t` taken as exact.
pub(super) fn supplement(t: f64) -> f64 {
    (PI - t) + PI_LOW
}

impl Region {
    /// Of an angle `-pi <= phi <= 2 pi`, both angles taken as exact.
    pub(super) fn of(theta: f64, phi: f64) -> Self {
        if phi < 0.0 {
            let (psi, far) = (-phi, supplement(-phi));
            if far >= theta {
                return Self::Behind { psi, far };
            }
            // theta + psi - pi, the larger of the two taken from pi first, which is exact.
            let rest = if theta > psi { psi - (PI - theta) } else { theta - (PI - psi) };
            return Self::Opposite { x: far, rest: rest - PI_LOW };
        }
        if phi <= theta {
            return Self::Inside { x: phi, rest: theta - phi };
        }
        let rest = supplement(phi);
        if rest >= 0.0 {
            return Self::Ahead { y: phi - theta, far: theta + rest };
        }
        let x = -rest;
        if x <= theta {
            return Self::Opposite { x, rest: (theta + (PI - phi)) + PI_LOW };
        }
        // 2 pi - phi, which the double 2 PI misses by twice the low part.
        Self::Behind { psi: ((2.0 * PI - phi) + 2.0 * PI_LOW).max(0.0), far: x }
    }

    /// The mirror image at the bisector of the students, which takes `phi` to `theta - phi` and `L12` to `L21`.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Inside { x, rest } => Self::Inside { x: rest, rest: x },
            Self::Ahead { y, far } => Self::Behind { psi: y, far },
            Self::Opposite { x, rest } => Self::Opposite { x: rest, rest: x },
            Self::Behind { psi, far } => Self::Ahead { y: psi, far },
        }
    }

    /// `F`, which has the sign of `L12`.
    pub(super) fn numerator(self, t: &ThetaPart) -> f64 {
        match self {
            Self::Inside { x, rest } => inside(t, x, rest),
            Self::Ahead { y, far } => {
                let sine = sine(y, far);
                t.sine * t.s * angular_c1(y) - sine * (t.delta + y * t.ahead)
            }
            Self::Opposite { x, rest } => {
                let sine = sine(x, t.p + rest);
                let drawn = x * sine * t.det - t.eta * t.h * angular_c1(x);
                -(drawn + PI * t.eta * angular_c1(rest))
            }
            Self::Behind { psi, far } => {
                let sine = sine(psi, far);
                t.eta * t.k * angular_c1(psi) - sine * (PI * t.e - psi * t.behind)
            }
        }
    }
}

/// `sin t` from the smaller of `t` and its supplement.
fn sine(t: f64, supplement: f64) -> f64 {
    libm::sin(if t > FRAC_PI_2 { supplement } else { t })
}

/// `F = rest [(D + pi p s^2) sin x - 2 kappa p theta x (theta + x) T]`.
fn inside(t: &ThetaPart, x: f64, rest: f64) -> f64 {
    let sine = sine(x, t.p + rest);
    let bent = 2.0 * t.kappa * t.p * t.theta * x * (t.theta + x) * sinc_difference(t, x, rest);
    rest * ((t.det + PI * t.eta * t.sine) * sine - bent)
}

/// `T = (sinc u - sinc v) / (v^2 - u^2)` for `u = theta - x = rest` and `v = theta + x`; the denominator is `4 theta x`.
fn sinc_difference(t: &ThetaPart, x: f64, rest: f64) -> f64 {
    let sum = t.theta + x;
    if sum > PI {
        // sin v is negative here, so that nothing cancels.
        let first = sine(rest, t.p + x) / rest;
        let second = libm::sin((x - t.p).max(0.0)) / sum;
        let first = if rest > 0.0 { first } else { 1.0 };
        return (first + second) / (4.0 * t.theta * x);
    }
    let (u, v) = (rest * rest, sum * sum);
    // T = sum_n (-1)^(n+1) P_n / (2n+1)!,  P_1 = 1,  P_(n+1) = v^2 P_n + u^(2n)
    let (mut p, mut power, mut factorial, mut sum, mut sign) = (1.0, 1.0, 6.0, 0.0, 1.0);
    for n in 1..=TERMS {
        sum += sign * p / factorial;
        power *= u;
        p = v.mul_add(p, power);
        let m = (2 * n + 2) as f64;
        factorial *= m * (m + 1.0);
        sign = -sign;
    }
    sum
}
