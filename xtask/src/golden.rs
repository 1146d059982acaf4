//! `cargo xtask golden`: the golden tables recomputed in many digits and compared with the fixtures.

use crate::python::environment;
use crate::stages::pass_through;
use std::path::Path;
use std::process::Command;

/// Runs `golden/check.py` over the fixtures of the crate `popgrad`, and the scripts of `popgrad-proof` over theirs.
pub(crate) fn verb(root: &Path) -> Result<(), String> {
    let python = environment(root, "golden-venv", &["mpmath==1.3.0"])?;
    for (script, fixture) in [
        ("golden/check.py", "crates/popgrad/tests/fixtures"),
        ("golden/block_family.py", "crates/popgrad/tests/fixtures/block_family.json"),
        ("golden/intervals.py", "crates/popgrad-proof/tests/fixtures/intervals.txt"),
        ("golden/conjecture1.py", "crates/popgrad-proof/tests/fixtures/conjecture1.txt"),
        ("golden/critical_points.py", "crates/popgrad-proof/tests/fixtures/critical_points.txt"),
        ("golden/cnn_points.py", "crates/popgrad-proof/tests/fixtures/cnn_points.txt"),
    ] {
        let mut command = Command::new(&python);
        command.current_dir(root).arg(script).arg(fixture);
        pass_through(command)?;
    }
    Ok(())
}
