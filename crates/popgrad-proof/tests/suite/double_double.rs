//! References in twice the precision, for doubles taken exactly. Relative errors below 1e-29 where the tests ask.
//!
//! A code of its own: it shares nothing with the intervals under test, and nothing with the library's arithmetic.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// An unevaluated sum of two doubles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dd {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

/// pi/2 in three doubles.
const HALF_PI: [f64; 3] =
    [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_169_8e-33];

fn two_sum(a: f64, b: f64) -> Dd {
    let s = a + b;
    let t = s - a;
    Dd { hi: s, lo: (a - (s - t)) + (b - t) }
}

fn two_product(a: f64, b: f64) -> Dd {
    let p = a * b;
    Dd { hi: p, lo: a.mul_add(b, -p) }
}

fn renormalised(hi: f64, lo: f64) -> Dd {
    let s = hi + lo;
    Dd { hi: s, lo: lo - (s - hi) }
}

impl From<f64> for Dd {
    fn from(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }
}

impl Add for Dd {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        let s = two_sum(self.hi, o.hi);
        let t = two_sum(self.lo, o.lo);
        let s = renormalised(s.hi, s.lo + t.hi);
        renormalised(s.hi, s.lo + t.lo)
    }
}

impl Neg for Dd {
    type Output = Self;
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for Dd {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        self + -o
    }
}

impl Mul for Dd {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        let p = two_product(self.hi, o.hi);
        renormalised(p.hi, p.lo + (self.hi * o.lo + self.lo * o.hi))
    }
}

impl Div for Dd {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let first = self.hi / o.hi;
        let rest = self - o * Self::from(first);
        let second = rest.hi / o.hi;
        let rest = rest - o * Self::from(second);
        renormalised(first, second) + Self::from(rest.hi / o.hi)
    }
}

impl Dd {
    pub(crate) fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self::from(0.0);
        }
        let r = self.hi.sqrt();
        let rest = self - two_product(r, r);
        renormalised(r, rest.hi / (2.0 * r))
    }

    /// Whether this number, up to an error of 1e-29 of itself, lies between `lo` and `hi`.
    pub(crate) fn between(self, lo: f64, hi: f64) -> bool {
        let slack = 1e-29 * self.hi.abs();
        let above = (self - Self::from(lo)).hi;
        let below = (Self::from(hi) - self).hi;
        above >= -slack && below >= -slack
    }
}

/// Sine and cosine: reduced by a multiple of pi/2, then series of 17 terms, all in pairs of doubles.
pub(crate) fn sin_cos(x: f64) -> (Dd, Dd) {
    let n = (x / HALF_PI[0]).round();
    let mut rest = Dd::from(x);
    for part in HALF_PI {
        rest = rest - two_product(n, part);
    }
    let z = rest * rest;
    let (mut sine, mut cosine) = (Dd::from(0.0), Dd::from(0.0));
    let (mut s, mut c) = (rest, Dd::from(1.0));
    for k in 0..17_u32 {
        sine = sine + s;
        cosine = cosine + c;
        let k = f64::from(2 * k);
        s = -(s * z) / Dd::from((k + 2.0) * (k + 3.0));
        c = -(c * z) / Dd::from((k + 1.0) * (k + 2.0));
    }
    match n.rem_euclid(4.0) {
        0.0 => (sine, cosine),
        1.0 => (cosine, -sine),
        2.0 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

pub(crate) fn sinc(x: f64) -> Dd {
    if x == 0.0 { Dd::from(1.0) } else { sin_cos(x).0 / Dd::from(x) }
}

pub(crate) fn c2(x: f64) -> Dd {
    let half = sinc(x / 2.0);
    half * half / Dd::from(2.0)
}

/// Sum of `first * product of -z / (step n)` over 24 terms.
fn series(x: f64, first: f64, step: impl Fn(f64) -> f64) -> Dd {
    let z = Dd::from(x) * Dd::from(x);
    let (mut sum, mut term) = (Dd::from(0.0), Dd::from(1.0) / Dd::from(first));
    for n in 1..=24_u32 {
        sum = sum + term;
        term = -(term * z) / Dd::from(step(f64::from(n)));
    }
    sum
}

pub(crate) fn k3(x: f64) -> Dd {
    if x.abs() < 2.5 {
        return series(x, 6.0, |n| (2.0 * n + 2.0) * (2.0 * n + 3.0));
    }
    let d = Dd::from(x);
    (d - sin_cos(x).0) / (d * d * d)
}

pub(crate) fn kappa3(x: f64) -> Dd {
    if x.abs() < 2.5 {
        return series(x, 3.0, |n| 2.0 * n * (2.0 * n + 3.0));
    }
    let (s, c) = sin_cos(x);
    let d = Dd::from(x);
    (s - d * c) / (d * d * d)
}

/// The angle of a point off the origin: the double's angle and one correction by the sine of the difference.
pub(crate) fn atan2(y: Dd, x: Dd) -> Dd {
    let guess = y.hi.atan2(x.hi);
    let (s, c) = sin_cos(guess);
    let r = (x * x + y * y).sqrt();
    Dd::from(guess) + (y * c - x * s) / r
}

pub(crate) fn acos(c: f64) -> Dd {
    let one = Dd::from(1.0);
    atan2(((one - Dd::from(c)) * (one + Dd::from(c))).sqrt(), Dd::from(c))
}
