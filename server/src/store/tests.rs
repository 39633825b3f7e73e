//! The store through its public surface.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use sqlx::Row;

use super::rollups::{RollupKey, decode};
use super::{Committed, Figures, PendingRollups, Retention, Rollups, Store, StoreError};
use crate::recording::record::RequestRecord;
use crate::recording::samples::{NOON_US, any_record, record_at};

mod commit;
mod exports;
mod older;
mod overview;
mod request_log;
mod sums;
mod usage;

type AllFigures = std::collections::BTreeMap<(i64, RollupKey), Figures>;

impl Store {
    /// Runs SQL on the connection that writes.
    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.writer()).await.unwrap();
    }

    pub(crate) async fn commit_these(
        &self,
        records: &[RequestRecord],
        pending: &mut PendingRollups,
        rollups: Rollups,
    ) -> Result<Committed, StoreError> {
        let records = Arc::new(records.to_vec());
        self.commit(&records, pending, rollups).await
    }

    /// Both rollup tables hold exactly the sums of the rows.
    pub(crate) async fn assert_rollups_agree(&self) {
        let rows = self.requests_after(0, 1_000_000).await.unwrap();
        for (width_s, sql) in [
            (60, "SELECT * FROM rollups_minute"),
            (3600, "SELECT * FROM rollups_hour"),
        ] {
            let mut expected = AllFigures::new();
            for (_, record) in &rows {
                let second = record.started_at_us.div_euclid(1_000_000);
                expected
                    .entry((second - second.rem_euclid(width_s), RollupKey::of(record)))
                    .or_default()
                    .add(record);
            }
            let mut stored = AllFigures::new();
            for row in sqlx::query(sql).fetch_all(&self.reader()).await.unwrap() {
                let name = |column| row.get::<&str, _>(column).into();
                let key = RollupKey {
                    requested_model: name("requested_model"),
                    provider: name("provider"),
                    upstream_model: name("upstream_model"),
                    key_name: name("key_name"),
                    project: name("project"),
                    status: row.get("status"),
                };
                let mut figures = Figures::default();
                decode(&mut figures, row.get("figures")).unwrap();
                let count = |column| u64::try_from(row.get::<i64, _>(column)).unwrap();
                assert_eq!(figures.requests, count("requests"));
                assert_eq!(figures.errors, count("errors"));
                assert_eq!(figures.input_tokens, count("input_tokens"));
                assert_eq!(figures.output_tokens, count("output_tokens"));
                assert_eq!(figures.cost_nanos, row.get::<i64, _>("cost_nanos"));
                stored.insert((row.get("bucket_start_s"), key), figures);
            }
            assert_eq!(stored, expected);
        }
    }

    pub(crate) async fn assert_intact(&self) {
        let verdict: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&self.writer())
            .await
            .unwrap();
        assert_eq!(verdict, "ok");
    }
}

struct Database {
    folder: tempfile::TempDir,
    store: Store,
}

impl Database {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Self::open_in(&folder).await.unwrap();
        Self { folder, store }
    }

    async fn open_in(folder: &tempfile::TempDir) -> Result<Store, StoreError> {
        let file = folder.path().join("data/gateway.db");
        Store::open(&format!("sqlite:{}", file.display())).await
    }

    /// As after a kill: nothing was said to anyone.
    async fn crash(&mut self) {
        self.store = Self::open_in(&self.folder).await.unwrap();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_column_comes_back(records in prop::collection::vec(any_record(), 1..300)) {
        block_on(async {
            let database = Database::open().await;
            let mut pending = PendingRollups::default();
            database.store.commit_these(&records, &mut pending, Rollups::Later).await.unwrap();
            let rows = database.store.requests_after(0, 1000).await.unwrap();
            let (seqs, rows): (Vec<i64>, Vec<_>) = rows.into_iter().unzip();
            assert_eq!(rows, records);
            assert_eq!(seqs, (1..=records.len() as i64).collect::<Vec<_>>());
        });
    }

    /// Whatever happens between: rollups now or later, records twice, crashes, another writer.
    #[test]
    fn rollups_are_the_sums_of_the_rows(
        records in prop::collection::vec(any_record(), 20..60),
        steps in prop::collection::vec((0_usize..20, 0_usize..40, 0_u8..6), 1..20),
    ) {
        block_on(async {
            let mut database = Database::open().await;
            let mut pending = PendingRollups::default();
            let mut other = PendingRollups::default();
            for (length, start, what) in steps {
                let batch = &records[start.min(records.len())..(start + length).min(records.len())];
                let rollups = if what % 2 == 0 { Rollups::Now } else { Rollups::Later };
                match what {
                    4 => {
                        database.crash().await;
                        pending = PendingRollups::default();
                    }
                    5 => {
                        database.store.commit_these(batch, &mut other, Rollups::Now).await.unwrap();
                    }
                    _ => {
                        database.store.commit_these(batch, &mut pending, rollups).await.unwrap();
                    }
                }
            }
            database.store.commit_these(&[], &mut pending, Rollups::Now).await.unwrap();
            assert!(!pending.is_due());
            database.store.assert_rollups_agree().await;
        });
    }
}

#[tokio::test]
async fn more_rows_than_one_round_reads_are_caught_up_with() {
    let database = Database::open().await;
    let records: Vec<RequestRecord> = (0..9000)
        .map(|i| record_at(NOON_US + i * 100_000))
        .collect();
    for batch in records.chunks(1000) {
        database
            .store
            .commit_these(batch, &mut PendingRollups::default(), Rollups::Later)
            .await
            .unwrap();
    }
    let mut pending = PendingRollups::default();
    let mut rounds = 1;
    while !database
        .store
        .commit_these(&[], &mut pending, Rollups::Now)
        .await
        .unwrap()
        .rolled_up
    {
        rounds += 1;
    }
    assert_eq!(rounds, 3);
    database.store.assert_rollups_agree().await;
}

#[tokio::test]
async fn a_row_that_nobody_can_read_holds_nothing_up() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    database
        .store
        .commit_these(&[record_at(NOON_US)], &mut pending, Rollups::Now)
        .await
        .unwrap();
    database
        .store
        .execute(
            "INSERT INTO requests (id, started_at_us, latency_us, upstream_us, dialect, endpoint, \
             stream, outcome, status, attempts, cache, bytes_in, bytes_out) \
             VALUES (x'00', 0, 0, 0, '', '', 0, 'who knows', 0, 'no JSON', '', 0, 0)",
        )
        .await;
    database
        .store
        .execute("UPDATE rollups_hour SET figures = x'ff'")
        .await;
    let record = record_at(NOON_US + 1);
    database
        .store
        .commit_these(&[record], &mut pending, Rollups::Now)
        .await
        .unwrap();
    let sum: i64 = sqlx::query_scalar("SELECT sum(requests) FROM rollups_minute")
        .fetch_one(&database.store.reader())
        .await
        .unwrap();
    assert_eq!(sum, 2);
}

#[tokio::test]
async fn models_that_do_not_exist_and_crowds_of_models_are_folded() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let named = |i: i64, kind| RequestRecord {
        requested_model: Some(format!("model-{i}").into()),
        outcome: crate::recording::record::Outcome::Failed,
        error_kind: Some(kind),
        provider: None,
        ..record_at(NOON_US + i)
    };
    let unknown: Vec<_> = (0..50)
        .map(|i| named(i, llm::error::ErrorKind::NotFound))
        .collect();
    let crowd: Vec<_> = (0..1100)
        .map(|i| named(i, llm::error::ErrorKind::Timeout))
        .collect();
    database
        .store
        .commit_these(&unknown, &mut pending, Rollups::Now)
        .await
        .unwrap();
    for batch in crowd.chunks(400) {
        database
            .store
            .commit_these(batch, &mut pending, Rollups::Now)
            .await
            .unwrap();
    }
    let row = sqlx::query(
        "SELECT count(*) AS rows, sum(requests) AS requests, \
         sum(requests) FILTER (WHERE requested_model = '(unknown)') AS unknown, \
         sum(requests) FILTER (WHERE requested_model = '(other)') AS other FROM rollups_hour",
    )
    .fetch_one(&database.store.reader())
    .await
    .unwrap();
    let counts: [i64; 4] = ["rows", "requests", "unknown", "other"].map(|column| row.get(column));
    assert_eq!(counts, [1001, 1150, 50, 101]);
}

#[tokio::test]
async fn what_is_too_old_is_deleted_and_its_space_given_back() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let now = DateTime::from_timestamp_micros(NOON_US).unwrap();
    let hour_us = 3_600_000_000;
    // One a minute for the last hundred hours.
    let records: Vec<_> = (0..6000)
        .map(|i| record_at(NOON_US - 100 * hour_us + i * 60_000_000))
        .collect();
    for batch in records.chunks(1000) {
        database
            .store
            .commit_these(batch, &mut pending, Rollups::Now)
            .await
            .unwrap();
    }
    let retention = Retention {
        request_days: 1,
        minute_days: 2,
        hour_days: 3,
    };
    let counts = async || -> [i64; 4] {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM requests) AS a, (SELECT count(*) FROM rollups_minute) AS b, \
             (SELECT count(*) FROM rollups_hour) AS c, (SELECT freelist_count FROM pragma_freelist_count) AS d",
        )
        .fetch_one(&database.store.writer())
        .await
        .unwrap();
        ["a", "b", "c", "d"].map(|column| row.get(column))
    };
    while database.store.sum_up_day(now).await.unwrap() {}
    let pages: i64 = page_count(&database.store).await;
    let mut steps = 0;
    while database.store.delete_old(retention, now).await.unwrap() {
        steps += 1;
        assert!(steps < 1000);
    }
    assert!(steps > 3, "in small steps");
    let [requests, minutes, hours, free] = counts().await;
    assert_eq!((requests, free), (24 * 60, 0));
    // Buckets that begin before the cut-off are gone, hours with all of their day.
    assert_eq!((minutes, hours), (48 * 60 - 1, 72 + 4));
    let today = now.timestamp() / 86_400;
    for sql in [
        "SELECT bucket_start_s / 86400 FROM rollups_day JOIN summed_up_days USING (bucket_start_s)",
        "SELECT DISTINCT bucket_start_s / 86400 FROM rollup_sums WHERE width_s = 86400",
        "SELECT DISTINCT bucket_start_s / 86400 FROM rollup_sums WHERE width_s = 3600",
    ] {
        let days: Vec<i64> = sqlx::query_scalar(sql)
            .fetch_all(&database.store.reader())
            .await
            .unwrap();
        assert_eq!(days, [today - 3, today - 2, today - 1], "{sql}");
    }
    assert!(!database.store.sum_up_day(now).await.unwrap());
    assert!(page_count(&database.store).await < pages / 2);

    let keep = Retention {
        request_days: 0,
        minute_days: 0,
        hour_days: 0,
    };
    let later = now + TimeDelta::days(10_000);
    assert!(!database.store.delete_old(keep, later).await.unwrap());
    assert_eq!(counts().await, [requests, minutes, hours, 0]);
}

async fn page_count(store: &Store) -> i64 {
    sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&store.writer())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_request_that_is_not_rolled_up_is_not_deleted() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let retention = Retention {
        request_days: 1,
        minute_days: 1,
        hour_days: 1,
    };
    database
        .store
        .commit_these(&[record_at(NOON_US)], &mut pending, Rollups::Later)
        .await
        .unwrap();
    let later = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::days(9);
    assert!(!database.store.delete_old(retention, later).await.unwrap());
    database
        .store
        .commit_these(&[], &mut pending, Rollups::Now)
        .await
        .unwrap();
    assert!(database.store.delete_old(retention, later).await.unwrap());
    // The next row is rolled up although the table was empty in between.
    database
        .store
        .commit_these(
            &[record_at(NOON_US)],
            &mut PendingRollups::default(),
            Rollups::Now,
        )
        .await
        .unwrap();
    database.store.assert_rollups_agree().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let database = Database::open().await;
    database
        .store
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, x'00', 0)",
        )
        .await;
    database.store.close().await;
    let error = Database::open_in(&database.folder).await.unwrap_err();
    assert!(
        matches!(error, StoreError::NewerSchema { found: 9999, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("newer version of the gateway"),
        "{error}"
    );
}

#[tokio::test]
async fn urls_that_name_no_file_are_refused() {
    for url in [
        "postgres://localhost/gateway",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a.db?mode=ro",
    ] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Url(_)), "{error}");
    }
    let error = Store::open("sqlite:/proc/nowhere/gateway.db")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("/proc/nowhere"), "{error}");
}

#[tokio::test]
async fn settings_are_kept() {
    let mut database = Database::open().await;
    assert_eq!(database.store.setting("token").await.unwrap(), None);
    database.store.set_setting("token", "a").await.unwrap();
    database.store.set_setting("token", "b").await.unwrap();
    database.crash().await;
    assert_eq!(
        database.store.setting("token").await.unwrap().as_deref(),
        Some("b")
    );
}

#[tokio::test]
async fn analysts_see_text_and_friendly_units() {
    let database = Database::open().await;
    let record = record_at(NOON_US + 7);
    let id = record.id.to_string();
    database
        .store
        .commit_these(&[record], &mut PendingRollups::default(), Rollups::Now)
        .await
        .unwrap();
    let row = sqlx::query("SELECT * FROM usage_requests")
        .fetch_one(&database.store.reader())
        .await
        .unwrap();
    assert_eq!(row.get::<String, _>("id"), id);
    assert_eq!(
        row.get::<String, _>("started_at"),
        "2026-01-02T03:04:05.000007Z"
    );
    assert_eq!(row.get::<f64, _>("latency_ms"), 20.0);
    assert_eq!(row.get::<f64, _>("cost_usd"), 0.00045);
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
