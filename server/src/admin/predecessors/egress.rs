//! `/admin/routes`: HTTP APIs that are reached through the gateway, at `/egress/{name}/…`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::policies::{EgressRoute, Policy, PolicyApi, PolicyKind};

use super::{edit, in_force, posted, put};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::admin) struct ServiceRoute {
    name: String,
    endpoint: String,
    #[serde(default = "yes")]
    enable_cache: bool,
    #[serde(default = "yes")]
    enable_rate_limit: bool,
}

fn yes() -> bool {
    true
}

/// `GET /admin/routes`: by name
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
) -> Result<Json<BTreeMap<String, ServiceRoute>>, Problem> {
    let entries = state.api.policies(PolicyKind::Route).await?.into_iter();
    let routes = entries.filter(|entry| !entry.deleted).filter_map(|entry| {
        let route = shown(&entry.name, entry.policy)?;
        Some((entry.name, route))
    });
    Ok(Json(routes.collect()))
}

/// `GET /admin/routes/{name}`
pub(in crate::admin) async fn one(
    State(state): State<AdminState>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<ServiceRoute>, Problem> {
    let Path(name) = name?;
    let policy = in_force(&*state.api, PolicyKind::Route, &name).await?;
    let route = policy.and_then(|policy| shown(&name, policy));
    route.map(Json).ok_or_else(|| unknown(&name))
}

/// `POST /admin/routes`
pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let route: ServiceRoute = posted(&body)?;
    for (value, what) in [(&route.name, "name"), (&route.endpoint, "endpoint")] {
        if value.is_empty() {
            let detail = format!("{what}: a service needs it.");
            return Err(Problem::bad_request(detail));
        }
    }
    let name = route.name.clone();
    edit(&state, &condition, move |edits| {
        let value = Policy::Route(EgressRoute {
            enabled: true,
            endpoint: route.endpoint,
            cache: route.enable_cache,
            rate_limit: route.enable_rate_limit,
        });
        put(edits, &route.name, value)
    })
    .await?;
    let done = format!("Service route configured successfully: {name}");
    Ok((StatusCode::CREATED, done))
}

/// `DELETE /admin/routes/{name}`
pub(in crate::admin) async fn remove(
    State(state): State<AdminState>,
    name: Result<Path<String>, PathRejection>,
    condition: Conditional,
) -> Result<Json<Value>, Problem> {
    let Path(name) = name?;
    let there = name.clone();
    let delete = edit(&state, &condition, move |edits| {
        edits.delete(PolicyKind::Route, &there)
    });
    if !delete.await? {
        return Err(unknown(&name));
    }
    Ok(Json(json!({
        "status": format!("Service route deleted successfully: {name}"),
    })))
}

fn shown(name: &str, policy: Policy) -> Option<ServiceRoute> {
    match policy {
        Policy::Route(route) if route.enabled => Some(ServiceRoute {
            name: name.to_owned(),
            endpoint: route.endpoint,
            enable_cache: route.cache,
            enable_rate_limit: route.rate_limit,
        }),
        _ => None,
    }
}

fn unknown(name: &str) -> Problem {
    let detail = format!("Service route not found: {name}");
    Problem::new(StatusCode::NOT_FOUND, detail)
}
