//! Monte Carlo counterparts of the loss and of its gradient.

use super::driver::{Driver, Observer, Sums};
use super::sample_law::SampleLaw;
use super::{Estimate, MonteCarloError, SamplePlan, SampleProgress};
use crate::eight::{Eight, project};
use crate::lanes::{Lanes, on_lanes};
use crate::network::{activation, check_pair};
use crate::{Matrix, Network};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};

/// Loss and gradient estimated from samples, each number with its standard error.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkEstimate {
    /// Number of samples behind it.
    pub samples: u64,
    /// Loss `J`.
    pub loss: f64,
    /// Standard error of the loss.
    pub loss_error: f64,
    /// Gradient in the student's weights, one unit a row.
    pub weights: Matrix,
    /// Standard errors of that.
    pub weights_error: Matrix,
    /// Gradient in the student's output weights.
    pub output: Estimate,
    /// Gradient in the student's skip weights.
    pub skip: Estimate,
}

/// A resumable estimate of loss and gradient; see [`network_monte_carlo`].
#[derive(Clone, Debug)]
pub struct NetworkMonteCarlo {
    driver: Driver,
    sampled: Sampled,
}

/// Components in the sums: the loss, output weights, skip weights, weights row by row.
#[derive(Clone, Debug)]
struct Sampled {
    teacher: Network,
    student: Network,
    skip_gap: Vec<f64>,
    units: Vec<Eight>,
    sums: Sums,
}

impl Sampled {
    fn d(&self) -> usize {
        self.student.inputs()
    }

    /// First component of the skip weights.
    fn skip_at(&self) -> usize {
        1 + self.student.units()
    }

    /// First component of unit `j`'s weights.
    fn weights_at(&self, j: usize) -> usize {
        self.skip_at() + (1 + j) * self.d()
    }

    #[inline(always)]
    fn see_group<S: Simd>(&mut self, simd: S, x: &[Eight], active: f64x8<S>) {
        let student = self.student.eval_eight(simd, x, Some(&mut self.units));
        let teacher = self.teacher.eval_eight(simd, x, None);
        let residual = (student - teacher + project(simd, &self.skip_gap, x)) * active;
        self.sums.add(simd, 0, residual * residual * f64x8::splat(simd, 0.5));
        let (alpha, one) = (f64x8::splat(simd, self.student.leaky()), f64x8::splat(simd, 1.0));
        let skip_at = self.skip_at();
        for (i, x) in x.iter().enumerate() {
            self.sums.add(simd, skip_at + i, residual * x.load(simd));
        }
        for j in 0..self.student.units() {
            let z = self.units[j].load(simd);
            self.sums.add(simd, 1 + j, residual * activation(simd, self.student.leaky(), z));
            let slope = z.simd_gt(f64x8::splat(simd, 0.0)).select(one, alpha);
            let factor = residual * slope * f64x8::splat(simd, self.student.output()[j]);
            let at = self.weights_at(j);
            for (i, x) in x.iter().enumerate() {
                self.sums.add(simd, at + i, factor * x.load(simd));
            }
        }
    }
}

impl Observer for Sampled {
    #[inline(always)]
    fn see<S: Simd>(&mut self, simd: S, x: &[Eight], active: &[Eight]) {
        for (x, active) in x.chunks_exact(self.d()).zip(active) {
            self.see_group(simd, x, active.load(simd));
        }
    }

    fn sums(&mut self) -> &mut Sums {
        &mut self.sums
    }
}

impl NetworkMonteCarlo {
    /// Sets up the estimate; arguments and errors as for [`network_monte_carlo`].
    ///
    /// # Errors
    ///
    /// [`MonteCarloError`], as there.
    pub fn try_new(
        teacher: &Network,
        student: &Network,
        law: SampleLaw,
        plan: SamplePlan,
    ) -> Result<Self, MonteCarloError> {
        check_pair(teacher, student)?;
        let (units, d) = (student.units(), student.inputs());
        let sampled = Sampled {
            skip_gap: student.skip().iter().zip(teacher.skip()).map(|(c, t)| c - t).collect(),
            teacher: teacher.clone(),
            student: student.clone(),
            units: vec![Eight::default(); units],
            sums: Sums::new(1 + units + d + units * d),
        };
        Ok(Self { driver: Driver::try_new(law, d, plan)?, sampled })
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
    pub fn estimate(&self) -> NetworkEstimate {
        let (s, samples) = (&self.sampled, self.driver.samples_done());
        let (units, d) = (s.student.units(), s.d());
        let part = |from: usize, len: usize| s.sums.estimate(samples, from..from + len);
        let (loss, weights) = (part(0, 1), part(s.weights_at(0), units * d));
        let matrix = |data: Vec<f64>| {
            let mut m = Matrix::zeros(units, d);
            m.as_mut_slice().copy_from_slice(&data);
            m
        };
        NetworkEstimate {
            samples,
            loss: loss.mean[0],
            loss_error: loss.standard_error[0],
            weights: matrix(weights.mean),
            weights_error: matrix(weights.standard_error),
            output: part(1, units),
            skip: part(s.skip_at(), d),
        }
    }
}

/// Monte Carlo estimate of the loss and its gradient, with standard errors.
///
/// ```text
/// r(x) = g(x) - g*(x),   J = E[r^2]/2,   dJ/dw_j = a_j E[r s'(w_j.x) x],   dJ/da_j = E[r s(w_j.x)],   dJ/dc = E[r x]
/// ```
///
/// Source: Tian (2017), eq. 2 and 8 divided by the number of samples; docs/theory/sampling.md, (M.17).
///
/// - Shapes: as many gradient rows as the student has units, each of the input dimension.
/// - Domain: one input dimension and one leaky slope for both networks; a unit at zero contributes the slope `alpha`.
/// - Accuracy: the standard errors; rounding is below `1e-12` of them.
///
/// # Errors
///
/// [`MonteCarloError`].
///
/// # Examples
///
/// ```
/// use popgrad::{Matrix, Network, SampleLaw, SamplePlan, network_monte_carlo};
/// let teacher = Network::try_new(Matrix::from_rows(&[[1.0, 0.0]]))?;
/// let student = Network::try_new(Matrix::from_rows(&[[-1.0, 0.0]]))?;
/// let plan = SamplePlan { samples: 100_000, seed: 0 };
/// let sampled = network_monte_carlo(&teacher, &student, SampleLaw::Gaussian, plan)?;
/// // relu(-x) - relu(x) = -x, so J = 1/2.
/// assert!((sampled.loss - 0.5).abs() < 5.0 * sampled.loss_error);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn network_monte_carlo(
    teacher: &Network,
    student: &Network,
    law: SampleLaw,
    plan: SamplePlan,
) -> Result<NetworkEstimate, MonteCarloError> {
    let mut machine = NetworkMonteCarlo::try_new(teacher, student, law, plan)?;
    while machine.advance(u64::MAX) != SampleProgress::Done {}
    Ok(machine.estimate())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, RandomStream};

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let mut stream = RandomStream::new(12, 0);
        let mut net = |units| {
            let mut weights = Matrix::zeros(units, 5);
            stream.fill_normal(weights.as_mut_slice());
            Network::try_new(weights).unwrap().with_leaky(0.1).unwrap()
        };
        let (teacher, student) = (net(2), net(3));
        let results = Level::available().into_iter().map(|level| {
            let plan = SamplePlan { samples: 2001, seed: 4 };
            let mut machine =
                NetworkMonteCarlo::try_new(&teacher, &student, SampleLaw::Gaussian, plan).unwrap();
            while machine.advance_at(Lanes::new(level).expect("available"), 600) != SampleProgress::Done {}
            machine.estimate()
        });
        let results: Vec<NetworkEstimate> = results.collect();
        assert!(results.iter().all(|r| r == &results[0]), "{results:?}");
    }
}
