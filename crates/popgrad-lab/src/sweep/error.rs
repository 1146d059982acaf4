//! Why a sweep is refused or stands still.

use super::spec::Place;
use crate::storage::StorageError;
use popgrad::Kind;
use std::path::PathBuf;
use thiserror::Error;

/// A mistake in a spec, with its place.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct SpecError {
    message: String,
}

impl SpecError {
    pub(super) fn at(name: &str, place: Place, message: impl Into<String>) -> Self {
        Self { message: format!("{name}:{}:{}: {}", place.line, place.column, message.into()) }
    }

    /// A mistake of the spec as a whole; the message follows its name.
    pub(super) fn whole(name: &str, message: impl AsRef<str>) -> Self {
        Self { message: format!("{name} {}", message.as_ref()) }
    }

    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        Kind::Input
    }
}

/// Why a sweep is refused, or why it stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The spec has a mistake.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The directory holds something else.
    #[error("{} holds files but no sweep; choose another directory or empty this one", path.display())]
    NotASweep {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds a sweep already.
    #[error(
        "{} holds a sweep already; --resume goes on with it, another directory starts afresh", path.display()
    )]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory's sweep was made by another spec.
    #[error("{} holds a sweep of another spec: {difference}; resume with that spec or choose another directory", path.display())]
    OtherSpec {
        /// The directory.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// The directory's sweep was computed by other numerics.
    #[error(
        "{} was computed with numerics {found} and this program computes with {ours}; rows of both would not fit together: \
         finish it with version {version} or start afresh", path.display()
    )]
    Numerics {
        /// The directory.
        path: PathBuf,
        /// Its numerics.
        found: u64,
        /// The numerics of this program.
        ours: u32,
        /// The version that made it.
        version: String,
    },
    /// The directory's sweep has a newer format.
    #[error("{} has schema {found}, which this version does not read; it reads {ours}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
        /// The schema of this program.
        ours: &'static str,
    },
    /// The manifest is no manifest.
    #[error("{} is not the manifest of a sweep: {reason}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A part cannot be read back.
    #[error("{} is missing or damaged; --resume computes it again", path.display())]
    Damaged {
        /// The part's file.
        path: PathBuf,
    },
    /// Another process works there.
    #[error("{} is in use by process {process} on {host}; wait for it, or stop it and try again", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The number of the other process.
        process: u64,
        /// Its machine.
        host: String,
    },
    /// Runs cannot be set up.
    #[error("cell {cell}: {message}")]
    Cell {
        /// The number of the cell.
        cell: usize,
        /// Why.
        message: String,
        /// What kind of failure it is.
        kind: Kind,
    },
    /// There are more classes than can mean anything.
    #[error(
        "cell {cell} has more than {most} classes of end points; classes.tolerance = {tolerance} is too small for ends of this \
         accuracy, or stop.gradient_norm too large"
    )]
    Classes {
        /// The number of the cell.
        cell: usize,
        /// How many are allowed.
        most: usize,
        /// The tolerance.
        tolerance: f64,
    },
    /// Directories to merge do not belong together.
    #[error("{}: {message}", path.display())]
    Merge {
        /// The directory.
        path: PathBuf,
        /// Why it does not fit.
        message: String,
    },
}

impl SweepError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::Cell { kind, .. } => *kind,
            Self::Locked { .. } | Self::Damaged { .. } => Kind::Io,
            _ => Kind::Input,
        }
    }
}
