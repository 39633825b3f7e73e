//! From the configuration's models to routes.

use std::collections::HashMap;
use std::sync::Arc;

use super::route::{Fallbacks, ModelRoute, RouteRule, RouteTarget, TargetList, Then};
use super::states::States;
use super::strategy::Picker;
use super::table::ProviderEntry;
use super::target::{TargetSettings, TargetState};
use crate::config::{self, Hedge, Retry, Share, Strategy};

/// What a model of a provider costs, input and output together; `None`: unknown.
pub type PriceOf<'a> = &'a dyn Fn(usize, &str) -> Option<u64>;

/// Models that only clients name are told apart by so many characters.
pub(super) const LONGEST_NAME: usize = 256;

/// Makes routes of models.
pub(super) struct Builder<'a> {
    pub providers: &'a [ProviderEntry],
    pub models: &'a [config::Model],
    pub states: &'a States,
    pub price: PriceOf<'a>,
    /// All targets that were made.
    pub targets: Vec<Arc<TargetState>>,
}

impl Builder<'_> {
    /// In the order of the models.
    pub fn routes(&mut self) -> Vec<Arc<ModelRoute>> {
        let models = self.models;
        let mut by_name = HashMap::new();
        for (index, model) in models.iter().enumerate() {
            for name in std::iter::once(&model.name).chain(&model.aliases) {
                by_name.entry(name.as_str()).or_insert(index);
            }
        }
        models
            .iter()
            .map(|model| Arc::new(self.route(model, &by_name)))
            .collect()
    }

    /// For a provider that is chosen by its name and has others to go to: each answers with its own model.
    pub fn chosen(
        &mut self,
        provider: &config::Provider,
        all: &[config::Provider],
    ) -> Option<Arc<ModelRoute>> {
        let fallbacks = provider.fallbacks.iter();
        let mut fallbacks = fallbacks
            .filter_map(|name| all.iter().find(|other| other.name == *name))
            .peekable();
        fallbacks.peek()?;
        let own = |provider: &config::Provider| config::Target {
            provider: provider.name.clone(),
            model: provider.model.clone(),
            ..config::Target::default()
        };
        let model = config::Model {
            name: format!("{}/{}", provider.name, provider.model.as_deref()?),
            strategy: Strategy::Priority,
            targets: std::iter::once(provider)
                .chain(fallbacks)
                .map(own)
                .collect(),
            ..config::Model::default()
        };
        Some(Arc::new(self.route(&model, &HashMap::new())))
    }

    fn route(&mut self, model: &config::Model, by_name: &HashMap<&str, usize>) -> ModelRoute {
        let name: Arc<str> = model.name.as_str().into();
        let mut lists = vec![self.list(model, &model.targets)];
        let mut rules = Vec::new();
        for rule in &model.rules {
            let then = match rule.model.as_deref().and_then(|name| by_name.get(name)) {
                Some(index) => Then::Model(*index),
                None => {
                    lists.push(self.list(model, &rule.targets));
                    Then::List(lists.len() - 1)
                }
            };
            rules.push(RouteRule {
                when: rule.when.clone(),
                then,
            });
        }
        let named = |names: &[String]| {
            let indexes = names.iter().filter_map(|name| by_name.get(name.as_str()));
            indexes.copied().collect()
        };
        let shadow = model.shadow.as_ref().and_then(|shadow| {
            let target = config::Target {
                provider: shadow.provider.clone(),
                model: shadow.model.clone(),
                ..config::Target::default()
            };
            Some((self.target(model, &target)?, shadow.share))
        });
        ModelRoute {
            is_pattern: model.name.contains('*'),
            endpoints: model.endpoints.clone(),
            lists,
            rules,
            sticky: (model.strategy == Strategy::Sticky).then(|| model.sticky.clone()),
            max_attempts: model.max_attempts.map(|attempts| attempts as usize),
            max_input_tokens: model.max_input_tokens,
            retry: model.retry,
            hedge: model.hedge,
            fallbacks: Fallbacks {
                general: named(&model.fallbacks),
                context_length: named(&model.context_length_fallbacks),
                content_filter: named(&model.content_filter_fallbacks),
            },
            shadow,
            strict: model.strict,
            state: self.states.model(&name),
            name,
        }
    }

    fn list(&mut self, model: &config::Model, targets: &[config::Target]) -> TargetList {
        let targets: Vec<RouteTarget> = targets
            .iter()
            .filter_map(|target| self.target(model, target))
            .collect();
        let picker = Picker::new(model.strategy, &targets);
        TargetList::new(targets, picker)
    }

    /// `None`: it may not be called.
    fn target(&mut self, model: &config::Model, target: &config::Target) -> Option<RouteTarget> {
        let mut providers = self.providers.iter();
        let provider = providers.position(|entry| *entry.name == *target.provider)?;
        let entry = &self.providers[provider];
        if !entry.enabled || !target.enabled {
            return None;
        }
        let any_model = target.model.is_none() && model.name.contains('*');
        let name = target.model.as_deref().unwrap_or(&model.name);
        let settings = TargetSettings {
            breaker: model.breaker,
            max_concurrent: target.max_concurrent,
        };
        let state = self
            .states
            .named(&entry.state, &name.into(), any_model, settings);
        self.targets.push(Arc::clone(&state));
        Some(RouteTarget {
            provider,
            model: (!any_model).then(|| state.model().clone()),
            weight: target.weight,
            priority: target.priority,
            price: (self.price)(provider, name),
            parameters: (!target.parameters.is_empty())
                .then(|| Arc::new(target.parameters.clone())),
            state,
        })
    }
}

/// To a model that no configuration names, with what holds where nothing is said.
pub(super) fn unnamed_route(
    index: usize,
    provider: &ProviderEntry,
    model: &str,
    states: &States,
) -> ModelRoute {
    // Clients choose these names, as long as they like: what is kept of them is bounded.
    let known_as = match model.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => &model[..end],
        None => model,
    };
    let state = states.unnamed(&provider.state, known_as);
    let name = if known_as == model {
        state.model().clone()
    } else {
        model.into()
    };
    let target = RouteTarget {
        provider: index,
        model: Some(name.clone()),
        weight: 1,
        priority: 0,
        price: None,
        parameters: None,
        state,
    };
    // What is counted is counted a provider: clients may name any number of models.
    let counted: Arc<str> = format!("{}/", provider.name).into();
    ModelRoute {
        name,
        is_pattern: false,
        endpoints: Vec::new(),
        lists: vec![TargetList::new(vec![target], Picker::Priority)],
        rules: Vec::new(),
        sticky: None,
        max_attempts: None,
        max_input_tokens: None,
        retry: Retry::default(),
        hedge: Hedge {
            enabled: false,
            max_share: Share::default(),
        },
        fallbacks: Fallbacks::default(),
        shadow: None,
        strict: false,
        state: states.model(&counted),
    }
}
