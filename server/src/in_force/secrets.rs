//! The secrets in policies that operators change.
//!
//! In a policy stands what is shown of a secret; the vault has the secret itself. What an operator left as the
//! configuration has it refers to the configuration, so that a key that is replaced there is replaced here.

use std::sync::Arc;

use shared::policies::{FieldError, Policy, PolicyKind};

use super::EditError;
use super::state::State;
use crate::config::{Config, Secret};
use crate::secrets::{SealedSecret, Vault, is_masked, masked};

/// A secret of the configuration's, by its field: `${configuration:api_keys[1]}`.
const CONFIGURED: (&str, &str) = ("${configuration:", "}");

/// A policy's value that has secrets.
pub(super) trait Secretive: Clone {
    const KIND: PolicyKind;

    /// The value, if the policy is of this kind.
    fn of(policy: &Policy) -> Option<&Self>;

    /// Its secrets, each with its field, in the order of the fields.
    fn secrets(&self) -> Vec<(String, &str)>;

    /// The same, to be changed.
    fn secrets_mut(&mut self) -> Vec<(String, &mut String)>;

    /// Those that the configuration has for the policy of this name.
    fn configured(file: &Config, name: &str) -> Vec<(String, Secret)>;
}

/// A policy with its secrets taken out, and where they are now.
pub(super) struct Taken {
    pub policy: Policy,
    pub vault: Arc<Vault>,
    /// To be kept with the change.
    pub sealed: Vec<SealedSecret>,
}

impl Taken {
    /// One that has none, or has had them taken out before.
    pub fn without(state: &State, policy: Policy) -> Self {
        Self {
            policy,
            vault: Arc::clone(state.vault()),
            sealed: Vec::new(),
        }
    }
}

/// Puts the secrets in place of what is shown of them. Gives the fields of those that are lost: they are empty.
pub(super) fn put_in<S: Secretive>(
    value: &mut S,
    name: &str,
    file: &Config,
    vault: &Vault,
) -> Vec<String> {
    let mut lost = Vec::new();
    for (field, value) in value.secrets_mut() {
        let secret = match configured_field(value) {
            Some(field) => configured::<S>(file, name, field),
            None => vault.find(S::KIND.as_str(), name, &field, value).cloned(),
        };
        if secret.is_none() && !value.is_empty() {
            lost.push(field);
        }
        *value = secret.map_or_else(String::new, |secret| secret.expose().to_owned());
    }
    lost
}

/// Puts what is told of the configuration's secrets in place of what refers to them.
pub(super) fn tell<S: Secretive>(value: &mut S, name: &str, file: &Config) {
    for (_, value) in value.secrets_mut() {
        if let Some(field) = configured_field(value) {
            let secret = configured::<S>(file, name, field);
            *value = masked(secret.as_ref().map_or("", Secret::expose));
        }
    }
}

/// Takes the secrets out of what an operator sent. What is masked stands for what is there already.
///
/// # Errors
/// A mask stands for nothing, or there is no key to encrypt secrets with.
pub(super) fn take_out<S: Secretive>(
    value: &mut S,
    name: &str,
    state: &State,
) -> Result<(Arc<Vault>, Vec<SealedSecret>), EditError> {
    let kind = S::KIND.as_str();
    let mut vault = Vault::clone(state.vault());
    let mut sealed = Vec::new();
    let mut errors = Vec::new();
    for (field, value) in value.secrets_mut() {
        if is_masked(value) {
            if let Some(known) = known::<S>(state, name, &field, value) {
                *value = known;
                continue;
            }
            let elsewhere = state.vault().find_anywhere(kind, name, value);
            let Some(secret) = elsewhere else {
                errors.push(FieldError {
                    field,
                    message: "this is what is shown of a secret, and there is none here that is shown so: \
                              send the secret itself"
                        .to_owned(),
                });
                continue;
            };
            *value = secret.expose().to_owned();
        }
        let (shown, new) = vault.add(kind, name, &field, value)?;
        sealed.extend(new);
        *value = shown;
    }
    if !errors.is_empty() {
        return Err(EditError::Invalid(errors));
    }
    Ok((Arc::new(vault), sealed))
}

/// What stands for a policy's secrets, each with its field.
pub(super) fn of(policy: &Policy) -> Vec<(String, &str)> {
    match policy {
        Policy::Provider(provider) => Secretive::secrets(provider),
        Policy::Logging(logging) => Secretive::secrets(logging),
        _ => Vec::new(),
    }
}

/// The fields of a former version whose secrets were deleted.
pub(super) fn deleted(state: &State, name: &str, policy: &Policy) -> Vec<FieldError> {
    let kind = policy.kind().as_str();
    let gone = of(policy).into_iter().filter(|(field, shown)| {
        configured_field(shown).is_none() && !state.vault().has(kind, name, field, shown)
    });
    gone.map(|(field, shown)| FieldError {
        field,
        message: format!(
            "the secret that this version has, {shown}, was deleted: put another one in its place"
        ),
    })
    .collect()
}

/// What a policy has in place of the secret that is shown so in this field.
fn known<S: Secretive>(state: &State, name: &str, field: &str, shown: &str) -> Option<String> {
    let edited = state.overlay().policy(S::KIND, name);
    let now = edited.and_then(|edited| edited.put()).and_then(S::of);
    // What the operator saw there just now.
    if let Some(value) = now {
        let there = value.secrets().into_iter().find(|(of, _)| of == field);
        let there = there.map(|(_, value)| value.to_owned());
        if let Some(value) = there {
            let seen = match configured_field(&value) {
                Some(field) => {
                    let own = configured::<S>(state.file(), name, field);
                    own.map(|own| masked(own.expose()))
                }
                None => Some(value.clone()),
            };
            if seen.as_deref() == Some(shown) {
                return Some(value);
            }
        }
    }
    let of_file = || {
        let secrets = S::configured(state.file(), name);
        let alike = |(_, secret): &&(String, Secret)| masked(secret.expose()) == shown;
        let same = secrets.iter().filter(alike).find(|(of, _)| of == field);
        let found = same.or_else(|| secrets.iter().find(alike));
        found.map(|(field, _)| format!("{}{field}{}", CONFIGURED.0, CONFIGURED.1))
    };
    if now.is_none()
        && let Some(value) = of_file()
    {
        return Some(value);
    }
    if state.vault().has(S::KIND.as_str(), name, field, shown) {
        return Some(shown.to_owned());
    }
    of_file()
}

fn configured_field(value: &str) -> Option<&str> {
    value.strip_prefix(CONFIGURED.0)?.strip_suffix(CONFIGURED.1)
}

fn configured<S: Secretive>(file: &Config, name: &str, field: &str) -> Option<Secret> {
    let mut fields = S::configured(file, name).into_iter();
    fields.find(|(of, _)| of == field).map(|(_, secret)| secret)
}

/// A value whose secrets can be read by the configuration's reader: it takes no masks.
pub(super) fn readable<S: Secretive>(value: &S) -> S {
    let mut readable = value.clone();
    for (i, (_, value)) in readable.secrets_mut().into_iter().enumerate() {
        *value = format!("secret-{i}");
    }
    readable
}

/// What stands for the secret of a field.
pub(super) fn shown<S: Secretive>(value: &S, field: &str) -> String {
    let mut secrets = value.secrets().into_iter();
    let shown = secrets.find(|(other, _)| other == field);
    shown.map_or_else(String::new, |(_, shown)| shown.to_owned())
}

/// Without the line break that files of secrets tend to end in.
pub(super) fn trim<S: Secretive>(value: &mut S) {
    for (_, value) in value.secrets_mut() {
        value.truncate(value.trim_end_matches(['\r', '\n']).len());
    }
}
