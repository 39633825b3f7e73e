//! The schema's versions: which one a database has, and bringing it up to date.
//!
//! Migrations only go forward, one number after the other. Before an existing database is changed it is backed up;
//! going back is restoring that.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Connection, Row};

use super::backup::{back_up_before, connect, copy};
use super::database::{WRITE_BUSY, wait_at_most};
use super::lock::DatabaseLock;
use super::watched_file::{beside, remove};
use super::{Store, StoreError};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Which version of the gateway has brought the schema up to date.
const WRITTEN_BY: &str = "gateway.version";

/// One step of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Of the schema, once it is done.
    pub version: i64,
    pub name: String,
}

/// What a migration did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema's version before; 0: there was none.
    pub from: i64,
    /// Done, or to be done, in this order.
    pub steps: Vec<Step>,
    /// Where the database is kept as it was before.
    pub backup: Option<std::path::PathBuf>,
}

/// The schema's version that this gateway knows.
pub fn latest_schema() -> i64 {
    let versions = MIGRATIONS.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}

/// Brings the schema of the database at `path` to version `to`, while no gateway uses it.
///
/// # Errors
/// A gateway runs; the database is newer than `to` or than what this gateway knows; or it does not work, then the
/// backup has it as it was.
pub async fn migrate_to(
    path: &Path,
    to: Option<i64>,
    backs_up: bool,
) -> Result<Migrated, StoreError> {
    let _alone = DatabaseLock::alone(path)?;
    let (plan, mut connection) = planned(path, to).await?;
    let Some(last) = plan.steps.last().map(|step| step.version) else {
        return Ok(plan);
    };
    let backup = match backs_up && plan.from > 0 {
        true => Some(back_up_before(path, plan.from).await?),
        false => None,
    };
    run_to(path, last, &mut connection).await?;
    connection.close().await?;
    Ok(Migrated { backup, ..plan })
}

/// What [`migrate_to`] would do, tried out on a copy that is removed again. The database stays as it is, and a gateway
/// may use it.
///
/// # Errors
/// As those of [`migrate_to`].
pub async fn try_migration(path: &Path, to: Option<i64>) -> Result<Migrated, StoreError> {
    let (plan, mut connection) = planned(path, to).await?;
    let Some(last) = plan.steps.last().map(|step| step.version) else {
        return Ok(plan);
    };
    let trial = beside(path, ".migration-trial");
    let tried = async {
        copy(&mut connection, &trial).await?;
        let mut copied = connect(&trial).await?;
        run_to(&trial, last, &mut copied).await?;
        copied.close().await?;
        Ok(())
    };
    let tried = tried.await;
    for suffix in ["", "-wal", "-shm"] {
        remove(&beside(&trial, suffix))?;
    }
    tried.map(|()| plan)
}

async fn planned(path: &Path, to: Option<i64>) -> Result<(Migrated, SqliteConnection), StoreError> {
    let mut connection = connect(path).await?;
    let from = schema_of(path, &mut connection).await?;
    let known = latest_schema();
    let to = to.unwrap_or(known);
    if to > known || (to != known && !MIGRATIONS.version_exists(to)) {
        return Err(StoreError::NoSuchSchema { wanted: to, known });
    }
    if to < from {
        return Err(StoreError::NoWayBack { from, wanted: to });
    }
    let applied = applied(&mut connection).await?;
    let steps = MIGRATIONS.iter();
    let steps = steps.filter(|step| step.version <= to && !applied.contains(&step.version));
    let steps = steps.map(|step| Step {
        version: step.version,
        name: step.description.to_string(),
    });
    let plan = Migrated {
        from,
        steps: steps.collect(),
        backup: None,
    };
    Ok((plan, connection))
}

async fn run_to(path: &Path, to: i64, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let run = MIGRATIONS.run_to(to, &mut *connection).await;
    run.map_err(|source| StoreError::Migration {
        path: path.to_owned(),
        source,
    })?;
    note_version(connection).await
}

async fn note_version(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO settings (name, value, updated_at_us) VALUES (?, ?, unixepoch() * 1000000) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at_us = excluded.updated_at_us",
    )
    .bind(WRITTEN_BY)
    .bind(env!("CARGO_PKG_VERSION"))
    .execute(connection)
    .await?;
    Ok(())
}

/// Brings the schema up to date by way of a pool of one connection, and keeps the database beside it as it was.
pub(super) async fn migrate(
    path: &Path,
    pool: &SqlitePool,
    busy: Duration,
) -> Result<(), StoreError> {
    wait_at_most(pool, busy).await?;
    let migrated = bring_up_to_date(path, pool).await;
    wait_at_most(pool, WRITE_BUSY).await?;
    migrated
}

async fn bring_up_to_date(path: &Path, pool: &SqlitePool) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    let from = schema_of(path, &mut connection).await?;
    let applied = applied(&mut connection).await?;
    // Of the pool's it is the only one.
    drop(connection);
    let is_due = |version| !applied.contains(&version);
    let due = MIGRATIONS.iter().any(|step| is_due(step.version));
    if due && from > 0 {
        let kept = back_up_before(path, from).await?;
        tracing::info!(
            from,
            to = latest_schema(),
            backup = %kept.display(),
            "The database is of an older version: it is brought up to date, and kept as it was"
        );
    }
    let run = MIGRATIONS.run(pool).await;
    run.map_err(|source| match source {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            written_by: None,
            known: latest_schema(),
        },
        source => StoreError::Migration {
            path: path.to_owned(),
            source,
        },
    })?;
    match due {
        true => note_version(&mut *pool.acquire().await?).await,
        false => Ok(()),
    }
}

/// The schema's version of a database; 0: it has none yet.
///
/// # Errors
/// A newer gateway has written it.
pub(super) async fn schema_of(
    path: &Path,
    connection: &mut SqliteConnection,
) -> Result<i64, StoreError> {
    let applied = applied(connection).await?;
    let known = |version: &i64| MIGRATIONS.version_exists(*version);
    let highest = applied.iter().copied().max().unwrap_or(0);
    if applied.iter().all(known) {
        return Ok(highest);
    }
    let written_by = sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
        .bind(WRITTEN_BY)
        .fetch_optional(connection)
        .await
        .ok()
        .flatten();
    Err(StoreError::NewerSchema {
        path: path.to_owned(),
        found: highest,
        written_by,
        known: latest_schema(),
    })
}

/// The steps that have been done.
async fn applied(connection: &mut SqliteConnection) -> Result<Vec<i64>, StoreError> {
    if !has_table(connection, "_sqlx_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(connection)
        .await?;
    let versions = rows.iter().map(|row| row.try_get(0));
    Ok(versions.collect::<Result<_, _>>()?)
}

pub(super) async fn has_table(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<bool, StoreError> {
    let found: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?")
            .bind(name)
            .fetch_one(connection)
            .await?;
    Ok(found > 0)
}

impl Store {
    /// Whether the schema is the one that this gateway knows.
    pub(super) async fn is_up_to_date(&self) -> Result<bool, StoreError> {
        let mut connection = self.writer().acquire().await?;
        Ok(schema_of(self.path(), &mut connection).await? == latest_schema())
    }
}
