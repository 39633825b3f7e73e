//! A policy as its page shows it: fields, source and versions.

use chrono::{DateTime, Utc};
use shared::AdminError;
use shared::policies::{Policy, PolicyApi, PolicyEntry, PolicyKind, PolicyVersion};

use super::{blank, describe, guardrail, write};
use crate::forms::{Editor, InFile, SourceBadge, Values, Version};

/// The policy of this name, or a new one; `check` is the kind of check that a guardrail gets.
///
/// # Errors
/// There never was a policy of this name, or it could not be asked for.
pub async fn editor(
    api: &dyn PolicyApi,
    kind: PolicyKind,
    name: Option<String>,
    check: &str,
) -> Result<Editor, AdminError> {
    let mut editor = Editor {
        kind,
        name,
        exists: false,
        values: blank(kind, check),
        source: None,
        seen: 0,
        changed: None,
        in_file: None,
        versions: Some(Vec::new()),
        projects: Vec::new(),
        prefixes: Vec::new(),
    };
    if kind == PolicyKind::Key {
        let projects = api.policies(PolicyKind::Project).await?;
        editor.projects = projects.into_iter().map(|entry| entry.name).collect();
    }
    let Some(name) = editor.name.clone() else {
        return Ok(editor);
    };
    let missing = match api.policy(kind, &name).await {
        Ok(entry) => {
            fill(&mut editor, entry, check);
            None
        }
        Err(error @ AdminError::NotFound { .. }) => Some(error),
        Err(error) => return Err(error),
    };
    let versions = match api.policy_versions(kind, &name).await {
        Ok(versions) => versions,
        Err(AdminError::NotFound { .. }) => Vec::new(),
        // What is in force is in memory, and so is what somebody has entered.
        Err(AdminError::Unavailable { .. }) if editor.exists || stands_alone(kind, &name) => {
            editor.versions = None;
            return Ok(editor);
        }
        Err(error) => return Err(error),
    };
    if !editor.exists {
        editor.seen = versions.first().map_or(0, |last| last.version);
    }
    if let Some(error) = missing
        && versions.is_empty()
        && !stands_alone(kind, &name)
    {
        return Err(error);
    }
    let in_force = match editor.source {
        Some(SourceBadge::Edited | SourceBadge::EditedOverFile) => Some(editor.seen),
        _ => None,
    };
    let versions = versions.into_iter();
    editor.versions = Some(versions.map(|version| told(version, in_force)).collect());
    Ok(editor)
}

/// What has a form whether or not there is one.
fn stands_alone(kind: PolicyKind, name: &str) -> bool {
    kind == PolicyKind::Cache || kind == PolicyKind::SystemPrompt && name == "default"
}

fn fill(editor: &mut Editor, entry: PolicyEntry, check: &str) {
    editor.exists = true;
    editor.source = Some(SourceBadge::of(&entry));
    editor.seen = entry.version;
    editor.changed = changed(&entry);
    editor.in_file = entry.in_file.map(|policy| InFile {
        what: describe(&policy),
        value: value(policy),
    });
    editor.values = match &entry.policy {
        Policy::Guardrail(rule)
            if !check.is_empty() && guardrail::kind_of(&rule.check) != check =>
        {
            rekinded(&write(&entry.policy), check)
        }
        policy => write(policy),
    };
    if let Policy::Key(key) = &entry.policy {
        editor.prefixes = key
            .prefixes
            .iter()
            .map(|prefix| {
                let mut text = format!("{}…", prefix.prefix.trim_end_matches('…'));
                match prefix.created_at {
                    Some(time) => text.push_str(&format!(", since {}", moment(time))),
                    None => text.push_str(", from the configuration"),
                }
                if let Some(time) = prefix.expires_at {
                    text.push_str(&format!(", taken until {}", moment(time)));
                }
                text
            })
            .collect();
    }
}

/// A rule's form with another kind of check: all but the check stays.
fn rekinded(values: &Values, check: &str) -> Values {
    let mut new = Values::default();
    new.put("check.kind", check);
    for name in values.names().filter(|name| !name.starts_with("check.")) {
        new.put(name, values.get(name));
    }
    new.put("check.threshold", "5");
    new.put("check.timeout_ms", "2000");
    new
}

fn told(version: PolicyVersion, in_force: Option<u64>) -> Version {
    let what = match &version.policy {
        Some(policy) => describe(policy),
        None if version.reset => "reset to the configuration’s".to_owned(),
        None => "deleted".to_owned(),
    };
    let value = version.policy.map(value);
    Version {
        number: version.version,
        at: moment(version.at),
        by: version.by,
        reason: version.reason,
        in_force: in_force == Some(version.version),
        what,
        value,
    }
}

/// All of it: a text, or JSON.
fn value(policy: Policy) -> String {
    match policy {
        Policy::SystemPrompt(prompt) => prompt.text,
        policy => pretty(&policy),
    }
}

fn pretty(policy: &Policy) -> String {
    let json = policy.to_json();
    serde_json::from_str::<serde_json::Value>(&json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or(json)
}

/// `changed 2026-11-21 14:05 UTC by admin`.
pub fn changed(entry: &PolicyEntry) -> Option<String> {
    let at = moment(entry.changed_at?);
    Some(match &entry.changed_by {
        Some(by) => format!("changed {at} by {by}"),
        None => format!("changed {at}"),
    })
}

/// `2026-11-21 14:05 UTC`.
pub fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
