//! The README's commands, run as a reader would run them.
//!
//! `sh` blocks hold commands to copy, `console` blocks hold `$ command` lines with the output they print. Both run in
//! a scratch folder with the release binary; outputs are compared line by line, `...` standing for any lines. Rust
//! blocks are doctests of the crate `popgrad`.

use crate::gates::read;
use crate::markdown::{Block, blocks};
use crate::stages::{Outcome, StageResult};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the commands run and which binary stands for `popgrad`.
struct Place {
    scratch: PathBuf,
    binary: PathBuf,
}

/// Runs the commands of the README and of docs/README.md.
pub(crate) fn commands(root: &Path) -> StageResult {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let place = Place { scratch: target.join("readme"), binary: target.join("release/popgrad") };
    if place.scratch.exists() {
        fs::remove_dir_all(&place.scratch).map_err(|e| format!("{}: {e}", place.scratch.display()))?;
    }
    fs::create_dir_all(&place.scratch).map_err(|e| format!("{}: {e}", place.scratch.display()))?;
    let (mut count, mut faults) = (0, Vec::new());
    for block in blocks(&read(&root.join("README.md"))?) {
        let result = match block.language.as_str() {
            "sh" => shell_block(root, &place, &block),
            "console" => console_block(&place, &block),
            _ => continue,
        };
        match result {
            Ok(n) => count += n,
            Err(why) => faults.push(format!("README.md:{}: {why}", block.line)),
        }
    }
    if faults.is_empty() { Ok(Outcome::Passed(format!("{count} commands"))) } else { Err(faults.join("\n")) }
}

/// Runs what a `sh` block offers; commands that fetch or that would start this program again are checked, not run.
fn shell_block(root: &Path, place: &Place, block: &Block) -> Result<usize, String> {
    let mut count = 0;
    for line in joined_lines(&block.text) {
        let command = line.split('#').next().unwrap_or("").trim();
        if command.is_empty() {
            continue;
        }
        count += 1;
        if let Some(arguments) = command.strip_prefix("cargo run --release -- ") {
            run(place, &format!("popgrad {arguments}"))?;
        } else if command.starts_with("popgrad ") {
            run(place, command)?;
        } else if command.starts_with("cargo xtask ") {
            ci_runs(root, command)?;
        } else if let Some(path) = command.strip_prefix("cargo install --locked --path ") {
            if !root.join(path).join("Cargo.toml").exists() {
                return Err(format!("`{command}`: there is no crate in {path}"));
            }
        } else if !command.starts_with("git clone ") && !command.starts_with("cd ") {
            return Err(format!("`{command}` is of no form that xtask/src/readme.rs knows how to check"));
        }
    }
    Ok(count)
}

/// The README's test command is the one that CI runs.
fn ci_runs(root: &Path, command: &str) -> Result<(), String> {
    if command == "cargo xtask test" && !read(&root.join(".ci/run"))?.contains(command) {
        return Err(format!("`{command}` is not what .ci/run calls"));
    }
    Ok(())
}

/// Runs each `$` line and compares what it prints with the lines below it.
fn console_block(place: &Place, block: &Block) -> Result<usize, String> {
    let mut count = 0;
    for part in block.text.split("$ ").skip(1) {
        let lines = joined_lines(part);
        let (command, want) = lines.split_first().ok_or("an empty command")?;
        let got = run(place, command)?;
        let got: Vec<&str> = got.lines().map(str::trim_end).collect();
        let want: Vec<&str> = want.iter().map(|l| l.trim_end()).collect();
        if !matches(&want, &got) {
            return Err(format!("`{command}` printed\n{}\ninstead of\n{}", got.join("\n"), want.join("\n")));
        }
        count += 1;
    }
    Ok(count)
}

/// Whether the lines agree; a line `...` in `want` stands for any number of lines.
fn matches(want: &[&str], got: &[&str]) -> bool {
    match want.split_first() {
        None => got.is_empty(),
        Some((&"...", rest)) => (0..=got.len()).any(|skip| matches(rest, &got[skip..])),
        Some((first, rest)) => got.first() == Some(first) && matches(rest, &got[1..]),
    }
}

/// Lines with a trailing backslash joined to the next one.
fn joined_lines(text: &str) -> Vec<String> {
    text.replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// Runs `popgrad ...` in the scratch folder and returns what it prints on standard output.
fn run(place: &Place, command: &str) -> Result<String, String> {
    println!("$ {command}");
    let words: Vec<&str> = command.split_whitespace().collect();
    if words.first() != Some(&"popgrad") {
        return Err(format!("`{command}` does not start with popgrad"));
    }
    let output = Command::new(&place.binary)
        .args(&words[1..])
        .current_dir(&place.scratch)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("`{command}` could not start: {e}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{command}` ended with {}\n{stderr}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_any_lines() {
        assert!(matches(&["a", "...", "d"], &["a", "b", "c", "d"]));
        assert!(matches(&["..."], &[]));
        assert!(!matches(&["a", "...", "e"], &["a", "b", "c", "d"]));
        assert!(!matches(&["a"], &["a", "b"]));
    }

    #[test]
    fn continued_lines_are_joined() {
        assert_eq!(joined_lines("a \\\n  b\nc\n"), ["a    b", "c"]);
    }
}
