//! What operators change of the log.

use shared::policies::{
    Edit, FieldError, LoggingChange, LoggingSettings, Policy, PolicyEntry, PolicyKind,
};

use super::draft::Draft;
use super::policies::{entry, no_such};
use super::secrets::{self, Secretive, Taken};
use super::state::State;
use super::{EditError, InForce};
use crate::config::{self, Config, Logging, Secret};
use crate::secrets::{Vault, masked};

impl InForce {
    /// Changes how much is logged, and how it is written. Where it is shipped stays as it is.
    ///
    /// # Errors
    /// The level makes no sense, somebody else was quicker, or the edit cannot be kept.
    pub async fn change_logging(
        &self,
        change: LoggingChange,
        edit: &Edit,
    ) -> Result<PolicyEntry, EditError> {
        let edit = edit.clone();
        self.edit(move |draft| changed(draft, change, &edit)).await
    }
}

fn changed(
    draft: &mut Draft,
    change: LoggingChange,
    edit: &Edit,
) -> Result<PolicyEntry, EditError> {
    let there = entry(&draft.state, PolicyKind::Logging, LOGGING)?;
    let Policy::Logging(settings) = there.policy else {
        return Err(no_such(PolicyKind::Logging, LOGGING));
    };
    let settings = LoggingSettings {
        level: change.level.unwrap_or(settings.level),
        format: change.format.unwrap_or(settings.format),
        ..settings
    };
    draft.put(LOGGING, Policy::Logging(settings), edit)?;
    entry(&draft.state, PolicyKind::Logging, LOGGING)
}

/// The name of the one there is.
pub(super) const LOGGING: &str = "logging";

/// The log of an edit, with its secrets. Nothing is shipped where a secret is lost that is needed for it.
///
/// # Errors
/// What is wrong with which field.
pub(super) fn logging(
    settings: &LoggingSettings,
    file: &Config,
    vault: &Vault,
) -> Result<Logging, Vec<FieldError>> {
    let mut settings = settings.clone();
    for field in secrets::put_in(&mut settings, LOGGING, file, vault) {
        match field.split_once('.') {
            Some(("elasticsearch", _)) => settings.elasticsearch.enabled = false,
            Some(("splunk", _)) => settings.splunk.enabled = false,
            Some(("datadog", _)) => settings.datadog.enabled = false,
            _ => {}
        }
    }
    config::logging(&settings)
}

/// What the configuration says of the log, secrets masked.
pub(super) fn in_file(logging: &Logging) -> LoggingSettings {
    config::logging_settings(logging, |_, secret| masked(secret.expose()))
}

/// Takes the secrets out of settings that an operator sent.
///
/// # Errors
/// Something is wrong with them, or there is no key to encrypt secrets with.
pub(super) fn take(state: &State, mut settings: LoggingSettings) -> Result<Taken, EditError> {
    secrets::trim(&mut settings);
    for secret in [
        &mut settings.elasticsearch.api_key,
        &mut settings.splunk.token,
        &mut settings.datadog.api_key,
    ] {
        secret.take_if(|secret| secret.is_empty());
    }
    let (vault, sealed) = secrets::take_out(&mut settings, LOGGING, state)?;
    logging(&settings, state.file(), &vault).map_err(EditError::Invalid)?;
    // What is spelt differently is no change.
    let read = config::logging(&secrets::readable(&settings)).map_err(EditError::Invalid)?;
    let settings = config::logging_settings(&read, |field, _| secrets::shown(&settings, field));
    Ok(Taken {
        policy: Policy::Logging(settings),
        vault,
        sealed,
    })
}

impl Secretive for LoggingSettings {
    const KIND: PolicyKind = PolicyKind::Logging;

    fn of(policy: &Policy) -> Option<&Self> {
        match policy {
            Policy::Logging(settings) => Some(settings),
            _ => None,
        }
    }

    fn secrets(&self) -> Vec<(String, &str)> {
        self.secrets()
    }

    fn secrets_mut(&mut self) -> Vec<(String, &mut String)> {
        self.secrets_mut()
    }

    fn configured(file: &Config, _: &str) -> Vec<(String, Secret)> {
        let secrets = file.logging.secrets();
        secrets
            .map(|(field, secret)| (field.to_owned(), secret.clone()))
            .collect()
    }
}
