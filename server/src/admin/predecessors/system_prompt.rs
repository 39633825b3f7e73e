//! `/admin/systemprompt`: `{"prompt": "…"}`, empty where there is none.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::AdminError;
use shared::policies::{Edit, Policy, PolicyApi, PolicyKind, SystemPrompt};

use super::{created, delete, in_force, posted, refused};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;
use crate::config::DEFAULT_PROMPT;

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub(in crate::admin) struct Prompt {
    prompt: String,
}

pub(in crate::admin) async fn get(
    State(state): State<AdminState>,
) -> Result<Json<Prompt>, Problem> {
    let prompt = current(&*state.api).await?;
    let prompt = prompt.filter(|prompt| prompt.enabled);
    let prompt = prompt.map(|prompt| prompt.text).unwrap_or_default();
    Ok(Json(Prompt { prompt }))
}

pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let Prompt { prompt } = posted(&body)?;
    let changed = change(&*state.api, prompt, &condition.unconditional()).await;
    changed.map_err(refused)?;
    Ok(created(
        json!({"status": "System prompt updated successfully"}),
    ))
}

/// Everything but the text stays as it is.
async fn change(api: &dyn PolicyApi, text: String, edit: &Edit) -> Result<(), AdminError> {
    if text.trim().is_empty() {
        return delete(api, PolicyKind::SystemPrompt, DEFAULT_PROMPT, edit).await;
    }
    let prompt = SystemPrompt {
        enabled: true,
        text,
        ..current(api).await?.unwrap_or_default()
    };
    let prompt = Policy::SystemPrompt(prompt);
    api.put_policy(DEFAULT_PROMPT, prompt, edit.clone()).await?;
    Ok(())
}

async fn current(api: &dyn PolicyApi) -> Result<Option<SystemPrompt>, AdminError> {
    Ok(
        match in_force(api, PolicyKind::SystemPrompt, DEFAULT_PROMPT).await? {
            Some(Policy::SystemPrompt(prompt)) => Some(prompt),
            _ => None,
        },
    )
}
