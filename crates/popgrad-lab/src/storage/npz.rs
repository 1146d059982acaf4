//! The `.npz` archive: a zip file of `.npy` members.

use super::npy::{header_bytes, parse_npy};
use super::{Array, AtomicFile, Overwrite, StorageError};
use npyz::npz::{array_name_from_file_name, file_name_from_array_name};
use npyz::zip::result::ZipError;
use npyz::zip::write::FileOptions;
use npyz::zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

/// The entries of one member, in C order.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// float64.
    Real(&'a [f64]),
    /// int64.
    Integer(&'a [i64]),
    /// Text, stored as NumPy's fixed-width Unicode.
    Text(&'a [String]),
}

/// One named array to be written.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its name in the archive.
    pub name: &'a str,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Its entries.
    pub column: Column<'a>,
}

impl<'a> Member<'a> {
    /// An array of float64.
    pub fn real(name: &'a str, shape: &[usize], data: &'a [f64]) -> Self {
        Self { name, shape: shape.to_vec(), column: Column::Real(data) }
    }
}

/// Reads one member of an archive, under the rules of [`super::read_npy`].
///
/// # Errors
///
/// [`StorageError`] if the archive or the member is missing, damaged or of another kind.
pub fn read_npz(path: &Path, name: &str) -> Result<Array, StorageError> {
    let mut archive = open(path)?;
    let present = member_list(&archive);
    let mut bytes = Vec::new();
    match archive.by_name(&file_name_from_array_name(name)) {
        Ok(mut member) => {
            member.read_to_end(&mut bytes).map_err(|e| not_npz(path, &e))?;
        }
        Err(ZipError::FileNotFound) => {
            return Err(StorageError::NoMember { path: path.to_owned(), name: name.to_owned(), present });
        }
        Err(e) => return Err(not_npz(path, &e)),
    }
    parse_npy(&bytes, format!("{}:{name}", path.display()))
}

/// The refusal of an archive named without a member.
pub(super) fn member_needed(path: &Path) -> StorageError {
    match open(path) {
        Ok(archive) => StorageError::MemberNeeded { path: path.to_owned(), present: member_list(&archive) },
        Err(error) => error,
    }
}

/// Writes named arrays as an archive, atomically and without time stamps: equal content gives equal bytes.
///
/// # Errors
///
/// [`StorageError`] if the name is taken and may not be replaced, or the system refuses.
///
/// # Panics
///
/// If a shape does not hold the number of entries of its member.
pub fn write_npz(path: &Path, members: &[Member<'_>], overwrite: Overwrite) -> Result<(), StorageError> {
    let file = AtomicFile::create(path, overwrite)?;
    let mut zip = ZipWriter::new(file);
    for member in members {
        write_member(&mut zip, member)
            .map_err(|source| StorageError::Unwritable { path: path.to_owned(), source })?;
    }
    let file =
        zip.finish().map_err(|e| StorageError::Unwritable { path: path.to_owned(), source: e.into() })?;
    file.commit()
}

fn write_member(zip: &mut ZipWriter<AtomicFile>, member: &Member<'_>) -> std::io::Result<()> {
    let (descr, entries, bytes) = encode(member.column);
    assert_eq!(member.shape.iter().product::<usize>(), entries, "the shape must hold every entry");
    let options = FileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .large_file(bytes.len() > u32::MAX as usize / 2);
    zip.start_file(file_name_from_array_name(member.name), options)?;
    zip.write_all(&header_bytes(&descr, &member.shape))?;
    zip.write_all(&bytes)
}

/// NumPy's type, the number of entries and their bytes.
fn encode(column: Column<'_>) -> (String, usize, Vec<u8>) {
    match column {
        Column::Real(data) => {
            ("<f8".to_owned(), data.len(), data.iter().flat_map(|x| x.to_le_bytes()).collect())
        }
        Column::Integer(data) => {
            ("<i8".to_owned(), data.len(), data.iter().flat_map(|x| x.to_le_bytes()).collect())
        }
        Column::Text(data) => {
            let width = data.iter().map(|s| s.chars().count()).max().unwrap_or(0).max(1);
            let mut bytes = Vec::with_capacity(data.len() * width * 4);
            for text in data {
                let end = bytes.len() + width * 4;
                bytes.extend(text.chars().flat_map(|c| (c as u32).to_le_bytes()));
                bytes.resize(end, 0);
            }
            (format!("<U{width}"), data.len(), bytes)
        }
    }
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, StorageError> {
    let file = File::open(path).map_err(|e| StorageError::reading(path, e))?;
    ZipArchive::new(BufReader::new(file)).map_err(|e| not_npz(path, &e))
}

fn member_list(archive: &ZipArchive<BufReader<File>>) -> String {
    let mut names: Vec<&str> = archive.file_names().filter_map(array_name_from_file_name).collect();
    names.sort_unstable();
    match names.len() {
        0 => "no arrays".to_owned(),
        n if n > 8 => format!("{} and {} more", names[..8].join(", "), n - 8),
        _ => names.join(", "),
    }
}

fn not_npz(path: &Path, error: &dyn std::error::Error) -> StorageError {
    StorageError::NotNpz { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-npz-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn members_come_back_and_unknown_ones_are_listed() {
        let path = scratch("round").join("a.npz");
        let text = ["one".to_owned(), "three".to_owned()];
        let members = [
            Member::real("w", &[2, 1], &[1.5, -2.5]),
            Member { name: "step", shape: vec![2], column: Column::Integer(&[1, 2]) },
            Member { name: "event", shape: vec![2], column: Column::Text(&text) },
        ];
        write_npz(&path, &members, Overwrite::Refuse).unwrap();
        let w = read_npz(&path, "w").unwrap();
        assert_eq!((w.shape(), w.as_slice()), (&[2, 1][..], &[1.5, -2.5][..]));
        let error = read_npz(&path, "v").unwrap_err().to_string();
        assert!(error.ends_with("a.npz has no member \"v\"; it has event, step, w"), "{error}");
        let error = read_npz(&path, "step").unwrap_err().to_string();
        assert!(error.ends_with("a.npz:step holds integers (dtype <i8); float64 or float32 is needed"));
        let error = member_needed(&path).to_string();
        assert!(error.ends_with("a.npz:NAME (it has event, step, w)"), "{error}");
    }

    #[test]
    fn equal_content_gives_equal_bytes() {
        let folder = scratch("same");
        let members = [Member::real("w", &[1], &[1.0])];
        write_npz(&folder.join("a.npz"), &members, Overwrite::Refuse).unwrap();
        write_npz(&folder.join("b.npz"), &members, Overwrite::Refuse).unwrap();
        assert_eq!(
            std::fs::read(folder.join("a.npz")).unwrap(),
            std::fs::read(folder.join("b.npz")).unwrap()
        );
    }

    #[test]
    fn a_file_that_is_no_archive_is_refused() {
        let path = scratch("bad").join("a.npz");
        std::fs::write(&path, b"not a zip").unwrap();
        let error = read_npz(&path, "w").unwrap_err().to_string();
        assert!(error.contains("a.npz is not a readable .npz archive"), "{error}");
    }
}
