//! Reading rollups of a range of time: of days where there are such, of hours and minutes beside them, and of days that are
//! summed up their [`sums`] wherever these tell enough apart.

use std::ops::RangeInclusive;

use futures_util::TryStreamExt;
use shared::analytics::{Interval, StatusFilter, UsageGroup};
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{QueryBuilder, Row, Transaction, query_scalar};

use super::dimensions::Dimensions;
use super::{DAY_S, HOUR_S, MINUTE_S, cut, sums};
use crate::store::{StoreError, netstrings};

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

/// Hands each to `take`. They come together, as many as have the time and the model in common: see [`netstrings`].
///
/// It takes several statements: `snapshot` is one moment for all of them.
pub(in crate::store) async fn each<E: From<StoreError>>(
    snapshot: &mut Transaction<'_, Sqlite>,
    wanted: &Wanted<'_>,
    mut take: impl FnMut(Rollup<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for part in parts(snapshot, wanted).await? {
        if !part.summed_up {
            rows(snapshot, &part, wanted, &mut take).await?;
            continue;
        }
        for (from_s, to_s) in sums::each(snapshot, &part, wanted, &mut take).await? {
            let rest = Part {
                from_s,
                to_s,
                ..part
            };
            rows(snapshot, &rest, wanted, &mut take).await?;
        }
    }
    Ok(())
}

/// Those of one part, from its table.
async fn rows<E: From<StoreError>>(
    snapshot: &mut Transaction<'_, Sqlite>,
    part: &Part,
    wanted: &Wanted<'_>,
    take: &mut impl FnMut(Rollup<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut sql = select(part, wanted);
    let mut rows = sql.build().fetch(&mut **snapshot);
    while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
        let start_s = row.try_get(0).map_err(StoreError::from)?;
        let mut rest: &[u8] = row.try_get(1).map_err(StoreError::from)?;
        while !rest.is_empty() {
            let rollup = one(start_s, wanted.by.len(), &mut rest);
            take(rollup.ok_or_else(unreadable)?)?;
        }
    }
    Ok(())
}

/// Rollups of one table that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) table: Table,
    pub(super) from_s: i64,
    pub(super) to_s: i64,
    /// They are of days that are summed up.
    summed_up: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    Minutes,
    Hours,
    Days,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Minutes => "rollups_minute",
            Self::Hours => "rollups_hour",
            Self::Days => "rollups_day",
        }
    }

    /// Of a bucket.
    pub(super) fn width_s(self) -> i64 {
        match self {
            Self::Minutes => MINUTE_S,
            Self::Hours => HOUR_S,
            Self::Days => DAY_S,
        }
    }
}

impl Wanted<'_> {
    /// What they have to be apart by, so that the others can be left out.
    pub(super) fn dimensions(&self) -> Dimensions {
        let names = self.names.iter().map(|(group, _)| *group);
        let status = self.status.map(|_| UsageGroup::Status);
        self.by.iter().copied().chain(names).chain(status).collect()
    }
}

/// The statuses that a filter lets through.
pub(super) fn statuses(filter: StatusFilter) -> RangeInclusive<u16> {
    match filter {
        StatusFilter::Exactly(status) => status..=status,
        StatusFilter::Class(hundreds) => {
            let first = hundreds.saturating_mul(100);
            first..=first.saturating_add(99)
        }
    }
}

async fn parts(
    connection: &mut SqliteConnection,
    wanted: &Wanted<'_>,
) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    let mut push = |table, from_s, to_s, summed_up| {
        if from_s < to_s {
            parts.push(Part {
                table,
                from_s,
                to_s,
                summed_up,
            });
        }
    };
    let (mut from_s, mut to_s) = (wanted.from_s, wanted.to_s);
    if wanted.finest == Interval::Minute {
        let first_s = from_s + (-from_s).rem_euclid(HOUR_S);
        let end_s = to_s - to_s.rem_euclid(HOUR_S);
        if wanted.coarsest == Interval::Minute || first_s >= end_s {
            push(Table::Minutes, from_s, to_s, false);
            return Ok(parts);
        }
        push(Table::Minutes, from_s, first_s, false);
        push(Table::Minutes, end_s, to_s, false);
        (from_s, to_s) = (first_s, end_s);
    }
    let of_days = match wanted.coarsest {
        Interval::Day => Table::Days,
        Interval::Hour | Interval::Minute => Table::Hours,
    };
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
        push(Table::Hours, from_s, run[0], false);
        push(of_days, run[0], end_s, true);
        from_s = end_s;
    }
    push(Table::Hours, from_s, to_s, false);
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

/// Of each bucket and model one row, with the values and figures of all of them.
fn select(part: &Part, wanted: &Wanted<'_>) -> QueryBuilder<Sqlite> {
    let values = wanted
        .by
        .iter()
        .map(|group| (column(*group), column(*group)));
    let figures = ("figures", "CAST(figures AS TEXT)");
    let rollup = netstrings::of(values.chain([figures]));
    let mut sql = QueryBuilder::new("SELECT bucket_start_s, CAST(string_agg(");
    sql.push(rollup);
    sql.push(", '') AS BLOB) FROM ");
    sql.push(part.table.name());
    sql.push(" WHERE bucket_start_s >= ").push_bind(part.from_s);
    sql.push(" AND bucket_start_s < ").push_bind(part.to_s);
    for (group, name) in &wanted.names {
        sql.push(" AND ").push(column(*group));
        sql.push(" = ").push_bind(cut(name).to_owned());
    }
    if let Some(status) = wanted.status {
        let statuses = statuses(status);
        sql.push(" AND status BETWEEN ")
            .push_bind(*statuses.start());
        sql.push(" AND ").push_bind(*statuses.end());
    }
    sql.push(" GROUP BY bucket_start_s, requested_model");
    sql
}

/// Takes one from the front.
fn one<'r>(start_s: i64, values: usize, rest: &mut &'r [u8]) -> Option<Rollup<'r>> {
    let all = *rest;
    for _ in 0..values {
        netstrings::take(rest)??;
    }
    let key = &all[..all.len() - rest.len()];
    let figures = netstrings::take(rest)??;
    Some(Rollup {
        start_s,
        key,
        figures,
    })
}

/// The values that a [`Rollup::key`] is made of.
pub(in crate::store) fn values(mut key: &[u8]) -> impl Iterator<Item = Result<&str, StoreError>> {
    std::iter::from_fn(move || {
        let more = !key.is_empty();
        more.then(|| {
            let value = netstrings::take(&mut key).flatten();
            let value = value.and_then(|value| std::str::from_utf8(value).ok());
            value.ok_or_else(unreadable)
        })
    })
}

pub(super) fn unreadable() -> StoreError {
    StoreError::Corrupt("names of a rollup".to_owned())
}
