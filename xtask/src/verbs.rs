//! The verbs `test` and `lint`: which stages, in which order.

use crate::stages::{Outcome, StageResult, Stages, captured, cargo, pass_through, tests};
use crate::{budget, docs, gates, licences, markdown, readme};
use std::path::Path;

/// `cargo xtask test`: every stage. One optimised profile serves them all.
pub(crate) fn test(root: &Path) -> Result<(), String> {
    let mut stages = Stages::new();
    lint_stages(&mut stages, root);
    stages.run("build", || {
        pass_through(cargo(root, &["test", "--release", "--workspace", "--no-run"]))?;
        pass_through(cargo(root, &["build", "--release", "--workspace", "--bins"]))?;
        Ok(Outcome::Passed(String::new()))
    });
    stages.run("api documentation", || docs::rustdoc(root));
    stages.run("documentation links", || markdown::links(root));
    stages.run("cited equations", || markdown::citations(root));
    stages.run("tests", || {
        let kinds = ["--lib", "--bins", "--tests", "--examples"];
        tests(cargo(root, &[&["test", "--release", "--workspace", "--no-fail-fast"][..], &kinds].concat()))
    });
    stages.run("doctests", || {
        tests(cargo(root, &["test", "--release", "--workspace", "--doc", "--no-fail-fast"]))
    });
    stages.run("README commands", || readme::commands(root));
    stages.finish()
}

/// `cargo xtask lint`: what needs no test run.
pub(crate) fn lint(root: &Path) -> Result<(), String> {
    let mut stages = Stages::new();
    lint_stages(&mut stages, root);
    stages.finish()
}

fn lint_stages(stages: &mut Stages, root: &Path) {
    stages.run("formatting", || {
        component(root, "fmt", "rustfmt")?;
        pass_through(cargo(root, &["fmt", "--all", "--check"])).map(|()| Outcome::Passed(String::new()))
    });
    stages.run("unsafe code", || gates::no_unsafe(root));
    stages.run("file and function size", || budget::check(root));
    stages.run("dependency licences", || licences::check(root));
    stages.run("dependency advisories", || licences::advisories(root));
    stages.run("clippy", || clippy(root));
}

fn clippy(root: &Path) -> StageResult {
    component(root, "clippy", "clippy")?;
    let arguments = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    pass_through(cargo(root, &arguments)).map(|()| Outcome::Passed(String::new()))
}

/// An error naming the way out if a component of the Rust toolchain is missing.
fn component(root: &Path, subcommand: &str, name: &str) -> Result<(), String> {
    captured(cargo(root, &[subcommand, "--version"]))
        .map(|_| ())
        .map_err(|_| format!("the toolchain has no {name}; `rustup component add {name}` installs it"))
}
