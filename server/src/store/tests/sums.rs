//! Days that are summed up answer the same, from their sums.

use shared::analytics::{Interval, StatusFilter, UsageGroup, UsageQuery};

use super::usage::{assert_adds_up, crowd};
use super::*;

/// A day that is summed up. Its second hour has more models than it has sums for, its third nothing.
async fn crowded_hours(store: &Store) -> (Vec<RequestRecord>, DateTime<Utc>) {
    let hour_us = 3_600_000_000;
    let mut records = crowd(NOON_US, 400, 1, [3, 1, 3, 90, 2, 2]);
    records.extend(crowd(NOON_US + hour_us, 20, 2, [7, 1, 1, 20, 1, 1]));
    records.extend(crowd(NOON_US + 3 * hour_us, 400, 3, [3, 1, 3, 90, 2, 2]));
    store
        .commit_these(&records, &mut PendingRollups::default(), Rollups::Now)
        .await
        .unwrap();
    let now = DateTime::from_timestamp_micros(NOON_US).unwrap() + TimeDelta::days(1);
    let later = now + TimeDelta::days(1);
    assert!(store.sum_up_day(later).await.unwrap());
    assert!(!store.sum_up_day(later).await.unwrap());
    (records, now)
}

#[tokio::test]
async fn sums_are_apart_by_what_is_filtered() {
    let database = Database::open().await;
    let (records, now) = crowded_hours(&database.store).await;
    let all = UsageQuery::default;
    let name = |name: &str| Some(name.to_owned());
    let filters = [
        UsageQuery {
            model: name("a"),
            ..all()
        },
        UsageQuery {
            upstream_model: name("b"),
            project: name("a"),
            ..all()
        },
        UsageQuery {
            key: name("key-1"),
            ..all()
        },
        UsageQuery {
            status: Some(StatusFilter::Class(2)),
            ..all()
        },
        UsageQuery {
            status: Some(StatusFilter::Exactly(429)),
            provider: name("a"),
            ..all()
        },
    ];
    for filter in filters {
        for group_by in [
            vec![],
            vec![UsageGroup::Status],
            vec![UsageGroup::Project, UsageGroup::Model],
            vec![UsageGroup::Key],
        ] {
            for interval in [None, Some(Interval::Hour), Some(Interval::Day)] {
                let query = UsageQuery {
                    from: Some(now - TimeDelta::days(2)),
                    group_by: group_by.clone(),
                    interval,
                    ..filter.clone()
                };
                let usage = database.store.usage(&query, now).await.unwrap();
                assert_adds_up(&records, &query, &usage);
                assert!(usage.total.requests > 0);
            }
        }
    }
}

#[tokio::test]
async fn sums_answer_where_they_tell_enough_apart() {
    let database = Database::open().await;
    let store = &database.store;
    let (records, now) = crowded_hours(store).await;
    let query = UsageQuery {
        from: Some(now - TimeDelta::days(2)),
        interval: Some(Interval::Hour),
        group_by: vec![UsageGroup::Project, UsageGroup::Model],
        status: Some(StatusFilter::Class(2)),
        ..UsageQuery::default()
    };
    let usage = store.usage(&query, now).await.unwrap();
    assert_adds_up(&records, &query, &usage);
    let first_s = usage.rows[0].start.unwrap().timestamp();
    let hours: Vec<i64> = sqlx::query_scalar(
        "SELECT (bucket_start_s - ?) / 3600 FROM rollup_sums WHERE width_s = 3600 \
         GROUP BY 1 HAVING max(dimensions & 49 = 49) = 0",
    )
    .bind(first_s)
    .fetch_all(&store.reader())
    .await
    .unwrap();
    assert_eq!(hours, [1], "only this one is read from its rollups");

    // Hours are no longer there, as far as they need not be.
    sqlx::query("DELETE FROM rollups_hour WHERE bucket_start_s <> ? + 3600")
        .bind(first_s)
        .execute(&store.writer())
        .await
        .unwrap();
    assert_eq!(store.usage(&query, now).await.unwrap(), usage);
    store.execute("DELETE FROM rollups_hour").await;
    let rest = store.usage(&query, now).await.unwrap();
    let starts = rest.rows.iter().map(|row| row.start);
    assert!(
        !starts
            .clone()
            .any(|start| start == DateTime::from_timestamp(first_s + 3600, 0))
    );
    assert!(starts.count() > 0);
}
