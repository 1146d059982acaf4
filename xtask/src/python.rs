//! A virtual environment in the target folder, for the peers and the golden tables.

use crate::stages::pass_through;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes `target/NAME` with the packages, unless it is there with the same list; returns its interpreter.
pub(crate) fn environment(root: &Path, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = root.join("target").join(name);
    let python = folder.join("bin/python");
    let stamp = folder.join("packages.txt");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|s| s == wanted) {
        return Ok(python);
    }
    let host = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let mut create = Command::new(host);
    create.args(["-m", "venv"]).arg(&folder);
    pass_through(create).map_err(|e| format!("{e}; Python 3.10 or newer with venv is needed"))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    pass_through(install)?;
    fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(python)
}
