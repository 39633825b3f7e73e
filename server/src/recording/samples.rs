//! Records for tests.

use std::net::IpAddr;
use std::sync::Arc;

use llm::chat::{Losses, Usage};
use llm::error::{ErrorKind, ErrorSource};
use proptest::option;
use proptest::prelude::*;
use uuid::{NoContext, Timestamp, Uuid};

use super::record::{Attempt, CacheOutcome, Outcome, RequestRecord};

/// 2026-01-02T03:04:05Z.
pub(crate) const NOON_US: i64 = 1_767_323_045_000_000;

/// A streamed request that went well: 5 ms to the first token, 20 ms in all.
pub(crate) fn record_at(started_at_us: i64) -> RequestRecord {
    let started = Timestamp::from_unix(
        NoContext,
        (started_at_us / 1_000_000) as u64,
        (started_at_us % 1_000_000 * 1000) as u32,
    );
    RequestRecord {
        id: Uuid::new_v7(started),
        started_at_us,
        first_token_us: Some(5_000),
        latency_us: 20_000,
        upstream_us: 19_500,
        key: Some("team-a".into()),
        project: None,
        client_address: Some(IpAddr::from([127, 0, 0, 1])),
        dialect: "openai_chat".into(),
        endpoint: "/v1/chat/completions".into(),
        requested_model: Some("gpt-4o".into()),
        provider: Some("openai".into()),
        upstream_model: Some("gpt-4o-2024-08-06".into()),
        stream: true,
        outcome: Outcome::Finished,
        status: 200,
        error_kind: None,
        error_source: None,
        error_message: None,
        attempts: vec![Attempt {
            provider: "openai".into(),
            model: "gpt-4o-2024-08-06".into(),
            started_us: 100,
            duration_us: 4_000,
            status: Some(200),
            error_kind: None,
            hedged: false,
        }],
        usage: Some(Usage {
            input_tokens: 100,
            cached_tokens: 40,
            cache_write_tokens: 10,
            output_tokens: 20,
            reasoning_tokens: 5,
        }),
        usage_estimated: false,
        cost_nanos: Some(450_000),
        cache: CacheOutcome::Miss,
        saved_tokens: None,
        saved_nanos: None,
        finish_reason: Some("stop".into()),
        losses: Losses::default(),
        guardrails: Vec::new(),
        shadow_of: None,
        bytes_in: 1_000,
        bytes_out: 2_000,
    }
}

fn name() -> impl Strategy<Value = Arc<str>> {
    prop::sample::select(vec!["a", "b", "gpt-4o", "Ünïcode", "with 'quote'"]).prop_map(Arc::from)
}

fn error_kind() -> impl Strategy<Value = ErrorKind> {
    prop::sample::select(vec![
        ErrorKind::InvalidRequest,
        ErrorKind::NotFound,
        ErrorKind::RateLimited,
        ErrorKind::UpstreamFailed,
        ErrorKind::Timeout,
    ])
}

fn usage() -> impl Strategy<Value = Usage> {
    let tokens = 0_u64..1 << 40;
    (
        tokens.clone(),
        tokens.clone(),
        tokens.clone(),
        tokens.clone(),
        tokens,
    )
        .prop_map(
            |(input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens)| {
                Usage {
                    input_tokens,
                    cached_tokens,
                    cache_write_tokens,
                    output_tokens,
                    reasoning_tokens,
                }
            },
        )
}

/// Any record within three hours of one another.
pub(crate) fn any_record() -> impl Strategy<Value = RequestRecord> {
    let times = (
        0_i64..3 * 3_600_000_000,
        option::of(0_i64..1 << 34),
        0_i64..1 << 36,
        0_i64..1 << 36,
    );
    let names = (
        option::of(name()),
        option::of(name()),
        option::of(name()),
        option::of(name()),
        option::of(name()),
    );
    let ends = (
        any::<bool>(),
        prop::sample::select(vec![Outcome::Finished, Outcome::Failed, Outcome::Cancelled]),
        option::of(error_kind()),
        option::of(prop::sample::select(vec![
            ErrorSource::Caller,
            ErrorSource::Provider,
        ])),
        option::of(".{0,20}"),
        prop::sample::select(vec![
            CacheOutcome::Bypass,
            CacheOutcome::Hit,
            CacheOutcome::Miss,
        ]),
    );
    let sums = (
        option::of(usage()),
        option::of(0_i64..1 << 50),
        any::<u32>(),
        any::<u32>(),
        200_u16..600,
        option::of(any::<IpAddr>()),
        any::<bool>(),
        prop::collection::vec("[a-z, \"]{0,9}", 0..3),
        option::weighted(0.2, any::<u128>()),
    );
    let attempts = prop::collection::vec(
        (name(), name(), 0_i64..1 << 30, option::of(error_kind())),
        0..3,
    );
    (times, names, ends, sums, attempts).prop_map(|(times, names, ends, sums, attempts)| {
        RequestRecord {
            first_token_us: times.1,
            latency_us: times.2,
            upstream_us: times.3,
            project: names.0.clone(),
            key: names.0,
            requested_model: names.1,
            provider: names.2,
            upstream_model: names.3,
            finish_reason: names.4,
            stream: ends.0,
            outcome: ends.1,
            error_kind: ends.2,
            error_source: ends.3,
            error_message: ends.4,
            cache: ends.5,
            saved_tokens: (ends.5 == CacheOutcome::Hit).then_some(120),
            saved_nanos: (ends.5 == CacheOutcome::Hit).then_some(450_000),
            usage: sums.0,
            usage_estimated: sums.6 && sums.0.is_some(),
            losses: Losses {
                dropped: sums.7.iter().cloned().map(Into::into).collect(),
                emulated: sums.7.into_iter().skip(1).map(Into::into).collect(),
            },
            shadow_of: sums.8.map(Uuid::from_u128),
            cost_nanos: sums.1,
            bytes_in: u64::from(sums.2),
            bytes_out: u64::from(sums.3),
            status: sums.4,
            client_address: sums.5,
            attempts: attempts
                .into_iter()
                .map(|(provider, model, started_us, error_kind)| Attempt {
                    provider,
                    model,
                    started_us,
                    duration_us: started_us / 2,
                    status: error_kind.map(ErrorKind::status),
                    error_kind,
                    hedged: started_us % 2 == 0,
                })
                .collect(),
            ..record_at(NOON_US + times.0)
        }
    })
}
