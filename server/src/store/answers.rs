//! Answers that outlive a restart.

use sqlx::{Connection, Row, query};

use super::{Store, StoreError};

/// An answer of the cache, as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub key: [u8; 16],
    pub stored_at_us: i64,
    pub expires_at_us: i64,
    /// What it takes in memory.
    pub bytes: u64,
    /// JSON.
    pub entry: String,
}

impl Store {
    /// The answers that are good at a time, the latest first.
    pub async fn answers(&self, at_us: i64) -> Result<Vec<StoredAnswer>, StoreError> {
        let rows = query(
            "SELECT key, stored_at_us, expires_at_us, bytes, entry FROM cache_entries \
             WHERE expires_at_us > ? ORDER BY stored_at_us DESC",
        )
        .bind(at_us)
        .fetch_all(&self.reader())
        .await?;
        let answer = |row: &sqlx::sqlite::SqliteRow| -> Result<StoredAnswer, StoreError> {
            let key: &[u8] = row.try_get("key")?;
            let key = key.try_into();
            Ok(StoredAnswer {
                key: key.map_err(|_| StoreError::Corrupt("a key of 16 bytes".to_owned()))?,
                stored_at_us: row.try_get("stored_at_us")?,
                expires_at_us: row.try_get("expires_at_us")?,
                bytes: u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(0),
                entry: row.try_get("entry")?,
            })
        };
        rows.iter().map(answer).collect()
    }

    /// Removes the answers that are no longer good at a time.
    pub async fn remove_old_answers(&self, at_us: i64) -> Result<(), StoreError> {
        query("DELETE FROM cache_entries WHERE expires_at_us <= ?")
            .bind(at_us)
            .execute(&self.writer())
            .await?;
        Ok(())
    }

    /// Stores answers and removes others: all others where `all` says so, else those of the keys `gone`.
    pub async fn put_answers(
        &self,
        kept: &[StoredAnswer],
        gone: &[[u8; 16]],
        all: bool,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if all {
            query("DELETE FROM cache_entries")
                .execute(&mut *transaction)
                .await?;
        }
        for key in gone {
            query("DELETE FROM cache_entries WHERE key = ?")
                .bind(key.to_vec())
                .execute(&mut *transaction)
                .await?;
        }
        for answer in kept {
            query(
                "INSERT OR REPLACE INTO cache_entries (key, stored_at_us, expires_at_us, bytes, entry) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(answer.key.to_vec())
            .bind(answer.stored_at_us)
            .bind(answer.expires_at_us)
            .bind(i64::try_from(answer.bytes).unwrap_or(i64::MAX))
            .bind(answer.entry.clone())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
