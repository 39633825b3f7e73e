//! What operators change of models.

use chrono::Utc;
use shared::routing::{ModelChange, ModelRouting, ModelTarget, Source};

use super::overlay::{EditState, Edited, MODEL, StoredModel};
use super::{Beside, EditError, InForce, State};
use crate::config::{Model, Strategy};
use crate::store::{Change, What};

impl InForce {
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
        by: &str,
    ) -> Result<ModelRouting, EditError> {
        let Some(name) = change.strategy.as_deref() else {
            let state = self.state.lock().await;
            return Ok(routing(find(&state, model)?, &state));
        };
        let strategy = Strategy::from_name(name).ok_or_else(|| EditError::NoSuchStrategy {
            wanted: name.to_owned(),
            known: Strategy::names().collect(),
        })?;
        let strategy = strategy.as_str().to_owned();
        self.edit_model(model, EditState::Put(strategy), by).await
    }

    /// Takes the edits of a model back.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub async fn reset(&self, model: &str, by: &str) -> Result<ModelRouting, EditError> {
        self.edit_model(model, EditState::Reset, by).await
    }

    async fn edit_model(
        &self,
        name: &str,
        strategy: EditState<String>,
        by: &str,
    ) -> Result<ModelRouting, EditError> {
        let mut state = self.state.lock().await;
        let model = find(&state, name)?.clone();
        let before = state.overlay.strategies.get(name);
        let version = before.map_or(0, |edited| edited.version);
        let now = before.map_or(&EditState::Reset, |edited| &edited.state);
        if *now != strategy {
            let was = routing(&model, &state).strategy;
            let change = Change {
                kind: MODEL.to_owned(),
                name: name.to_owned(),
                version: version + 1,
                what: match &strategy {
                    EditState::Put(strategy) => {
                        let strategy = strategy.clone();
                        let json = serde_json::to_string(&StoredModel { strategy });
                        What::Put(json.expect("a name is JSON"))
                    }
                    EditState::Deleted | EditState::Reset => What::Reset,
                },
                reason: None,
                by: by.to_owned(),
                at: Utc::now(),
            };
            let mut overlay = state.overlay.clone();
            let edited = Edited {
                state: strategy,
                version: change.version,
                at: change.at,
                by: change.by.clone(),
            };
            overlay.strategies.insert(name.to_owned(), edited);
            self.commit(&mut state, overlay, &change, Beside::Nothing)
                .await?;
            let now = routing(&model, &state);
            tracing::info!(
                model = name,
                from = was,
                to = now.strategy,
                "A model's strategy was changed"
            );
        }
        Ok(routing(&model, &state))
    }
}

fn find<'s>(state: &'s State, name: &str) -> Result<&'s Model, EditError> {
    let model = state.file.models.iter().find(|model| model.name == name);
    model.ok_or_else(|| EditError::NoSuchModel(name.to_owned()))
}

fn routing(model: &Model, state: &State) -> ModelRouting {
    let edited = state.overlay.strategy(&model.name);
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
