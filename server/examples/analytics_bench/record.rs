//! Records as they come: mostly the usual, now and then something rare.

use chrono::{DateTime, Utc};
use llm::chat::{Losses, Usage};
use llm::error::{ErrorKind, ErrorSource};
use server::recording::RequestRecord;
use server::recording::record::{Attempt, CacheOutcome, Outcome};
use uuid::{NoContext, Timestamp, Uuid};

pub fn record(time: DateTime<Utc>, i: i64) -> RequestRecord {
    let one_in = |rate: i64, offset: i64| i % rate == offset;
    let combination = i % 50;
    let model = if one_in(10_000, 17) {
        "rare-model".to_owned()
    } else {
        format!("model-{}", combination % 10)
    };
    let provider = if one_in(10_000, 23) {
        "rare-provider".to_owned()
    } else {
        format!("provider-{}", combination / 10)
    };
    let key = if one_in(20_000, 5) {
        "rare-key".to_owned()
    } else {
        format!("key-{}", i * 7 % 1000)
    };
    let overloaded = one_in(5_000, 9);
    let limited = one_in(200, 3);
    let error_kind = match (overloaded, limited) {
        (true, _) => Some(ErrorKind::Overloaded),
        (_, true) => Some(ErrorKind::RateLimited),
        _ => None,
    };
    let cancelled = one_in(2_000, 11);
    let hit = one_in(3_000, 7);
    RequestRecord {
        id: Uuid::new_v7(Timestamp::from_unix(
            NoContext,
            time.timestamp() as u64,
            time.timestamp_subsec_nanos(),
        )),
        started_at_us: time.timestamp_micros(),
        first_token_us: Some(90_000 + i * 7_919 % 400_000),
        latency_us: 200_000 + i % 100_000 * 104_729 % 9_000_000,
        upstream_us: 190_000,
        project: Some(format!("project-{}", i * 7 % 1000 % 20).into()),
        key: Some(key.into()),
        client_address: Some([10, 0, (i % 200) as u8, 1].into()),
        dialect: if one_in(10_000, 31) {
            "gemini".into()
        } else {
            "openai_chat".into()
        },
        endpoint: "/v1/chat/completions".into(),
        requested_model: Some(model.as_str().into()),
        provider: Some(provider.as_str().into()),
        upstream_model: Some(format!("{model}-2026-11").into()),
        stream: i % 2 == 0,
        outcome: match (error_kind, cancelled) {
            (Some(_), _) => Outcome::Failed,
            (None, true) => Outcome::Cancelled,
            (None, false) => Outcome::Finished,
        },
        status: error_kind.map_or(200, ErrorKind::status),
        error_kind,
        error_source: error_kind.map(|_| ErrorSource::Provider),
        error_message: error_kind.map(|kind| format!("the provider says: {kind}")),
        attempts: vec![Attempt {
            provider: provider.as_str().into(),
            model: model.as_str().into(),
            started_us: 120,
            duration_us: 80_000,
            status: Some(200),
            error_kind: None,
            hedged: false,
        }],
        usage_estimated: false,
        shadow_of: None,
        guardrails: Vec::new(),
        saved_tokens: hit.then_some(1500),
        saved_nanos: hit.then_some(4_500_000),
        losses: Losses::default(),
        usage: (error_kind.is_none() && !hit).then_some(Usage {
            input_tokens: 1200,
            cached_tokens: 400,
            cache_write_tokens: 0,
            output_tokens: 300,
            reasoning_tokens: 100,
        }),
        cost_nanos: (error_kind.is_none() && !hit).then_some(4_500_000 + i % 1000),
        cache: if hit {
            CacheOutcome::Hit
        } else {
            CacheOutcome::Miss
        },
        finish_reason: Some("stop".into()),
        bytes_in: 5_000,
        bytes_out: 2_000,
    }
}
