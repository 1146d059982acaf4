//! The spec of a sweep: keys with values and places in a TOML file, checked before anything runs.
//!
//! A table's name and a key make a dotted key, `dynamics.step`. `[grid]` gives lists: every combination is a cell, the last
//! list running fastest. Each `[[cells]]` table overrides keys for one cell, or for one grid of cells.

use super::error::SpecError;
use super::keys;
use serde_json::json;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most cells of a sweep.
const MOST_CELLS: usize = 100_000;

/// A value of a key.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Real(f64),
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A list of finite numbers.
    Numbers(Vec<f64>),
}

impl Value {
    /// As it stands in JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Integer(i) => json!(i),
            Self::Real(x) => json!(x),
            Self::Text(t) => json!(t),
            Self::Flag(b) => json!(b),
            Self::Numbers(x) => json!(x),
        }
    }

    /// The value that stands in JSON, if it is one.
    pub(super) fn of_json(json: &serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::Bool(flag) => Some(Self::Flag(*flag)),
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Array(list) => {
                list.iter().map(serde_json::Value::as_f64).collect::<Option<_>>().map(Self::Numbers)
            }
            number => number.as_i64().map(Self::Integer).or_else(|| number.as_f64().map(Self::Real)),
        }
    }

    /// What it is, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Integer(i) => i.to_string(),
            Self::Real(x) => x.to_string(),
            Self::Text(t) => format!("the text \"{t}\""),
            Self::Flag(b) => b.to_string(),
            Self::Numbers(_) => "a list".to_owned(),
        }
    }
}

/// A place in the file, both counted from one; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// Values by dotted key.
pub(super) type Entries = BTreeMap<String, Entry>;

/// A spec whose keys exist, before its values are given a meaning.
#[derive(Clone, Debug)]
pub struct Spec {
    name: String,
    base: Entries,
    grid: Vec<(String, Vec<Entry>)>,
    cells: Vec<Entries>,
    /// The names of keys that `[grid]` or `[[cells]]` gives.
    varied: Vec<String>,
}

/// The keys of one cell.
#[derive(Clone, Debug)]
pub(super) struct CellKeys {
    /// All of them.
    pub(super) entries: Entries,
    /// The names of those that vary in the sweep.
    pub(super) varied: Vec<String>,
}

impl Spec {
    /// Reads a spec; `name` stands in messages.
    ///
    /// # Errors
    ///
    /// [`SpecError`] with the line and column of the first mistake: TOML that cannot be read, a key that does not exist, a
    /// value of a kind that no key takes.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad_lab::sweep::Spec;
    /// let spec = Spec::parse("a.toml", "runs = 10\n[dynamics]\nstepp = 0.1\n");
    /// assert_eq!(
    ///     spec.unwrap_err().to_string(),
    ///     "a.toml:3:1: dynamics.stepp is not a key of a sweep; did you mean dynamics.step?"
    /// );
    /// ```
    pub fn parse(name: &str, text: &str) -> Result<Self, SpecError> {
        let reader = Reader { name, text };
        let table = DeTable::parse(text).map_err(|e| {
            let message = e.message().to_owned();
            reader.error(e.span().map_or(0, |s| s.start), message)
        })?;
        let mut spec = Self::empty(name);
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("grid", DeValue::Table(table)) => spec.grid = reader.grid(table)?,
                ("cells", DeValue::Array(cells)) => {
                    for cell in cells {
                        let DeValue::Table(table) = cell.get_ref() else {
                            return Err(
                                reader.error(cell.span().start, "cells are tables, written [[cells]]")
                            );
                        };
                        let mut entries = Entries::new();
                        reader.entries("", table, &mut entries)?;
                        spec.cells.push(entries);
                    }
                }
                ("grid" | "cells", _) => {
                    let message = "grids are written [grid], and cells [[cells]]";
                    return Err(reader.error(key.span().start, message));
                }
                (_, DeValue::Table(table)) => reader.entries(key.get_ref(), table, &mut spec.base)?,
                _ => reader.entry(key.get_ref(), key.span().start, value, &mut spec.base)?,
            }
        }
        let listed = spec.cells.iter().flat_map(Entries::keys).chain(spec.grid.iter().map(|(key, _)| key));
        let mut varied: Vec<String> = Vec::new();
        for key in listed {
            if !varied.contains(key) {
                varied.push(key.clone());
            }
        }
        spec.varied = varied;
        Ok(spec)
    }

    fn empty(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, base: Entries::new(), grid: Vec::new(), cells: Vec::new(), varied: Vec::new() }
    }

    /// The spec behind a resolved one, as a manifest holds it; checksums of files are taken afresh.
    pub(super) fn of_manifest(name: &str, resolved: &serde_json::Value) -> Result<Self, SpecError> {
        let place = Place { line: 1, column: 1 };
        let broken = || SpecError::whole(name, "holds no resolved spec");
        let entries = |table: &serde_json::Map<String, serde_json::Value>| {
            let given = table.iter().filter(|(key, _)| keys::check(key).is_ok());
            given
                .map(|(key, value)| Some((key.clone(), Entry { value: Value::of_json(value)?, place })))
                .collect::<Option<Entries>>()
        };
        let mut spec = Self::empty(name);
        spec.base = entries(resolved.as_object().ok_or_else(broken)?).ok_or_else(broken)?;
        for cell in resolved["cells"].as_array().ok_or_else(broken)? {
            spec.cells.push(cell.as_object().and_then(entries).ok_or_else(broken)?);
        }
        let varied = resolved["varied"].as_array().ok_or_else(broken)?;
        spec.varied = varied.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect();
        Ok(spec)
    }

    /// The names of keys that vary.
    pub(super) fn varied(&self) -> &[String] {
        &self.varied
    }

    /// The name that stands in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same spec with another value for a key of the whole sweep, `runs` or `seed`.
    #[must_use]
    pub fn with_whole(mut self, key: &str, value: u64) -> Self {
        let value = Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
        self.base.insert(key.to_owned(), Entry { value, place: Place { line: 1, column: 1 } });
        self
    }

    /// The value of a key that is the same in every cell, if it is given.
    pub(super) fn base(&self, key: &str) -> Option<&Entry> {
        self.base.get(key)
    }

    /// The keys of every cell, in order.
    pub(super) fn cells(&self) -> Result<Vec<CellKeys>, SpecError> {
        let count = self
            .grid
            .iter()
            .try_fold(self.cells.len().max(1), |n, (_, values)| n.checked_mul(values.len()))
            .filter(|n| *n <= MOST_CELLS);
        let Some(count) = count else {
            let message = format!("has more than {MOST_CELLS} cells; make several sweeps of it");
            return Err(SpecError::whole(&self.name, message));
        };
        let whole = [Entries::new()];
        let listed = if self.cells.is_empty() { &whole[..] } else { &self.cells[..] };
        let mut cells = Vec::with_capacity(count);
        for overrides in listed {
            for number in 0..count / listed.len() {
                let mut entries = self.base.clone();
                entries.extend(overrides.iter().map(|(k, v)| (k.clone(), v.clone())));
                let mut rest = number;
                for (key, values) in self.grid.iter().rev() {
                    entries.insert(key.clone(), values[rest % values.len()].clone());
                    rest /= values.len();
                }
                cells.push(CellKeys { entries, varied: self.varied.clone() });
            }
        }
        Ok(cells)
    }
}

/// The text of a spec, for places.
struct Reader<'t> {
    name: &'t str,
    text: &'t str,
}

impl Reader<'_> {
    fn place(&self, byte: usize) -> Place {
        let before = &self.text[..byte.min(self.text.len())];
        let line = before.rfind('\n').map_or(0, |n| n + 1);
        Place { line: before.matches('\n').count() + 1, column: before[line..].chars().count() + 1 }
    }

    fn error(&self, byte: usize, message: impl Into<String>) -> SpecError {
        SpecError::at(self.name, self.place(byte), message)
    }

    /// The keys of a table, those of tables in it included.
    fn entries(&self, prefix: &str, table: &DeTable<'_>, out: &mut Entries) -> Result<(), SpecError> {
        for (key, value) in table {
            let dotted = joined(prefix, key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.entries(&dotted, inner, out)?,
                _ => self.entry(&dotted, key.span().start, value, out)?,
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        key: &str,
        at: usize,
        value: &Spanned<DeValue<'_>>,
        out: &mut Entries,
    ) -> Result<(), SpecError> {
        self.known(key, at)?;
        let place = self.place(value.span().start);
        if out.insert(key.to_owned(), Entry { value: self.value(key, value)?, place }).is_some() {
            return Err(self.error(at, format!("{key} is given twice; give it once")));
        }
        Ok(())
    }

    fn known(&self, key: &str, at: usize) -> Result<(), SpecError> {
        keys::check(key).map_err(|message| self.error(at, message))
    }

    fn value(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Value, SpecError> {
        let number = |value: &DeValue<'_>| match value {
            DeValue::Integer(i) => {
                i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok().map(Value::Integer)
            }
            DeValue::Float(x) => {
                x.as_str().replace('_', "").parse().ok().filter(|x: &f64| x.is_finite()).map(Value::Real)
            }
            _ => None,
        };
        let read = match value.get_ref() {
            DeValue::String(text) => Some(Value::Text(text.to_string())),
            DeValue::Boolean(flag) => Some(Value::Flag(*flag)),
            DeValue::Array(list) => list
                .iter()
                .map(|x| match number(x.get_ref()) {
                    Some(Value::Integer(i)) => Some(i as f64),
                    Some(Value::Real(x)) => Some(x),
                    _ => None,
                })
                .collect::<Option<Vec<f64>>>()
                .map(Value::Numbers),
            other => number(other),
        };
        read.ok_or_else(|| {
            let message = format!(
                "{key} is no value that a key takes: a finite number, a text in quotes, true or false, or a list of numbers"
            );
            self.error(value.span().start, message)
        })
    }

    /// Lists of values, in the order of the file.
    fn grid(&self, table: &DeTable<'_>) -> Result<Vec<(String, Vec<Entry>)>, SpecError> {
        let mut lists = Vec::new();
        self.lists("", table, &mut lists)?;
        lists.sort_by_key(|(at, ..)| *at);
        Ok(lists.into_iter().map(|(_, key, values)| (key, values)).collect())
    }

    fn lists(
        &self,
        prefix: &str,
        table: &DeTable<'_>,
        out: &mut Vec<(usize, String, Vec<Entry>)>,
    ) -> Result<(), SpecError> {
        for (key, value) in table {
            let dotted = joined(prefix, key.get_ref());
            let at = key.span().start;
            match value.get_ref() {
                DeValue::Table(inner) => self.lists(&dotted, inner, out)?,
                DeValue::Array(list) if !list.is_empty() => {
                    self.known(&dotted, at)?;
                    if !keys::varies(&dotted) {
                        let message =
                            format!("{dotted} belongs to the whole sweep and cannot vary in a grid");
                        return Err(self.error(at, message));
                    }
                    let values = list.iter().map(|x| {
                        let place = self.place(x.span().start);
                        Ok(Entry { value: self.value(&dotted, x)?, place })
                    });
                    out.push((at, dotted.clone(), values.collect::<Result<_, SpecError>>()?));
                }
                _ => {
                    let message = format!("{dotted} in [grid] is a list of values, [1, 2, 3]");
                    return Err(self.error(value.span().start, message));
                }
            }
        }
        Ok(())
    }
}

fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Spec::parse("s.toml", text).map_or_else(|e| e.to_string(), |_| "accepted".to_owned())
    }

    #[test]
    fn mistakes_are_named_with_line_and_column() {
        for (text, start) in [
            ("runs = \n", "s.toml:1:"),
            ("runs = 5\nruns = 6\n", "s.toml:2:1: "),
            ("[problem]\n  teacherr = \"x\"\n", "s.toml:2:3: problem.teacherr is not a key"),
            ("[dynamics]\nstep = inf\n", "s.toml:2:8: dynamics.step is no value"),
            ("[grid]\nseed = [1, 2]\n", "s.toml:2:1: seed belongs to the whole sweep"),
            ("[grid]\n\"dynamics.step\" = 1.0\n", "s.toml:2:19: dynamics.step in [grid] is a list"),
            ("cells = [1]\n", "s.toml:1:10: cells are tables"),
            ("grid = 1\n", "s.toml:1:1: grids are written"),
        ] {
            assert!(refusal(text).starts_with(start), "{text}: {}", refusal(text));
        }
    }

    #[test]
    fn cells_are_every_combination_with_the_last_list_fastest() {
        let text = "runs = 1\n[grid]\n\"problem.students\" = [2, 3]\ndynamics.step = [0.1, 0.2]\n[[cells]]\nstart.scale = 1\n\
                    [[cells]]\nstart.scale = 2\n";
        let cells = Spec::parse("s.toml", text).unwrap().cells().unwrap();
        let seen: Vec<_> = cells
            .iter()
            .map(|c| {
                ["start.scale", "problem.students", "dynamics.step"]
                    .map(|k| c.entries[k].value.describe())
                    .join(" ")
            })
            .collect();
        assert_eq!(
            seen,
            ["1 2 0.1", "1 2 0.2", "1 3 0.1", "1 3 0.2", "2 2 0.1", "2 2 0.2", "2 3 0.1", "2 3 0.2"]
        );
        assert_eq!(cells[0].varied, ["start.scale", "problem.students", "dynamics.step"]);
    }

    #[test]
    fn too_many_cells_are_refused() {
        let list: Vec<String> = (1..=400).map(|i| i.to_string()).collect();
        let list = list.join(",");
        let text = format!("[grid]\nproblem.students = [{list}]\nstop.steps = [{list}]\n");
        let error = Spec::parse("s.toml", &text).unwrap().cells().unwrap_err();
        assert!(error.to_string().starts_with("s.toml has more than 100000 cells"), "{error}");
    }
}
