//! `/admin/guardrails`: `{bannedPhrases, minLength, maxLength, requireDisclaimer, disclaimer?}`, about replies.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::AdminError;
use shared::policies::{Action, Check, Guardrail, Policy, PolicyApi, PolicyKind, Selector, Side};

use super::{created, edit, in_force, posted};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;
use crate::in_force::{EditError, Edits};

/// What `maxLength` is where nobody has said anything.
const USUAL_MAX_LENGTH: u64 = 500_000;

// In the order in which they act: phrases are looked for in all of a reply, also in what is cut off.
const MIN_LENGTH: (&str, i32) = ("min-length", 10);
const BANNED_PHRASES: (&str, i32) = ("banned-phrases", 20);
const MAX_LENGTH: (&str, i32) = ("max-length", 30);
const DISCLAIMER: (&str, i32) = ("disclaimer", 40);

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Rules {
    banned_phrases: Vec<String>,
    min_length: u64,
    max_length: u64,
    require_disclaimer: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disclaimer: Option<String>,
}

pub(in crate::admin) async fn get(State(state): State<AdminState>) -> Result<Json<Rules>, Problem> {
    Ok(Json(current(&*state.api).await?))
}

pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let rules: Rules = posted(&body)?;
    if rules.max_length == 0 {
        return Err(Problem::bad_request("maxLength: it must be at least 1."));
    }
    if rules.min_length > rules.max_length {
        let detail = "minLength: it must not be more than maxLength.";
        return Err(Problem::bad_request(detail));
    }
    let mut done = json!({"status": "Guardrails updated successfully"});
    if rules.require_disclaimer && rules.disclaimer.is_none() {
        done["note"] = json!("Without a disclaimer there is none to require: nothing is appended.");
    }
    edit(&state, &condition, |edits| change(edits, rules)).await?;
    Ok(created(done))
}

fn change(edits: &mut Edits<'_>, rules: Rules) -> Result<(), EditError> {
    let mut phrases = rules.banned_phrases;
    phrases.retain(|phrase| !phrase.trim().is_empty());
    let phrases = (!phrases.is_empty()).then_some(Check::Phrases {
        phrases,
        whole_word: false,
    });
    let min = (rules.min_length > 0).then_some(Check::Length {
        min: Some(rules.min_length),
        max: None,
    });
    let max = Some(Check::Length {
        min: None,
        max: Some(rules.max_length),
    });
    // A disclaimer that is not required is kept, as it was there.
    let text = rules.disclaimer.filter(|text| !text.trim().is_empty());
    let disclaimer = text.map(|text| Check::Disclaimer { text });
    let block = Action::Block { message: None };
    let required = rules.require_disclaimer;
    for ((name, order), check, action, enabled) in [
        (MIN_LENGTH, min, block.clone(), true),
        (BANNED_PHRASES, phrases, block, true),
        (MAX_LENGTH, max, Action::Truncate, true),
        (DISCLAIMER, disclaimer, Action::Append, required),
    ] {
        let Some(check) = check else {
            edits.delete(PolicyKind::Guardrail, name)?;
            continue;
        };
        let before =
            of_policy(edits.policy(PolicyKind::Guardrail, name)).unwrap_or_else(|| Guardrail {
                enabled,
                order,
                applies_to: Selector::default(),
                side: Side::Reply,
                shadow: false,
                check: check.clone(),
                action: action.clone(),
            });
        // What there is no field for here stays as it is.
        let check = match (check, &before.check) {
            (Check::Phrases { phrases, .. }, Check::Phrases { whole_word, .. }) => Check::Phrases {
                phrases,
                whole_word: *whole_word,
            },
            (check, _) => check,
        };
        let action = match (action, &before.action) {
            (Action::Block { .. }, Action::Block { message }) => Action::Block {
                message: message.clone(),
            },
            (action, _) => action,
        };
        let rule = Guardrail {
            enabled,
            check,
            action,
            ..before
        };
        edits.put(name, Policy::Guardrail(rule))?;
    }
    Ok(())
}

async fn current(api: &dyn PolicyApi) -> Result<Rules, AdminError> {
    let enabled = |rule: Option<Guardrail>| rule.filter(|rule| rule.enabled).map(|rule| rule.check);
    let banned_phrases = match enabled(rule(api, BANNED_PHRASES.0).await?) {
        Some(Check::Phrases { phrases, .. }) => phrases,
        _ => Vec::new(),
    };
    let min_length = match enabled(rule(api, MIN_LENGTH.0).await?) {
        Some(Check::Length { min, .. }) => min.unwrap_or_default(),
        _ => 0,
    };
    let max_length = match enabled(rule(api, MAX_LENGTH.0).await?) {
        Some(Check::Length { max: Some(max), .. }) => max,
        _ => USUAL_MAX_LENGTH,
    };
    let (require_disclaimer, disclaimer) = match rule(api, DISCLAIMER.0).await? {
        Some(Guardrail {
            enabled,
            check: Check::Disclaimer { text },
            ..
        }) => (enabled, Some(text)),
        _ => (false, None),
    };
    Ok(Rules {
        banned_phrases,
        min_length,
        max_length,
        require_disclaimer,
        disclaimer,
    })
}

async fn rule(api: &dyn PolicyApi, name: &str) -> Result<Option<Guardrail>, AdminError> {
    Ok(of_policy(in_force(api, PolicyKind::Guardrail, name).await?))
}

fn of_policy(policy: Option<Policy>) -> Option<Guardrail> {
    match policy {
        Some(Policy::Guardrail(rule)) => Some(rule),
        _ => None,
    }
}
