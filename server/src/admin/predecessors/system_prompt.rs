//! `/admin/systemprompt`: `{"prompt": "…"}`, empty where there is none.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::policies::{Policy, PolicyKind, SystemPrompt};

use super::{created, edit, in_force, posted, put};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;
use crate::config::DEFAULT_PROMPT;
use crate::in_force::{EditError, Edits};

const KIND: PolicyKind = PolicyKind::SystemPrompt;

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub(in crate::admin) struct Prompt {
    prompt: String,
}

pub(in crate::admin) async fn get(
    State(state): State<AdminState>,
) -> Result<Json<Prompt>, Problem> {
    let prompt = in_force(&*state.api, KIND, DEFAULT_PROMPT).await?;
    let prompt = prompt.and_then(of_policy).filter(|prompt| prompt.enabled);
    let prompt = prompt.map(|prompt| prompt.text).unwrap_or_default();
    Ok(Json(Prompt { prompt }))
}

pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let Prompt { prompt } = posted(&body)?;
    edit(&state, &condition, |edits| change(edits, prompt)).await?;
    Ok(created(
        json!({"status": "System prompt updated successfully"}),
    ))
}

/// Everything but the text stays as it is; without one, it is switched off.
fn change(edits: &mut Edits<'_>, text: String) -> Result<(), EditError> {
    let before = edits.policy(KIND, DEFAULT_PROMPT).and_then(of_policy);
    let prompt = match (before, text.trim().is_empty()) {
        (None, true) => return Ok(()),
        (Some(before), true) => SystemPrompt {
            enabled: false,
            ..before
        },
        (before, false) => SystemPrompt {
            enabled: true,
            text,
            ..before.unwrap_or_default()
        },
    };
    put(edits, DEFAULT_PROMPT, Policy::SystemPrompt(prompt))
}

fn of_policy(policy: Policy) -> Option<SystemPrompt> {
    match policy {
        Policy::SystemPrompt(prompt) => Some(prompt),
        _ => None,
    }
}
