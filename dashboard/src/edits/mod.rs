//! Policies as forms: what is in the fields, what comes back, and what a policy is in words. On the server only.

mod act;
mod budget;
mod cache;
mod conflict;
mod edited;
mod elements;
mod fields;
mod guardrail;
mod key;
mod prompt;
mod rate;
mod rows;
mod selector;
pub mod units;

pub use act::{Answer, act};
pub use budget::{describe_allowance, period};
pub use cache::scope;
pub use edited::{changed, editor, moment};
pub use fields::Fields;
pub use guardrail::{describe_action, describe_check, describe_side, fresh};
pub use key::restrictions;
pub use prompt::position;
pub use rate::{describe_rate, per};
pub use selector::describe as describe_selector;

use shared::policies::{ClientKey, Policy, PolicyKind, Project, RateLimit, SystemPrompt};

use crate::forms::Values;

/// What is in the fields of a policy's form.
pub fn write(policy: &Policy) -> Values {
    match policy {
        Policy::Key(key) => key::write_key(key),
        Policy::Project(project) => key::write_project(project),
        Policy::Limit(limit) => rate::write(limit),
        Policy::Budget(budget) => budget::write(budget),
        Policy::Guardrail(rule) => guardrail::write(rule),
        Policy::SystemPrompt(prompt) => prompt::write(prompt),
        Policy::Cache(cache) => cache::write(cache),
        _ => Values::default(),
    }
}

/// Whether there are forms for policies of this kind; others are edited over the admin API alone.
pub fn has_form(kind: PolicyKind) -> bool {
    matches!(
        kind,
        PolicyKind::Key
            | PolicyKind::Project
            | PolicyKind::Limit
            | PolicyKind::Budget
            | PolicyKind::Guardrail
            | PolicyKind::SystemPrompt
            | PolicyKind::Cache
    )
}

/// The policy that a form is about. Whatever is wrong is in the fields' errors: then the policy is not to be used.
pub fn read(kind: PolicyKind, fields: &Fields<'_>) -> Policy {
    match kind {
        PolicyKind::Key => Policy::Key(key::read_key(fields)),
        PolicyKind::Project => Policy::Project(key::read_project(fields)),
        PolicyKind::Limit => Policy::Limit(rate::read(fields)),
        PolicyKind::Budget => Policy::Budget(budget::read(fields)),
        PolicyKind::Guardrail => Policy::Guardrail(guardrail::read(fields)),
        PolicyKind::SystemPrompt => Policy::SystemPrompt(prompt::read(fields)),
        PolicyKind::Cache => Policy::Cache(cache::read(fields)),
        _ => unreachable!("{} has no form", kind.label()),
    }
}

/// What is in the fields of a policy that is not there yet.
pub fn blank(kind: PolicyKind, check: &str) -> Values {
    let enabled = true;
    write(&match kind {
        PolicyKind::Guardrail => return fresh(check),
        PolicyKind::Key => Policy::Key(ClientKey {
            enabled,
            ..ClientKey::default()
        }),
        PolicyKind::Project => Policy::Project(Project {
            enabled,
            ..Project::default()
        }),
        PolicyKind::Limit => Policy::Limit(RateLimit {
            enabled,
            ..RateLimit::default()
        }),
        PolicyKind::Budget => Policy::Budget(shared::policies::Budget {
            enabled,
            allowance: shared::policies::Allowance {
                alerts: shared::policies::usual_alerts(),
                ..Default::default()
            },
            ..Default::default()
        }),
        PolicyKind::SystemPrompt => Policy::SystemPrompt(SystemPrompt {
            enabled,
            ..SystemPrompt::default()
        }),
        PolicyKind::Cache => Policy::Cache(shared::policies::CacheSettings::default()),
        _ => return Values::default(),
    })
}

/// A policy in a line.
pub fn describe(policy: &Policy) -> String {
    match policy {
        Policy::Key(key) => key::describe_key(key),
        Policy::Project(project) => key::describe_project(project),
        Policy::Limit(limit) => rate::describe(limit),
        Policy::Budget(budget) => budget::describe(budget),
        Policy::Guardrail(rule) => guardrail::describe(rule),
        Policy::SystemPrompt(prompt) => prompt::describe(prompt),
        Policy::Cache(cache) => cache::describe(cache),
        other => other.kind().label().to_owned(),
    }
}

/// A number for a field.
fn amount(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// The word that a choice has in JSON.
fn word(choice: impl serde::Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The beginning of a text, on one line.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= MOST && line.len() == text.trim_end().len() {
        return line.to_owned();
    }
    let start: String = line.chars().take(MOST).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests;
