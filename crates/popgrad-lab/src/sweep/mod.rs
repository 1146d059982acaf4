//! Ensembles of starts in a directory: a spec, parts computed by several threads or processes, and tables of runs and classes.
//!
//! Start `i` of a seed is the same whoever computes it, and so are the tables: byte for byte from one build and kind of machine,
//! equal rows from another, for any number of threads, shards and interruptions.

mod cell;
mod classes;
mod cnn;
mod crew;
mod describe;
mod error;
mod finish;
mod gather;
mod keys;
mod lock;
mod log;
mod merge;
mod part;
mod plan;
mod preset;
mod run;
mod spec;
mod tables;

pub use error::{SpecError, SweepError};
pub use finish::{Summary, ends_in_memory, in_memory};
pub use gather::{CellSummary, ClassSummary, Share};
pub use keys::{KEYS, Key, listing};
pub use merge::merge;
pub use plan::Plan;
pub use preset::{PRESETS, Preset};
pub use run::{Mode, Shard, Sweep, SweepEnd, SweepProgress};
pub use spec::{Spec, Value};

/// The schema of a sweep's files.
pub const SCHEMA: &str = "popgrad.sweep/1";
