//! Policies of every kind: read, put, deleted, taken back, and what they were.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use shared::AdminError;
use shared::policies::{Edit, Policy, PolicyApi, PolicyEntry, PolicyKind};

use super::answer;
use super::page::{Page, query};
use super::precondition::{Conditional, tagged};
use crate::admin::AdminState;
use crate::admin::json_body::{JsonBody, Mistake};
use crate::admin::problem::{problem, refusal};

/// The policy that a path means. The kind is the route's; the cache has no name in its path, being one.
#[derive(Clone, Debug)]
pub(in crate::admin) struct Named {
    pub kind: PolicyKind,
    pub name: String,
    /// `/versions/{version}`
    version: Option<u64>,
}

/// `GET /api/v1/{policies}?after=NAME&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    Kind(kind): Kind,
    page: Result<Query<Page>, QueryRejection>,
) -> Response {
    let page = match query(page) {
        Ok(page) => page,
        Err(response) => return response,
    };
    match state.api.policies(kind).await {
        Ok(entries) => page.of(kind, entries),
        Err(error) => refusal(&error),
    }
}

/// `GET /api/v1/{policies}/{name}`
pub(in crate::admin) async fn one(State(state): State<AdminState>, named: Named) -> Response {
    entry(state.api.policy(named.kind, &named.name).await)
}

/// `PUT /api/v1/{policies}/{name}` with the policy's value
pub(in crate::admin) async fn put(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    body: JsonBody,
) -> Response {
    let policy = match policy(named.kind, &body) {
        Ok(policy) => policy,
        Err(mistake) => return mistake.response(),
    };
    let there = state.api.policy(named.kind, &named.name).await;
    let is_new = !there.is_ok_and(|entry| !entry.deleted);
    let put = |edit| put_as(&state, &named, policy, edit);
    let response = edited(&state, &named, &condition, put).await;
    if is_new && response.status() == StatusCode::OK {
        return (StatusCode::CREATED, response).into_response();
    }
    response
}

/// `DELETE /api/v1/{policies}/{name}`
pub(in crate::admin) async fn delete(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
) -> Response {
    edited(&state, &named, &condition, |edit| {
        delete_as(&state, &named, edit)
    })
    .await
}

/// `POST /api/v1/{policies}/{name}/reset`
pub(in crate::admin) async fn reset(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
) -> Response {
    edited(&state, &named, &condition, |edit| {
        reset_as(&state, &named, edit)
    })
    .await
}

/// `GET /api/v1/{policies}/{name}/versions`
pub(in crate::admin) async fn versions(State(state): State<AdminState>, named: Named) -> Response {
    answer(state.api.policy_versions(named.kind, &named.name).await)
}

/// `POST /api/v1/{policies}/{name}/versions/{version}/restore`
pub(in crate::admin) async fn restore(
    State(state): State<AdminState>,
    named: Named,
    mut condition: Conditional,
) -> Response {
    let versions = match state.api.policy_versions(named.kind, &named.name).await {
        Ok(versions) => versions,
        Err(error) => return refusal(&error),
    };
    let wanted = named.version.unwrap_or_default();
    let Some(then) = versions
        .into_iter()
        .find(|version| version.version == wanted)
    else {
        let detail = format!(
            "The {} `{}` has no version {wanted}.",
            named.kind.label(),
            named.name
        );
        return problem(StatusCode::NOT_FOUND, &detail);
    };
    condition.because(|| format!("version {wanted} restored"));
    match then.policy {
        Some(policy) => {
            let put = |edit| put_as(&state, &named, policy, edit);
            edited(&state, &named, &condition, put).await
        }
        None if then.reset => {
            let reset = |edit| reset_as(&state, &named, edit);
            edited(&state, &named, &condition, reset).await
        }
        None => {
            let delete = |edit| delete_as(&state, &named, edit);
            edited(&state, &named, &condition, delete).await
        }
    }
}

/// A policy with its tag; or nothing, where there is none now.
pub(super) fn entry(result: Result<PolicyEntry, AdminError>) -> Response {
    match result {
        Ok(entry) => tagged(Json(&entry).into_response(), &entry),
        Err(error) => refusal(&error),
    }
}

/// Makes an edit if its condition holds.
pub(super) async fn edited<F>(
    state: &AdminState,
    named: &Named,
    condition: &Conditional,
    make: impl FnOnce(Edit) -> F,
) -> Response
where
    F: Future<Output = Result<Response, AdminError>>,
{
    let api: &dyn PolicyApi = &*state.api;
    let edit = match condition.edit(api, named.kind, &named.name).await {
        Ok(edit) => edit,
        Err(response) => return response,
    };
    match make(edit.clone()).await {
        Ok(response) => response,
        Err(error) => {
            condition
                .refusal(api, named.kind, &named.name, &edit, &error)
                .await
        }
    }
}

async fn put_as(
    state: &AdminState,
    named: &Named,
    policy: Policy,
    edit: Edit,
) -> Result<Response, AdminError> {
    let entry = state.api.put_policy(&named.name, policy, edit).await?;
    Ok(self::entry(Ok(entry)))
}

async fn delete_as(state: &AdminState, named: &Named, edit: Edit) -> Result<Response, AdminError> {
    let deleted = state.api.delete_policy(named.kind, &named.name, edit);
    deleted.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn reset_as(state: &AdminState, named: &Named, edit: Edit) -> Result<Response, AdminError> {
    let reset = state.api.reset_policy(named.kind, &named.name, edit);
    Ok(match reset.await? {
        Some(entry) => self::entry(Ok(entry)),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn policy(kind: PolicyKind, body: &JsonBody) -> Result<Policy, Mistake> {
    Ok(match kind {
        PolicyKind::Key => Policy::Key(body.parse()?),
        PolicyKind::Project => Policy::Project(body.parse()?),
        PolicyKind::Limit => Policy::Limit(body.parse()?),
        PolicyKind::Budget => Policy::Budget(body.parse()?),
        PolicyKind::Guardrail => Policy::Guardrail(body.parse()?),
        PolicyKind::SystemPrompt => Policy::SystemPrompt(body.parse()?),
        PolicyKind::Cache => Policy::Cache(body.parse()?),
    })
}

/// The kind of policies that a route is about.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin) struct Kind(pub PolicyKind);

impl<S: Send + Sync> FromRequestParts<S> for Kind {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let kind = parts.extensions.get::<Self>().copied();
        Ok(kind.expect("routes of policies know their kind"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Kind(kind) = Kind::from_request_parts(parts, state).await?;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let Path(mut path) =
            path.map_err(|rejection| problem(StatusCode::BAD_REQUEST, &rejection.body_text()))?;
        let version = match path.remove("version") {
            None => None,
            Some(version) => Some(
                version
                    .parse()
                    .map_err(|_| problem(StatusCode::BAD_REQUEST, "A version is a number."))?,
            ),
        };
        let name = path.remove("name");
        Ok(Self {
            kind,
            name: name.unwrap_or_else(|| kind.as_str().to_owned()),
            version,
        })
    }
}
