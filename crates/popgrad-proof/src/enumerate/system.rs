//! The two equations of a critical point, with their derivatives over a box.
//!
//! ```text
//! F(theta, phi) = -D H'(phi) + H'(theta) [pi H(phi - theta) - h H(phi)],   D = pi^2 - h^2,  h = H(theta)
//! f1 = sum_k rho_k F(theta, phi_k),   f2 = sum_k rho_k F(theta, theta - phi_k)
//! phi = u theta for the teacher inside the cone, phi = u theta + beta for the one outside
//! ```
//!
//! docs/theory/enumeration.md, (E.1)-(E.4).

use super::circle::Values;
use super::plane::Arrangement;
use crate::Interval;

/// A value with its derivatives in `theta` and `u`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jet {
    pub(super) value: Interval,
    pub(super) by_theta: Interval,
    pub(super) by_u: Interval,
}

/// The system for one choice of the teacher inside the students' cone.
#[derive(Clone, Debug)]
pub(super) struct System {
    /// Length of the teacher inside.
    pub(super) inside: Interval,
    /// Length of the teacher outside.
    pub(super) outside: Interval,
    /// Angle from the teacher inside to the one outside, counterclockwise, between -pi and pi.
    pub(super) beta: Interval,
    /// How the teachers stand to each other.
    pub(super) arrangement: Arrangement,
}

/// `F` with its derivatives in `theta` and `phi`.
fn reduced(theta: Interval, at: &Values, phi: Interval) -> Jet {
    let (h, h1, h2) = (at.value, at.first, at.second);
    let d = (Interval::PI - h) * (Interval::PI + h);
    let (own, other) = (Values::over(phi), Values::over(phi - theta));
    let bracket = Interval::PI * other.value - h * own.value;
    Jet {
        value: h1 * bracket - d * own.first,
        by_theta: h * h1 * own.first * 2.0 + h2 * bracket
            - h1 * (Interval::PI * other.first + h1 * own.value),
        by_u: h1 * (Interval::PI * other.first - h * own.first) - d * own.second,
    }
}

impl System {
    /// `f1` and `f2` over a box.
    pub(super) fn equations(&self, theta: Interval, u: Interval) -> [Jet; 2] {
        let at = Values::over(theta);
        [0, 1].map(|n| self.with(&at, theta, u, n))
    }

    /// One of the two over a box.
    pub(super) fn equation(&self, theta: Interval, u: Interval, n: usize) -> Jet {
        self.with(&Values::over(theta), theta, u, n)
    }

    fn with(&self, at: &Values, theta: Interval, u: Interval, n: usize) -> Jet {
        let (share, turn, sign) =
            if n == 0 { (u, self.beta, 1.0) } else { (Interval::ONE - u, -self.beta, -1.0) };
        let inner = reduced(theta, at, share * theta);
        let outer = reduced(theta, at, share * theta + turn);
        let mix = |f: fn(&Jet) -> Interval| self.inside * f(&inner) + self.outside * f(&outer);
        let by_phi = mix(|j| j.by_u);
        Jet {
            value: mix(|j| j.value),
            by_theta: mix(|j| j.by_theta) + share * by_phi,
            by_u: theta * by_phi * sign,
        }
    }

    /// The students' lengths, from the radial equations: the first student clockwise of the teacher inside.
    pub(super) fn lengths(&self, theta: Interval, u: Interval) -> [Interval; 2] {
        let h = Values::over(theta).value;
        let at = |phi: Interval| Values::over(phi).value;
        let sum = |phi: Interval, turn: Interval| self.inside * at(phi) + self.outside * at(phi + turn);
        let (first, second) = (sum(u * theta, self.beta), sum((Interval::ONE - u) * theta, -self.beta));
        let d = (Interval::PI - h) * (Interval::PI + h);
        [(Interval::PI * first - h * second) / d, (Interval::PI * second - h * first) / d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::{Matrix, Student, TwoLayer};

    fn system() -> System {
        let length = Interval::point(0.75);
        System {
            inside: Interval::ONE,
            outside: length,
            beta: Interval::point(1.25),
            arrangement: Arrangement::General,
        }
    }

    /// With lengths from the radial equations the gradient at student 1 along student 2 is `-f1 / (2 pi) sin(theta) / D`.
    #[test]
    fn the_equations_are_the_gradient() {
        let system = system();
        let beta = 1.25;
        let v = Matrix::from_rows(&[[1.0, 0.0], [0.75 * libm::cos(beta), 0.75 * libm::sin(beta)]]);
        let problem = TwoLayer::try_new(v).unwrap();
        let mut compared = 0;
        for (theta, u) in [(0.7, 0.3), (1.9, 0.8), (2.8, 0.1), (0.3, 0.5)] {
            let (t, x) = (Interval::point(theta), Interval::point(u));
            let lengths = system.lengths(t, x).map(Interval::middle);
            let angles = [-u * theta, theta - u * theta];
            let rows = [0, 1].map(|j| [libm::cos(angles[j]), libm::sin(angles[j])].map(|e| e * lengths[j]));
            let w = Matrix::from_rows(&rows);
            let gradient = problem.gradient(Student::new(w.view())).unwrap().weights;
            let h = Values::over(t).value.middle();
            let scale = -libm::sin(theta) / (9.869_604_401_089_358 - h * h) / std::f64::consts::TAU;
            for (j, f) in system.equations(t, x).iter().enumerate() {
                let other = angles[1 - j];
                // A negative length turns a student around; the equations stand for the vector along its angle.
                if lengths.iter().any(|x| *x <= 0.0) {
                    continue;
                }
                let along = gradient.row(j)[0] * libm::cos(other) + gradient.row(j)[1] * libm::sin(other);
                let want = f.value.middle() * scale;
                assert!((along - want).abs() < 1e-13, "{theta} {u} {j}: {along:e} {want:e}");
                compared += 1;
            }
        }
        assert!(compared >= 4, "{compared}");
    }

    #[test]
    fn derivatives_hold_difference_quotients() {
        let system = system();
        let step = 1e-5;
        for (theta, u) in [(0.7, 0.3), (1.9, 0.8), (3.1, 0.05), (0.2, 0.99)] {
            let at = |t: f64, x: f64| system.equations(Interval::point(t), Interval::point(x));
            let over = system.equations(Interval::ball(theta, step), Interval::ball(u, step));
            for j in 0..2 {
                let t = (at(theta + step, u)[j].value.middle() - at(theta - step, u)[j].value.middle())
                    / (2.0 * step);
                let x = (at(theta, u + step)[j].value.middle() - at(theta, u - step)[j].value.middle())
                    / (2.0 * step);
                assert!(
                    over[j].by_theta.lo() - 1e-9 <= t && t <= over[j].by_theta.hi() + 1e-9,
                    "{theta} {u}"
                );
                assert!(over[j].by_u.lo() - 1e-9 <= x && x <= over[j].by_u.hi() + 1e-9, "{theta} {u}");
                assert!(over[j].by_theta.width() < 1e-2 && over[j].by_u.width() < 1e-2);
            }
        }
    }
}
