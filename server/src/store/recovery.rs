//! The database file was deleted or replaced while it was open.

use std::io;

use sqlx::sqlite::SqlitePool;
use tracing::warn;

use super::database::{Pools, WRITE_BUSY, create_folder, create_private};
use super::watched_file::{FileState, beside, remove};
use super::{Store, StoreError};

impl Store {
    /// Makes sure that what is written goes to the file at the configured path, and not to one that
    /// was deleted or moved away meanwhile. Returns whether another file is open now.
    ///
    /// A deleted file is restored with all that was in it, as long as it is still open here; where
    /// that fails, a new one is begun. A file that was put in its place is opened.
    pub async fn follow_file(&self) -> Result<bool, StoreError> {
        let pools = self.pools();
        match pools.file.state()? {
            FileState::Unchanged => return Ok(false),
            FileState::Deleted => {
                create_folder(self.path())?;
                match self.restore(&pools.write).await {
                    Ok(()) => warn!(
                        path = %self.path().display(),
                        "the database file was deleted while in use: it was restored from the open file, nothing is lost"
                    ),
                    Err(error) => warn!(
                        path = %self.path().display(), %error,
                        "the database file was deleted while in use and could not be restored: a new one is begun"
                    ),
                }
            }
            FileState::Replaced => warn!(
                path = %self.path().display(),
                "the database file was replaced while in use: the new one is used from now on"
            ),
        }
        pools.file.remove_stale_log()?;
        // Records wait in memory meanwhile: not for another process as well.
        self.replace_pools(Pools::open(self.path(), WRITE_BUSY).await?);
        Ok(true)
    }

    /// Copies the open file to its path again.
    async fn restore(&self, open: &SqlitePool) -> Result<(), StoreError> {
        let copy = beside(self.path(), ".restored");
        remove(&copy)?;
        create_private(&copy)?;
        let copied = sqlx::query("VACUUM INTO ?")
            .bind(copy.to_string_lossy().into_owned())
            .execute(open)
            .await;
        // Those of the deleted file must not be taken for the copy's.
        for suffix in ["-wal", "-shm"] {
            remove(&beside(self.path(), suffix))?;
        }
        if let Err(error) = copied {
            remove(&copy)?;
            return Err(error.into());
        }
        let placed = if self.path().exists() {
            // Someone put a file there just now.
            Err(io::ErrorKind::AlreadyExists.into())
        } else {
            std::fs::rename(&copy, self.path())
        };
        if placed.is_err() {
            remove(&copy)?;
        }
        placed.map_err(|source| StoreError::File {
            path: self.path().to_owned(),
            source,
        })
    }
}
