//! The gateway itself: figures, status, where requests go.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::AdminApi;
use shared::analytics::OverviewQuery;
use shared::routing::ModelChange;

use super::answer;
use crate::admin::AdminState;
use crate::admin::problem::problem;
use crate::telemetry::metrics;

/// `GET /api/v1/overview?range=24h&provider=…&model=…`
pub(in crate::admin) async fn overview(
    State(state): State<AdminState>,
    query: Result<Query<OverviewQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    match query {
        Ok(Query(query)) => answer(state.api.overview(query).await),
        Err(rejection) => problem(StatusCode::BAD_REQUEST, &rejection.body_text()),
    }
}

/// `GET /api/v1/status`
pub(in crate::admin) async fn status(State(state): State<AdminState>) -> Response {
    answer(state.api.status().await)
}

/// `GET /api/v1/targets`
pub(in crate::admin) async fn targets(State(state): State<AdminState>) -> Response {
    answer(state.api.targets().await)
}

/// `GET /api/v1/models`
pub(in crate::admin) async fn models(State(state): State<AdminState>) -> Response {
    answer(state.api.models().await)
}

/// `PATCH /api/v1/models/{name}` with `{"strategy": "…"}`
pub(in crate::admin) async fn change_model(
    State(state): State<AdminState>,
    Path(name): Path<String>,
    change: Result<Json<ModelChange>, JsonRejection>,
) -> Response {
    match change {
        Ok(Json(change)) => answer(state.api.change_model(&name, change).await),
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

/// `DELETE /api/v1/models/{name}`: of the edits, not of the model
pub(in crate::admin) async fn reset_model(
    State(state): State<AdminState>,
    Path(name): Path<String>,
) -> Response {
    answer(state.api.reset_model(&name).await)
}

/// `GET /metrics`
pub(in crate::admin) async fn metrics(State(state): State<AdminState>) -> Response {
    match state.api.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
