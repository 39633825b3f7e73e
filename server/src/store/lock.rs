//! Who uses a database: gateways together, or one who needs it alone. A file beside the database, locked by the system
//! for as long as the process has it open.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::StoreError;
use super::database::create_folder;
use super::watched_file::beside;

/// The database is used for as long as this is there.
#[derive(Debug)]
pub struct DatabaseLock(#[allow(dead_code)] File);

impl DatabaseLock {
    /// A gateway uses the database, others may, too.
    ///
    /// # Errors
    /// Somebody restores or migrates it.
    pub fn shared(database: &Path) -> Result<Self, StoreError> {
        let file = open(database)?;
        taken(database, file.try_lock_shared())?;
        Ok(Self(file))
    }

    /// Nobody else may use it.
    ///
    /// # Errors
    /// Somebody does.
    pub fn alone(database: &Path) -> Result<Self, StoreError> {
        let file = open(database)?;
        taken(database, file.try_lock())?;
        Ok(Self(file))
    }
}

fn taken(database: &Path, locked: Result<(), TryLockError>) -> Result<(), StoreError> {
    match locked {
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: database.to_owned(),
        }),
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn open(database: &Path) -> Result<File, StoreError> {
    create_folder(database)?;
    let path = beside(database, ".lock");
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&path)
        .map_err(|source| StoreError::File { path, source })
}
