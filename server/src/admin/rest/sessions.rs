//! Sessions: one's own, and for admins all of them.

use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use shared::access::AccessApi;

use super::page::Cursor;
use super::precondition::Conditional;
use crate::access::Operator;
use crate::admin::AdminState;
use crate::admin::problem::Problem;

/// `GET /api/v1/sessions?after=ID&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    cursor: Result<Query<Cursor>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(cursor) = cursor?;
    let mut sessions = state.api.sessions(&operator.grant()).await?;
    // By their ids: those that begin or end meanwhile move no others from page to page.
    sessions.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(cursor.of("/api/v1/sessions", sessions, |session| &session.id))
}

/// `DELETE /api/v1/sessions/{id}`
pub(in crate::admin) async fn end(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    id: Result<Path<String>, PathRejection>,
    condition: Conditional,
) -> Result<StatusCode, Problem> {
    let Path(id) = id?;
    let edit = condition.unconditional();
    state.api.end_session(&id, &operator.grant(), edit).await?;
    Ok(StatusCode::NO_CONTENT)
}
