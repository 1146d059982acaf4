//! The log of a sweep: one line of JSON for everything that happened, with the time and facts of the machine. Rows and classes
//! never depend on it.

use super::lock::host;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The log of a directory.
#[derive(Clone, Debug)]
pub(super) struct Log(PathBuf);

impl Log {
    pub(super) fn of(directory: &Path) -> Self {
        Self(directory.join("log.jsonl"))
    }

    /// Appends a line. A log that cannot be written loses nothing of the sweep.
    pub(super) fn say(&self, event: &str, facts: &Value) {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64());
        let process = std::process::id();
        let line = json!({ "unix_time": seconds, "event": event, "process": process, "host": host(), "facts": facts });
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.0) {
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
