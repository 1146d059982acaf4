//! What all Monte Carlo machines share: the count of batches, and sums that become means and standard errors.

use super::sample_law::{Batch, SampleLaw};
use super::{Estimate, MonteCarloError, SamplePlan, SampleProgress};
use crate::Moments;
use crate::eight::{EIGHT, Eight};
use crate::lanes::fused;
use fearless_simd::{Simd, f64x8};

/// Groups of eight samples that an observer sees at once, so that running sums are fetched half as often.
const BLOCK: usize = 2;

/// Takes in samples.
pub(crate) trait Observer {
    /// Takes in up to two groups of eight samples: `x[g * d + j]` holds coordinate `j` of group `g`, and `active[g]` 1
    /// for samples that count and 0 for those beyond the last.
    fn see<S: Simd>(&mut self, simd: S, x: &[Eight], active: &[Eight]);
    /// The running sums, to be folded at the end of a batch.
    fn sums(&mut self) -> &mut Sums;
}

/// Which batches are done, and how to draw the next.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    law: SampleLaw,
    dimension: usize,
    seed: u64,
    /// Independent units in all: samples, or sequences.
    units: u64,
    batch: u64,
}

impl Driver {
    pub(crate) fn try_new(
        law: SampleLaw,
        dimension: usize,
        plan: SamplePlan,
    ) -> Result<Self, MonteCarloError> {
        law.check()?;
        let units = plan.samples.div_ceil(law.unit());
        if units < 2 {
            return Err(MonteCarloError::TooFew { samples: plan.samples, least: law.unit() + 1 });
        }
        Ok(Self { law, dimension, seed: plan.seed, units, batch: 0 })
    }

    /// Units in a full batch.
    fn batch_units(&self) -> u64 {
        self.law.groups() * EIGHT as u64 / self.law.unit()
    }

    fn batches(&self) -> u64 {
        self.units.div_ceil(self.batch_units())
    }

    /// Batches that a budget of samples asks for, at least one.
    pub(crate) fn batches_for(&self, budget: u64) -> u64 {
        budget.div_ceil(self.law.groups() * EIGHT as u64).clamp(1, (self.batches() - self.batch).max(1))
    }

    pub(crate) fn samples_done(&self) -> u64 {
        (self.batch * self.batch_units()).min(self.units) * self.law.unit()
    }

    pub(crate) fn progress(&self) -> SampleProgress {
        if self.batch == self.batches() {
            SampleProgress::Done
        } else {
            SampleProgress::Running { done: self.samples_done(), total: self.units * self.law.unit() }
        }
    }

    /// Draws `count` batches, or those that are left, and shows them to the observer.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(&mut self, simd: S, count: u64, observer: &mut impl Observer) {
        let mut x = vec![Eight::default(); BLOCK * self.dimension];
        for _ in 0..count {
            if self.batch == self.batches() {
                return;
            }
            self.run_batch(simd, &mut x, observer);
            self.batch += 1;
        }
    }

    #[inline(always)]
    fn run_batch<S: Simd>(&self, simd: S, x: &mut [Eight], observer: &mut impl Observer) {
        let mut samples = Batch::new(self.law, self.seed, self.batch);
        let left = self.units - self.batch * self.batch_units();
        let sequences = self.law.is_sequential();
        // Sequences: every group holds the same eight. Independent samples: the last batch may have fewer groups.
        let units = left.min(self.batch_units());
        let groups = if sequences { self.law.unit() } else { units.div_ceil(EIGHT as u64) };
        let active = |group: u64| {
            let first = if sequences { 0 } else { group * EIGHT as u64 };
            let mut weights = Eight::default();
            for (lane, w) in weights.0.iter_mut().enumerate() {
                *w = f64::from(u8::from(first + (lane as u64) < units));
            }
            weights
        };
        let mut group = 0;
        while group < groups {
            let here = if groups - group < BLOCK as u64 { 1 } else { BLOCK };
            samples.draw_groups(simd, &mut x[..here * self.dimension], self.dimension);
            let weights = [active(group), active(group + 1)];
            observer.see(simd, &x[..here * self.dimension], &weights[..here]);
            group += here as u64;
        }
        observer.sums().fold(sequences.then_some(self.law.unit()), units);
    }
}

/// Sums and sums of squares of several components, eight samples side by side, folded batch by batch.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub(crate) sum: Vec<Eight>,
    pub(crate) squares: Vec<Eight>,
    moments: Vec<Moments>,
}

impl Sums {
    pub(crate) fn new(components: usize) -> Self {
        let zeros = || vec![Eight::default(); components];
        Self { sum: zeros(), squares: zeros(), moments: vec![Moments::default(); components] }
    }

    /// Adds eight values of component `i`.
    #[inline(always)]
    pub(crate) fn add<S: Simd>(&mut self, simd: S, i: usize, y: f64x8<S>) {
        let (sum, squares) = (&mut self.sum[i], &mut self.squares[i]);
        sum.store(sum.load(simd) + y);
        squares.store(fused(simd, y, y, squares.load(simd)));
    }

    /// Moves a batch of `units` samples, or of as many sequences of the given length, from the sums to the moments.
    fn fold(&mut self, length: Option<u64>, units: u64) {
        for ((sum, squares), moments) in self.sum.iter_mut().zip(&mut self.squares).zip(&mut self.moments) {
            if let Some(length) = length {
                for (_, s) in (0..units).zip(&sum.0) {
                    moments.push(s / length as f64);
                }
            } else {
                let total = |lanes: &Eight| lanes.0.iter().sum();
                moments.merge(&Moments::from_sums(units, total(sum), total(squares)));
            }
            *sum = Eight::default();
            *squares = Eight::default();
        }
    }

    /// Means and standard errors of components `range`, so far.
    pub(crate) fn estimate(&self, samples: u64, range: std::ops::Range<usize>) -> Estimate {
        Estimate {
            samples,
            mean: self.moments[range.clone()].iter().map(Moments::mean).collect(),
            standard_error: self.moments[range].iter().map(Moments::standard_error).collect(),
        }
    }
}
