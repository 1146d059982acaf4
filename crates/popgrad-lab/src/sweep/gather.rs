//! What became of a cell's runs: counts, shares with their intervals, and classes, from its parts in the order of the runs.
//!
//! Parts are gone through twice: first for their representatives, which are merged one by one as if no parts were, then for
//! their rows. Only the classes of one cell are held at a time.

use super::cell::Cell;
use super::classes::Classes;
use super::describe::{Description, describe};
use super::error::SweepError;
use super::part::{self, Class, Part, Representative};
use popgrad::{RunStatus, wilson_interval};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;
/// A share with its Wilson interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The observed share.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    fn of(count: u64, runs: u64) -> Self {
        let interval = wilson_interval(count, runs, CONFIDENCE);
        interval.map_or(Self { share: 0.0, low: 0.0, high: 1.0 }, |w| Self {
            share: w.share,
            low: w.low,
            high: w.high,
        })
    }
}

/// A class of ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassSummary {
    /// Its number, in the order of first runs.
    pub class: u32,
    /// `critical_point`; `global_manifold` where more students than teachers leave no isolated global minimum; or
    /// `global_by_loss`, the runs that `stop.loss` ended elsewhere.
    pub kind: String,
    /// How many runs ended in it.
    pub count: u64,
    /// Their share of all runs.
    #[serde(flatten)]
    pub share: Share,
    /// The first of them.
    pub first_run: u64,
    /// Loss of its end, polished where that was done.
    pub loss: f64,
    /// Whether the loss is below `classes.global_loss`.
    pub is_global: bool,
    /// Smallest eigenvalue of the Hessian.
    pub lambda_min: Option<f64>,
    /// Number of descending directions.
    pub index: Option<u64>,
    /// Dimension of the Hessian's null space.
    pub nullity: Option<u64>,
    /// What the point is.
    pub nature: Option<String>,
    /// Block structure: the permutations that leave the point as it is.
    pub isotropy: Option<String>,
}

/// What became of the runs of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// Its number.
    pub cell: usize,
    /// The keys that vary, with their values.
    pub keys: serde_json::Map<String, serde_json::Value>,
    /// Runs.
    pub runs: u64,
    /// Runs by status.
    pub statuses: BTreeMap<String, u64>,
    /// Runs that converged, by gradient or loss, below `classes.global_loss`, or are bound for the global minimum.
    pub global: u64,
    /// Runs that converged above it, or are bound for a spurious minimum.
    pub non_global: u64,
    /// Share of global runs among all, those that did not converge included.
    pub global_share: Share,
    /// Mean number of steps.
    pub mean_steps: f64,
    /// Largest number of steps.
    pub most_steps: u64,
    /// Classes, the most frequent first.
    pub classes: Vec<ClassSummary>,
}

/// A class of the whole cell.
pub(super) struct Found {
    kind: Class,
    pub(super) first: Representative,
    count: u64,
}

/// The classes of one cell, and the counts of its rows once they are written.
pub(super) struct Gathered<'c> {
    cell: &'c Cell,
    /// Of every part, the classes of the cell that its own classes are.
    merged: Vec<Vec<Class>>,
    /// In the order of first runs.
    pub(super) classes: Vec<Found>,
    statuses: BTreeMap<String, u64>,
    global: u64,
    non_global: u64,
    steps: u128,
    most_steps: u64,
}

/// A run on its way to a table: its number, its row and its class in the cell.
pub(super) type Visit<'v> = dyn FnMut(u64, &part::Row, Option<usize>) -> Result<(), SweepError> + 'v;

impl<'c> Gathered<'c> {
    /// The classes of a cell, from its parts in order.
    pub(super) fn new(
        cell: &'c Cell,
        parts: impl Iterator<Item = Result<Part, SweepError>>,
    ) -> Result<Self, SweepError> {
        let mut known = Classes::new(cell);
        let mut merged = Vec::new();
        for part in parts {
            let part = part?;
            merged.push(part.classes.iter().map(|r| known.add(r)).collect::<Result<Vec<_>, _>>()?);
        }
        let kinds = known.into_representatives().into_iter().enumerate();
        let classes = kinds
            .map(|(i, first)| Found {
                kind: Class::Number(u32::try_from(i).unwrap_or(u32::MAX)),
                first,
                count: 0,
            })
            .collect();
        let statuses = RunStatus::ALL.iter().map(|s| (s.name().to_owned(), 0)).collect();
        Ok(Self { cell, merged, classes, statuses, global: 0, non_global: 0, steps: 0, most_steps: 0 })
    }

    /// The number of a class, by the order of first runs; the global manifold gets the next one when it is first met.
    fn number(&mut self, class: Class, run: u64, loss: f64) -> Option<usize> {
        if class == Class::None {
            return None;
        }
        if let Some(at) = self.classes.iter().position(|f| f.kind == class) {
            return Some(at);
        }
        let first = Representative { run, loss, weights: Vec::new(), output: Vec::new() };
        self.classes.push(Found { kind: class, first, count: 0 });
        Some(self.classes.len() - 1)
    }

    /// Counts the rows of all parts, which come in order, and shows each to `visit`.
    pub(super) fn count(
        &mut self,
        parts: impl Iterator<Item = Result<Part, SweepError>>,
        visit: &mut Visit<'_>,
    ) -> Result<(), SweepError> {
        let all = std::mem::take(&mut self.merged);
        for (part, merged) in parts.zip(all) {
            let part = part?;
            for (run, row) in (part.first..).zip(&part.rows) {
                let class = match row.class {
                    Class::Number(n) => {
                        merged.get(usize::try_from(n).unwrap_or(usize::MAX)).copied().unwrap_or(Class::None)
                    }
                    other => other,
                };
                let class = self.number(class, run, row.loss);
                if let Some(at) = class {
                    self.classes[at].count += 1;
                }
                *self.statuses.entry(row.status.name().to_owned()).or_insert(0) += 1;
                let is_global = match row.status {
                    RunStatus::GlobalBasin => Some(true),
                    RunStatus::SpuriousBasin => Some(false),
                    status => status.is_converged().then_some(row.loss < self.cell.global_loss),
                };
                self.global += u64::from(is_global == Some(true));
                self.non_global += u64::from(is_global == Some(false));
                self.steps += u128::from(row.steps);
                self.most_steps = self.most_steps.max(row.steps);
                visit(run, row, class)?;
            }
        }
        Ok(())
    }

    /// The word for a class in files.
    fn kind(&self, class: Class) -> &'static str {
        match class {
            Class::Number(_) => "critical_point",
            _ if self.cell.has_global_manifold() => "global_manifold",
            _ => "global_by_loss",
        }
    }

    pub(super) fn summary(&self, runs: u64) -> CellSummary {
        let described: Vec<Description> = self
            .classes
            .par_iter()
            .map(|found| match found.kind {
                Class::Number(_) => describe(self.cell, &found.first),
                _ => Description::default(),
            })
            .collect();
        let numbered = self.classes.iter().zip(described).enumerate();
        let mut classes: Vec<ClassSummary> = numbered
            .map(|(number, (found, described))| ClassSummary {
                class: u32::try_from(number).unwrap_or(u32::MAX),
                kind: self.kind(found.kind).to_owned(),
                count: found.count,
                share: Share::of(found.count, runs),
                first_run: found.first.run,
                loss: described.loss.unwrap_or(found.first.loss),
                is_global: found.first.loss < self.cell.global_loss,
                lambda_min: described.lambda_min,
                index: described.index,
                nullity: described.nullity,
                nature: described.nature,
                isotropy: described.isotropy,
            })
            .collect();
        classes.sort_by_key(|class| (std::cmp::Reverse(class.count), class.class));
        let keys = self.cell.varied.iter().map(|(key, value)| (key.clone(), value.json())).collect();
        CellSummary {
            cell: self.cell.number,
            keys,
            runs,
            statuses: self.statuses.iter().filter(|(_, n)| **n > 0).map(|(k, n)| (k.clone(), *n)).collect(),
            global: self.global,
            non_global: self.non_global,
            global_share: Share::of(self.global, runs),
            mean_steps: self.steps as f64 / runs.max(1) as f64,
            most_steps: self.most_steps,
            classes,
        }
    }
}
