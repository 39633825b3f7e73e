//! One row a request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use llm::chat::{Losses, Usage};
use llm::error::{ErrorKind, ErrorSource};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NameError, StrDeserializer};
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, Row, query, query_with};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::recording::record::{CacheOutcome, Outcome, RequestRecord};

/// In the order of [`add_usual`].
const USUAL: &[&str] = &[
    "id",
    "started_at_us",
    "first_token_us",
    "latency_us",
    "upstream_us",
    "key_name",
    "project",
    "client_address",
    "dialect",
    "endpoint",
    "requested_model",
    "provider",
    "upstream_model",
    "stream",
    "outcome",
    "status",
    "attempts",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nanos",
    "cache",
    "finish_reason",
    "bytes_in",
    "bytes_out",
    "usage_estimated",
];

/// Null in nearly all rows, and then not written at all. In the order of [`add_rare`].
const RARE: &[&str] = &[
    "error_kind",
    "error_source",
    "error_message",
    "dropped",
    "emulated",
    "shadow_of",
    "guardrails",
    "saved_tokens",
    "saved_nanos",
];

/// Rows that an INSERT has at most: few shapes, so that each is prepared once and kept.
const SHAPES: [usize; 4] = [1, 4, 32, AT_ONCE];
/// So many records go into the database with one statement.
pub(super) const AT_ONCE: usize = 128;

static USUAL_INSERTS: LazyLock<[String; SHAPES.len()]> =
    LazyLock::new(|| SHAPES.map(|rows| insert_sql(rows, USUAL)));
static INSERTS: LazyLock<[String; SHAPES.len()]> =
    LazyLock::new(|| SHAPES.map(|rows| insert_sql(rows, &[USUAL, RARE].concat())));

static SELECT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT seq, {} FROM requests WHERE seq > ? ORDER BY seq LIMIT ?",
        columns()
    )
});

/// All columns that a record is made of, as a statement names them.
pub(super) fn columns() -> String {
    [USUAL, RARE].concat().join(", ")
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inserted {
    /// Rows that were not there before.
    pub(super) rows: u64,
    /// The highest `seq` among them.
    pub(super) last_seq: i64,
}

/// Inserts the records that are not there yet.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    records: &[RequestRecord],
) -> Result<Inserted, StoreError> {
    let mut inserted = Inserted {
        rows: 0,
        last_seq: 0,
    };
    for now in records.chunks(AT_ONCE) {
        let shape = SHAPES.partition_point(|room| *room < now.len());
        let usual = now.iter().all(is_usual);
        let inserts = if usual { &USUAL_INSERTS } else { &INSERTS };
        let arguments = arguments(now, usual).map_err(sqlx::Error::Encode)?;
        let insert = query_with(inserts[shape].as_str(), arguments);
        let done = insert.execute(&mut *connection).await?;
        if done.rows_affected() > 0 {
            inserted.rows += done.rows_affected();
            inserted.last_seq = done.last_insert_rowid();
        }
    }
    Ok(inserted)
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

/// Inserts up to `rows` rows: those that have an id.
fn insert_sql(rows: usize, columns: &[&str]) -> String {
    let mut values = vec!["?"; columns.len()];
    values[0] = "? AS id";
    // Unlike one of VALUES, each of these is there or not, at next to no cost.
    let row = format!("SELECT {} WHERE id IS NOT NULL", values.join(", "));
    format!(
        "INSERT INTO requests ({}) {} ON CONFLICT (id) DO NOTHING",
        columns.join(", "),
        vec![row; rows].join(" UNION ALL ")
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

/// What an INSERT of these rows is given.
fn arguments(records: &[RequestRecord], usual: bool) -> Result<SqliteArguments, BoxDynError> {
    let columns = USUAL.len() + if usual { 0 } else { RARE.len() };
    let mut arguments = SqliteArguments::default();
    // Grown piece by piece, it would be copied several times.
    arguments.reserve(records.len() * columns, 0);
    for record in records {
        add_usual(&mut arguments, record)?;
        if !usual {
            add_rare(&mut arguments, record)?;
        }
    }
    Ok(arguments)
}

/// What usual rows have. Names travel as shared strings and are not copied.
fn add_usual(row: &mut SqliteArguments, record: &RequestRecord) -> Result<(), BoxDynError> {
    let usage = record.usage.as_ref();
    let tokens = |count: fn(&Usage) -> u64| usage.map(|usage| integer(count(usage)));
    row.add(record.id.as_bytes().to_vec())?;
    row.add(record.started_at_us)?;
    row.add(record.first_token_us)?;
    row.add(record.latency_us)?;
    row.add(record.upstream_us)?;
    row.add(record.key.clone())?;
    row.add(record.project.clone())?;
    row.add(record.client_address.map(address_text))?;
    row.add(Arc::clone(&record.dialect))?;
    row.add(Arc::clone(&record.endpoint))?;
    row.add(record.requested_model.clone())?;
    row.add(record.provider.clone())?;
    row.add(record.upstream_model.clone())?;
    row.add(record.stream)?;
    row.add(Arc::clone(outcome_name(record.outcome)))?;
    row.add(i64::from(record.status))?;
    row.add(attempts_json(record))?;
    row.add(tokens(|usage| usage.input_tokens))?;
    row.add(tokens(|usage| usage.cached_tokens))?;
    row.add(tokens(|usage| usage.cache_write_tokens))?;
    row.add(tokens(|usage| usage.output_tokens))?;
    row.add(tokens(|usage| usage.reasoning_tokens))?;
    row.add(record.cost_nanos)?;
    row.add(Arc::clone(cache_name(record.cache)))?;
    row.add(record.finish_reason.clone())?;
    row.add(integer(record.bytes_in))?;
    row.add(integer(record.bytes_out))?;
    row.add(record.usage_estimated)
}

/// The rest of a row.
fn add_rare(row: &mut SqliteArguments, record: &RequestRecord) -> Result<(), BoxDynError> {
    row.add(record.error_kind.map(ErrorKind::as_str))?;
    row.add(record.error_source.map(ErrorSource::as_str))?;
    row.add(record.error_message.clone())?;
    row.add(names_json(&record.losses.dropped))?;
    row.add(names_json(&record.losses.emulated))?;
    row.add(record.shadow_of.map(|id| id.as_bytes().to_vec()))?;
    row.add(rules_json(record))?;
    row.add(record.saved_tokens.map(integer))?;
    row.add(record.saved_nanos)
}

/// `None`: no rule had anything to do, as with nearly all requests.
fn rules_json(record: &RequestRecord) -> Option<String> {
    let rules = &record.guardrails;
    (!rules.is_empty()).then(|| serde_json::to_string(rules).expect("names are JSON"))
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

/// A list as JSON; none is null.
fn names_json(names: &[Cow<'static, str>]) -> Option<String> {
    let write = || serde_json::to_string(names).expect("names are always JSON");
    (!names.is_empty()).then(write)
}

fn names(row: &SqliteRow, column: &str) -> Result<Vec<Cow<'static, str>>, StoreError> {
    match row.try_get::<Option<&str>, _>(column)? {
        None => Ok(Vec::new()),
        Some(json) => {
            serde_json::from_str(json).map_err(|error| StoreError::Corrupt(error.to_string()))
        }
    }
}

fn attempts_json(record: &RequestRecord) -> String {
    serde_json::to_string(&record.attempts).expect("names and numbers are always JSON")
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
            dropped: names(row, "dropped")?,
            emulated: names(row, "emulated")?,
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
