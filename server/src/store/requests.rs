//! One row a request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use llm::chat::{Losses, Usage};
use llm::error::{ErrorKind, ErrorSource};
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, query};
use uuid::Uuid;

use super::new_requests::{self, Batch, Column};
use super::{Store, StoreError};
use crate::recording::record::{CacheOutcome, Outcome, RequestRecord};

/// What is written of a record: a column, and what stands in it.
pub(super) const USUAL: &[Column] = &[
    ("id", |record, cell| cell.set_result(record.id.as_bytes())),
    ("started_at_us", |record, cell| {
        cell.set_result(&record.started_at_us)
    }),
    ("first_token_us", |record, cell| {
        cell.set_result(&record.first_token_us)
    }),
    ("latency_us", |record, cell| {
        cell.set_result(&record.latency_us)
    }),
    ("upstream_us", |record, cell| {
        cell.set_result(&record.upstream_us)
    }),
    ("key_name", |record, cell| cell.set_result(&record.key)),
    ("project", |record, cell| cell.set_result(&record.project)),
    ("client_address", |record, cell| {
        cell.set_result(&record.client_address.map(address_text))
    }),
    ("dialect", |record, cell| cell.set_result(&record.dialect)),
    ("endpoint", |record, cell| cell.set_result(&record.endpoint)),
    ("requested_model", |record, cell| {
        cell.set_result(&record.requested_model)
    }),
    ("provider", |record, cell| cell.set_result(&record.provider)),
    ("upstream_model", |record, cell| {
        cell.set_result(&record.upstream_model)
    }),
    ("stream", |record, cell| cell.set_result(&record.stream)),
    ("outcome", |record, cell| {
        cell.set_result(outcome_name(record.outcome))
    }),
    ("status", |record, cell| cell.set_result(&record.status)),
    ("attempts", |record, cell| {
        cell.set_result(&json(&record.attempts)?)
    }),
    ("input_tokens", |record, cell| {
        cell.set_result(&tokens(record, |usage| usage.input_tokens))
    }),
    ("cached_tokens", |record, cell| {
        cell.set_result(&tokens(record, |usage| usage.cached_tokens))
    }),
    ("cache_write_tokens", |record, cell| {
        cell.set_result(&tokens(record, |usage| usage.cache_write_tokens))
    }),
    ("output_tokens", |record, cell| {
        cell.set_result(&tokens(record, |usage| usage.output_tokens))
    }),
    ("reasoning_tokens", |record, cell| {
        cell.set_result(&tokens(record, |usage| usage.reasoning_tokens))
    }),
    ("usage_estimated", |record, cell| {
        cell.set_result(&record.usage_estimated)
    }),
    ("cost_nanos", |record, cell| {
        cell.set_result(&record.cost_nanos)
    }),
    ("cache", |record, cell| {
        cell.set_result(cache_name(record.cache))
    }),
    ("finish_reason", |record, cell| {
        cell.set_result(&record.finish_reason)
    }),
    ("bytes_in", |record, cell| {
        cell.set_result(&integer(record.bytes_in))
    }),
    ("bytes_out", |record, cell| {
        cell.set_result(&integer(record.bytes_out))
    }),
];

/// Null in nearly all rows, and then not written at all.
pub(super) const RARE: &[Column] = &[
    ("error_kind", |record, cell| {
        cell.set_result(&record.error_kind.map(ErrorKind::as_str))
    }),
    ("error_source", |record, cell| {
        cell.set_result(&record.error_source.map(ErrorSource::as_str))
    }),
    ("error_message", |record, cell| {
        cell.set_result(&record.error_message)
    }),
    ("dropped", |record, cell| {
        cell.set_result(&list_json(&record.losses.dropped)?)
    }),
    ("emulated", |record, cell| {
        cell.set_result(&list_json(&record.losses.emulated)?)
    }),
    ("shadow_of", |record, cell| {
        cell.set_result(&record.shadow_of.map(Uuid::into_bytes))
    }),
    ("guardrails", |record, cell| {
        cell.set_result(&list_json(&record.guardrails)?)
    }),
    ("saved_tokens", |record, cell| {
        cell.set_result(&record.saved_tokens.map(integer))
    }),
    ("saved_nanos", |record, cell| {
        cell.set_result(&record.saved_nanos)
    }),
];

static INSERT_USUAL: LazyLock<String> = LazyLock::new(|| insert_sql(&names(USUAL)));
static INSERT: LazyLock<String> = LazyLock::new(|| insert_sql(&columns()));

static SELECT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT seq, {} FROM requests WHERE seq > ? ORDER BY seq LIMIT ?",
        columns()
    )
});

/// All columns that a record is made of, as a statement names them.
pub(super) fn columns() -> String {
    [names(USUAL), names(RARE)].join(", ")
}

fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inserted {
    /// Rows that were not there before.
    pub(super) rows: u64,
    /// The highest `seq` among them.
    pub(super) last_seq: i64,
}

/// Inserts the records that are not there yet. SQLite fetches them itself, with one statement however many they are: bound
/// as parameters they took it twice as long.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    records: &Arc<Vec<RequestRecord>>,
) -> Result<Inserted, StoreError> {
    let batch = Batch::hand_over(Arc::clone(records));
    let usual = records.iter().all(is_usual);
    let insert = if usual { &INSERT_USUAL } else { &INSERT };
    let done = query(insert.as_str())
        .bind(batch.number())
        .execute(connection)
        .await?;
    Ok(match done.rows_affected() {
        0 => Inserted {
            rows: 0,
            last_seq: 0,
        },
        rows => Inserted {
            rows,
            last_seq: done.last_insert_rowid(),
        },
    })
}

/// Requests with a `seq` above `seq`, in that order, at most `limit`. Rows that someone else wrote
/// may not be readable.
pub(super) async fn after(
    connection: &mut SqliteConnection,
    seq: i64,
    limit: u32,
) -> Result<Vec<(i64, Result<RequestRecord, StoreError>)>, StoreError> {
    query(SELECT.as_str())
        .bind(seq)
        .bind(limit)
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Ok((row.try_get("seq")?, record(row))))
        .collect()
}

impl Store {
    /// Requests in the order in which they were written, those above `seq`, at most
    /// `limit`.
    pub async fn requests_after(
        &self,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<(i64, RequestRecord)>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        after(&mut connection, seq, limit)
            .await?
            .into_iter()
            .map(|(seq, record)| Ok((seq, record?)))
            .collect()
    }
}

fn insert_sql(columns: &str) -> String {
    // Without a WHERE, SQLite takes ON CONFLICT for a join's ON.
    format!(
        "INSERT INTO requests ({columns}) SELECT {columns} FROM {} (?) WHERE true \
         ON CONFLICT (id) DO NOTHING",
        new_requests::NAME
    )
}

/// Whether the columns that are [`RARE`] are null.
fn is_usual(record: &RequestRecord) -> bool {
    let error = record.error_kind.is_some()
        || record.error_source.is_some()
        || record.error_message.is_some();
    let saved = record.saved_tokens.is_some() || record.saved_nanos.is_some();
    let copied = record.shadow_of.is_some();
    !error && !saved && !copied && record.losses.is_empty() && record.guardrails.is_empty()
}

fn tokens(record: &RequestRecord, count: fn(&Usage) -> u64) -> Option<i64> {
    let usage = record.usage.as_ref();
    usage.map(|usage| integer(count(usage)))
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// `None`: null, as in nearly all rows.
fn list_json<T: Serialize>(list: &[T]) -> rusqlite::Result<Option<String>> {
    (!list.is_empty()).then(|| json(&list)).transpose()
}

/// As `Display` writes it, of which there is one a row: an IPv4 address without the formatter's detours.
fn address_text(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else {
        return address.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for (i, octet) in address.octets().into_iter().enumerate() {
        if i > 0 {
            text.push('.');
        }
        for (unit, needed) in [(100, octet >= 100), (10, octet >= 10), (1, true)] {
            if needed {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

fn list(row: &SqliteRow, column: &str) -> Result<Vec<Cow<'static, str>>, StoreError> {
    match row.try_get::<Option<&str>, _>(column)? {
        None => Ok(Vec::new()),
        Some(json) => {
            serde_json::from_str(json).map_err(|error| StoreError::Corrupt(error.to_string()))
        }
    }
}

/// SQLite's integers are signed.
fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static Arc<str> {
    static NAMES: LazyLock<[Arc<str>; 3]> =
        LazyLock::new(|| ["finished", "failed", "cancelled"].map(Arc::from));
    let [finished, failed, cancelled] = &*NAMES;
    match outcome {
        Outcome::Finished => finished,
        Outcome::Failed => failed,
        Outcome::Cancelled => cancelled,
    }
}

pub(super) fn cache_name(cache: CacheOutcome) -> &'static Arc<str> {
    static NAMES: LazyLock<[Arc<str>; 3]> =
        LazyLock::new(|| ["bypass", "hit", "miss"].map(Arc::from));
    let [bypass, hit, miss] = &*NAMES;
    match cache {
        CacheOutcome::Bypass => bypass,
        CacheOutcome::Hit => hit,
        CacheOutcome::Miss => miss,
    }
}

pub(super) fn record(row: &SqliteRow) -> Result<RequestRecord, StoreError> {
    let name = |column| -> Result<Option<Arc<str>>, StoreError> {
        Ok(row.try_get::<Option<&str>, _>(column)?.map(Arc::from))
    };
    let required =
        |column| -> Result<Arc<str>, StoreError> { Ok(Arc::from(row.try_get::<&str, _>(column)?)) };
    let count = |column| -> Result<u64, StoreError> {
        let count: Option<i64> = row.try_get(column)?;
        Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
    };
    let id = |bytes: &[u8]| {
        Uuid::from_slice(bytes).map_err(|error| StoreError::Corrupt(error.to_string()))
    };
    let shadow_of: Option<&[u8]> = row.try_get("shadow_of")?;
    let input_tokens: Option<i64> = row.try_get("input_tokens")?;
    let usage = match input_tokens {
        None => None,
        Some(_) => Some(Usage {
            input_tokens: count("input_tokens")?,
            cached_tokens: count("cached_tokens")?,
            cache_write_tokens: count("cache_write_tokens")?,
            output_tokens: count("output_tokens")?,
            reasoning_tokens: count("reasoning_tokens")?,
        }),
    };
    Ok(RequestRecord {
        id: id(row.try_get("id")?)?,
        started_at_us: row.try_get("started_at_us")?,
        first_token_us: row.try_get("first_token_us")?,
        latency_us: row.try_get("latency_us")?,
        upstream_us: row.try_get("upstream_us")?,
        key: name("key_name")?,
        project: name("project")?,
        client_address: row
            .try_get::<Option<&str>, _>("client_address")?
            .map(str::parse::<IpAddr>)
            .transpose()
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        dialect: required("dialect")?,
        endpoint: required("endpoint")?,
        requested_model: name("requested_model")?,
        provider: name("provider")?,
        upstream_model: name("upstream_model")?,
        stream: row.try_get("stream")?,
        outcome: named(row.try_get("outcome")?)?,
        status: row.try_get("status")?,
        error_kind: row
            .try_get::<Option<&str>, _>("error_kind")?
            .map(named::<ErrorKind>)
            .transpose()?,
        error_source: row
            .try_get::<Option<&str>, _>("error_source")?
            .map(named::<ErrorSource>)
            .transpose()?,
        error_message: row.try_get("error_message")?,
        attempts: serde_json::from_str(row.try_get("attempts")?)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        usage,
        usage_estimated: row.try_get("usage_estimated")?,
        losses: Losses {
            dropped: list(row, "dropped")?,
            emulated: list(row, "emulated")?,
        },
        guardrails: match row.try_get::<Option<&str>, _>("guardrails")? {
            Some(rules) => serde_json::from_str(rules)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            None => Vec::new(),
        },
        shadow_of: shadow_of.map(id).transpose()?,
        cost_nanos: row.try_get("cost_nanos")?,
        cache: named(row.try_get("cache")?)?,
        saved_tokens: row
            .try_get::<Option<i64>, _>("saved_tokens")?
            .map(|tokens| u64::try_from(tokens).unwrap_or(0)),
        saved_nanos: row.try_get("saved_nanos")?,
        finish_reason: name("finish_reason")?,
        bytes_in: count("bytes_in")?,
        bytes_out: count("bytes_out")?,
    })
}

/// The variant that is called `name`.
fn named<'n, T: Deserialize<'n>>(name: &'n str) -> Result<T, StoreError> {
    let name: StrDeserializer<'n, NameError> = name.into_deserializer();
    T::deserialize(name).map_err(|error| StoreError::Corrupt(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::address_text;

    #[test]
    fn addresses_are_written_as_usual() {
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "10.20.109.255",
            "100.200.9.99",
            "::1",
            "2001:db8::7",
        ] {
            assert_eq!(address_text(address.parse().unwrap()), address);
        }
    }
}
