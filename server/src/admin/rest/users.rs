//! Users of the admin listener.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use shared::access::{AccessApi, UserEntry, UserVersion};

use super::Answer;
use super::page::Cursor;
use super::precondition::{Conditional, versioned};
use crate::access::Operator;
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;

/// `GET /api/v1/users?after=NAME&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    cursor: Result<Query<Cursor>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(cursor) = cursor?;
    let users = state.api.users().await?;
    Ok(cursor.of("/api/v1/users", users, |user| &user.name))
}

/// `GET /api/v1/users/{name}`
pub(in crate::admin) async fn one(
    State(state): State<AdminState>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    Ok(told(&state.api.user(&name).await?))
}

/// `PUT /api/v1/users/{name}` with `{"role": "…", "disabled": false, "password": "…"}`
pub(in crate::admin) async fn put(
    State(state): State<AdminState>,
    name: Result<Path<String>, PathRejection>,
    Extension(operator): Extension<Operator>,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let settings = body.parse()?;
    let there = state.api.user(&name).await.ok();
    let edit = condition.edit_of(there.as_ref().map(|user| user.version), "user", &name)?;
    let put = state
        .api
        .put_user(&name, settings, &operator.grant(), edit.clone())
        .await;
    let now = || state.api.access.user(&name).ok().map(|user| user.version);
    let entry = put.map_err(|error| Conditional::lost(&edit, now(), error))?;
    let status = match there {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    };
    Ok((status, told(&entry)).into_response())
}

/// `DELETE /api/v1/users/{name}`
pub(in crate::admin) async fn delete(
    State(state): State<AdminState>,
    name: Result<Path<String>, PathRejection>,
    Extension(operator): Extension<Operator>,
    condition: Conditional,
) -> Result<StatusCode, Problem> {
    let Path(name) = name?;
    let there = state.api.user(&name).await?;
    let edit = condition.edit_of(Some(there.version), "user", &name)?;
    let deleted = state
        .api
        .delete_user(&name, &operator.grant(), edit.clone())
        .await;
    let now = || state.api.access.user(&name).ok().map(|user| user.version);
    deleted.map_err(|error| Conditional::lost(&edit, now(), error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/users/{name}/versions`
pub(in crate::admin) async fn versions(
    State(state): State<AdminState>,
    name: Result<Path<String>, PathRejection>,
) -> Answer<Vec<UserVersion>> {
    let Path(name) = name?;
    Ok(Json(state.api.user_versions(&name).await?))
}

/// `POST /api/v1/users/{name}/versions/{version}/restore`
pub(in crate::admin) async fn restore(
    State(state): State<AdminState>,
    version: Result<Path<(String, u64)>, PathRejection>,
    Extension(operator): Extension<Operator>,
    condition: Conditional,
) -> Result<Response, Problem> {
    let Path((name, version)) = version?;
    let there = state.api.user(&name).await.ok();
    let edit = condition.edit_of(there.map(|user| user.version), "user", &name)?;
    let restored = state
        .api
        .restore_user(&name, version, &operator.grant(), edit.clone())
        .await;
    let now = || state.api.access.user(&name).ok().map(|user| user.version);
    let restored = restored.map_err(|error| Conditional::lost(&edit, now(), error))?;
    Ok(match restored {
        Some(entry) => told(&entry),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

pub(super) fn told(entry: &UserEntry) -> Response {
    versioned(Json(entry).into_response(), entry.version)
}
