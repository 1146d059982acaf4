//! Files: NumPy arrays in and out, trajectories in Parquet, and the one door through which a file is written.
//!
//! What is read is a real `.npy` array of float64 or float32 (either byte order, C or Fortran order) or one member
//! of an `.npz` archive; everything else is refused with one sentence that names the file, says what it is and
//! what would be right. What is written appears under its final name only when it is complete and synced.

mod array;
mod atomic;
mod error;
mod npy;
mod npz;
mod table;
mod trajectory;

pub use array::Array;
pub use atomic::{AtomicFile, Overwrite, refuse_existing};
pub use error::StorageError;
pub use npy::{read_npy, write_npy};
pub use npz::{Column, Member, read_npz, write_npz};
pub(crate) use table::{TableColumn, TableWriter};
pub(crate) use trajectory::parquet_properties;
pub use trajectory::{Provenance, TrajectoryRow, TrajectoryWriter};

use std::path::Path;

/// Reads the array that `location` names: `FILE.npy`, or the member NAME of an archive as `FILE.npz:NAME`.
///
/// # Errors
///
/// [`StorageError`] if the file is missing, is of another kind, or does not hold finite real numbers.
pub fn read_array(location: &str) -> Result<Array, StorageError> {
    if let Some((archive, member)) = split_member(location) {
        return read_npz(Path::new(archive), member);
    }
    let extension = Path::new(location).extension().and_then(|e| e.to_str()).unwrap_or("");
    match extension {
        "npy" => read_npy(Path::new(location)),
        "npz" => Err(npz::member_needed(Path::new(location))),
        _ => Err(StorageError::Extension { location: location.to_owned() }),
    }
}

/// Whether `location` is written like an array file: `*.npy`, `*.npz` or `*.npz:NAME`.
#[allow(clippy::case_sensitive_file_extension_comparisons)] // so are the files read
pub fn is_array_location(location: &str) -> bool {
    let extension = Path::new(location).extension();
    split_member(location).is_some() || extension.is_some_and(|e| e == "npy" || e == "npz")
}

/// Splits `FILE.npz:NAME` into file and member.
fn split_member(location: &str) -> Option<(&str, &str)> {
    let at = location.rfind(".npz:")?;
    Some((&location[..at + 4], &location[at + 5..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_split_at_the_last_mark() {
        assert_eq!(split_member("a/b.npz:w"), Some(("a/b.npz", "w")));
        assert_eq!(split_member("a.npz:b.npz:w"), Some(("a.npz:b.npz", "w")));
        assert_eq!(split_member("a.npy"), None);
    }

    #[test]
    fn another_extension_is_refused() {
        let error = read_array("weights.txt").unwrap_err();
        assert_eq!(
            error.to_string(),
            "weights.txt is not an array file; FILE.npy or FILE.npz:NAME is needed"
        );
    }
}
