//! A spec through the sweep engine on one thread: rows of all runs, classes, shares and their intervals, without files.

use crate::clock::{Timing, time};
use popgrad::Level;
use popgrad_lab::sweep::{Plan, Spec, Summary, in_memory};
use std::sync::atomic::AtomicBool;

/// Times a spec, of which `share` is all that is to be timed; also gives what became of its runs.
pub(crate) fn sweep(text: &str, share: f64) -> Result<(Timing, Summary), String> {
    let spec = Spec::parse("bench.toml", text).map_err(|e| e.to_string())?;
    let plan = Plan::resolve(&spec, Level::detect()).map_err(|e| e.to_string())?;
    let never = AtomicBool::new(false);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|e| e.to_string())?;
    let run = || pool.install(|| in_memory(&plan, &never));
    let summary = run().map_err(|e| e.to_string())?.ok_or("the sweep was interrupted")?;
    let timing = time(|| run().map(|summary| summary.map(|s| s.cells.len())).map_err(|e| e.to_string()));
    Ok((Timing { cpu_seconds: timing.cpu_seconds / share, least: timing.least / share }, summary))
}
