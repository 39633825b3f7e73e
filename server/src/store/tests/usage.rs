//! Sums by anything, against sums by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::analytics::{Interval, UsageFigures, UsageGroup, UsageQuery};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_grouping_adds_up(
        records in prop::collection::vec(any_record(), 1..120),
        group_by in prop::sample::subsequence(UsageGroup::ALL.to_vec(), 0..4),
        interval in prop::option::of(prop::sample::select(Interval::ALL.to_vec())),
        from_minute in 0_i64..180,
        provider: bool,
    ) {
        block_on(async {
            let database = Database::open().await;
            let mut pending = PendingRollups::default();
            database.store.commit(&records, &mut pending, Rollups::Now).await.unwrap();
            let from = DateTime::from_timestamp_micros(NOON_US + from_minute * 60_000_000).unwrap();
            let to = from + TimeDelta::minutes(77);
            let query = UsageQuery {
                from: Some(from),
                to: Some(to),
                group_by: group_by.clone(),
                interval,
                provider: provider.then(|| "gpt-4o".to_owned()),
                ..UsageQuery::default()
            };
            let usage = database.store.usage(&query, to).await.unwrap();
            assert!(usage.from <= from && usage.to >= to);
            let mut expected = BTreeMap::<String, Figures>::new();
            let mut total = Figures::default();
            for record in &records {
                let second = record.started_at_us.div_euclid(1_000_000);
                let within = (usage.from.timestamp()..usage.to.timestamp()).contains(&second);
                if !within || (provider && record.provider.as_deref() != Some("gpt-4o")) {
                    continue;
                }
                let start = interval.map(|interval| second - second.rem_euclid(interval.seconds()));
                let values = group_by.iter().map(|group| match value(record, *group) {
                    value if value == "" => Value::Null,
                    value => value,
                });
                let key = json!([start, values.collect::<Vec<_>>()]).to_string();
                expected.entry(key).or_default().add(record);
                total.add(record);
            }
            if interval.is_none() && group_by.is_empty() && expected.is_empty() {
                expected.insert(json!([null, []]).to_string(), Figures::default());
            }
            let expected: BTreeMap<String, UsageFigures> =
                expected.into_iter().map(|(key, figures)| (key, figures.usage())).collect();
            let found: BTreeMap<String, UsageFigures> = usage
                .rows
                .iter()
                .map(|row| {
                    let start = row.start.map(|start| start.timestamp());
                    let values: Vec<_> = group_by.iter().map(|group| &row.group[group.as_str()]).collect();
                    (json!([start, values]).to_string(), row.figures.clone())
                })
                .collect();
            assert_eq!(found.len(), usage.rows.len());
            assert_eq!(found, expected);
            assert_eq!(usage.total, total.usage());
        });
    }
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
