//! What operators change of models: all of one, or its strategy alone.
//!
//! A strategy alone holds over whatever the configuration says of the rest, today and after it was changed. It is a
//! policy without targets, which no whole model is; so are the edits from when there were no others.

use shared::policies::{Edit, FieldError, ModelSettings, Policy, PolicyKind};
use shared::routing::{ModelChange, ModelRouting, ModelTarget, Source};

use super::draft::Draft;
use super::overlay::{EditState, Edited};
use super::state::State;
use super::{EditError, InForce};
use crate::config::{self, Config, Model, Strategy};

const MODEL: PolicyKind = PolicyKind::Model;

impl InForce {
    /// Every model in force, as it is routed.
    pub async fn models(&self) -> Vec<ModelRouting> {
        let state = self.state.lock().await;
        let config = state.config();
        let models = config.models.iter();
        models.map(|model| routing(model, config, &state)).collect()
    }

    /// Changes a model from the next request on.
    ///
    /// # Errors
    /// The change makes no sense, or cannot be kept; then nothing has changed.
    pub async fn change(
        &self,
        name: &str,
        change: &ModelChange,
        edit: &Edit,
    ) -> Result<ModelRouting, EditError> {
        let (name, edit, change) = (name.to_owned(), edit.clone(), change.clone());
        self.edit(move |draft| changed(draft, &name, &change, &edit))
            .await
    }

    /// Takes the edits of a model back; `None`: the configuration has none of this name.
    ///
    /// # Errors
    /// As [`change`](Self::change), or others need it.
    pub async fn reset(&self, name: &str, edit: &Edit) -> Result<Option<ModelRouting>, EditError> {
        let there = {
            let state = self.state.lock().await;
            let models = [&state.config().models, &state.file().models];
            let mut models = models.into_iter().flatten();
            models.any(|model| model.name == name)
        };
        if !there {
            return Err(EditError::NoSuchModel(name.to_owned()));
        }
        self.reset_policy(MODEL, name, edit).await?;
        let state = self.state.lock().await;
        Ok(found(name, &state).ok())
    }
}

fn changed(
    draft: &mut Draft,
    name: &str,
    change: &ModelChange,
    edit: &Edit,
) -> Result<ModelRouting, EditError> {
    let state = &draft.state;
    state.expected(MODEL, name, edit)?;
    let now = found(name, state)?;
    let Some(strategy) = change.strategy.as_deref() else {
        return Ok(now);
    };
    if Strategy::from_name(strategy).is_none() {
        return Err(EditError::NoSuchStrategy {
            wanted: strategy.to_owned(),
            known: Strategy::names().collect(),
        });
    }
    let edited = state.overlay().policy(MODEL, name).and_then(Edited::put);
    let mut settings = match edited {
        Some(Policy::Model(settings)) => settings.clone(),
        _ => ModelSettings::default(),
    };
    settings.strategy = strategy.to_owned();
    let policy = EditState::Put(Policy::Model(settings));
    draft.apply(MODEL, name, policy, edit);
    found(name, &draft.state)
}

/// Whether an edit is about the strategy alone.
pub(super) fn is_strategy_alone(settings: &ModelSettings) -> bool {
    settings.targets.is_empty()
}

/// The model of an edit; `None`: it is about one that the configuration does not have.
///
/// # Errors
/// What is wrong with which field.
pub(super) fn model(
    name: &str,
    settings: &ModelSettings,
    file: &Config,
) -> Result<Option<Model>, Vec<FieldError>> {
    if !is_strategy_alone(settings) {
        return config::model(name, settings).map(Some);
    }
    let model = file.models.iter().find(|model| model.name == name);
    Ok(model.map(|model| Model {
        strategy: Strategy::from_name(&settings.strategy).unwrap_or(model.strategy),
        ..model.clone()
    }))
}

/// A strategy alone is told with what it holds over.
pub(super) fn told(name: &str, settings: ModelSettings, file: &Config) -> ModelSettings {
    match model(name, &settings, file) {
        Ok(Some(model)) => config::model_settings(&model),
        _ => settings,
    }
}

fn found(name: &str, state: &State) -> Result<ModelRouting, EditError> {
    let config = state.config();
    let model = config.models.iter().find(|model| model.name == name);
    let model = model.ok_or_else(|| EditError::NoSuchModel(name.to_owned()))?;
    Ok(routing(model, config, state))
}

fn routing(model: &Model, config: &Config, state: &State) -> ModelRouting {
    let edited = state
        .overlay()
        .policy(MODEL, &model.name)
        .and_then(Edited::put);
    let file = state
        .file()
        .models
        .iter()
        .find(|one| one.name == model.name);
    let enabled = |provider: &str| {
        let mut providers = config.providers.iter();
        providers.any(|one| one.name == provider && one.enabled)
    };
    let targets = model.targets.iter().map(|target| ModelTarget {
        provider: target.provider.clone(),
        model: target.model.clone(),
        weight: target.weight,
        priority: target.priority,
        enabled: target.enabled && enabled(&target.provider),
    });
    let in_file = file.map_or(model.strategy, |file| file.strategy);
    ModelRouting {
        name: model.name.clone(),
        strategy: model.strategy.as_str().to_owned(),
        strategy_source: match edited {
            Some(_) => Source::Edited,
            None => Source::File,
        },
        strategy_in_file: in_file.as_str().to_owned(),
        targets: targets.collect(),
    }
}
