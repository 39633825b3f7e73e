//! What an editor is told whose policy somebody else has changed meanwhile.

use shared::AdminError;
use shared::policies::{Edit, FieldError, Policy, PolicyApi, PolicyEntry, PolicyKind};

use super::{moment, rows, write};
use crate::forms::{Conflict, Values};

/// How much of a value is shown, in characters.
const MOST: usize = 4000;

/// What came between the edit and the version that it is about; `None`: nothing did.
///
/// # Errors
/// It could not be asked for.
pub async fn conflict(
    api: &dyn PolicyApi,
    name: &str,
    entered: &Policy,
    values: &Values,
    edit: &Edit,
) -> Result<Option<Conflict>, AdminError> {
    let kind = entered.kind();
    let entry = match api.policy(kind, name).await {
        Ok(entry) => Some(entry),
        Err(AdminError::NotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    let (version, when, who) = match &entry {
        Some(entry) => (entry.version, entry.changed_at, entry.changed_by.clone()),
        // Of what is gone only its versions are left.
        None => match api.policy_versions(kind, name).await {
            Ok(versions) => versions.into_iter().next().map_or((0, None, None), |last| {
                (last.version, Some(last.at), Some(last.by))
            }),
            Err(AdminError::NotFound { .. }) => (0, None, None),
            Err(error) => return Err(error),
        },
    };
    let in_force = entry.filter(|entry| !entry.deleted);
    if edit.seen == Some(version) && !(edit.new && in_force.is_some()) {
        return Ok(None);
    }
    let who = who.as_deref().unwrap_or("Somebody");
    let when = when.map(|at| format!(" at {}", moment(at)));
    let did = match &in_force {
        Some(_) if edit.new => "made",
        Some(_) => "changed",
        None => "deleted",
    };
    let label = kind.label();
    let mut message = format!(
        "{who} {did} the {label} {name}{} while you edited it. What you entered is not saved.",
        when.unwrap_or_default()
    );
    // The secrets of a key go with it.
    let over = (kind != PolicyKind::Key || in_force.is_some()).then_some(version);
    if over.is_none() {
        message.push_str(" A deleted key cannot be saved.");
    }
    Ok(Some(Conflict {
        message,
        over,
        deleted: in_force.is_none(),
        fields: in_force.map_or_else(Vec::new, |entry| differences(entered, values, &entry)),
    }))
}

/// The fields of the form that are not as what is in force has them, each with what that has.
fn differences(entered: &Policy, values: &Values, in_force: &PolicyEntry) -> Vec<FieldError> {
    let (ours, theirs) = (write(entered), write(&in_force.policy));
    let mut names: Vec<&str> = Vec::new();
    for name in theirs.names().chain(ours.names()) {
        if !names.contains(&name) && all(&ours, name) != all(&theirs, name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| FieldError {
            field: rows::in_form(name, values),
            message: shown(&ours, &theirs, name),
        })
        .collect()
}

fn shown(ours: &Values, theirs: &Values, name: &str) -> String {
    let (ours, theirs) = (all(ours, name), all(theirs, name));
    match theirs.as_str() {
        "on" => "yes".to_owned(),
        "" if ours == "on" => "no".to_owned(),
        "" => "nothing".to_owned(),
        long if long.chars().nth(MOST).is_some() => {
            let start: String = long.chars().take(MOST).collect();
            format!("{start}…")
        }
        text => text.to_owned(),
    }
}

/// What is in all fields of a name.
fn all(values: &Values, name: &str) -> String {
    values.all(name).collect::<Vec<_>>().join(", ")
}
