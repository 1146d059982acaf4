//! Golden values from `tests/fixtures`, and a record of the worst error that a test met.

use popgrad::accuracy::{Bound, bound};
use serde_json::Value;
use std::path::Path;

/// The row of the accuracy table with this name.
pub(crate) fn row(name: &str) -> &'static Bound {
    bound(name).unwrap_or_else(|| panic!("the accuracy table has no row {name}"))
}

/// The allowed error of a row of the accuracy table at this scale.
pub(crate) fn allowed(name: &str, scale: f64) -> f64 {
    row(name).allowed(scale)
}

/// A file of `tests/fixtures`.
pub(crate) fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A number: a JSON number is a double, a string holds 25 digits and is rounded once.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(n) => n.as_f64().expect("a double"),
        Value::String(text) => text.parse().unwrap_or_else(|_| panic!("{text} is no number")),
        other => panic!("{other} is no number"),
    }
}

/// A list of numbers.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

/// A list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// A count.
pub(crate) fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("a count")
}

/// The worst ratio of error to allowed error of one test. A ratio above one fails at once; dropping the record
/// prints the worst ratio, so that a bound with too much slack shows.
pub(crate) struct Worst {
    name: &'static str,
    ratio: f64,
    place: String,
}

impl Worst {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ratio: 0.0, place: String::new() }
    }

    /// Compares `got` with `want`, allowing `allowed`; `place` says where.
    pub(crate) fn check(&mut self, got: f64, want: f64, allowed: f64, place: impl FnOnce() -> String) {
        let error = (got - want).abs();
        let ratio = if error == 0.0 { 0.0 } else { error / allowed };
        if !(ratio <= 1.0) {
            panic!(
                "{} at {}: got {got:e} ({:#x}), want {want:e} ({:#x}), error {error:e}, allowed {allowed:e}",
                self.name,
                place(),
                got.to_bits(),
                want.to_bits()
            );
        }
        if ratio > self.ratio {
            (self.ratio, self.place) = (ratio, place());
        }
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        println!("{}: worst error {:.3} of the bound, at {}", self.name, self.ratio, self.place);
    }
}
