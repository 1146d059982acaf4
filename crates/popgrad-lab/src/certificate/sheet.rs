//! A certificate as lists of lines, and the one way to write it.

use super::{CertificateFileError, SCHEMA, fnv1a, malformed};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// What the documents about one statement have in common.
pub(super) struct Layout {
    /// The word for the statement.
    pub(super) statement: &'static str,
    /// The statement itself.
    pub(super) claim: &'static str,
    /// How the lines are to be read.
    pub(super) lines: &'static str,
    /// Names of the lists.
    pub(super) lists: &'static [&'static str],
}

/// The lists of a document.
pub(super) struct Sheet<'a> {
    layout: &'a Layout,
    lists: Vec<Vec<String>>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(layout: &'a Layout, lists: Vec<Vec<String>>) -> Self {
        debug_assert_eq!(layout.lists.len(), lists.len());
        Self { layout, lists }
    }

    /// The lines of a list.
    pub(super) fn list(&self, at: usize) -> super::words::Lines<'_> {
        super::words::Lines::new(self.layout.lists[at], &self.lists[at])
    }

    /// The lists of a document.
    pub(super) fn read(path: &Path, value: &Value, layout: &'a Layout) -> Result<Self, CertificateFileError> {
        let word = |key: &str| {
            let missing = || malformed(path, &format!("missing text `{key}`"));
            value.get(key).and_then(Value::as_str).ok_or_else(missing)
        };
        let list = |name: &&str| -> Option<Vec<String>> {
            let lines = value.get(*name)?.as_array()?;
            lines.iter().map(|line| line.as_str().map(str::to_owned)).collect()
        };
        let mut lists = Vec::with_capacity(layout.lists.len());
        for name in layout.lists {
            lists
                .push(list(name).ok_or_else(|| malformed(path, &format!("missing list of lines `{name}`")))?);
        }
        if word("claim")? != layout.claim || word("lines")? != layout.lines {
            let reason = "it claims something else".to_owned();
            return Err(CertificateFileError::Altered { path: path.to_owned(), reason });
        }
        Ok(Self::new(layout, lists))
    }

    /// The document.
    pub(super) fn rendered(&self, version: &str) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let Layout { statement, claim, lines, lists } = self.layout;
        let mut text = String::from("{\n");
        for (key, value) in [
            ("schema", SCHEMA),
            ("popgrad", version),
            ("statement", statement),
            ("claim", claim),
            ("lines", lines),
        ] {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  \"{key}\": {},", quoted(value));
        }
        for (name, lines) in lists.iter().zip(&self.lists) {
            let _ = write!(text, "  \"{name}\": [");
            for (n, line) in lines.iter().enumerate() {
                let comma = if n == 0 { "" } else { "," };
                let _ = write!(text, "{comma}\n    {}", quoted(line));
            }
            text.push_str(if lines.is_empty() { "],\n" } else { "\n  ],\n" });
        }
        let digest = fnv1a(text.as_bytes());
        let _ = writeln!(text, "  \"digest\": \"fnv1a64:{digest:016x}\"\n}}");
        text
    }
}
