//! Several directories with parts of one sweep, put together.

use super::error::SweepError;
use super::part::Part;
use super::plan::Plan;
use super::run::{Mode, Shard, Sweep, SweepEnd, check_manifest};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Copies the parts of `sources` into `out` and finishes the sweep. All of them must be of the plan's spec, and together
/// they must hold every part; a part that several hold is the same in all.
///
/// # Errors
///
/// [`SweepError::Merge`] naming what is missing or does not belong; otherwise as [`Sweep::open`].
pub fn merge(plan: &Plan, sources: &[PathBuf], out: &Path, version: &str) -> Result<SweepEnd, SweepError> {
    for source in sources {
        check_manifest(&source.join("manifest.json"), plan, source)?;
    }
    let sweep = Sweep::open(plan.clone(), out, Mode::Resume, Shard::WHOLE, version)?;
    let mut missing = 0;
    for number in 0..plan.parts() {
        let (cell, part) = plan.place(number);
        if Part::read(out, &plan.hash, cell, part).is_some() {
            continue;
        }
        let found = sources.iter().find_map(|source| Part::read(source, &plan.hash, cell, part));
        match found {
            Some(found) => found.write(out, &plan.hash)?,
            None => missing += 1,
        }
    }
    if missing > 0 {
        let message = format!(
            "{missing} of {} parts are in none of the directories, or damaged there; run the shards that are missing",
            plan.parts()
        );
        return Err(SweepError::Merge { path: out.to_owned(), message });
    }
    sweep.run(1, &AtomicBool::new(false), &mut |_| ())
}
