//! What the cache holds.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shared::policies::{CacheSelection, PolicyApi};

use super::answer;
use super::page::{clamped, query};
use crate::admin::AdminState;
use crate::admin::problem::{problem, refusal};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Listed {
    model: Option<String>,
    key: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Cleared {
    model: Option<String>,
    key: Option<String>,
}

#[derive(Serialize)]
struct Deleted {
    deleted: u64,
}

/// `GET /api/v1/cache/entries?model=…&key=…&limit=N`
pub(in crate::admin) async fn entries(
    State(state): State<AdminState>,
    listed: Result<Query<Listed>, QueryRejection>,
) -> Response {
    let listed = match query(listed) {
        Ok(listed) => listed,
        Err(response) => return response,
    };
    let selection = CacheSelection {
        model: listed.model,
        key: listed.key,
        id: None,
    };
    let limit = clamped(listed.limit);
    answer(state.api.cache_entries(selection, limit).await)
}

/// `DELETE /api/v1/cache/entries?model=…&key=…`: all of them where nothing is said
pub(in crate::admin) async fn clear(
    State(state): State<AdminState>,
    cleared: Result<Query<Cleared>, QueryRejection>,
) -> Response {
    let cleared = match query(cleared) {
        Ok(cleared) => cleared,
        Err(response) => return response,
    };
    let selection = CacheSelection {
        model: cleared.model,
        key: cleared.key,
        id: None,
    };
    let deleted = state.api.clear_cache(selection).await;
    answer(deleted.map(|deleted| Deleted { deleted }))
}

/// `DELETE /api/v1/cache/entries/{id}`
pub(in crate::admin) async fn delete(
    State(state): State<AdminState>,
    Path(id): Path<String>,
) -> Response {
    let selection = CacheSelection {
        id: Some(id),
        ..CacheSelection::default()
    };
    match state.api.clear_cache(selection).await {
        Ok(0) => problem(
            StatusCode::NOT_FOUND,
            "There is no such answer in the cache.",
        ),
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refusal(&error),
    }
}

/// `GET /api/v1/cache/stats`
pub(in crate::admin) async fn stats(State(state): State<AdminState>) -> Response {
    match state.api.policy_stats().await {
        Ok(stats) => Json(stats.cache).into_response(),
        Err(error) => refusal(&error),
    }
}
