//! Leaky slopes, linear skips and covariances, by their exact reductions to ReLU units under white input.
//!
//! docs/theory/input_laws.md, (I.1), (I.4), and docs/theory/certified_points.md, (V.18), (V.19): with the sum of all units
//! `s = sum_j a_j w_j - sum_m b_m v_m` and the difference of the skips `D`,
//!
//! ```text
//! J = (1-alpha)^2 J_relu + alpha/2 |s|^2 + (1+alpha)/2 D.s + |D|^2/2
//! min over D: (1-alpha)^2 (J_relu - |s|^2/8)
//! ```

use crate::Interval;
use crate::points::PointError;
use popgrad::Matrix;

/// A linear term `c.x` of the student, beside one `c*.x` of the teacher.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PointSkip {
    /// Neither network has one.
    #[default]
    None,
    /// Both have one, and they stay as they are.
    Fixed {
        /// `c`, one coefficient an input.
        student: Vec<f64>,
        /// `c*`.
        teacher: Vec<f64>,
    },
    /// The student's is trained along with the weights, whatever that of the teacher is: it takes its best value at each point.
    Trained,
}

/// What a problem has beside ReLU units and white Gaussian input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointSetting {
    /// Slope of the activation below zero.
    pub leaky: f64,
    /// The linear skip.
    pub skip: PointSkip,
    /// Covariance of the input; none is the identity.
    pub covariance: Option<Matrix>,
}

impl PointSetting {
    /// Whether the skips differ, which rotations and permutations have to respect.
    pub(crate) fn pushes(&self) -> bool {
        matches!(&self.skip, PointSkip::Fixed { student, teacher } if student != teacher)
    }

    /// Whether there is nothing to reduce.
    pub(crate) fn is_plain(&self) -> bool {
        self.leaky == 0.0 && self.covariance.is_none() && self.skip != PointSkip::Trained && !self.pushes()
    }
}

/// The terms of the reduction.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Factor of the ReLU loss.
    pub(super) gain: Interval,
    /// Factor of `|s|^2 / 2`.
    pub(super) linear: Interval,
    /// The vector that multiplies `s`, in white coordinates.
    pub(super) push: Vec<Interval>,
    /// What does not depend on the weights.
    pub(super) constant: Interval,
    /// `L` row by row, `Sigma = L L^T`.
    pub(super) factor: Option<Vec<Interval>>,
}

fn refused(reason: impl Into<String>) -> PointError {
    PointError::Setting { reason: reason.into() }
}

impl Terms {
    pub(super) fn plain(d: usize) -> Self {
        Self {
            gain: Interval::ONE,
            linear: Interval::ZERO,
            push: vec![Interval::ZERO; d],
            constant: Interval::ZERO,
            factor: None,
        }
    }

    pub(super) fn of(setting: &PointSetting, d: usize) -> Result<Self, PointError> {
        if !setting.leaky.is_finite() {
            return Err(refused(format!("the slope {} is not finite", setting.leaky)));
        }
        let alpha = Interval::point(setting.leaky);
        let gain = (Interval::ONE - alpha).square();
        let factor = setting.covariance.as_ref().map(|sigma| cholesky(sigma, d)).transpose()?;
        let mut terms = Self { gain, linear: alpha, factor, ..Self::plain(d) };
        match &setting.skip {
            PointSkip::None => {}
            PointSkip::Trained => terms.linear = -gain * 0.25,
            PointSkip::Fixed { student, teacher } => {
                if student.len() != d || teacher.len() != d {
                    return Err(refused(format!(
                        "the skips have {} and {} coefficients; the input dimension is {d}",
                        student.len(),
                        teacher.len()
                    )));
                }
                if !student.iter().chain(teacher).all(|x| x.is_finite()) {
                    return Err(refused("a skip has an entry that is not finite"));
                }
                let difference: Vec<Interval> =
                    student.iter().zip(teacher).map(|(c, t)| Interval::point(*c) - *t).collect();
                let difference = terms.white(&difference);
                terms.constant = Interval::sum(difference.iter().map(|x| x.square())) * 0.5;
                let half = (Interval::ONE + alpha) * 0.5;
                terms.push = difference.into_iter().map(|x| half * x).collect();
            }
        }
        Ok(terms)
    }

    /// `L^T u`.
    pub(super) fn white(&self, u: &[Interval]) -> Vec<Interval> {
        let Some(factor) = &self.factor else { return u.to_vec() };
        let d = u.len();
        (0..d).map(|l| Interval::sum((l..d).map(|i| factor[i * d + l] * u[i]))).collect()
    }

    /// `L g`.
    pub(super) fn back(&self, g: Vec<Interval>) -> Vec<Interval> {
        let Some(factor) = &self.factor else { return g };
        let d = g.len();
        (0..d).map(|i| Interval::sum((0..=i).map(|l| factor[i * d + l] * g[l]))).collect()
    }
}

/// The lower factor of a positive definite matrix, in intervals.
fn cholesky(sigma: &Matrix, d: usize) -> Result<Vec<Interval>, PointError> {
    if (sigma.rows(), sigma.cols()) != (d, d) {
        return Err(refused(format!(
            "the covariance is {} x {}; {d} x {d} is needed",
            sigma.rows(),
            sigma.cols()
        )));
    }
    if !sigma.as_slice().iter().all(|x| x.is_finite()) {
        return Err(refused("the covariance has an entry that is not finite"));
    }
    let mut l = vec![Interval::ZERO; d * d];
    for j in 0..d {
        for i in j..d {
            if sigma.row(i)[j] != sigma.row(j)[i] {
                return Err(refused(format!("the covariance is not symmetric at [{i}, {j}]")));
            }
            let products = Interval::sum((0..j).map(|k| l[i * d + k] * l[j * d + k]));
            let rest = Interval::point(sigma.row(i)[j]) - products;
            if i > j {
                l[i * d + j] = rest / l[j * d + j];
            } else if rest.is_certainly_positive() {
                l[j * d + j] = rest.sqrt();
            } else {
                return Err(refused(format!(
                    "the covariance is not certainly positive definite, in row {j}"
                )));
            }
        }
    }
    Ok(l)
}
