//! Reading rollups of a range of time: of days where there are such, of hours and minutes beside them.

use std::fmt::Write as _;

use futures_util::TryStreamExt;
use shared::analytics::{Interval, StatusFilter, UsageGroup};
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{Connection, QueryBuilder, Row, query_scalar};

use super::{DAY_S, HOUR_S, cut};
use crate::store::StoreError;

/// Which rollups.
#[derive(Debug)]
pub(in crate::store) struct Wanted<'q> {
    /// Seconds, multiples of `finest`; the end is not included.
    pub(in crate::store) from_s: i64,
    pub(in crate::store) to_s: i64,
    /// Hours, or minutes at either end.
    pub(in crate::store) finest: Interval,
    /// What is not to be told apart in time can be read as one.
    pub(in crate::store) coarsest: Interval,
    /// What they are apart by.
    pub(in crate::store) by: &'q [UsageGroup],
    /// Only those with these names, and with such a status.
    pub(in crate::store) names: Vec<(UsageGroup, &'q str)>,
    pub(in crate::store) status: Option<StatusFilter>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Rollup<'r> {
    pub(in crate::store) start_s: i64,
    /// The values of what was asked for: the same bytes where they are the same. [`values`] reads them.
    pub(in crate::store) key: &'r [u8],
    /// [`decode`](super::decode) adds them.
    pub(in crate::store) figures: &'r [u8],
}

/// Hands each to `take`, all as they were at one moment.
///
/// A row of SQLite's costs more on its way here than to read, so that they come together: as many as have the time and the
/// model in common.
pub(in crate::store) async fn each<E: From<StoreError>>(
    connection: &mut SqliteConnection,
    wanted: &Wanted<'_>,
    mut take: impl FnMut(Rollup<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut transaction = connection.begin().await.map_err(StoreError::from)?;
    for part in parts(&mut transaction, wanted).await? {
        let mut sql = select(&part, wanted);
        let mut rows = sql.build().fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
            let start_s = row.try_get(0).map_err(StoreError::from)?;
            let mut rest: &[u8] = row.try_get(1).map_err(StoreError::from)?;
            while !rest.is_empty() {
                let rollup = one(start_s, wanted.by.len(), &mut rest);
                take(rollup.ok_or_else(unreadable)?)?;
            }
        }
    }
    Ok(())
}

/// Rollups of one table that follow each other.
#[derive(Debug, PartialEq)]
struct Part {
    table: &'static str,
    from_s: i64,
    to_s: i64,
}

async fn parts(
    connection: &mut SqliteConnection,
    wanted: &Wanted<'_>,
) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    let mut push = |table, from_s, to_s| {
        if from_s < to_s {
            parts.push(Part {
                table,
                from_s,
                to_s,
            });
        }
    };
    let (mut from_s, mut to_s) = (wanted.from_s, wanted.to_s);
    if wanted.finest == Interval::Minute {
        let first_s = from_s + (-from_s).rem_euclid(HOUR_S);
        let end_s = to_s - to_s.rem_euclid(HOUR_S);
        if wanted.coarsest == Interval::Minute || first_s >= end_s {
            push("rollups_minute", from_s, to_s);
            return Ok(parts);
        }
        push("rollups_minute", from_s, first_s);
        push("rollups_minute", end_s, to_s);
        (from_s, to_s) = (first_s, end_s);
    }
    if wanted.coarsest == Interval::Day {
        let days: Vec<i64> = query_scalar(
            "SELECT bucket_start_s FROM summed_up_days WHERE bucket_start_s >= ? AND bucket_start_s <= ? \
             ORDER BY bucket_start_s",
        )
        .bind(from_s)
        .bind(to_s.saturating_sub(DAY_S))
        .fetch_all(connection)
        .await?;
        for run in days.chunk_by(|day_s, next_s| day_s + DAY_S == *next_s) {
            let end_s = run[run.len() - 1] + DAY_S;
            push("rollups_hour", from_s, run[0]);
            push("rollups_day", run[0], end_s);
            from_s = end_s;
        }
    }
    push("rollups_hour", from_s, to_s);
    Ok(parts)
}

fn column(group: UsageGroup) -> &'static str {
    match group {
        UsageGroup::Model => "requested_model",
        UsageGroup::Provider => "provider",
        UsageGroup::UpstreamModel => "upstream_model",
        UsageGroup::Key => "key_name",
        UsageGroup::Project => "project",
        UsageGroup::Status => "status",
    }
}

/// Of each bucket and model one row, in which each text and the figures have their length before them: `6:gpt-4o3:200…`.
/// Concatenated texts are bytes to SQLite, whatever is in them.
fn select(part: &Part, wanted: &Wanted<'_>) -> QueryBuilder<Sqlite> {
    let mut row = String::new();
    for group in wanted.by {
        let column = column(*group);
        let _ = write!(row, "octet_length({column}) || ':' || {column} || ");
    }
    let mut sql = QueryBuilder::new("SELECT bucket_start_s, CAST(string_agg(");
    sql.push(row);
    sql.push("octet_length(figures) || ':' || CAST(figures AS TEXT), '') AS BLOB) FROM ");
    sql.push(part.table);
    sql.push(" WHERE bucket_start_s >= ").push_bind(part.from_s);
    sql.push(" AND bucket_start_s < ").push_bind(part.to_s);
    for (group, name) in &wanted.names {
        sql.push(" AND ").push(column(*group));
        sql.push(" = ").push_bind(cut(name).to_owned());
    }
    if let Some(status) = wanted.status {
        let (first, last) = match status {
            StatusFilter::Exactly(status) => (status, status),
            StatusFilter::Class(hundreds) => (hundreds * 100, hundreds * 100 + 99),
        };
        sql.push(" AND status BETWEEN ").push_bind(first);
        sql.push(" AND ").push_bind(last);
    }
    sql.push(" GROUP BY bucket_start_s, requested_model");
    sql
}

/// Takes one from the front.
fn one<'r>(start_s: i64, values: usize, rest: &mut &'r [u8]) -> Option<Rollup<'r>> {
    let all = *rest;
    for _ in 0..values {
        text(rest)?;
    }
    let key = &all[..all.len() - rest.len()];
    let figures = text(rest)?;
    Some(Rollup {
        start_s,
        key,
        figures,
    })
}

/// Takes what has its length before it from the front.
fn text<'r>(rest: &mut &'r [u8]) -> Option<&'r [u8]> {
    let mut length = 0_usize;
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let digit = match byte {
            b'0'..=b'9' => usize::from(byte - b'0'),
            b':' => break,
            _ => return None,
        };
        length = length.checked_mul(10)?.checked_add(digit)?;
    }
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(text)
}

/// The values that a [`Rollup::key`] is made of.
pub(in crate::store) fn values(mut key: &[u8]) -> impl Iterator<Item = Result<&str, StoreError>> {
    std::iter::from_fn(move || {
        let more = !key.is_empty();
        more.then(|| {
            let value = text(&mut key).and_then(|text| std::str::from_utf8(text).ok());
            value.ok_or_else(unreadable)
        })
    })
}

fn unreadable() -> StoreError {
    StoreError::Corrupt("names of a rollup".to_owned())
}
