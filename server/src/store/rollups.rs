//! Sums of requests by the minute and by the hour, and of whole days.
//!
//! Rollups are derived from rows and always agree with them: the watermark, the last `seq` that
//! they contain, changes in the same transaction as they do. Usually the sums are gathered in
//! memory while rows are inserted ([`PendingRollups`]); whenever memory may not tell the truth (after
//! a start, a failed transaction, a row that was there already, another writer), the rows above the
//! watermark are read instead. What the request log searches by, [`Blocks`], comes the same way.

mod cube;
mod days;
mod dimensions;
mod parts;
mod sums;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use foldhash::HashMap;
use llm::error::ErrorKind;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Row, query, query_scalar};
use tracing::warn;

pub(super) use self::parts::{Rollup, Wanted, each, values};
use super::blocks::Blocks;
use super::requests::Inserted;
use super::{Figures, StoreError, requests};
use crate::recording::record::{Outcome, RequestRecord};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3600;
const DAY_S: i64 = 86_400;
/// Rows of one minute or hour; further models are folded into [`OTHER`]. A client that invents a
/// new model name a request must not make the rollups as large as the requests.
const MAX_ROWS_PER_BUCKET: usize = 1000;
/// Longer names are cut.
const MAX_NAME_BYTES: usize = 200;
/// Stands for all names of models that do not exist.
const UNKNOWN: &str = "(unknown)";
/// Stands for the models of a very crowded minute.
const OTHER: &str = "(other)";
/// Rows that are read at a time where memory cannot tell.
const CATCH_UP_ROWS: u32 = 4096;
/// Rows an upsert has, largest first.
const SHAPES: [usize; 2] = [16, 1];

/// What the sums are apart by. An absent name is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RollupKey {
    pub(super) requested_model: Arc<str>,
    pub(super) provider: Arc<str>,
    pub(super) upstream_model: Arc<str>,
    pub(super) key_name: Arc<str>,
    pub(super) project: Arc<str>,
    /// 0 in rows from before it was counted by.
    pub(super) status: u16,
}

type Bucket = HashMap<RollupKey, Figures>;
/// By the second at which a bucket starts.
type Buckets = BTreeMap<i64, Bucket>;

/// Sums of requests that are inserted, but not yet in the rollups. Belongs to the one writer.
#[derive(Debug, Default)]
pub struct PendingRollups {
    known: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    /// The watermark that these sums are to be added to.
    watermark: i64,
    /// They contain exactly the rows above `watermark`, up to this one.
    through: i64,
    minutes: Buckets,
    blocks: Blocks,
}

impl PendingRollups {
    /// Whether there is anything to write; `true` also when that is not known.
    pub fn is_due(&self) -> bool {
        self.known
            .as_ref()
            .is_none_or(|pending| pending.through > pending.watermark)
    }

    /// Memory may not tell the truth any more: the rows will.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// Adds a batch, if it is certain that its rows are exactly those after the ones known here.
    pub(super) fn add(&mut self, records: &[RequestRecord], inserted: Inserted) {
        let Some(pending) = &mut self.known else {
            return;
        };
        let length = records.len() as u64;
        if inserted.rows == length && inserted.last_seq == pending.through + length as i64 {
            for (seq, record) in (pending.through + 1..).zip(records) {
                add_to(&mut pending.minutes, record);
                pending.blocks.add(seq, record);
            }
            pending.through = inserted.last_seq;
        } else if inserted.rows > 0 {
            self.known = None;
        }
    }
}

/// Brings the rollups up to date within the open transaction. Returns `false` when rows remain.
///
/// When the transaction then fails, the caller must [`forget`](PendingRollups::forget).
pub(super) async fn write(
    connection: &mut SqliteConnection,
    pending: &mut PendingRollups,
) -> Result<bool, StoreError> {
    let watermark: i64 = query_scalar("SELECT seq FROM rollup_watermark")
        .fetch_one(&mut *connection)
        .await?;
    let (minutes, blocks, through, complete) = match pending.known.take() {
        Some(known) if known.watermark == watermark => {
            (known.minutes, known.blocks, known.through, true)
        }
        _ => {
            let rows = requests::after(connection, watermark, CATCH_UP_ROWS).await?;
            let (mut minutes, mut blocks) = (Buckets::new(), Blocks::default());
            for (seq, record) in &rows {
                match record {
                    Ok(record) => {
                        add_to(&mut minutes, record);
                        blocks.add(*seq, record);
                    }
                    Err(error) => warn!(seq, %error, "a row of `requests` is not in the rollups"),
                }
            }
            let through = rows.last().map_or(watermark, |(seq, _)| *seq);
            let complete = rows.len() < CATCH_UP_ROWS as usize;
            (minutes, blocks, through, complete)
        }
    };
    if through > watermark {
        let hours = hours_of(&minutes);
        days::reopen(connection, hours.keys().copied()).await?;
        for (table, buckets) in [(&*MINUTES, minutes), (&*HOURS, hours)] {
            for (start_s, bucket) in buckets {
                table.add(connection, start_s, bucket).await?;
            }
        }
        blocks.write(connection).await?;
        query("UPDATE rollup_watermark SET seq = ?")
            .bind(through)
            .execute(&mut *connection)
            .await?;
    }
    if complete {
        pending.known = Some(Pending {
            watermark: through,
            through,
            minutes: Buckets::new(),
            blocks: Blocks::default(),
        });
    }
    Ok(complete)
}

fn add_to(minutes: &mut Buckets, record: &RequestRecord) {
    let second = record.started_at_us.div_euclid(1_000_000);
    minutes
        .entry(second - second.rem_euclid(MINUTE_S))
        .or_default()
        .entry(RollupKey::of(record))
        .or_default()
        .add(record);
}

fn hours_of(minutes: &Buckets) -> Buckets {
    let mut hours = Buckets::new();
    for (start_s, bucket) in minutes {
        let hour = hours
            .entry(start_s - start_s.rem_euclid(HOUR_S))
            .or_default();
        for (key, figures) in bucket {
            hour.entry(key.clone()).or_default().merge(figures);
        }
    }
    hours
}

impl RollupKey {
    pub(super) fn of(record: &RequestRecord) -> Self {
        static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| "".into());
        static NO_SUCH_MODEL: LazyLock<Arc<str>> = LazyLock::new(|| UNKNOWN.into());
        let name = |name: &Option<Arc<str>>| match name {
            None => Arc::clone(&EMPTY),
            Some(name) if name.len() > MAX_NAME_BYTES => cut(name).into(),
            Some(name) => Arc::clone(name),
        };
        Self {
            requested_model: if record.requested_model.is_some() && names_anything(record) {
                Arc::clone(&NO_SUCH_MODEL)
            } else {
                name(&record.requested_model)
            },
            provider: name(&record.provider),
            upstream_model: name(&record.upstream_model),
            key_name: name(&record.key),
            project: name(&record.project),
            status: record.status,
        }
    }
}

/// Whether the request was turned down before anyone looked whether its model exists, so that the
/// name may be anything.
fn names_anything(record: &RequestRecord) -> bool {
    record.outcome == Outcome::Failed
        && match record.error_kind {
            Some(ErrorKind::NotFound) => true,
            Some(
                ErrorKind::Authentication
                | ErrorKind::PermissionDenied
                | ErrorKind::InvalidRequest
                | ErrorKind::MethodNotAllowed
                | ErrorKind::RequestTooLarge,
            ) => record.provider.is_none(),
            _ => false,
        }
}

/// What a row is found by, after `bucket_start_s`.
const KEY: &str = "requested_model, provider, upstream_model, key_name, project, status";
/// In the order of [`plain`]: the columns beside the key and `figures`.
const PLAIN: [&str; 16] = [
    "requests",
    "errors",
    "cancelled",
    "streamed",
    "cache_hits",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "unpriced",
    "cost_nanos",
    "saved_tokens",
    "saved_nanos",
    "shadows",
    "shadow_cost_nanos",
];

fn plain(figures: &Figures) -> [i64; PLAIN.len()] {
    [
        saturated(figures.requests),
        saturated(figures.errors),
        saturated(figures.cancelled),
        saturated(figures.streamed),
        saturated(figures.cache_hits),
        saturated(figures.input_tokens),
        saturated(figures.cached_tokens),
        saturated(figures.cache_write_tokens),
        saturated(figures.output_tokens),
        saturated(figures.reasoning_tokens),
        saturated(figures.unpriced),
        figures.cost_nanos,
        saturated(figures.saved_tokens),
        figures.saved_nanos,
        saturated(figures.shadows),
        figures.shadow_cost_nanos,
    ]
}

/// The statements of one of the two tables.
struct Table {
    select: String,
    upserts: [String; SHAPES.len()],
    unfilled: String,
}

static MINUTES: LazyLock<Table> = LazyLock::new(|| Table::new("rollups_minute"));
static HOURS: LazyLock<Table> = LazyLock::new(|| Table::new("rollups_hour"));

/// Fills the plain columns of rows from before there were any: see migration 10. A bucket a transaction, so that a start
/// that is interrupted goes on where it was.
pub(super) async fn fill_columns(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let wanted: Option<String> =
        query_scalar("SELECT value FROM settings WHERE name = 'rollups_to_fill'")
            .fetch_optional(&mut *connection)
            .await?;
    if wanted.is_none() {
        return Ok(());
    }
    for table in [&*MINUTES, &*HOURS] {
        table.fill(connection).await?;
    }
    query("DELETE FROM settings WHERE name = 'rollups_to_fill'")
        .execute(connection)
        .await?;
    Ok(())
}

impl Table {
    fn new(name: &str) -> Self {
        let columns = PLAIN.join(", ");
        let updates = PLAIN.map(|column| format!("{column} = excluded.{column}"));
        let updates = updates.join(", ");
        let values = vec!["?"; 1 + KEY.split(',').count() + PLAIN.len() + 1].join(", ");
        Self {
            select: format!("SELECT {KEY}, figures FROM {name} WHERE bucket_start_s = ?"),
            upserts: SHAPES.map(|rows| {
                format!(
                    "INSERT INTO {name} (bucket_start_s, {KEY}, {columns}, figures) VALUES {} \
                     ON CONFLICT (bucket_start_s, {KEY}) \
                     DO UPDATE SET {updates}, figures = excluded.figures",
                    vec![format!("({values})"); rows].join(", ")
                )
            }),
            unfilled: format!(
                "SELECT min(bucket_start_s) FROM {name} WHERE bucket_start_s > ? AND cancelled IS NULL"
            ),
        }
    }

    async fn fill(&'static self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut filled = i64::MIN;
        loop {
            let next: Option<i64> = query_scalar(self.unfilled.as_str())
                .bind(filled)
                .fetch_one(&mut *connection)
                .await?;
            let Some(start_s) = next else {
                return Ok(());
            };
            filled = start_s;
            let rows = query(self.select.as_str())
                .bind(start_s)
                .fetch_all(&mut *connection)
                .await?;
            let mut bucket = Bucket::default();
            for row in &rows {
                let mut figures = Figures::default();
                match decode(&mut figures, row.try_get("figures")?) {
                    Ok(()) => drop(bucket.insert(key(row)?, figures)),
                    Err(error) => warn!(start_s, %error, "a rollup cannot be read"),
                }
            }
            self.upsert(connection, start_s, bucket).await?;
        }
    }

    /// Adds `bucket` to what the table has for `start_s`.
    async fn add(
        &'static self,
        connection: &mut SqliteConnection,
        start_s: i64,
        mut bucket: Bucket,
    ) -> Result<(), StoreError> {
        let rows = query(self.select.as_str())
            .bind(start_s)
            .fetch_all(&mut *connection)
            .await?;
        let mut there = rows.len();
        let mut changed = Bucket::default();
        for row in &rows {
            let key = key(row)?;
            if let Some(figures) = bucket.remove(&key) {
                changed.insert(key.clone(), figures);
            }
            // The folded ones may be needed below.
            if changed.contains_key(&key) || &*key.requested_model == OTHER {
                let mut figures = Figures::default();
                match decode(&mut figures, row.try_get("figures")?) {
                    Ok(()) => changed.entry(key).or_default().merge(&figures),
                    // Must not keep new rows from being written.
                    Err(error) => warn!(start_s, %error, "a rollup is begun anew"),
                }
            }
        }
        for (mut key, figures) in bucket {
            if there < MAX_ROWS_PER_BUCKET {
                there += 1;
            } else {
                key.requested_model = OTHER.into();
                key.upstream_model = OTHER.into();
            }
            changed.entry(key).or_default().merge(&figures);
        }
        self.upsert(connection, start_s, changed).await
    }

    async fn upsert(
        &'static self,
        connection: &mut SqliteConnection,
        start_s: i64,
        bucket: Bucket,
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = bucket.into_iter().collect();
        let mut rest = rows.as_slice();
        for (length, sql) in SHAPES.into_iter().zip(&self.upserts) {
            while rest.len() >= length {
                let (now, later) = rest.split_at(length);
                rest = later;
                let mut upsert = query(sql.as_str());
                for (key, figures) in now {
                    upsert = bind_key(upsert, start_s, key);
                    for value in plain(figures) {
                        upsert = upsert.bind(value);
                    }
                    upsert = upsert.bind(figures.encode());
                }
                upsert.execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

/// A statement whose values begin with `bucket_start_s` and [`KEY`].
fn bind_key<'q>(
    statement: Query<'q, Sqlite, SqliteArguments>,
    start_s: i64,
    key: &RollupKey,
) -> Query<'q, Sqlite, SqliteArguments> {
    statement
        .bind(start_s)
        .bind(Arc::clone(&key.requested_model))
        .bind(Arc::clone(&key.provider))
        .bind(Arc::clone(&key.upstream_model))
        .bind(Arc::clone(&key.key_name))
        .bind(Arc::clone(&key.project))
        .bind(key.status)
}

/// What a row of [`Table::select`] is found by.
fn key(row: &SqliteRow) -> Result<RollupKey, StoreError> {
    Ok(RollupKey {
        requested_model: row.try_get::<&str, _>(0)?.into(),
        provider: row.try_get::<&str, _>(1)?.into(),
        upstream_model: row.try_get::<&str, _>(2)?.into(),
        key_name: row.try_get::<&str, _>(3)?.into(),
        project: row.try_get::<&str, _>(4)?.into(),
        status: row.try_get(5)?,
    })
}

/// As rollups have it.
pub(super) fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME_BYTES)]
}

/// Adds stored figures.
pub(super) fn decode(figures: &mut Figures, bytes: &[u8]) -> Result<(), StoreError> {
    figures
        .decode_add(bytes)
        .ok_or_else(|| StoreError::Corrupt("figures of a rollup".to_owned()))
}

fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
