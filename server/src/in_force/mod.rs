//! The configuration in force: the file's, with what operators have changed since. An edit is in the database before
//! it is acknowledged, holds from the next request on, and outlives restarts and reloads.

mod check;
mod draft;
mod error;
mod keys;
mod logging;
mod models;
mod overlay;
mod policies;
mod providers;
mod secrets;

pub use error::EditError;
pub use overlay::Overlay;

use std::sync::Arc;

use shared::policies::ConfiguredKey;
use tokio::sync::Mutex;

use self::draft::Draft;
use crate::auth::KeySecrets;
use crate::config::{Config, Effective};
use crate::gateway::Gateway;
use crate::policies::{Policies, PolicyError};
use crate::secrets::Vault;
use crate::store::{Retention, Store};
use crate::telemetry::logs::Log;

/// The file's configuration and its edits. Changes take turns.
#[derive(Debug)]
pub struct InForce {
    gateway: Arc<Gateway>,
    log: Log,
    store: Store,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    /// As the file has it.
    file: Config,
    overlay: Overlay,
    /// What the database has of keys' secrets.
    secrets: Arc<KeySecrets>,
    /// What it has of policies' secrets.
    vault: Vault,
    /// Every key of the configuration as it was read last.
    read: Vec<ConfiguredKey>,
}

impl State {
    /// What holds.
    fn config(&self) -> Config {
        self.overlay.applied_to(&self.file, &self.vault)
    }
}

impl InForce {
    /// `gateway` runs with `overlay` applied to `file`, and knows the secrets of keys. `vault` has those of policies.
    pub fn new(
        gateway: Arc<Gateway>,
        log: Log,
        store: Store,
        file: Config,
        overlay: Overlay,
        vault: Vault,
    ) -> Self {
        let secrets = Arc::clone(gateway.policies().keys.secrets());
        let state = State {
            file,
            overlay,
            secrets,
            vault,
            read: Vec::new(),
        };
        Self {
            gateway,
            log,
            store,
            state: Mutex::new(state),
        }
    }

    /// Takes a configuration that was read again. The edits hold on.
    ///
    /// # Errors
    /// It cannot be put into practice; then nothing has changed.
    pub async fn take(&self, file: Config) -> Result<(), PolicyError> {
        let mut state = self.state.lock().await;
        let config = state.overlay.applied_to(&file, &state.vault);
        self.replace(&config, self.built(&config)?);
        state.file = file;
        Ok(())
    }

    /// Notes where the keys of the configuration come from.
    pub async fn was_read(&self, effective: &Effective) {
        let keys = effective.settings().map(|setting| ConfiguredKey {
            path: setting.path.clone(),
            value: setting.literal.clone(),
            source: setting.source.to_string(),
            variable: setting.variable.clone(),
        });
        self.state.lock().await.read = keys.collect();
    }

    /// Every key of the configuration, secrets masked, and who says so; edits are not in it.
    pub async fn configuration(&self) -> Vec<ConfiguredKey> {
        self.state.lock().await.read.clone()
    }

    /// Keeps what a draft changes, then puts it in force: all of it, or nothing.
    async fn commit(&self, state: &mut State, draft: Draft) -> Result<(), EditError> {
        let Draft {
            state: then,
            changes,
            secrets,
        } = draft;
        if changes.is_empty() {
            return Ok(());
        }
        let config = then.config();
        let mut policies = self.built(&config)?;
        self.store.add_changes(&changes, &secrets).await?;
        if !secrets.keys.is_empty() {
            let secrets = Arc::clone(&then.secrets);
            policies.keys = policies.keys.with_secrets(&config, secrets);
        }
        self.replace(&config, policies);
        *state = then;
        for change in changes {
            tracing::info!(
                kind = change.kind,
                name = change.name,
                version = change.version,
                by = change.by,
                "A policy was changed"
            );
        }
        Ok(())
    }

    /// Puts policies in force, and says whom the gateway serves from now on if that is others.
    fn replace(&self, config: &Config, policies: Policies) {
        let was_open = self.gateway.policies().keys.is_open();
        let is_open = policies.keys.is_open();
        self.gateway.replace_policies(policies);
        self.log.put(&config.logging);
        let recording = &config.recording;
        self.gateway.recorder().keep_for(Retention {
            request_days: recording.retention_days,
            minute_days: recording.minute_retention_days,
            hour_days: recording.hour_retention_days,
        });
        let host = config.server.host;
        match (was_open, is_open) {
            (true, false) => tracing::info!(
                "The gateway has a client key: whoever sends none is refused from now on"
            ),
            (false, true) if host.is_loopback() => {
                tracing::warn!("The last client key is gone: the gateway is open");
            }
            (false, true) => tracing::warn!(
                "The last client key is gone: the gateway is open, and whoever reaches {host} can use the providers"
            ),
            _ => {}
        }
        for key in &config.keys {
            if let Some(project) = &key.settings.project
                && !config.projects.contains_key(project)
            {
                tracing::warn!(
                    key = key.name,
                    project,
                    "The project of a key is gone: the key is refused"
                );
            }
        }
    }

    fn built(&self, config: &Config) -> Result<Policies, PolicyError> {
        self.gateway.policies().rebuild(config)
    }
}
