//! Sizes of files and functions, tests left out, against the budgets of CONTRIBUTING.md.

use crate::gates::{read, relative, rust_files};
use crate::stages::{Outcome, StageResult};
use std::path::Path;

/// No file may have more lines than this before its tests.
const FILE_CAP: usize = 800;
/// A function longer than this is listed, tables and dispatch included.
const FUNCTION_CAP: usize = 60;

/// One function: where it starts and how many lines its body has.
#[derive(Debug, PartialEq)]
struct Function {
    name: String,
    line: usize,
    length: usize,
}

/// Prints the numbers; fails only above the hard cap for files.
pub(crate) fn check(root: &Path) -> StageResult {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for path in rust_files(root)? {
        let text = read(&path)?;
        let shown = relative(root, &path).to_string();
        if !shown.contains("/tests/") && !shown.contains("/benches/") {
            let code = before_tests(&text);
            files.push((code.lines().count(), shown.clone()));
            functions.extend(
                functions_of(code).into_iter().map(|f| (f.length, format!("{shown}:{} {}", f.line, f.name))),
            );
        }
    }
    let line = |what: &str, sizes: &[(usize, String)], budget: &str| {
        let (median, p90, max) = (quantile(sizes, 0.5), quantile(sizes, 0.9), quantile(sizes, 1.0));
        println!(
            "{:>5} {what:<10} lines: median {median:>3}, 90% {p90:>3}, longest {max:>3}   ({budget})",
            sizes.len()
        );
    };
    files.sort();
    functions.sort();
    line("files", &files, "budget: median 200, 90% 450, cap 800");
    line("functions", &functions, "budget: median 10, 90% 25, cap 60 but for tables and dispatch");
    for (length, place) in functions.iter().filter(|f| f.0 > FUNCTION_CAP) {
        println!("      {length} lines: {place}");
    }
    let over: Vec<String> =
        files.iter().filter(|f| f.0 > FILE_CAP).map(|(n, place)| format!("{place}: {n} lines")).collect();
    if over.is_empty() {
        let note = format!("files: median {}, longest {}", quantile(&files, 0.5), quantile(&files, 1.0));
        return Ok(Outcome::Passed(note));
    }
    Err(format!("files above {FILE_CAP} lines: {}", over.join("; ")))
}

/// The text before the inline test module.
pub(crate) fn before_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ").map_or(text, |end| &text[..=end])
}

/// Functions of formatted source: a body ends at a brace as deep as the line its signature starts on.
fn functions_of(code: &str) -> Vec<Function> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let Some(open) = (start..lines.len()).find(|&i| lines[i].ends_with(['{', ';', '}'])) else {
            continue;
        };
        if !lines[open].ends_with('{') {
            continue; // a declaration, or a body on the signature's own line
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let Some(end) = (open + 1..lines.len()).find(|&i| lines[i] == closing) else { continue };
        found.push(Function { name, line: start + 1, length: end - open - 1 });
    }
    found
}

/// The name if the line starts a function.
fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for prefix in ["pub(crate) ", "pub(super) ", "pub ", "const "] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

/// The size at a share of the sorted list, the nearest rank below; 0 for an empty list.
fn quantile(sorted: &[(usize, String)], share: f64) -> usize {
    let last = sorted.len().saturating_sub(1);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a small index
    let index = (share * last as f64) as usize;
    sorted.get(index).map_or(0, |s| s.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_by_their_bodies() {
        let code = "pub fn one(\n    a: u8,\n) -> u8 {\n    if a > 0 {\n        1\n    } else {\n        2\n    }\n}\n\
                    impl X {\n    const fn two() {\n        f();\n    }\n    fn three();\n}\n";
        let found = functions_of(code);
        assert_eq!(found[0], Function { name: "one".into(), line: 1, length: 5 });
        assert_eq!(found[1], Function { name: "two".into(), line: 11, length: 1 });
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn tests_are_not_counted() {
        assert_eq!(before_tests("a\nb\n\n#[cfg(test)]\nmod tests {\n}\n"), "a\nb\n\n");
        assert_eq!(before_tests("a\n#[cfg(test)]\nfn only_for_tests() {}\nb\n").lines().count(), 4);
    }
}
