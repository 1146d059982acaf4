//! Steps towards a critical point of a chosen index: mode following far away, Newton's method on the gradient nearby.
//!
//! Far from a critical point the step goes along the eigenvectors of the Hessian, uphill along the lowest `m` of them
//! and downhill along the others, within a radius that follows how well the quadratic model predicts the gradient. Near one
//! it is Newton's step with the pseudo-inverse, which leaves the directions of the problem's symmetries alone
//! (docs/theory/critical.md, (Z.1)-(Z.3)).

use super::CriticalError;
use super::newton::SearchStatus;
use crate::vector::{dot, norm};
use crate::{Matrix, symmetric_eigenvectors};

/// Curvatures below this share of the largest one count as flat in a Newton step; larger, and points where the Hessian is
/// nearly singular are approached slowly; smaller, and rounding moves a point along its orbit.
const FLAT: f64 = 1e-11;
/// In the approach no curvature is taken smaller than this share of the largest one.
const LEAST_CURVATURE: f64 = 1e-6;
/// Error of the predicted gradient, relative to the gradient, above which a step is taken back.
const WORST_MODEL: f64 = 0.5;
/// Error below which the radius doubles.
const GOOD_MODEL: f64 = 0.15;
/// A radius below this share of the units' size ends the approach.
const LEAST_RADIUS: f64 = 1e-9;
/// Newton's method takes over once the gradient is below this share of the scale.
const NEAR: f64 = 1e-3;
/// Steps of Newton's method after the tolerance is met; each is kept only if the gradient shrinks.
const POLISH: usize = 2;

/// A function with gradient and Hessian: the full loss, or its restriction to a symmetric family.
pub(super) trait Curved {
    /// The gradient, or `None` where there is none.
    fn gradient(&self, point: &[f64]) -> Result<Option<Vec<f64>>, CriticalError>;
    /// The Hessian.
    fn hessian(&self, point: &[f64]) -> Result<Matrix, CriticalError>;
    /// The size of the terms that the gradient is summed from.
    fn scale(&self, point: &[f64]) -> f64;
    /// The size of a unit, in which steps are measured.
    fn size(&self) -> f64;
    /// Why the search ends at this point, if it does.
    fn refuses(&self, point: &[f64]) -> Option<SearchStatus>;
}

/// A search under way.
#[derive(Clone, Debug)]
pub(super) struct Steering {
    pub(super) point: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) steps: u64,
    pub(super) status: Option<SearchStatus>,
    index: usize,
    max_steps: u64,
    tolerance: f64,
    radius: f64,
    polished: usize,
    /// The approach has got stuck, and only Newton's method is tried.
    stuck: bool,
}

impl Steering {
    pub(super) fn new(
        function: &impl Curved,
        point: Vec<f64>,
        (index, max_steps, tolerance): (usize, u64, f64),
    ) -> Result<Self, CriticalError> {
        let gradient = function.gradient(&point)?;
        let status = gradient.is_none().then_some(SearchStatus::ZeroStudent);
        let gradient = gradient.unwrap_or_else(|| vec![0.0; point.len()]);
        let radius = 0.5 * function.size();
        let (steps, polished, stuck) = (0, 0, false);
        Ok(Self { point, gradient, steps, status, index, max_steps, tolerance, radius, polished, stuck })
    }

    pub(super) fn step(&mut self, function: &impl Curved) -> Result<(), CriticalError> {
        let (scale, size) = (function.scale(&self.point), function.size());
        let length = norm(&self.gradient);
        let met = length <= self.tolerance * scale;
        if met && (length == 0.0 || self.polished == POLISH) {
            self.status = Some(SearchStatus::Converged);
            return Ok(());
        }
        if self.steps >= self.max_steps {
            self.status = Some(if met { SearchStatus::Converged } else { SearchStatus::StepLimit });
            return Ok(());
        }
        if let Some(status) = function.refuses(&self.point) {
            self.status = Some(status);
            return Ok(());
        }
        self.polished += usize::from(met);
        self.steps += 1;
        let (values, vectors) = symmetric_eigenvectors(function.hessian(&self.point)?.view())?;
        let modes = Modes::new(&values, &vectors, &self.gradient);
        let near = self.stuck || length <= NEAR * scale;
        if near && self.try_newton(function, &modes, length)? {
            return Ok(());
        }
        if met {
            self.status = Some(SearchStatus::Converged);
        } else if self.stuck {
            self.status = Some(SearchStatus::Stalled);
        } else {
            self.approach(function, &modes, length)?;
            self.stuck = self.radius < LEAST_RADIUS * size;
        }
        Ok(())
    }

    /// Newton's step, halved up to four times; kept if the gradient shrinks.
    fn try_newton(
        &mut self,
        function: &impl Curved,
        modes: &Modes<'_>,
        length: f64,
    ) -> Result<bool, CriticalError> {
        let flat = FLAT * modes.largest();
        let step = modes.combine(|_, value, slope| -value * slope / (value * value + flat * flat));
        let mut factor = 1.0;
        for _ in 0..5 {
            let trial = self.moved(&step, factor);
            let gradient = function.gradient(&trial)?;
            if let Some(gradient) = gradient.filter(|g| norm(g) < (1.0 - 0.1 * factor) * length) {
                (self.point, self.gradient) = (trial, gradient);
                return Ok(true);
            }
            factor *= 0.5;
        }
        Ok(false)
    }

    /// A step along the modes, uphill along the lowest ones, within the radius.
    fn approach(
        &mut self,
        function: &impl Curved,
        modes: &Modes<'_>,
        length: f64,
    ) -> Result<(), CriticalError> {
        let least = LEAST_CURVATURE * modes.largest();
        let index = self.index;
        let mut step = modes.combine(|i, value, slope| {
            let size = slope / value.abs().max(least);
            if i < index { size } else { -size }
        });
        let long = norm(&step);
        if long > self.radius {
            step.iter_mut().for_each(|x| *x *= self.radius / long);
        }
        let trial = self.moved(&step, 1.0);
        let predicted = modes.predicted(&self.gradient, &step);
        let off = |gradient: &[f64]| {
            let difference: Vec<f64> = gradient.iter().zip(&predicted).map(|(a, b)| a - b).collect();
            norm(&difference) / length
        };
        let measured = function.gradient(&trial)?.map(|g| (off(&g), g));
        let Some((error, gradient)) = measured.filter(|(error, _)| *error <= WORST_MODEL) else {
            self.radius = 0.5 * self.radius.min(long);
            return Ok(());
        };
        (self.point, self.gradient) = (trial, gradient);
        if error < GOOD_MODEL {
            self.radius = (2.0 * self.radius).min(4.0 * function.size());
        }
        Ok(())
    }

    fn moved(&self, step: &[f64], factor: f64) -> Vec<f64> {
        self.point.iter().zip(step).map(|(x, s)| factor.mul_add(*s, *x)).collect()
    }
}

/// Eigenvalues, eigenvectors and the gradient's share of each.
struct Modes<'a> {
    values: &'a [f64],
    vectors: &'a Matrix,
    slopes: Vec<f64>,
}

impl<'a> Modes<'a> {
    fn new(values: &'a [f64], vectors: &'a Matrix, gradient: &[f64]) -> Self {
        let slopes = (0..values.len()).map(|i| dot(vectors.row(i), gradient)).collect();
        Self { values, vectors, slopes }
    }

    fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
    }

    /// `sum_i amount(i, lambda_i, u_i.g) u_i`.
    fn combine(&self, amount: impl Fn(usize, f64, f64) -> f64) -> Vec<f64> {
        let mut out = vec![0.0; self.values.len()];
        for (i, (value, slope)) in self.values.iter().zip(&self.slopes).enumerate() {
            let c = amount(i, *value, *slope);
            for (o, u) in out.iter_mut().zip(self.vectors.row(i)) {
                *o = c.mul_add(*u, *o);
            }
        }
        out
    }

    /// `g + H p`.
    fn predicted(&self, gradient: &[f64], step: &[f64]) -> Vec<f64> {
        let along: Vec<f64> = (0..self.values.len()).map(|i| dot(self.vectors.row(i), step)).collect();
        let change = self.combine(|i, value, _| value * along[i]);
        gradient.iter().zip(&change).map(|(g, c)| g + c).collect()
    }
}
