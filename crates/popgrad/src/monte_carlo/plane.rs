//! The gating function's Monte Carlo estimate from two normal numbers a sample.

use super::bulk_normal::BulkNormal;
use super::{Estimate, MonteCarloError, SamplePlan, SampleProgress};
use crate::angle::{check_pair, split};
use crate::eight::{EIGHT, Eight};
use crate::lanes::fused;
use crate::lanes::{Lanes, on_lanes};
use crate::{RandomStream, VectorError};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};

/// Groups of eight samples in a batch.
const GROUPS: u64 = 512;
/// Samples in a batch.
const BATCH: u64 = GROUPS * EIGHT as u64;
/// Key tags of the two normals of each sample, and of the vector of everything else.
const PLANE_TAG: u8 = 3;
const REST_TAG: u8 = 4;

/// Sums over samples, with `y = 1(e.x > 0) relu(w.x)` and `z1, z2` the coordinates in the plane:
/// `y z1, y z2, y^2 z1^2, y^2 z1 z2, y^2 z2^2, y^2`.
type PlaneSums = [f64; 6];

/// A resumable estimate of the gating function from two normal numbers a sample; see
/// [`gating_monte_carlo_in_plane`].
#[derive(Clone, Debug)]
pub struct PlaneMonteCarlo {
    /// `e/|e|`.
    axis: Vec<f64>,
    /// Unit vector orthogonal to it in the plane of both; zeros if they are parallel.
    normal: Vec<f64>,
    /// Coordinates of `w` in the plane.
    w: [f64; 2],
    plan: SamplePlan,
    batch: u64,
    sums: PlaneSums,
}

impl PlaneMonteCarlo {
    /// Sets up the estimate; arguments and errors as for [`gating_monte_carlo_in_plane`].
    ///
    /// # Errors
    ///
    /// [`MonteCarloError`], as there.
    pub fn try_new(e: &[f64], w: &[f64], plan: SamplePlan) -> Result<Self, MonteCarloError> {
        check_pair(("e", e), ("w", w))?;
        if e.iter().all(|x| *x == 0.0) {
            return Err(VectorError::Zero { which: "e" }.into());
        }
        if plan.samples < 2 {
            return Err(MonteCarloError::TooFew { samples: plan.samples, least: 2 });
        }
        let s = split(e, w);
        let across = crate::vector::norm(&s.across);
        let normal = s.across.iter().map(|x| if across > 0.0 { x / across } else { 0.0 }).collect();
        let along = s.length * libm::cos(s.angle.theta);
        Ok(Self { axis: s.axis, normal, w: [along, s.length * across], plan, batch: 0, sums: [0.0; 6] })
    }

    /// Draws about `budget` more samples: whole batches, at least one. Where the work is cut changes no bit.
    pub fn advance(&mut self, budget: u64) -> SampleProgress {
        let count = budget.div_ceil(BATCH).clamp(1, (self.batches() - self.batch).max(1));
        on_lanes!(Lanes::detect(), simd => self.run(simd, count));
        if self.batch == self.batches() {
            SampleProgress::Done
        } else {
            SampleProgress::Running { done: self.done(), total: self.plan.samples }
        }
    }

    fn batches(&self) -> u64 {
        self.plan.samples.div_ceil(BATCH)
    }

    fn done(&self) -> u64 {
        (self.batch * BATCH).min(self.plan.samples)
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, count: u64) {
        for _ in 0..count.min(self.batches() - self.batch) {
            let left = self.plan.samples - self.done();
            let sums =
                plane_batch(simd, BulkNormal::new(self.plan.seed, PLANE_TAG, self.batch), self.w, left);
            for (total, sum) in self.sums.iter_mut().zip(sums) {
                *total += sum;
            }
            self.batch += 1;
        }
    }

    /// The estimate from the samples drawn so far.
    pub fn estimate(&self) -> Estimate {
        let n = self.done().max(1) as f64;
        let [y1, y2, s11, s12, s22, s] = self.sums.map(|x| x / n);
        let mut rest = vec![0.0; self.axis.len()];
        RandomStream::tagged(self.plan.seed, REST_TAG, 0).fill_normal(&mut rest);
        let [along, across] = [&self.axis, &self.normal].map(|u| crate::vector::dot(u, &rest));
        let scale = (s / n).sqrt();
        let component = |i: usize| {
            let (a, b) = (self.axis[i], self.normal[i]);
            let outside = rest[i] - along * a - across * b;
            let mean = y1 * a + y2 * b + scale * outside;
            let square = s11 * a * a + 2.0 * s12 * a * b + s22 * b * b + s * (1.0 - a * a - b * b).max(0.0);
            (mean, ((square - mean * mean).max(0.0) / (n - 1.0).max(1.0)).sqrt())
        };
        let (mean, standard_error) = (0..rest.len()).map(component).unzip();
        Estimate { samples: self.done(), mean, standard_error }
    }
}

/// Sums of one batch; samples beyond `left` do not count.
#[inline(always)]
fn plane_batch<S: Simd>(simd: S, mut normals: BulkNormal, w: [f64; 2], left: u64) -> PlaneSums {
    let splat = |c: f64| f64x8::splat(simd, c);
    let zero = splat(0.0);
    let mut sums = [zero; 6];
    let mut z = [Eight::default(); 2];
    for group in 0..GROUPS.min(left.div_ceil(EIGHT as u64)) {
        normals.fill(simd, &mut z);
        let mut active = Eight([1.0; EIGHT]);
        for (lane, a) in active.0.iter_mut().enumerate() {
            *a = f64::from(u8::from(group * (EIGHT as u64) + (lane as u64) < left));
        }
        let [z1, z2] = [z[0].load(simd), z[1].load(simd)];
        let product = fused(simd, z1, splat(w[0]), z2 * splat(w[1]));
        let y = z1.simd_gt(zero).select(product.max(zero), zero) * active.load(simd);
        let (y1, y2) = (y * z1, y * z2);
        sums[0] += y1;
        sums[1] += y2;
        sums[2] = fused(simd, y1, y1, sums[2]);
        sums[3] = fused(simd, y1, y2, sums[3]);
        sums[4] = fused(simd, y2, y2, sums[4]);
        sums[5] = fused(simd, y, y, sums[5]);
    }
    sums.map(|s| {
        let lanes: [f64; EIGHT] = s.into();
        lanes.iter().sum()
    })
}

/// Monte Carlo estimate of the gating function for `N(0, I)` from two normal numbers a sample.
///
/// A sample enters through its components in the plane of `e` and `w`; the sum of the `d - 2` others, given those, is
/// one normal vector of known size. The estimate has exactly the law of [`crate::gating_monte_carlo`]'s at a
/// cost that does not grow with `d`, but other random numbers, so it is not the same estimate.
///
/// Source: docs/theory/sampling.md, (M.15), (M.16).
///
/// - Shapes, domain: as [`crate::gating_monte_carlo`].
/// - Accuracy: the standard errors, in which the spread of the out-of-plane part is its expectation.
///
/// # Errors
///
/// [`MonteCarloError`].
///
/// # Examples
///
/// ```
/// use popgrad::{SamplePlan, gating, gating_monte_carlo_in_plane};
/// let (e, w) = ([1.0, 0.0, 0.0], [1.0, 2.0, 0.0]);
/// let sampled = gating_monte_carlo_in_plane(&e, &w, SamplePlan::default())?;
/// assert!((sampled.mean[1] - gating(&e, &w)?[1]).abs() < 5.0 * sampled.standard_error[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gating_monte_carlo_in_plane(
    e: &[f64],
    w: &[f64],
    plan: SamplePlan,
) -> Result<Estimate, MonteCarloError> {
    let mut machine = PlaneMonteCarlo::try_new(e, w, plan)?;
    while machine.advance(u64::MAX) != SampleProgress::Done {}
    Ok(machine.estimate())
}
