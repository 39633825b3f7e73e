//! The file of logged payloads: pieces that are each there once, conversations as a tree of them.
//! `migrations/payloads` has the schema.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row, query, query_scalar};
use uuid::Uuid;

use super::StoreError;
use super::database::{create_folder, create_private};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/payloads");

const BUSY: Duration = Duration::from_secs(5);
/// zstd's own usual one.
const LEVEL: i32 = 3;
/// Shorter ones do not get shorter.
const SHORT: usize = 64;
/// Payloads that are deleted in one transaction.
const STEP: i64 = 200;
const RAW: i64 = 0;
const ZSTD: i64 = 1;

type Key = [u8; 16];

/// The file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PayloadStore {
    /// One connection: whoever reads waits for a batch to be written.
    pool: SqlitePool,
}

/// What is stored of one request.
#[derive(Clone, Debug, Default)]
pub struct PayloadToStore {
    pub id: Uuid,
    pub at_us: i64,
    pub request_bytes: u64,
    pub reply_bytes: u64,
    pub request_cut: bool,
    pub reply_cut: bool,
    pub streamed: bool,
    /// The request without its messages, which stand at `head`.
    pub envelope: String,
    pub head: usize,
    pub messages: Vec<String>,
    pub reply: Option<String>,
}

/// The same, put together again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPayload {
    pub id: Uuid,
    pub at_us: i64,
    pub request_bytes: u64,
    pub reply_bytes: u64,
    pub request_cut: bool,
    pub reply_cut: bool,
    pub streamed: bool,
    pub request: String,
    pub reply: Option<String>,
}

impl PayloadStore {
    /// Opens the file, which is created if there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        create_folder(path)?;
        create_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .pragma("cache_size", "-2048")
            // What a batch has taken goes back to the file system.
            .pragma("journal_size_limit", "4194304")
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open {
                path: path.to_owned(),
                source,
            })?;
        MIGRATIONS
            .run(&pool)
            .await
            .map_err(|source| StoreError::Migration {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self { pool })
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// What the file takes, bytes; without its log.
    pub async fn size(&self) -> Result<u64, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let pages: i64 = query_scalar("PRAGMA page_count")
            .fetch_one(&mut *connection)
            .await?;
        let size: i64 = query_scalar("PRAGMA page_size")
            .fetch_one(&mut *connection)
            .await?;
        Ok(pages.unsigned_abs() * size.unsigned_abs())
    }

    /// Stores payloads, all of them or none; one that is there already is left alone.
    pub async fn add(&self, payloads: &[PayloadToStore]) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for payload in payloads {
            insert(&mut transaction, payload).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What is stored of a request.
    pub async fn find(&self, id: Uuid) -> Result<Option<StoredPayload>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = query("SELECT * FROM payloads WHERE id = ?")
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let envelope = content(&mut connection, row.try_get("envelope")?).await?;
        let head = usize::try_from(row.try_get::<i64, _>("head")?).unwrap_or(0);
        let Some((head, tail)) = envelope.split_at_checked(head) else {
            return Err(StoreError::Corrupt("payloads.head".to_owned()));
        };
        let mut request = head.to_owned();
        if let Some(node) = row.try_get::<Option<i64>, _>("node")? {
            let messages = query(
                "WITH RECURSIVE path (id, parent, piece, depth) AS ( \
                 SELECT id, parent, piece, 0 FROM nodes WHERE id = ? \
                 UNION ALL SELECT nodes.id, nodes.parent, nodes.piece, path.depth + 1 \
                 FROM path JOIN nodes ON nodes.id = path.parent) \
                 SELECT pieces.coding, pieces.content FROM path JOIN pieces ON pieces.id = path.piece \
                 ORDER BY path.depth DESC",
            )
            .bind(node)
            .fetch_all(&mut *connection)
            .await?;
            for message in &messages {
                request.push_str(&decoded(message.try_get(0)?, message.try_get(1)?)?);
            }
        }
        request.push_str(tail);
        let reply = match row.try_get("reply")? {
            Some(piece) => Some(content(&mut connection, piece).await?),
            None => None,
        };
        let number = |column: &str| row.try_get(column).map(i64::unsigned_abs);
        let flag = |column: &str| row.try_get(column).map(|flag: i64| flag != 0);
        Ok(Some(StoredPayload {
            id,
            at_us: row.try_get("at_us")?,
            request_bytes: number("request_bytes")?,
            reply_bytes: number("reply_bytes")?,
            request_cut: flag("request_cut")?,
            reply_cut: flag("reply_cut")?,
            streamed: flag("streamed")?,
            request,
            reply,
        }))
    }

    /// Deletes what is older than `days` (0: nothing is), then the oldest until the file takes at most `most` bytes, and
    /// gives the space back to the file system.
    pub async fn tidy(&self, days: u32, most: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let cutoff = (days > 0)
            .then(|| now.checked_sub_signed(TimeDelta::days(i64::from(days))))
            .flatten();
        let before = cutoff.map_or(i64::MIN, |cutoff| cutoff.timestamp_micros());
        while self.delete_oldest(before).await? > 0 {}
        self.vacuum().await?;
        while self.size().await? > most {
            if self.delete_oldest(i64::MAX).await? == 0 {
                break;
            }
            self.vacuum().await?;
        }
        Ok(())
    }

    async fn vacuum(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        // Every row of its answer is a page: all have to be asked for.
        query("PRAGMA incremental_vacuum")
            .fetch_all(&mut *connection)
            .await?;
        query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_all(&mut *connection)
            .await?;
        Ok(())
    }

    /// Deletes some of those from before a time, the oldest first, and says how many.
    async fn delete_oldest(&self, before_us: i64) -> Result<usize, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let rows = query(
            "SELECT id, envelope, node, reply FROM (SELECT * FROM payloads ORDER BY id LIMIT ?) WHERE at_us < ?",
        )
        .bind(STEP)
        .bind(before_us)
        .fetch_all(&mut *transaction)
        .await?;
        for row in &rows {
            query("DELETE FROM payloads WHERE id = ?")
                .bind(row.try_get::<&[u8], _>("id")?)
                .execute(&mut *transaction)
                .await?;
            let_go(&mut transaction, row.try_get("envelope")?).await?;
            if let Some(reply) = row.try_get("reply")? {
                let_go(&mut transaction, reply).await?;
            }
            leave(&mut transaction, row.try_get("node")?).await?;
        }
        transaction.commit().await?;
        Ok(rows.len())
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    payload: &PayloadToStore,
) -> Result<(), StoreError> {
    let known: i64 = query_scalar("SELECT count(*) FROM payloads WHERE id = ?")
        .bind(payload.id.as_bytes().as_slice())
        .fetch_one(&mut *connection)
        .await?;
    if known > 0 {
        return Ok(());
    }
    let node = grow(connection, &payload.messages).await?;
    let envelope = keep(connection, &payload.envelope).await?;
    let reply = match &payload.reply {
        Some(reply) => Some(keep(connection, reply).await?),
        None => None,
    };
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    query(
        "INSERT INTO payloads (id, at_us, request_bytes, reply_bytes, request_cut, reply_cut, streamed, envelope, \
         head, node, reply) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(payload.id.as_bytes().as_slice())
    .bind(payload.at_us)
    .bind(integer(payload.request_bytes))
    .bind(integer(payload.reply_bytes))
    .bind(payload.request_cut)
    .bind(payload.reply_cut)
    .bind(payload.streamed)
    .bind(envelope)
    .bind(integer(payload.head as u64))
    .bind(node)
    .bind(reply)
    .execute(connection)
    .await?;
    Ok(())
}

/// The node that a conversation ends with: as much of it as is not there yet is added.
async fn grow(
    connection: &mut SqliteConnection,
    messages: &[String],
) -> Result<Option<i64>, StoreError> {
    let mut keys: Vec<Key> = Vec::with_capacity(messages.len());
    for message in messages {
        let mut hasher = Sha256::new();
        hasher.update(keys.last().map_or(&[][..], |key| key.as_slice()));
        hasher.update(hash(message));
        keys.push(shortened(hasher));
    }
    // A node is there only where all before it are: the last one that is there is found by halving.
    let (mut known, mut unknown) = (0, keys.len());
    let mut last: Option<i64> = None;
    // Mostly a message or two are new.
    let mut step = 1;
    while known < unknown {
        let at = match last {
            None if step < unknown => {
                let at = unknown - step;
                step *= 2;
                at
            }
            _ => (known + unknown).div_ceil(2),
        };
        let found: Option<i64> = query_scalar("SELECT id FROM nodes WHERE key = ?")
            .bind(keys[at - 1].as_slice())
            .fetch_optional(&mut *connection)
            .await?;
        match found {
            Some(node) => (known, last) = (at, Some(node)),
            None => unknown = at - 1,
        }
    }
    for (message, key) in messages.iter().zip(&keys).skip(known) {
        let piece = keep(connection, message).await?;
        let node: i64 = query_scalar(
            "INSERT INTO nodes (key, parent, piece, refs) VALUES (?, ?, ?, 0) RETURNING id",
        )
        .bind(key.as_slice())
        .bind(last)
        .bind(piece)
        .fetch_one(&mut *connection)
        .await?;
        use_node(connection, last).await?;
        last = Some(node);
    }
    use_node(connection, last).await?;
    Ok(last)
}

async fn use_node(connection: &mut SqliteConnection, node: Option<i64>) -> Result<(), StoreError> {
    query("UPDATE nodes SET refs = refs + 1 WHERE id = ?")
        .bind(node)
        .execute(connection)
        .await?;
    Ok(())
}

/// A conversation that ends with this node is gone, and with it what no other one has.
async fn leave(connection: &mut SqliteConnection, mut node: Option<i64>) -> Result<(), StoreError> {
    while let Some(id) = node {
        let row =
            query("UPDATE nodes SET refs = refs - 1 WHERE id = ? RETURNING refs, parent, piece")
                .bind(id)
                .fetch_one(&mut *connection)
                .await?;
        if row.try_get::<i64, _>(0)? > 0 {
            break;
        }
        query("DELETE FROM nodes WHERE id = ?")
            .bind(id)
            .execute(&mut *connection)
            .await?;
        let_go(connection, row.try_get(2)?).await?;
        node = row.try_get(1)?;
    }
    Ok(())
}

/// The piece with this content, which is used once more.
async fn keep(connection: &mut SqliteConnection, content: &str) -> Result<i64, StoreError> {
    let hash = hash(content);
    let known: Option<i64> =
        query_scalar("UPDATE pieces SET refs = refs + 1 WHERE hash = ? RETURNING id")
            .bind(hash.as_slice())
            .fetch_optional(&mut *connection)
            .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let compressed = (content.len() >= SHORT)
        .then(|| zstd::bulk::compress(content.as_bytes(), LEVEL).ok())
        .flatten()
        .filter(|compressed| compressed.len() < content.len());
    let (coding, bytes) = match &compressed {
        Some(compressed) => (ZSTD, compressed.as_slice()),
        None => (RAW, content.as_bytes()),
    };
    let id = query_scalar(
        "INSERT INTO pieces (hash, refs, coding, content) VALUES (?, 1, ?, ?) RETURNING id",
    )
    .bind(hash.as_slice())
    .bind(coding)
    .bind(bytes)
    .fetch_one(connection)
    .await?;
    Ok(id)
}

async fn let_go(connection: &mut SqliteConnection, piece: i64) -> Result<(), StoreError> {
    let refs: i64 = query_scalar("UPDATE pieces SET refs = refs - 1 WHERE id = ? RETURNING refs")
        .bind(piece)
        .fetch_one(&mut *connection)
        .await?;
    if refs <= 0 {
        query("DELETE FROM pieces WHERE id = ?")
            .bind(piece)
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn content(connection: &mut SqliteConnection, piece: i64) -> Result<String, StoreError> {
    let row = query("SELECT coding, content FROM pieces WHERE id = ?")
        .bind(piece)
        .fetch_one(connection)
        .await?;
    decoded(row.try_get(0)?, row.try_get(1)?)
}

fn decoded(coding: i64, content: Vec<u8>) -> Result<String, StoreError> {
    let corrupt = || StoreError::Corrupt("pieces.content".to_owned());
    let bytes = match coding {
        RAW => content,
        _ => zstd::stream::decode_all(content.as_slice()).map_err(|_| corrupt())?,
    };
    String::from_utf8(bytes).map_err(|_| corrupt())
}

fn hash(content: &str) -> Key {
    let mut hasher = Sha256::new();
    hasher.update(content);
    shortened(hasher)
}

fn shortened(hasher: Sha256) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&hasher.finalize()[..16]);
    key
}
