//! The log: a policy like others, of which a part can be changed by itself.

use axum::extract::State;
use axum::response::Response;
use shared::policies::{LoggingChange, PolicyApi};

use super::policies::{Named, edited, told};
use super::precondition::Conditional;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;

/// `PATCH /api/v1/logging` with `{"level": "…", "format": "…"}`
pub(in crate::admin) async fn change(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let change: LoggingChange = body.parse()?;
    let change = |edit| async {
        let changed = state.api.change_logging(change, edit);
        Ok(told(&changed.await?))
    };
    edited(&state, &named, &condition, change).await
}
