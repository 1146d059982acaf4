//! `popgrad reproduce`: the figures and claims of a paper beside fresh measurements.

use crate::Context;
use crate::document::{VERSION, print};
use crate::failure::Failure;
use crate::progress;
use crate::signals::Signals;
use crate::values;
use indicatif::ProgressBar;
use popgrad_lab::reproduce::{self, Completeness, Profile, Progress, Report};
use popgrad_lab::words::nearest;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad reproduce tian2017 --out popgrad-report\n\n\
    The report is index.html in that folder; it opens from disk without a network. The exit status is 1 if and only \
    if the verdict on a claim is not the expected one.")]
pub(crate) struct Args {
    /// Papers: tian2017, safran2018, du2018 [default: tian2017]
    ///
    /// With several, each report stands in a folder of its paper's name inside --out.
    #[arg(value_name = "PAPER", value_parser = paper)]
    papers: Vec<String>,
    /// More samples, starts and grid points
    ///
    /// The quick profile takes a minute on two cores, three for safran2018; this one narrows the error bars and refines the maps.
    #[arg(long)]
    full: bool,
    /// Measure this claim only; several may be given
    #[arg(long, value_name = "ID")]
    claim: Vec<String>,
    /// Folder of the report, made or rewritten
    #[arg(long, value_name = "DIR", default_value = "popgrad-report")]
    out: PathBuf,
    /// Folder that keeps ensembles of starts as sweeps, so that the same command goes on with them
    ///
    /// The claims on basins and on shares compute ensembles: a minute by default, hours with --full. Kept, each is a folder as
    /// `popgrad sweep` writes it; what is complete there is not computed again. Ensembles of which single ends are asked for
    /// (conjecture2-basins, basins-run-on, some of du2018) take minutes and are not kept.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
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
    let papers: Vec<&str> = reproduce::PAPERS.iter().map(|p| p.name).collect();
    if papers.contains(&text) {
        return Ok(text.to_owned());
    }
    let near = nearest(text, &papers).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
    Err(format!("is not a paper with a catalogue ({}){near}", papers.join(", ")))
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let mut papers = args.papers.clone();
    if papers.is_empty() {
        papers.push("tian2017".to_owned());
    }
    papers.dedup();
    let signals = Signals::listen()?;
    let mut reports = Vec::new();
    for paper in &papers {
        let out = if papers.len() == 1 { args.out.clone() } else { args.out.join(paper) };
        let report = measure(args, paper, &out, &signals)?;
        let complete = report.completeness == Completeness::Complete;
        reports.push((report, out));
        if !complete {
            break;
        }
    }
    if context.json {
        print(&json_text(&reports))?;
    } else {
        let texts: Vec<String> = reports.iter().map(|(report, out)| text(out, report)).collect();
        print(&texts.join("\n"))?;
    }
    let unfinished = reports.iter().find(|(report, _)| report.completeness != Completeness::Complete);
    match (signals.caught(), unfinished) {
        (Some(signal), Some((report, out))) => {
            let done = report.claims.len();
            let again = match &args.keep {
                Some(keep) => format!("and goes on with the ensembles in {}", keep.display()),
                None => "from the beginning; with --keep DIR it would go on with its ensembles".to_owned(),
            };
            let message = format!(
                "stopped after {done} of {} claims; the partial report is {}, and the same command measures all again {again}",
                done + report.pending.len(),
                out.join("index.html").display()
            );
            Err(Failure::Stopped { signal, message })
        }
        _ => Ok(u8::from(!reports.iter().all(|(report, _)| report.agrees()))),
    }
}

/// Measures the claims of one paper.
fn measure(args: &Args, paper: &str, out: &Path, signals: &Signals) -> Result<Report, Failure> {
    let mut plan = reproduce::Plan::new(out);
    paper.clone_into(&mut plan.paper);
    plan.profile = if args.full { Profile::Full } else { Profile::Quick };
    plan.claims.clone_from(&args.claim);
    plan.seed = args.seed;
    plan.keep.clone_from(&args.keep);
    plan.threads = args.threads;
    plan.interrupt = signals.any();
    plan.defect = args.defect;
    let bar = progress::bar(0);
    let report = reproduce::run(&plan, &mut |step| show(&bar, &step));
    bar.finish_and_clear();
    report.map_err(|e| failure(args, &e))
}

/// The document of one report, or one that lists several.
fn json_text(reports: &[(Report, PathBuf)]) -> String {
    if let [(report, _)] = reports {
        return report.to_json();
    }
    let list: Vec<String> = reports.iter().map(|(report, _)| report.to_json()).collect();
    format!(
        "{{\n\"schema\": \"{}\",\n\"popgrad\": \"{VERSION}\",\n\"reports\": [\n{}\n]\n}}",
        reproduce::SCHEMA,
        list.join(",\n")
    )
}

fn failure(args: &Args, error: &reproduce::ReproduceError) -> Failure {
    let argument = match error {
        reproduce::ReproduceError::UnknownClaim { .. } => "--claim".to_owned(),
        reproduce::ReproduceError::Keep { .. } | reproduce::ReproduceError::Kept(_) => "--keep".to_owned(),
        reproduce::ReproduceError::Threads { .. } => "--threads".to_owned(),
        _ => format!("--out {}", args.out.display()),
    };
    Failure::new(&argument, error, error.kind())
}

fn show(bar: &ProgressBar, step: &Progress) {
    match step {
        Progress::Started { id } => bar.set_message((*id).to_owned()),
        Progress::Advanced { id, done, total } => bar.set_message(format!("{id}: {done} of {total} runs")),
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

fn text(out: &Path, report: &Report) -> String {
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
    lines.push(format!("report: {}", out.join("index.html").display()));
    lines.join("\n")
}
