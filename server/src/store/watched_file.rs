//! Noticing that the database file is not the one that was opened.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::StoreError;

/// A database file that is open, and how to recognise it.
#[derive(Debug)]
pub(super) struct WatchedFile {
    path: PathBuf,
    identity: Identity,
    /// Its write-ahead log, which is created by the first write.
    log: OnceLock<Identity>,
}

/// What is at the path of a watched file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Unchanged,
    Deleted,
    Replaced,
}

impl WatchedFile {
    /// Watches the file at `path`, which was opened just now.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let identity = identity(path)?.ok_or_else(|| StoreError::File {
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        let log = OnceLock::new();
        if let Some(identity) = self::identity(&beside(path, "-wal"))? {
            let _ = log.set(identity);
        }
        Ok(Self {
            path: path.to_owned(),
            identity,
            log,
        })
    }

    /// Looks at the path: one cheap system call.
    pub(super) fn state(&self) -> Result<FileState, StoreError> {
        Ok(match identity(&self.path)? {
            None => FileState::Deleted,
            Some(identity) if identity == self.identity => {
                if self.log.get().is_none()
                    && let Some(log) = self::identity(&beside(&self.path, "-wal"))?
                {
                    let _ = self.log.set(log);
                }
                FileState::Unchanged
            }
            Some(_) => FileState::Replaced,
        })
    }

    /// Removes the write-ahead log and its index from the path, if they are still those of the file
    /// that was watched: SQLite would take them for the new file's, and damage it.
    pub(super) fn remove_stale_log(&self) -> Result<(), StoreError> {
        let log = beside(&self.path, "-wal");
        if identity(&log)?.is_some_and(|found| self.log.get() == Some(&found)) {
            remove(&log)?;
            remove(&beside(&self.path, "-shm"))?;
        }
        Ok(())
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::File {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// `path` with `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Device and inode.
#[cfg(unix)]
type Identity = (u64, u64);
/// Elsewhere an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
type Identity = ();

fn identity(path: &Path) -> Result<Option<Identity>, StoreError> {
    match std::fs::metadata(path) {
        #[cfg(unix)]
        Ok(metadata) => {
            use std::os::unix::fs::MetadataExt;
            Ok(Some((metadata.dev(), metadata.ino())))
        }
        #[cfg(not(unix))]
        Ok(_) => Ok(Some(())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::File {
            path: path.to_owned(),
            source,
        }),
    }
}
