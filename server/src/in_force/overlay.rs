//! What operators have changed, laid over the configuration.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared::policies::{ClientKey, Policy, PolicyKind};

use super::{logging, models, providers};
use crate::config::{self, Config, Key, Model, Provider};
use crate::secrets::Vault;
use crate::store::{Change, Store, StoreError, What};

/// Where strategies were kept before there were changes.
const OLD_SETTING: &str = "config.edits";

/// The latest edits. A copy shares them all, and one that is changed those that stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    policies: BTreeMap<PolicyKind, Arc<Edits>>,
}

/// Those of one kind, by name.
type Edits = BTreeMap<Arc<str>, Arc<Edited<Policy>>>;

/// An edit that is in force, or was taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited<T> {
    pub state: EditState<T>,
    pub version: u64,
    pub at: DateTime<Utc>,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EditState<T> {
    Put(T),
    Deleted,
    /// What the configuration says holds.
    Reset,
}

impl<T> Edited<T> {
    pub fn put(&self) -> Option<&T> {
        match &self.state {
            EditState::Put(value) => Some(value),
            EditState::Deleted | EditState::Reset => None,
        }
    }
}

/// What strategies were before there were changes.
#[derive(Debug, Default, Deserialize)]
struct OldEdits {
    #[serde(default)]
    strategies: BTreeMap<String, String>,
}

impl Overlay {
    /// What was kept. What cannot be read is left as it is, and the file holds there.
    pub async fn kept_in(store: &Store) -> Self {
        if let Err(error) = take_over_old(store).await {
            tracing::error!(%error, "Older edits of the configuration cannot be read: they do not hold");
        }
        let changes = match store.changes_in_force().await {
            Ok(changes) => changes,
            Err(error) => {
                tracing::error!(%error, "Edits of the configuration cannot be read: the file holds");
                return Self::default();
            }
        };
        let mut overlay = Self::default();
        for change in changes {
            if let Err(problem) = overlay.take(&change) {
                tracing::error!(
                    kind = change.kind,
                    name = change.name,
                    problem,
                    "An edit of the configuration cannot be understood: the file holds"
                );
            }
        }
        overlay
    }

    fn take(&mut self, change: &Change) -> Result<(), String> {
        if crate::access::KINDS.contains(&change.kind.as_str()) {
            // Who may change something, and no policy.
            return Ok(());
        }
        let kind = PolicyKind::from_name(&change.kind).ok_or("there is no such kind")?;
        let understood = edited(change, |json| Policy::from_json(kind, json));
        if kind == PolicyKind::Key && understood.is_err() {
            // Without it the gateway might be open.
            let off = Edited {
                state: EditState::Put(Policy::Key(ClientKey::default())),
                version: change.version,
                at: change.at,
                by: change.by.clone(),
            };
            self.insert(kind, &change.name, off);
        }
        let edited = understood?;
        self.insert(kind, &change.name, edited);
        Ok(())
    }

    /// The edit of a policy, if there ever was one.
    pub fn policy(&self, kind: PolicyKind, name: &str) -> Option<&Edited<Policy>> {
        self.policies.get(&kind)?.get(name).map(Arc::as_ref)
    }

    /// All edits of a kind, by name.
    pub(super) fn of(&self, kind: PolicyKind) -> impl Iterator<Item = (&str, &Edited<Policy>)> {
        let edits = self.policies.get(&kind).into_iter();
        let edits = edits.flat_map(|edits| edits.iter());
        edits.map(|(name, edited)| (&**name, &**edited))
    }

    /// The latest edit of a policy.
    pub(super) fn insert(&mut self, kind: PolicyKind, name: &str, edited: Edited<Policy>) {
        let edits = self.policies.entry(kind).or_default();
        Arc::make_mut(edits).insert(name.into(), Arc::new(edited));
    }

    /// The configuration with the edits in it.
    pub fn applied_to(&self, file: &Config, vault: &Vault) -> Config {
        let mut config = file.clone();
        self.keys_applied_to(&mut config, file);
        let others = self
            .policies
            .iter()
            .filter(|(kind, _)| **kind != PolicyKind::Key)
            .flat_map(|(kind, edits)| edits.iter().map(|(name, edited)| (*kind, &**name, edited)));
        for (kind, name, edited) in others {
            match &edited.state {
                EditState::Reset => {}
                EditState::Deleted => remove(&mut config, kind, name),
                EditState::Put(Policy::Provider(settings)) => {
                    // What made no sense was not taken, or is told of at the start.
                    if let Ok(provider) = providers::provider(name, settings, file, vault) {
                        put_provider(&mut config, provider);
                    }
                }
                EditState::Put(Policy::Model(settings)) => {
                    if let Ok(Some(model)) = models::model(name, settings, file) {
                        put_model(&mut config, model);
                    }
                }
                EditState::Put(Policy::Logging(settings)) => {
                    if let Ok(logging) = logging::logging(settings, file, vault) {
                        config.logging = logging;
                    }
                }
                EditState::Put(policy) => put(&mut config, name.to_owned(), policy.clone()),
            }
        }
        config
    }
}

impl Overlay {
    /// Of keys there may be thousands. `config` has the file's.
    fn keys_applied_to(&self, config: &mut Config, file: &Config) {
        let keys = file.keys.iter().enumerate();
        let places: HashMap<&str, usize> = keys
            .map(|(place, key)| (key.name.as_str(), place))
            .collect();
        let mut deleted = HashSet::new();
        for (name, edited) in self.of(PolicyKind::Key) {
            match &edited.state {
                EditState::Put(Policy::Key(settings)) => {
                    let settings = settings.clone();
                    match places.get(name) {
                        // The file's secret still opens the door.
                        Some(place) => config.keys[*place].settings = settings,
                        None => config.keys.push(Key {
                            name: name.to_owned(),
                            key: None,
                            settings,
                        }),
                    }
                }
                EditState::Deleted => drop(deleted.insert(name)),
                EditState::Put(_) | EditState::Reset => {}
            }
        }
        if !deleted.is_empty() {
            config
                .keys
                .retain(|key| !deleted.contains(key.name.as_str()));
        }
    }
}

/// A policy takes the place of the one of its name.
fn put(config: &mut Config, name: String, policy: Policy) {
    match policy {
        // Taken care of before.
        Policy::Key(_) | Policy::Provider(_) | Policy::Model(_) | Policy::Logging(_) => {}
        Policy::Project(value) => drop(config.projects.insert(name, value)),
        Policy::Limit(value) => drop(config.limits.insert(name, value)),
        Policy::Budget(value) => drop(config.budgets.insert(name, value)),
        Policy::Guardrail(value) => drop(config.guardrails.insert(name, value)),
        Policy::SystemPrompt(value) => drop(config.system_prompts.insert(name, value)),
        Policy::Cache(value) => config.cache = value,
        Policy::Route(value) => drop(config.egress.insert(name, value)),
        Policy::Payloads(value) => config.payloads = value,
        Policy::Price(value) => drop(config::put_price(config, &name, &value)),
        Policy::Settings(value) => drop(config::put_settings(config, &value)),
    }
}

/// It keeps its place: routing goes by it.
fn put_provider(config: &mut Config, provider: Provider) {
    let mut places = config.providers.iter_mut();
    match places.find(|other| other.name == provider.name) {
        Some(place) => *place = provider,
        None => config.providers.push(provider),
    }
}

fn put_model(config: &mut Config, model: Model) {
    let mut places = config.models.iter_mut();
    match places.find(|other| other.name == model.name) {
        Some(place) => *place = model,
        None => config.models.push(model),
    }
}

fn remove(config: &mut Config, kind: PolicyKind, name: &str) {
    match kind {
        PolicyKind::Provider => config.providers.retain(|provider| provider.name != name),
        PolicyKind::Project => drop(config.projects.remove(name)),
        PolicyKind::Limit => drop(config.limits.remove(name)),
        PolicyKind::Budget => drop(config.budgets.remove(name)),
        PolicyKind::Guardrail => drop(config.guardrails.remove(name)),
        PolicyKind::SystemPrompt => drop(config.system_prompts.remove(name)),
        PolicyKind::Route => drop(config.egress.remove(name)),
        PolicyKind::Model => config.models.retain(|model| model.name != name),
        PolicyKind::Price => config::remove_price(config, name),
        // There is always one of these; of keys is taken care before.
        PolicyKind::Cache
        | PolicyKind::Settings
        | PolicyKind::Payloads
        | PolicyKind::Logging
        | PolicyKind::Key => {}
    }
}

fn edited<T>(
    change: &Change,
    read: impl FnOnce(&str) -> Result<T, serde_json::Error>,
) -> Result<Edited<T>, String> {
    Ok(Edited {
        state: match &change.what {
            What::Put(json) => EditState::Put(read(json).map_err(|error| error.to_string())?),
            What::Delete => EditState::Deleted,
            What::Reset => EditState::Reset,
            What::Unreadable(problem) => return Err(problem.clone()),
        },
        version: change.version,
        at: change.at,
        by: change.by.clone(),
    })
}

/// Strategies used to be a setting of their own.
async fn take_over_old(store: &Store) -> Result<(), StoreError> {
    let Some(old) = store.setting(OLD_SETTING).await? else {
        return Ok(());
    };
    let old: OldEdits = serde_json::from_str(&old).unwrap_or_default();
    let changes = old.strategies.into_iter().map(|(name, strategy)| Change {
        kind: PolicyKind::Model.as_str().to_owned(),
        name,
        version: 1,
        what: What::Put(serde_json::json!({ "strategy": strategy }).to_string()),
        reason: None,
        by: "admin".to_owned(),
        at: Utc::now(),
    });
    store
        .replace_setting(OLD_SETTING, &changes.collect::<Vec<_>>())
        .await
}
