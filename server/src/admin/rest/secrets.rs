//! Secrets that policies had before.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::policies::PolicyApi;

use super::policies::{Named, edited};
use super::precondition::Conditional;
use crate::admin::AdminState;
use crate::admin::problem::Problem;

#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::admin) struct Deleted {
    /// How many secrets there were.
    deleted: u64,
}

/// `DELETE /api/v1/providers/{name}/secrets/former`, `DELETE /api/v1/logging/secrets/former`
pub(in crate::admin) async fn delete_former(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
) -> Result<Response, Problem> {
    let delete = |edit| async {
        let (kind, name) = (named.kind, &named.name);
        let deleted = state.api.delete_former_secrets(kind, name, edit).await?;
        Ok(Json(Deleted { deleted }).into_response())
    };
    edited(&state, &named, &condition, delete).await
}
