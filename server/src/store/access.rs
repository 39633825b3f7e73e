//! Who may use the admin listener: users, API tokens, sessions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use shared::access::{Area, Role};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::{Change, Store, StoreError, What, changes};
use crate::access::{ApiToken, PasswordHash, Session, User};

/// When something was last used, by its digest.
pub type LastUse = ([u8; 32], DateTime<Utc>);

impl Store {
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY name")
            .fetch_all(&self.reader())
            .await?;
        rows.iter().map(user).collect()
    }

    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let rows = sqlx::query("SELECT * FROM api_tokens ORDER BY name")
            .fetch_all(&self.reader())
            .await?;
        rows.iter().map(token).collect()
    }

    pub async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sessions")
            .fetch_all(&self.reader())
            .await?;
        rows.iter().map(session).collect()
    }

    /// Writes a user together with the change that made it so, whose version it gets. `ends_sessions`: all of the
    /// user's.
    pub async fn put_user(
        &self,
        user: &mut User,
        change: Change,
        ends_sessions: bool,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let version = note(&mut transaction, change).await?;
        sqlx::query(
            "INSERT INTO users (name, role, disabled, password_hash, identity_provider, version, created_at_us, \
             changed_at_us, changed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET role = excluded.role, disabled = excluded.disabled, \
             password_hash = excluded.password_hash, identity_provider = excluded.identity_provider, \
             version = excluded.version, changed_at_us = excluded.changed_at_us, changed_by = excluded.changed_by",
        )
        .bind(&*user.name)
        .bind(user.role.as_str())
        .bind(user.disabled)
        .bind(user.password.as_ref().map(PasswordHash::as_str))
        .bind(user.identity_provider.as_deref())
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .bind(user.created_at.timestamp_micros())
        .bind(user.changed_at.timestamp_micros())
        .bind(&*user.changed_by)
        .execute(&mut *transaction)
        .await?;
        if ends_sessions {
            end_sessions_of(&mut transaction, &user.name).await?;
        }
        transaction.commit().await?;
        user.version = version;
        Ok(())
    }

    /// Deletes a user with sessions and API tokens; `changes` says so of each.
    pub async fn delete_user(&self, name: &str, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for change in changes {
            note(&mut transaction, change).await?;
        }
        end_sessions_of(&mut transaction, name).await?;
        for statement in [
            "DELETE FROM api_tokens WHERE user_name = ?",
            "DELETE FROM users WHERE name = ?",
        ] {
            sqlx::query(statement)
                .bind(name)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes an API token together with the change that made it, whose version it gets.
    pub async fn add_api_token(
        &self,
        token: &mut ApiToken,
        change: Change,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let version = note(&mut transaction, change).await?;
        let areas = token
            .areas
            .as_deref()
            .map(|areas| serde_json::to_string(areas).expect("a list of areas is JSON"));
        sqlx::query(
            "INSERT INTO api_tokens (name, user_name, sha256, prefix, role, areas, version, created_at_us, created_by, \
             expires_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&*token.name)
        .bind(token.user.as_deref())
        .bind(token.sha256.as_slice())
        .bind(&token.prefix)
        .bind(token.role.as_str())
        .bind(areas)
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .bind(token.created_at.timestamp_micros())
        .bind(&token.created_by)
        .bind(token.expires_at.map(|at| at.timestamp_micros()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        token.version = version;
        Ok(())
    }

    pub async fn delete_api_token(&self, name: &str, change: Change) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        note(&mut transaction, change).await?;
        sqlx::query("DELETE FROM api_tokens WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a session together with the login that began it.
    pub async fn add_session(&self, session: &Session, change: Change) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        note(&mut transaction, change).await?;
        sqlx::query(
            "INSERT INTO sessions (sha256, id, user_name, address, browser, created_at_us, last_used_at_us, \
             expires_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(session.sha256.as_slice())
        .bind(&session.id)
        .bind(session.user.as_deref())
        .bind(&session.address)
        .bind(session.browser.as_deref())
        .bind(session.created_at.timestamp_micros())
        .bind(session.last_used.get().unwrap_or(session.created_at).timestamp_micros())
        .bind(session.expires_at.timestamp_micros())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a session; `change` says who ended it.
    pub async fn delete_session(
        &self,
        sha256: &[u8; 32],
        change: Change,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        note(&mut transaction, change).await?;
        sqlx::query("DELETE FROM sessions WHERE sha256 = ?")
            .bind(sha256.as_slice())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes when sessions and tokens were last used, and deletes the sessions that have expired.
    pub async fn note_uses(
        &self,
        sessions: &[LastUse],
        tokens: &[LastUse],
        expired: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for (statement, uses) in [
            (
                "UPDATE sessions SET last_used_at_us = ? WHERE sha256 = ?",
                sessions,
            ),
            (
                "UPDATE api_tokens SET last_used_at_us = ? WHERE sha256 = ?",
                tokens,
            ),
        ] {
            for (sha256, at) in uses {
                sqlx::query(statement)
                    .bind(at.timestamp_micros())
                    .bind(sha256.as_slice())
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        for sha256 in expired {
            sqlx::query("DELETE FROM sessions WHERE sha256 = ?")
                .bind(sha256.as_slice())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a change that has the next version of its kind and name.
    pub async fn add_next_change(&self, change: Change) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        note(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Adds a change with the next version of its kind and name, which it returns.
async fn note(connection: &mut SqliteConnection, mut change: Change) -> Result<u64, StoreError> {
    let last: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(version), 0) FROM changes WHERE kind = ? AND name = ?",
    )
    .bind(&change.kind)
    .bind(&change.name)
    .fetch_one(&mut *connection)
    .await?;
    change.version = u64::try_from(last).unwrap_or_default() + 1;
    changes::insert(connection, &change).await?;
    Ok(change.version)
}

async fn end_sessions_of(connection: &mut SqliteConnection, user: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE user_name = ?")
        .bind(user)
        .execute(connection)
        .await?;
    Ok(())
}

impl Change {
    /// A change whose version is known when it is written.
    pub fn next(kind: &str, name: &str, what: What, by: &str, reason: Option<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            version: 0,
            what,
            reason,
            by: by.to_owned(),
            at: Utc::now(),
        }
    }
}

fn user(row: &SqliteRow) -> Result<User, StoreError> {
    let password: Option<String> = row.try_get("password_hash")?;
    let version: i64 = row.try_get("version")?;
    Ok(User {
        name: text(row, "name")?,
        role: role(row)?,
        disabled: row.try_get("disabled")?,
        password: password.map(PasswordHash::from),
        identity_provider: row.try_get("identity_provider")?,
        version: u64::try_from(version).unwrap_or_default(),
        created_at: time(row, "created_at_us")?,
        changed_at: time(row, "changed_at_us")?,
        changed_by: row.try_get("changed_by")?,
    })
}

fn token(row: &SqliteRow) -> Result<ApiToken, StoreError> {
    let areas: Option<String> = row.try_get("areas")?;
    let areas = areas.map(|areas| serde_json::from_str::<Vec<Area>>(&areas));
    let areas = areas
        .transpose()
        .map_err(|error| StoreError::Corrupt(format!("areas: {error}")))?;
    let version: i64 = row.try_get("version")?;
    let user: Option<String> = row.try_get("user_name")?;
    let optional = |column: &str| -> Result<Option<DateTime<Utc>>, StoreError> {
        let micros: Option<i64> = row.try_get(column)?;
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    };
    Ok(ApiToken {
        name: text(row, "name")?,
        user: user.map(Arc::from),
        sha256: digest(row)?,
        prefix: row.try_get("prefix")?,
        role: role(row)?,
        areas: areas.map(Arc::from),
        version: u64::try_from(version).unwrap_or_default(),
        created_at: time(row, "created_at_us")?,
        created_by: row.try_get("created_by")?,
        expires_at: optional("expires_at_us")?,
        last_used: optional("last_used_at_us")?.into(),
    })
}

fn session(row: &SqliteRow) -> Result<Session, StoreError> {
    let user: Option<String> = row.try_get("user_name")?;
    Ok(Session {
        sha256: digest(row)?,
        id: row.try_get("id")?,
        user: user.map(Arc::from),
        address: row.try_get("address")?,
        browser: row.try_get("browser")?,
        created_at: time(row, "created_at_us")?,
        last_used: Some(time(row, "last_used_at_us")?).into(),
        expires_at: time(row, "expires_at_us")?,
    })
}

fn text(row: &SqliteRow, column: &str) -> Result<Arc<str>, StoreError> {
    let text: String = row.try_get(column)?;
    Ok(text.into())
}

fn role(row: &SqliteRow) -> Result<Role, StoreError> {
    let role: String = row.try_get("role")?;
    Role::from_name(&role).ok_or_else(|| StoreError::Corrupt(format!("role = {role}")))
}

fn digest(row: &SqliteRow) -> Result<[u8; 32], StoreError> {
    let sha256: Vec<u8> = row.try_get("sha256")?;
    sha256
        .try_into()
        .map_err(|_| StoreError::Corrupt("sha256".to_owned()))
}

fn time(row: &SqliteRow, column: &str) -> Result<DateTime<Utc>, StoreError> {
    let micros: i64 = row.try_get(column)?;
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| StoreError::Corrupt(format!("{column} = {micros}")))
}
