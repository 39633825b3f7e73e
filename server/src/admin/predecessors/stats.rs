//! `/admin/stats`: the figures of the last 30 days, as the predecessor's dashboard drew them.
//!
//! Rollups know no misses: the cache's hits and misses, which are compared, are both counted since the start.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use shared::analytics::{Overview, OverviewQuery};
use shared::policies::{CacheStats, PolicyApi};
use shared::{GatewayApi, TimeRange};

use crate::admin::AdminState;
use crate::admin::problem::Problem;
use crate::store::Failure;

/// So many errors are told one by one.
const RECENT: u32 = 10;

/// `GET /admin/stats`
pub(in crate::admin) async fn stats(
    State(state): State<AdminState>,
) -> Result<Json<Value>, Problem> {
    let query = OverviewQuery {
        range: TimeRange::Month,
        ..OverviewQuery::default()
    };
    let overview = state.api.overview(query).await?;
    let cache = state.api.policy_stats().await?.cache;
    let failures = state.api.recent_failures(RECENT).await?;
    Ok(Json(told(&overview, &cache, &failures)))
}

fn told(overview: &Overview, cache: &CacheStats, failures: &[Failure]) -> Value {
    let totals = &overview.totals;
    let providers = || overview.providers.iter();
    let failed = totals.errors + totals.cancelled;
    let hit_rate = if totals.requests == 0 {
        0.0
    } else {
        totals.cache_hits as f64 / totals.requests as f64 * 100.0
    };
    let names: Vec<_> = providers().map(|provider| &provider.name).collect();
    let each = |figure: fn(&shared::analytics::Totals) -> u64| -> Vec<u64> {
        providers()
            .map(|provider| figure(&provider.totals))
            .collect()
    };
    let errors = || overview.errors.iter();
    json!({
        "overview": {
            "totalRequests": totals.requests,
            "successfulRequests": totals.requests.saturating_sub(failed),
            "failedRequests": failed,
            "cacheHitRate": hit_rate,
            "totalErrors": totals.errors,
        },
        "requests": {"labels": names, "data": each(|totals| totals.requests)},
        "tokens": {
            "labels": names,
            "inputData": each(|totals| totals.input_tokens),
            "outputData": each(|totals| totals.output_tokens),
            "totalInput": totals.input_tokens,
            "totalOutput": totals.output_tokens,
        },
        "errors": {
            "labels": errors().map(|error| &error.kind).collect::<Vec<_>>(),
            "data": errors().map(|error| error.count).collect::<Vec<_>>(),
            "recent": failures.iter().map(recent).collect::<Vec<_>>(),
        },
        "cache": {"hits": cache.hits, "misses": cache.misses, "size": cache.entries},
    })
}

/// JSON in a string, as it was there.
fn recent(failure: &Failure) -> String {
    json!({
        "timestamp": failure.at.timestamp(),
        "provider": failure.provider.as_deref().unwrap_or_default(),
        "message": failure.message.as_deref().unwrap_or_default(),
        "type": failure.kind,
        "requestId": failure.id,
    })
    .to_string()
}
