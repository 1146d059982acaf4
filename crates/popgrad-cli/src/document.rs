//! The one door to stdout: a JSON document with its fixed first keys, or lines of text.

use crate::failure::Failure;
use popgrad::{Kind, Matrix};
use serde_json::{Map, Value, json};
use std::io::{ErrorKind, Write};

/// The version of the package, as it stands in every document and file.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A JSON document: `schema` and `popgrad` first, then numerics, seed and resolved options, then the results.
#[derive(Clone, Debug)]
pub(crate) struct Document(Map<String, Value>);

impl Document {
    /// Starts the document of a verb. `seed` is null where nothing random is done.
    pub(crate) fn new(verb: &str, seed: Option<u64>, options: &Value) -> Self {
        let mut keys = Map::new();
        keys.insert("schema".to_owned(), json!(format!("popgrad.{verb}/1")));
        keys.insert("popgrad".to_owned(), json!(VERSION));
        keys.insert("numerics".to_owned(), json!(popgrad::NUMERICS));
        keys.insert("seed".to_owned(), json!(seed));
        keys.insert("options".to_owned(), options.clone());
        Self(keys)
    }

    /// Adds a key. Numbers that are not finite become null.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Prints the document.
    pub(crate) fn print(self) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&Value::Object(self.0)).unwrap_or_default();
        print(&compact_numbers(&text))
    }
}

/// Writes a text and a line break to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
    written.map_err(|e| match e.kind() {
        ErrorKind::BrokenPipe => Failure::BrokenPipe,
        _ => Failure::plain(&format!("stdout cannot be written: {e}"), Kind::Io),
    })
}

/// A matrix as nested lists; the listed rows become lists of null.
pub(crate) fn rows(matrix: &Matrix, null_rows: &[usize]) -> Value {
    let row = |i: usize| -> Value {
        if null_rows.contains(&i) { json!(vec![Value::Null; matrix.cols()]) } else { json!(matrix.row(i)) }
    };
    Value::Array((0..matrix.rows()).map(row).collect())
}

/// Joins the lines of innermost lists, so that a row of a matrix is a line.
fn compact_numbers(pretty: &str) -> String {
    let mut out = String::with_capacity(pretty.len());
    let mut lines = pretty.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        let simple = |l: &str| {
            let l = l.trim_start();
            !l.starts_with(['[', '{', '"', ']', '}'])
        };
        if line.ends_with('[') && lines.peek().is_some_and(|next| simple(next)) {
            while let Some(next) = lines.next_if(|next| simple(next)) {
                let entry = next.trim_start();
                out.push_str(entry);
                if entry.ends_with(',') {
                    out.push(' ');
                }
            }
            if let Some(close) = lines.next() {
                out.push_str(close.trim_start());
            }
        }
        out.push('\n');
    }
    out
}

/// A number for people: all its digits, in plain or scientific notation.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-4..1e7).contains(&size) { format!("{x}") } else { format!("{x:e}") }
}

/// A row of numbers for people, six significant digits.
pub(crate) fn short_row(row: &[f64]) -> String {
    // The sum has no negative zero.
    row.iter().map(|x| format!("{:>13.5e}", x + 0.0)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn innermost_lists_stand_on_one_line() {
        let value = json!({"a": [[1.0, null], [3.5, 4.0]], "b": [], "c": [1], "d": ["x"]});
        let text = compact_numbers(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(
            text,
            "{\n  \"a\": [\n    [1.0, null],\n    [3.5, 4.0]\n  ],\n  \"b\": [],\n  \"c\": [1],\n  \"d\": [\n    \"x\"\n  ]\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        for x in [0.1, 1e-20, -123456.789, 1e300, 0.0] {
            assert_eq!(number(x).parse::<f64>().unwrap(), x);
        }
        assert_eq!(number(1e-20), "1e-20");
    }
}
