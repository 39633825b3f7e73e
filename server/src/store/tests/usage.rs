//! Sums by anything, against sums by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::analytics::{Interval, StatusFilter, Usage, UsageFigures, UsageGroup, UsageQuery};

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

fn is_wanted(record: &RequestRecord, query: &UsageQuery) -> bool {
    let names = [
        (UsageGroup::Model, &query.model),
        (UsageGroup::Provider, &query.provider),
        (UsageGroup::UpstreamModel, &query.upstream_model),
        (UsageGroup::Key, &query.key),
        (UsageGroup::Project, &query.project),
    ];
    let mut names = names.into_iter();
    let named = names.all(|(group, name)| {
        name.as_ref()
            .is_none_or(|name| value(record, group) == **name)
    });
    named
        && query.status.is_none_or(|filter| match filter {
            StatusFilter::Exactly(status) => record.status == status,
            StatusFilter::Class(hundreds) => record.status / 100 == hundreds,
        })
}

const NAMES: [&str; 7] = ["a", "b", "gpt-4o", "Ünïcode", "with 'quote'", "1:", ""];

/// Requests of one hour with so many models, providers, upstream models, keys, projects and statuses.
pub(super) fn crowd(start_us: i64, requests: u32, seed: u32, many: [u32; 6]) -> Vec<RequestRecord> {
    let one = |i: u32| {
        let mix = seed
            .wrapping_add(i)
            .wrapping_mul(2_654_435_761)
            .rotate_left(i);
        let of = |dimension: usize| (mix >> (dimension * 4)) % many[dimension];
        let name = |dimension| NAMES.get(of(dimension) as usize).map(|name| (*name).into());
        RequestRecord {
            requested_model: name(0),
            provider: name(1),
            upstream_model: name(2),
            key: Some(format!("key-{}", of(3)).into()),
            project: name(4),
            status: [200, 429, 500, 404][of(5) as usize % 4],
            latency_us: i64::from(mix >> 4),
            cost_nanos: Some(i64::from(mix)),
            ..record_at(start_us + i64::from(i) * 1_000_000)
        }
    };
    (0..requests).map(one).collect()
}

fn any_crowd() -> impl Strategy<Value = Vec<RequestRecord>> {
    let many = (1_u32..5, 1_u32..4, 1_u32..8, 1_u32..90, 1_u32..4, 1_u32..5);
    (0_i64..5, 0_i64..3, 60_u32..400, any::<u32>(), many).prop_map(
        |(day, hour, requests, seed, many)| {
            let start_us = NOON_US + day * DAY_US + hour * 3_600_000_000;
            crowd(start_us, requests, seed, many.into())
        },
    )
}

/// Only what matches these, which something mostly does.
fn any_filter() -> impl Strategy<Value = UsageQuery> {
    let name = || prop::sample::select(vec!["a", "b", "gpt-4o", ""]).prop_map(str::to_owned);
    let status = prop_oneof![
        prop::sample::select(vec![200, 429]).prop_map(StatusFilter::Exactly),
        (2_u16..6).prop_map(StatusFilter::Class),
    ];
    let all = UsageQuery::default;
    let one = prop_oneof![
        name().prop_map(move |name| UsageQuery {
            model: Some(name),
            ..all()
        }),
        name().prop_map(move |name| UsageQuery {
            provider: Some(name),
            ..all()
        }),
        name().prop_map(move |name| UsageQuery {
            upstream_model: Some(name),
            ..all()
        }),
        name().prop_map(move |name| UsageQuery {
            project: Some(name),
            ..all()
        }),
        (0..9).prop_map(move |key| UsageQuery {
            key: Some(format!("key-{key}")),
            ..all()
        }),
    ];
    let filtered = prop_oneof![2 => Just(all()), 5 => one];
    (filtered, prop::option::weighted(0.3, status))
        .prop_map(|(filter, status)| UsageQuery { status, ..filter })
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
        if !within || !is_wanted(record, query) {
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
pub(super) fn assert_adds_up(records: &[RequestRecord], query: &UsageQuery, usage: &Usage) {
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
            (
                prop::collection::vec((any_record(), 0_i64..5), 1..60),
                prop::option::of(any_crowd()),
                0_usize..7,
            ),
            1..4,
        ),
        group_by in prop_oneof![
            3 => prop::sample::subsequence(UsageGroup::ALL.to_vec(), 0..3),
            1 => prop::sample::subsequence(UsageGroup::ALL.to_vec(), 0..=6),
        ]
        .prop_shuffle(),
        interval in prop::option::of(prop::sample::select(Interval::ALL.to_vec())),
        from_minute in -1000_i64..6000,
        minutes in prop_oneof![1_i64..200, 1_i64..9000],
        filter in any_filter(),
    ) {
        block_on(async {
            let database = Database::open().await;
            let mut pending = PendingRollups::default();
            let mut records = Vec::new();
            let over = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::days(6);
            for (batch, crowd, days) in batches {
                let batch = batch.into_iter().map(|(record, day)| on_day(record, day));
                let batch: Vec<_> = batch.chain(crowd.into_iter().flatten()).collect();
                database.store.commit_these(&batch, &mut pending, Rollups::Now).await.unwrap();
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
                ..filter
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
        .commit_these(&records, &mut pending, Rollups::Now)
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
        .commit_these(std::slice::from_ref(&late), &mut pending, Rollups::Now)
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

    // The sums are what is read: without them there is nothing.
    store.execute("DELETE FROM rollup_sums").await;
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
        .commit_these(&records, &mut pending, Rollups::Now)
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
        .commit_these(&records, &mut pending, Rollups::Now)
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
            .commit_these(batch, &mut PendingRollups::default(), Rollups::Later)
            .await
            .unwrap();
    }
    let mut pending = PendingRollups::default();
    while !database
        .store
        .commit_these(&[], &mut pending, Rollups::Now)
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
