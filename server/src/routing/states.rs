//! All that is known of providers, targets and models, by name: a change of the configuration keeps it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::budget::Budget;
use super::provider::ProviderState;
use super::target::{TargetSettings, TargetState};
use super::transition::{Observer, Transition};

/// Targets that no configuration names, such as `provider/model`, are forgotten beyond that many.
const MOST_UNNAMED: usize = 4096;

/// The registry of states.
#[derive(Debug)]
pub struct States {
    observer: Observer,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    providers: HashMap<Arc<str>, Arc<ProviderState>>,
    /// Where each provider is, told by a number.
    addresses: HashMap<Arc<str>, u64>,
    /// By provider and model.
    targets: HashMap<(Arc<str>, Arc<str>), Arc<TargetState>>,
    named: HashSet<(Arc<str>, Arc<str>)>,
    models: HashMap<Arc<str>, Arc<ModelState>>,
}

/// What is counted for one model.
#[derive(Debug)]
pub struct ModelState {
    pub retries: Budget,
    pub hedges: Budget,
}

impl States {
    /// `observer` is told of every transition, while a request waits.
    pub fn new(observer: impl Fn(&Transition) + Send + Sync + 'static) -> Self {
        Self {
            observer: Observer::new(observer),
            inner: Mutex::default(),
        }
    }

    /// Every provider of the configurations so far.
    pub fn providers(&self) -> Vec<Arc<ProviderState>> {
        let mut providers: Vec<_> = self.lock().providers.values().cloned().collect();
        providers.sort_by(|a, b| a.name().cmp(b.name()));
        providers
    }

    /// Every target there is or was asked for, by provider and model.
    pub fn targets(&self) -> Vec<Arc<TargetState>> {
        let mut targets: Vec<_> = self.lock().targets.values().cloned().collect();
        let name =
            |state: &Arc<TargetState>| (state.provider().name().clone(), state.model().clone());
        targets.sort_by_cached_key(name);
        targets
    }

    pub fn provider(&self, name: &str) -> Option<Arc<ProviderState>> {
        self.lock().providers.get(name).cloned()
    }

    /// A provider answers a health check: its targets may be tried again.
    pub fn seen_alive(&self, provider: &str) {
        let inner = self.lock();
        let targets = inner.targets.values();
        let its: Vec<Arc<TargetState>> = targets
            .filter(|target| **target.provider().name() == *provider)
            .cloned()
            .collect();
        drop(inner);
        for target in its {
            target.seen_alive();
        }
    }

    /// A provider of the configuration, with its address and these keys, each told by a number. At another address it
    /// is another provider: what was known of it and its targets is not known of this one.
    pub(super) fn provider_with(
        &self,
        name: &str,
        address: u64,
        keys: &[u64],
    ) -> Arc<ProviderState> {
        let state = {
            let mut inner = self.lock();
            if let Some(before) = inner.addresses.insert(name.into(), address)
                && before != address
            {
                inner.providers.remove(name);
                inner.targets.retain(|key, _| *key.0 != *name);
            }
            let known = inner.providers.get(name).cloned();
            known.unwrap_or_else(|| {
                let name: Arc<str> = name.into();
                let state = ProviderState::new(name.clone(), self.observer.clone());
                let state = Arc::new(state);
                inner.providers.insert(name, Arc::clone(&state));
                state
            })
        };
        state.set_keys(keys);
        state
    }

    /// A target that the configuration names. `any_model`: its model's name is the client's.
    pub(super) fn named(
        &self,
        provider: &Arc<ProviderState>,
        model: &Arc<str>,
        any_model: bool,
        settings: TargetSettings,
    ) -> Arc<TargetState> {
        let mut inner = self.lock();
        let key = (provider.name().clone(), model.clone());
        inner.named.insert(key.clone());
        let state = self.target(&mut inner, key, provider, any_model);
        drop(inner);
        state.set(settings);
        state
    }

    /// A target that only a client names.
    pub(super) fn unnamed(&self, provider: &Arc<ProviderState>, model: &str) -> Arc<TargetState> {
        let mut inner = self.lock();
        let key = (provider.name().clone(), Arc::from(model));
        if !inner.targets.contains_key(&key)
            && inner.targets.len() >= inner.named.len() + MOST_UNNAMED
        {
            let Inner { targets, named, .. } = &mut *inner;
            targets.retain(|key, state| named.contains(key) || state.in_flight() > 0);
        }
        self.target(&mut inner, key, provider, false)
    }

    fn target(
        &self,
        inner: &mut Inner,
        key: (Arc<str>, Arc<str>),
        provider: &Arc<ProviderState>,
        any_model: bool,
    ) -> Arc<TargetState> {
        let model = key.1.clone();
        let state = inner.targets.entry(key).or_insert_with(|| {
            let observer = self.observer.clone();
            Arc::new(TargetState::new(
                Arc::clone(provider),
                model,
                any_model,
                observer,
            ))
        });
        Arc::clone(state)
    }

    /// A configuration is in force that names these: what only one before it named is forgotten.
    pub(super) fn keep(&self, providers: &[Arc<ProviderState>], targets: &[Arc<TargetState>]) {
        let mut inner = self.lock();
        let key =
            |state: &Arc<TargetState>| (state.provider().name().clone(), state.model().clone());
        let named: HashSet<_> = targets.iter().map(key).collect();
        let before = std::mem::replace(&mut inner.named, named);
        let configured = |name: &Arc<str>| providers.iter().any(|state| state.name() == name);
        let Inner {
            providers,
            addresses,
            targets,
            named,
            ..
        } = &mut *inner;
        providers.retain(|name, _| configured(name));
        addresses.retain(|name, _| configured(name));
        targets
            .retain(|key, _| configured(&key.0) && (named.contains(key) || !before.contains(key)));
    }

    pub(super) fn model(&self, name: &Arc<str>) -> Arc<ModelState> {
        let mut inner = self.lock();
        let state = inner.models.entry(name.clone()).or_insert_with(|| {
            Arc::new(ModelState {
                retries: Budget::of_retries(),
                hedges: Budget::of_hedges(),
            })
        });
        Arc::clone(state)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for States {
    /// Nobody is told of anything.
    fn default() -> Self {
        Self::new(|_| {})
    }
}
