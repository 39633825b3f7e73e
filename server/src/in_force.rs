//! The configuration in force: the file's, with what operators have changed since. An edit is in the database before
//! it is acknowledged, holds from the next request on, and outlives restarts and reloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::routing::{ModelChange, ModelRouting, ModelTarget, Source};
use tokio::sync::Mutex;

use crate::config::{Config, Model, Strategy};
use crate::gateway::Gateway;
use crate::policies::PolicyError;
use crate::store::{Store, StoreError};

/// Where edits are kept among the settings.
const SETTING: &str = "config.edits";

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
    edits: Edits,
}

/// What operators have changed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub struct Edits {
    /// By the model's name; a model that the file has no more may come back.
    #[serde(default)]
    strategies: BTreeMap<String, String>,
}

/// Why a change is not taken.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("There is no model `{0}` in the configuration.")]
    NoSuchModel(String),
    #[error("There is no strategy `{wanted}`: it is one of {}.", .known.join(", "))]
    NoSuchStrategy {
        wanted: String,
        known: Vec<&'static str>,
    },
    #[error("The edit cannot be kept: {0}")]
    NotKept(#[from] StoreError),
    #[error("{0}")]
    Policy(#[from] PolicyError),
}

impl Edits {
    /// What was kept. What cannot be read is left as it is, and nothing is edited.
    pub async fn kept_in(store: &Store) -> Self {
        let kept = match store.setting(SETTING).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "Edits of the configuration cannot be read: the file holds");
                return Self::default();
            }
        };
        let Some(kept) = kept else {
            return Self::default();
        };
        serde_json::from_str(&kept).unwrap_or_else(|error| {
            tracing::error!(%error, "Edits of the configuration cannot be understood: the file holds");
            Self::default()
        })
    }

    /// The configuration with the edits in it.
    pub fn applied_to(&self, file: &Config) -> Config {
        let mut config = file.clone();
        for model in &mut config.models {
            if let Some(strategy) = self.strategy(&model.name) {
                model.strategy = strategy;
            }
        }
        config
    }

    fn strategy(&self, model: &str) -> Option<Strategy> {
        Strategy::from_name(self.strategies.get(model)?)
    }
}

impl InForce {
    /// `gateway` runs with `edits` applied to `file`.
    pub fn new(gateway: Arc<Gateway>, store: Store, file: Config, edits: Edits) -> Self {
        Self {
            gateway,
            store,
            state: Mutex::new(State { file, edits }),
        }
    }

    /// Takes a configuration that was read again. The edits hold on.
    ///
    /// # Errors
    /// It cannot be put into practice; then nothing has changed.
    pub async fn take(&self, file: Config) -> Result<(), PolicyError> {
        let mut state = self.state.lock().await;
        self.put_in_force(&file, &state.edits)?;
        state.file = file;
        Ok(())
    }

    /// Every model of the configuration, as it is routed.
    pub async fn models(&self) -> Vec<ModelRouting> {
        let state = self.state.lock().await;
        let models = state.file.models.iter();
        models.map(|model| routing(model, &state)).collect()
    }

    /// Changes a model from the next request on.
    ///
    /// # Errors
    /// The change makes no sense, or cannot be kept; then nothing has changed.
    pub async fn change(
        &self,
        model: &str,
        change: &ModelChange,
    ) -> Result<ModelRouting, EditError> {
        let strategy = match change.strategy.as_deref() {
            None => None,
            Some(name) => {
                Some(
                    Strategy::from_name(name).ok_or_else(|| EditError::NoSuchStrategy {
                        wanted: name.to_owned(),
                        known: Strategy::names().collect(),
                    })?,
                )
            }
        };
        self.edit(model, |edits| {
            if let Some(strategy) = strategy {
                let name = strategy.as_str().to_owned();
                edits.strategies.insert(model.to_owned(), name);
            }
        })
        .await
    }

    /// Takes the edits of a model back.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub async fn reset(&self, model: &str) -> Result<ModelRouting, EditError> {
        self.edit(model, |edits| {
            edits.strategies.remove(model);
        })
        .await
    }

    async fn edit(
        &self,
        name: &str,
        edit: impl FnOnce(&mut Edits),
    ) -> Result<ModelRouting, EditError> {
        let mut state = self.state.lock().await;
        let model = state.file.models.iter().find(|model| model.name == name);
        let model = model
            .ok_or_else(|| EditError::NoSuchModel(name.to_owned()))?
            .clone();
        let mut edits = state.edits.clone();
        edit(&mut edits);
        if edits != state.edits {
            let before = routing(&model, &state).strategy;
            let policies = self.policies(&state.file, &edits)?;
            let kept = serde_json::to_string(&edits).expect("names are JSON");
            self.store.set_setting(SETTING, &kept).await?;
            self.gateway.replace_policies(policies);
            state.edits = edits;
            let now = routing(&model, &state);
            tracing::info!(
                model = name,
                from = before,
                to = now.strategy,
                "A model's strategy was changed"
            );
        }
        Ok(routing(&model, &state))
    }

    fn put_in_force(&self, file: &Config, edits: &Edits) -> Result<(), PolicyError> {
        let policies = self.policies(file, edits)?;
        self.gateway.replace_policies(policies);
        Ok(())
    }

    fn policies(
        &self,
        file: &Config,
        edits: &Edits,
    ) -> Result<crate::policies::Policies, PolicyError> {
        self.gateway.policies().rebuild(&edits.applied_to(file))
    }
}

fn routing(model: &Model, state: &State) -> ModelRouting {
    let edited = state.edits.strategy(&model.name);
    let enabled = |provider: &str| {
        let mut providers = state.file.providers.iter();
        providers.any(|one| one.name == provider && one.enabled)
    };
    let targets = model.targets.iter().map(|target| ModelTarget {
        provider: target.provider.clone(),
        model: target.model.clone(),
        weight: target.weight,
        priority: target.priority,
        enabled: target.enabled && enabled(&target.provider),
    });
    ModelRouting {
        name: model.name.clone(),
        strategy: edited.unwrap_or(model.strategy).as_str().to_owned(),
        strategy_source: match edited {
            Some(_) => Source::Edited,
            None => Source::File,
        },
        strategy_in_file: model.strategy.as_str().to_owned(),
        targets: targets.collect(),
    }
}
