//! Monte Carlo counterpart of the gating function, by brute force over all coordinates.

use super::driver::{Driver, Observer, Sums};
use super::sample_law::SampleLaw;
use super::{Estimate, MonteCarloError, SamplePlan, SampleProgress};
use crate::VectorError;
use crate::angle::check_pair;
use crate::eight::{Eight, project_all};
use crate::lanes::fused;
use crate::lanes::{Lanes, on_lanes};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};

/// A resumable estimate of `F(e, w) = E[x 1(e.x > 0) relu(w.x)]`; see [`gating_monte_carlo`].
#[derive(Clone, Debug)]
pub struct GatingMonteCarlo {
    driver: Driver,
    sampled: Sampled,
}

/// The two vectors and the sums of each component.
#[derive(Clone, Debug)]
struct Sampled {
    e: Vec<f64>,
    w: Vec<f64>,
    sums: Sums,
}

impl Observer for Sampled {
    #[inline(always)]
    fn see<S: Simd>(&mut self, simd: S, x: &[Eight], active: &[Eight]) {
        let (first, second) = x.split_at(self.e.len());
        if second.is_empty() {
            let [gate] = self.gates(simd, [first], active);
            for (i, x) in first.iter().enumerate() {
                self.sums.add(simd, i, x.load(simd) * gate);
            }
            return;
        }
        let gates = self.gates(simd, [first, second], active);
        let sums = self.sums.sum.iter_mut().zip(&mut self.sums.squares);
        for ((sum, squares), (x0, x1)) in sums.zip(first.iter().zip(second)) {
            let (y0, y1) = (x0.load(simd) * gates[0], x1.load(simd) * gates[1]);
            sum.store(sum.load(simd) + y0 + y1);
            squares.store(fused(simd, y1, y1, fused(simd, y0, y0, squares.load(simd))));
        }
    }

    fn sums(&mut self) -> &mut Sums {
        &mut self.sums
    }
}

impl Sampled {
    /// `1(e.x > 0) relu(w.x)` of groups of eight samples, zero for those that do not count.
    #[inline(always)]
    fn gates<S: Simd, const G: usize>(&self, simd: S, x: [&[Eight]; G], active: &[Eight]) -> [f64x8<S>; G] {
        let zero = f64x8::splat(simd, 0.0);
        let [on_e, on_w] = project_all(simd, [&self.e, &self.w], x);
        let mut gates = [zero; G];
        for g in 0..G {
            let open = on_e[g].simd_gt(zero);
            gates[g] = open.select(on_w[g].max(zero), zero) * active[g].load(simd);
        }
        gates
    }
}

impl GatingMonteCarlo {
    /// Sets up the estimate; nothing is drawn yet. Arguments and errors as for [`gating_monte_carlo`].
    ///
    /// # Errors
    ///
    /// [`MonteCarloError`], as there.
    pub fn try_new(e: &[f64], w: &[f64], law: SampleLaw, plan: SamplePlan) -> Result<Self, MonteCarloError> {
        check_pair(("e", e), ("w", w))?;
        if e.iter().all(|x| *x == 0.0) {
            return Err(VectorError::Zero { which: "e" }.into());
        }
        let driver = Driver::try_new(law, e.len(), plan)?;
        Ok(Self { driver, sampled: Sampled { e: e.to_vec(), w: w.to_vec(), sums: Sums::new(e.len()) } })
    }

    /// Draws about `budget` more samples: whole batches, at least one. Where the work is cut changes no bit.
    pub fn advance(&mut self, budget: u64) -> SampleProgress {
        self.advance_at(Lanes::detect(), budget)
    }

    /// As [`Self::advance`], at a given instruction set.
    fn advance_at(&mut self, level: Lanes, budget: u64) -> SampleProgress {
        let count = self.driver.batches_for(budget);
        let (driver, sampled) = (&mut self.driver, &mut self.sampled);
        on_lanes!(level, simd => driver.run(simd, count, sampled));
        self.driver.progress()
    }

    /// The estimate from the samples drawn so far.
    pub fn estimate(&self) -> Estimate {
        self.sampled.sums.estimate(self.driver.samples_done(), 0..self.sampled.e.len())
    }
}

/// Monte Carlo estimate of the gating function, `F(e, w) = E[x 1(e.x > 0) relu(w.x)]`, with standard errors.
///
/// Every coordinate of every sample is drawn. For `N(0, I)` the result estimates [`crate::gating`]; for centred
/// rotation-invariant laws `kappa` times it, exactly; for other laws the closed form is an approximation.
///
/// Source: Tian (2017), Theorem 1, left-hand side, divided by the number of samples; docs/theory/sampling.md, (M.3).
///
/// - Shapes: `e`, `w` of length `d >= 1`; the estimate has `d` components.
/// - Domain: finite vectors, `e` not zero; parameters of the law as at [`SampleLaw`].
/// - Accuracy: the standard errors; rounding is below `1e-12` of them.
/// - Cost: about 1 ns a normal number at AVX-512; laws drawn one number at a time, from 4 ns (uniform) to 55 ns
///   (Student t).
///
/// # Errors
///
/// [`MonteCarloError`].
///
/// # Examples
///
/// ```
/// use popgrad::{SampleLaw, SamplePlan, gating, gating_monte_carlo};
/// let (e, w) = ([1.0, 0.0, 0.0], [1.0, 2.0, 0.0]);
/// let plan = SamplePlan { samples: 100_000, seed: 1 };
/// let sampled = gating_monte_carlo(&e, &w, SampleLaw::Gaussian, plan)?;
/// let exact = gating(&e, &w)?;
/// assert!((sampled.mean[1] - exact[1]).abs() < 5.0 * sampled.standard_error[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gating_monte_carlo(
    e: &[f64],
    w: &[f64],
    law: SampleLaw,
    plan: SamplePlan,
) -> Result<Estimate, MonteCarloError> {
    let mut machine = GatingMonteCarlo::try_new(e, w, law, plan)?;
    while machine.advance(u64::MAX) != SampleProgress::Done {}
    Ok(machine.estimate())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let mut stream = crate::RandomStream::new(11, 0);
        for (d, law) in [
            (7, SampleLaw::Gaussian),
            (10, SampleLaw::Uniform),
            (3, SampleLaw::Autoregressive { rho: 0.5, length: 9 }),
        ] {
            let (mut e, mut w) = (vec![0.0; d], vec![0.0; d]);
            stream.fill_normal(&mut e);
            stream.fill_normal(&mut w);
            let results = Level::available().into_iter().map(|level| {
                let level = Lanes::new(level).expect("available");
                let plan = SamplePlan { samples: 5003, seed: 3 };
                let mut machine = GatingMonteCarlo::try_new(&e, &w, law, plan).unwrap();
                while machine.advance_at(level, 700) != SampleProgress::Done {}
                machine.estimate()
            });
            let results: Vec<Estimate> = results.collect();
            assert!(results.iter().all(|r| r == &results[0]), "d = {d}, {law:?}: {results:?}");
        }
    }
}
