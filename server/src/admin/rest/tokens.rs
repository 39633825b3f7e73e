//! API tokens: one's own, and for admins all of them.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use shared::access::AccessApi;

use super::page::{Cursor, encoded};
use super::precondition::{Conditional, versioned};
use crate::access::Operator;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;

/// `GET /api/v1/tokens?after=NAME&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    cursor: Result<Query<Cursor>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(cursor) = cursor?;
    let tokens = state.api.tokens(&operator.grant()).await?;
    Ok(cursor.of("/api/v1/tokens", tokens, |token| &token.name))
}

/// `GET /api/v1/tokens/{name}`
pub(in crate::admin) async fn one(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let entry = state.api.token(&name, &operator.grant()).await?;
    Ok(versioned(Json(&entry).into_response(), entry.version))
}

/// `POST /api/v1/tokens` with `{"name": "…", "role": "…", "areas": […], "expires_at": "…", "user": "…"}`
pub(in crate::admin) async fn create(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let token = body.parse()?;
    let grant = operator.grant();
    let made = state
        .api
        .create_token(token, &grant, condition.unconditional())
        .await?;
    let location = format!("/api/v1/tokens/{}", encoded(&made.entry.name));
    let location = HeaderValue::from_str(&location).expect("it is percent-encoded");
    let response = (StatusCode::CREATED, Json(&made)).into_response();
    let mut response = versioned(response, made.entry.version);
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `DELETE /api/v1/tokens/{name}`
pub(in crate::admin) async fn revoke(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    name: Result<Path<String>, PathRejection>,
    condition: Conditional,
) -> Result<StatusCode, Problem> {
    let Path(name) = name?;
    let grant = operator.grant();
    let there = state.api.token(&name, &grant).await?;
    let edit = condition.edit_of(Some(there.version), "API token", &name)?;
    let revoked = state.api.revoke_token(&name, &grant, edit.clone()).await;
    let now = || {
        let token = state.api.access.token(&name, &grant);
        token.ok().map(|token| token.version)
    };
    revoked.map_err(|error| Conditional::lost(&edit, now(), error))?;
    Ok(StatusCode::NO_CONTENT)
}
