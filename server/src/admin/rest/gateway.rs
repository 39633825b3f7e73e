//! The gateway itself: figures, status, where requests go.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use shared::AdminApi;
use shared::analytics::{Overview, OverviewQuery};
use shared::routing::{ModelChange, ModelRouting, TargetStatus};
use shared::status::GatewayStatus;

use super::Answer;
use crate::access::Operator;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::telemetry::metrics;

/// `GET /api/v1/overview?range=24h&provider=…&model=…`
pub(in crate::admin) async fn overview(
    State(state): State<AdminState>,
    query: Result<Query<OverviewQuery>, QueryRejection>,
) -> Answer<Overview> {
    let Query(query) = query?;
    Ok(Json(state.api.overview(query).await?))
}

/// `GET /api/v1/status`
pub(in crate::admin) async fn status(State(state): State<AdminState>) -> Answer<GatewayStatus> {
    Ok(Json(state.api.status().await?))
}

/// `GET /api/v1/targets`
pub(in crate::admin) async fn targets(
    State(state): State<AdminState>,
) -> Answer<Vec<TargetStatus>> {
    Ok(Json(state.api.targets().await?))
}

/// `GET /api/v1/models`
pub(in crate::admin) async fn models(State(state): State<AdminState>) -> Answer<Vec<ModelRouting>> {
    Ok(Json(state.api.models().await?))
}

/// `PATCH /api/v1/models/{name}` with `{"strategy": "…"}`
pub(in crate::admin) async fn change_model(
    State(state): State<AdminState>,
    Path(name): Path<String>,
    Extension(operator): Extension<Operator>,
    body: JsonBody,
) -> Answer<ModelRouting> {
    let change: ModelChange = body.parse()?;
    Ok(Json(
        state
            .api
            .change_model(&name, change, operator.as_str())
            .await?,
    ))
}

/// `DELETE /api/v1/models/{name}`: of the edits, not of the model
pub(in crate::admin) async fn reset_model(
    State(state): State<AdminState>,
    Path(name): Path<String>,
    Extension(operator): Extension<Operator>,
) -> Answer<ModelRouting> {
    Ok(Json(state.api.reset_model(&name, operator.as_str()).await?))
}

/// `GET /metrics`
pub(in crate::admin) async fn metrics(
    State(state): State<AdminState>,
) -> Result<Response, Problem> {
    let text = state.api.metrics.render();
    let text =
        text.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
