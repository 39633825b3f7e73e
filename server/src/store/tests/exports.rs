//! What leaves the gateway.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::analytics::{ExportView, RequestFilter};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};

use super::*;
use crate::store::ExportFormat;

async fn exported(store: &Store, view: ExportView, format: ExportFormat) -> String {
    let mut pages = store
        .export(view, format, RequestFilter::default())
        .await
        .unwrap();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        all.extend(page);
    }
    String::from_utf8(all).unwrap()
}

async fn opened(file: &std::path::Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    options.connect().await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn all_exports_say_the_same(records in prop::collection::vec(any_record(), 1..120)) {
        block_on(async {
            let database = Database::open().await;
            let store = &database.store;
            let mut pending = PendingRollups::default();
            store.commit_these(&records, &mut pending, Rollups::Now).await.unwrap();
            let snapshot = store.snapshot().await.unwrap();
            let mut connection = opened(snapshot.path()).await;
            for (view, sql) in [
                (ExportView::Requests, "SELECT * FROM usage_requests ORDER BY seq"),
                (ExportView::Hourly, "SELECT * FROM usage_hourly"),
                (ExportView::Daily, "SELECT * FROM usage_daily"),
            ] {
                let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
                let lines = exported(store, view, ExportFormat::JsonLines).await;
                let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                assert_eq!(lines.len(), rows.len());
                for (row, line) in rows.iter().zip(&lines) {
                    assert_eq!(line["cost_nanos"].as_i64(), row.get::<Option<i64>, _>("cost_nanos"));
                    assert_eq!(line["cost_usd"].as_f64(), row.get::<Option<f64>, _>("cost_usd"));
                    assert_eq!(line["requested_model"].as_str(), row.get::<Option<&str>, _>("requested_model"));
                }
                let csv = exported(store, view, ExportFormat::Csv).await;
                // Records have line breaks only in messages, which are quoted.
                assert!(csv.split("\r\n").count() > rows.len());
            }
            let cost = |table: &str| format!("SELECT CAST(coalesce(sum(cost_nanos), 0) AS INTEGER) FROM {table}");
            let mut costs = BTreeSet::new();
            for table in ["usage_requests WHERE shadow_of IS NULL", "usage_hourly", "usage_daily"] {
                let sql = sqlx::AssertSqlSafe(cost(table));
                costs.insert(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut connection).await.unwrap());
            }
            assert_eq!(costs.len(), 1, "{costs:?}");
        });
    }
}

#[tokio::test]
async fn a_snapshot_has_no_secrets_and_goes() {
    let database = Database::open().await;
    let store = &database.store;
    let mut pending = PendingRollups::default();
    store
        .commit_these(&[record_at(NOON_US)], &mut pending, Rollups::Now)
        .await
        .unwrap();
    store
        .set_setting("some", "a-setting-of-the-gateway")
        .await
        .unwrap();
    store
        .execute(
            "INSERT INTO key_secrets (key_name, sha256, prefix) VALUES ('a', CAST('the-hash-of-a-secret' AS BLOB), 'gw-secret')",
        )
        .await;
    let snapshot = store.snapshot().await.unwrap();
    let bytes = std::fs::read(snapshot.path()).unwrap();
    for secret in [
        "a-setting-of-the-gateway",
        "the-hash-of-a-secret",
        "gw-secret",
    ] {
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    let mut connection = opened(snapshot.path()).await;
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(names, ["usage_daily", "usage_hourly", "usage_requests"]);
    let path = snapshot.path().to_owned();
    drop(snapshot);
    assert!(!path.exists());
}

#[tokio::test]
async fn what_a_killed_gateway_left_is_removed() {
    let mut database = Database::open().await;
    let left = database.folder.path().join("data/gateway.db.export-0815");
    let other = database.folder.path().join("data/gateway.db.ledger");
    std::fs::write(&left, "half").unwrap();
    std::fs::write(&other, "").unwrap();
    database.crash().await;
    assert!(!left.exists() && other.exists());
}

#[tokio::test]
async fn rows_that_come_meanwhile_are_not_in_an_export() {
    let database = Database::open().await;
    let store = &database.store;
    let mut pending = PendingRollups::default();
    let commit = async |pending: &mut PendingRollups| {
        let records: Vec<_> = (0..3000).map(|i| record_at(NOON_US + i)).collect();
        store
            .commit_these(&records, pending, Rollups::Now)
            .await
            .unwrap();
    };
    commit(&mut pending).await;
    let mut pages = store
        .export(
            ExportView::Requests,
            ExportFormat::JsonLines,
            RequestFilter::default(),
        )
        .await
        .unwrap();
    let mut lines = 0;
    while let Some(page) = pages.next().await.unwrap() {
        lines += page.iter().filter(|byte| **byte == b'\n').count();
        commit(&mut pending).await;
    }
    assert_eq!(lines, 3000);
}

/// What the views say, to the last digit.
#[tokio::test]
async fn values_come_as_they_are() {
    let database = Database::open().await;
    let store = &database.store;
    let mut pending = PendingRollups::default();
    let texts = ["", "a,b", "=1", "a\0b", "12:", "Ünï\r\n\"c\"", "null"];
    let records: Vec<_> = (0..3000_usize)
        .map(|i| RequestRecord {
            requested_model: (i % 8 < 7).then(|| texts[i % 7].into()),
            error_message: (i % 3 > 0).then(|| texts[i % 5].into()),
            first_token_us: (i % 4 > 0).then_some(i as i64 * 7919),
            cost_nanos: (i % 9 > 0).then_some((i as i64) << (i % 40)),
            latency_us: -(i as i64),
            ..record_at(NOON_US + i as i64)
        })
        .collect();
    for batch in records.chunks(1000) {
        let commit = store.commit_these(batch, &mut pending, Rollups::Now);
        commit.await.unwrap();
    }
    let lines = exported(store, ExportView::Requests, ExportFormat::JsonLines).await;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), records.len());
    for (seq, (record, line)) in records.iter().zip(&lines).enumerate() {
        assert_eq!(line["seq"], seq as i64 + 1);
        assert_eq!(line["id"], record.id.to_string());
        assert_eq!(
            line["requested_model"].as_str(),
            record.requested_model.as_deref()
        );
        assert_eq!(
            line["error_message"].as_str(),
            record.error_message.as_deref()
        );
        assert_eq!(line["latency_ms"], record.latency_us as f64 / 1000.0);
        let first_token_ms = record.first_token_us.map(|us| us as f64 / 1000.0);
        assert_eq!(line["first_token_ms"].as_f64(), first_token_ms);
        assert_eq!(line["cost_nanos"].as_i64(), record.cost_nanos);
        let cost_usd = record.cost_nanos.map(|nanos| nanos as f64 / 1e9);
        assert_eq!(line["cost_usd"].as_f64(), cost_usd);
        assert!(line["project"].is_null());
    }
    let csv = exported(store, ExportView::Requests, ExportFormat::Csv).await;
    let first = csv.split_once("\r\n").unwrap().1;
    let (_, first) = first.split_once(",2026-01-02T03:04:05.000000Z").unwrap();
    let expected = ",,0,19.5,team-a,127.0.0.1,openai_chat,/v1/chat/completions,\"\",openai,";
    assert!(first.starts_with(expected), "{first}");
}

#[tokio::test]
async fn a_range_of_time_is_what_it_says() {
    let database = Database::open().await;
    let store = &database.store;
    let mut pending = PendingRollups::default();
    let records: Vec<_> = (0..3000)
        .map(|i| record_at(NOON_US + i * 60_000_000))
        .collect();
    for batch in records.chunks(700) {
        store
            .commit_these(batch, &mut pending, Rollups::Now)
            .await
            .unwrap();
    }
    let at = |minute: i64| DateTime::from_timestamp_micros(NOON_US + minute * 60_000_000);
    for (from, to, count) in [
        (None, None, 3000),
        (at(10), at(20), 10),
        (at(2990), None, 10),
        (None, at(7), 7),
        (at(1000), at(2500), 1500),
        (at(5000), None, 0),
        (None, at(-5), 0),
    ] {
        let filter = RequestFilter {
            from,
            to,
            ..RequestFilter::default()
        };
        let mut pages = store
            .export(ExportView::Requests, ExportFormat::JsonLines, filter)
            .await
            .unwrap();
        let mut lines = 0;
        while let Some(page) = pages.next().await.unwrap() {
            lines += page.iter().filter(|byte| **byte == b'\n').count();
        }
        assert_eq!(lines, count, "{from:?} {to:?}");
    }
}
