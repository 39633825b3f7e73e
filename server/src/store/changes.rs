//! What operators have changed, change by change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::{Store, StoreError, key_secrets, secrets};
use crate::auth::KeySecret;
use crate::secrets::{Place, SealedSecret};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: String,
    pub name: String,
    /// 1, 2, … of each kind and name.
    pub version: u64,
    pub what: What,
    pub reason: Option<String>,
    pub by: String,
    pub at: DateTime<Utc>,
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// This holds, in JSON.
    Put(String),
    /// There is none.
    Delete,
    /// What the configuration says holds.
    Reset,
    /// Something that no gateway writes, and why. It is read, never written.
    Unreadable(String),
}

impl What {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Delete => "delete",
            Self::Reset => "reset",
            Self::Unreadable(_) => "unreadable",
        }
    }

    fn value(&self) -> Option<&str> {
        match self {
            Self::Put(value) => Some(value),
            Self::Delete | Self::Reset | Self::Unreadable(_) => None,
        }
    }
}

/// Secrets that are others with some changes.
#[derive(Debug, Default)]
pub struct ChangedSecrets {
    /// All that each of these client keys has from then on.
    pub keys: BTreeMap<String, Vec<KeySecret>>,
    /// Those of policies that are new.
    pub sealed: Vec<SealedSecret>,
    /// Those of policies that are deleted.
    pub deleted: Vec<Place>,
}

const COLUMNS: &str = "kind, name, version, what, value, reason, changed_by, changed_at_us";

impl Store {
    /// The latest change of each kind and name.
    pub async fn changes_in_force(&self) -> Result<Vec<Change>, StoreError> {
        let statement = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS}, max(version) FROM changes GROUP BY kind, name ORDER BY kind, name"
        ));
        let rows = sqlx::query(statement).fetch_all(&self.reader()).await?;
        Ok(rows.iter().map(change).collect())
    }

    /// All changes of a kind and name, the latest first.
    pub async fn changes_of(&self, kind: &str, name: &str) -> Result<Vec<Change>, StoreError> {
        let statement = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM changes WHERE kind = ? AND name = ? ORDER BY version DESC"
        ));
        let rows = sqlx::query(statement)
            .bind(kind)
            .bind(name)
            .fetch_all(&self.reader())
            .await?;
        Ok(rows.iter().map(change).collect())
    }

    /// Writes changes together with the secrets that are others with them: all of it or nothing.
    pub async fn add_changes(
        &self,
        changes: &[Change],
        secrets: &ChangedSecrets,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        if !secrets.deleted.is_empty() {
            // What is overwritten must not stay in the file's free space.
            sqlx::query("PRAGMA secure_delete = ON")
                .execute(&mut *connection)
                .await?;
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for place in &secrets.deleted {
            secrets::delete(&mut transaction, place).await?;
        }
        for sealed in &secrets.sealed {
            secrets::put(&mut transaction, sealed).await?;
        }
        for change in changes {
            insert(&mut transaction, change).await?;
        }
        for (key, all) in &secrets.keys {
            key_secrets::replace(&mut transaction, key, all).await?;
        }
        transaction.commit().await?;
        if !secrets.deleted.is_empty() {
            // Nor in the write-ahead log; while somebody reads, it is folded in later.
            for tidy in [
                "PRAGMA wal_checkpoint(TRUNCATE)",
                "PRAGMA secure_delete = OFF",
            ] {
                if let Err(error) = sqlx::query(tidy).execute(&mut *connection).await {
                    tracing::warn!(%error, tidy, "The database could not be tidied after secrets were deleted");
                }
            }
        }
        Ok(())
    }
}

impl Store {
    /// Writes changes in place of a setting that said the same.
    pub async fn replace_setting(
        &self,
        setting: &str,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for change in changes {
            insert(&mut transaction, change).await?;
        }
        sqlx::query("DELETE FROM settings WHERE name = ?")
            .bind(setting)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Adds a change to the chain, inside a transaction.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    change: &Change,
) -> Result<(), StoreError> {
    let before: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM changes ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let version = i64::try_from(change.version).unwrap_or(i64::MAX);
    let hashed = Hashed {
        kind: change.kind.as_bytes(),
        name: change.name.as_bytes(),
        version,
        what: change.what.as_str().as_bytes(),
        value: change.what.value().map(str::as_bytes),
        reason: change.reason.as_deref().map(str::as_bytes),
        by: change.by.as_bytes(),
        at_us: change.at.timestamp_micros(),
    };
    let hash = hashed.after(before.as_deref().unwrap_or_default());
    sqlx::query(
        "INSERT INTO changes (kind, name, version, what, value, reason, changed_by, changed_at_us, hash) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&change.kind)
    .bind(&change.name)
    .bind(version)
    .bind(change.what.as_str())
    .bind(change.what.value())
    .bind(change.reason.as_deref())
    .bind(&change.by)
    .bind(change.at.timestamp_micros())
    .bind(hash.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

/// What of a change its hash is about.
pub(super) struct Hashed<'a> {
    pub kind: &'a [u8],
    pub name: &'a [u8],
    pub version: i64,
    pub what: &'a [u8],
    pub value: Option<&'a [u8]>,
    pub reason: Option<&'a [u8]>,
    pub by: &'a [u8],
    pub at_us: i64,
}

impl Hashed<'_> {
    /// The hash of a change that comes after one with the hash `before`, which is empty before the first. Each value
    /// goes in with its length, so that no two changes look alike.
    pub(super) fn after(&self, before: &[u8]) -> [u8; 32] {
        let version = self.version.to_be_bytes();
        let at = self.at_us.to_be_bytes();
        let values: [Option<&[u8]>; 9] = [
            Some(before),
            Some(self.kind),
            Some(self.name),
            Some(&version),
            Some(self.what),
            self.value,
            self.reason,
            Some(self.by),
            Some(&at),
        ];
        let mut hasher = Sha256::new();
        for value in values {
            // An absent value has a length that none has.
            let length = value.map_or(u64::MAX, |value| value.len() as u64);
            hasher.update(length.to_be_bytes());
            hasher.update(value.unwrap_or_default());
        }
        hasher.finalize().into()
    }
}

/// A change as it stands there, whatever somebody has made of it: one row must not hide the others.
pub(super) fn change(row: &SqliteRow) -> Change {
    let mut wrong = Vec::new();
    let mut text = |column: &str| {
        let bytes: Option<Vec<u8>> = row.try_get(column).unwrap_or_else(|_| {
            wrong.push(format!("{column} is not text"));
            None
        });
        bytes.map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                wrong.push(format!("{column} is not UTF-8"));
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        })
    };
    let [kind, name, what, by] =
        ["kind", "name", "what", "changed_by"].map(|column| text(column).unwrap_or_default());
    let (value, reason) = (text("value"), text("reason"));
    let version: i64 = row.try_get("version").unwrap_or(-1);
    let version = u64::try_from(version).unwrap_or_else(|_| {
        wrong.push(format!("version = {version}"));
        0
    });
    let micros: Option<i64> = row.try_get("changed_at_us").ok();
    let at = micros.and_then(DateTime::from_timestamp_micros);
    let at = at.unwrap_or_else(|| {
        wrong.push(format!("changed_at_us = {micros:?}"));
        DateTime::UNIX_EPOCH
    });
    let what = match (what.as_str(), value) {
        ("put", Some(value)) => What::Put(value),
        ("delete", None) => What::Delete,
        ("reset", None) => What::Reset,
        (other, value) => {
            let with = if value.is_some() { "with" } else { "without" };
            wrong.push(format!("what = {other:?} {with} a value"));
            What::Reset
        }
    };
    Change {
        kind,
        name,
        version,
        what: match wrong.is_empty() {
            true => what,
            false => What::Unreadable(wrong.join(", ")),
        },
        reason,
        by,
        at,
    }
}
