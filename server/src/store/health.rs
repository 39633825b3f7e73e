//! How the database fares.

use sqlx::Row;

use super::watched_file::beside;
use super::{Store, StoreError};

/// What the database says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseState {
    /// The number of the last migration.
    pub schema_version: i64,
    /// Requests that rollups do not have yet.
    pub rollups_behind: u64,
}

impl Store {
    /// Reads from the database: an error means that it cannot be read.
    pub async fn state(&self) -> Result<DatabaseState, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT max(version) FROM _sqlx_migrations), \
             coalesce((SELECT max(seq) FROM requests), 0) - (SELECT seq FROM rollup_watermark)",
        )
        .fetch_one(&self.reader())
        .await?;
        Ok(DatabaseState {
            schema_version: row.try_get(0)?,
            rollups_behind: u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0),
        })
    }

    /// Bytes of the database file and of its write-ahead log, as far as they are there.
    pub fn file_sizes(&self) -> (Option<u64>, Option<u64>) {
        let size = |path: &std::path::Path| std::fs::metadata(path).ok().map(|file| file.len());
        (size(self.path()), size(&beside(self.path(), "-wal")))
    }
}
