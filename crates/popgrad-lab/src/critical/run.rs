//! The making of an atlas, slice by slice.

use super::plan::{AtlasError, AtlasPlan};
use super::subspace::{Subspace, SubspaceEnd};
use popgrad::{
    Atlas, CriticalError, CriticalSearch, DescentEnd, GoodTuring, Matrix, RandomStream, SearchAdvance,
    SearchEnd, SearchOptions, Student, good_turing,
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Searches that run between two looks at the clock and the signals.
const SLICE: u64 = 16;
/// Descents need a Hessian; those with more rows than this are not followed.
const MOST_ROWS: usize = 1500;

/// What an atlas run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Searching from given points.
    Given,
    /// Searching symmetric families.
    Families,
    /// Searching from random starts.
    Starts,
    /// Following unstable directions.
    Descents,
    /// Nothing is left to do.
    Done,
}

impl Stage {
    /// A word for a progress bar.
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given points",
            Self::Families => "families",
            Self::Starts => "starts",
            Self::Descents => "descents",
            Self::Done => "done",
        }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtlasProgress {
    /// What it is doing.
    pub stage: Stage,
    /// Searches and descents done.
    pub done: u64,
    /// Those known so far; descents of saddles not found yet are not counted.
    pub total: u64,
    /// Classes found.
    pub classes: usize,
}

/// Why a run stands still, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It does not: this is what it has so far.
    Running,
    /// Everything planned is done.
    Complete,
    /// A signal asked for the end.
    Interrupted,
    /// The time given is used up.
    TimeLimit,
}

impl Ending {
    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Interrupted => "interrupted",
            Self::TimeLimit => "time_limit",
        }
    }
}

/// An atlas being made.
///
/// Searches run in parallel and are taken in by their number, so that nothing depends on the number of threads.
#[derive(Debug)]
pub struct AtlasRun {
    pub(super) plan: AtlasPlan,
    pub(super) atlas: Atlas,
    families: Vec<Subspace>,
    /// How many searches in the full space fit into the memory limit at once.
    width: usize,
    stage: Stage,
    next: u64,
    done: u64,
    /// Ends of random starts by status.
    pub(super) statuses: BTreeMap<&'static str, u64>,
    /// Random starts that ended so far.
    pub(super) started: u64,
    /// What became of the families' starts: converged to a proper point, to one of more symmetry, or nowhere.
    pub(super) family_ends: [u64; 3],
    /// Where descents ended, by class.
    pub(super) descents: BTreeMap<usize, Vec<DescentEnd>>,
}

impl AtlasRun {
    /// A run that has done nothing yet.
    ///
    /// # Errors
    ///
    /// [`AtlasError::Critical`] for a family without blocks, or one that does not belong to the problem; for a singular covariance,
    /// or starts that do not fit into the memory limit.
    pub fn try_new(plan: AtlasPlan) -> Result<Self, AtlasError> {
        let subspace = |sizes: &Vec<usize>| Subspace::try_new(&plan, sizes);
        let families = plan.families.iter().map(subspace).collect::<Result<Vec<_>, _>>()?;
        // A search that the problem refuses is refused here, before any work.
        let random = (plan.random && plan.starts > 0).then(|| random_start(&plan, 0));
        let mut width = usize::MAX;
        for start in random.iter().chain(&plan.given) {
            let memory = new_search(&plan, start, plan.indices.0)?.memory();
            let fit = plan.problem.memory_limit() / memory.max(1);
            width = width.min(usize::try_from(fit).unwrap_or(usize::MAX).max(1));
        }
        Ok(Self {
            atlas: Atlas::try_new(&plan.problem, plan.trained)?,
            families,
            width,
            stage: Stage::Given,
            next: 0,
            done: 0,
            statuses: BTreeMap::new(),
            started: 0,
            family_ends: [0; 3],
            descents: BTreeMap::new(),
            plan,
        })
    }

    /// How far the run has come.
    pub fn progress(&self) -> AtlasProgress {
        let descents = if self.stage == Stage::Descents { self.atlas.classes().len() as u64 } else { 0 };
        let rounds = self.families.len() as u64 + u64::from(self.plan.random);
        let total = self.plan.given.len() as u64 + rounds * self.plan.starts + descents;
        AtlasProgress { stage: self.stage, done: self.done, total, classes: self.atlas.classes().len() }
    }

    /// The atlas so far.
    pub fn atlas(&self) -> &Atlas {
        &self.atlas
    }

    /// What the random starts say about classes that they did not meet; `None` before one has converged.
    pub fn unseen(&self) -> Option<GoodTuring> {
        let hits: Vec<u64> = self.atlas.classes().iter().map(|c| c.hits).collect();
        good_turing(&hits).ok()
    }

    /// Does a slice of the work; false once nothing is left, or the plan's interrupt or deadline ended it.
    ///
    /// Searches that these cut off are dropped, and so are the later ones of their slice: what is taken in is always what the
    /// first starts gave.
    ///
    /// # Errors
    ///
    /// [`AtlasError`], if a point found cannot be classified.
    pub fn advance(&mut self) -> Result<bool, AtlasError> {
        match self.stage {
            Stage::Given => self.search_given()?,
            Stage::Families => self.search_families()?,
            Stage::Starts => self.search_starts()?,
            Stage::Descents => self.follow()?,
            Stage::Done => return Ok(false),
        }
        Ok(self.stage != Stage::Done && !self.plan.is_over())
    }

    /// The numbers of the next slice out of `count`, or the next stage.
    fn slice(&mut self, count: u64, then: Stage) -> Vec<u64> {
        let numbers: Vec<u64> = (self.next..count.min(self.next + SLICE)).collect();
        self.next += numbers.len() as u64;
        if self.next >= count {
            (self.stage, self.next) = (then, 0);
        }
        numbers
    }

    /// What `search` makes of each number, in parallel as far as the memory limit allows.
    fn at_once<T: Send>(&self, numbers: &[u64], search: impl Fn(u64) -> T + Sync) -> Vec<T> {
        let together = |some: &[u64]| some.par_iter().map(|i| search(*i)).collect::<Vec<T>>();
        numbers.chunks(self.width).flat_map(together).collect()
    }

    /// The index that search `i` steers for.
    fn index(&self, i: u64) -> usize {
        let (low, high) = self.plan.indices;
        let span = (high - low) as u64 + 1;
        low + usize::try_from(i % span).unwrap_or(0)
    }

    fn search_given(&mut self) -> Result<(), AtlasError> {
        let numbers = self.slice(self.plan.given.len() as u64, Stage::Families);
        let plan = &self.plan;
        let ends = self.at_once(&numbers, |i| {
            // A given point is polished: the index steered for is the lowest, and Newton's method takes over nearby.
            let start = usize::try_from(i).ok().and_then(|i| plan.given.get(i));
            start.map(|start| search(plan, start, plan.indices.0)).transpose()
        });
        for end in ends {
            let Some(end) = end?.flatten() else { break };
            self.atlas.add(&end, false)?;
            self.done += 1;
        }
        Ok(())
    }

    fn search_families(&mut self) -> Result<(), AtlasError> {
        let starts = self.plan.starts;
        let numbers = self.slice(self.families.len() as u64 * starts, Stage::Starts);
        let families = &self.families;
        let ends: Vec<_> = numbers
            .into_par_iter()
            .filter_map(|i| {
                let number = usize::try_from(i / starts.max(1)).ok()?;
                let stream = RandomStream::new(self.plan.seed, i % starts.max(1));
                Some(families.get(number)?.search(&self.plan.problem, stream, self.index(i)))
            })
            .collect();
        for end in ends {
            self.done += 1;
            match end? {
                SubspaceEnd::Point(family, point) => {
                    self.family_ends[0] += 1;
                    self.atlas.add_family_point(&family, &point)?;
                }
                SubspaceEnd::Students(end) => {
                    self.family_ends[0] += 1;
                    self.atlas.add(&end, false)?;
                }
                SubspaceEnd::MoreSymmetric => self.family_ends[1] += 1,
                SubspaceEnd::Nowhere => self.family_ends[2] += 1,
            }
        }
        Ok(())
    }

    fn search_starts(&mut self) -> Result<(), AtlasError> {
        let starts = if self.plan.random { self.plan.starts } else { 0 };
        let numbers = self.slice(starts, Stage::Descents);
        let plan = &self.plan;
        let ends = self.at_once(&numbers, |i| search(plan, &random_start(plan, i), self.index(i)));
        for end in ends {
            let Some(end) = end? else { break };
            self.started += 1;
            self.done += 1;
            *self.statuses.entry(end.status.name()).or_insert(0) += 1;
            self.atlas.add(&end, true)?;
        }
        Ok(())
    }

    /// Follows the unstable directions of the next class.
    fn follow(&mut self) -> Result<(), AtlasError> {
        let class = usize::try_from(self.next).unwrap_or(usize::MAX);
        let rows = self.plan.students * self.plan.problem.input_dimension();
        if class >= self.atlas.classes().len() || self.plan.directions == 0 || rows > MOST_ROWS {
            self.stage = Stage::Done;
            return Ok(());
        }
        let ends = self.atlas.descend(class, self.plan.directions)?;
        self.descents.insert(class, ends);
        self.next += 1;
        self.done += 1;
        Ok(())
    }
}

/// A search that has not begun.
fn new_search(plan: &AtlasPlan, start: &Matrix, index: usize) -> Result<CriticalSearch, CriticalError> {
    let options = SearchOptions { index, trained: plan.trained, ..SearchOptions::default() };
    let student = Student::new(start.view()).with_output(&plan.output);
    CriticalSearch::try_new(&plan.problem, student, options)
}

/// One search; `None` if the plan's interrupt or deadline cut it off.
fn search(plan: &AtlasPlan, start: &Matrix, index: usize) -> Result<Option<SearchEnd>, CriticalError> {
    let mut search = new_search(plan, start, index)?;
    while !plan.is_over() {
        if let SearchAdvance::Done(end) = search.advance(1)? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// Normal entries, of variance the teacher's mean square length over `d`.
fn random_start(plan: &AtlasPlan, i: u64) -> Matrix {
    let (k, d) = (plan.students, plan.problem.input_dimension());
    let teacher = plan.problem.teacher();
    let square: f64 = teacher.as_slice().iter().map(|x| x * x).sum::<f64>() / teacher.rows() as f64;
    let size = if square > 0.0 { (square / d as f64).sqrt() } else { 1.0 };
    let mut start = Matrix::zeros(k, d);
    RandomStream::new(plan.seed, i).fill_normal(start.as_mut_slice());
    start.as_mut_slice().iter_mut().for_each(|x| *x *= size);
    start
}
