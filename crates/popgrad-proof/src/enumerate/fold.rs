//! Folds: ratios of the teachers' lengths at which two critical points meet and vanish.
//!
//! docs/theory/enumeration.md, (E.8): a zero of `f1`, `f2` and the determinant of their derivatives in `(theta, u)`, in the unknowns
//! `theta`, `u` and the ratio. Krawczyk's operator in three dimensions proves that it exists, is the only one in its box, and
//! is regular, which makes it a quadratic turning point.

use super::circle::Values;
use super::fold_check::FoldCertificate;
use crate::Interval;
use crate::environment::{EnvironmentError, check_environment};
use std::ops::{Add, Mul, Sub};

/// The box around the Newton point in which the fold is the only one.
const BALL: f64 = 1e-7;
/// Newton steps.
const STEPS: usize = 30;
/// Where the fold is for teachers at a right angle: a guess.
const AT_RIGHT_ANGLE: [f64; 3] = [0.807, 0.868, 0.1136];

/// A certified fold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fold {
    /// The angle between the students.
    pub theta: Interval,
    /// The place of the inner teacher in their cone, from 0 to 1.
    pub place: Interval,
    /// Length of the outer teacher over that of the inner one.
    pub ratio: Interval,
}

impl Fold {
    /// The certificate for teachers at an angle in degrees: the boxes of this fold, the ratio's and the others' somewhat wider.
    pub fn certificate(&self, degrees: f64) -> FoldCertificate {
        let found = [self.theta, self.place, self.ratio];
        let wider = |x: Interval| x + Interval::ball(0.0, 0.25 * x.width() + 4.0 * f64::EPSILON);
        FoldCertificate {
            degrees,
            enclosure: found.map(wider),
            unique: found.map(|x| Interval::ball(x.middle(), BALL)),
        }
    }
}

/// A function of two variables with its first and second derivatives over a box.
#[derive(Clone, Copy)]
struct Jet2 {
    value: Interval,
    first: [Interval; 2],
    /// In both variables: `11`, `12`, `22`.
    second: [Interval; 3],
}

impl Jet2 {
    fn constant(value: Interval) -> Self {
        Self { value, first: [Interval::ZERO; 2], second: [Interval::ZERO; 3] }
    }

    fn variable(value: Interval, which: usize) -> Self {
        let mut jet = Self::constant(value);
        jet.first[which] = Interval::ONE;
        jet
    }

    /// A function of this one, from its value and two derivatives.
    fn compose(&self, f: [Interval; 3]) -> Self {
        let [a, b] = self.first;
        let square = [a.square(), a * b, b.square()];
        let second = [0, 1, 2].map(|n| f[2] * square[n] + f[1] * self.second[n]);
        Self { value: f[0], first: [f[1] * a, f[1] * b], second }
    }
}

impl Add for Jet2 {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self {
            value: self.value + o.value,
            first: [0, 1].map(|n| self.first[n] + o.first[n]),
            second: [0, 1, 2].map(|n| self.second[n] + o.second[n]),
        }
    }
}

impl Sub for Jet2 {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        self + o * Self::constant(-Interval::ONE)
    }
}

impl Mul for Jet2 {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        let (a, b) = (self.first, o.first);
        let cross = [a[0] * b[0] * 2.0, a[0] * b[1] + a[1] * b[0], a[1] * b[1] * 2.0];
        Self {
            value: self.value * o.value,
            first: [0, 1].map(|n| a[n] * o.value + self.value * b[n]),
            second: [0, 1, 2].map(|n| self.second[n] * o.value + cross[n] + self.value * o.second[n]),
        }
    }
}

/// `H` and `H'` of a jet.
fn circle(x: &Jet2) -> [Jet2; 2] {
    let h = Values::over(x.value);
    [x.compose([h.value, h.first, h.second]), x.compose([h.first, h.second, h.third])]
}

/// `F(theta, phi)` of (E.1).
fn reduced(theta: Jet2, phi: Jet2) -> Jet2 {
    let pi = Jet2::constant(Interval::PI);
    let ([h, slope], [own, own_slope], [other, _]) = (circle(&theta), circle(&phi), circle(&(phi - theta)));
    slope * (pi * other - h * own) - (pi - h) * (pi + h) * own_slope
}

/// `f1`, `f2` and the determinant, with their derivatives in `theta`, `u` and the ratio.
pub(super) fn extended(
    angle: Interval,
    [theta, u, ratio]: [Interval; 3],
) -> ([Interval; 3], [[Interval; 3]; 3]) {
    let (t, u) = (Jet2::variable(theta, 0), Jet2::variable(u, 1));
    let (turn, one) = (Jet2::constant(angle), Jet2::constant(Interval::ONE));
    let places = [(u * t, turn), ((one - u) * t, Jet2::constant(-angle))];
    let outer = places.map(|(place, turn)| reduced(t, place + turn));
    let f = [0, 1].map(|n| reduced(t, places[n].0) + Jet2::constant(ratio) * outer[n]);
    let det = |a: [Interval; 2], b: [Interval; 2]| a[0] * b[1] - a[1] * b[0];
    // The derivative of the determinant in a variable, from those of the rows.
    let derived = |a: [Interval; 2], b: [Interval; 2]| det(a, f[1].first) + det(f[0].first, b);
    let rows = |n: usize| [f[0].second, f[1].second].map(|s| [s[n], s[n + 1]]);
    let by = [rows(0), rows(1), [outer[0].first, outer[1].first]].map(|[a, b]| derived(a, b));
    let values = [f[0].value, f[1].value, det(f[0].first, f[1].first)];
    let line = |n: usize| [f[n].first[0], f[n].first[1], outer[n].value];
    (values, [line(0), line(1), by])
}

/// The inverse of the middles of a matrix, a guess; none if it is singular.
fn inverse(m: &[[Interval; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let a = m.map(|row| row.map(Interval::middle));
    let minor = |i: usize, j: usize| {
        let (p, q, r, s) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        a[p][r] * a[q][s] - a[p][s] * a[q][r]
    };
    let det: f64 = (0..3).map(|j| a[0][j] * minor(0, j)).sum();
    let out = [0, 1, 2].map(|i| [0, 1, 2].map(|j| minor(j, i) / det));
    out.iter().flatten().all(|x| x.is_finite()).then_some(out)
}

/// Certifies a fold for teachers at an angle between 0 and pi, near a guess of `theta`, `u` and the ratio; none if that fails.
///
/// The teacher inside the students' cone has length 1 and the outer one stands at `angle` counterclockwise of it. As the ratio
/// passes the fold, two critical points of the enumeration meet and vanish.
///
/// Source: docs/theory/enumeration.md, (E.8).
///
/// # Errors
///
/// [`EnvironmentError`] if floating-point arithmetic is not what intervals need.
///
/// # Examples
///
/// ```
/// use popgrad_proof::{Interval, certify_fold};
/// let fold = certify_fold(Interval::PI / 2.0, [0.76, 0.87, 0.1136])?.unwrap();
/// assert!(fold.ratio.width() < 1e-9);
/// # Ok::<(), popgrad_proof::EnvironmentError>(())
/// ```
pub fn certify_fold(angle: Interval, guess: [f64; 3]) -> Result<Option<Fold>, EnvironmentError> {
    check_environment()?;
    let mut x = guess;
    for _ in 0..STEPS {
        let (values, slopes) = extended(angle, x.map(Interval::point));
        let Some(c) = inverse(&slopes) else { return Ok(None) };
        let step = c.map(|row| row.iter().zip(&values).map(|(c, f)| c * f.middle()).sum::<f64>());
        x = [0, 1, 2].map(|n| x[n] - step[n]);
    }
    Ok(proved(angle, x))
}

/// The fold at which the spurious minimum of two students vanishes, for teachers at an angle in degrees; none if it is not found.
///
/// It is followed from the right angle in steps of a degree; the last step is the proof.
///
/// # Errors
///
/// [`EnvironmentError`] if floating-point arithmetic is not what intervals need.
///
/// # Examples
///
/// ```
/// let fold = popgrad_proof::certify_threshold(60.0)?.unwrap();
/// assert!((fold.ratio.middle() - 0.1107).abs() < 1e-4);
/// # Ok::<(), popgrad_proof::EnvironmentError>(())
/// ```
pub fn certify_threshold(degrees: f64) -> Result<Option<Fold>, EnvironmentError> {
    if !(degrees > 0.0 && degrees < 180.0) {
        return Ok(None);
    }
    let steps = (degrees - 90.0).abs().ceil().max(1.0);
    let mut guess = AT_RIGHT_ANGLE;
    let mut n = 0.0;
    loop {
        let at = if n == steps { degrees } else { 90.0 + (degrees - 90.0) * (n / steps) };
        let Some(fold) = certify_fold(Interval::PI * at / 180.0, guess)? else { return Ok(None) };
        if n == steps {
            return Ok(Some(fold));
        }
        guess = [fold.theta, fold.place, fold.ratio].map(Interval::middle);
        n += 1.0;
    }
}

/// Krawczyk's operator on the box around a guess: the image, if it lies inside.
fn proved(angle: Interval, center: [f64; 3]) -> Option<Fold> {
    let whole = center.map(|x| Interval::ball(x, BALL));
    let (values, _) = extended(angle, center.map(Interval::point));
    let (_, slopes) = extended(angle, whole);
    let c = inverse(&slopes)?;
    let image = [0, 1, 2].map(|i| {
        let newton = Interval::sum((0..3).map(|j| values[j] * c[i][j]));
        let rest = Interval::sum((0..3).map(|j| {
            let product = Interval::sum((0..3).map(|l| slopes[l][j] * c[i][l]));
            let identity = if i == j { Interval::ONE } else { Interval::ZERO };
            (identity - product) * (whole[j] - center[j])
        }));
        Interval::point(center[i]) - newton + rest
    });
    let inside = image.iter().zip(&whole).all(|(x, y)| y.lo() < x.lo() && x.hi() < y.hi());
    let [theta, place, ratio] = image;
    let sensible = theta.is_certainly_positive() && ratio.is_certainly_positive();
    (inside && sensible).then_some(Fold { theta, place, ratio })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enumerate::plane::Arrangement;
    use crate::enumerate::system::System;

    /// The jets agree with the equations of the search and with difference quotients.
    #[test]
    fn the_extended_system_matches_the_equations() {
        let angle = Interval::point(1.25);
        let at = |x: [f64; 3]| extended(angle, x.map(Interval::point));
        let x = [0.8, 0.3, 0.4];
        let (values, slopes) = at(x);
        let system = System {
            inside: Interval::ONE,
            outside: Interval::point(x[2]),
            beta: angle,
            arrangement: Arrangement::General,
        };
        let [f1, f2] = system.equations(Interval::point(x[0]), Interval::point(x[1]));
        for (n, f) in [f1, f2].iter().enumerate() {
            assert!((values[n].middle() - f.value.middle()).abs() < 1e-13);
            assert!((slopes[n][0].middle() - f.by_theta.middle()).abs() < 1e-13);
            assert!((slopes[n][1].middle() - f.by_u.middle()).abs() < 1e-13);
        }
        let step = 1e-6;
        for n in 0..3 {
            let (mut up, mut down) = (x, x);
            up[n] += step;
            down[n] -= step;
            let (a, b) = (at(up).0, at(down).0);
            for m in 0..3 {
                let slope = (a[m].middle() - b[m].middle()) / (2.0 * step);
                assert!((slopes[m][n].middle() - slope).abs() < 1e-7, "{m} {n}");
            }
        }
    }

    #[test]
    fn a_bad_guess_proves_nothing() {
        for guess in [[0.1, 0.1, 5.0], [f64::NAN, 0.5, 0.1], [3.0, 0.5, -1.0]] {
            assert_eq!(proved(Interval::PI / 2.0, guess), None);
        }
    }
}
