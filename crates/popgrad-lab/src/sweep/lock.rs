//! One process at a time: a lock file that is created exclusively and kept fresh.
//!
//! The file holds the process, its machine and a heartbeat, so that a lock left behind is known for what it is: on the same
//! machine because the process is gone, elsewhere because the heartbeat has stopped. Nothing here needs `flock`, which
//! network file systems may not honour.

use super::error::SweepError;
use crate::storage::StorageError;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_secs(5);
/// A lock of another machine that has not been refreshed for so long is left behind.
const SILENT: Duration = Duration::from_secs(120);
/// Attempts to take over a lock that others try to take as well.
const ATTEMPTS: usize = 4;

/// A lock held; dropping it removes the file.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    token: String,
    beaten: Instant,
}

impl Lock {
    /// Takes the lock, also from a process that is gone.
    pub(super) fn take(path: &Path) -> Result<Self, SweepError> {
        let token = json!({ "process": std::process::id(), "host": host() }).to_string();
        for _ in 0..ATTEMPTS {
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => {
                    file.write_all(token.as_bytes()).map_err(|e| unwritable(path, e))?;
                    return Ok(Self { path: path.to_owned(), token, beaten: Instant::now() });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => remove_if_left_behind(path)?,
                Err(e) => return Err(unwritable(path, e)),
            }
        }
        Err(locked(path, &Value::Null))
    }

    /// Refreshes the lock now and then; an error if it is no longer ours.
    pub(super) fn beat(&mut self) -> Result<(), SweepError> {
        if self.beaten.elapsed() < BEAT {
            return Ok(());
        }
        self.beaten = Instant::now();
        let found = fs::read_to_string(&self.path).unwrap_or_default();
        if found != self.token {
            return Err(locked(&self.path, &serde_json::from_str(&found).unwrap_or_default()));
        }
        let file = OpenOptions::new().write(true).open(&self.path).map_err(|e| unwritable(&self.path, e))?;
        file.set_modified(SystemTime::now()).map_err(|e| unwritable(&self.path, e))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|found| found == self.token) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a lock whose process is gone; refuses one that is held.
fn remove_if_left_behind(path: &Path) -> Result<(), SweepError> {
    // Gone meanwhile: the next attempt sees.
    let Ok(found) = fs::read_to_string(path) else { return Ok(()) };
    let holder: Value = serde_json::from_str(&found).unwrap_or_default();
    let age = fs::metadata(path)
        .and_then(|m| m.modified())
        .map(|t| SystemTime::now().duration_since(t).unwrap_or_default());
    let silent = age.is_ok_and(|age| age > SILENT);
    let here = holder["host"] == json!(host());
    let gone = here && holder["process"].as_u64().is_some_and(|p| !is_alive(p));
    if !gone && !silent {
        return Err(locked(path, &holder));
    }
    // Of several processes that see it left behind, one moves it away; a lock taken meanwhile is put back.
    let aside = path.with_extension(format!("stale-{}", std::process::id()));
    if fs::rename(path, &aside).is_ok() {
        let moved = fs::read_to_string(&aside).unwrap_or_default();
        if moved != found {
            let _ = fs::hard_link(&aside, path);
        }
        let _ = fs::remove_file(&aside);
    }
    Ok(())
}

/// Whether a process of this machine is there. Where that cannot be told it counts as alive.
fn is_alive(process: u64) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}

/// The machine's name.
pub(super) fn host() -> String {
    let from_system = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let from_environment = || std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME")).ok();
    from_system().or_else(from_environment).map_or_else(|| "unknown".to_owned(), |h| h.trim().to_owned())
}

fn locked(path: &Path, holder: &Value) -> SweepError {
    SweepError::Locked {
        path: path.to_owned(),
        process: holder["process"].as_u64().unwrap_or(0),
        host: holder["host"].as_str().unwrap_or("an unknown machine").to_owned(),
    }
}

fn unwritable(path: &Path, source: io::Error) -> SweepError {
    StorageError::Unwritable { path: path.to_owned(), source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-lock-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder.join("lock")
    }

    #[test]
    fn a_lock_is_held_once_and_given_back() {
        let path = scratch("once");
        let lock = Lock::take(&path).unwrap();
        let error = Lock::take(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
        drop(lock);
        assert!(!path.exists());
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_lock_of_a_process_that_is_gone_is_taken_over() {
        let path = scratch("gone");
        // No process has this number: the largest that Linux gives out is 2^22.
        fs::write(&path, json!({ "process": 1_u64 << 40, "host": host() }).to_string()).unwrap();
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_fresh_lock_of_another_machine_is_honoured_and_a_silent_one_is_not() {
        let path = scratch("elsewhere");
        fs::write(&path, json!({ "process": 7, "host": "another machine" }).to_string()).unwrap();
        assert!(matches!(Lock::take(&path), Err(SweepError::Locked { process: 7, .. })));
        let old = SystemTime::now() - SILENT - Duration::from_secs(60);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(old).unwrap();
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_lock_taken_by_another_is_noticed() {
        let path = scratch("noticed");
        let mut lock = Lock::take(&path).unwrap();
        fs::write(&path, json!({ "process": 9, "host": "another machine" }).to_string()).unwrap();
        lock.beaten = Instant::now().checked_sub(2 * BEAT).unwrap();
        assert!(matches!(lock.beat(), Err(SweepError::Locked { process: 9, .. })));
        drop(lock);
        assert!(path.exists(), "the other's lock stays");
    }
}
