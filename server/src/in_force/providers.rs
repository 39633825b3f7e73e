//! What operators change of providers.

use shared::policies::{FieldError, Policy, PolicyKind, ProviderSettings};

use super::EditError;
use super::secrets::{self, Secretive, Taken};
use super::state::State;
use crate::config::{self, Config, Provider, Secret};
use crate::secrets::{Vault, masked};

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
    let lost = secrets::put_in(&mut settings, name, file, vault);
    let mut provider = config::provider(name, &settings)?;
    let header_lost = lost.iter().any(|field| field.starts_with("headers."));
    if header_lost || !lost.is_empty() && provider.all_keys().is_empty() {
        provider.enabled = false;
    }
    Ok(provider)
}

/// What the configuration says of a provider, secrets masked.
pub(super) fn in_file(provider: &Provider) -> ProviderSettings {
    config::provider_settings(provider, |_, secret| masked(secret.expose()))
}

/// Takes the secrets out of a provider that an operator sent.
///
/// # Errors
/// Something is wrong with it, or there is no key to encrypt secrets with.
pub(super) fn take(
    state: &State,
    name: &str,
    mut settings: ProviderSettings,
) -> Result<Taken, EditError> {
    clean(&mut settings);
    let (vault, sealed) = secrets::take_out(&mut settings, name, state)?;
    provider(name, &settings, state.file(), &vault).map_err(EditError::Invalid)?;
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
    let read = config::provider(name, &secrets::readable(settings))?;
    Ok(config::provider_settings(&read, |field, _| {
        secrets::shown(settings, field)
    }))
}

/// Without what says nothing.
fn clean(settings: &mut ProviderSettings) {
    secrets::trim(settings);
    settings.api_key.take_if(|key| key.is_empty());
    settings.api_keys.retain(|key| !key.is_empty());
    settings.headers.retain(|_, value| !value.is_empty());
}

impl Secretive for ProviderSettings {
    const KIND: PolicyKind = PolicyKind::Provider;

    fn of(policy: &Policy) -> Option<&Self> {
        match policy {
            Policy::Provider(settings) => Some(settings),
            _ => None,
        }
    }

    fn secrets(&self) -> Vec<(String, &str)> {
        self.secrets()
    }

    fn secrets_mut(&mut self) -> Vec<(String, &mut String)> {
        self.secrets_mut()
    }

    fn configured(file: &Config, name: &str) -> Vec<(String, Secret)> {
        let Some(provider) = file.providers.iter().find(|one| one.name == name) else {
            return Vec::new();
        };
        let key = provider.api_key.iter();
        let key = key.map(|key| ("api_key".to_owned(), key.clone()));
        let keys = provider.api_keys.iter().enumerate();
        let keys = keys.map(|(i, key)| (format!("api_keys[{i}]"), key.clone()));
        let headers = provider.headers.iter();
        let headers = headers.map(|(name, value)| (format!("headers.{name}"), value.clone()));
        key.chain(keys).chain(headers).collect()
    }
}
