//! Gates over the source text: files in order, and no unsafe code.

use crate::stages::{Outcome, StageResult};
use std::fs;
use std::path::{Path, PathBuf};

/// All `.rs` files of the workspace's own crates, sorted, build products left out.
pub(crate) fn rust_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        walk(&root.join(folder), "rs", &mut files)?;
    }
    files.sort();
    Ok(files)
}

/// Adds the files under `folder` that end in `.extension`.
pub(crate) fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, extension, found)?;
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    Ok(())
}

/// Reads a file, or says which one could not be read.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The path as seen from the workspace root.
pub(crate) fn relative<'a>(root: &Path, path: &'a Path) -> std::path::Display<'a> {
    path.strip_prefix(root).unwrap_or(path).display()
}

/// No unsafe code: the lint is `forbid` for the workspace, every crate inherits it, no source line uses the keyword.
pub(crate) fn no_unsafe(root: &Path) -> StageResult {
    let mut faults = Vec::new();
    if !read(&root.join("Cargo.toml"))?.contains("unsafe_code = \"forbid\"") {
        faults.push("Cargo.toml does not forbid unsafe_code".to_owned());
    }
    let mut manifests = Vec::new();
    for folder in ["crates", "xtask"] {
        walk(&root.join(folder), "toml", &mut manifests)?;
    }
    for manifest in manifests.iter().filter(|m| m.ends_with("Cargo.toml")) {
        if !read(manifest)?.contains("[lints]\nworkspace = true") {
            faults.push(format!("{} does not inherit the workspace lints", relative(root, manifest)));
        }
    }
    let files = rust_files(root)?;
    for file in &files {
        for (index, line) in read(file)?.lines().enumerate() {
            if uses_unsafe(line) {
                faults.push(format!("{}:{}: {}", relative(root, file), index + 1, line.trim()));
            }
        }
    }
    if faults.is_empty() {
        return Ok(Outcome::Passed(format!("{} files, none", files.len())));
    }
    Err(format!("unsafe code is forbidden:\n{}", faults.join("\n")))
}

/// Whether a line has the keyword as code: a block, a function, an impl or a trait.
fn uses_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    let keyword = concat!("uns", "afe");
    ["{", "fn", "impl", "trait", "extern"].iter().any(|next| code.contains(&format!("{keyword} {next}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_is_seen_as_code_only() {
        let keyword = concat!("uns", "afe");
        assert!(uses_unsafe(&format!("    {keyword} {{ f() }}")));
        assert!(uses_unsafe(&format!("pub {keyword} fn f() {{}}")));
        assert!(!uses_unsafe(&format!("// {keyword} {{ a comment }}")));
        assert!(!uses_unsafe(&format!("{keyword}_code = 1;")));
    }
}
