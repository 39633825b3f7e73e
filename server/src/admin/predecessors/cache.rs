//! `/admin/cache`: what the cache holds, by the answers' ids.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use shared::policies::{CacheEntry, CacheSelection, PolicyApi};

use crate::admin::AdminState;
use crate::admin::problem::Problem;

/// So many answers are told at most.
const MOST: usize = 10_000;

/// `GET /admin/cache`: `{"ID": {"response": {…}, "timestamp": 1763740800}}`. What was said is not told: `choices` is
/// empty.
pub(in crate::admin) async fn entries(
    State(state): State<AdminState>,
) -> Result<Json<BTreeMap<String, Value>>, Problem> {
    let all = CacheSelection::default();
    let entries = state.api.cache_entries(all, MOST).await?.into_iter();
    let entries = entries.map(|one| (one.id.clone(), entry(&one)));
    Ok(Json(entries.collect()))
}

/// `DELETE /admin/cache`
pub(in crate::admin) async fn clear(
    State(state): State<AdminState>,
) -> Result<Json<Value>, Problem> {
    state.api.clear_cache(CacheSelection::default()).await?;
    Ok(Json(json!({"status": "Cache cleared successfully"})))
}

fn entry(entry: &CacheEntry) -> Value {
    let stored = entry.stored_at.timestamp();
    json!({
        "response": {
            "id": entry.id,
            "object": "chat.completion",
            "created": stored,
            "model": entry.model,
            "choices": [],
            "usage": {"total_tokens": entry.tokens},
        },
        "timestamp": stored,
    })
}
