//! A database of its own with what was recorded, and nothing else.
//!
//! It is not a copy from which secrets are taken out, as `VACUUM INTO` would begin it: nothing is ever written to it but the
//! three views. They are tables there, with the types that their columns have: `DuckDB` takes all columns of another
//! database's views for text. It holds what rollups and requests have in common at one moment, the watermark, so that they
//! agree to the last billionth; and requests are read a piece at a time, so that the writer's log is never kept for long
//! from being folded into the database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::analytics::ExportView;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, query, query_scalar};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::pages::name;
use crate::store::database::create_private;
use crate::store::watched_file::{beside, remove};
use crate::store::{Store, StoreError};

/// Rows of `requests` that are copied at a time.
const STRIDE: i64 = 20_000;
/// What a row takes, about, bytes: to know before whether there is room.
const ROW_BYTES: u64 = 1024;
/// What has to be free on the disk afterwards.
const RESERVE_BYTES: u64 = 64 << 20;
const BUSY: Duration = Duration::from_secs(5);
const SUFFIX: &str = ".export-";

/// One at a time: each takes as much of the disk as the database.
static TURN: Semaphore = Semaphore::const_new(1);

/// A database file that goes when this does.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(
        "the export needs about {needed} bytes beside the database, and {free} are free: \
         export CSV or JSON lines, which need none"
    )]
    NoRoom { needed: u64, free: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SnapshotError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Snapshot {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        for suffix in ["", "-journal"] {
            if let Err(error) = remove(&beside(&self.path, suffix)) {
                tracing::warn!(%error, "A temporary export could not be removed");
            }
        }
    }
}

impl Store {
    /// Writes a database beside this one that holds what the three views show.
    pub async fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let _turn = TURN.acquire().await;
        self.check_room().await?;
        let snapshot = Snapshot {
            path: beside(self.path(), &format!("{SUFFIX}{}", Uuid::new_v4().simple())),
        };
        create_private(&snapshot.path)?;
        let mut connection = SqliteConnectOptions::new()
            .filename(&snapshot.path)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .busy_timeout(BUSY)
            .disable_statement_logging()
            .connect()
            .await?;
        copy(&mut connection, self.path()).await?;
        connection.close().await?;
        Ok(snapshot)
    }

    /// Removes what exports have left that were under way when the gateway was killed.
    pub(in crate::store) fn remove_leftovers(path: &Path) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let prefix = format!("{}{SUFFIX}", name.to_string_lossy());
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix)
                && let Err(error) = remove(&entry.path())
            {
                tracing::warn!(%error, "A temporary export could not be removed");
            }
        }
    }

    async fn check_room(&self) -> Result<(), SnapshotError> {
        let rows: i64 = query_scalar(
            "SELECT coalesce(max(seq) - min(seq) + 1, 0) + 2 * (SELECT count(*) FROM rollups_hour) FROM requests",
        )
        .fetch_one(&self.reader())
        .await?;
        let file = std::fs::metadata(self.path()).map_or(u64::MAX, |file| file.len());
        let rows = u64::try_from(rows).unwrap_or(0).saturating_mul(ROW_BYTES);
        let needed = rows
            .min(file.saturating_mul(2))
            .saturating_add(RESERVE_BYTES);
        match free_bytes(self.path()) {
            Some(free) if free < needed => Err(SnapshotError::NoRoom { needed, free }),
            _ => Ok(()),
        }
    }
}

async fn copy(connection: &mut SqliteConnection, from: &Path) -> Result<(), SnapshotError> {
    // Only to read: a path that has gone meanwhile must not become an empty database.
    let source = from.to_string_lossy();
    let source = percent_encoding::utf8_percent_encode(&source, percent_encoding::NON_ALPHANUMERIC);
    query("ATTACH ? AS source")
        .bind(format!("file:{source}?mode=ro"))
        .execute(&mut *connection)
        .await?;
    for view in ExportView::ALL {
        create(connection, name(view)).await?;
    }
    // What has to agree, in one transaction.
    query("BEGIN").execute(&mut *connection).await?;
    let through: i64 = query_scalar("SELECT seq FROM source.rollup_watermark")
        .fetch_one(&mut *connection)
        .await?;
    for sql in [
        "INSERT INTO main.usage_hourly SELECT * FROM source.usage_hourly",
        "INSERT INTO main.usage_daily SELECT * FROM source.usage_daily",
    ] {
        query(sql).execute(&mut *connection).await?;
    }
    query("COMMIT").execute(&mut *connection).await?;
    // Rows of requests never change: they can be read later.
    let mut copied: i64 = query_scalar("SELECT coalesce(min(seq), 1) - 1 FROM source.requests")
        .fetch_one(&mut *connection)
        .await?;
    while copied < through {
        let to = (copied + STRIDE).min(through);
        query(
            "INSERT INTO main.usage_requests SELECT * FROM source.usage_requests WHERE seq > ? AND seq <= ?",
        )
        .bind(copied)
        .bind(to)
        .execute(&mut *connection)
        .await?;
        copied = to;
    }
    query("DETACH source").execute(connection).await?;
    Ok(())
}

/// Makes a table with the columns of a view.
async fn create(connection: &mut SqliteConnection, view: &str) -> Result<(), SnapshotError> {
    let columns: Vec<String> = query_scalar(
        "SELECT name || CASE name WHEN 'seq' THEN ' INTEGER PRIMARY KEY' ELSE ' ' || type END \
         FROM pragma_table_info(?, 'source') ORDER BY cid",
    )
    .bind(view)
    .fetch_all(&mut *connection)
    .await?;
    let sql = format!("CREATE TABLE main.{view} ({})", columns.join(", "));
    query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// On the file system of `path`; `None` where nobody can say.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
