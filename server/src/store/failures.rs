//! The requests that failed last.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::{Store, StoreError};

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub id: String,
    pub at: DateTime<Utc>,
    pub provider: Option<String>,
    /// The error kind's name, for example `rate_limited`.
    pub kind: String,
    pub message: Option<String>,
}

/// Failures are looked for among so many requests: where they are rare, that is not the whole table.
const AMONG: i64 = 10_000;

impl Store {
    /// The last requests that failed, the earliest first, at most `limit`.
    pub async fn recent_failures(&self, limit: u32) -> Result<Vec<Failure>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, started_at_us, provider, error_kind, error_message FROM requests \
             WHERE seq > (SELECT coalesce(max(seq), 0) FROM requests) - ? AND error_kind IS NOT NULL \
             AND shadow_of IS NULL ORDER BY seq DESC LIMIT ?",
        )
        .bind(AMONG)
        .bind(limit)
        .fetch_all(&self.reader())
        .await?;
        rows.iter()
            .rev()
            .map(|row| {
                let at: i64 = row.try_get("started_at_us")?;
                let id: Vec<u8> = row.try_get("id")?;
                Ok(Failure {
                    id: Uuid::from_slice(&id)
                        .map_err(|_| StoreError::Corrupt("requests.id".to_owned()))?
                        .to_string(),
                    at: DateTime::from_timestamp_micros(at).ok_or_else(|| {
                        StoreError::Corrupt(format!("requests.started_at_us = {at}"))
                    })?,
                    provider: row.try_get("provider")?,
                    kind: row.try_get("error_kind")?,
                    message: row.try_get("error_message")?,
                })
            })
            .collect()
    }
}
