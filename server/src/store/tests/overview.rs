//! The overview's figures against ones computed by hand.

use llm::error::ErrorKind;
use shared::TimeRange;
use shared::analytics::{ErrorCount, Overview, OverviewQuery, Totals};

use super::*;
use crate::recording::record::{CacheOutcome, Outcome};

async fn overview(database: &Database, range: TimeRange, now: &str) -> Overview {
    let query = OverviewQuery {
        range,
        ..OverviewQuery::default()
    };
    database.store.overview(&query, time(now)).await.unwrap()
}

fn at(text: &str) -> RequestRecord {
    record_at(time(text).timestamp_micros())
}

async fn with(records: &[RequestRecord]) -> Database {
    let database = Database::open().await;
    database
        .store
        .commit_these(records, &mut PendingRollups::default(), Rollups::Now)
        .await
        .unwrap();
    database
}

fn near(value: Option<f64>, truth: f64) -> bool {
    value.is_some_and(|value| (value - truth).abs() <= truth * 0.032)
}

#[tokio::test]
async fn an_empty_database_has_buckets_without_figures() {
    let database = Database::open().await;
    for range in TimeRange::ALL {
        let overview = overview(&database, range, "2026-03-01T10:17:33Z").await;
        assert_eq!(overview.totals, Totals::default());
        assert_eq!(overview.previous, None);
        assert!(overview.models.is_empty() && overview.errors.is_empty());
        let width = i64::from(range.bucket_seconds());
        assert_eq!(
            overview.series.len() as i64,
            i64::from(range.seconds()) / width
        );
        assert_eq!(overview.series[0].start, overview.from);
        for pair in overview.series.windows(2) {
            assert_eq!((pair[1].start - pair[0].start).num_seconds(), width);
            assert_eq!(pair[0].start.timestamp() % width, 0);
        }
        let last = overview.series.last().unwrap().start;
        assert!(last <= overview.until && (overview.until - last).num_seconds() < width);
    }
}

#[tokio::test]
async fn figures_are_those_of_the_range() {
    let failed = RequestRecord {
        outcome: Outcome::Failed,
        error_kind: Some(ErrorKind::RateLimited),
        stream: false,
        usage: None,
        cost_nanos: None,
        provider: Some("anthropic".into()),
        requested_model: Some("claude".into()),
        latency_us: 1_000_000,
        ..at("2026-03-01T10:17:00Z")
    };
    let cancelled = RequestRecord {
        outcome: Outcome::Cancelled,
        cost_nanos: None,
        cache: CacheOutcome::Hit,
        ..at("2026-03-01T09:18:00Z")
    };
    let database = with(&[
        // The range of an hour begins at 09:18.
        at("2026-03-01T09:17:59Z"),
        at("2026-03-01T08:18:00Z"),
        at("2026-03-01T08:17:59Z"),
        cancelled,
        at("2026-03-01T10:16:10Z"),
        at("2026-03-01T10:16:50Z"),
        failed,
    ])
    .await;
    let overview = overview(&database, TimeRange::Hour, "2026-03-01T10:17:33Z").await;
    assert_eq!(overview.from, time("2026-03-01T09:18:00Z"));
    let totals = &overview.totals;
    assert_eq!(totals.requests, 4);
    assert_eq!(
        (totals.errors, totals.cancelled, totals.streamed),
        (1, 1, 3)
    );
    assert_eq!((totals.cache_hits, totals.unpriced), (1, 1));
    assert_eq!((totals.input_tokens, totals.cached_tokens), (300, 120));
    assert_eq!((totals.cache_write_tokens, totals.output_tokens), (30, 60));
    assert_eq!(totals.reasoning_tokens, 15);
    assert_eq!(totals.cost.0, 900_000);
    assert!(near(totals.latency.p50_ms, 20.0), "{totals:?}");
    assert!(near(totals.latency.p99_ms, 1000.0), "{totals:?}");
    assert!(near(totals.time_to_first_token.p95_ms, 5.0), "{totals:?}");
    assert_eq!(
        overview.previous.as_ref().map(|totals| totals.requests),
        Some(2)
    );

    let counts: Vec<u64> = overview
        .series
        .iter()
        .map(|bucket| bucket.totals.requests)
        .collect();
    assert_eq!(
        (counts.len(), counts[0], counts[58], counts[59]),
        (60, 1, 2, 1)
    );
    assert_eq!(counts.iter().sum::<u64>(), 4);
    let shares = |shares: &[shared::analytics::Share]| -> Vec<(String, u64)> {
        shares
            .iter()
            .map(|share| (share.name.clone(), share.totals.requests))
            .collect()
    };
    assert_eq!(
        shares(&overview.models),
        [("gpt-4o".into(), 3), ("claude".into(), 1)]
    );
    assert_eq!(
        shares(&overview.providers),
        [("openai".into(), 3), ("anthropic".into(), 1)]
    );
    assert_eq!(
        overview.errors,
        [ErrorCount {
            kind: "rate_limited".into(),
            count: 1
        }]
    );
}

#[tokio::test]
async fn long_ranges_come_from_hours() {
    let database = with(&[at("2026-03-01T10:17:00Z"), at("2026-02-20T00:00:00Z")]).await;
    database.store.execute("DELETE FROM rollups_minute").await;
    let month = overview(&database, TimeRange::Month, "2026-03-01T10:17:33Z").await;
    assert_eq!(month.totals.requests, 2);
    let week = overview(&database, TimeRange::Week, "2026-03-01T10:17:33Z").await;
    assert_eq!(week.totals.requests, 1);
    assert_eq!(week.series.last().unwrap().totals.requests, 1);
}

#[tokio::test]
async fn one_provider_or_one_model_can_be_chosen() {
    let other = RequestRecord {
        provider: Some("anthropic".into()),
        requested_model: Some("claude".into()),
        ..at("2026-03-01T10:17:00Z")
    };
    let database = with(&[
        at("2026-03-01T10:17:00Z"),
        at("2026-03-01T10:17:01Z"),
        other,
    ])
    .await;
    for (provider, model, requests) in [
        (None, None, 3),
        (Some("openai"), None, 2),
        (None, Some("claude"), 1),
        (Some("openai"), Some("claude"), 0),
    ] {
        let query = OverviewQuery {
            range: TimeRange::Day,
            provider: provider.map(str::to_owned),
            model: model.map(str::to_owned),
        };
        let now = time("2026-03-01T10:17:33Z");
        let overview = database.store.overview(&query, now).await.unwrap();
        assert_eq!(overview.totals.requests, requests, "{query:?}");
        assert_eq!(overview.query, query);
    }
}

#[tokio::test]
async fn many_models_are_cut_to_ten() {
    let records: Vec<_> = (0..12)
        .flat_map(|i| {
            let record = RequestRecord {
                requested_model: Some(format!("model-{i:02}").into()),
                ..at("2026-03-01T10:17:00Z")
            };
            (0..=i).map(move |_| RequestRecord {
                id: uuid::Uuid::now_v7(),
                ..record.clone()
            })
        })
        .collect();
    let database = with(&records).await;
    let overview = overview(&database, TimeRange::Hour, "2026-03-01T10:17:33Z").await;
    assert_eq!(overview.models.len(), 10);
    assert_eq!(overview.models[0].name, "model-11");
    assert_eq!(overview.models[9].name, "model-02");
    assert_eq!(overview.totals.requests, 78);
}

#[tokio::test]
async fn shadows_change_no_figure_but_their_own() {
    let request = at("2026-03-01T10:16:10Z");
    let shadow = RequestRecord {
        shadow_of: Some(request.id),
        provider: Some("candidate".into()),
        outcome: Outcome::Failed,
        error_kind: Some(ErrorKind::RateLimited),
        latency_us: 1_000_000,
        cost_nanos: Some(7),
        ..at("2026-03-01T10:16:11Z")
    };
    let alone = with(std::slice::from_ref(&request)).await;
    let both = with(&[request, shadow]).await;
    let alone = overview(&alone, TimeRange::Hour, "2026-03-01T10:17:33Z").await;
    let mut both = overview(&both, TimeRange::Hour, "2026-03-01T10:17:33Z").await;
    assert_eq!((both.totals.shadows, both.totals.shadow_cost.0), (1, 7));
    assert_eq!(both.providers.len(), 1, "{:?}", both.providers);
    let shares = both.models.iter_mut().chain(&mut both.providers);
    let series = both.series.iter_mut().map(|bucket| &mut bucket.totals);
    let all = shares.map(|share| &mut share.totals).chain(series);
    for totals in all.chain([&mut both.totals]) {
        totals.shadows = 0;
        totals.shadow_cost.0 = 0;
    }
    assert_eq!(both, alone);
}
