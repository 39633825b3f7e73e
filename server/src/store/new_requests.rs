//! Records in memory as rows that SQLite fetches: the table-valued function `new_requests(batch)`.
//! <https://sqlite.org/vtab.html#table_valued_functions>

#![allow(
    unsafe_code,
    reason = "SQLite's tables begin with a structure of its own, and so does a connection to it"
)]

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::vtab::{
    Context, Filters, IndexConstraintOp, IndexInfo, VTab, VTabConfig, VTabConnection, VTabCursor,
    eponymous_only_module, sqlite3_vtab, sqlite3_vtab_cursor,
};
use rusqlite::{Connection, Error, Result, ffi};
use sqlx::sqlite::SqliteConnection;

use super::requests::{RARE, USUAL, columns};
use crate::recording::record::RequestRecord;

/// What it is called in SQL. Its columns are those of [`requests`](super::requests) in their order, its argument is
/// [`Batch::number`].
pub(super) const NAME: &str = "new_requests";
/// The hidden column whose value is the argument.
const ARGUMENT: usize = USUAL.len() + RARE.len();

/// A column's name, and what it holds of a record.
pub(super) type Column = (&'static str, fn(&RequestRecord, &mut Context) -> Result<()>);

static BATCHES: Mutex<BTreeMap<i64, Arc<Vec<RequestRecord>>>> = Mutex::new(BTreeMap::new());

/// Records that statements may fetch until it is dropped.
#[derive(Debug)]
pub(super) struct Batch(i64);

impl Batch {
    pub(super) fn hand_over(records: Arc<Vec<RequestRecord>>) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut batches = BATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        batches.insert(number, records);
        Self(number)
    }

    pub(super) fn number(&self) -> i64 {
        self.0
    }

    fn records(number: i64) -> Option<Arc<Vec<RequestRecord>>> {
        let batches = BATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        batches.get(&number).map(Arc::clone)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut batches = BATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        batches.remove(&self.0);
    }
}

/// Makes the function known to this connection.
pub(super) async fn register(
    connection: &mut SqliteConnection,
) -> std::result::Result<(), sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    // SAFETY: the handle is open, locked until the end of this function, and not closed by what is made of it.
    unsafe { Connection::from_handle(locked.as_raw_handle().as_ptr()) }
        .and_then(|connection| {
            connection.create_module(NAME, eponymous_only_module::<NewRequests>(), None)
        })
        .map_err(|error| sqlx::Error::Configuration(error.into()))
}

#[repr(C)]
struct NewRequests {
    base: sqlite3_vtab,
}

// SAFETY: it is laid out as C does, and begins with SQLite's part.
unsafe impl VTab<'_> for NewRequests {
    type Aux = ();
    type Cursor = Rows;

    fn connect(db: &mut VTabConnection, _: Option<&()>, _: &[&[u8]]) -> Result<(String, Self)> {
        db.config(VTabConfig::DirectOnly)?;
        let table = Self {
            base: sqlite3_vtab::default(),
        };
        let declaration = format!("CREATE TABLE x ({}, batch HIDDEN)", columns());
        Ok((declaration, table))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<()> {
        let argument = info.constraints_and_usages().find(|(constraint, _)| {
            usize::try_from(constraint.column()) == Ok(ARGUMENT)
                && constraint.operator() == IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ
                && constraint.is_usable()
        });
        let Some((_, mut usage)) = argument else {
            return Err(Error::SqliteFailure(
                ffi::Error::new(ffi::SQLITE_CONSTRAINT),
                Some(format!("{NAME} needs a batch")),
            ));
        };
        usage.set_argv_index(1);
        usage.set_omit(true);
        Ok(())
    }

    fn open(&mut self) -> Result<Rows> {
        Ok(Rows {
            base: sqlite3_vtab_cursor::default(),
            records: Arc::default(),
            at: 0,
        })
    }
}

#[repr(C)]
struct Rows {
    base: sqlite3_vtab_cursor,
    records: Arc<Vec<RequestRecord>>,
    at: usize,
}

// SAFETY: it is laid out as C does, and begins with SQLite's part.
unsafe impl VTabCursor for Rows {
    fn filter(&mut self, _: c_int, _: Option<&str>, arguments: &Filters<'_>) -> Result<()> {
        let number = arguments.get(0)?;
        // Were it taken for an empty one, records would be lost in silence.
        self.records = Batch::records(number)
            .ok_or_else(|| Error::ModuleError(format!("there is no batch {number}")))?;
        self.at = 0;
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        self.at += 1;
        Ok(())
    }

    fn eof(&self) -> bool {
        self.at >= self.records.len()
    }

    fn column(&self, context: &mut Context, column: c_int) -> Result<()> {
        let column = usize::try_from(column)
            .ok()
            .and_then(|i| USUAL.get(i).or_else(|| RARE.get(i - USUAL.len())));
        // The argument's own value is nobody's business.
        match (self.records.get(self.at), column) {
            (Some(record), Some((_, cell))) => cell(record, context),
            _ => Ok(()),
        }
    }

    fn rowid(&self) -> Result<i64> {
        Ok(i64::try_from(self.at).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, query_scalar};

    use super::*;
    use crate::recording::samples::{NOON_US, record_at};

    async fn count(connection: &mut SqliteConnection, batch: i64) -> sqlx::Result<i64> {
        query_scalar("SELECT count(id) FROM new_requests(?)")
            .bind(batch)
            .fetch_one(connection)
            .await
    }

    #[tokio::test]
    async fn a_batch_is_there_until_it_is_dropped() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        register(&mut connection).await.unwrap();
        let batch = Batch::hand_over(Arc::new(vec![record_at(NOON_US), record_at(NOON_US + 1)]));
        let empty = Batch::hand_over(Arc::default());
        assert_eq!(count(&mut connection, batch.number()).await.unwrap(), 2);
        assert_eq!(count(&mut connection, empty.number()).await.unwrap(), 0);
        let gone = batch.number();
        drop(batch);
        // Not one without records: they would be lost in silence.
        count(&mut connection, gone).await.unwrap_err();
        let of_none = query_scalar::<_, i64>("SELECT count(id) FROM new_requests");
        of_none.fetch_one(&mut connection).await.unwrap_err();
        connection.close().await.unwrap();
    }
}
