//! What to measure, how thoroughly, and where the report goes.

use crate::storage::StorageError;
use crate::sweep::SweepError;
use popgrad::Kind;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use thiserror::Error;

/// How much is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Profile {
    /// Every claim and figure within a minute on two cores.
    #[default]
    Quick,
    /// More samples, starts and grid points: narrower error bars, finer maps.
    Full,
}

impl Profile {
    /// The word in files and folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }
}

/// What `reproduce` is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the paper, one of [`PAPERS`](super::PAPERS).
    pub paper: String,
    /// Directory of the report; made if absent.
    pub out: PathBuf,
    /// How much is computed.
    pub profile: Profile,
    /// Names of the claims to measure; empty for all.
    pub claims: Vec<String>,
    /// Seed of every random number.
    pub seed: u64,
    /// A folder that keeps the ensembles of claims as sweeps, so that an interrupted measurement goes on with them and a
    /// finished one is not made twice. `None` computes them in memory.
    pub keep: Option<PathBuf>,
    /// Number of threads; 0 for one per core. No result depends on it.
    pub threads: usize,
    /// Set by the caller to ask for an early end; the report then says that it is partial.
    pub interrupt: Arc<AtomicBool>,
    /// Relative defect put into the mathematics under test, so that a test can see the catalogue fail. Zero
    /// otherwise.
    #[doc(hidden)]
    pub defect: f64,
}

impl Plan {
    /// Every claim of Tian (2017), quickly, into `out`.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            paper: "tian2017".to_owned(),
            out: out.into(),
            profile: Profile::Quick,
            claims: Vec::new(),
            seed: 1,
            keep: None,
            threads: 0,
            interrupt: Arc::new(AtomicBool::new(false)),
            defect: 0.0,
        }
    }
}

/// How far a run has come; sent before and after each claim.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// A claim is being measured.
    Started {
        /// Its name.
        id: &'static str,
    },
    /// An ensemble that is kept has come further.
    Advanced {
        /// The claim's name.
        id: &'static str,
        /// Runs stored, or ended in a part that is being computed.
        done: u64,
        /// Runs of the ensemble.
        total: u64,
    },
    /// A claim is measured and the report rewritten.
    Finished {
        /// Its name.
        id: &'static str,
        /// Whether its verdict is the expected one.
        agrees: bool,
        /// Claims measured so far.
        done: usize,
        /// Claims asked for.
        total: usize,
        /// Time it took.
        seconds: f64,
    },
}

/// Why no report could be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReproduceError {
    /// A paper without a catalogue.
    #[error("{name} is not a paper with a catalogue; there are {papers}")]
    UnknownPaper {
        /// What was asked for.
        name: String,
        /// The papers there are.
        papers: String,
    },
    /// A claim that the catalogue does not have.
    #[error("there is no claim `{id}`; the nearest one is `{nearest}`")]
    UnknownClaim {
        /// What was asked for.
        id: String,
        /// The most similar name.
        nearest: &'static str,
    },
    /// The directory holds something else.
    #[error("{} holds files but no earlier report; choose another directory or empty this one", path.display())]
    NotAReport {
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be made or read.
    #[error("{} cannot be used as the report's directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder for ensembles cannot be made.
    #[error("{} cannot be made: {source}", path.display())]
    Keep {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A kept ensemble cannot be computed or taken up: its folder holds another one, or is in use, or cannot be written.
    #[error(transparent)]
    Kept(#[from] SweepError),
    /// A file of the report could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The threads could not be started.
    #[error("{threads} threads cannot be started: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
}

impl ReproduceError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::UnknownPaper { .. } | Self::UnknownClaim { .. } | Self::NotAReport { .. } => Kind::Input,
            Self::Directory { .. } | Self::Keep { .. } => Kind::Io,
            Self::Kept(error) => error.kind(),
            Self::Storage(error) => error.kind(),
            Self::Threads { .. } => Kind::Resource,
        }
    }
}
