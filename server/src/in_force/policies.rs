//! What operators change of policies.

use std::collections::HashMap;

use shared::policies::{Edit, FieldError, Policy, PolicyEntry, PolicyKind};
use shared::routing::Source;

use super::overlay::{EditState, Edited};
use super::secrets::{self, Taken};
use super::state::State;
use super::{EditError, InForce, logging, models, providers};
use crate::config::{self, Config, Key};

/// The name of the one policy of its kind.
pub const CACHE: &str = "cache";
const PAYLOADS: &str = "payloads";
pub const SETTINGS: &str = "settings";
/// Names are for people to read.
const MAX_NAME: usize = 100;

impl InForce {
    /// The policies of a kind, those that were deleted included, in the order in which they act, else by name.
    pub async fn policies(&self, kind: PolicyKind) -> Vec<PolicyEntry> {
        self.looked_at(move |state| entries(state, kind)).await
    }

    /// # Errors
    /// There is none of this name.
    pub async fn policy(&self, kind: PolicyKind, name: &str) -> Result<PolicyEntry, EditError> {
        let name = name.to_owned();
        self.looked_at(move |state| entry(state, kind, &name)).await
    }

    /// Puts a policy in force.
    ///
    /// # Errors
    /// It makes no sense, somebody else was quicker, or it cannot be kept.
    pub async fn put(
        &self,
        name: &str,
        policy: Policy,
        edit: &Edit,
    ) -> Result<PolicyEntry, EditError> {
        let (name, edit) = (name.to_owned(), edit.clone());
        self.edit(move |draft| {
            let kind = policy.kind();
            draft.put(&name, policy, &edit)?;
            entry(&draft.state, kind, &name)
        })
        .await
    }

    /// Takes a policy out of force.
    ///
    /// # Errors
    /// There is none, others need it, somebody else was quicker, or the edit cannot be kept.
    pub async fn delete(&self, kind: PolicyKind, name: &str, edit: &Edit) -> Result<(), EditError> {
        let (name, edit) = (name.to_owned(), edit.clone());
        self.edit(move |draft| draft.delete(kind, &name, &edit))
            .await
    }

    /// Takes all edits of a policy back; `None`: the configuration says nothing of it.
    ///
    /// # Errors
    /// There never was one, others need it, somebody else was quicker, or the edit cannot be kept.
    pub async fn reset_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: &Edit,
    ) -> Result<Option<PolicyEntry>, EditError> {
        let (name, edit) = (name.to_owned(), edit.clone());
        self.edit(move |draft| {
            draft.reset(kind, &name, &edit)?;
            Ok(entry(&draft.state, kind, &name).ok())
        })
        .await
    }
}

pub(super) fn no_such(kind: PolicyKind, name: &str) -> EditError {
    let name = name.to_owned();
    EditError::NoSuchPolicy { kind, name }
}

/// What is told of a policy, but not part of it.
pub(super) fn without_told(mut policy: Policy) -> Policy {
    if let Policy::Key(key) = &mut policy {
        key.prefixes.clear();
    }
    policy
}

/// Takes the secrets out of a policy that an operator sent.
pub(super) fn take(state: &State, name: &str, policy: Policy) -> Result<Taken, EditError> {
    match policy {
        Policy::Provider(settings) => providers::take(state, name, settings),
        Policy::Logging(settings) => logging::take(state, settings),
        other => Ok(Taken::without(state, in_one_form(state, name, other)?)),
    }
}

/// A policy as it is kept. Values that are spelt differently are the same.
fn in_one_form(state: &State, name: &str, policy: Policy) -> Result<Policy, EditError> {
    let read = match policy {
        Policy::Model(settings) => config::model(name, &settings).and_then(|model| {
            if model.targets.is_empty() {
                let message = "a model needs at least one target, such as {\"provider\": \"…\"}";
                return Err(vec![FieldError {
                    field: "targets".to_owned(),
                    message: message.to_owned(),
                }]);
            }
            Ok(Policy::Model(config::model_settings(&model)))
        }),
        Policy::Price(price) => {
            let mut scratch = Config::default();
            config::put_price(&mut scratch, name, &price).map(|()| Policy::Price(price))
        }
        Policy::Settings(settings) => {
            let mut scratch = state.file().clone();
            config::put_settings(&mut scratch, &settings)
                .map(|()| Policy::Settings(config::different_settings(state.file(), &settings)))
        }
        other => Ok(without_told(other)),
    };
    read.map_err(EditError::Invalid)
}

/// What is told of a policy: all of it, secrets masked.
pub(super) fn told(name: &str, policy: Policy, file: &Config) -> Policy {
    match policy {
        Policy::Model(settings) => Policy::Model(models::told(name, settings, file)),
        Policy::Settings(settings) => {
            let mut config = file.clone();
            match config::put_settings(&mut config, &settings) {
                Ok(()) => Policy::Settings(config::settings(&config)),
                Err(_) => Policy::Settings(settings),
            }
        }
        Policy::Provider(mut settings) => {
            secrets::tell(&mut settings, name, file);
            Policy::Provider(settings)
        }
        Policy::Logging(mut settings) => {
            secrets::tell(&mut settings, name, file);
            Policy::Logging(settings)
        }
        other => other,
    }
}

/// What is wrong with a name.
pub(super) fn named(kind: PolicyKind, name: &str) -> Vec<FieldError> {
    let message = if name.trim().is_empty() {
        "it needs a name"
    } else if name.chars().count() > MAX_NAME {
        "at most 100 characters"
    } else if name != name.trim() || name.contains(char::is_control) {
        "no control characters, or space around it"
    } else if name.contains(['/', '\\']) && !matches!(kind, PolicyKind::Model | PolicyKind::Price) {
        "no slashes"
    } else if matches!(name, "." | "..") {
        "in a path that means something else"
    } else if kind == PolicyKind::Cache && name != CACHE {
        "there is one cache, and its name is `cache`"
    } else if kind == PolicyKind::Payloads && name != PAYLOADS {
        "there is one payload logging, and its name is `payloads`"
    } else if kind == PolicyKind::Logging && name != logging::LOGGING {
        "there is one log, and its name is `logging`"
    } else if kind == PolicyKind::Settings && name != SETTINGS {
        "there are settings of one name, `settings`"
    } else if kind == PolicyKind::Provider && !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        // `x-llm-provider` and `provider/model` have to be able to say it.
        "ASCII without spaces"
    } else {
        return Vec::new();
    };
    vec![FieldError {
        field: "name".to_owned(),
        message: message.to_owned(),
    }]
}

fn entries(state: &State, kind: PolicyKind) -> Vec<PolicyEntry> {
    let edits = state.overlay().of(kind);
    let deleted = edits
        .filter(|(_, edited)| edited.state == EditState::Deleted)
        .map(|(name, _)| name.to_owned())
        .filter(|name| in_file(state.file(), kind, name).is_some());
    let mut names = names(state.config(), kind);
    names.extend(deleted);
    if !matches!(
        kind,
        PolicyKind::Guardrail | PolicyKind::SystemPrompt | PolicyKind::Model
    ) {
        names.sort();
    }
    // Of ten thousand keys, each is found at once.
    let keys: HashMap<_, _> = match kind {
        PolicyKind::Key => {
            let keys = state.file().keys.iter();
            keys.map(|key| (key.name.as_str(), key)).collect()
        }
        _ => HashMap::new(),
    };
    names
        .iter()
        .filter_map(|name| entry_with(state, kind, name, keys.get(name.as_str()).copied()).ok())
        .collect()
}

pub(super) fn entry(state: &State, kind: PolicyKind, name: &str) -> Result<PolicyEntry, EditError> {
    let key = match kind {
        PolicyKind::Key => state.file().keys.iter().find(|key| key.name == name),
        _ => None,
    };
    entry_with(state, kind, name, key)
}

/// `key`: the file's of this name, where it is about keys.
fn entry_with(
    state: &State,
    kind: PolicyKind,
    name: &str,
    key: Option<&Key>,
) -> Result<PolicyEntry, EditError> {
    let file = match kind {
        PolicyKind::Key => key.map(|key| Policy::Key(key.settings.clone())),
        _ => in_file(state.file(), kind, name),
    };
    let edited = state.overlay().policy(kind, name);
    let put = edited.and_then(Edited::put);
    let deleted = edited.is_some_and(|edited| edited.state == EditState::Deleted);
    let policy = put.cloned().or_else(|| file.clone());
    let mut policy = policy.ok_or_else(|| no_such(kind, name))?;
    if let Policy::Key(told) = &mut policy {
        told.prefixes = state
            .key_secrets()
            .prefixes(name, key.and_then(|key| key.key.as_ref()));
    }
    if let Policy::Model(settings) = &policy
        && models::is_strategy_alone(settings)
        && file.is_none()
    {
        // Of a model that the configuration does not have any more.
        return Err(no_such(kind, name));
    }
    let policy = told(name, policy, state.file());
    Ok(PolicyEntry {
        name: name.to_owned(),
        policy,
        source: if put.is_some() || deleted {
            Source::Edited
        } else {
            Source::File
        },
        in_file: file.filter(|_| put.is_some()),
        deleted,
        version: edited.map_or(0, |edited| edited.version),
        changed_at: edited.map(|edited| edited.at),
        changed_by: edited.map(|edited| edited.by.clone()),
    })
}

/// In the order in which they act, else by name.
fn names(config: &Config, kind: PolicyKind) -> Vec<String> {
    match kind {
        PolicyKind::Key => {
            let mut names: Vec<_> = config.keys.iter().map(|key| key.name.clone()).collect();
            names.sort();
            names
        }
        PolicyKind::Project => config.projects.keys().cloned().collect(),
        PolicyKind::Limit => config.limits.keys().cloned().collect(),
        PolicyKind::Budget => config.budgets.keys().cloned().collect(),
        PolicyKind::Guardrail => {
            let mut rules: Vec<_> = config.guardrails.iter().collect();
            rules.sort_by_key(|(_, rule)| rule.order);
            rules.into_iter().map(|(name, _)| name.clone()).collect()
        }
        PolicyKind::SystemPrompt => {
            let mut prompts: Vec<_> = config.system_prompts.iter().collect();
            prompts.sort_by_key(|(_, prompt)| prompt.order);
            prompts.into_iter().map(|(name, _)| name.clone()).collect()
        }
        PolicyKind::Cache => vec![CACHE.to_owned()],
        PolicyKind::Route => config.egress.keys().cloned().collect(),
        PolicyKind::Payloads => vec![PAYLOADS.to_owned()],
        PolicyKind::Logging => vec![logging::LOGGING.to_owned()],
        PolicyKind::Provider => {
            let providers = config.providers.iter();
            providers.map(|provider| provider.name.clone()).collect()
        }
        PolicyKind::Model => config
            .models
            .iter()
            .map(|model| model.name.clone())
            .collect(),
        PolicyKind::Price => config::price_names(config),
        PolicyKind::Settings => vec![SETTINGS.to_owned()],
    }
}

/// What a configuration says of a policy.
pub(super) fn in_file(config: &Config, kind: PolicyKind, name: &str) -> Option<Policy> {
    match kind {
        PolicyKind::Key => {
            let key = config.keys.iter().find(|key| key.name == name)?;
            Some(Policy::Key(key.settings.clone()))
        }
        PolicyKind::Project => config.projects.get(name).cloned().map(Policy::Project),
        PolicyKind::Limit => config.limits.get(name).cloned().map(Policy::Limit),
        PolicyKind::Budget => config.budgets.get(name).cloned().map(Policy::Budget),
        PolicyKind::Guardrail => config.guardrails.get(name).cloned().map(Policy::Guardrail),
        PolicyKind::SystemPrompt => {
            let prompt = config.system_prompts.get(name).cloned();
            prompt.map(Policy::SystemPrompt)
        }
        PolicyKind::Cache => (name == CACHE).then(|| Policy::Cache(config.cache.clone())),
        PolicyKind::Route => config.egress.get(name).cloned().map(Policy::Route),
        PolicyKind::Payloads => {
            (name == PAYLOADS).then(|| Policy::Payloads(config.payloads.clone()))
        }
        PolicyKind::Logging => {
            (name == logging::LOGGING).then(|| Policy::Logging(logging::in_file(&config.logging)))
        }
        PolicyKind::Provider => {
            let provider = config.providers.iter().find(|one| one.name == name)?;
            Some(Policy::Provider(providers::in_file(provider)))
        }
        PolicyKind::Model => {
            let model = config.models.iter().find(|one| one.name == name)?;
            Some(Policy::Model(config::model_settings(model)))
        }
        PolicyKind::Price => config::price_settings(config, name).map(Policy::Price),
        PolicyKind::Settings => {
            (name == SETTINGS).then(|| Policy::Settings(config::settings(config)))
        }
    }
}
