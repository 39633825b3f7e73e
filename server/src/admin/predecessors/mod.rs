//! The paths under `/admin` that operators of the Ballerina gateway (<https://github.com/wx-yz/ai-gateway>) know, with
//! its bodies, answers and statuses. Each is a view of policies with fixed names:
//!
//! | path | policies |
//! |---|---|
//! | `ratelimit` | the limit `default`, per address |
//! | `ratelimit/clients` | a limit `client ADDRESS` each, whose clients other limits of this list leave out |
//! | `systemprompt` | the system prompt `default` |
//! | `logging` | the log |
//! | `routes` | the routes of all names |
//! | `guardrails` | the rules `min-length`, `banned-phrases`, `max-length` and `disclaimer` |
//!
//! What is posted is answered with 201, as there; what makes no sense with 400.

pub(super) mod cache;
pub(super) mod egress;
pub(super) mod guardrails;
pub(super) mod logging;
pub(super) mod rate_limit;
pub(super) mod stats;
pub(super) mod system_prompt;

use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::AdminError;
use shared::policies::{FieldError, Policy, PolicyApi, PolicyKind};

use super::AdminState;
use super::json_body::JsonBody;
use super::problem::Problem;
use super::rest::Conditional;
use crate::in_force::{EditError, Edits};

/// What was done, in words, and maybe more.
#[derive(JsonSchema)]
pub(super) struct Status {
    #[expect(dead_code, reason = "answers are written where they are given")]
    status: String,
}

/// A posted body, or a 400.
fn posted<T: DeserializeOwned>(body: &JsonBody) -> Result<T, Problem> {
    body.parse().map_err(Problem::into_bad_request)
}

/// What a `POST` that was obeyed is answered with.
fn created(status: Value) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(status))
}

/// What fields of policies end in, and what they are called here.
const NAMES: [(&str, &str); 11] = [
    ("default.text", "prompt"),
    ("rate.window_seconds", "windowSeconds"),
    ("rate.requests", "requestsPerWindow"),
    ("check.phrases", "bannedPhrases"),
    ("check.min", "minLength"),
    ("check.max", "maxLength"),
    ("check.text", "disclaimer"),
    ("elasticsearch.endpoint", "elasticSearchEndpoint"),
    ("elasticsearch.api_key", "elasticApiKey"),
    ("splunk.endpoint", "splunkEndpoint"),
    ("datadog.endpoint", "datadogEndpoint"),
];

/// Why something was not done. What makes no sense is a bad request here.
fn refused(error: AdminError) -> Problem {
    match error {
        AdminError::Invalid { message, fields } => {
            let fields = fields.into_iter().map(called_here).collect();
            let problem = Problem::about_all(StatusCode::BAD_REQUEST, fields);
            problem.unwrap_or_else(|| Problem::bad_request(message))
        }
        other => other.into(),
    }
}

/// With the name that the field has here; `banned-phrases.check.phrases[0]` is `bannedPhrases[0]`.
fn called_here(mut error: FieldError) -> FieldError {
    let name = |(field, name): &(&str, &str)| {
        let at = error.field.find(field)?;
        Some(format!("{name}{}", &error.field[at + field.len()..]))
    };
    if let Some(name) = NAMES.iter().find_map(name) {
        error.field = name;
    }
    error
}

/// The policy in force; `None` where there is none, or it does not act.
async fn in_force(
    api: &dyn PolicyApi,
    kind: PolicyKind,
    name: &str,
) -> Result<Option<Policy>, AdminError> {
    match api.policy(kind, name).await {
        Ok(entry) => Ok(Some(entry.policy).filter(|_| !entry.deleted)),
        Err(AdminError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a policy, unless that is what holds: what is the file's stays so.
fn put(edits: &mut Edits<'_>, name: &str, policy: Policy) -> Result<(), EditError> {
    if edits.policy(policy.kind(), name).as_ref() == Some(&policy) {
        return Ok(());
    }
    edits.put(name, policy)
}

/// Makes edits that follow from what holds. What others change comes before them or after, never in between.
async fn edit<T: Send + 'static>(
    state: &AdminState,
    condition: &Conditional,
    make: impl FnOnce(&mut Edits<'_>) -> Result<T, EditError> + Send + 'static,
) -> Result<T, Problem> {
    let edit = condition.unconditional();
    let made = state.api.in_force.edit_what_holds(edit, make).await;
    made.map_err(|error| refused(error.into()))
}
