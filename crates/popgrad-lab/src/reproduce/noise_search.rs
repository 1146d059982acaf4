//! The largest noise at which nearly all starts of Conjecture 2 still reach the teacher.

use super::claim::{Bench, Failure};
use super::orthonormal_descent::{Descent, Place, noisy_start};
use popgrad::{Matrix, TwoLayer, TwoLayerError, wilson_interval};
use rayon::prelude::*;

/// Confidence of the Wilson interval whose lower end decides.
pub(super) const CONFIDENCE: f64 = 0.95;
/// The share of successes that the lower end has to reach.
pub(super) const SHARE: f64 = 0.99;
/// Starts of one noise that run before the count of failures is looked at.
const BATCH: u64 = 250;
/// Steps between two looks at where a descent stands.
const LOOK: usize = 8;
/// Noise is searched between these powers of two, relative to the length of a student.
const OCTAVES: std::ops::RangeInclusive<i64> = -10..=1;

/// How starts with one noise ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Starts run.
    pub(super) starts: u64,
    /// Ends at the teacher with its units exchanged.
    pub(super) exchanged: u64,
    /// Starts undecided at the step limit.
    pub(super) undecided: u64,
}

impl Tally {
    /// Starts that did not reach the teacher.
    pub(super) fn failures(&self) -> u64 {
        self.exchanged + self.undecided
    }
}

/// The search at one number of units.
pub(super) struct NoiseSearch<'a> {
    bench: &'a Bench<'a>,
    problem: TwoLayer,
    units: usize,
    step: f64,
    limit: usize,
    starts: u64,
    /// Most failures among `starts` with which the Wilson interval stays above the share.
    allowed: u64,
    /// Noise levels in a factor of two.
    per_octave: i64,
}

/// What the search found at one point of the map.
#[derive(Clone, Copy, Debug)]
pub(super) struct LargestNoise {
    /// Length of a student without noise, `sqrt(x0^2 + (K-1) y0^2)`.
    pub(super) length: f64,
    /// Largest standard deviation that passes, relative to that length.
    pub(super) relative: f64,
    /// How its starts ended.
    pub(super) passed: Tally,
    /// The next level, relative, and how its starts ended; not all of them run once too many failed.
    pub(super) above: (f64, Tally),
    /// Level of `relative`, where a search nearby can begin.
    level: i64,
}

impl<'a> NoiseSearch<'a> {
    /// A search with `starts` starts a level, `per_octave` levels in a factor of two.
    pub(super) fn try_new(
        bench: &'a Bench<'a>,
        units: usize,
        starts: u64,
        per_octave: i64,
    ) -> Result<Self, Failure> {
        let mut allowed = 0;
        while wilson_interval(starts - allowed - 1, starts, CONFIDENCE)?.low >= SHARE {
            allowed += 1;
        }
        Ok(Self {
            bench,
            problem: TwoLayer::try_new(Matrix::identity(units, units))?,
            units,
            step: 2.0 / units as f64,
            limit: 200 * units,
            starts,
            allowed,
            per_octave,
        })
    }

    /// The same search with half the step and twice the step limit.
    pub(super) fn with_half_step(mut self) -> Self {
        self.step *= 0.5;
        self.limit *= 2;
        self
    }

    /// Most failures that still pass.
    pub(super) fn allowed(&self) -> u64 {
        self.allowed
    }

    fn noise(&self, level: i64) -> f64 {
        libm::exp2(level as f64 / self.per_octave as f64)
    }

    /// Runs starts `range` of the map's point at standard deviation `sd`.
    fn ends(&self, point: [f64; 2], sd: f64, range: std::ops::Range<u64>) -> Result<Vec<Place>, Failure> {
        let new = || Descent::new(&self.problem, self.bench.maths, self.step);
        let places: Result<Vec<Place>, TwoLayerError> = range
            .into_par_iter()
            .map_init(new, |descent, i| {
                descent.weights = noisy_start(&mut self.bench.stream(i), self.units, point, sd);
                Ok(descent.decide(LOOK, self.limit)?.0)
            })
            .collect();
        Ok(places?)
    }

    /// How the starts at relative noise `relative` end; stops once too many failed.
    pub(super) fn tally(&self, point: [f64; 2], relative: f64) -> Result<Tally, Failure> {
        let sd = relative * student_length(self.units, point);
        let mut tally = Tally::default();
        while tally.starts < self.starts && tally.failures() <= self.allowed {
            self.bench.pause()?;
            let last = self.starts.min(tally.starts + BATCH);
            for place in self.ends(point, sd, tally.starts..last)? {
                tally.starts += 1;
                tally.exchanged += u64::from(place == Place::Exchanged);
                tally.undecided += u64::from(place == Place::Elsewhere);
            }
        }
        Ok(tally)
    }

    /// Whether all starts ran and few enough failed.
    fn passes(&self, tally: &Tally) -> bool {
        tally.starts == self.starts && tally.failures() <= self.allowed
    }

    /// The largest level that passes while the next one does not, from a guess of the noise relative to `x0 - y0`;
    /// nothing if even the smallest fails.
    pub(super) fn largest(&self, point: [f64; 2], guess: f64) -> Result<Option<LargestNoise>, Failure> {
        let length = student_length(self.units, point);
        let (lowest, highest) = (OCTAVES.start() * self.per_octave, OCTAVES.end() * self.per_octave);
        #[expect(clippy::cast_possible_truncation, reason = "clamped to a few hundred levels")]
        let nearest =
            libm::round(libm::log2(guess * (point[0] - point[1]) / length) * self.per_octave as f64) as i64;
        let mut level = nearest.clamp(lowest, highest);
        let mut low: Option<(i64, Tally)> = None;
        let mut high: Option<(i64, Tally)> = None;
        let mut stride = 1;
        loop {
            let tally = self.tally(point, self.noise(level))?;
            if self.passes(&tally) {
                low = Some((level, tally));
            } else {
                high = Some((level, tally));
            }
            level = match (&low, &high) {
                (Some(l), Some(h)) if h.0 - l.0 == 1 => {
                    let (relative, above) = (self.noise(l.0), (self.noise(h.0), h.1));
                    return Ok(Some(LargestNoise { length, relative, passed: l.1, above, level: l.0 }));
                }
                (Some(l), Some(h)) => l.0 + (h.0 - l.0) / 2,
                (Some(l), None) => l.0 + stride,
                (None, Some(h)) if h.0 <= lowest => return Ok(None),
                (None, Some(h)) => lowest.max(h.0 - stride),
                (None, None) => return Ok(None),
            };
            if low.is_none() || high.is_none() {
                stride *= 2;
            }
        }
    }

    /// Noise relative to `x0 - y0`, the guess for a point nearby.
    pub(super) fn by_gap(&self, [x0, y0]: [f64; 2], found: &LargestNoise) -> f64 {
        self.noise(found.level) * found.length / (x0 - y0)
    }

    /// Starts whose place at the given noise differs from that with half the step.
    pub(super) fn moved_by_half_step(
        &self,
        half: &Self,
        point: [f64; 2],
        relative: f64,
    ) -> Result<u64, Failure> {
        let sd = relative * student_length(self.units, point);
        let (whole, half) = (self.ends(point, sd, 0..self.starts)?, half.ends(point, sd, 0..self.starts)?);
        Ok(whole.iter().zip(&half).filter(|(a, b)| a != b).count() as u64)
    }

    /// Largest distance to the teacher of the first `count` starts that enter the teacher's ball, after `more`
    /// further steps.
    pub(super) fn continued(
        &self,
        point: [f64; 2],
        relative: f64,
        (count, more): (u64, usize),
    ) -> Result<f64, Failure> {
        let sd = relative * student_length(self.units, point);
        let distances: Result<Vec<f64>, TwoLayerError> = (0..count)
            .into_par_iter()
            .map(|i| {
                let mut descent = Descent::new(&self.problem, self.bench.maths, self.step);
                descent.weights = noisy_start(&mut self.bench.stream(i), self.units, point, sd);
                if descent.decide(LOOK, self.limit)?.0 != Place::Teacher {
                    return Ok(0.0);
                }
                descent.advance(more)?;
                Ok(descent.distance())
            })
            .collect();
        Ok(super::sampling::largest(distances?))
    }
}

/// Length of a student of the start without noise.
pub(super) fn student_length(units: usize, [x0, y0]: [f64; 2]) -> f64 {
    (x0 * x0 + (units as f64 - 1.0) * y0 * y0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::maths::Maths;
    use super::super::plan::Profile;
    use super::*;
    use std::sync::atomic::AtomicBool;

    fn with_search<T>(maths: Maths, run: impl FnOnce(NoiseSearch<'_>) -> T) -> T {
        let flag = AtomicBool::new(false);
        let bench = Bench::new("test", Profile::Quick, 1, maths, &flag);
        run(NoiseSearch::try_new(&bench, 3, 500, 4).unwrap())
    }

    #[test]
    fn the_level_found_passes_and_the_next_does_not() {
        with_search(Maths::exact(), |search| {
            for guess in [0.05, 0.3, 1.5] {
                let point = [1.0, 0.5];
                let found = search.largest(point, guess).unwrap().unwrap();
                assert!(found.passed.failures() <= search.allowed() && found.passed.starts == 500);
                assert!(found.above.1.failures() > search.allowed());
                assert_eq!(found.passed, search.tally(point, found.relative).unwrap());
            }
        });
    }

    #[test]
    fn one_more_failure_than_allowed_is_one_too_many() {
        with_search(Maths::exact(), |search| {
            let low = |failures| wilson_interval(500 - failures, 500, CONFIDENCE).unwrap().low;
            assert!(low(search.allowed()) >= SHARE && low(search.allowed() + 1) < SHARE);
        });
    }

    #[test]
    fn a_wrong_gradient_does_not_lead_to_the_teacher() {
        with_search(Maths::with_defect(1e-3), |search| {
            assert!(search.continued([1.0, 0.0], 0.1, (4, 400)).unwrap() > 1e-5);
        });
        with_search(Maths::exact(), |search| {
            assert!(search.continued([1.0, 0.0], 0.1, (4, 400)).unwrap() < 1e-9);
        });
    }

    #[test]
    fn ends_do_not_depend_on_the_number_of_threads() {
        let ends = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            with_search(Maths::exact(), |search| {
                pool.install(|| search.ends([0.3, 0.2], 0.1, 0..64).unwrap())
            })
        };
        assert_eq!(ends(1), ends(3));
    }
}
