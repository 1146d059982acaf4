//! The accuracy table: one row per public numeric quantity, read by the tests and quoted by the documentation.
//!
//! A row says against what reference the error is taken, how large it may be, and why. The allowed error is
//! `factor * EPSILON * scale`, where the scale is a number that the row describes in words and the caller supplies:
//! the reference value itself for a relative bound, a sum of norms for a bound relative to the terms. Golden tests
//! measure with [`Bound::used`]; `docs/accuracy.md` is [`page`] written to a file.

mod table;

pub use table::TABLE;

use std::fmt::Write as _;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bound {
    /// The public path of the function, `kernel` or `InputLaw::kappa`, with `#part` where it returns several.
    pub name: &'static str,
    /// What the value is compared with.
    pub reference: &'static str,
    /// The allowed error in units of `EPSILON * scale`.
    pub factor: f64,
    /// What the error is measured against, in words.
    pub scale: &'static str,
    /// Why the bound is what it is.
    pub reason: &'static str,
}

impl Bound {
    /// The allowed error for a scale, `factor * EPSILON * |scale|`.
    pub fn allowed(&self, scale: f64) -> f64 {
        self.factor * f64::EPSILON * scale.abs()
    }

    /// The share of the allowed error that is used up, at most 1 where the bound is kept.
    ///
    /// Equal numbers use 0, also when the scale is zero; a NaN uses infinity, so that it never passes.
    pub fn used(&self, got: f64, want: f64, scale: f64) -> f64 {
        if got == want {
            return 0.0;
        }
        let share = (got - want).abs() / self.allowed(scale);
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

/// The row of a name, or `None` if the table has none.
///
/// ```
/// let bound = popgrad::accuracy::bound("kernel").expect("the kernel has a row");
/// assert_eq!(bound.allowed(2.0), 16.0 * f64::EPSILON);
/// ```
pub fn bound(name: &str) -> Option<&'static Bound> {
    TABLE.iter().find(|b| b.name == name)
}

/// The table as a page of Markdown, the text of `docs/accuracy.md`.
pub fn page() -> String {
    let mut text = String::from(
        "# Accuracy of the public functions\n\n\
         Generated from `crates/popgrad/src/accuracy/table.rs` by `cargo xtask docs`; the golden tests read the same table.\n\
         The allowed error is the factor times EPSILON = 2^-52 times the scale. All bounds are measured, not proved,\n\
         against the reference named; inputs are taken as exact.\n\n\
         | function | reference | allowed error | scale | reason |\n|---|---|---|---|---|\n",
    );
    for b in TABLE {
        let cells = [b.name, b.reference, &format!("{} EPSILON", b.factor), b.scale, b.reason];
        let cells = cells.map(|c| c.replace('|', "\\|"));
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "| `{}` | {} | {} | {} | {} |", cells[0], cells[1], cells[2], cells[3], cells[4]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_and_every_field_says_something() {
        for (i, b) in TABLE.iter().enumerate() {
            assert!(TABLE[..i].iter().all(|other| other.name != b.name), "{} stands twice", b.name);
            assert!(b.factor > 0.0 && b.factor.is_finite(), "{}", b.name);
            assert!(!b.reference.is_empty() && !b.scale.is_empty() && !b.reason.is_empty(), "{}", b.name);
        }
    }

    #[test]
    fn nan_and_an_error_above_the_bound_are_caught() {
        let b = bound("InputLaw::kappa").unwrap();
        assert_eq!(b.used(1.0, 1.0, 0.0), 0.0);
        assert_eq!(b.used(1.0 + 2.0 * f64::EPSILON, 1.0, 1.0), 1.0);
        assert!(b.used(1.0 + 4.0 * f64::EPSILON, 1.0, 1.0) > 1.0);
        assert_eq!(b.used(f64::NAN, 1.0, 1.0), f64::INFINITY);
        assert_eq!(b.used(1e-300, 0.0, 0.0), f64::INFINITY);
    }
}
