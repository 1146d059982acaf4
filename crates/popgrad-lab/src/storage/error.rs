//! Why a file could not be read or written.

use popgrad::Kind;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a file could not be read or written. Every message names the file first.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No such file.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused to read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The folder of a file to be written does not exist.
    #[error("{} cannot be written: the folder {} does not exist", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The file to be written is there already.
    #[error("{} exists and is not overwritten; give another name, or allow replacing it (--force)", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The name to be written belongs to a folder, a device or a pipe.
    #[error("{} is not a regular file and is not replaced; give another name", path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
    },
    /// The name does not end like an array file.
    #[error("{location} is not an array file; FILE.npy or FILE.npz:NAME is needed")]
    Extension {
        /// The name as typed.
        location: String,
    },
    /// The bytes are not those of the NumPy format.
    #[error("{location} is not a .npy array ({reason}); write it with numpy.save")]
    NotNpy {
        /// The file, or the member of an archive.
        location: String,
        /// What is wrong with the bytes.
        reason: &'static str,
    },
    /// The archive is damaged or is no archive.
    #[error("{} is not a readable .npz archive ({reason}); write it with numpy.savez", path.display())]
    NotNpz {
        /// The archive.
        path: PathBuf,
        /// What the archive reader says.
        reason: String,
    },
    /// The archive has no member of that name.
    #[error("{} has no member \"{name}\"; it has {present}", path.display())]
    NoMember {
        /// The archive.
        path: PathBuf,
        /// The member asked for.
        name: String,
        /// The members that exist.
        present: String,
    },
    /// An archive was named without a member.
    #[error("{} is an archive; name one member as {}:NAME (it has {present})", path.display(), path.display())]
    MemberNeeded {
        /// The archive.
        path: PathBuf,
        /// The members that exist.
        present: String,
    },
    /// The entries are not real floating-point numbers.
    #[error("{location} holds {what} (dtype {descr}); float64 or float32 is needed")]
    ElementType {
        /// The file, or the member of an archive.
        location: String,
        /// The kind of entries in words.
        what: &'static str,
        /// NumPy's name of the type.
        descr: String,
    },
    /// The file ends before its array does.
    #[error("{location} is truncated: shape {shape} needs {need} bytes of data, the file has {have}")]
    Truncated {
        /// The file, or the member of an archive.
        location: String,
        /// The shape in NumPy's notation.
        shape: String,
        /// Bytes the shape needs.
        need: u128,
        /// Bytes that are there.
        have: usize,
    },
    /// The file goes on after its array.
    #[error("{location} has {extra} bytes after its array of shape {shape}; one array a file is needed")]
    Trailing {
        /// The file, or the member of an archive.
        location: String,
        /// The shape in NumPy's notation.
        shape: String,
        /// Bytes too many.
        extra: usize,
    },
    /// The array has no entries.
    #[error("{location} is empty (shape {shape}); at least one entry is needed")]
    Empty {
        /// The file, or the member of an archive.
        location: String,
        /// The shape in NumPy's notation.
        shape: String,
    },
    /// The array has the wrong number of axes.
    #[error("{location} has shape {shape}; {needed} is needed")]
    Shape {
        /// The file, or the member of an archive.
        location: String,
        /// The shape in NumPy's notation.
        shape: String,
        /// The shape that would be right.
        needed: String,
    },
    /// An entry is NaN or infinite.
    #[error("{location} has the entry [{index}] = {value}; every entry must be finite")]
    NonFinite {
        /// The file, or the member of an archive.
        location: String,
        /// Position of the first such entry.
        index: String,
        /// Its value.
        value: f64,
    },
    /// The name of a trajectory file ends in neither `.parquet` nor `.npz`.
    #[error("{} is not a trajectory file; FILE.parquet or FILE.npz is needed", path.display())]
    TrajectoryFormat {
        /// The file.
        path: PathBuf,
    },
    /// Parquet refused the rows.
    #[error("{} cannot be written as Parquet: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the Parquet writer says.
        reason: String,
    },
}

impl StorageError {
    /// The kind of this failure: [`Kind::Io`] where the system refused, [`Kind::Input`] where the content is wrong.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::Unwritable { .. }
            | Self::NoFolder { .. }
            | Self::Exists { .. }
            | Self::NotAFile { .. }
            | Self::Parquet { .. } => Kind::Io,
            _ => Kind::Input,
        }
    }

    /// Sorts a failed read into "missing" and "refused".
    pub(super) fn reading(path: &std::path::Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Unreadable { path, source },
        }
    }
}
