//! What was used, what it costs, and how the gateway fares.

use axum::Json;
use axum::extract::State;
use shared::analytics::{AnalyticsApi, GatewayHealth, ListedPrice, Usage, UsageQuery};

use super::Answer;
use super::parameters::Parameters;
use super::requests::times;
use crate::admin::AdminState;
use crate::admin::problem::Problem;

/// `GET /api/v1/usage?from=…&to=…&group_by=model,provider,…&interval=minute|hour|day&model=…&provider=…`
/// `&upstream_model=…&key=…&project=…&status=…`
pub(in crate::admin) async fn usage(
    State(state): State<AdminState>,
    mut parameters: Parameters,
) -> Answer<Usage> {
    let (from, to) = times(&mut parameters);
    let query = UsageQuery {
        from,
        to,
        group_by: parameters.list("group_by"),
        interval: parameters.parsed("interval"),
        model: parameters.text("model"),
        provider: parameters.text("provider"),
        upstream_model: parameters.text("upstream_model"),
        key: parameters.text("key"),
        project: parameters.text("project"),
        status: parameters.parsed("status"),
    };
    parameters.end()?;
    let usage = state.api.usage(query).await;
    Ok(Json(usage.map_err(|error| {
        Problem::from(error).into_bad_request()
    })?))
}

/// `GET /api/v1/prices`
pub(in crate::admin) async fn prices(State(state): State<AdminState>) -> Answer<Vec<ListedPrice>> {
    Ok(Json(state.api.prices().await?))
}

/// `GET /api/v1/health`
pub(in crate::admin) async fn health(State(state): State<AdminState>) -> Json<GatewayHealth> {
    Json(state.api.health().await)
}
