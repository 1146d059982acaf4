//! The tables of a complete sweep: `runs/`, `cells.parquet`, `classes.parquet` and `summary.json`.
//!
//! Everything is written in one stream of cells and runs, so that the files do not depend on who computed the parts.

use super::crew::{Crew, part_of};
use super::error::SweepError;
use super::gather::{CellSummary, Gathered};
use super::part::{self, Part};
use super::plan::Plan;
use super::run::write_text;
use super::tables::{RunTable, cell_columns, class_columns};
use crate::storage::{Provenance, StorageError, TableWriter};
use popgrad::{NUMERICS, RunEnd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

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
        let mut table = RunTable::new(TableWriter::new(&path, provenance.clone()));
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

/// A sweep in memory, without files: for ensembles that take minutes. `None` if the interrupt was raised.
///
/// Parts run on the threads of the current pool; no number depends on how many there are.
///
/// # Errors
///
/// [`SweepError`]: runs cannot be set up, or their ends form too many classes.
pub fn in_memory(plan: &Plan, interrupt: &AtomicBool) -> Result<Option<Summary>, SweepError> {
    let Some(parts) = parts_in_memory(plan, interrupt, &|part, ends| part_of(plan, part, &ends))? else {
        return Ok(None);
    };
    let mut cells = Vec::with_capacity(plan.cells.len());
    for cell in &plan.cells {
        let own = || parts.iter().filter(|p| p.cell == cell.number).cloned().map(Ok);
        let mut gathered = Gathered::new(cell, own())?;
        gathered.count(own(), &mut |_, _, _| Ok(()))?;
        cells.push(gathered.summary(plan.runs));
    }
    Ok(Some(Summary { schema: super::SCHEMA.to_owned(), spec_sha256: plan.hash.clone(), cells }))
}

/// What `look` says of the end of every run, cell by cell in the order of the runs: for questions that classes modulo symmetry do
/// not answer, such as which permutation of the teacher a run found. `None` if the interrupt was raised.
///
/// Runs are those of [`in_memory`], on the threads of the current pool; an end is forgotten once it has been looked at.
///
/// # Errors
///
/// [`SweepError`]: runs cannot be set up.
///
/// # Examples
///
/// ```
/// use popgrad_lab::sweep::{Plan, Spec, ends_in_memory};
/// let text = "runs = 9\n[problem]\nkind = \"xy\"\nunits = 5\n[dynamics]\nstep = 0.1\n[stop]\ngradient_norm = 1e-9\n";
/// let plan = Plan::resolve(&Spec::parse("plane.toml", text)?, popgrad::Level::detect())?;
/// let ends = ends_in_memory(&plan, &std::sync::atomic::AtomicBool::new(false), &|end| end.weights[0])?;
/// assert!(ends.is_some_and(|cells| cells[0].len() == 9 && cells[0].iter().all(|x| (x - 1.0).abs() < 1e-8)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ends_in_memory<T: Send>(
    plan: &Plan,
    interrupt: &AtomicBool,
    look: &(dyn Fn(&RunEnd) -> T + Sync),
) -> Result<Option<Vec<Vec<T>>>, SweepError> {
    let all = |_, ends: Vec<RunEnd>| Ok(ends.iter().map(look).collect::<Vec<T>>());
    let Some(parts) = parts_in_memory(plan, interrupt, &all)? else { return Ok(None) };
    let mut cells: Vec<Vec<T>> = plan.cells.iter().map(|_| Vec::new()).collect();
    for (number, part) in (0_u64..).zip(parts) {
        cells[plan.place(number).0].extend(part);
    }
    Ok(Some(cells))
}

/// What `look` makes of the ends of every part, part by part; `None` if the interrupt was raised.
fn parts_in_memory<T: Send>(
    plan: &Plan,
    interrupt: &AtomicBool,
    look: &(dyn Fn(u64, Vec<RunEnd>) -> Result<T, SweepError> + Sync),
) -> Result<Option<Vec<T>>, SweepError> {
    let crew = Crew::new(plan, (0..plan.parts()).collect(), 0, interrupt);
    let looked = Mutex::new(BTreeMap::new());
    let keep = |part, ends| {
        let seen = look(part, ends)?;
        looked.lock().unwrap_or_else(PoisonError::into_inner).insert(part, seen);
        Ok(())
    };
    let workers = (0..rayon::current_num_threads()).into_par_iter().with_max_len(1);
    workers.try_for_each(|_| crew.work(&keep))?;
    let looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((looked.len() as u64 == plan.parts()).then(|| looked.into_values().collect()))
}

#[cfg(test)]
mod tests {
    use super::super::Spec;
    use super::*;
    use popgrad::Level;
    use std::sync::atomic::Ordering;

    #[test]
    fn the_ends_are_those_that_the_summary_counts() {
        let text = "runs = 21\npart = 4\n[problem]\nteacher = \"orthonormal:8\"\n[dynamics]\nstep = 0.3\n[stop]\n\
                    gradient_norm = 1e-9\n[grid]\nstart.scale = [0.5, 2]\n";
        let plan = Plan::resolve(&Spec::parse("a.toml", text).unwrap(), Level::detect()).unwrap();
        let flag = AtomicBool::new(false);
        let summary = in_memory(&plan, &flag).unwrap().unwrap();
        let ends = ends_in_memory(&plan, &flag, &|end| (end.run, end.loss < 1e-3)).unwrap().unwrap();
        assert_eq!(ends.len(), 2);
        for (cell, ends) in summary.cells.iter().zip(&ends) {
            assert!(ends.iter().map(|e| e.0).eq(0..21));
            assert_eq!(ends.iter().filter(|e| e.1).count() as u64, cell.global);
        }
        flag.store(true, Ordering::Relaxed);
        assert!(ends_in_memory(&plan, &flag, &|_| ()).unwrap().is_none());
    }
}
