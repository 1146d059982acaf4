//! A sweep's plan: the spec with all its cells resolved, and how its runs are divided into parts.

use super::cell::Cell;
use super::error::{SpecError, SweepError};
use super::part::sha256;
use super::run::{check_manifest, read_manifest};
use super::spec::{Entry, Spec, Value};
use popgrad::{Level, NUMERICS};
use serde_json::{Map, Value as Json, json};
use std::path::Path;

/// Runs of a part where the spec does not say.
const RUNS_OF_A_PART: u64 = 1024;
/// Numbers that the ends of a part may hold where the spec does not say how many runs it has.
const NUMBERS_OF_A_PART: u64 = 1 << 22;
/// Fewest runs of a part where the spec does not say.
const FEWEST_RUNS: u64 = 16;

/// What a sweep computes.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) seed: u64,
    /// Runs of each cell.
    pub(super) runs: u64,
    /// Runs of each part.
    pub(super) part: u64,
    pub(super) cells: Vec<Cell>,
    /// The names of keys that vary.
    pub(super) varied: Vec<String>,
    pub(super) level: Level,
    /// All of it that decides rows, as JSON.
    pub(super) spec: Json,
    /// Its checksum.
    pub(super) hash: String,
}

impl Plan {
    /// Resolves a spec; every cell is set up once, so that no mistake is left for later.
    ///
    /// # Errors
    ///
    /// [`SpecError`], with the place of the mistake.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad_lab::sweep::{Plan, Spec};
    /// let text = "runs = 10\n[problem]\nteacher = \"orthonormal:3\"\n[dynamics]\nstep = 0.5\n[grid]\nstart.scale = [1, 2]\n";
    /// let plan = Plan::resolve(&Spec::parse("a.toml", text)?, popgrad::Level::detect())?;
    /// assert_eq!(plan.cells(), 2);
    /// # Ok::<(), popgrad_lab::sweep::SpecError>(())
    /// ```
    pub fn resolve(spec: &Spec, level: Level) -> Result<Self, SpecError> {
        let seed = whole(spec, "seed", 0)?.unwrap_or(1);
        let Some(runs) = whole(spec, "runs", 1)? else {
            return Err(SpecError::whole(spec.name(), "has no runs; runs = N says how many each cell has"));
        };
        let independent = match spec.base("independent") {
            None => false,
            Some(Entry { value: Value::Flag(flag), .. }) => *flag,
            Some(entry) => return Err(refusal(spec, "independent", entry, "true or false")),
        };
        let mut cells = Vec::new();
        for (number, keys) in spec.cells()?.iter().enumerate() {
            let own = if independent { seed_of_cell(seed, number) } else { seed };
            let cell = Cell::resolve(spec.name(), number, keys, own, level)?;
            if let Some(starts) = cell.starts().filter(|n| *n < runs) {
                let message =
                    format!("cell {number} has {starts} starts but {runs} runs; lower runs to {starts}");
                return Err(SpecError::whole(spec.name(), message));
            }
            cells.push(cell);
        }
        let default = (NUMBERS_OF_A_PART / numbers(&cells)).clamp(FEWEST_RUNS, RUNS_OF_A_PART);
        let part = whole(spec, "part", 1)?.unwrap_or(default);
        let resolved: Vec<Json> = cells.iter().map(|c| Json::Object(c.resolved.clone())).collect();
        let varied = spec.varied().to_vec();
        let spec = json!({
            "seed": seed, "runs": runs, "part": part, "independent": independent, "varied": varied, "cells": resolved,
        });
        let hash = sha256(spec.to_string().as_bytes());
        Ok(Self { seed, runs, part, cells, varied, level, spec, hash })
    }

    /// The plan of a sweep that a directory holds, from its manifest.
    ///
    /// # Errors
    ///
    /// [`SweepError`]: there is no manifest that this version reads, or a file that it names has changed.
    pub fn of_directory(directory: &Path, level: Level) -> Result<Self, SweepError> {
        let path = directory.join("manifest.json");
        let manifest = read_manifest(&path)?;
        let plan = Self::resolve(&Spec::of_manifest(&path.display().to_string(), &manifest["spec"])?, level)?;
        check_manifest(&path, &plan, directory)?;
        Ok(plan)
    }

    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Runs of all cells together.
    pub fn total_runs(&self) -> u64 {
        self.runs * self.cells.len() as u64
    }

    /// The resolved spec.
    pub fn resolved(&self) -> &Json {
        &self.spec
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Parts of each cell.
    pub(super) fn parts_of_cell(&self) -> u64 {
        self.runs.div_ceil(self.part)
    }

    /// Parts of all cells together.
    pub(super) fn parts(&self) -> u64 {
        self.parts_of_cell() * self.cells.len() as u64
    }

    /// Cell and number in it of a part.
    pub(super) fn place(&self, part: u64) -> (usize, u64) {
        let of_cell = self.parts_of_cell();
        (usize::try_from(part / of_cell).unwrap_or(usize::MAX), part % of_cell)
    }

    /// The runs of a part: the first, and the one after the last.
    pub(super) fn range(&self, part: u64) -> (u64, u64) {
        let first = self.place(part).1 * self.part;
        (first, self.runs.min(first + self.part))
    }

    /// Numbers that the ends of a part hold, in the largest cell.
    pub(super) fn numbers_of_a_part(&self) -> u64 {
        self.part.saturating_mul(numbers(&self.cells))
    }

    /// What stands in every file: enough to make it again.
    pub(super) fn manifest(&self, version: &str) -> Map<String, Json> {
        let pairs = [
            ("schema", json!(super::SCHEMA)),
            ("popgrad", json!(version)),
            ("numerics", json!(NUMERICS)),
            ("seed", json!(self.seed)),
            ("spec_sha256", json!(self.hash)),
            ("spec", self.spec.clone()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// Numbers in the end of a run, in the largest cell.
fn numbers(cells: &[Cell]) -> u64 {
    cells.iter().map(|c| c.size().0 as u64).max().unwrap_or(1).max(1)
}

/// The seed of a cell with draws of its own: the seed plus multiples of an odd number, so that no two cells share one.
fn seed_of_cell(seed: u64, cell: usize) -> u64 {
    seed.wrapping_add((cell as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn whole(spec: &Spec, key: &str, least: i64) -> Result<Option<u64>, SpecError> {
    match spec.base(key) {
        None => Ok(None),
        Some(entry) => match entry.value {
            Value::Integer(i) if i >= least => Ok(u64::try_from(i).ok()),
            _ => Err(refusal(spec, key, entry, &format!("a whole number of at least {least}"))),
        },
    }
}

fn refusal(spec: &Spec, key: &str, entry: &Entry, needed: &str) -> SpecError {
    let message = format!("{key} is {}; {needed} is needed", entry.value.describe());
    SpecError::at(spec.name(), entry.place, message)
}
