//! What is kept of client keys' secrets.

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::{Change, Store, StoreError, changes};
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

    /// Writes a change of a key together with all the secrets that the key has from then on.
    pub async fn add_change_of_key(
        &self,
        change: &Change,
        secrets: &[KeySecret],
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        changes::insert(&mut transaction, change).await?;
        sqlx::query("DELETE FROM key_secrets WHERE key_name = ?")
            .bind(&change.name)
            .execute(&mut *transaction)
            .await?;
        for secret in secrets {
            insert(&mut transaction, secret).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
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
