//! Policies of every kind: read, put, deleted, taken back, and what they were.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use shared::AdminError;
use shared::policies::{Edit, Policy, PolicyApi, PolicyEntry, PolicyKind, PolicyVersion};

use super::Answer;
use super::page::Page;
use super::precondition::{Conditional, tagged};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;

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
) -> Result<Response, Problem> {
    let Query(page) = page?;
    page.of(kind, state.api.policies(kind).await?)
}

/// `GET /api/v1/{policies}/{name}`
pub(in crate::admin) async fn one(
    State(state): State<AdminState>,
    named: Named,
) -> Result<Response, Problem> {
    let entry = state.api.policy(named.kind, &named.name).await?;
    Ok(told(&entry))
}

/// `PUT /api/v1/{policies}/{name}` with the policy's value
pub(in crate::admin) async fn put(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let policy = policy(named.kind, &body)?;
    let there = state.api.policy(named.kind, &named.name).await;
    let status = match there {
        Ok(entry) if !entry.deleted => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let put = |edit| put_as(&state, &named, policy, edit);
    let response = edited(&state, &named, &condition, put).await?;
    Ok((status, response).into_response())
}

/// `DELETE /api/v1/{policies}/{name}`
pub(in crate::admin) async fn delete(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
) -> Result<Response, Problem> {
    let delete = |edit| delete_as(&state, &named, edit);
    edited(&state, &named, &condition, delete).await
}

/// `POST /api/v1/{policies}/{name}/reset`
pub(in crate::admin) async fn reset(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
) -> Result<Response, Problem> {
    let reset = |edit| reset_as(&state, &named, edit);
    edited(&state, &named, &condition, reset).await
}

/// `GET /api/v1/{policies}/{name}/versions`
pub(in crate::admin) async fn versions(
    State(state): State<AdminState>,
    named: Named,
) -> Answer<Vec<PolicyVersion>> {
    let versions = state.api.policy_versions(named.kind, &named.name);
    Ok(Json(versions.await?))
}

/// `POST /api/v1/{policies}/{name}/versions/{version}/restore`
pub(in crate::admin) async fn restore(
    State(state): State<AdminState>,
    named: Named,
    condition: Conditional,
) -> Result<Response, Problem> {
    let version = named.version.unwrap_or_default();
    let restore = |edit| async {
        let restored = state
            .api
            .restore_policy(named.kind, &named.name, version, edit);
        Ok(match restored.await? {
            Some(entry) => told(&entry),
            None => StatusCode::NO_CONTENT.into_response(),
        })
    };
    edited(&state, &named, &condition, restore).await
}

/// A policy with its tag.
pub(super) fn told(entry: &PolicyEntry) -> Response {
    tagged(Json(entry).into_response(), entry)
}

/// Makes an edit if its condition holds.
pub(super) async fn edited<F>(
    state: &AdminState,
    named: &Named,
    condition: &Conditional,
    make: impl FnOnce(Edit) -> F,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, AdminError>>,
{
    let api: &dyn PolicyApi = &*state.api;
    let (kind, name) = (named.kind, named.name.as_str());
    let edit = condition.edit(api, kind, name).await?;
    match make(edit.clone()).await {
        Ok(response) => Ok(response),
        Err(error) => Err(condition.refusal(api, kind, name, &edit, error).await),
    }
}

async fn put_as(
    state: &AdminState,
    named: &Named,
    policy: Policy,
    edit: Edit,
) -> Result<Response, AdminError> {
    let put = state.api.put_policy(&named.name, policy, edit);
    Ok(told(&put.await?))
}

async fn delete_as(state: &AdminState, named: &Named, edit: Edit) -> Result<Response, AdminError> {
    let deleted = state.api.delete_policy(named.kind, &named.name, edit);
    deleted.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn reset_as(state: &AdminState, named: &Named, edit: Edit) -> Result<Response, AdminError> {
    let reset = state.api.reset_policy(named.kind, &named.name, edit);
    Ok(match reset.await? {
        Some(entry) => told(&entry),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn policy(kind: PolicyKind, body: &JsonBody) -> Result<Policy, Problem> {
    Ok(match kind {
        PolicyKind::Key => Policy::Key(body.parse()?),
        PolicyKind::Project => Policy::Project(body.parse()?),
        PolicyKind::Limit => Policy::Limit(body.parse()?),
        PolicyKind::Budget => Policy::Budget(body.parse()?),
        PolicyKind::Guardrail => Policy::Guardrail(body.parse()?),
        PolicyKind::SystemPrompt => Policy::SystemPrompt(body.parse()?),
        PolicyKind::Cache => Policy::Cache(body.parse()?),
        PolicyKind::Route => Policy::Route(body.parse()?),
        PolicyKind::Provider => Policy::Provider(body.parse()?),
        PolicyKind::Payloads => Policy::Payloads(body.parse()?),
        PolicyKind::Logging => Policy::Logging(body.parse()?),
        PolicyKind::Model => Policy::Model(body.parse()?),
        PolicyKind::Price => Policy::Price(body.parse()?),
        PolicyKind::Settings => Policy::Settings(body.parse()?),
    })
}

/// The kind of policies that a route is about.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin) struct Kind(pub PolicyKind);

impl<S: Send + Sync> FromRequestParts<S> for Kind {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let kind = parts.extensions.get::<Self>().copied();
        Ok(kind.expect("routes of policies know their kind"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Kind(kind) = Kind::from_request_parts(parts, state).await?;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let Path(mut path) = path?;
        let version = match path.remove("version") {
            None => None,
            Some(version) => Some(
                version
                    .parse()
                    .map_err(|_| Problem::bad_request("A version is a number."))?,
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
