//! Documentation: the accuracy page written from the accuracy table, and the API pages with warnings denied.

use crate::stages::{Outcome, StageResult, Stages, captured, cargo, pass_through};
use std::fs;
use std::path::Path;

const PAGE: &str = "docs/accuracy.md";

/// `cargo xtask docs`: rewrites the accuracy page, then builds the API documentation and checks the links.
pub(crate) fn verb(root: &Path) -> Result<(), String> {
    let page = rendered(root)?;
    fs::write(root.join(PAGE), page).map_err(|e| format!("{PAGE}: {e}"))?;
    println!("wrote {PAGE}");
    let mut stages = Stages::new();
    stages.run("api documentation", || rustdoc(root));
    stages.run("documentation links", || crate::markdown::links(root));
    stages.finish()
}

/// The API documentation of the workspace, warnings denied.
pub(crate) fn rustdoc(root: &Path) -> StageResult {
    let mut command = cargo(root, &["doc", "--release", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    pass_through(command).map(|()| Outcome::Passed(String::new()))
}

fn rendered(root: &Path) -> Result<String, String> {
    captured(cargo(root, &["run", "--quiet", "--release", "-p", "popgrad", "--example", "accuracy_page"]))
}
