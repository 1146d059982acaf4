//! `cargo xtask golden`: the golden tables recomputed in many digits and compared with the fixtures.

use crate::python::environment;
use crate::stages::pass_through;
use std::path::Path;
use std::process::Command;

/// Runs `golden/check.py` over the fixtures of the crate `popgrad`.
pub(crate) fn verb(root: &Path) -> Result<(), String> {
    let python = environment(root, "golden-venv", &["mpmath==1.3.0"])?;
    let mut command = Command::new(python);
    command.current_dir(root).arg("golden/check.py").arg("crates/popgrad/tests/fixtures");
    pass_through(command)
}
