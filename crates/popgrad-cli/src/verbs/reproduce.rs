//! `popgrad reproduce`: the figures and claims of a paper beside fresh measurements.

use crate::Context;
use crate::document::print;
use crate::failure::Failure;
use crate::progress;
use crate::signals::Signals;
use crate::values;
use indicatif::ProgressBar;
use popgrad_lab::reproduce::{self, Completeness, Profile, Progress, Report};
use popgrad_lab::words::nearest;
use std::io::Write;
use std::path::PathBuf;

/// Papers with a catalogue.
const PAPERS: [&str; 1] = ["tian2017"];

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad reproduce tian2017 --out popgrad-report\n\n\
    The report is index.html in that folder; it opens from disk without a network. The exit status is 1 if and only\n\
    if the verdict on a claim is not the expected one.")]
pub(crate) struct Args {
    /// Papers: tian2017 [default: tian2017]
    #[arg(value_name = "PAPER", value_parser = paper)]
    papers: Vec<String>,
    /// More samples, starts and grid points
    ///
    /// The quick profile takes about a minute on two cores; this one narrows the error bars and refines the maps.
    #[arg(long)]
    full: bool,
    /// Measure this claim only; several may be given
    #[arg(long, value_name = "ID")]
    claim: Vec<String>,
    /// Folder of the report, made or rewritten
    #[arg(long, value_name = "DIR", default_value = "popgrad-report")]
    out: PathBuf,
    /// Seed of every random number
    #[arg(long, value_name = "SEED", value_parser = values::seed, default_value = "1", allow_negative_numbers = true)]
    seed: u64,
    /// Threads, 0 for one a core; no number depends on it
    #[arg(long, value_name = "N", default_value = "0")]
    threads: usize,
    /// Relative defect put into the mathematics, to see the catalogue fail
    #[arg(long, value_name = "X", hide = true, default_value = "0", value_parser = values::finite)]
    defect: f64,
}

fn paper(text: &str) -> Result<String, String> {
    if PAPERS.contains(&text) {
        return Ok(text.to_owned());
    }
    let near = nearest(text, &PAPERS).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
    Err(format!("is not a paper with a catalogue ({}){near}", PAPERS.join(", ")))
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let mut plan = reproduce::Plan::new(&args.out);
    plan.profile = if args.full { Profile::Full } else { Profile::Quick };
    plan.claims.clone_from(&args.claim);
    plan.seed = args.seed;
    plan.threads = args.threads;
    let signals = Signals::listen()?;
    plan.interrupt = signals.any();
    plan.defect = args.defect;
    let bar = progress::bar(0);
    let report = reproduce::run(&plan, &mut |step| show(&bar, &step));
    bar.finish_and_clear();
    let report = report.map_err(|e| failure(args, &e))?;
    if context.json {
        print(&report.to_json())?;
    } else {
        print(&text(args, &report))?;
    }
    match signals.caught() {
        Some(signal) if report.completeness != Completeness::Complete => {
            let done = report.claims.len();
            let message = format!(
                "stopped after {done} of {} claims; the partial report is {}, and the same command measures all again",
                done + report.pending.len(),
                args.out.join("index.html").display()
            );
            Err(Failure::Stopped { signal, message })
        }
        _ => Ok(u8::from(!report.agrees())),
    }
}

fn failure(args: &Args, error: &reproduce::ReproduceError) -> Failure {
    let argument = match error {
        reproduce::ReproduceError::UnknownClaim { .. } => "--claim".to_owned(),
        reproduce::ReproduceError::Threads { .. } => "--threads".to_owned(),
        _ => format!("--out {}", args.out.display()),
    };
    Failure::new(&argument, error, error.kind())
}

fn show(bar: &ProgressBar, step: &Progress) {
    match step {
        Progress::Started { id } => bar.set_message((*id).to_owned()),
        Progress::Finished { id, agrees, done, total, seconds } => {
            bar.set_length(*total as u64);
            bar.set_position(*done as u64);
            let line = format!(
                "{id}: {} in {seconds:.1} s",
                if *agrees { "as expected" } else { "NOT as expected" }
            );
            if bar.is_hidden() {
                // Without a terminal each claim is one line of stderr; a closed stderr leaves no one to tell.
                let _ = writeln!(std::io::stderr().lock(), "[{done}/{total}] {line}");
            } else {
                bar.println(line);
            }
        }
        _ => {}
    }
}

fn text(args: &Args, report: &Report) -> String {
    let mut lines: Vec<String> = report
        .claims
        .iter()
        .map(|claim| {
            let mark = if claim.agrees() { "ok " } else { "BAD" };
            format!("{mark} {:<32} {:<15} expected {}", claim.id, claim.verdict.name(), claim.expected.name())
        })
        .collect();
    let bad = report.claims.iter().filter(|c| !c.agrees()).count();
    let pending = report.pending.len();
    let state = match (bad, pending) {
        (0, 0) => "every verdict is the expected one".to_owned(),
        (n, 0) => format!("{n} verdicts are not the expected ones"),
        (n, left) => format!("{n} verdicts are not the expected ones, {left} claims are not measured"),
    };
    lines.push(format!("{} claims of {}: {state}", report.claims.len(), report.paper));
    lines.push(format!("report: {}", args.out.join("index.html").display()));
    lines.join("\n")
}
