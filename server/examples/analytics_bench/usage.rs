//! Sums over ten million requests.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use server::store::{Figures, Store};
use shared::TimeRange;
use shared::analytics::{Interval, OverviewQuery, UsageGroup, UsageQuery};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::open;
use crate::record::record;

/// How ten million requests are spread.
struct Spread {
    name: &'static str,
    days: i64,
    /// Rows of an hour: names that differ.
    combinations: i64,
    /// Requests of a row.
    requests: i64,
}

const SPREADS: [Spread; 3] = [
    Spread {
        name: "month.db",
        days: 30,
        combinations: 50,
        requests: 278,
    },
    // As many rows as an hour can have.
    Spread {
        name: "crowded.db",
        days: 30,
        combinations: 1000,
        requests: 14,
    },
    Spread {
        name: "year.db",
        days: 365,
        combinations: 50,
        requests: 23,
    },
];

pub async fn run(folder: &Path) {
    // In the middle of a day, so that hours are read at both ends.
    let now = DateTime::from_timestamp(1_767_364_200, 0).expect("a time");
    for spread in SPREADS {
        let store = open(folder, spread.name).await;
        fill(store.path(), now, &spread).await;
        let begun = Instant::now();
        let mut days = 0;
        while store.sum_up_day(now).await.expect("a temporary file") {
            days += 1;
        }
        println!(
            "usage, {} days of {} rows an hour: {days} days summed up, {:.1} ms each",
            spread.days,
            spread.combinations,
            begun.elapsed().as_secs_f64() * 1e3 / f64::from(days)
        );
        space(&store).await;
        queries(&store, now, spread.days).await;
        overview(&store, now).await;
        store.close().await;
    }
}

async fn queries(store: &Store, now: DateTime<Utc>, days: i64) {
    let groupings: [(&str, Vec<UsageGroup>, Option<Interval>); 10] = [
        ("total", vec![], None),
        ("by hour", vec![], Some(Interval::Hour)),
        (
            "by hour and project",
            vec![UsageGroup::Project],
            Some(Interval::Hour),
        ),
        (
            "by hour, model and status",
            vec![UsageGroup::Model, UsageGroup::Status],
            Some(Interval::Hour),
        ),
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
        ("by all", UsageGroup::ALL.to_vec(), None),
    ];
    for (what, group_by, interval) in groupings {
        let query = UsageQuery {
            group_by,
            interval,
            ..UsageQuery::default()
        };
        measure(store, now, days, what, query).await;
    }
    let one_project = UsageQuery {
        group_by: vec![UsageGroup::Model],
        interval: Some(Interval::Hour),
        project: Some("project-1".to_owned()),
        ..UsageQuery::default()
    };
    measure(
        store,
        now,
        days,
        "by hour and model, one project",
        one_project,
    )
    .await;
}

async fn measure(store: &Store, now: DateTime<Utc>, days: i64, what: &str, query: UsageQuery) {
    let query = UsageQuery {
        from: Some(now - TimeDelta::days(days)),
        to: Some(now),
        ..query
    };
    let mut times = Vec::new();
    let mut found = Ok((0, 0));
    for _ in 0..7 {
        let begun = Instant::now();
        let usage = store.usage(&query, now).await;
        times.push(begun.elapsed());
        found = usage.map(|usage| (usage.total.requests, usage.rows.len()));
    }
    match found {
        Ok((requests, rows)) => println!(
            "usage of {requests} requests in {days} days, {what}: {rows} rows, {}",
            told(times)
        ),
        Err(error) => println!("usage of {days} days, {what}: {error}, {}", told(times)),
    }
}

/// What the sums take beside what they are made of.
async fn space(store: &Store) {
    let mut connection = SqliteConnectOptions::new()
        .filename(store.path())
        .connect()
        .await
        .expect("a file");
    let sizes: (f64, f64, f64) = sqlx::query_as(
        "SELECT (SELECT sum(octet_length(figures) + octet_length(requested_model) + octet_length(provider) \
         + octet_length(upstream_model) + octet_length(key_name) + octet_length(project) + 40.0) \
         / count(DISTINCT bucket_start_s) FROM rollups_hour), \
         (SELECT sum(octet_length(sums) + 20.0) / count(DISTINCT bucket_start_s) FROM rollup_sums WHERE width_s = 3600), \
         (SELECT sum(groups) * 1.0 / count(DISTINCT bucket_start_s) FROM rollup_sums WHERE width_s = 3600)",
    )
    .fetch_one(&mut connection)
    .await
    .expect("sums");
    println!(
        "an hour's rollups: {:.0} bytes, its sums: {:.0} bytes, {:.1} groups",
        sizes.0, sizes.1, sizes.2
    );
    connection.close().await.expect("a close");
}

async fn overview(store: &Store, now: DateTime<Utc>) {
    let query = OverviewQuery {
        range: TimeRange::Month,
        ..OverviewQuery::default()
    };
    let mut times = Vec::new();
    for _ in 0..7 {
        let begun = Instant::now();
        store.overview(&query, now).await.expect("rollups");
        times.push(begun.elapsed());
    }
    println!("overview of 30 days: {}", told(times));
}

fn told(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!(
        "best {:.1} ms, median {:.1} ms, slowest {:.1} ms",
        ms(times[0]),
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1])
    )
}

/// Hours as these requests would make them.
async fn fill(path: &Path, now: DateTime<Utc>, spread: &Spread) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.expect("a temporary file");
    let mut transaction = connection.begin().await.expect("a transaction");
    let first = now.timestamp() - spread.days * 86_400;
    let first = first - first.rem_euclid(3600);
    for hour in 0..=spread.days * 24 {
        let start = DateTime::from_timestamp(first + hour * 3600, 0).expect("a time");
        for combination in 0..spread.combinations {
            let mut figures = Figures::default();
            for i in 0..spread.requests {
                figures.add(&record(
                    start,
                    combination + spread.combinations * (i + hour),
                ));
            }
            sqlx::query(
                "INSERT INTO rollups_hour (bucket_start_s, requested_model, provider, upstream_model, key_name, \
                 project, status, requests, errors, input_tokens, output_tokens, cost_nanos, figures) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(start.timestamp())
            .bind(format!("model-{}", combination % 10))
            .bind(format!("provider-{}", combination / 10 % 5))
            .bind(format!("model-{}-2026", combination % 10))
            .bind(format!("key-{}", combination % 7 + combination / 50 * 7))
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
