//! The gateway itself: figures, status, where requests go.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::GatewayApi;
use shared::analytics::{Overview, OverviewQuery};
use shared::policies::{ConfiguredKey, PolicyApi};
use shared::routing::TargetStatus;
use shared::status::GatewayStatus;

use super::Answer;
use crate::admin::AdminState;
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

/// `GET /api/v1/settings/configuration`: every key of it, and who says so
pub(in crate::admin) async fn configuration(
    State(state): State<AdminState>,
) -> Answer<Vec<ConfiguredKey>> {
    Ok(Json(state.api.configuration().await?))
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
