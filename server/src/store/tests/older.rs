//! A database that an older gateway has written.

use std::borrow::Cow;

use shared::analytics::{Interval, RequestFilter, UsageGroup, UsageQuery};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::*;
use crate::store::migrations::MIGRATIONS;

/// The last schema without projects and statuses in rollups.
const WITHOUT_PROJECTS: i64 = 9;
/// The last one that has totals of hours, but no other sums.
const WITH_TOTALS: i64 = 12;

/// An empty database with this schema, and with that of the newer one attached as `newer`.
async fn of_schema(version: i64, newer: &Database) -> (SqliteConnection, String) {
    let older = newer.folder.path().join("older.db");
    let mut connection = SqliteConnectOptions::new()
        .filename(&older)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    let migrations = MIGRATIONS.iter().filter(|one| one.version <= version);
    let migrator = Migrator {
        migrations: Cow::Owned(migrations.cloned().collect()),
        ..Migrator::DEFAULT
    };
    migrator.run(&mut connection).await.unwrap();
    sqlx::query("ATTACH ? AS newer")
        .bind(newer.store.path().to_string_lossy().into_owned())
        .execute(&mut connection)
        .await
        .unwrap();
    (connection, format!("sqlite:{}", older.display()))
}

async fn filled(database: &Database, records: &[RequestRecord]) {
    let mut pending = PendingRollups::default();
    let written = database
        .store
        .commit_these(records, &mut pending, Rollups::Now);
    written.await.unwrap();
}

#[tokio::test]
async fn rollups_of_before_are_kept_and_filled() {
    let database = Database::open().await;
    let records: Vec<_> = (0..300)
        .map(|i| RequestRecord {
            cost_nanos: Some(1_000_000_007 + i),
            ..record_at(NOON_US + i * 10_000_000)
        })
        .collect();
    filled(&database, &records).await;
    let (mut connection, url) = of_schema(WITHOUT_PROJECTS, &database).await;
    let columns = "bucket_start_s, requested_model, provider, upstream_model, key_name, requests, errors, \
                   input_tokens, output_tokens, cost_nanos, figures";
    for sql in [
        "INSERT INTO main.requests SELECT * FROM newer.requests".to_owned(),
        format!("INSERT INTO main.rollups_minute SELECT {columns} FROM newer.rollups_minute"),
        format!("INSERT INTO main.rollups_hour SELECT {columns} FROM newer.rollups_hour"),
        "UPDATE main.rollup_watermark SET seq = 300".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();

    let store = Store::open(&url).await.unwrap();
    let now = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::hours(2);
    let query = UsageQuery {
        group_by: vec![UsageGroup::Status],
        ..UsageQuery::default()
    };
    let usage = store.usage(&query, now).await.unwrap();
    assert_eq!(usage.rows.len(), 1);
    assert!(
        usage.rows[0].group["status"].is_null(),
        "nobody counted it then"
    );
    let cost: i64 = records.iter().filter_map(|record| record.cost_nanos).sum();
    assert_eq!(usage.total.cost_nanos, cost);
    for sql in [
        "SELECT CAST(sum(cached_tokens) AS INTEGER) FROM usage_hourly",
        "SELECT CAST(sum(cached_tokens) AS INTEGER) FROM usage_daily",
        "SELECT CAST(sum(cached_tokens) AS INTEGER) FROM rollups_minute",
    ] {
        let cached: i64 = sqlx::query_scalar(sql)
            .fetch_one(&store.reader())
            .await
            .unwrap();
        assert_eq!(cached, 300 * 40, "{sql}");
    }
    assert_eq!(store.setting("rollups_to_fill").await.unwrap(), None);

    // What came before is found, and what comes now beside it.
    let newer = record_at(NOON_US + 1);
    let mut pending = PendingRollups::default();
    store
        .commit_these(std::slice::from_ref(&newer), &mut pending, Rollups::Now)
        .await
        .unwrap();
    let filter = RequestFilter {
        key: Some("team-a".to_owned()),
        ..RequestFilter::default()
    };
    let page = store.request_log(&filter, None, 1000).await.unwrap();
    assert_eq!(page.requests.len(), 301);
    assert_eq!(page.requests[0], newer);
    let nobody = RequestFilter {
        key: Some("nobody".to_owned()),
        ..RequestFilter::default()
    };
    let page = store.request_log(&nobody, None, 1000).await.unwrap();
    assert!(page.requests.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn days_of_before_are_summed_up_again() {
    let database = Database::open().await;
    let records: Vec<_> = (0..300)
        .map(|i| record_at(NOON_US + i * 10_000_000))
        .collect();
    filled(&database, &records).await;
    let (mut connection, url) = of_schema(WITH_TOTALS, &database).await;
    for sql in [
        "INSERT INTO main.requests SELECT * FROM newer.requests",
        "INSERT INTO main.rollups_minute SELECT * FROM newer.rollups_minute",
        "INSERT INTO main.rollups_hour SELECT * FROM newer.rollups_hour",
        "UPDATE main.rollup_watermark SET seq = 300",
        "INSERT INTO main.hour_totals SELECT bucket_start_s, figures FROM newer.rollups_hour",
        "INSERT INTO main.rollups_day SELECT bucket_start_s - bucket_start_s % 86400, requested_model, provider, \
         upstream_model, key_name, project, status, figures FROM newer.rollups_hour LIMIT 1",
        "INSERT INTO main.summed_up_days SELECT bucket_start_s FROM main.rollups_day",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let store = Store::open(&url).await.unwrap();
    let now = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::days(2);
    for interval in [Interval::Hour, Interval::Day] {
        let query = UsageQuery {
            from: Some(now - TimeDelta::days(3)),
            interval: Some(interval),
            ..UsageQuery::default()
        };
        let before = store.usage(&query, now).await.unwrap();
        assert_eq!(before.total.requests, 300);
        // Once, and then there is nothing left to do.
        assert_eq!(
            store.sum_up_day(now).await.unwrap(),
            interval == Interval::Hour
        );
        assert_eq!(store.usage(&query, now).await.unwrap(), before);
    }
    let sums: i64 = sqlx::query_scalar("SELECT count(DISTINCT width_s) FROM rollup_sums")
        .fetch_one(&store.reader())
        .await
        .unwrap();
    assert_eq!(sums, 2, "of hours and of the day");
}
