//! What the request log, usage queries and exports take, and whether the writer keeps up.
//!
//! ```sh
//! cargo run --release -p server --example analytics_bench -- 1000000
//! ```

mod record;

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use server::recording::{Recorder, RecordingSettings};
use server::store::{ExportFormat, Figures, PendingRollups, Rollups, Store};
use shared::analytics::{
    ExportView, Interval, RequestFilter, RequestOutcome, StatusFilter, UsageGroup, UsageQuery,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use self::record::record;

const BATCH: i64 = 1000;
/// A second a batch: requests of the last days.
const SPACING_US: i64 = 1_000;
const RATE: u64 = 5000;
const SECONDS: u64 = 20;
/// 30 days of hours, of 50 combinations, each of 278 requests: ten million.
const HOURS: i64 = 720;
const COMBINATIONS: i64 = 50;
const REQUESTS_EACH: i64 = 278;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let rows = std::env::args().nth(1);
    let rows: i64 = rows.map_or(1_000_000, |rows| rows.parse().expect("a number of rows"));
    let folder = std::env::temp_dir().join(format!("analytics_bench-{}", std::process::id()));
    let store = filled(&folder, rows).await;
    log(&store, rows).await;
    exports(&store, rows).await;
    store.close().await;
    usage(&folder).await;
    sustained(&folder).await;
    std::fs::remove_dir_all(&folder).expect("the folder was made above");
}

async fn open(folder: &Path, name: &str) -> Store {
    let url = format!("sqlite:{}", folder.join(name).display());
    Store::open(&url).await.expect("a temporary file")
}

async fn filled(folder: &Path, rows: i64) -> Store {
    let store = open(folder, "log.db").await;
    let mut pending = PendingRollups::default();
    let start = Utc::now() - TimeDelta::microseconds(rows * SPACING_US);
    let mut writing = Duration::ZERO;
    for batch in 0..rows / BATCH {
        let records: Vec<_> = (0..BATCH)
            .map(|i| batch * BATCH + i)
            .map(|i| record(start + TimeDelta::microseconds(i * SPACING_US), i))
            .collect();
        let begun = Instant::now();
        let when = if batch % 5 == 4 || (batch + 1) * BATCH >= rows {
            Rollups::Now
        } else {
            Rollups::Later
        };
        let commit = store.commit(&records, &mut pending, when);
        commit.await.expect("a temporary file");
        writing += begun.elapsed();
    }
    let (file, _) = store.file_sizes();
    println!(
        "writer: {rows} rows, {:.0} rows/s, {} MB",
        rows as f64 / writing.as_secs_f64(),
        file.unwrap_or_default() / 1_000_000
    );
    store
}

async fn log(store: &Store, rows: i64) {
    let half = Utc::now() - TimeDelta::microseconds(rows * SPACING_US / 2);
    let text = |text: &str| Some(text.to_owned());
    let all = RequestFilter::default;
    for (what, filter) in [
        ("all", all()),
        (
            "model, usual",
            RequestFilter {
                model: text("model-3"),
                ..all()
            },
        ),
        (
            "model, one in 10,000",
            RequestFilter {
                model: text("rare-model"),
                ..all()
            },
        ),
        (
            "model, nobody's",
            RequestFilter {
                model: text("nobody"),
                ..all()
            },
        ),
        (
            "provider, usual",
            RequestFilter {
                provider: text("provider-2"),
                ..all()
            },
        ),
        (
            "provider, one in 10,000",
            RequestFilter {
                provider: text("rare-provider"),
                ..all()
            },
        ),
        (
            "key, one in 1,000",
            RequestFilter {
                key: text("key-77"),
                ..all()
            },
        ),
        (
            "key, one in 20,000",
            RequestFilter {
                key: text("rare-key"),
                ..all()
            },
        ),
        (
            "project, one in 20",
            RequestFilter {
                project: text("project-7"),
                ..all()
            },
        ),
        (
            "status 503, one in 5,000",
            RequestFilter {
                status: Some(StatusFilter::Exactly(503)),
                ..all()
            },
        ),
        (
            "status 5xx",
            RequestFilter {
                status: Some(StatusFilter::Class(5)),
                ..all()
            },
        ),
        (
            "status 3xx, none",
            RequestFilter {
                status: Some(StatusFilter::Class(3)),
                ..all()
            },
        ),
        (
            "outcome cancelled",
            RequestFilter {
                outcome: Some(RequestOutcome::Cancelled),
                ..all()
            },
        ),
        (
            "error kind, one in 5,000",
            RequestFilter {
                error_kind: text("overloaded"),
                ..all()
            },
        ),
        (
            "dialect, one in 10,000",
            RequestFilter {
                dialect: text("gemini"),
                ..all()
            },
        ),
        (
            "cached, one in 3,000",
            RequestFilter {
                cached: Some(true),
                ..all()
            },
        ),
        (
            "an hour of long ago",
            RequestFilter {
                from: Some(half - TimeDelta::minutes(1)),
                to: Some(half),
                ..all()
            },
        ),
        (
            "an hour of long ago and a rare key",
            RequestFilter {
                from: Some(half - TimeDelta::minutes(1)),
                to: Some(half),
                key: text("rare-key"),
                ..all()
            },
        ),
        (
            "rare key and usual model",
            RequestFilter {
                key: text("rare-key"),
                model: text("model-3"),
                ..all()
            },
        ),
        (
            "search, nothing found (a page of 256,000)",
            RequestFilter {
                search: text("no such text"),
                ..all()
            },
        ),
    ] {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..5 {
            let begun = Instant::now();
            let page = store.request_log(&filter, None, 100).await.expect("a page");
            times.push(begun.elapsed());
            found = page.requests.len();
        }
        let first = times[0].as_secs_f64() * 1e3;
        times.sort();
        println!(
            "log, {what}: {found} found, first {first:.1} ms, median {:.1} ms",
            times[2].as_secs_f64() * 1e3
        );
    }
}

async fn exports(store: &Store, rows: i64) {
    for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
        let before = peak_kb();
        let begun = Instant::now();
        let pages = store.export(ExportView::Requests, format, RequestFilter::default());
        let mut pages = pages.await.expect("an export");
        let mut bytes = 0;
        while let Some(page) = pages.next().await.expect("a page") {
            bytes += page.len();
        }
        println!(
            "export {format:?}: {:.0} rows/s, {} MB, peak memory {} → {} MB",
            rows as f64 / begun.elapsed().as_secs_f64(),
            bytes / 1_000_000,
            before / 1000,
            peak_kb() / 1000
        );
    }
    let begun = Instant::now();
    let snapshot = store.snapshot().await.expect("room for an export");
    let size = std::fs::metadata(snapshot.path()).map_or(0, |file| file.len());
    println!(
        "export SQLite: {:.0} rows/s, {} MB, peak memory {} MB",
        rows as f64 / begun.elapsed().as_secs_f64(),
        size / 1_000_000,
        peak_kb() / 1000
    );
}

async fn usage(folder: &Path) {
    let store = open(folder, "usage.db").await;
    let now = DateTime::from_timestamp(1_767_322_800, 0).expect("a time");
    rollups(store.path(), now).await;
    let month = Some(now - TimeDelta::days(30));
    let groupings: [(&str, Vec<UsageGroup>, Option<Interval>); 8] = [
        ("total", vec![], None),
        ("by hour", vec![], Some(Interval::Hour)),
        ("by day", vec![], Some(Interval::Day)),
        ("by model", vec![UsageGroup::Model], None),
        (
            "by key and status",
            vec![UsageGroup::Key, UsageGroup::Status],
            None,
        ),
        (
            "by project and day",
            vec![UsageGroup::Project],
            Some(Interval::Day),
        ),
        (
            "by model, provider and day",
            vec![UsageGroup::Model, UsageGroup::Provider],
            Some(Interval::Day),
        ),
        ("by all", UsageGroup::ALL.to_vec(), Some(Interval::Day)),
    ];
    for (what, group_by, interval) in groupings {
        let query = UsageQuery {
            from: month,
            to: Some(now),
            group_by,
            interval,
            ..UsageQuery::default()
        };
        let mut times = Vec::new();
        let mut requests = 0;
        for _ in 0..5 {
            let begun = Instant::now();
            let usage = store.usage(&query, now).await.expect("rollups");
            times.push(begun.elapsed());
            requests = usage.total.requests;
        }
        times.sort();
        println!(
            "usage of {requests} requests, {what}: median {:.1} ms, slowest {:.1} ms",
            times[2].as_secs_f64() * 1e3,
            times[4].as_secs_f64() * 1e3
        );
    }
    store.close().await;
}

/// As ten million requests would make them.
async fn rollups(path: &Path, now: DateTime<Utc>) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.expect("a temporary file");
    let mut transaction = connection.begin().await.expect("a transaction");
    for hour in 1..=HOURS {
        let start = now - TimeDelta::hours(hour);
        for combination in 0..COMBINATIONS {
            let mut figures = Figures::default();
            for i in 0..REQUESTS_EACH {
                figures.add(&record(start, combination + COMBINATIONS * (i + hour)));
            }
            sqlx::query(
                "INSERT INTO rollups_hour (bucket_start_s, requested_model, provider, upstream_model, key_name, \
                 project, status, requests, errors, input_tokens, output_tokens, cost_nanos, figures) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(start.timestamp())
            .bind(format!("model-{}", combination % 10))
            .bind(format!("provider-{}", combination / 10))
            .bind(format!("model-{}-2026", combination % 10))
            .bind(format!("key-{}", combination % 7))
            .bind(format!("project-{}", combination % 3))
            .bind(if combination % 25 == 24 { 429 } else { 200 })
            .bind(figures.requests as i64)
            .bind(figures.errors as i64)
            .bind(figures.input_tokens as i64)
            .bind(figures.output_tokens as i64)
            .bind(figures.cost_nanos)
            .bind(figures.encode())
            .execute(&mut *transaction)
            .await
            .expect("a rollup");
        }
    }
    transaction.commit().await.expect("a commit");
    connection.close().await.expect("a close");
}

/// Whether the writer keeps up, beside those who make the records.
async fn sustained(folder: &Path) {
    let store = open(folder, "steady.db").await;
    let settings = RecordingSettings {
        flush_interval: Duration::from_millis(100),
        queue_size: 65_536,
        spool_dir: folder.join("spool"),
        spool_max_bytes: 1 << 28,
        retention_days: 90,
        minute_retention_days: 14,
        hour_retention_days: 730,
    };
    let recorder = Recorder::start(settings, store);
    let cpu = cpu_ms();
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut most = 0;
    let mut made = 0;
    for _ in 0..SECONDS * 100 {
        ticks.tick().await;
        for _ in 0..RATE / 100 {
            recorder.record(record(Utc::now(), made));
            made += 1;
        }
        most = most.max(recorder.status().queued);
    }
    let took = begun.elapsed().as_secs_f64();
    recorder.flush().await;
    let status = recorder.status();
    println!(
        "sustained: {:.0} records/s for {took:.0} s, {:.1} µs CPU each with their making, at most {most} queued; {status:?}",
        made as f64 / took,
        (cpu_ms() - cpu) * 1000.0 / made as f64,
    );
    recorder.shutdown().await;
}

/// CPU time of this process so far, milliseconds; 10 ms steps.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name") + 2..]
        .split(' ')
        .collect();
    let ticks = fields[11..13]
        .iter()
        .map(|field| field.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() * 10.0
}

fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
