//! The configuration in force: the file's, with what operators have changed since. An edit is in the database before
//! it is acknowledged, holds from the next request on, and outlives restarts and reloads.

mod check;
mod error;
mod models;
mod overlay;
mod policies;

pub use error::EditError;
pub use overlay::Overlay;

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::policies::{Policies, PolicyError};
use crate::store::{Change, Store};

/// The file's configuration and its edits. Changes take turns.
#[derive(Debug)]
pub struct InForce {
    gateway: Arc<Gateway>,
    store: Store,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// As the file has it.
    file: Config,
    overlay: Overlay,
}

impl State {
    /// What holds.
    fn config(&self) -> Config {
        self.overlay.applied_to(&self.file)
    }
}

impl InForce {
    /// `gateway` runs with `overlay` applied to `file`.
    pub fn new(gateway: Arc<Gateway>, store: Store, file: Config, overlay: Overlay) -> Self {
        Self {
            gateway,
            store,
            state: Mutex::new(State { file, overlay }),
        }
    }

    /// Takes a configuration that was read again. The edits hold on.
    ///
    /// # Errors
    /// It cannot be put into practice; then nothing has changed.
    pub async fn take(&self, file: Config) -> Result<(), PolicyError> {
        let mut state = self.state.lock().await;
        let policies = self.built(&state.overlay.applied_to(&file))?;
        self.gateway.replace_policies(policies);
        state.file = file;
        Ok(())
    }

    /// Keeps a change, then puts it in force.
    async fn commit(
        &self,
        state: &mut State,
        overlay: Overlay,
        change: &Change,
    ) -> Result<(), EditError> {
        let policies = self.built(&overlay.applied_to(&state.file))?;
        self.store.add_changes(std::slice::from_ref(change)).await?;
        self.gateway.replace_policies(policies);
        state.overlay = overlay;
        Ok(())
    }

    fn built(&self, config: &Config) -> Result<Policies, PolicyError> {
        self.gateway.policies().rebuild(config)
    }
}
