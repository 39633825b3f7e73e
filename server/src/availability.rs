//! Where requests go just now, and why not elsewhere: for operators, for clients that list models, for metrics.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use shared::routing::{ProviderHealth, TargetState, TargetStatus};

use crate::config::{Model, Target};
use crate::policies::Policies;
use crate::routing::{ProviderView, States, TargetView};

/// How everything fares at one moment.
#[derive(Debug)]
pub struct Availability<'a> {
    policies: &'a Policies,
    at: DateTime<Utc>,
    targets: HashMap<(Arc<str>, Arc<str>), TargetView>,
    providers: HashMap<Arc<str>, ProviderView>,
}

impl<'a> Availability<'a> {
    pub fn of(policies: &'a Policies) -> Self {
        let states: &States = policies.routing.states();
        let (now, at) = (Instant::now(), Utc::now());
        let targets = states.targets().into_iter().map(|target| {
            let key = (target.provider().name().clone(), target.model().clone());
            (key, target.view(now))
        });
        let providers = states.providers().into_iter().map(|provider| {
            let view = provider.view(now);
            (view.name.clone(), view)
        });
        Self {
            policies,
            at,
            targets: targets.collect(),
            providers: providers.collect(),
        }
    }

    /// Every target of every model, in the order of the configuration; those of rules after the model's own.
    pub fn targets(&self) -> Vec<TargetStatus> {
        let models = self.policies.models.iter();
        models.flat_map(|model| self.targets_of(model)).collect()
    }

    /// The targets of one model.
    pub fn targets_of<'b>(&'b self, model: &'b Model) -> impl Iterator<Item = TargetStatus> + 'b {
        let ruled = model.rules.iter().flat_map(|rule| &rule.targets);
        let all = model.targets.iter().chain(ruled);
        all.map(|target| self.target(model, target))
    }

    /// How a provider fares.
    pub fn provider(&self, name: &str) -> ProviderHealth {
        let Some(view) = self.providers.get(name) else {
            return ProviderHealth {
                name: name.to_owned(),
                up: true,
                checked_at: None,
                check_failure: None,
                keys: 0,
                keys_usable: 0,
            };
        };
        let checked = view.checked.as_ref();
        let usable = view.keys.iter().filter(|key| key.state == "usable");
        ProviderHealth {
            name: name.to_owned(),
            up: view.up,
            checked_at: checked.map(|(ago, _)| self.at - delta(*ago)),
            check_failure: checked.and_then(|(_, outcome)| outcome.clone().err()),
            keys: count(view.keys.len()),
            keys_usable: count(usable.count()),
        }
    }

    /// Why no request goes to a provider, whatever the model; `None`: requests go there.
    pub fn provider_trouble(&self, name: &str) -> Option<(TargetState, String)> {
        let upstreams = &self.policies.upstreams;
        let enabled = upstreams
            .iter()
            .any(|one| *one.name == *name && one.enabled);
        if !enabled {
            let reason = "it is not enabled".to_owned();
            return Some((TargetState::Disabled, reason));
        }
        let view = self.providers.get(name)?;
        if !view.up {
            let reason = view.reason.clone();
            let reason = reason.unwrap_or_else(|| "it does not answer".to_owned());
            return Some((TargetState::ProviderDown, reason));
        }
        let usable = view.keys.is_empty() || view.keys.iter().any(|key| key.state == "usable");
        if usable {
            return None;
        }
        let reason = view.keys.iter().find_map(|key| key.reason);
        let reason = format!("its API keys: {}", reason.unwrap_or("none may be used"));
        Some((TargetState::NoKey, reason))
    }

    /// Why no request goes to this model of a provider, if none does; `model` is the upstream's name.
    pub fn standing(&self, provider: &str, model: &str) -> Option<(TargetState, String)> {
        if let Some(trouble) = self.provider_trouble(provider) {
            return Some(trouble);
        }
        let view = self.targets.get(&(Arc::from(provider), Arc::from(model)))?;
        let (state, reason) = breaker(view);
        let reason = reason.unwrap_or_default();
        (state != TargetState::Available).then_some((state, reason))
    }

    fn target(&self, model: &Model, target: &Target) -> TargetStatus {
        let name = target.model.as_deref().unwrap_or(&model.name);
        let key = (Arc::from(&*target.provider), Arc::from(name));
        let view = self.targets.get(&key);
        let (state, reason) = self.state(target, view);
        let millis = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
        TargetStatus {
            model: model.name.clone(),
            upstream_model: target.model.clone(),
            weight: target.weight,
            priority: target.priority,
            state,
            reason,
            until: view
                .and_then(|view| view.rest)
                .filter(|_| state != TargetState::Disabled)
                .map(|rest| self.at + delta(rest)),
            failures_in_a_row: view.map_or(0, |view| view.failures_in_a_row),
            in_flight: view.map_or(0, |view| view.in_flight),
            max_concurrent: target.max_concurrent,
            first_token_ms: view.and_then(|view| view.average_first_token).map(millis),
            first_token_p95_ms: view.and_then(|view| view.p95_first_token).map(millis),
            provider: self.provider(&target.provider),
        }
    }

    fn state(&self, target: &Target, view: Option<&TargetView>) -> (TargetState, Option<String>) {
        if !target.enabled {
            let reason = "the target is not enabled".to_owned();
            return (TargetState::Disabled, Some(reason));
        }
        if let Some((state, reason)) = self.provider_trouble(&target.provider) {
            return (state, Some(reason));
        }
        view.map_or((TargetState::Available, None), breaker)
    }
}

fn breaker(view: &TargetView) -> (TargetState, Option<String>) {
    let failure = view.last_failure.map(|(_, kind)| kind.as_str().to_owned());
    match view.breaker {
        "open" if view.rest.is_some() => (TargetState::Open, failure),
        // Its cool-down is over, and nobody came yet.
        "open" | "half_open" => (TargetState::HalfOpen, failure),
        _ if !view.available => (TargetState::CoolingDown, failure),
        _ => (TargetState::Available, None),
    }
}

fn delta(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
