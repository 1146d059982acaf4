//! What an atlas is made from.

use crate::storage::StorageError;
use popgrad::{CriticalError, Kind, Matrix, StatisticsError, Trained, TwoLayer};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use thiserror::Error;

/// What an atlas is made from.
#[derive(Clone, Debug)]
pub struct AtlasPlan {
    /// The problem.
    pub problem: TwoLayer,
    /// Number of students in random starts.
    pub students: usize,
    /// Output weights of the students in random starts and given points, length `K`.
    pub output: Vec<f64>,
    /// Which parameters move.
    pub trained: Trained,
    /// Number of random starts: entries normal with the variance of a unit of the teacher's mean square length over `d`.
    pub starts: u64,
    /// Seed of the random starts; start `i` is a function of the seed and `i`.
    pub seed: u64,
    /// Lowest and highest index that searches steer for, in turn.
    pub indices: (usize, usize),
    /// Points that a search starts from as well, each `K x d`.
    pub given: Vec<Matrix>,
    /// Block structures whose families are searched, each from as many starts as there are random ones; students beyond the blocks
    /// are fixed one by one.
    pub families: Vec<Vec<usize>>,
    /// Search each family at this many units first, its largest block made smaller, and follow what is found to its own size.
    pub continue_from: Option<usize>,
    /// Whether random starts are searched at all; without them the families are.
    pub random: bool,
    /// How many unstable directions of each saddle are followed downhill, both ways.
    pub directions: usize,
    /// Raised by the caller to end the searches under way; what they had is dropped.
    pub interrupt: Arc<AtomicBool>,
    /// When the searches under way end in the same manner.
    pub deadline: Option<Instant>,
}

impl AtlasPlan {
    /// Whether the searches under way are to end.
    pub(super) fn is_over(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed) || self.deadline.is_some_and(|end| Instant::now() >= end)
    }
}

/// Why an atlas could not be made or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AtlasError {
    /// The mathematics refuses.
    #[error(transparent)]
    Critical(#[from] CriticalError),
    /// A file could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An estimate could not be formed.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
    /// The directory cannot be made.
    #[error("{} cannot be used as the atlas's directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The directory holds something else.
    #[error("{} holds files but no earlier atlas; choose another directory or empty this one", path.display())]
    NotAnAtlas {
        /// The directory.
        path: PathBuf,
    },
}

impl AtlasError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Critical(error) => error.kind(),
            Self::Storage(error) => error.kind(),
            Self::Statistics(error) => error.kind(),
            Self::Directory { .. } => Kind::Io,
            Self::NotAnAtlas { .. } => Kind::Input,
        }
    }
}
