//! The writer's transaction: rows and, now and then, rollups.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;

use super::{PendingRollups, Store, StoreError, requests, rollups};
use crate::recording::record::RequestRecord;

/// Whether a commit also brings the rollups up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollups {
    /// Later; the sums are kept in memory.
    Later,
    Now,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Rows that were not there before.
    pub inserted: u64,
    /// With [`Rollups::Now`]: `false` when they need another round.
    pub rolled_up: bool,
}

impl Store {
    /// Commits `records` in one transaction; those that are there already are left alone. On an
    /// error nothing of it has happened.
    pub async fn commit(
        &self,
        records: &Arc<Vec<RequestRecord>>,
        pending: &mut PendingRollups,
        rollups: Rollups,
    ) -> Result<Committed, StoreError> {
        let mut connection = self.writer().acquire().await?;
        let done = transaction(&mut connection, records, pending, rollups).await;
        if done.is_err() {
            // Nothing is known of the connection's state after a full disk or an I/O error: the
            // rollback makes sure, and sums in memory may contain what was rolled back.
            pending.forget();
            let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
        }
        done
    }
}

async fn transaction(
    connection: &mut SqliteConnection,
    records: &Arc<Vec<RequestRecord>>,
    pending: &mut PendingRollups,
    when: Rollups,
) -> Result<Committed, StoreError> {
    // A single statement is a transaction of its own. Each costs two changes of threads.
    let several = when == Rollups::Now;
    if several {
        // Takes the write lock at once, as a single INSERT does: a lock that is only asked for at the first write may be
        // refused without waiting.
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut *connection)
            .await?;
    }
    let mut committed = Committed {
        inserted: 0,
        rolled_up: false,
    };
    if !records.is_empty() {
        let inserted = requests::insert(connection, records).await?;
        committed.inserted = inserted.rows;
        pending.add(records, inserted);
    }
    if when == Rollups::Now {
        committed.rolled_up = rollups::write(connection, pending).await?;
    }
    if several {
        sqlx::query("COMMIT").execute(&mut *connection).await?;
    }
    Ok(committed)
}
