//! Sums by anything, against sums by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::analytics::{Interval, Usage, UsageFigures, UsageGroup, UsageQuery};

use super::*;
use crate::store::UsageError;

fn value(record: &RequestRecord, group: UsageGroup) -> Value {
    let key = RollupKey::of(record);
    match group {
        UsageGroup::Model => json!(&*key.requested_model),
        UsageGroup::Provider => json!(&*key.provider),
        UsageGroup::UpstreamModel => json!(&*key.upstream_model),
        UsageGroup::Key => json!(&*key.key_name),
        UsageGroup::Project => json!(&*key.project),
        UsageGroup::Status => json!(key.status),
    }
}

const DAY_US: i64 = 86_400_000_000;

/// A record of one of the days before and after, with the id of its time.
fn on_day(record: RequestRecord, day: i64) -> RequestRecord {
    let started_at_us = record.started_at_us + day * DAY_US;
    RequestRecord {
        started_at_us,
        id: record_at(started_at_us).id,
        ..record
    }
}

/// What usage should be, from the records themselves.
fn by_hand(
    records: &[RequestRecord],
    query: &UsageQuery,
    usage: &Usage,
) -> (BTreeMap<String, UsageFigures>, UsageFigures) {
    let mut expected = BTreeMap::<String, Figures>::new();
    let mut total = Figures::default();
    for record in records {
        let second = record.started_at_us.div_euclid(1_000_000);
        let within = (usage.from.timestamp()..usage.to.timestamp()).contains(&second);
        let provider = query.provider.as_deref();
        if !within || provider.is_some_and(|name| record.provider.as_deref() != Some(name)) {
            continue;
        }
        let start = query
            .interval
            .map(|interval| second - second.rem_euclid(interval.seconds()));
        let values = query
            .group_by
            .iter()
            .map(|group| match value(record, *group) {
                value if value == "" => Value::Null,
                value => value,
            });
        let key = json!([start, values.collect::<Vec<_>>()]).to_string();
        expected.entry(key).or_default().add(record);
        total.add(record);
    }
    if query.interval.is_none() && query.group_by.is_empty() && expected.is_empty() {
        expected.insert(json!([null, []]).to_string(), Figures::default());
    }
    let expected = expected.into_iter();
    let expected = expected.map(|(key, figures)| (key, figures.usage()));
    (expected.collect(), total.usage())
}

#[track_caller]
fn assert_adds_up(records: &[RequestRecord], query: &UsageQuery, usage: &Usage) {
    let (expected, total) = by_hand(records, query, usage);
    let rows = usage.rows.iter().map(|row| {
        let start = row.start.map(|start| start.timestamp());
        let values = query.group_by.iter();
        let values: Vec<_> = values.map(|group| &row.group[group.as_str()]).collect();
        (json!([start, values]).to_string(), row.figures.clone())
    });
    let found: BTreeMap<String, UsageFigures> = rows.collect();
    assert_eq!(found.len(), usage.rows.len());
    assert_eq!(found, expected);
    assert_eq!(usage.total, total);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whichever days are summed up, and whatever comes to them later.
    #[test]
    fn any_grouping_adds_up(
        batches in prop::collection::vec(
            (prop::collection::vec((any_record(), 0_i64..5), 1..60), 0_usize..7),
            1..4,
        ),
        group_by in prop::sample::subsequence(UsageGroup::ALL.to_vec(), 0..4),
        interval in prop::option::of(prop::sample::select(Interval::ALL.to_vec())),
        from_minute in -1000_i64..6000,
        minutes in prop_oneof![1_i64..200, 1_i64..9000],
        provider: bool,
    ) {
        block_on(async {
            let database = Database::open().await;
            let mut pending = PendingRollups::default();
            let mut records = Vec::new();
            let over = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::days(6);
            for (batch, days) in batches {
                let batch: Vec<_> = batch.into_iter().map(|(record, day)| on_day(record, day)).collect();
                database.store.commit(&batch, &mut pending, Rollups::Now).await.unwrap();
                for _ in 0..days {
                    database.store.sum_up_day(over).await.unwrap();
                }
                records.extend(batch);
            }
            let from = DateTime::from_timestamp_micros(NOON_US + from_minute * 60_000_000).unwrap();
            let to = from + TimeDelta::minutes(minutes);
            let query = UsageQuery {
                from: Some(from),
                to: Some(to),
                group_by,
                interval,
                provider: provider.then(|| "gpt-4o".to_owned()),
                ..UsageQuery::default()
            };
            let usage = database.store.usage(&query, to).await.unwrap();
            assert!(usage.from <= from && usage.to >= to);
            assert_adds_up(&records, &query, &usage);
        });
    }
}

async fn summed_up(store: &Store) -> Vec<i64> {
    sqlx::query_scalar("SELECT bucket_start_s / 86400 FROM summed_up_days ORDER BY 1")
        .fetch_all(&store.reader())
        .await
        .unwrap()
}

#[tokio::test]
async fn days_that_are_over_are_summed_up_and_opened_again() {
    let database = Database::open().await;
    let store = &database.store;
    let mut pending = PendingRollups::default();
    let mut records: Vec<_> = (0..10)
        .map(|i| record_at(NOON_US + i % 4 * DAY_US + i * 1_000_000))
        .collect();
    store
        .commit(&records, &mut pending, Rollups::Now)
        .await
        .unwrap();
    let first = NOON_US / DAY_US;
    let midnight = DateTime::from_timestamp_micros((first + 3) * DAY_US).unwrap();

    // The third day has ended a moment ago: the latest one that is surely over comes first.
    assert!(store.sum_up_day(midnight).await.unwrap());
    assert_eq!(summed_up(store).await, [first + 1]);
    assert!(store.sum_up_day(midnight).await.unwrap());
    assert!(!store.sum_up_day(midnight).await.unwrap());
    assert_eq!(summed_up(store).await, [first, first + 1]);
    let later = midnight + TimeDelta::hours(1);
    assert!(store.sum_up_day(later).await.unwrap());
    assert!(!store.sum_up_day(later).await.unwrap());
    assert_eq!(summed_up(store).await, [first, first + 1, first + 2]);

    // A record that waited on disk.
    let late = record_at(NOON_US + DAY_US + 500_000);
    store
        .commit(std::slice::from_ref(&late), &mut pending, Rollups::Now)
        .await
        .unwrap();
    records.push(late);
    assert_eq!(summed_up(store).await, [first, first + 2]);
    let query = UsageQuery {
        from: Some(midnight - TimeDelta::days(4)),
        interval: Some(Interval::Day),
        group_by: vec![UsageGroup::Key],
        ..UsageQuery::default()
    };
    let now = midnight + TimeDelta::hours(12);
    let before = store.usage(&query, now).await.unwrap();
    assert_adds_up(&records, &query, &before);
    assert!(store.sum_up_day(later).await.unwrap());
    assert!(!store.sum_up_day(later).await.unwrap());
    assert_eq!(store.usage(&query, now).await.unwrap(), before);

    // The days are what is read: without them there is nothing.
    store.execute("DELETE FROM rollups_day").await;
    let today_s = (first + 3) * 86_400;
    let rest = store.usage(&query, now).await.unwrap();
    assert_eq!(rest.rows.len(), 1);
    assert_eq!(rest.rows[0].start.unwrap().timestamp(), today_s);
}

#[tokio::test]
async fn names_are_anything() {
    let database = Database::open().await;
    let names = ["", "3:abc", "a\0b", "\0", "Ünïcode", "1:", "x' || 1", "  "];
    let records: Vec<_> = (0..64)
        .map(|i| RequestRecord {
            requested_model: Some(names[i % 8].into()),
            key: Some(names[i / 8].into()),
            ..record_at(NOON_US + i as i64)
        })
        .collect();
    let mut pending = PendingRollups::default();
    database
        .store
        .commit(&records, &mut pending, Rollups::Now)
        .await
        .unwrap();
    let query = UsageQuery {
        group_by: vec![UsageGroup::Key, UsageGroup::Model],
        ..UsageQuery::default()
    };
    let now = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::hours(1);
    let usage = database.store.usage(&query, now).await.unwrap();
    assert_eq!(usage.rows.len(), 64);
    assert_adds_up(&records, &query, &usage);
}

#[tokio::test]
async fn where_minutes_are_deleted_hours_answer() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let records: Vec<_> = (0..500)
        .map(|i| record_at(NOON_US + i * 60_000_000))
        .collect();
    database
        .store
        .commit(&records, &mut pending, Rollups::Now)
        .await
        .unwrap();
    let from = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::minutes(90);
    let query = UsageQuery {
        from: Some(from),
        to: Some(from + TimeDelta::minutes(75)),
        ..UsageQuery::default()
    };
    let exactly = database.store.usage(&query, from).await.unwrap();
    assert_eq!(exactly.total.requests, 76);
    database
        .store
        .execute(
            "DELETE FROM rollups_minute WHERE bucket_start_s < \
             (SELECT min(bucket_start_s) + 18000 FROM rollups_minute)",
        )
        .await;
    let widened = database.store.usage(&query, from).await.unwrap();
    assert_adds_up(&records, &query, &widened);
    assert_eq!(widened.total.requests, 120, "from 4:00 to 6:00");
}

#[tokio::test]
async fn an_answer_has_an_end() {
    let database = Database::open().await;
    let records: Vec<_> = (0..10_001)
        .map(|i| record_at(NOON_US + i * 60_000_000))
        .collect();
    for batch in records.chunks(1000) {
        database
            .store
            .commit(batch, &mut PendingRollups::default(), Rollups::Later)
            .await
            .unwrap();
    }
    let mut pending = PendingRollups::default();
    while !database
        .store
        .commit(&[], &mut pending, Rollups::Now)
        .await
        .unwrap()
        .rolled_up
    {}
    let now = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::days(8);
    let mut query = UsageQuery {
        from: Some(now - TimeDelta::days(9)),
        interval: Some(Interval::Minute),
        ..UsageQuery::default()
    };
    let error = database.store.usage(&query, now).await.unwrap_err();
    assert!(matches!(error, UsageError::TooManyRows), "{error}");
    query.interval = Some(Interval::Hour);
    let usage = database.store.usage(&query, now).await.unwrap();
    assert_eq!(usage.total.requests, 10_001);
    assert_eq!(usage.rows.len(), 167);
}
