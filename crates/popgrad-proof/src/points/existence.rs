//! A ball that holds exactly one zero of the gradient, and balls that hold none.
//!
//! docs/theory/certified_points.md, (V.5)-(V.7): in the coordinates `y` of approximate eigenvectors, `W = W_0 + V^T y`, the map
//! `y - diag(1/lambda) V grad J(W_0 + V^T y)` takes a ball of radius `rho` into itself and contracts it where
//! `Y + Z rho < rho`, with `Y` a bound of the Newton step at 0 and `Z` one of `I - diag(1/lambda) V H V^T` over the ball.

use super::PointReason;
use super::gauge::Gauge;
use super::newton::{Guess, eigenbasis};
use crate::Interval;
use crate::enclosed_matrix::{EnclosedMatrix, norm_up, raised};
use crate::landscape::Landscape;
use popgrad::{Matrix, MatrixView};

/// The first ball, relative to the point; smaller ones follow if its factor is too large.
const FIRST_BALL: f64 = 1e-6;
/// A ball is accepted with a factor below this.
const FACTOR: f64 = 0.5;
/// Balls that are tried.
const TRIES: usize = 6;

/// What is needed to prove a zero near a guess.
pub(super) struct Existence<'a> {
    pub(super) landscape: &'a Landscape,
    pub(super) guess: &'a Guess,
    pub(super) gauge: &'a Gauge,
}

/// A certified zero of the gradient.
pub(super) struct Found {
    /// The guess.
    pub(super) center: Matrix,
    /// The zero is within this distance of the guess.
    pub(super) radius: f64,
    /// It is the only one within this distance, on the slice.
    pub(super) unique_radius: f64,
}

/// The box of all points within a distance.
pub(super) fn around(center: &Matrix, radius: f64) -> Vec<Interval> {
    center.as_slice().iter().map(|x| Interval::ball(*x, radius)).collect()
}

impl Existence<'_> {
    /// The zero, and the frame: tangents of the orbit, then eigenvectors, as rows.
    pub(super) fn prove(&self) -> Result<(Found, Vec<f64>), PointReason> {
        let center = &self.guess.weights;
        let n = center.as_slice().len();
        let forced = self.gauge.dimension();
        let kept = n - forced.min(n);
        let values = &self.guess.values[..kept];
        let slice: Vec<f64> = self.guess.vectors[..kept].concat();
        let tangents = self.gauge.actions(&around(center, 0.0));
        let mut frame: Vec<f64> = tangents.iter().flatten().map(|x| x.middle()).collect();
        frame.extend(&slice);
        let gram = EnclosedMatrix::exact(n, n, frame.clone()).transposed().times_left(&frame);
        let skew = gram.distance_from_identity(&vec![1.0; n]);
        let steps: Vec<f64> = values.iter().map(|x| 1.0 / x).collect();
        let residual = self.residual(&slice, &steps)?;
        let failed = |factor: f64| PointReason::NoContraction {
            residual,
            factor,
            near_zero: self.guess.near_zero(),
            explained: forced,
        };
        if !(skew < 0.1 && residual.is_finite()) {
            return Err(failed(f64::INFINITY));
        }
        let (ball, factor) = self.ball(&slice, &steps, residual, skew).map_err(failed)?;
        // Lengths in y and in W differ by the skewness of the frame.
        let radius = raised(residual / (1.0 - raised(factor, 1)) * (1.0 + skew), 8);
        self.transversal(&frame, &around(center, radius))?;
        let unique_radius = ball * (1.0 - 2.0 * skew);
        Ok((Found { center: center.clone(), radius, unique_radius }, frame))
    }

    /// `Y`: an upper bound of the length of the Newton step on the slice.
    fn residual(&self, slice: &[f64], steps: &[f64]) -> Result<f64, PointReason> {
        let gradient = self.landscape.gradient(&around(&self.guess.weights, 0.0))?;
        let along = EnclosedMatrix::from_intervals(gradient.len(), 1, &gradient).times_left(slice);
        let parts: Vec<f64> = steps
            .iter()
            .enumerate()
            .map(|(i, s)| raised(along.entry(i, 0).magnitude() * s.abs(), 1))
            .collect();
        Ok(norm_up(&parts))
    }

    /// A radius `rho` with `Y + Z rho < rho`, and `Z`; or the last `Z`.
    fn ball(&self, slice: &[f64], steps: &[f64], residual: f64, skew: f64) -> Result<(f64, f64), f64> {
        let center = &self.guess.weights;
        let n = center.as_slice().len();
        contracting_ball(norm_up(center.as_slice()), residual, steps, |ball| {
            let over = around(center, raised(ball * (1.0 + skew), 4));
            let hessian = self.landscape.hessian(&over).ok()?;
            Some(EnclosedMatrix::from_intervals(n, n, &hessian).congruent(slice))
        })
    }

    /// On the slice the gradient has no part along the slice, and it never has one along the orbit. Where both together
    /// span the space, which holds if this matrix is near the identity, it vanishes.
    fn transversal(&self, frame: &[f64], enclosure: &[Interval]) -> Result<(), PointReason> {
        let forced = self.gauge.dimension();
        if forced == 0 {
            return Ok(());
        }
        let n = enclosure.len();
        let mut columns: Vec<Interval> = self.gauge.actions(enclosure).concat();
        columns.extend(frame[forced * n..].iter().map(|x| Interval::point(*x)));
        let product = EnclosedMatrix::from_intervals(n, n, &columns).transposed().times_left(frame);
        let defect = product.distance_from_identity(&vec![1.0; n]);
        if defect < 0.9 { Ok(()) } else { Err(PointReason::NotTransversal { defect }) }
    }
}

/// A radius `rho` with `Y + Z rho < rho`, and `Z`, where `turned` encloses `V H V^T` over the ball; or the last `Z`.
pub(super) fn contracting_ball(
    size: f64,
    residual: f64,
    steps: &[f64],
    turned: impl Fn(f64) -> Option<EnclosedMatrix>,
) -> Result<(f64, f64), f64> {
    let mut ball = FIRST_BALL * size;
    let mut factor = f64::INFINITY;
    for _ in 0..TRIES {
        let Some(turned) = turned(ball) else {
            ball *= 0.1;
            continue;
        };
        factor = turned.distance_from_identity(steps);
        if factor < FACTOR && raised(residual + factor * ball, 4) < ball {
            return Ok((ball, factor));
        }
        ball *= (0.5 * FACTOR / factor).clamp(1e-3, 0.1);
        if ball <= residual || ball.is_nan() {
            break;
        }
    }
    Err(factor)
}

/// Why no zero of the gradient lies within `radius` of a point, if that can be shown.
pub(super) fn excluded(landscape: &Landscape, point: MatrixView<'_>, radius: f64) -> Option<PointReason> {
    gradient_keeps_sign(landscape, point, radius).or_else(|| {
        let center = point.to_matrix();
        newton_step_too_long(landscape, &center, &around(&center, radius), radius)
    })
}

/// A component of the gradient that does not vanish within `radius`, if there is one.
pub(super) fn gradient_keeps_sign(
    landscape: &Landscape,
    point: MatrixView<'_>,
    radius: f64,
) -> Option<PointReason> {
    let gradient = landscape.gradient(&around(&point.to_matrix(), radius)).ok()?;
    let sizes = gradient.iter().map(|g| g.mignitude()).enumerate();
    let (component, size) = sizes.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (size > 0.0).then_some(PointReason::GradientSign { radius, component, size })
}

/// (V.7): a zero at `W_0 + V^T y` makes the Newton step at `W_0` at most `(1 + Z) |y|` long.
fn newton_step_too_long(
    landscape: &Landscape,
    center: &Matrix,
    enclosure: &[Interval],
    radius: f64,
) -> Option<PointReason> {
    let n = enclosure.len();
    let frame = eigenbasis(landscape, center.view(), 0).ok()?;
    let gram = EnclosedMatrix::exact(n, n, frame.clone()).transposed().times_left(&frame);
    let skew = gram.distance_from_identity(&vec![1.0; n]);
    let hessian = landscape.hessian(enclosure).ok()?;
    let turned = EnclosedMatrix::from_intervals(n, n, &hessian).congruent(&frame);
    let steps: Vec<f64> = (0..n).map(|i| 1.0 / turned.entry(i, i).middle()).collect();
    if skew > 0.1 || steps.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let factor = turned.distance_from_identity(&steps);
    let gradient = landscape.gradient(&around(center, 0.0)).ok()?;
    let along = EnclosedMatrix::from_intervals(n, 1, &gradient).times_left(&frame);
    let parts = steps.iter().enumerate().map(|(i, s)| (along.entry(i, 0) * *s).square());
    let step = Interval::sum(parts).sqrt().lo();
    let longest = raised((1.0 + factor) * radius * (1.0 + 2.0 * skew), 16);
    (step > longest).then_some(PointReason::NoZero { radius, step })
}
