//! Files that appear under their final name only when they are complete and synced.

use super::StorageError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Whether an existing file may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// An existing file is an error.
    #[default]
    Refuse,
    /// An existing regular file is replaced.
    Replace,
}

/// A file being written: bytes go to a temporary neighbour, [`AtomicFile::commit`] syncs it and gives it its name.
///
/// A file that is dropped without `commit` leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temporary: PathBuf,
    overwrite: Overwrite,
    writer: BufWriter<File>,
}

/// Refuses a name that [`AtomicFile::commit`] would refuse, before any work is done.
///
/// # Errors
///
/// [`StorageError::Exists`], [`StorageError::NotAFile`] or [`StorageError::NoFolder`].
pub fn refuse_existing(path: &Path, overwrite: Overwrite) -> Result<(), StorageError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(StorageError::NoFolder { path: path.to_owned(), folder: folder.to_owned() });
    }
    match fs::metadata(path) {
        Err(_) if path.file_name().is_some() => Ok(()),
        Ok(found) if found.is_file() && overwrite == Overwrite::Replace => Ok(()),
        Ok(found) if found.is_file() => Err(StorageError::Exists { path: path.to_owned() }),
        _ => Err(StorageError::NotAFile { path: path.to_owned() }),
    }
}

impl AtomicFile {
    /// Starts a file beside its final place.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the name is taken and may not be replaced, or the folder cannot be written.
    pub fn create(path: &Path, overwrite: Overwrite) -> Result<Self, StorageError> {
        refuse_existing(path, overwrite)?;
        // A link is followed, so that the file it points to is replaced and the link stays.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        let temporary = target.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(|source| StorageError::Unwritable { path: path.to_owned(), source })?;
        Ok(Self { target, temporary, overwrite, writer: BufWriter::new(file) })
    }

    /// Syncs the bytes and gives the file its final name.
    ///
    /// # Errors
    ///
    /// [`StorageError::Exists`] if the name was taken meanwhile and may not be replaced,
    /// [`StorageError::Unwritable`] if the system refuses.
    ///
    /// # Panics
    ///
    /// Never: a file has its writer until it is committed, and committing consumes it.
    pub fn commit(mut self) -> Result<(), StorageError> {
        let fail = |source| StorageError::Unwritable { path: self.target.clone(), source };
        self.writer.flush().and_then(|()| self.writer.get_ref().sync_all()).map_err(fail)?;
        match self.overwrite {
            Overwrite::Replace => fs::rename(&self.temporary, &self.target).map_err(fail)?,
            Overwrite::Refuse => self.link_or_rename()?,
        }
        // The folder's entry is synced where the system can open folders; elsewhere the rename stands alone.
        if let Ok(folder) = File::open(folder_of(&self.target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// A hard link fails if the name is taken, without a race; file systems that have none get a check and a rename.
    fn link_or_rename(&self) -> Result<(), StorageError> {
        match fs::hard_link(&self.temporary, &self.target) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Err(StorageError::Exists { path: self.target.clone() })
            }
            Err(_) => {
                refuse_existing(&self.target, Overwrite::Refuse)?;
                fs::rename(&self.temporary, &self.target)
                    .map_err(|source| StorageError::Unwritable { path: self.target.clone(), source })
            }
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove, and that is no error.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-atomic-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn put(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), StorageError> {
        let mut file = AtomicFile::create(path, overwrite)?;
        file.write_all(text.as_bytes()).unwrap();
        file.commit()
    }

    #[test]
    fn an_existing_file_is_kept_unless_asked() {
        let folder = scratch("keep");
        let path = folder.join("a.txt");
        put(&path, "one", Overwrite::Refuse).unwrap();
        let error = put(&path, "two", Overwrite::Refuse).unwrap_err();
        assert!(matches!(error, StorageError::Exists { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        put(&path, "three", Overwrite::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_name_taken_while_writing_is_not_replaced() {
        let folder = scratch("race");
        let path = folder.join("a.txt");
        let mut file = AtomicFile::create(&path, Overwrite::Refuse).unwrap();
        file.write_all(b"late").unwrap();
        fs::write(&path, "early").unwrap();
        assert!(matches!(file.commit(), Err(StorageError::Exists { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "early");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn an_abandoned_file_leaves_nothing() {
        let folder = scratch("drop");
        let mut file = AtomicFile::create(&folder.join("a.txt"), Overwrite::Refuse).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn folders_and_missing_folders_are_refused() {
        let folder = scratch("folder");
        let error = AtomicFile::create(&folder, Overwrite::Replace).unwrap_err();
        assert!(matches!(error, StorageError::NotAFile { .. }), "{error}");
        let error = AtomicFile::create(&folder.join("none/a.txt"), Overwrite::Refuse).unwrap_err();
        assert!(matches!(error, StorageError::NoFolder { .. }), "{error}");
    }
}
