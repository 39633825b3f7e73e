//! From what a client asks for to the targets that can answer.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::access::{self, Access, Allowed};
use super::ad_hoc::AdHoc;
use super::build::{Builder, PriceOf};
use super::moment::{Moment, hashed};
use super::names::nearest;
use super::pattern::Pattern;
use super::plan::Plan;
use super::provider::ProviderState;
use super::route::{ModelRoute, Then};
use super::rules;
use super::states::States;
use super::wish::Wish;
use crate::config::{self, Endpoint};

/// Everything that routing knows, for one snapshot of the configuration.
#[derive(Debug)]
pub struct RoutingTable {
    providers: Vec<ProviderEntry>,
    default_provider: Option<usize>,
    catalog: Arc<[Arc<ModelRoute>]>,
    /// Names and aliases.
    by_name: HashMap<Arc<str>, usize>,
    /// The most particular pattern first.
    by_pattern: Vec<(Pattern, usize)>,
    /// The models that take what nothing else directs.
    defaults: Vec<(Endpoint, usize)>,
    ad_hoc: AdHoc,
    /// By provider: its own model and where else to go, if anywhere.
    chosen: Vec<Option<Arc<ModelRoute>>>,
    states: Arc<States>,
}

/// A provider as routing sees it. Its index is its identity.
#[derive(Clone, Debug)]
pub struct ProviderEntry {
    pub name: Arc<str>,
    pub enabled: bool,
    /// The model that it answers with where nobody says which.
    pub model: Option<Arc<str>>,
    pub state: Arc<ProviderState>,
}

impl RoutingTable {
    /// Of what the configuration says. What `states` knows by name stays known.
    pub fn new(
        configured: &[config::Provider],
        models: &[config::Model],
        price: PriceOf<'_>,
        states: Arc<States>,
    ) -> Self {
        let default_provider = configured.iter().position(|p| p.default && p.enabled);
        let providers: Vec<ProviderEntry> = configured
            .iter()
            .map(|provider| ProviderEntry::new(provider, &states))
            .collect();
        let mut builder = Builder {
            providers: &providers,
            models,
            states: &states,
            price,
            targets: Vec::new(),
        };
        let catalog: Arc<[_]> = builder.routes().into();
        let chosen = configured.iter();
        let chosen = chosen
            .map(|provider| builder.chosen(provider, configured))
            .collect();
        let provider_states: Vec<_> = providers.iter().map(|p| Arc::clone(&p.state)).collect();
        states.keep(&provider_states, &builder.targets);
        let mut by_name = HashMap::new();
        let mut by_pattern = Vec::new();
        let mut defaults = Vec::new();
        for (index, model) in models.iter().enumerate() {
            let aliases = model.aliases.iter().map(|alias| alias.as_str().into());
            by_name.extend(aliases.map(|alias: Arc<str>| (alias, index)));
            match Pattern::parse(&model.name) {
                Some(pattern) => by_pattern.push((pattern, index)),
                None => {
                    by_name.insert(catalog[index].name().clone(), index);
                }
            }
            defaults.extend(model.default_for.iter().map(|endpoint| (*endpoint, index)));
        }
        by_pattern.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.weight()));
        Self {
            ad_hoc: AdHoc::new(providers.len()),
            chosen,
            providers,
            default_provider,
            catalog,
            by_name,
            by_pattern,
            defaults,
            states,
        }
    }

    /// A request's way. The header wins; then a configured model by its name or an alias; a wildcard with a `/`;
    /// `provider/model`; any other wildcard; the provider whose own model it is; the endpoint's default model; the
    /// default provider.
    ///
    /// # Errors
    /// `model_not_found` or `provider_not_found` with the nearest names; `invalid_request` when nothing says which
    /// model; `context_length_exceeded` when the request is longer than its model takes; `overloaded` when all that
    /// could answer is disabled; `model_not_allowed` and `provider_not_allowed` when it is not for the caller.
    pub fn plan(&self, wish: Wish<'_>, moment: Moment) -> Result<Plan, ApiError> {
        let (found, allowed) = self.allowed(&wish)?;
        let allowed = allowed.as_ref();
        match found {
            Found::Route(index) | Found::DefaultModel(index) => {
                let asked = wish.model.unwrap_or(self.catalog[index].name());
                self.by_rules(index, asked, wish, allowed, moment)
            }
            Found::Prefixed(index, rest) => self.single(index, rest, allowed),
            Found::Owner(index) | Found::DefaultProvider(index) | Found::Chosen(index) => {
                self.own_model(index, wish.model, allowed)
            }
        }
    }

    /// Whether the caller may ask for this at all, before anything is decided.
    ///
    /// # Errors
    /// As [`plan`](Self::plan), as far as names and callers are concerned.
    pub fn check(&self, wish: Wish<'_>) -> Result<(), ApiError> {
        self.allowed(&wish).map(|_| ())
    }

    /// The providers that a request for `model` may go to, at some endpoint.
    ///
    /// # Errors
    /// `model_not_found` with the nearest names; for a caller who is limited also as [`plan`](Self::plan).
    pub fn providers_of(
        &self,
        model: &str,
        access: Option<&Access>,
    ) -> Result<Vec<usize>, ApiError> {
        let found = self
            .find(model, None)
            .ok_or_else(|| self.model_not_found(model, access))?;
        let mut providers = match found.provider() {
            Some(index) => vec![index],
            None => self.catalog[found.index()].providers(),
        };
        if let Some(access) = access {
            let allowed = self.check_access(access, &found, Some(model), Endpoint::Chat)?;
            providers.retain(|index| access::allows(allowed.as_ref(), *index));
            if providers.is_empty() {
                return Err(access::all_providers_refused(model));
            }
        }
        Ok(providers)
    }

    /// Whether the configuration speaks of a model of this name, so that it does not just fall to the default
    /// provider as any word does.
    pub fn knows(&self, model: &str) -> bool {
        matches!(
            self.find(model, None),
            Some(Found::Route(_) | Found::Prefixed(..) | Found::Owner(_))
        )
    }

    /// The providers, in the order of the configuration.
    pub fn providers(&self) -> &[ProviderEntry] {
        &self.providers
    }

    /// What is known of providers and targets, whatever the configuration.
    pub fn states(&self) -> &Arc<States> {
        &self.states
    }

    /// The models that clients can name, aliases too, wildcards as they are written, each with the indexes of
    /// its providers.
    pub fn models(&self) -> Vec<(Arc<str>, Vec<usize>)> {
        let patterns = self.by_pattern.iter().map(|(_, index)| *index);
        let patterns = patterns.map(|index| (self.catalog[index].name(), index));
        let names = self.by_name.iter().map(|(name, index)| (name, *index));
        let mut models: Vec<(Arc<str>, Vec<usize>)> = names
            .chain(patterns)
            .map(|(name, index)| (name.clone(), self.catalog[index].providers()))
            .collect();
        for (index, entry) in self.providers.iter().enumerate() {
            if let Some(model) = &entry.model
                && entry.enabled
                && !self.by_name.contains_key(model)
            {
                match models.iter_mut().find(|(name, _)| name == model) {
                    Some((_, providers)) => providers.push(index),
                    None => models.push((model.clone(), vec![index])),
                }
            }
        }
        models.sort();
        models
    }

    pub(super) fn route(&self, index: usize) -> &Arc<ModelRoute> {
        &self.catalog[index]
    }

    /// How a wish is understood, and the providers that the caller may have asked.
    fn allowed<'w>(&self, wish: &Wish<'w>) -> Result<(Found<'w>, Option<Allowed>), ApiError> {
        let found = self.found(wish)?;
        let allowed = match wish.access {
            Some(access) => self.check_access(access, &found, wish.model, wish.endpoint)?,
            None => None,
        };
        Ok((found, allowed))
    }

    /// What a model is called that decides who answers, where the client wrote another name: rules about models must
    /// not be got round by an alias, by `provider/model`, or by choosing a provider.
    pub fn known_as(&self, wish: &Wish<'_>) -> Option<Arc<str>> {
        let other = |name: &str| wish.model != Some(name);
        match self.found(wish).ok()? {
            Found::Route(index) | Found::DefaultModel(index) => {
                let route = &self.catalog[index];
                (!route.is_pattern && other(route.name())).then(|| Arc::clone(route.name()))
            }
            Found::Prefixed(_, model) => Some(model.into()),
            Found::Owner(index) | Found::DefaultProvider(index) | Found::Chosen(index) => {
                let own = self.providers[index].model.as_ref();
                own.filter(|own| other(own)).cloned()
            }
        }
    }

    /// How a wish is understood.
    fn found<'w>(&self, wish: &Wish<'w>) -> Result<Found<'w>, ApiError> {
        if let Some(name) = wish.provider {
            let index = self.provider(name);
            return index
                .map(Found::Chosen)
                .ok_or_else(|| self.no_provider(name));
        }
        if let Some(model) = wish.model {
            let found = self.find(model, Some(wish.endpoint));
            return found.ok_or_else(|| self.model_not_found(model, wish.access));
        }
        let model = self.default_model(wish.endpoint).map(Found::DefaultModel);
        model
            .or_else(|| self.default_provider.map(Found::DefaultProvider))
            .ok_or_else(|| {
                ApiError::invalid("you must provide a model parameter").with_param("model")
            })
    }

    /// `endpoint`: where the model has to be served; `None`: anywhere.
    pub(super) fn find<'a>(&self, model: &'a str, endpoint: Option<Endpoint>) -> Option<Found<'a>> {
        let served =
            |index: &usize| endpoint.is_none_or(|endpoint| self.catalog[*index].serves(endpoint));
        if let Some(index) = self.by_name.get(model).filter(|index| served(index)) {
            return Some(Found::Route(*index));
        }
        let pattern = self.by_pattern.iter();
        let mut pattern =
            pattern.filter(|(pattern, index)| served(index) && pattern.matches(model));
        let pattern = pattern.next();
        if let Some((pattern, index)) = pattern
            && pattern.has('/')
        {
            return Some(Found::Route(*index));
        }
        if let Some((provider, rest)) = model.split_once('/')
            && !rest.is_empty()
            && let Some(index) = self.provider(provider)
        {
            return Some(Found::Prefixed(index, rest));
        }
        if let Some((_, index)) = pattern {
            return Some(Found::Route(*index));
        }
        let mut providers = self.providers.iter();
        let owner = providers.position(|it| it.enabled && it.model.as_deref() == Some(model));
        let default_model = || endpoint.and_then(|endpoint| self.default_model(endpoint));
        owner
            .map(Found::Owner)
            .or_else(|| default_model().map(Found::DefaultModel))
            .or_else(|| self.default_provider.map(Found::DefaultProvider))
    }

    fn default_model(&self, endpoint: Endpoint) -> Option<usize> {
        let mut defaults = self.defaults.iter();
        let found = defaults.find(|(at, _)| *at == endpoint);
        found.map(|(_, index)| *index)
    }

    fn provider(&self, name: &str) -> Option<usize> {
        self.providers.iter().position(|entry| &*entry.name == name)
    }

    /// The provider's own model, or else the one that the client named.
    fn own_model(
        &self,
        index: usize,
        asked: Option<&str>,
        allowed: Option<&Allowed>,
    ) -> Result<Plan, ApiError> {
        let entry = &self.providers[index];
        if let Some(route) = self.chosen[index].as_ref().filter(|_| entry.enabled) {
            let catalog = Arc::clone(&self.catalog);
            let route = Arc::clone(route);
            return Ok(Plan::new(catalog, route, 0, None, None, allowed));
        }
        match entry.model.as_deref().or(asked) {
            Some(model) => self.single(index, model, allowed),
            None => Err(ApiError::invalid(format!(
                "The provider `{}` has no model of its own: you must provide a model parameter",
                entry.name
            ))
            .with_param("model")),
        }
    }

    fn single(
        &self,
        index: usize,
        model: &str,
        allowed: Option<&Allowed>,
    ) -> Result<Plan, ApiError> {
        let entry = &self.providers[index];
        if !entry.enabled {
            return Err(disabled(&format!("The provider `{}`", entry.name)));
        }
        let route = self.ad_hoc.route(index, entry, model, &self.states);
        let catalog = Arc::clone(&self.catalog);
        Ok(Plan::new(catalog, route, 0, None, None, allowed))
    }

    /// A model's own targets, or where the first of its rules leads that holds.
    fn by_rules(
        &self,
        index: usize,
        asked: &str,
        wish: Wish<'_>,
        allowed: Option<&Allowed>,
        moment: Moment,
    ) -> Result<Plan, ApiError> {
        let rules = &self.catalog[index].rules;
        let rule = rules
            .iter()
            .find(|rule| rules::holds(&rule.when, &wish, moment.at));
        match rule.map(|rule| rule.then) {
            Some(Then::Model(other)) => self.of_route(other, 0, asked, wish, allowed),
            Some(Then::List(list)) => self.of_route(index, list, asked, wish, allowed),
            None => self.of_route(index, 0, asked, wish, allowed),
        }
    }

    fn of_route(
        &self,
        index: usize,
        list: usize,
        asked: &str,
        wish: Wish<'_>,
        allowed: Option<&Allowed>,
    ) -> Result<Plan, ApiError> {
        let mut route = &self.catalog[index];
        let mut list = list;
        if let Some(most) = route.max_input_tokens {
            let tokens = wish.facts.input_tokens();
            let fits =
                |route: &&Arc<ModelRoute>| route.max_input_tokens.is_none_or(|most| tokens <= most);
            if tokens > most {
                let longer = route.fallbacks.context_length.iter();
                let mut longer = longer.map(|index| &self.catalog[*index]).filter(fits);
                route = longer.next().ok_or_else(|| too_long(asked, tokens, most))?;
                list = 0;
            }
        }
        let has_any = !route.lists[list].targets().is_empty();
        if !has_any && route.fallbacks.general.is_empty() {
            return Err(disabled(&format!("Every provider of the model `{asked}`")));
        }
        if let Some(allowed) = allowed
            && !self.leads_to(route, &route.lists[list], allowed)
        {
            return Err(access::all_providers_refused(asked));
        }
        let asked = route.is_pattern.then(|| asked.into());
        let sticky = route.stickiness(wish.facts);
        let catalog = Arc::clone(&self.catalog);
        let route = Arc::clone(route);
        Ok(Plan::new(catalog, route, list, asked, sticky, allowed))
    }

    fn model_not_found(&self, model: &str, access: Option<&Access>) -> ApiError {
        let models = match access {
            Some(access) => self.models_for(access),
            None => self.models(),
        };
        let known = models.iter().map(|(name, _)| &**name);
        let message = format!(
            "The model `{model}` does not exist.{}",
            nearest(model, known)
        );
        ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message)
            .with_code("model_not_found")
            .with_param("model")
    }

    fn no_provider(&self, name: &str) -> ApiError {
        let known = self.providers.iter().filter(|entry| entry.enabled);
        let message = format!(
            "There is no provider `{name}` (header x-llm-provider).{}",
            nearest(name, known.map(|entry| &*entry.name))
        );
        ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message)
            .with_code("provider_not_found")
    }
}

impl ProviderEntry {
    fn new(provider: &config::Provider, states: &States) -> Self {
        let keys = provider.all_keys();
        let fingerprints: Vec<u64> = keys.iter().map(|key| hashed(key.expose())).collect();
        let url = provider.base_url.as_deref().unwrap_or_default();
        let address = hashed(&format!("{} {url}", provider.kind));
        Self {
            name: provider.name.as_str().into(),
            enabled: provider.enabled,
            model: provider.model.as_deref().map(Into::into),
            state: states.provider_with(&provider.name, address, &fingerprints),
        }
    }
}

/// How a model's name is understood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// A model of the configuration.
    Route(usize),
    /// `provider/model`, and what stands after the slash.
    Prefixed(usize, &'a str),
    /// The provider whose own model it is.
    Owner(usize),
    /// Nobody knows it; the endpoint's default model takes it.
    DefaultModel(usize),
    /// Nobody knows it; the default provider may.
    DefaultProvider(usize),
    /// The provider that the request's head names.
    Chosen(usize),
}

impl Found<'_> {
    /// The provider that is asked directly; `None`: a model's targets are.
    pub(super) fn provider(&self) -> Option<usize> {
        match *self {
            Self::Route(_) | Self::DefaultModel(_) => None,
            Self::Prefixed(index, _)
            | Self::Owner(index)
            | Self::DefaultProvider(index)
            | Self::Chosen(index) => Some(index),
        }
    }

    /// Of the model or the provider.
    fn index(&self) -> usize {
        match *self {
            Self::Route(index)
            | Self::DefaultModel(index)
            | Self::Prefixed(index, _)
            | Self::Owner(index)
            | Self::DefaultProvider(index)
            | Self::Chosen(index) => index,
        }
    }
}

fn disabled(what: &str) -> ApiError {
    let message = format!("{what} is disabled in the gateway's configuration.");
    ApiError::new(ErrorKind::Overloaded, ErrorSource::Policy, message)
}

fn too_long(model: &str, tokens: u64, most: u64) -> ApiError {
    let message = format!(
        "The request has about {tokens} input tokens (an estimate), and the model `{model}` takes {most} at most. \
         Shorten the conversation, or use another model."
    );
    ApiError::new(
        ErrorKind::ContextLengthExceeded,
        ErrorSource::Policy,
        message,
    )
}
