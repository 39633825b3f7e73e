//! `/admin/cache`: what the cache holds, by the answers' ids.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use shared::policies::{CacheEntry, CacheSelection, PolicyApi};

use super::refused;
use crate::admin::AdminState;

/// So many answers are told at most.
const MOST: usize = 10_000;

/// `GET /admin/cache`: `{"ID": {"response": {…}, "timestamp": 1763740800}}`. What was said is not told: `choices` is
/// empty.
pub(in crate::admin) async fn entries(State(state): State<AdminState>) -> Response {
    let all = CacheSelection::default();
    match state.api.cache_entries(all, MOST).await {
        Ok(entries) => {
            let entries = entries.into_iter();
            let map: BTreeMap<_, _> = entries.map(|one| (one.id.clone(), entry(&one))).collect();
            Json(map).into_response()
        }
        Err(error) => refused(&error),
    }
}

/// `DELETE /admin/cache`
pub(in crate::admin) async fn clear(State(state): State<AdminState>) -> Response {
    match state.api.clear_cache(CacheSelection::default()).await {
        Ok(_) => Json(json!({"status": "Cache cleared successfully"})).into_response(),
        Err(error) => refused(&error),
    }
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
