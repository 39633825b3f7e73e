//! How guardrails fare, and what they would do.

use axum::extract::State;
use axum::response::Response;
use shared::policies::{PolicyApi, TestedText};

use super::answer;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;

/// `POST /api/v1/guardrails/test` with `{"text": "…", "side": "request"}`
pub(in crate::admin) async fn test(State(state): State<AdminState>, body: JsonBody) -> Response {
    match body.parse::<TestedText>() {
        Ok(text) => answer(state.api.test_guardrails(text).await),
        Err(mistake) => mistake.response(),
    }
}

/// `GET /api/v1/guardrails/stats`
pub(in crate::admin) async fn stats(State(state): State<AdminState>) -> Response {
    let stats = state.api.policy_stats().await;
    answer(stats.map(|stats| stats.guardrails))
}
