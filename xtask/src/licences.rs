//! Licences of every dependency against a list, offline; advisories where a tool for them is installed.

use crate::stages::{Outcome, StageResult, captured, cargo, pass_through};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Licences a dependency may have. All are permissive and combine with `MIT OR Apache-2.0`.
const ALLOWED: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
    "bzip2-1.0.6",
];

/// Every dependency's licence expression must be satisfiable from [`ALLOWED`].
pub(crate) fn check(root: &Path) -> StageResult {
    let arguments =
        ["tree", "--workspace", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}|{l}"];
    let tree = captured(cargo(root, &arguments))?;
    let mut packages = BTreeSet::new();
    let mut by_licence: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refused = Vec::new();
    for line in tree.lines() {
        let Some((package, licence)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
        if package.contains(" (/") || package.contains("(proc-macro) (/") || !packages.insert(package) {
            continue; // the workspace's own crates, or a package already seen
        }
        *by_licence.entry(licence).or_default() += 1;
        if !allowed(licence) {
            refused.push(format!("{package}: `{licence}`"));
        }
    }
    for (licence, count) in by_licence {
        println!("{count:>5} {licence}");
    }
    if refused.is_empty() {
        return Ok(Outcome::Passed(format!("{} packages", packages.len())));
    }
    Err(format!("licences outside the allowed list of xtask/src/licences.rs:\n{}", refused.join("\n")))
}

/// Whether an SPDX expression can be satisfied. `/` is the older spelling of `OR`.
fn allowed(expression: &str) -> bool {
    let text = expression.trim().replace('/', " OR ");
    let parts = split_top(&text, " OR ");
    if parts.len() > 1 {
        return parts.iter().any(|p| allowed(p));
    }
    let parts = split_top(&text, " AND ");
    if parts.len() > 1 {
        return parts.iter().all(|p| allowed(p));
    }
    match text.trim().strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => allowed(inner),
        None => ALLOWED.contains(&text.trim()),
    }
}

/// Splits at a separator outside parentheses.
fn split_top<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth, mut at) = (Vec::new(), 0, 0_i32, 0);
    while at < text.len() {
        match text.as_bytes()[at] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ if depth == 0 && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                at += separator.len();
                start = at;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

/// Known vulnerabilities, where `cargo deny` or `cargo audit` is installed; both need the advisory database.
pub(crate) fn advisories(root: &Path) -> StageResult {
    for (probe, arguments) in [("deny", &["deny", "check", "advisories"][..]), ("audit", &["audit"])] {
        if captured(cargo(root, &[probe, "--version"])).is_ok() {
            return pass_through(cargo(root, arguments)).map(|()| Outcome::Passed(format!("cargo {probe}")));
        }
    }
    Ok(Outcome::NotChecked("neither cargo-deny nor cargo-audit is installed".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx() {
        assert!(allowed("MIT OR Apache-2.0"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(allowed("GPL-3.0 OR MIT"));
        assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
        assert!(!allowed("(MIT OR Apache-2.0) AND GPL-3.0"));
        assert!(!allowed("GPL-3.0-only"));
        assert!(!allowed(""));
    }
}
