//! `popgrad sweep`: ensembles of starts in a directory that can be resumed, shared and merged.

mod merge;
mod text;

use crate::Context;
use crate::document::{Document, VERSION, print};
use crate::failure::Failure;
use crate::progress;
use crate::signals::{Signal, Signals};
use crate::values;
use popgrad::{Kind, Level};
use popgrad_lab::sweep::{Mode, PRESETS, Plan, Shard, Spec, Summary, Sweep, SweepEnd, SweepError, listing};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Largest spec that is read.
const MOST_BYTES: u64 = 64 << 20;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_long_help = long_help()
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The spec, a TOML file
    #[arg(value_name = "SPEC.toml")]
    spec: Option<PathBuf>,
    /// A published protocol instead of a spec
    #[arg(long, value_name = "NAME", conflicts_with = "spec", value_parser = preset)]
    preset: Option<String>,
    /// Print the spec of the preset and end
    #[arg(long, requires = "preset", conflicts_with_all = ["out", "resume", "shard"])]
    print: bool,
    /// Folder of the sweep
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs of each cell, whatever the spec says
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    runs: Option<u64>,
    /// Seed, whatever the spec says
    #[arg(long, value_name = "SEED", value_parser = values::seed, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Go on with the sweep in the folder
    ///
    /// Stored parts are checked and kept; damaged ones are computed again. A changed spec, or a program that computes other bits, is
    /// refused. Without a sweep in the folder one is begun.
    #[arg(long)]
    resume: bool,
    /// Compute every N-th part only, from the I-th on
    ///
    /// Several processes share one folder, or have one each for `sweep merge`. The last to end in a shared folder writes the tables.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    threads: Option<u64>,
    /// Instructions: avx512, avx2 or portable [default: the fastest there is]
    ///
    /// The rows are the same with all of them.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    level: Option<Level>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Put the parts of several folders together
    Merge(merge::Args),
}

fn long_help() -> String {
    let presets: Vec<String> = PRESETS.iter().map(|p| format!("  {:<18} {}", p.name, p.about)).collect();
    format!(
        "Example:\n  popgrad sweep --preset safran2018 --out rows\n  popgrad sweep --preset safran2018 --print > mine.toml\n  \
         popgrad sweep mine.toml --out mine --resume\n\n\
         The folder gets manifest.json, log.jsonl, runs/*.parquet (a row for each run), cells.parquet, classes.parquet and\n\
         summary.json. A run's row is the same for any number of threads, shards and interruptions.\n\n\
         Presets:\n{}\n\nKeys of a spec, in tables or dotted; [grid] gives lists of values and every combination is a cell, \
         [[cells]]\noverrides keys for one cell:\n{}",
        presets.join("\n"),
        listing()
    )
}

fn preset(text: &str) -> Result<String, String> {
    let names: Vec<&str> = PRESETS.iter().map(|p| p.name).collect();
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("is no preset; there are {}", names.join(", ")))
}

fn shard(text: &str) -> Result<Shard, String> {
    let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    numbers
        .and_then(|(i, n)| Shard::new(i, n))
        .ok_or_else(|| "is no shard; 1/4 is the first of four".to_owned())
}

fn level(text: &str) -> Result<Level, String> {
    let level = match text {
        "avx512" => Level::Avx512,
        "avx2" => Level::Avx2,
        "portable" => Level::Portable,
        _ => return Err("is no level; avx512, avx2 or portable is needed".to_owned()),
    };
    if Level::available().contains(&level) {
        Ok(level)
    } else {
        Err("is not known to this machine".to_owned())
    }
}

/// What that resolves to.
struct Resolved {
    plan: Plan,
    out: PathBuf,
    mode: Mode,
    shard: Shard,
    threads: usize,
}

impl Resolved {
    fn of(args: &Args) -> Result<Self, Failure> {
        let mut spec = spec(args)?;
        if let Some(runs) = args.runs {
            spec = spec.with_whole("runs", runs);
        }
        if let Some(seed) = args.seed {
            spec = spec.with_whole("seed", seed);
        }
        let Some(out) = args.out.clone() else {
            return Err(Failure::input("--out", "is missing; it names the folder of the sweep"));
        };
        let level = args.level.unwrap_or_else(Level::detect);
        let plan = Plan::resolve(&spec, level).map_err(|e| Failure::plain(&e, e.kind()))?;
        let mode = if args.resume { Mode::Resume } else { Mode::Fresh };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = args.threads.map_or(cores, |n| usize::try_from(n).unwrap_or(cores));
        Ok(Self { plan, out, mode, shard: args.shard.unwrap_or(Shard::WHOLE), threads })
    }
}

/// Reads the spec that the arguments name.
fn spec(args: &Args) -> Result<Spec, Failure> {
    let (name, text) = match (&args.preset, &args.spec) {
        (Some(name), _) => (format!("preset {name}"), preset_text(name)),
        (None, Some(path)) => (path.display().to_string(), read(path)?),
        (None, None) => {
            let message = "sweep needs SPEC.toml or --preset NAME; popgrad sweep --help describes both";
            return Err(Failure::plain(&message, Kind::Input));
        }
    };
    Spec::parse(&name, &text).map_err(|e| Failure::plain(&e, e.kind()))
}

fn preset_text(name: &str) -> String {
    PRESETS.iter().find(|p| p.name == name).map(popgrad_lab::sweep::Preset::spec).unwrap_or_default()
}

fn read(path: &Path) -> Result<String, Failure> {
    let fail =
        |reason: String| Failure::plain(&format!("{} cannot be read: {reason}", path.display()), Kind::Input);
    let size = std::fs::metadata(path).map_err(|e| fail(e.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(fail(format!("a spec of {size} bytes is no spec; at most {MOST_BYTES} are read")));
    }
    std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    if let Some(What::Merge(arguments)) = &args.what {
        return merge::run(arguments, context);
    }
    if let (true, Some(name)) = (args.print, &args.preset) {
        return print(&preset_text(name)).map(|()| 0);
    }
    let resolved = Resolved::of(args)?;
    let signals = Signals::listen()?;
    let Resolved { plan, out, mode, shard, threads } = resolved;
    let options = plan.resolved().clone();
    let seed = plan.seed();
    let sweep = Sweep::open(plan, &out, mode, shard, VERSION).map_err(|e| at_out(&out, &e))?;
    let bar = progress::bar(0);
    let mut begun = false;
    let end = sweep.run(threads, &signals.any(), &mut |progress| {
        if !begun {
            // What was stored before does not count into the rate.
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.reset_eta();
            begun = true;
        }
        bar.set_position(progress.done);
        bar.set_message(format!(
            "{} of {} runs, {:.0} a second",
            progress.done,
            progress.total,
            bar.per_sec()
        ));
    });
    bar.finish_and_clear();
    match end.map_err(|e| at_out(&out, &e))? {
        SweepEnd::Finished(summary) => report(&summary, (seed, &options), &out, context),
        SweepEnd::ShardDone { parts, of } => {
            let message = format!(
                "this shard is complete; {parts} of {of} parts are in {}, and the tables are written when all are there",
                out.display()
            );
            if context.json {
                let mut document = Document::new("sweep", Some(seed), &options);
                document.set("status", "shard_done");
                document.set("parts", parts);
                document.set("parts_of_sweep", of);
                document.print()?;
            } else {
                print(&message)?;
            }
            Ok(0)
        }
        _ => {
            let signal = signals.caught().unwrap_or(Signal::Interrupt);
            let message = format!(
                "stopped; what is computed is in {} and the same command with --resume goes on",
                out.display()
            );
            Err(Failure::Stopped { signal, message })
        }
    }
}

fn at_out(out: &Path, error: &SweepError) -> Failure {
    Failure::new(&format!("--out {}", out.display()), error, error.kind())
}

/// Prints what became of a finished sweep.
fn report(
    summary: &Summary,
    (seed, options): (u64, &Value),
    out: &Path,
    context: &Context,
) -> Result<u8, Failure> {
    if context.json {
        let mut document = Document::new("sweep", Some(seed), options);
        document.set("status", "finished");
        let cells = serde_json::to_value(&summary.cells).unwrap_or_default();
        document.set("cells", cells);
        document.set("files", json!(files(out)));
        document.print()?;
    } else {
        print(&text::summary(summary, out))?;
    }
    Ok(0)
}

fn files(out: &Path) -> Map<String, Value> {
    ["runs", "cells.parquet", "classes.parquet", "summary.json", "manifest.json", "log.jsonl"]
        .into_iter()
        .map(|name| (name.to_owned(), json!(out.join(name).display().to_string())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_and_presets_are_read_or_refused() {
        assert_eq!(shard("2/3"), Ok(Shard::new(2, 3).unwrap()));
        for text in ["0/3", "4/3", "1", "1/0", "a/b", "-1/3"] {
            assert!(shard(text).is_err(), "{text}");
        }
        assert!(preset("safran2018").is_ok() && preset("safran").is_err());
        assert!(level("portable").is_ok() && level("mmx").is_err());
    }
}
