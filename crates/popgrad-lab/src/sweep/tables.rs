//! The tables of a sweep as columns.

use super::cell::Cell;
use super::error::SweepError;
use super::gather::{CellSummary, ClassSummary, Gathered};
use super::part::{self, Representative};
use super::plan::Plan;
use super::spec::Value;
use crate::storage::{TableColumn, TableWriter};
use popgrad::RunStatus;

/// Rows written together.
const ROWS_PER_BATCH: usize = 65_536;

fn integer(x: u64) -> Option<i64> {
    i64::try_from(x).ok()
}

/// The table of a cell's runs.
pub(super) struct RunTable {
    table: TableWriter,
    batch: Batch,
}

impl RunTable {
    pub(super) fn new(table: TableWriter) -> Self {
        Self { table, batch: Batch::default() }
    }

    pub(super) fn push(
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

    pub(super) fn finish(mut self) -> Result<(), SweepError> {
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

pub(super) fn class_columns(
    cell: &Cell,
    gathered: &Gathered<'_>,
    summary: &CellSummary,
) -> Vec<(String, TableColumn)> {
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

pub(super) fn cell_columns(plan: &Plan, cells: &[CellSummary]) -> Vec<(String, TableColumn)> {
    let count = |field: &dyn Fn(&CellSummary) -> u64| {
        TableColumn::Integer(cells.iter().map(|c| integer(field(c))).collect())
    };
    let real = |field: fn(&CellSummary) -> f64| TableColumn::Real(cells.iter().map(field).collect());
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
        let number = |v: Option<&Value>| match v {
            Some(Value::Integer(i)) => *i as f64,
            Some(Value::Real(x)) => *x,
            _ => f64::NAN,
        };
        return TableColumn::Real(values.iter().copied().map(number).collect());
    }
    let text = |v: &Value| match v {
        Value::Text(text) => text.clone(),
        other => other.json().to_string(),
    };
    TableColumn::Text(values.iter().map(|v| v.map(text)).collect())
}
