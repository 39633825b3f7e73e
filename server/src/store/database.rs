//! Opening the database.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteExecutor, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::lock::DatabaseLock;
use super::migrations::migrate;
use super::watched_file::WatchedFile;
use super::{StoreError, new_requests, rollups};
use crate::config::sqlite_file;

/// How long a write waits for another process: hardly at all, for until it is on disk
/// somewhere, a record is lost with the process, and the spool takes it at once.
pub(super) const WRITE_BUSY: Duration = Duration::from_millis(50);
/// How long opening the database and bringing its schema up to date wait for another process, for
/// example one that is just closing it.
const OPEN_BUSY: Duration = Duration::from_secs(5);
/// How long a read waits for another process.
pub(super) const READ_BUSY: Duration = Duration::from_secs(5);
/// How long to wait for one of our own connections to be free.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    path: Arc<Path>,
    pools: Arc<ArcSwap<Pools>>,
    lock: Arc<Mutex<Option<DatabaseLock>>>,
}

/// The connections to one file.
#[derive(Debug)]
pub(super) struct Pools {
    /// One connection: SQLite has one writer anyway, and here it never waits for another of ours.
    pub(super) write: SqlitePool,
    /// Opened when needed, closed when idle.
    read: SqlitePool,
    pub(super) file: WatchedFile,
}

impl Store {
    /// Opens the database at `url` (`sqlite:FILE`), creating the file and its folder where they do
    /// not exist, and brings its schema up to date: an existing database is backed up before.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = sqlite_file(url).map_err(StoreError::Url)?;
        create_folder(path)?;
        let lock = DatabaseLock::shared(path)?;
        let pools = Pools::open(path, OPEN_BUSY).await?;
        Self::remove_leftovers(path);
        Ok(Self::of(path, pools, Some(lock)))
    }

    /// Opens a file of ours whose schema stays as it is.
    pub(super) async fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        let pools = Pools::connect(path, OPEN_BUSY).await?;
        Ok(Self::of(path, pools, None))
    }

    fn of(path: &Path, pools: Pools, lock: Option<DatabaseLock>) -> Self {
        Self {
            path: path.into(),
            pools: Arc::new(ArcSwap::from_pointee(pools)),
            lock: Arc::new(Mutex::new(lock)),
        }
    }

    /// Where the database file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes all connections, folding the write-ahead log into the database file.
    pub async fn close(&self) {
        let pools = self.pools.load_full();
        pools.read.close().await;
        pools.write.close().await;
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn pools(&self) -> Arc<Pools> {
        self.pools.load_full()
    }

    /// From now on everyone uses `pools`; those who use the ones before may finish.
    pub(super) fn replace_pools(&self, pools: Pools) {
        let before = self.pools.swap(Arc::new(pools));
        tokio::spawn(async move {
            before.read.close().await;
            before.write.close().await;
        });
    }

    pub(super) fn writer(&self) -> SqlitePool {
        self.pools.load().write.clone()
    }

    pub(super) fn reader(&self) -> SqlitePool {
        self.pools.load().read.clone()
    }
}

impl Pools {
    /// Opens the file and brings its schema up to date; `busy` is how long that may wait for another process.
    pub(super) async fn open(path: &Path, busy: Duration) -> Result<Self, StoreError> {
        let pools = Self::connect(path, busy).await?;
        migrate(path, &pools.write, busy).await?;
        rollups::fill_columns(&mut *pools.write.acquire().await?).await?;
        Ok(pools)
    }

    async fn connect(path: &Path, busy: Duration) -> Result<Self, StoreError> {
        create_folder(path)?;
        create_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            // About 1 MB a connection: the rollups of today fit, and memory stays small.
            .pragma("cache_size", "-1024")
            .disable_statement_logging();
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    new_requests::register(connection).await?;
                    wait_at_most(connection, WRITE_BUSY).await
                })
            })
            .connect_with(
                options
                    .clone()
                    .create_if_missing(true)
                    .auto_vacuum(SqliteAutoVacuum::Incremental)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(busy),
            )
            .await
            .map_err(|source| StoreError::Open {
                path: path.to_owned(),
                source,
            })?;
        let read = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(4)
            .idle_timeout(Duration::from_secs(30))
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_lazy_with(options.read_only(true).busy_timeout(READ_BUSY));
        let file = WatchedFile::new(path)?;
        Ok(Self { write, read, file })
    }
}

/// Creates the folder of the file at `path`.
pub(super) fn create_folder(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::File {
                path: folder.to_owned(),
                source,
            })
        }
        _ => Ok(()),
    }
}

/// Creates an empty file, which SQLite takes for a new database, if there is none: only the
/// gateway's user may read it, for it holds secrets. SQLite gives its log the same permissions.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        // SQLite has the better words for a file that is there.
        Err(_) if path.exists() => Ok(()),
        Err(source) => Err(StoreError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// From now on, statements wait this long for another process.
pub(super) async fn wait_at_most(
    connection: impl SqliteExecutor<'_>,
    busy: Duration,
) -> Result<(), sqlx::Error> {
    let sql = format!("PRAGMA busy_timeout = {}", busy.as_millis());
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
