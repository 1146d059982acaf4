//! `popgrad sweep merge`: the parts of several folders, put together.

use super::{at_out, report};
use crate::Context;
use crate::document::VERSION;
use crate::failure::Failure;
use popgrad::{Kind, Level};
use popgrad_lab::sweep::{Plan, SweepEnd, merge};
use std::path::PathBuf;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad sweep merge rows-1 rows-2 rows-3 --out rows\n\n\
    The folders hold shards of one sweep. Their parts are checked, copied and made into the tables of a sweep that was never\n\
    divided, byte for byte; the folders stay as they are.")]
pub(crate) struct Args {
    /// Folders of shards
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Folder of the whole sweep [default: the one folder given]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let out = match (&args.out, args.folders.as_slice()) {
        (Some(out), _) => out,
        (None, [one]) => one,
        _ => return Err(Failure::input("--out", "is missing; it names the folder of the whole sweep")),
    };
    let plan = Plan::of_directory(&args.folders[0], Level::detect())
        .map_err(|e| Failure::new(&args.folders[0].display().to_string(), &e, e.kind()))?;
    match merge(&plan, &args.folders, out, VERSION).map_err(|e| at_out(out, &e))? {
        SweepEnd::Finished(summary) => report(&summary, (plan.seed(), plan.resolved()), out, context),
        _ => Err(Failure::plain(&"the merged sweep is not complete", Kind::NotConverged)),
    }
}
