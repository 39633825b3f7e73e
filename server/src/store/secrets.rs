//! What is kept of policies' secrets: ciphertext.

use chrono::DateTime;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::{Store, StoreError};
use crate::secrets::{Place, SealedSecret};

impl Store {
    /// Those of all policies and versions.
    pub async fn sealed_secrets(&self) -> Result<Vec<SealedSecret>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, name, field, shown, sealed, key_id, created_at_us FROM secrets \
             ORDER BY kind, name, field, shown",
        )
        .fetch_all(&self.reader())
        .await?;
        rows.iter().map(secret).collect()
    }

    /// Writes secrets in place of those that were there, all of them or none.
    pub async fn put_sealed_secrets(&self, secrets: &[SealedSecret]) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for secret in secrets {
            put(&mut transaction, secret).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Takes the ciphertext of a secret away, inside a transaction. That there was one is remembered.
pub(super) async fn delete(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE secrets SET sealed = x'', key_id = x'' \
         WHERE kind = ? AND name = ? AND field = ? AND shown = ?",
    )
    .bind(&place.kind)
    .bind(&place.name)
    .bind(&place.field)
    .bind(&place.shown)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a secret, inside a transaction.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    secret: &SealedSecret,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO secrets (kind, name, field, shown, sealed, key_id, created_at_us) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&secret.place.kind)
    .bind(&secret.place.name)
    .bind(&secret.place.field)
    .bind(&secret.place.shown)
    .bind(&secret.sealed)
    .bind(&secret.key_id)
    .bind(secret.created_at.timestamp_micros())
    .execute(connection)
    .await?;
    Ok(())
}

fn secret(row: &SqliteRow) -> Result<SealedSecret, StoreError> {
    let at: i64 = row.try_get("created_at_us")?;
    Ok(SealedSecret {
        place: Place {
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            field: row.try_get("field")?,
            shown: row.try_get("shown")?,
        },
        sealed: row.try_get("sealed")?,
        key_id: row.try_get("key_id")?,
        created_at: DateTime::from_timestamp_micros(at)
            .ok_or_else(|| StoreError::Corrupt(format!("secrets.created_at_us = {at}")))?,
    })
}
