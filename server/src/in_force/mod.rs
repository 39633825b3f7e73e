//! The configuration in force: the file's, with what operators have changed since. An edit is in the database before
//! it is acknowledged, holds from the next request on, and outlives restarts and reloads.

mod check;
mod draft;
mod edits;
mod error;
mod history;
mod keys;
mod logging;
mod models;
mod overlay;
mod policies;
mod providers;
mod secrets;
mod state;

pub use edits::Edits;
pub use error::EditError;
pub use overlay::Overlay;

use std::sync::Arc;
use std::time::Duration;

use shared::policies::ConfiguredKey;
use tokio::sync::Mutex;

use self::draft::Draft;
use self::state::State;
use crate::config::{Config, Effective};
use crate::gateway::Gateway;
use crate::policies::{Policies, PolicyError};
use crate::secrets::Vault;
use crate::store::{Retention, Store};
use crate::tasks::unblocked;
use crate::telemetry::logs::Log;

/// From one look whether a request still goes by policies that were replaced to the next.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The file's configuration and its edits. Changes take turns.
#[derive(Debug)]
pub struct InForce {
    gateway: Arc<Gateway>,
    log: Log,
    store: Store,
    state: Mutex<State>,
    /// Every key of the configuration as it was read last.
    read: Mutex<Vec<ConfiguredKey>>,
}

/// What is about to be put in force.
struct Built {
    policies: Policies,
    /// Keys whose project is gone, each with that.
    refused: Vec<(String, String)>,
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
        let state = State::new(Arc::new(file), overlay, secrets, Arc::new(vault));
        // Nobody has to wait for it later.
        state.config();
        Self {
            gateway,
            log,
            store,
            state: Mutex::new(state),
            read: Mutex::default(),
        }
    }

    /// Takes a configuration that was read again. The edits hold on.
    ///
    /// # Errors
    /// It cannot be put into practice; then nothing has changed.
    pub async fn take(&self, file: Config) -> Result<(), PolicyError> {
        let mut state = self.state.lock().await;
        let then = state.over(Arc::new(file));
        let gateway = Arc::clone(&self.gateway);
        let (then, built) = unblocked(move || {
            let built = built(&gateway, &then)?;
            Ok((then, built))
        })
        .await?;
        self.replace(&mut state, then, built);
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
        *self.read.lock().await = keys.collect();
    }

    /// Every key of the configuration, secrets masked, and who says so; edits are not in it.
    pub async fn configuration(&self) -> Vec<ConfiguredKey> {
        self.read.lock().await.clone()
    }

    /// Makes edits, keeps what they change, then puts it in force: all of it, or nothing. Gives what `make` gives. Of
    /// keys there may be thousands: what takes its time has a thread of its own, and keeps no request waiting.
    ///
    /// Dropped in between, it would leave what is kept and not in force: whoever calls it for a client goes on without
    /// that (`admin/to_the_end.rs`).
    async fn edit<T: Send + 'static>(
        &self,
        make: impl FnOnce(&mut Draft) -> Result<T, EditError> + Send + 'static,
    ) -> Result<T, EditError> {
        let mut state = self.state.lock().await;
        let (now, gateway) = (state.clone(), Arc::clone(&self.gateway));
        let (made, draft, built) = unblocked(move || {
            let mut draft = Draft::of(now);
            let made = make(&mut draft)?;
            let is_changed = !draft.changes.is_empty();
            let built = is_changed.then(|| built(&gateway, &draft.state));
            Ok::<_, EditError>((made, draft, built.transpose()?))
        })
        .await?;
        let Some(built) = built else {
            return Ok(made);
        };
        let Draft {
            state: then,
            changes,
            secrets,
        } = draft;
        self.store.add_changes(&changes, &secrets).await?;
        self.replace(&mut state, then, built);
        for change in changes {
            tracing::info!(
                kind = change.kind,
                name = change.name,
                version = change.version,
                by = change.by,
                "A policy was changed"
            );
        }
        Ok(made)
    }

    /// What holds, for something that takes its time.
    async fn looked_at<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> T {
        let state = self.state.lock().await.clone();
        unblocked(move || look(&state)).await
    }

    /// Puts policies in force, and says whom the gateway serves from now on if that is others.
    fn replace(&self, state: &mut State, then: State, built: Built) {
        let config = Arc::clone(then.config());
        let is_open = built.policies.keys.is_open();
        let replaced = self.gateway.replace_policies(built.policies);
        let before = std::mem::replace(state, then);
        let was_open = replaced.keys.is_open();
        retire(before, replaced);
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
        for (key, project) in built.refused {
            tracing::warn!(
                key,
                project,
                "The project of a key is gone: the key is refused"
            );
        }
    }
}

fn built(gateway: &Gateway, state: &State) -> Result<Built, PolicyError> {
    let config = state.config();
    let secrets = Arc::clone(state.key_secrets());
    let policies = gateway.policies().rebuild_with(config, secrets)?;
    let keys = config.keys.iter().filter_map(|key| {
        let project = key.settings.project.as_ref()?;
        let is_gone = !config.projects.contains_key(project);
        is_gone.then(|| (key.name.clone(), project.clone()))
    });
    Ok(Built {
        policies,
        refused: keys.collect(),
    })
}

/// Drops what holds no more, where nobody has to wait for it. Policies go with the last request that began with them:
/// left to that, it would be the one to take them apart.
fn retire(before: State, replaced: Arc<Policies>) {
    tokio::task::spawn_blocking(move || drop(before));
    tokio::spawn(async move {
        while Arc::strong_count(&replaced) > 1 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        tokio::task::spawn_blocking(move || drop(replaced));
    });
}
