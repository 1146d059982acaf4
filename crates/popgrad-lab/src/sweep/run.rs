//! A sweep in its directory: parts computed by several threads, each stored as soon as it is complete.

use super::crew::{Crew, part_of};
use super::error::SweepError;
use super::finish::{Summary, finish, is_finished, summary};
use super::lock::Lock;
use super::log::Log;
use super::part::{self, Part};
use super::plan::Plan;
use crate::storage::{AtomicFile, Overwrite, StorageError};
use popgrad::{NUMERICS, RunEnd};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Time between two looks of the coordinator.
const GLANCE: Duration = Duration::from_millis(50);
/// Time between two lines of progress in the log.
const LOGGED: Duration = Duration::from_secs(60);

/// Whether a sweep begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The directory must not hold a sweep.
    Fresh,
    /// The directory may hold one of the same spec.
    Resume,
}

/// One of several processes that share a sweep: it takes every `count`-th part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Shard `index` of `count`, counted from one; `None` if there is no such shard.
    pub fn new(index: u64, count: u64) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { index, count })
    }

    fn takes(self, part: u64) -> bool {
        part % self.count == self.index - 1
    }

    fn lock(self) -> String {
        match self {
            Self::WHOLE => "lock".to_owned(),
            Self { index, count } => format!("lock-{index}-of-{count}"),
        }
    }
}

/// How far a sweep has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepProgress {
    /// Runs stored, or ended in a part that is being computed.
    pub done: u64,
    /// Runs of this process.
    pub total: u64,
}

/// How the work of a process ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SweepEnd {
    /// The whole sweep is complete and its tables are written.
    Finished(Summary),
    /// This shard is complete and others are not.
    ShardDone {
        /// Parts stored in the directory.
        parts: u64,
        /// Parts of the sweep.
        of: u64,
    },
    /// The interrupt was raised; what is stored stays.
    Interrupted,
}

/// A sweep in its directory, locked.
#[derive(Debug)]
pub struct Sweep {
    plan: Plan,
    directory: PathBuf,
    version: String,
    shard: Shard,
    lock: Lock,
    log: Log,
}

impl Sweep {
    /// Makes the directory of a sweep or takes one up, and locks it. `version` is that of the program.
    ///
    /// # Errors
    ///
    /// [`SweepError`]: the directory holds something else, a sweep already, one of another spec or of other numerics; another
    /// process has it; or it cannot be written.
    pub fn open(
        plan: Plan,
        directory: &Path,
        mode: Mode,
        shard: Shard,
        version: &str,
    ) -> Result<Self, SweepError> {
        let unwritable = |source| StorageError::Unwritable { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(unwritable)?;
        check_contents(directory)?;
        let lock = Lock::take(&directory.join(shard.lock()))?;
        let manifest = directory.join("manifest.json");
        if manifest.exists() {
            if mode == Mode::Fresh && shard == Shard::WHOLE {
                return Err(SweepError::Exists { path: directory.to_owned() });
            }
            check_manifest(&manifest, &plan, directory)?;
        } else {
            let text =
                serde_json::to_string_pretty(&Value::Object(plan.manifest(version))).unwrap_or_default();
            write_text(&manifest, &text)?;
        }
        fs::create_dir_all(directory.join("parts")).map_err(unwritable)?;
        let log = Log::of(directory);
        Ok(Self { plan, directory: directory.to_owned(), version: version.to_owned(), shard, lock, log })
    }

    /// Computes what is missing with `threads` threads and finishes the sweep if nothing is missing then. `progress` is called
    /// several times a second; a raised `interrupt` ends the work within a fraction of a second.
    ///
    /// # Errors
    ///
    /// [`SweepError`]: a file cannot be written, or ends form too many classes. What is stored stays, and the sweep can be
    /// resumed.
    pub fn run(
        mut self,
        threads: usize,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(SweepProgress),
    ) -> Result<SweepEnd, SweepError> {
        let facts = json!({
            "threads": threads, "level": format!("{:?}", self.plan.level), "shard": [self.shard.index, self.shard.count],
        });
        self.log.say("begin", &facts);
        if is_finished(&self.directory) {
            return Ok(SweepEnd::Finished(summary(&self.directory, &self.plan)?));
        }
        let missing = self.missing()?;
        let end = self.compute(missing, threads, interrupt, progress)?;
        if end == Ending::Interrupted {
            self.log.say("interrupted", &Value::Null);
            return Ok(SweepEnd::Interrupted);
        }
        let (parts, of) = (self.stored(), self.plan.parts());
        if parts < of {
            self.log.say("shard done", &json!({ "parts": parts, "of": of }));
            return Ok(SweepEnd::ShardDone { parts, of });
        }
        // Of several shards the last one finishes; two that end together take turns, and the second finds it done.
        let _whole = match self.shard {
            Shard::WHOLE => None,
            _ => Some(Lock::take(&self.directory.join(Shard::WHOLE.lock()))?),
        };
        if !is_finished(&self.directory) {
            finish(&self.directory, &self.plan, &self.version)?;
        }
        self.log.say("finished", &Value::Null);
        Ok(SweepEnd::Finished(summary(&self.directory, &self.plan)?))
    }

    /// The parts of this shard that are not stored; files that are no parts are removed and computed again.
    fn missing(&self) -> Result<VecDeque<u64>, SweepError> {
        let mut missing = VecDeque::new();
        for part in (0..self.plan.parts()).filter(|p| self.shard.takes(*p)) {
            let (cell, number) = self.plan.place(part);
            let path = part::path(&self.directory, cell, number);
            if !path.exists() {
                missing.push_back(part);
            } else if Part::read(&self.directory, &self.plan.hash, cell, number).is_none() {
                let unwritable = |source| StorageError::Unwritable { path: path.clone(), source };
                fs::remove_file(&path).map_err(unwritable)?;
                self.log.say("damaged part removed", &json!({ "cell": cell, "part": number }));
                missing.push_back(part);
            }
        }
        Ok(missing)
    }

    /// Parts stored by all shards.
    fn stored(&self) -> u64 {
        let is_stored = |p: &u64| {
            let (cell, number) = self.plan.place(*p);
            part::path(&self.directory, cell, number).exists()
        };
        (0..self.plan.parts()).filter(is_stored).count() as u64
    }

    fn compute(
        &mut self,
        missing: VecDeque<u64>,
        threads: usize,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(SweepProgress),
    ) -> Result<Ending, SweepError> {
        let runs = |part: u64| {
            let (first, end) = self.plan.range(part);
            end - first
        };
        let total: u64 = (0..self.plan.parts()).filter(|p| self.shard.takes(*p)).map(runs).sum();
        let left: u64 = missing.iter().map(|p| runs(*p)).sum();
        let crew = Crew::new(&self.plan, missing, total - left, interrupt);
        let (plan, directory) = (&self.plan, &self.directory);
        let store = |part, ends: Vec<RunEnd>| Ok(part_of(plan, part, &ends)?.write(directory, &plan.hash)?);
        let lock = &mut self.lock;
        let (log, begun) = (&self.log, Instant::now());
        let mut failure = None;
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(|| crew.work(&store))).collect();
            let mut logged = Instant::now();
            while workers.iter().any(|w| !w.is_finished()) {
                std::thread::sleep(GLANCE);
                let now = SweepProgress { done: crew.done(), total };
                progress(now);
                if let Err(error) = lock.beat() {
                    crew.stop();
                    failure.get_or_insert(error);
                }
                if logged.elapsed() >= LOGGED {
                    logged = Instant::now();
                    let seconds = begun.elapsed().as_secs_f64();
                    log.say("progress", &json!({ "done": now.done, "total": total, "seconds": seconds }));
                }
            }
            for worker in workers {
                match worker.join() {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        failure.get_or_insert(error);
                    }
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        let done = crew.done();
        progress(SweepProgress { done, total });
        match failure {
            Some(error) => {
                log.say("failed", &json!({ "reason": error.to_string() }));
                Err(error)
            }
            None if crew.is_interrupted() && done < total => Ok(Ending::Interrupted),
            None => {
                let seconds = begun.elapsed().as_secs_f64();
                log.say("computed", &json!({ "runs": left, "seconds": seconds }));
                Ok(Ending::Complete)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Complete,
    Interrupted,
}

/// Refuses a directory with other files than a sweep's.
fn check_contents(directory: &Path) -> Result<(), SweepError> {
    if directory.join("manifest.json").exists() {
        return Ok(());
    }
    let unreadable = |source| StorageError::Unreadable { path: directory.to_owned(), source };
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        // What a sweep that was killed before its manifest leaves behind.
        if !(name.starts_with("lock") || name.starts_with(".manifest.json.")) {
            return Err(SweepError::NotASweep { path: directory.to_owned() });
        }
    }
    Ok(())
}

/// Refuses to go on with a sweep of another spec or other numerics.
pub(super) fn check_manifest(path: &Path, plan: &Plan, directory: &Path) -> Result<(), SweepError> {
    let manifest = read_manifest(path)?;
    let found = manifest["numerics"].as_u64().unwrap_or(0);
    if found != u64::from(NUMERICS) {
        return Err(SweepError::Numerics {
            path: directory.to_owned(),
            found,
            ours: NUMERICS,
            version: manifest["popgrad"].as_str().unwrap_or("unknown").to_owned(),
        });
    }
    match difference("", &manifest["spec"], &plan.spec) {
        Some(difference) => Err(SweepError::OtherSpec { path: directory.to_owned(), difference }),
        None => Ok(()),
    }
}

/// Reads a manifest whose schema this version knows.
pub(super) fn read_manifest(path: &Path) -> Result<Value, SweepError> {
    let text = fs::read_to_string(path)
        .map_err(|source| StorageError::Unreadable { path: path.to_owned(), source })?;
    let manifest: Value = serde_json::from_str(&text)
        .map_err(|e| SweepError::Manifest { path: path.to_owned(), reason: e.to_string() })?;
    if manifest["schema"] != super::SCHEMA {
        let found = manifest["schema"].as_str().unwrap_or("none").to_owned();
        return Err(SweepError::Schema { path: path.to_owned(), found, ours: super::SCHEMA });
    }
    Ok(manifest)
}

/// The first difference between two resolved specs.
fn difference(key: &str, before: &Value, now: &Value) -> Option<String> {
    match (before, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            keys.map(|k| (k, a.get(k).unwrap_or(&Value::Null), b.get(k).unwrap_or(&Value::Null)))
                .find_map(|(k, x, y)| difference(&[key, k].concat(), x, y))
        }
        (Value::Array(a), Value::Array(b)) if key == "cells" => {
            if a.len() != b.len() {
                return Some(format!("it had {} cells and now has {}", a.len(), b.len()));
            }
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .map(|(i, (x, y))| (i, difference("", x, y)))
                .find_map(|(i, d)| d.map(|d| format!("in cell {i}, {d}")))
        }
        _ if before == now => None,
        _ => Some(format!("{key} was {before} and now is {now}")),
    }
}

pub(super) fn write_text(path: &Path, text: &str) -> Result<(), SweepError> {
    let mut file = AtomicFile::create(path, Overwrite::Replace)?;
    file.write_all(text.as_bytes())
        .map_err(|source| StorageError::Unwritable { path: path.to_owned(), source })?;
    Ok(file.commit()?)
}
