//! Logged payloads.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use shared::payloads::{LoggedPayload, PayloadApi, PayloadStatus};

use super::Answer;
use crate::admin::AdminState;

/// `GET /api/v1/requests/{id}/payload`
pub(in crate::admin) async fn one(
    State(state): State<AdminState>,
    id: Result<Path<String>, PathRejection>,
) -> Answer<LoggedPayload> {
    let Path(id) = id?;
    Ok(Json(state.api.payload(&id).await?))
}

/// `GET /api/v1/payloads/status`
pub(in crate::admin) async fn status(State(state): State<AdminState>) -> Answer<PayloadStatus> {
    Ok(Json(state.api.payload_status().await?))
}
