//! The ensembles of claims: in memory, or kept as sweeps that an interrupted measurement goes on with.

use super::claim::{Bench, Failure, Interrupted};
use crate::sweep::{Mode, Plan, Shard, Spec, Summary, Sweep, SweepEnd, in_memory};
use popgrad::Level;
use std::sync::Mutex;

/// Held by the ensemble that has all threads.
static TURN: Mutex<()> = Mutex::new(());

/// Computes a spec. Where the bench keeps ensembles, `name` is the folder of this one, and what it holds is not computed again.
pub(super) fn ensemble(bench: &Bench<'_>, name: &str, text: &str) -> Result<Summary, Failure> {
    let plan = Plan::resolve(&Spec::parse(name, text)?, Level::detect())?;
    let Some(kept) = bench.kept() else {
        return in_memory(&plan, bench.interrupt())?.ok_or_else(|| Interrupted.into());
    };
    let folder = kept.folder.join(name);
    let sweep = Sweep::open(plan, &folder, Mode::Resume, Shard::WHOLE, env!("CARGO_PKG_VERSION"))?;
    // Claims run beside each other: the first has all threads, the others one each.
    let turn = TURN.try_lock();
    let threads = if turn.is_ok() { rayon::current_num_threads() } else { 1 };
    match sweep.run(threads, bench.interrupt(), &mut |now| (kept.advanced)(now))? {
        SweepEnd::Finished(summary) => Ok(summary),
        SweepEnd::Interrupted | SweepEnd::ShardDone { .. } => Err(Interrupted.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::claim::Kept;
    use super::super::maths::Maths;
    use super::super::plan::Profile;
    use super::*;
    use crate::sweep::SweepProgress;
    use std::sync::atomic::AtomicBool;

    const SPEC: &str = "runs = 40\npart = 8\n[problem]\nteacher = \"orthonormal:7\"\n[dynamics]\nstep = 0.3\n[stop]\n\
                        gradient_norm = 1e-9\n";

    #[test]
    fn a_kept_ensemble_is_that_in_memory_and_is_computed_once() {
        let folder = std::env::temp_dir().join(format!("popgrad-kept-{}", std::process::id()));
        let (flag, raised) = (AtomicBool::new(false), AtomicBool::new(true));
        let told = Mutex::new(SweepProgress::default());
        let advanced = |now| *told.lock().unwrap() = now;
        let bench = |interrupt| Bench::new("test", Profile::Quick, 1, Maths::exact(), interrupt);
        let keeping =
            |interrupt| bench(interrupt).keeping(Some(Kept { folder: folder.clone(), advanced: &advanced }));

        let stopped = ensemble(&keeping(&raised), "seven", SPEC).unwrap_err();
        assert!(stopped.is::<Interrupted>());
        let kept = ensemble(&keeping(&flag), "seven", SPEC).unwrap();
        assert_eq!(kept, ensemble(&bench(&flag), "seven", SPEC).unwrap());
        assert_eq!(*told.lock().unwrap(), SweepProgress { done: 40, total: 40 });
        assert!(
            !folder.join("seven/parts").exists() && folder.join("seven/runs/cell-00000.parquet").exists()
        );
        // With the interrupt raised nothing could be computed any more.
        assert_eq!(ensemble(&keeping(&raised), "seven", SPEC).unwrap(), kept);
        // A folder of another spec is refused, not overwritten.
        let other = SPEC.replace("runs = 40", "runs = 41");
        let error = ensemble(&keeping(&flag), "seven", &other).unwrap_err().to_string();
        assert!(error.contains("runs was 40 and now is 41"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
