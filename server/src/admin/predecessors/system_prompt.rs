//! `/admin/systemprompt`: `{"prompt": "…"}`, empty where there is none.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::AdminError;
use shared::policies::{Edit, Policy, PolicyApi, PolicyKind, SystemPrompt};

use super::{created, delete, in_force, posted, refused};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::rest::Conditional;
use crate::config::DEFAULT_PROMPT;

#[derive(Deserialize, Serialize)]
struct Prompt {
    prompt: String,
}

pub(in crate::admin) async fn get(State(state): State<AdminState>) -> Response {
    match current(&*state.api).await {
        Ok(prompt) => {
            let text = prompt.filter(|prompt| prompt.enabled);
            let prompt = text.map(|prompt| prompt.text).unwrap_or_default();
            Json(Prompt { prompt }).into_response()
        }
        Err(error) => refused(&error),
    }
}

pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Response {
    let prompt: Prompt = match posted(&body) {
        Ok(prompt) => prompt,
        Err(response) => return response,
    };
    match change(&*state.api, prompt.prompt, &condition.unconditional()).await {
        Ok(()) => created(json!({"status": "System prompt updated successfully"})),
        Err(error) => refused(&error),
    }
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
