//! What the cache holds.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::policies::{CacheEntry, CacheSelection, CacheStats, PolicyApi};

use super::Answer;
use super::page::clamped;
use crate::admin::AdminState;
use crate::admin::problem::Problem;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Listed {
    model: Option<String>,
    key: Option<String>,
    project: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Cleared {
    model: Option<String>,
    key: Option<String>,
    project: Option<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::admin) struct Deleted {
    deleted: u64,
}

/// `GET /api/v1/cache/entries?model=…&key=…&project=…&limit=N`
pub(in crate::admin) async fn entries(
    State(state): State<AdminState>,
    listed: Result<Query<Listed>, QueryRejection>,
) -> Answer<Vec<CacheEntry>> {
    let Query(listed) = listed?;
    let selection = CacheSelection {
        model: listed.model,
        key: listed.key,
        project: listed.project,
        id: None,
    };
    let limit = clamped(listed.limit);
    Ok(Json(state.api.cache_entries(selection, limit).await?))
}

/// `DELETE /api/v1/cache/entries?model=…&key=…&project=…`: all of them where nothing is said
pub(in crate::admin) async fn clear(
    State(state): State<AdminState>,
    cleared: Result<Query<Cleared>, QueryRejection>,
) -> Answer<Deleted> {
    let Query(cleared) = cleared?;
    let selection = CacheSelection {
        model: cleared.model,
        key: cleared.key,
        project: cleared.project,
        id: None,
    };
    let deleted = state.api.clear_cache(selection).await?;
    Ok(Json(Deleted { deleted }))
}

/// `DELETE /api/v1/cache/entries/{id}`
pub(in crate::admin) async fn delete(
    State(state): State<AdminState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id?;
    let selection = CacheSelection {
        id: Some(id),
        ..CacheSelection::default()
    };
    if state.api.clear_cache(selection).await? == 0 {
        let detail = "There is no such answer in the cache.";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/cache/stats`
pub(in crate::admin) async fn stats(State(state): State<AdminState>) -> Answer<CacheStats> {
    Ok(Json(state.api.policy_stats().await?.cache))
}
