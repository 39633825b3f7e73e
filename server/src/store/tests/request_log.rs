//! Looking for requests, against looking at each.

use shared::analytics::{RequestFilter, RequestOutcome, StatusFilter};
use uuid::Uuid;

use super::*;
use crate::recording::record::{CacheOutcome, Outcome};

/// Whether somebody who compares a record with a filter finds it.
fn is_meant(record: &RequestRecord, filter: &RequestFilter) -> bool {
    let same = |wanted: &Option<String>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
    };
    let outcome = match record.outcome {
        Outcome::Finished => RequestOutcome::Finished,
        Outcome::Failed => RequestOutcome::Failed,
        Outcome::Cancelled => RequestOutcome::Cancelled,
    };
    let kind = record.error_kind.map(|kind| kind.as_str());
    let searched = |text: &str| {
        let text = text.to_ascii_lowercase();
        let has = |found: Option<&str>| {
            // SQLite looks at a text up to its first NUL.
            let found = found.and_then(|found| found.split('\0').next());
            found.is_some_and(|found| found.to_ascii_lowercase().contains(&text))
        };
        has(record.requested_model.as_deref())
            || has(record.upstream_model.as_deref())
            || has(record.error_message.as_deref())
    };
    filter
        .from
        .is_none_or(|from| record.started_at_us >= from.timestamp_micros())
        && filter
            .to
            .is_none_or(|to| record.started_at_us < to.timestamp_micros())
        && same(&filter.model, record.requested_model.as_deref())
        && same(&filter.provider, record.provider.as_deref())
        && same(&filter.key, record.key.as_deref())
        && same(&filter.project, record.project.as_deref())
        && same(&filter.dialect, Some(&record.dialect))
        && same(&filter.error_kind, kind)
        && filter.outcome.is_none_or(|wanted| wanted == outcome)
        && filter.status.is_none_or(|status| match status {
            StatusFilter::Exactly(status) => record.status == status,
            StatusFilter::Class(hundreds) => record.status / 100 == hundreds,
        })
        && filter
            .cached
            .is_none_or(|cached| cached == (record.cache == CacheOutcome::Hit))
        && filter
            .shadow
            .is_none_or(|shadow| shadow == record.shadow_of.is_some())
        && filter.search.as_deref().is_none_or(searched)
}

fn name() -> impl Strategy<Value = Option<String>> {
    let names = ["a", "b", "gpt-4o", "Ünïcode", "with 'quote'", "nobody"];
    prop::option::weighted(
        0.3,
        prop::sample::select(names.to_vec()).prop_map(str::to_owned),
    )
}

fn time() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    let within = 0_i64..3 * 3_600_000_000;
    let at = |offset| DateTime::from_timestamp_micros(NOON_US + offset).unwrap();
    prop::option::weighted(0.3, within.prop_map(at))
}

fn any_filter() -> impl Strategy<Value = RequestFilter> {
    let kinds = ["rate_limited", "timeout", "no such kind"];
    let kinds = prop::sample::select(kinds.to_vec()).prop_map(str::to_owned);
    let statuses = prop_oneof![
        (2_u16..6).prop_map(StatusFilter::Class),
        (200_u16..600).prop_map(StatusFilter::Exactly)
    ];
    let texts = prop::sample::select(vec!["gpt", "QUOTE", "%", "_", "' OR 1=1 --", "\\"]);
    let ends = (
        prop::option::weighted(0.2, kinds),
        prop::option::weighted(0.2, statuses),
        prop::option::weighted(0.2, prop::sample::select(RequestOutcome::ALL.to_vec())),
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.2, texts.prop_map(str::to_owned)),
    );
    (time(), time(), name(), name(), name(), name(), ends).prop_map(
        |(from, to, model, provider, key, project, ends)| RequestFilter {
            from,
            to,
            model,
            provider,
            key,
            project,
            error_kind: ends.0,
            status: ends.1,
            outcome: ends.2,
            cached: ends.3,
            shadow: ends.4,
            search: ends.5,
            dialect: None,
        },
    )
}

/// So many records that there are several blocks.
fn many(some: &[RequestRecord]) -> Vec<RequestRecord> {
    let again = some.iter().cycle().take(1500);
    let fresh = |record: &RequestRecord| RequestRecord {
        id: Uuid::now_v7(),
        ..record.clone()
    };
    again.map(fresh).collect()
}

/// All pages, with more records written between them.
async fn pages(
    store: &Store,
    filter: &RequestFilter,
    limit: usize,
    mut between: impl AsyncFnMut(),
) -> Vec<Uuid> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = store.request_log(filter, before, limit).await.unwrap();
        assert!(page.requests.len() <= limit);
        found.extend(page.requests.iter().map(|record| record.id));
        let Some(next) = page.next else {
            return found;
        };
        assert!(before.is_none_or(|before| next < before), "it goes on");
        before = Some(next);
        between().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn every_request_is_on_one_page_while_others_come(
        some in prop::collection::vec(any_record(), 30..60),
        filters in prop::collection::vec(any_filter(), 6),
        limit in 1_usize..200,
        batch in 50_usize..400,
        rolled_up: bool,
    ) {
        block_on(async {
            let database = Database::open().await;
            let mut pending = PendingRollups::default();
            let records = many(&some);
            for (i, batch) in records.chunks(batch).enumerate() {
                let when = if rolled_up || i % 3 == 0 { Rollups::Now } else { Rollups::Later };
                database.store.commit_these(batch, &mut pending, when).await.unwrap();
            }
            let mut there = records;
            for filter in filters.iter().chain([&RequestFilter::default()]) {
                let expected: Vec<Uuid> =
                    there.iter().rev().filter(|record| is_meant(record, filter)).map(|record| record.id).collect();
                // A page of one row each would take long.
                let limit = limit.max(expected.len() / 20);
                let found = pages(&database.store, filter, limit, async || {
                    let more = many(&some[..3]).split_off(1400);
                    database.store.commit_these(&more, &mut pending, Rollups::Now).await.unwrap();
                    there.extend(more);
                })
                .await;
                assert!(found == expected, "{} for {} with {filter:?}", found.len(), expected.len());
            }
        });
    }
}

#[tokio::test]
async fn a_request_is_found_by_its_id() {
    let database = Database::open().await;
    let records: Vec<_> = (0..600).map(|i| record_at(NOON_US + i)).collect();
    let mut pending = PendingRollups::default();
    let store = &database.store;
    store
        .commit_these(&records, &mut pending, Rollups::Now)
        .await
        .unwrap();
    let record = &records[77];
    assert_eq!(
        store.request(record.id).await.unwrap().as_ref(),
        Some(record)
    );
    assert_eq!(store.request(Uuid::now_v7()).await.unwrap(), None);
    for text in [record.id.to_string(), record.id.simple().to_string()] {
        let filter = RequestFilter {
            search: Some(text),
            ..RequestFilter::default()
        };
        let page = store.request_log(&filter, None, 10).await.unwrap();
        assert_eq!(page.requests, std::slice::from_ref(record));
        assert_eq!(page.next, None);
    }
}

#[tokio::test]
async fn blocks_go_with_their_rows() {
    let database = Database::open().await;
    let store = &database.store;
    let mut pending = PendingRollups::default();
    let minute_us = 60_000_000;
    let records: Vec<_> = (0..2000)
        .map(|i| record_at(NOON_US + i * minute_us))
        .collect();
    store
        .commit_these(&records, &mut pending, Rollups::Now)
        .await
        .unwrap();
    let retention = Retention {
        request_days: 1,
        minute_days: 0,
        hour_days: 0,
    };
    let now = DateTime::from_timestamp_micros(NOON_US + 2000 * minute_us).unwrap();
    while store.delete_old(retention, now).await.unwrap() {}
    for sql in [
        "SELECT min(block) FROM request_blocks",
        "SELECT min(block) FROM request_block_names",
        "SELECT min(seq) / 256 FROM requests",
    ] {
        let first: i64 = sqlx::query_scalar(sql)
            .fetch_one(&store.reader())
            .await
            .unwrap();
        assert_eq!(first, (2000 - 24 * 60) / 256, "{sql}");
    }
}
