//! What operators change of providers, and the secrets in that.
//!
//! In a policy stands what is shown of a secret; the vault has the secret itself. What an operator left as the
//! configuration has it refers to the configuration, so that a key that is replaced there is replaced here.

use shared::policies::{FieldError, Policy, PolicyKind, ProviderSettings};

use super::{EditError, State};
use crate::config::{self, Config, Provider, Secret};
use crate::secrets::{SealedSecret, Vault, is_masked, masked};

const KIND: &str = "provider";
/// A secret of the configuration's, by its field: `${configuration:api_keys[1]}`.
const CONFIGURED: (&str, &str) = ("${configuration:", "}");

/// A policy with its secrets taken out, and where they are now.
pub(super) struct Taken {
    pub policy: Policy,
    pub vault: Vault,
    /// To be kept with the change.
    pub sealed: Vec<SealedSecret>,
}

/// The provider of an edit, with its secrets. One whose secrets are lost is out of service: without them it would be
/// refused, or worse, served.
///
/// # Errors
/// What is wrong with which field.
pub(super) fn provider(
    name: &str,
    settings: &ProviderSettings,
    file: &Config,
    vault: &Vault,
) -> Result<Provider, Vec<FieldError>> {
    let mut settings = settings.clone();
    let (mut keys_lost, mut headers_lost) = (false, false);
    for (field, value) in settings.secrets_mut() {
        let secret = match configured_field(value) {
            Some(field) => configured(file, name, field),
            None => vault.find(KIND, name, &field, value).cloned(),
        };
        if secret.is_none() && !value.is_empty() {
            let of_header = field.starts_with("headers.");
            headers_lost |= of_header;
            keys_lost |= !of_header;
        }
        *value = secret.map_or_else(String::new, |secret| secret.expose().to_owned());
    }
    let mut provider = config::provider(name, &settings)?;
    if headers_lost || keys_lost && provider.all_keys().is_empty() {
        provider.enabled = false;
    }
    Ok(provider)
}

/// What the configuration says of a provider, secrets masked.
pub(super) fn in_file(provider: &Provider) -> ProviderSettings {
    config::provider_settings(provider, |_, secret| masked(secret.expose()))
}

/// What is told of a policy: secrets of the configuration's are masked like others.
pub(super) fn told(name: &str, mut policy: Policy, file: &Config) -> Policy {
    if let Policy::Provider(settings) = &mut policy {
        for (_, value) in settings.secrets_mut() {
            if let Some(field) = configured_field(value) {
                let secret = configured(file, name, field);
                *value = masked(secret.as_ref().map_or("", Secret::expose));
            }
        }
    }
    policy
}

/// Takes the secrets out of a policy that an operator sent. What is masked stands for what is there already.
///
/// # Errors
/// A mask stands for nothing, or there is no key to encrypt secrets with.
pub(super) fn take(state: &State, name: &str, policy: Policy) -> Result<Taken, EditError> {
    let mut vault = state.vault.clone();
    let mut sealed = Vec::new();
    let Policy::Provider(mut settings) = policy else {
        let policy = super::policies::in_one_form(state, name, policy)?;
        return Ok(Taken {
            policy,
            vault,
            sealed,
        });
    };
    clean(&mut settings);
    let mut errors = Vec::new();
    for (field, value) in settings.secrets_mut() {
        if is_masked(value) {
            if let Some(known) = known(state, name, &field, value) {
                *value = known;
                continue;
            }
            let elsewhere = state.vault.find_anywhere(KIND, name, value);
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
        let (shown, new) = vault.add(KIND, name, &field, value)?;
        sealed.extend(new);
        *value = shown;
    }
    if !errors.is_empty() {
        return Err(EditError::Invalid(errors));
    }
    provider(name, &settings, &state.file, &vault).map_err(EditError::Invalid)?;
    let settings = in_one_form(name, &settings).map_err(EditError::Invalid)?;
    Ok(Taken {
        policy: Policy::Provider(settings),
        vault,
        sealed,
    })
}

/// What is spelt differently is no change.
fn in_one_form(
    name: &str,
    settings: &ProviderSettings,
) -> Result<ProviderSettings, Vec<FieldError>> {
    let mut readable = settings.clone();
    for (i, (_, value)) in readable.secrets_mut().into_iter().enumerate() {
        *value = format!("secret-{i}");
    }
    let read = config::provider(name, &readable)?;
    let shown = settings.secrets();
    Ok(config::provider_settings(&read, |field, _| {
        let shown = shown.iter().find(|(other, _)| other == field);
        shown.map_or_else(String::new, |(_, shown)| (*shown).to_owned())
    }))
}

/// Without what says nothing.
fn clean(settings: &mut ProviderSettings) {
    for (_, value) in settings.secrets_mut() {
        // Files of secrets tend to end in a line break.
        value.truncate(value.trim_end_matches(['\r', '\n']).len());
    }
    settings.api_key.take_if(|key| key.is_empty());
    settings.api_keys.retain(|key| !key.is_empty());
    settings.headers.retain(|_, value| !value.is_empty());
}

/// What a policy has in place of the secret that is shown so in this field.
fn known(state: &State, name: &str, field: &str, shown: &str) -> Option<String> {
    let file = state.file.providers.iter().find(|one| one.name == name);
    let edited = state.overlay.policy(PolicyKind::Provider, name);
    let now = match edited.and_then(|edited| edited.put()) {
        Some(Policy::Provider(settings)) => Some(settings),
        _ => None,
    };
    // What the operator saw there just now.
    if let Some(settings) = now {
        let there = settings.secrets().into_iter().find(|(of, _)| of == field);
        let there = there.map(|(_, value)| value.to_owned());
        if let Some(value) = there {
            let seen = match configured_field(&value) {
                Some(field) => configured(&state.file, name, field).map(|own| masked(own.expose())),
                None => Some(value.clone()),
            };
            if seen.as_deref() == Some(shown) {
                return Some(value);
            }
        }
    }
    let of_file = || {
        let secrets = fields(file?);
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
    if state.vault.has(KIND, name, field, shown) {
        return Some(shown.to_owned());
    }
    of_file()
}

fn configured_field(value: &str) -> Option<&str> {
    value.strip_prefix(CONFIGURED.0)?.strip_suffix(CONFIGURED.1)
}

fn configured(file: &Config, name: &str, field: &str) -> Option<Secret> {
    let provider = file.providers.iter().find(|one| one.name == name)?;
    let mut fields = fields(provider).into_iter();
    fields.find(|(of, _)| of == field).map(|(_, secret)| secret)
}

/// The secrets of a provider by their fields.
fn fields(provider: &Provider) -> Vec<(String, Secret)> {
    let key = provider.api_key.iter();
    let key = key.map(|key| ("api_key".to_owned(), key.clone()));
    let keys = provider.api_keys.iter().enumerate();
    let keys = keys.map(|(i, key)| (format!("api_keys[{i}]"), key.clone()));
    let headers = provider.headers.iter();
    let headers = headers.map(|(name, value)| (format!("headers.{name}"), value.clone()));
    key.chain(keys).chain(headers).collect()
}
