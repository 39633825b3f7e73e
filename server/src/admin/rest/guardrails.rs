//! How guardrails fare, and what they would do.

use axum::Json;
use axum::extract::State;
use shared::policies::{PolicyApi, TestReport, Triggered};

use super::Answer;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;

/// `POST /api/v1/guardrails/test` with `{"text": "…", "side": "request"}`
pub(in crate::admin) async fn test(
    State(state): State<AdminState>,
    body: JsonBody,
) -> Answer<TestReport> {
    Ok(Json(state.api.test_guardrails(body.parse()?).await?))
}

/// `GET /api/v1/guardrails/stats`
pub(in crate::admin) async fn stats(State(state): State<AdminState>) -> Answer<Vec<Triggered>> {
    Ok(Json(state.api.policy_stats().await?.guardrails))
}
