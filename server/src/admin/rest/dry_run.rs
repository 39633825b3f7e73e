//! What would become of a client's request.

use axum::Json;
use axum::extract::State;
use shared::dry_run::{DryRun, DryRunApi};

use super::Answer;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;

/// `POST /api/v1/dry-run` with `{"path": "/v1/chat/completions", "body": {…}}`
pub(in crate::admin) async fn try_out(
    State(state): State<AdminState>,
    body: JsonBody,
) -> Answer<DryRun> {
    Ok(Json(state.api.dry_run(body.parse()?).await?))
}
