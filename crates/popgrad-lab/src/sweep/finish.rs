//! The tables of a complete sweep: `runs/`, `cells.parquet`, `classes.parquet` and `summary.json`.
//!
//! Parts are read twice, in the order of the runs: first for their representatives, which are merged as one by one as if no
//! parts were, then for their rows. Only the classes of one cell are held at a time.

use super::cell::Cell;
use super::classes::Classes;
use super::describe::{Description, describe};
use super::error::SweepError;
use super::part::{self, Class, Part, Representative};
use super::plan::Plan;
use super::run::{compute_part, write_text};
use super::spec::Value;
use crate::storage::{Provenance, StorageError, TableColumn, TableWriter};
use popgrad::{NUMERICS, RunStatus, wilson_interval};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Confidence of every interval.
pub(super) const CONFIDENCE: f64 = 0.95;
/// Rows written together.
const ROWS_PER_BATCH: usize = 65_536;

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
    /// Runs that converged, by gradient or loss, below `classes.global_loss`.
    pub global: u64,
    /// Runs that converged above it.
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

/// What became of all runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    schema: String,
    spec_sha256: String,
    /// Cell by cell.
    pub cells: Vec<CellSummary>,
}

/// Whether a sweep's tables are written: `summary.json` is the last of them.
pub(super) fn is_finished(directory: &Path) -> bool {
    directory.join("summary.json").exists()
}

/// The summary of a finished sweep.
pub(super) fn summary(directory: &Path, plan: &Plan) -> Result<Summary, SweepError> {
    let path = directory.join("summary.json");
    let text = fs::read_to_string(&path)
        .map_err(|source| StorageError::Unreadable { path: path.clone(), source })?;
    let summary: Summary = serde_json::from_str(&text)
        .map_err(|e| SweepError::Manifest { path: path.clone(), reason: e.to_string() })?;
    if summary.spec_sha256 == plan.hash {
        return Ok(summary);
    }
    Err(SweepError::Manifest { path, reason: "it belongs to another spec".to_owned() })
}

/// Writes the tables from the parts and removes the parts.
pub(super) fn finish(directory: &Path, plan: &Plan, version: &str) -> Result<(), SweepError> {
    let provenance = Provenance {
        schema: super::SCHEMA.to_owned(),
        version: version.to_owned(),
        numerics: NUMERICS,
        spec: plan.spec.to_string(),
        seed: Some(plan.seed),
    };
    let runs = directory.join("runs");
    fs::create_dir_all(&runs).map_err(|source| StorageError::Unwritable { path: runs.clone(), source })?;
    let mut classes = TableWriter::new(&directory.join("classes.parquet"), provenance.clone());
    let mut cells = Vec::with_capacity(plan.cells.len());
    for cell in &plan.cells {
        let stored = |number: u64| {
            Part::read(directory, &plan.hash, cell.number, number)
                .ok_or_else(|| SweepError::Damaged { path: part::path(directory, cell.number, number) })
        };
        let mut gathered = Gathered::new(cell, (0..plan.parts_of_cell()).map(stored))?;
        let path = runs.join(format!("cell-{:05}.parquet", cell.number));
        let mut table =
            RunTable { table: TableWriter::new(&path, provenance.clone()), batch: Batch::default() };
        gathered.count((0..plan.parts_of_cell()).map(stored), &mut |run, row, class| {
            table.push(cell.number, run, row, class)
        })?;
        table.finish()?;
        let summary = gathered.summary(plan.runs);
        classes.write(class_columns(cell, &gathered, &summary))?;
        cells.push(summary);
    }
    let mut table = TableWriter::new(&directory.join("cells.parquet"), provenance);
    table.write(cell_columns(plan, &cells))?;
    table.finish()?;
    classes.finish()?;
    let summary = Summary { schema: super::SCHEMA.to_owned(), spec_sha256: plan.hash.clone(), cells };
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    write_text(&directory.join("summary.json"), &text)?;
    // The tables hold all of it; parts that cannot be removed do no harm.
    let _ = fs::remove_dir_all(directory.join("parts"));
    Ok(())
}

/// A class of the whole cell.
struct Found {
    kind: Class,
    first: Representative,
    count: u64,
}

/// The classes of one cell, and the counts of its rows once they are written.
struct Gathered<'c> {
    cell: &'c Cell,
    /// Of every part, the classes of the cell that its own classes are.
    merged: Vec<Vec<Class>>,
    /// In the order of first runs.
    classes: Vec<Found>,
    statuses: BTreeMap<String, u64>,
    global: u64,
    non_global: u64,
    steps: u128,
    most_steps: u64,
}

/// A run on its way to a table: its number, its row and its class in the cell.
type Visit<'v> = dyn FnMut(u64, &part::Row, Option<usize>) -> Result<(), SweepError> + 'v;

impl<'c> Gathered<'c> {
    /// The classes of a cell, from its parts in order.
    fn new(
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
    fn count(
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
                if row.status.is_converged() {
                    let is_global = row.loss < self.cell.global_loss;
                    self.global += u64::from(is_global);
                    self.non_global += u64::from(!is_global);
                }
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

    fn summary(&self, runs: u64) -> CellSummary {
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

/// A sweep in memory, without files: for ensembles that take minutes. `None` if the interrupt was raised.
///
/// Parts run on the threads of the current pool; no number depends on how many there are.
///
/// # Errors
///
/// [`SweepError`]: runs cannot be set up, or their ends form too many classes.
pub fn in_memory(plan: &Plan, interrupt: &AtomicBool) -> Result<Option<Summary>, SweepError> {
    let numbers: Vec<u64> = (0..plan.parts()).collect();
    let parts: Result<Vec<Option<Part>>, SweepError> = numbers
        .into_par_iter()
        .with_max_len(1)
        .map(|part| compute_part(plan, plan.place(part), &|| interrupt.load(Ordering::Relaxed), &|_| ()))
        .collect();
    let Some(parts) = parts?.into_iter().collect::<Option<Vec<Part>>>() else { return Ok(None) };
    let mut cells = Vec::with_capacity(plan.cells.len());
    for cell in &plan.cells {
        let own = || parts.iter().filter(|p| p.cell == cell.number).cloned().map(Ok);
        let mut gathered = Gathered::new(cell, own())?;
        gathered.count(own(), &mut |_, _, _| Ok(()))?;
        cells.push(gathered.summary(plan.runs));
    }
    Ok(Some(Summary { schema: super::SCHEMA.to_owned(), spec_sha256: plan.hash.clone(), cells }))
}

fn integer(x: u64) -> Option<i64> {
    i64::try_from(x).ok()
}

/// The table of a cell's runs.
struct RunTable {
    table: TableWriter,
    batch: Batch,
}

impl RunTable {
    fn push(
        &mut self,
        cell: usize,
        run: u64,
        row: &part::Row,
        class: Option<usize>,
    ) -> Result<(), SweepError> {
        self.batch.push(cell, run, row, class);
        if self.batch.run.len() == ROWS_PER_BATCH {
            self.table.write(std::mem::take(&mut self.batch).columns())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), SweepError> {
        if !self.batch.run.is_empty() {
            self.table.write(self.batch.columns())?;
        }
        Ok(self.table.finish()?)
    }
}

/// Rows of runs on their way to the table.
#[derive(Default)]
struct Batch {
    cell: Vec<Option<i64>>,
    run: Vec<Option<i64>>,
    steps: Vec<Option<i64>>,
    halvings: Vec<Option<i64>>,
    status: Vec<Option<String>>,
    loss: Vec<f64>,
    gradient_norm: Vec<f64>,
    time: Vec<f64>,
    class: Vec<Option<i64>>,
}

impl Batch {
    fn push(&mut self, cell: usize, run: u64, row: &part::Row, class: Option<usize>) {
        self.cell.push(integer(cell as u64));
        self.run.push(integer(run));
        self.steps.push(integer(row.steps));
        self.halvings.push(Some(i64::from(row.halvings)));
        self.status.push(Some(row.status.name().to_owned()));
        self.loss.push(row.loss);
        self.gradient_norm.push(row.gradient_norm);
        self.time.push(row.time);
        self.class.push(class.and_then(|c| integer(c as u64)));
    }

    fn columns(self) -> Vec<(String, TableColumn)> {
        named(vec![
            ("cell", TableColumn::Integer(self.cell)),
            ("run", TableColumn::Integer(self.run)),
            ("steps", TableColumn::Integer(self.steps)),
            ("halvings", TableColumn::Integer(self.halvings)),
            ("status", TableColumn::Text(self.status)),
            ("loss", TableColumn::Real(self.loss)),
            ("grad_norm", TableColumn::Real(self.gradient_norm)),
            ("t", TableColumn::Real(self.time)),
            ("class", TableColumn::Integer(self.class)),
        ])
    }
}

fn named(columns: Vec<(&str, TableColumn)>) -> Vec<(String, TableColumn)> {
    columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect()
}

fn class_columns(cell: &Cell, gathered: &Gathered<'_>, summary: &CellSummary) -> Vec<(String, TableColumn)> {
    let mut classes: Vec<&ClassSummary> = summary.classes.iter().collect();
    classes.sort_by_key(|class| class.class);
    let count = |field: fn(&ClassSummary) -> Option<u64>| {
        TableColumn::Integer(classes.iter().map(|c| field(c).and_then(integer)).collect())
    };
    let real =
        |field: fn(&ClassSummary) -> f64| TableColumn::Real(classes.iter().map(|c| field(c)).collect());
    let text = |field: fn(&ClassSummary) -> Option<&String>| {
        TableColumn::Text(classes.iter().map(|c| field(c).cloned()).collect())
    };
    let list = |field: &dyn Fn(&Representative) -> Vec<f64>| {
        TableColumn::List(gathered.classes.iter().map(|f| field(&f.first)).collect())
    };
    named(vec![
        ("cell", TableColumn::Integer(vec![integer(cell.number as u64); classes.len()])),
        ("class", count(|c| Some(u64::from(c.class)))),
        ("kind", text(|c| Some(&c.kind))),
        ("count", count(|c| Some(c.count))),
        ("share", real(|c| c.share.share)),
        ("share_low", real(|c| c.share.low)),
        ("share_high", real(|c| c.share.high)),
        ("first_run", count(|c| Some(c.first_run))),
        ("loss", real(|c| c.loss)),
        ("is_global", count(|c| Some(u64::from(c.is_global)))),
        ("lambda_min", real(|c| c.lambda_min.unwrap_or(f64::NAN))),
        ("index", count(|c| c.index)),
        ("nullity", count(|c| c.nullity)),
        ("nature", text(|c| c.nature.as_ref())),
        ("isotropy", text(|c| c.isotropy.as_ref())),
        ("W", list(&|r| r.weights.clone())),
        ("a", list(&|r| if r.weights.is_empty() { Vec::new() } else { cell.output(r).to_vec() })),
    ])
}

fn cell_columns(plan: &Plan, cells: &[CellSummary]) -> Vec<(String, TableColumn)> {
    let count = |field: &dyn Fn(&CellSummary) -> u64| {
        TableColumn::Integer(cells.iter().map(|c| integer(field(c))).collect())
    };
    let real = |field: fn(&CellSummary) -> f64| TableColumn::Real(cells.iter().map(|c| field(c)).collect());
    let mut columns = vec![("cell".to_owned(), count(&|c| c.cell as u64))];
    for key in &plan.varied {
        columns.push((key.clone(), key_column(plan, key)));
    }
    columns.push(("runs".to_owned(), count(&|c| c.runs)));
    for status in RunStatus::ALL {
        let name = status.name();
        columns.push((name.to_owned(), count(&|c| c.statuses.get(name).copied().unwrap_or(0))));
    }
    columns.extend(named(vec![
        ("global", count(&|c| c.global)),
        ("non_global", count(&|c| c.non_global)),
        ("global_share", real(|c| c.global_share.share)),
        ("global_share_low", real(|c| c.global_share.low)),
        ("global_share_high", real(|c| c.global_share.high)),
        ("mean_steps", real(|c| c.mean_steps)),
        ("most_steps", count(&|c| c.most_steps)),
        ("classes", count(&|c| c.classes.len() as u64)),
    ]));
    columns
}

/// The values of a key that varies, in the narrowest type that holds all of them.
fn key_column(plan: &Plan, key: &str) -> TableColumn {
    let values: Vec<Option<&Value>> = plan
        .cells
        .iter()
        .map(|c| c.varied.iter().find(|(name, _)| name == key).map(|(_, value)| value))
        .collect();
    let all = |test: fn(&Value) -> bool| values.iter().flatten().all(|v| test(v));
    if all(|v| matches!(v, Value::Integer(_))) {
        let whole = |v: &&Value| if let Value::Integer(i) = v { Some(*i) } else { None };
        return TableColumn::Integer(values.iter().map(|v| v.as_ref().and_then(whole)).collect());
    }
    if all(|v| matches!(v, Value::Integer(_) | Value::Real(_))) {
        let number = |v: &Option<&Value>| match v {
            Some(Value::Integer(i)) => *i as f64,
            Some(Value::Real(x)) => *x,
            _ => f64::NAN,
        };
        return TableColumn::Real(values.iter().map(number).collect());
    }
    let text = |v: &Value| match v {
        Value::Text(text) => text.clone(),
        other => other.json().to_string(),
    };
    TableColumn::Text(values.iter().map(|v| v.map(text)).collect())
}
