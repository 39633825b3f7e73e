//! Sums of whole days, UTC, so that a month is a few rows.
//!
//! A day is summed up from its hours once it is over, and from then on stands for them; and the day and each of its hours
//! get sums by fewer dimensions (see [`cube`]). It is in `summed_up_days` as long as its sums are exactly those of its
//! hours: whatever changes an hour takes its day out in the same transaction, until it is summed up again. So days are
//! exact, cost the writer nothing while requests come, and those of an older database are summed up the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row, query, query_scalar};
use tracing::warn;

use super::{Bucket, DAY_S, HOUR_S, HOURS, KEY, SHAPES, bind_key, cube, decode, key};
use crate::store::{Figures, Store, StoreError};

/// How long after its end a day is summed up: most of what it lacks then are requests that are still under way.
const GRACE: TimeDelta = TimeDelta::hours(1);

/// The latest day before `?1` that has hours and is not summed up: a step a day, not one a row. There is nothing before
/// 1970.
const DUE: &str = "\
    WITH RECURSIVE days (hour_s) AS ( \
        SELECT max(bucket_start_s) FROM rollups_hour WHERE bucket_start_s < ?1 \
        UNION ALL \
        SELECT (SELECT max(bucket_start_s) FROM rollups_hour WHERE bucket_start_s < hour_s - hour_s % 86400) \
        FROM days WHERE hour_s >= 0 \
    ) \
    SELECT hour_s - hour_s % 86400 FROM days WHERE hour_s >= 0 \
    AND hour_s - hour_s % 86400 NOT IN (SELECT bucket_start_s FROM summed_up_days) LIMIT 1";

impl Store {
    /// Sums up the latest day that is over and is not summed up. Returns `false` when there is none.
    pub async fn sum_up_day(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let over = now.checked_sub_signed(GRACE).unwrap_or(now).timestamp();
        let mut connection = self.writer().acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let due: Option<i64> = query_scalar(DUE)
            .bind(over - over.rem_euclid(DAY_S))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(start_s) = due else {
            return Ok(false);
        };
        sum_up(&mut transaction, start_s).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// The hours that start at `hours_s` have changed: their days have to be summed up again.
pub(super) async fn reopen(
    connection: &mut SqliteConnection,
    hours_s: impl Iterator<Item = i64>,
) -> Result<(), StoreError> {
    let days: BTreeSet<i64> = hours_s
        .map(|hour_s| hour_s - hour_s.rem_euclid(DAY_S))
        .collect();
    for start_s in days {
        query("DELETE FROM summed_up_days WHERE bucket_start_s = ?")
            .bind(start_s)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Writes what stands for the day's hours.
async fn sum_up(connection: &mut SqliteConnection, start_s: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM rollups_day WHERE bucket_start_s = ?1",
        "DELETE FROM rollup_sums WHERE width_s IN (3600, 86400) \
         AND bucket_start_s >= ?1 AND bucket_start_s < ?1 + 86400",
    ] {
        query(sql).bind(start_s).execute(&mut *connection).await?;
    }
    let mut day = Bucket::default();
    for hour_s in (start_s..start_s + DAY_S).step_by(HOUR_S as usize) {
        let hour = hour(connection, hour_s).await?;
        cube::write(connection, HOUR_S, hour_s, &hour).await?;
        for (key, figures) in hour {
            day.entry(key).or_default().merge(&figures);
        }
    }
    cube::write(connection, DAY_S, start_s, &day).await?;
    write_day(connection, start_s, day).await?;
    query("INSERT INTO summed_up_days (bucket_start_s) VALUES (?)")
        .bind(start_s)
        .execute(connection)
        .await?;
    Ok(())
}

async fn hour(connection: &mut SqliteConnection, start_s: i64) -> Result<Bucket, StoreError> {
    let mut hour = Bucket::default();
    let mut rows = query(HOURS.select.as_str()).bind(start_s).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let mut figures = Figures::default();
        match decode(&mut figures, row.try_get("figures")?) {
            Ok(()) => drop(hour.insert(key(&row)?, figures)),
            Err(error) => warn!(start_s, %error, "a rollup is not in the sums of its day"),
        }
    }
    Ok(hour)
}

async fn write_day(
    connection: &mut SqliteConnection,
    start_s: i64,
    day: Bucket,
) -> Result<(), StoreError> {
    static INSERTS: LazyLock<[String; SHAPES.len()]> = LazyLock::new(|| {
        SHAPES.map(|rows| {
            let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
            format!("INSERT INTO rollups_day (bucket_start_s, {KEY}, figures) VALUES {values}")
        })
    });
    // In the order of the table, which then grows at its end.
    let rows: Vec<_> = BTreeMap::from_iter(day).into_iter().collect();
    let mut rest = rows.as_slice();
    for (length, sql) in SHAPES.into_iter().zip(INSERTS.iter()) {
        while rest.len() >= length {
            let (now, later) = rest.split_at(length);
            rest = later;
            let mut insert = query(sql.as_str());
            for (key, figures) in now {
                insert = bind_key(insert, start_s, key).bind(figures.encode());
            }
            insert.execute(&mut *connection).await?;
        }
    }
    Ok(())
}
