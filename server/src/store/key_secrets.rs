//! What is kept of client keys' secrets.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Store, StoreError};
use crate::auth::KeySecret;

impl Store {
    /// Those of all keys.
    pub async fn key_secrets(&self) -> Result<Vec<KeySecret>, StoreError> {
        let rows = sqlx::query(
            "SELECT key_name, sha256, prefix, created_at_us, expires_at_us FROM key_secrets \
             ORDER BY key_name, created_at_us",
        )
        .fetch_all(&self.reader())
        .await?;
        rows.iter().map(secret).collect()
    }
}

/// Writes all the secrets that a key has from then on, inside a transaction.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    key: &str,
    secrets: &[KeySecret],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM key_secrets WHERE key_name = ?")
        .bind(key)
        .execute(&mut *connection)
        .await?;
    for secret in secrets {
        insert(connection, secret).await?;
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, secret: &KeySecret) -> Result<(), StoreError> {
    let micros = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros());
    sqlx::query(
        "INSERT INTO key_secrets (key_name, sha256, prefix, created_at_us, expires_at_us) \
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&secret.key)
    .bind(secret.sha256.as_slice())
    .bind(&secret.prefix)
    .bind(micros(secret.created_at))
    .bind(micros(secret.expires_at))
    .execute(connection)
    .await?;
    Ok(())
}

fn secret(row: &SqliteRow) -> Result<KeySecret, StoreError> {
    let time = |column: &str| -> Result<Option<DateTime<Utc>>, StoreError> {
        let micros: Option<i64> = row.try_get(column)?;
        let Some(micros) = micros else {
            return Ok(None);
        };
        let at = DateTime::from_timestamp_micros(micros);
        at.map(Some)
            .ok_or_else(|| StoreError::Corrupt(format!("key_secrets.{column} = {micros}")))
    };
    let sha256: Vec<u8> = row.try_get("sha256")?;
    Ok(KeySecret {
        key: row.try_get("key_name")?,
        sha256: sha256
            .try_into()
            .map_err(|_| StoreError::Corrupt("key_secrets.sha256".to_owned()))?,
        prefix: row.try_get("prefix")?,
        created_at: time("created_at_us")?,
        expires_at: time("expires_at_us")?,
    })
}
