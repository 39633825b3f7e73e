//! `/admin/ratelimit`: how many requests each client address has in a window; and what is different for some.
//!
//! An address with a limit of its own has that one, else the one for `*.*.*.*`, else the default
//! ([`crate::limits::single`]).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::AdminError;
use shared::policies::{Per, Policy, PolicyApi, PolicyKind, Rate, RateLimit, Selector};

use super::{created, edit, in_force, posted, put};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;
use crate::in_force::{EditError, Edits};
use crate::limits::single::{self, CLIENT, DEFAULT, address};

const KIND: PolicyKind = PolicyKind::Limit;
/// So many states are told at most.
const MOST_STATES: usize = 10_000;

#[derive(Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::admin) struct Plan {
    name: String,
    requests_per_window: u64,
    window_seconds: u64,
}

/// A plan, or `{}` where there is none.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
pub(in crate::admin) enum Shown {
    On(Plan),
    Off {},
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::admin) struct ClientPlan {
    #[serde(rename = "clientIP")]
    client_ip: String,
    name: String,
    requests_per_window: u64,
    window_seconds: u64,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Used {
    requests: u64,
    /// Seconds since 1970.
    window_start: i64,
}

/// `GET /admin/ratelimit`: `{}` where there is none
pub(in crate::admin) async fn plan(
    State(state): State<AdminState>,
) -> Result<Json<Shown>, Problem> {
    let limit = in_force(&*state.api, KIND, DEFAULT).await?;
    let plan = limit
        .and_then(of_policy)
        .filter(|limit| limit.enabled)
        .and_then(of_limit);
    Ok(Json(plan.map_or(Shown::Off {}, Shown::On)))
}

/// `POST /admin/ratelimit`
pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let plan: Plan = posted(&body)?;
    makes_sense(plan.requests_per_window, plan.window_seconds)?;
    edit(&state, &condition, |edits| {
        let before = edits.policy(KIND, DEFAULT).and_then(of_policy);
        put(edits, DEFAULT, Policy::Limit(planned(before, None, plan)))
    })
    .await?;
    Ok((StatusCode::CREATED, "Rate limit plan updated successfully"))
}

/// `DELETE /admin/ratelimit`
pub(in crate::admin) async fn remove(
    State(state): State<AdminState>,
    condition: Conditional,
) -> Result<&'static str, Problem> {
    edit(&state, &condition, |edits| {
        let limit = edits.policy(KIND, DEFAULT).and_then(of_policy);
        limit.map_or(Ok(()), |limit| switch_off(edits, DEFAULT, limit))
    })
    .await?;
    Ok("Rate limiting disabled")
}

/// `GET /admin/ratelimit/states`: `{"192.0.2.7": {"requests": 3, "windowStart": 1763740800}}`
pub(in crate::admin) async fn states(
    State(state): State<AdminState>,
) -> Result<Json<BTreeMap<String, Used>>, Problem> {
    let mut used = BTreeMap::new();
    for state in state.api.limit_states(MOST_STATES).await? {
        let of_ours = state.limit == DEFAULT || state.limit.starts_with(CLIENT);
        if let (true, Some(address)) = (of_ours, state.subject) {
            let window = i64::try_from(state.rate.window_seconds).unwrap_or(i64::MAX);
            let started = state.resets_at.timestamp().saturating_sub(window);
            used.entry(address).or_insert(Used {
                requests: state.requests_used,
                window_start: started,
            });
        }
    }
    Ok(Json(used))
}

/// `GET /admin/ratelimit/clients`: by address
pub(in crate::admin) async fn clients(
    State(state): State<AdminState>,
) -> Result<Json<BTreeMap<String, ClientPlan>>, Problem> {
    let limits = client_limits(&*state.api).await?;
    let plans = limits.into_iter().filter_map(|(client_ip, limit)| {
        let plan = of_limit(limit)?;
        let plan = ClientPlan {
            client_ip: client_ip.clone(),
            name: plan.name,
            requests_per_window: plan.requests_per_window,
            window_seconds: plan.window_seconds,
        };
        Some((client_ip, plan))
    });
    Ok(Json(plans.collect()))
}

/// `POST /admin/ratelimit/clients`
pub(in crate::admin) async fn set_client(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let posted: ClientPlan = posted(&body)?;
    let client = address(&posted.client_ip).ok_or_else(|| {
        Problem::bad_request("clientIP: it must be an IP address, or *.*.*.* for all.")
    })?;
    makes_sense(posted.requests_per_window, posted.window_seconds)?;
    let plan = Plan {
        name: posted.name,
        requests_per_window: posted.requests_per_window,
        window_seconds: posted.window_seconds,
    };
    edit(&state, &condition, move |edits| {
        let name = format!("{CLIENT}{client}");
        let before = edits.policy(KIND, &name).and_then(of_policy);
        let limit = planned(before, Some(client), plan);
        put(edits, &name, Policy::Limit(limit))
    })
    .await?;
    Ok(created(json!({
        "status": "Client-specific rate limit updated successfully",
        "clientIP": posted.client_ip,
    })))
}

/// `DELETE /admin/ratelimit/clients/{ip}`. One that says more than a plan is only switched off.
pub(in crate::admin) async fn remove_client(
    State(state): State<AdminState>,
    ip: Result<Path<String>, PathRejection>,
    condition: Conditional,
) -> Result<Json<Value>, Problem> {
    let Path(ip) = ip?;
    if let Some(client) = address(&ip) {
        edit(&state, &condition, move |edits| {
            let name = format!("{CLIENT}{client}");
            match edits.policy(KIND, &name).and_then(of_policy) {
                Some(limit) if !is_only_a_plan(&limit, client) => switch_off(edits, &name, limit),
                _ => edits.delete(KIND, &name).map(drop),
            }
        })
        .await?;
    }
    Ok(Json(json!({
        "status": "Client-specific rate limit removed successfully",
        "clientIP": ip,
    })))
}

fn makes_sense(requests: u64, seconds: u64) -> Result<(), Problem> {
    for (field, value) in [("requestsPerWindow", requests), ("windowSeconds", seconds)] {
        if value == 0 {
            let detail = format!("{field}: it must be at least 1.");
            return Err(Problem::bad_request(detail));
        }
    }
    Ok(())
}

/// A limit as a plan. One of tokens is none.
fn of_limit(limit: RateLimit) -> Option<Plan> {
    Some(Plan {
        name: limit.description.unwrap_or_else(|| DEFAULT.to_owned()),
        requests_per_window: limit.rate.requests?,
        window_seconds: limit.rate.window_seconds,
    })
}

/// The limit of a plan; the rest of it stays as it is.
fn planned(before: Option<RateLimit>, client: Option<String>, plan: Plan) -> RateLimit {
    let before = before.unwrap_or_else(|| RateLimit {
        per: Per::Address,
        applies_to: Selector {
            addresses: client.into_iter().collect(),
            ..Selector::default()
        },
        ..RateLimit::default()
    });
    let description = match before.description {
        // It is told as that.
        None if plan.name == DEFAULT => None,
        _ => Some(plan.name),
    };
    RateLimit {
        enabled: true,
        description,
        rate: Rate {
            requests: Some(plan.requests_per_window),
            window_seconds: plan.window_seconds,
            ..before.rate
        },
        ..before
    }
}

/// Whether a client's limit is what its plan would make anew.
fn is_only_a_plan(limit: &RateLimit, client: String) -> bool {
    of_limit(limit.clone()).is_some_and(|plan| planned(None, Some(client), plan) == *limit)
}

/// The rest of it is there when a plan is posted again.
fn switch_off(edits: &mut Edits<'_>, name: &str, limit: RateLimit) -> Result<(), EditError> {
    let limit = RateLimit {
        enabled: false,
        ..limit
    };
    put(edits, name, Policy::Limit(limit))
}

/// The limits of single clients, by their addresses.
async fn client_limits(api: &dyn PolicyApi) -> Result<BTreeMap<String, RateLimit>, AdminError> {
    let entries = api.policies(KIND).await?.into_iter();
    let limits = entries.filter_map(|entry| match entry.policy {
        Policy::Limit(limit) if !entry.deleted && limit.enabled => {
            let client = single::client(&entry.name)?;
            Some((client.to_owned(), limit))
        }
        _ => None,
    });
    Ok(limits.collect())
}

fn of_policy(policy: Policy) -> Option<RateLimit> {
    match policy {
        Policy::Limit(limit) => Some(limit),
        _ => None,
    }
}
