//! Times popgrad on one workload and prints one JSON line a case: `popgrad-bench WORKLOAD SIZE --arrays FOLDER`.
//!
//! `cargo xtask bench` runs it in turn with the peers. Every timed function is the public one, validation included, and
//! every result is compared with the peer's before the clock starts.
#![allow(clippy::print_stdout, clippy::print_stderr)] // the program's whole output

mod arrays;
mod clock;
mod cnn;
mod ensemble;
mod flat;
mod flow;
mod gemm;
mod gradient;
mod hessian;
mod limits;
mod monte_carlo;
mod sign_map;
mod swept;

use crate::arrays::Arrays;
use crate::clock::Timing;
use std::process::ExitCode;

/// One line of output.
pub(crate) fn report(workload: &str, case: &str, size: &str, timing: Timing, more: &[(&str, f64)]) {
    let extra: Vec<String> = more.iter().map(|(key, value)| format!(", \"{key}\": {value:e}")).collect();
    let extra = extra.concat();
    println!(
        "{{\"workload\": \"{workload}\", \"impl\": \"{case}\", \"size\": \"{size}\", \"cpu_seconds\": {:e}, \
         \"min\": {:e}{extra}}}",
        timing.cpu_seconds, timing.least
    );
}

/// The integers of a size such as `4096,6,6`.
fn integers(size: &str) -> Result<Vec<usize>, String> {
    size.split(',')
        .map(|n| n.parse().map_err(|_| format!("size `{size}` is not a list of integers")))
        .collect()
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [workload, size, flag, folder] = arguments else {
        return Err("usage: popgrad-bench WORKLOAD SIZE --arrays FOLDER".into());
    };
    if flag != "--arrays" {
        return Err(format!("unknown option `{flag}`; only --arrays FOLDER is known"));
    }
    let arrays = Arrays(folder.into());
    match (workload.as_str(), integers(size)?.as_slice()) {
        ("gradient", &[k, d]) => gradient::single(&arrays, k, d),
        ("batch", &[count, k, d]) => gradient::batch(&arrays, count, k, d),
        ("near", &[k, d]) => gradient::near(&arrays, k, d),
        ("flow", &[k]) => flow::run(&arrays, k),
        ("hessian", &[k]) => hessian::run(&arrays, k),
        ("monte-carlo", &[samples, d]) => monte_carlo::run(samples, d),
        ("sign-map", &[thetas, phis]) => sign_map::signs(thetas, phis),
        ("value-map", &[thetas, phis]) => sign_map::values(thetas, phis),
        ("flat", &[k]) => flat::run(&arrays, k),
        ("w2", &[count, k, d]) => ensemble::descent(&arrays, count, k, d),
        ("w7", &[count, steps]) => ensemble::plane(&arrays, count, steps),
        ("w8", &[count, k, p, steps]) => cnn::descent(&arrays, count, (k, p), steps),
        ("start2021", &[count, k]) => ensemble::protocol(count, k),
        ("gemm", &[k, d]) => gemm::run(&arrays, k, d),
        ("limits", _) => {
            limits::run();
            Ok(())
        }
        _ => Err(format!("no workload `{workload}` of size `{size}`")),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
