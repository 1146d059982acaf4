//! The command `popgrad`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(popgrad_cli::run(std::env::args_os()))
}
