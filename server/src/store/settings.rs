//! What the gateway remembers about itself: names and values.

use chrono::Utc;

use super::{Store, StoreError};

impl Store {
    /// The value stored under `name`.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
                .bind(name)
                .fetch_optional(&self.reader())
                .await?,
        )
    }

    /// Stores `value` under `name`, replacing what was there.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO settings (name, value, updated_at_us) VALUES (?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at_us = excluded.updated_at_us",
        )
        .bind(name)
        .bind(value)
        .bind(Utc::now().timestamp_micros())
        .execute(&self.writer())
        .await?;
        Ok(())
    }
}
