//! The project's front door: `cargo xtask test|lint|docs|bench|golden`.
//!
//! Everything here is plain orchestration on `std`: each verb is a list of stages, each stage is a command of the
//! Rust toolchain or a check over the source text, and each prints its seconds.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a front door talks to the person at the terminal

mod bench;
mod budget;
mod docs;
mod gates;
mod golden;
mod licences;
mod markdown;
mod python;
mod readme;
mod stages;
mod verbs;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask VERB

  test     every check and every test: formatting, lints, documentation, licences, unit and
           integration tests, doctests, the README's commands (the same command CI runs)
  lint     formatting, clippy, source gates and licences
  docs     rewrites docs/accuracy.md from the accuracy table, then builds the API documentation
  bench    times popgrad and its peers in turn and prints paired ratios; `cargo xtask bench --help`
  golden   recomputes the golden tables with mpmath and compares them with the fixtures";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let root = root();
    let outcome = match verb.as_str() {
        "test" => verbs::test(&root),
        "lint" => verbs::lint(&root),
        "docs" => docs::verb(&root),
        "bench" => bench::verb(&root, &rest),
        "golden" => golden::verb(&root),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("error: unknown verb `{other}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace root: the parent of this crate's folder.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}
