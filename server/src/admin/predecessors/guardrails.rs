//! `/admin/guardrails`: `{bannedPhrases, minLength, maxLength, requireDisclaimer, disclaimer?}`, about replies.
//!
//! Each field is about one rule. A rule whose field is posted as it is told stays as it is, and of the others all stays
//! for which there is no field: what they do, in which order, and about which requests.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::policies::{
    Action, Check, FieldError, Guardrail, Policy, PolicyApi, PolicyKind, Selector, Side,
};

use super::{created, edit, posted};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;
use crate::in_force::{EditError, Edits};

/// What `maxLength` is where nobody has said anything.
const USUAL_MAX_LENGTH: u64 = 500_000;

const KIND: PolicyKind = PolicyKind::Guardrail;

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
    let entries = state.api.policies(KIND).await?;
    let rule = |name: &str| {
        let entry = entries.iter().find(|entry| entry.name == name)?;
        rule_of(entry.policy.clone()).filter(|_| !entry.deleted)
    };
    Ok(Json(told(rule)))
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
    let notes = edit(&state, &condition, |edits| change(edits, rules)).await?;
    let mut done = json!({"status": "Guardrails updated successfully"});
    if !notes.is_empty() {
        done["note"] = json!(notes.join(" "));
    }
    Ok(created(done))
}

/// Makes of the rules what was posted, and says what of it does not act.
fn change(edits: &mut Edits<'_>, rules: Rules) -> Result<Vec<String>, EditError> {
    let now = told(|name| rule_in(edits, name));
    let Rules {
        banned_phrases: mut phrases,
        min_length,
        max_length,
        require_disclaimer,
        disclaimer,
    } = rules;
    // As they are told they may be at odds: two rules say them.
    if min_length > max_length && (min_length, max_length) != (now.min_length, now.max_length) {
        return Err(EditError::Invalid(vec![FieldError {
            field: "minLength".to_owned(),
            message: "it must not be more than maxLength.".to_owned(),
        }]));
    }
    phrases.retain(|phrase| !phrase.trim().is_empty());
    let text = disclaimer.filter(|text| !text.trim().is_empty());
    let mut notes = Vec::new();
    let block = || Action::Block { message: None };

    if min_length != now.min_length {
        if min_length == 0 {
            switch_off(edits, MIN_LENGTH.0)?;
        } else {
            let check = Check::Length {
                min: Some(min_length),
                max: None,
            };
            put(edits, MIN_LENGTH, check, block(), true)?;
        }
    }
    if phrases != now.banned_phrases {
        if phrases.is_empty() {
            switch_off(edits, BANNED_PHRASES.0)?;
        } else {
            let check = Check::Phrases {
                phrases: phrases.clone(),
                whole_word: false,
            };
            put(edits, BANNED_PHRASES, check, block(), true)?;
        }
    }
    // The usual one holds only once somebody has posted it.
    if max_length != now.max_length || rule_in(edits, MAX_LENGTH.0).is_none() {
        let check = Check::Length {
            min: None,
            max: Some(max_length),
        };
        put(edits, MAX_LENGTH, check, Action::Truncate, true)?;
    }
    if (require_disclaimer, &text) != (now.require_disclaimer, &now.disclaimer) {
        match &text {
            // One that is not required is kept, as it was there.
            Some(text) => {
                let check = Check::Disclaimer { text: text.clone() };
                put(edits, DISCLAIMER, check, Action::Append, require_disclaimer)?;
            }
            None if now.disclaimer.is_some() => {
                edits.delete(KIND, DISCLAIMER.0)?;
            }
            None => {}
        }
    }

    for (name, is_wanted) in [
        (MIN_LENGTH.0, min_length > 0),
        (BANNED_PHRASES.0, !phrases.is_empty()),
        (MAX_LENGTH.0, true),
        (DISCLAIMER.0, require_disclaimer && text.is_some()),
    ] {
        let rule = rule_in(edits, name).filter(|_| is_wanted);
        notes.extend(rule.and_then(|rule| hindrance(name, &rule)));
    }
    if require_disclaimer && text.is_none() {
        let note = "Without a disclaimer there is none to require: nothing is appended.";
        notes.push(note.to_owned());
    }
    Ok(notes)
}

/// Why a rule does not do, or not always, what is asked for here.
fn hindrance(name: &str, rule: &Guardrail) -> Option<String> {
    let cuts = matches!(rule.check, Check::Length { max: Some(_), .. });
    let why = if name == MAX_LENGTH.0 && !cuts {
        "looks for something else, and stays as it is"
    } else if !rule.enabled {
        "is switched off, and stays so"
    } else if rule.side == Side::Request {
        "is about requests, not about replies"
    } else if rule.shadow {
        "is in the shadow: it only notes what it finds"
    } else if rule.action == Action::Flag {
        "only notes what it finds"
    } else if !rule.applies_to.is_all() {
        "is about some requests only"
    } else {
        return None;
    };
    Some(format!("The rule `{name}` {why}."))
}

/// Puts a field into its rule, the rest of which stays as it is; `usual`: what a new one does.
fn put(
    edits: &mut Edits<'_>,
    (name, order): (&str, i32),
    check: Check,
    usual: Action,
    enabled: bool,
) -> Result<(), EditError> {
    let Some(before) = rule_in(edits, name) else {
        let rule = Guardrail {
            enabled,
            order,
            applies_to: Selector::default(),
            side: Side::Reply,
            shadow: false,
            check,
            action: usual,
        };
        return edits.put(name, Policy::Guardrail(rule));
    };
    let check = match (check, &before.check) {
        (Check::Phrases { phrases, .. }, Check::Phrases { whole_word, .. }) => Check::Phrases {
            phrases,
            whole_word: *whole_word,
        },
        (
            Check::Length { min, max },
            Check::Length {
                min: least,
                max: most,
            },
        ) => Check::Length {
            min: min.or(*least),
            max: max.or(*most),
        },
        (check @ Check::Disclaimer { .. }, Check::Disclaimer { .. }) => check,
        _ => {
            return Err(EditError::InUse(format!(
                "There is a guardrail `{name}` already, and it looks for something else: delete it first, or leave \
                 what is about it as GET answers it."
            )));
        }
    };
    let rule = Guardrail {
        enabled,
        check,
        ..before
    };
    edits.put(name, Policy::Guardrail(rule))
}

/// Switches a rule off that was told as on. A greatest length stays where it has one beside the least.
fn switch_off(edits: &mut Edits<'_>, name: &str) -> Result<(), EditError> {
    let Some(before) = rule_in(edits, name) else {
        return Ok(());
    };
    let rule = match before.check {
        Check::Length { max: Some(max), .. } => Guardrail {
            check: Check::Length {
                min: None,
                max: Some(max),
            },
            ..before
        },
        _ => Guardrail {
            enabled: false,
            ..before
        },
    };
    edits.put(name, Policy::Guardrail(rule))
}

/// The rules as they are told here.
fn told(rule: impl Fn(&str) -> Option<Guardrail>) -> Rules {
    let enabled = |(name, _): (&str, i32)| {
        let rule = rule(name).filter(|rule| rule.enabled);
        rule.map(|rule| rule.check)
    };
    let banned_phrases = match enabled(BANNED_PHRASES) {
        Some(Check::Phrases { phrases, .. }) => phrases,
        _ => Vec::new(),
    };
    let min_length = match enabled(MIN_LENGTH) {
        Some(Check::Length { min, .. }) => min.unwrap_or_default(),
        _ => 0,
    };
    let max_length = match enabled(MAX_LENGTH) {
        Some(Check::Length { max: Some(max), .. }) => max,
        _ => USUAL_MAX_LENGTH,
    };
    let (require_disclaimer, disclaimer) = match rule(DISCLAIMER.0) {
        Some(Guardrail {
            enabled,
            check: Check::Disclaimer { text },
            ..
        }) => (enabled, Some(text)),
        _ => (false, None),
    };
    Rules {
        banned_phrases,
        min_length,
        max_length,
        require_disclaimer,
        disclaimer,
    }
}

fn rule_in(edits: &Edits<'_>, name: &str) -> Option<Guardrail> {
    rule_of(edits.policy(KIND, name)?)
}

fn rule_of(policy: Policy) -> Option<Guardrail> {
    match policy {
        Policy::Guardrail(rule) => Some(rule),
        _ => None,
    }
}
