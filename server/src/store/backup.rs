//! The database in one file of its own, and back.
//!
//! A backup is the database as SQLite sees it at one moment, with what the gateway keeps beside it taken in: records that
//! wait in the spool, and what the ledger of budgets knows that the database does not yet. So a restored database is
//! whole without any of these files. A request that was under way when the backup was made is counted against its budgets
//! at the most that it may cost, as after a crash; one whose record was not written yet is counted, too: budgets are
//! never less than the records say.
//!
//! Logged payloads, the admin token and keys that encrypt secrets are files of their own, and in no backup.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::database::{READ_BUSY, create_folder, create_private};
use super::lock::DatabaseLock;
use super::migrations::{has_table, schema_of};
use super::watched_file::{beside, remove};
use super::{PendingRollups, Rollups, Store, StoreError};
use crate::budgets::ledger::{self, Applied};
use crate::recording::spooled;

/// Backups before migrations that are kept.
const KEPT: usize = 3;
/// How often a backup is begun again because the ledger was begun anew meanwhile; then the database is locked for it.
const TRIES: usize = 5;
/// Records that are taken from the spool at once.
const BATCH: usize = 1000;

/// What belongs to a database's state, by what comes after its name. The database last: as long as it is there, nothing was
/// restored.
const BESIDE: [&str; 5] = [".spool", ".ledger", "-shm", "-wal", ""];

/// What a backup has in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The schema's version.
    pub schema: i64,
    pub bytes: u64,
    /// Requests under a budget that were under way.
    pub open: usize,
    /// Records in the spool that are not in it: the database is of an older version than this program.
    pub left_in_spool: usize,
}

/// What became of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub schema: i64,
    /// Where the database that was there is now, with what was beside it.
    pub before: Option<PathBuf>,
}

/// Writes a backup of the database at `source` to `to`, whether or not a gateway uses it.
///
/// # Errors
/// There is a file at `to`, or the file system or the database fails. Then there is none.
pub async fn back_up(source: &Path, to: &Path) -> Result<BackedUp, StoreError> {
    if to.exists() {
        return Err(file_error(to, std::io::ErrorKind::AlreadyExists.into()));
    }
    create_folder(to)?;
    let partial = beside(to, ".partial");
    let made = make(source, &partial).await;
    let made = match made {
        Ok(made) => put_in_place(&partial, to).map(|()| made),
        Err(error) => Err(error),
    };
    if made.is_err() {
        forget(&partial)?;
    }
    made
}

/// The backup before a migration, beside the database and named by its version and the time; of older ones a few are
/// kept.
pub(super) async fn back_up_before(database: &Path, schema: i64) -> Result<PathBuf, StoreError> {
    let prefix = format!("{}.before-migration-", name_of(database));
    let now = Utc::now().format("%Y%m%dT%H%M%S%3fZ");
    let to = database.with_file_name(format!("{prefix}{now}-schema{schema}"));
    back_up(database, &to).await?;
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let files = std::fs::read_dir(folder).map_err(|error| file_error(folder, error))?;
    let names = files.flatten().map(|file| file.file_name());
    let mut kept: Vec<_> = names
        .filter(|name| name.to_string_lossy().starts_with(&prefix))
        .collect();
    // Names go by the time.
    kept.sort_unstable_by(|a, b| b.cmp(a));
    for old in kept.iter().skip(KEPT) {
        remove(&folder.join(old))?;
    }
    Ok(to)
}

/// Puts the database in `backup` in place of the one at `database`, which is kept beside it under another name.
///
/// # Errors
/// A gateway runs; the backup is no database of a gateway's, damaged, or of a newer version; or the file system fails.
/// Then everything is as it was.
pub async fn restore(backup: &Path, database: &Path) -> Result<Restored, StoreError> {
    let _alone = DatabaseLock::alone(database)?;
    let new = beside(database, ".restoring");
    let checked = async {
        let mut connection = connect(backup).await?;
        let schema = schema_of(backup, &mut connection).await?;
        if schema == 0 || !has_table(&mut connection, "requests").await? {
            return Err(StoreError::NoDatabase {
                path: backup.to_owned(),
            });
        }
        copy(&mut connection, &new).await?;
        connection.close().await?;
        check(&new).await?;
        sync(&new)?;
        Ok(schema)
    };
    let schema = match checked.await {
        Ok(schema) => schema,
        Err(error) => {
            forget(&new)?;
            return Err(error);
        }
    };
    let before = set_aside(database)?;
    if let Err(error) = std::fs::rename(&new, database) {
        if let Some(aside) = &before {
            for suffix in BESIDE {
                let _ = std::fs::rename(beside(aside, suffix), beside(database, suffix));
            }
        }
        forget(&new)?;
        return Err(file_error(database, error));
    }
    Ok(Restored { schema, before })
}

/// Moves a database and what belongs to its state to another name.
fn set_aside(database: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !database.exists() {
        // What is left beside no database would be taken for the restored one's.
        for suffix in ["-wal", "-shm"] {
            remove(&beside(database, suffix))?;
        }
    }
    let now = Utc::now().format("%Y%m%dT%H%M%S%3fZ");
    let aside = beside(database, &format!(".before-restore-{now}"));
    let mut moved = false;
    for suffix in BESIDE {
        let from = beside(database, suffix);
        match std::fs::rename(&from, beside(&aside, suffix)) {
            Ok(()) => moved |= suffix.is_empty(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(file_error(&from, error)),
        }
    }
    Ok(moved.then_some(aside))
}

async fn make(source: &Path, partial: &Path) -> Result<BackedUp, StoreError> {
    let ledger = beside(source, ".ledger");
    let mut connection = connect(source).await?;
    let schema = schema_of(source, &mut connection).await?;
    if schema == 0 {
        return Err(StoreError::NoDatabase {
            path: source.to_owned(),
        });
    }
    let has_budgets = has_table(&mut connection, "budget_journal").await?;
    let mut tries = 0;
    loop {
        tries += 1;
        let mut lock = None;
        if tries > TRIES {
            let mut holder = connect(source).await?;
            sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await?;
            lock = Some(holder);
        }
        // Read first: a record that goes from the spool to the database meanwhile is in one of the two.
        let waiting =
            spooled(&beside(source, ".spool")).map_err(|error| file_error(source, error))?;
        let begun = ledger::generation_of(&read(&ledger)?);
        copy(&mut connection, partial).await?;
        let journal = read(&ledger)?;
        let live = match has_budgets {
            true => Some(applied(&mut connection).await?),
            false => None,
        };
        let copied = Store::open_as_it_is(partial).await?;
        let taken_in = take_in(&copied, waiting, live, begun, &journal, lock.is_some()).await;
        copied.close().await;
        if let Some(holder) = lock {
            holder.close().await?;
        }
        if let Some((open, left_in_spool)) = taken_in? {
            check(partial).await?;
            sync(partial)?;
            let metadata =
                std::fs::metadata(partial).map_err(|error| file_error(partial, error))?;
            return Ok(BackedUp {
                schema,
                bytes: metadata.len(),
                open,
                left_in_spool,
            });
        }
        forget(partial)?;
    }
}

/// Takes into a copy what was beside the database. `None`: ledger and copy do not belong together, the ledger having been
/// begun anew in between.
async fn take_in(
    copied: &Store,
    waiting: Vec<crate::recording::RequestRecord>,
    live: Option<Applied>,
    begun: Option<u64>,
    journal: &[u8],
    locked: bool,
) -> Result<Option<(usize, usize)>, StoreError> {
    let mut open = 0;
    if let Some(live) = live {
        let known = copied.budgets_applied().await?;
        let belongs = match ledger::generation_of(journal) {
            // Everything is in the database now: was it when it was copied?
            None => known == live,
            Some(generation) => known.generation == generation || begun == Some(generation),
        };
        if !belongs && !locked {
            return Ok(None);
        }
        open = ledger::settle_into(copied, journal).await?;
    }
    if waiting.is_empty() {
        return Ok(Some((open, 0)));
    }
    if !copied.is_up_to_date().await? {
        return Ok(Some((open, waiting.len())));
    }
    let mut pending = PendingRollups::default();
    for records in waiting.chunks(BATCH) {
        let records = Arc::new(records.to_vec());
        copied
            .commit(&records, &mut pending, Rollups::Later)
            .await?;
    }
    while !copied
        .commit(&Arc::default(), &mut pending, Rollups::Now)
        .await?
        .rolled_up
    {}
    Ok(Some((open, 0)))
}

async fn applied(connection: &mut SqliteConnection) -> Result<Applied, StoreError> {
    let (generation, position): (i64, i64) =
        sqlx::query_as("SELECT generation, position FROM budget_journal")
            .fetch_one(connection)
            .await?;
    Ok(Applied {
        generation: u64::try_from(generation).unwrap_or(0),
        position: u64::try_from(position).unwrap_or(0),
    })
}

/// Copies a database as it is at one moment to a file that only the gateway's user may read.
pub(super) async fn copy(connection: &mut SqliteConnection, to: &Path) -> Result<(), StoreError> {
    forget(to)?;
    create_private(to)?;
    let name = to.to_str().ok_or_else(|| {
        let problem =
            std::io::Error::new(std::io::ErrorKind::InvalidInput, "its name is not UTF-8");
        file_error(to, problem)
    })?;
    sqlx::query("VACUUM INTO ?")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes one file of the copy, whose pages all have to make sense.
async fn check(path: &Path) -> Result<(), StoreError> {
    let mut connection = connect(path).await?;
    sqlx::query("PRAGMA journal_mode = DELETE")
        .execute(&mut connection)
        .await?;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    match found.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Damaged {
            path: path.to_owned(),
            found,
        }),
    }
}

/// A connection to a database that is there.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(READ_BUSY)
        .disable_statement_logging();
    let opened = options.connect().await;
    opened.map_err(|source| StoreError::Open {
        path: path.to_owned(),
        source,
    })
}

fn put_in_place(partial: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(partial, to).map_err(|error| file_error(to, error))
}

fn sync(path: &Path) -> Result<(), StoreError> {
    let file = std::fs::File::open(path).and_then(|file| file.sync_all());
    file.map_err(|error| file_error(path, error))
}

/// The file's content; empty: there is none.
fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        content => content.map_err(|error| file_error(path, error)),
    }
}

fn forget(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        remove(&beside(path, suffix))?;
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File {
        path: path.to_owned(),
        source,
    }
}
