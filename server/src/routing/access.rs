//! What a caller may ask for, and who may answer it.

use std::sync::Arc;

use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::pattern::Pattern;
use super::route::{ModelRoute, TargetList};
use super::table::{Found, RoutingTable};
use crate::config::Endpoint;

/// The models and providers that a caller is limited to.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Each of these has to hold a model: a key's own, and its project's.
    models: Vec<Vec<Name>>,
    /// By the provider's index; `None`: all.
    providers: Option<Allowed>,
    /// The same by name, for what was answered when the indexes were others.
    named: Option<Box<[Box<str>]>>,
}

/// Which providers may be asked, by their index.
pub(super) type Allowed = Arc<[bool]>;

#[derive(Clone, Debug)]
enum Name {
    Plain(Box<str>),
    Pattern(Pattern),
}

impl Name {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Plain(plain) => **plain == *name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

impl Access {
    /// Of lists of models and of providers, all of which must allow something; an empty one allows all. `known`: the
    /// providers' names, in the order of the configuration. `None`: there is no limit.
    pub fn new(models: [&[String]; 2], providers: [&[String]; 2], known: &[&str]) -> Option<Self> {
        let names = |list: &[String]| {
            let names = list.iter().map(|name| match Pattern::parse(name) {
                Some(pattern) => Name::Pattern(pattern),
                None => Name::Plain(name.as_str().into()),
            });
            names.collect()
        };
        let given = |list: &&[String]| !list.is_empty();
        let allowed = |provider: &&str| {
            let mut lists = providers.iter().filter(|list| !list.is_empty());
            lists.all(|list| list.iter().any(|name| name == provider))
        };
        let limited = providers.iter().any(given);
        let access = Self {
            models: models
                .iter()
                .copied()
                .filter(|list| given(list))
                .map(names)
                .collect(),
            providers: limited.then(|| known.iter().map(allowed).collect()),
            named: limited.then(|| {
                let names = known.iter().filter(|name| allowed(name));
                names.map(|name| Box::from(*name)).collect()
            }),
        };
        (!access.models.is_empty() || access.providers.is_some()).then_some(access)
    }

    /// Whether there are models that may not be asked for.
    pub fn limits_models(&self) -> bool {
        !self.models.is_empty()
    }

    /// Whether a model that goes by any of these names may be asked for.
    fn allows_model(&self, names: &[&str]) -> bool {
        let mut lists = self.models.iter();
        lists.all(|list| {
            list.iter()
                .any(|allowed| names.iter().any(|name| allowed.matches(name)))
        })
    }

    fn allows_provider(&self, index: usize) -> bool {
        allows(self.providers.as_ref(), index)
    }

    /// Whether an answer of this provider's may be given again.
    pub fn allows_answer_of(&self, provider: &str) -> bool {
        let named = self.named.as_deref();
        named.is_none_or(|names| names.iter().any(|name| **name == *provider))
    }

    /// Models that are listed by their names, not by patterns.
    fn plain_names(&self) -> impl Iterator<Item = &str> {
        let lists = self.models.iter().flatten();
        lists.filter_map(|name| match name {
            Name::Plain(name) => Some(&**name),
            Name::Pattern(_) => None,
        })
    }
}

/// Whether a provider is among those allowed.
pub(super) fn allows(allowed: Option<&Allowed>, index: usize) -> bool {
    allowed.is_none_or(|allowed| allowed.get(index).copied().unwrap_or(false))
}

impl RoutingTable {
    /// The providers that may be asked for what was found.
    ///
    /// # Errors
    /// `model_not_allowed`, `provider_not_allowed`.
    pub(super) fn check_access(
        &self,
        access: &Access,
        found: &Found<'_>,
        asked: Option<&str>,
        endpoint: Endpoint,
    ) -> Result<Option<Allowed>, ApiError> {
        if let Some(index) = found.provider()
            && !access.allows_provider(index)
        {
            return Err(self.provider_refused(index));
        }
        if !self.may_ask(access, found, asked, Some(endpoint)) {
            return Err(model_refused(asked, found, self));
        }
        if endpoint != Endpoint::Other || access.models.is_empty() {
            return Ok(access.providers.clone());
        }
        // Any endpoint of the provider's, whatever model the body or the path may name: only for those who may use
        // all that it has.
        let all_of =
            |index: usize| access.allows_model(&[&format!("{}/*", self.providers()[index].name)]);
        let count = self.providers().len();
        let allowed: Allowed = (0..count)
            .map(|index| access.allows_provider(index) && all_of(index))
            .collect();
        match found.provider() {
            Some(index) if !allowed[index] => {
                Err(whole_provider_refused(&self.providers()[index].name))
            }
            _ => Ok(Some(allowed)),
        }
    }

    /// Whether a caller may ask for what was found, as far as models are concerned. What counts is what decides who
    /// answers: a configured model's name and the alias that was asked for; of a wildcard, the name that was asked
    /// for; of a provider that is chosen, or that takes what nobody knows, its model as `provider/model`, and as `model`
    /// alone where that name leads to it as well.
    fn may_ask(
        &self,
        access: &Access,
        found: &Found<'_>,
        asked: Option<&str>,
        endpoint: Option<Endpoint>,
    ) -> bool {
        if access.models.is_empty() {
            return true;
        }
        match *found {
            Found::Route(index) | Found::DefaultModel(index) => {
                let route = self.route(index);
                let by_name = matches!(found, Found::Route(_)) || route.is_pattern;
                match asked.filter(|_| by_name) {
                    Some(asked) if route.is_pattern => access.allows_model(&[asked]),
                    Some(asked) => access.allows_model(&[asked, route.name()]),
                    None => access.allows_model(&[route.name()]),
                }
            }
            Found::Prefixed(index, model) => self.may_ask_directly(access, index, model, endpoint),
            Found::Owner(index) | Found::DefaultProvider(index) | Found::Chosen(index) => {
                let own = self.providers()[index].model.as_deref();
                match own.or(asked) {
                    Some(model) => self.may_ask_directly(access, index, model, endpoint),
                    // Refused for having no model.
                    None => true,
                }
            }
        }
    }

    fn may_ask_directly(
        &self,
        access: &Access,
        index: usize,
        model: &str,
        endpoint: Option<Endpoint>,
    ) -> bool {
        let full = format!("{}/{model}", self.providers()[index].name);
        let leads_here = match self.find(model, endpoint) {
            Some(Found::Owner(other)) => other == index,
            Some(Found::DefaultProvider(other)) => {
                other == index && self.providers()[other].model.is_none()
            }
            _ => false,
        };
        if leads_here {
            access.allows_model(&[&full, model])
        } else {
            access.allows_model(&[&full])
        }
    }

    /// The models that a caller may name, each with the indexes of its providers: see
    /// [`models`](RoutingTable::models). Those that he is allowed by their names, and that a wildcard or a default
    /// provider takes, are listed too.
    pub fn models_for(&self, access: &Access) -> Vec<(Arc<str>, Vec<usize>)> {
        let mut models = self.models();
        for name in access.plain_names() {
            if !models.iter().any(|(known, _)| **known == *name)
                && let Ok(providers) = self.providers_of(name, None)
            {
                models.push((name.into(), providers));
            }
        }
        models.retain_mut(|(name, providers)| {
            let Some(found) = self.find(name, None) else {
                return false;
            };
            providers.retain(|index| access.allows_provider(*index));
            !providers.is_empty() && self.may_ask(access, &found, Some(name), None)
        });
        models.sort();
        models
    }

    /// Whether the model has a target that may be asked, or falls back to one that has.
    pub(super) fn leads_to(
        &self,
        route: &ModelRoute,
        list: &TargetList,
        allowed: &Allowed,
    ) -> bool {
        let open = |list: &TargetList| {
            let mut targets = list.targets().iter();
            targets.any(|target| allows(Some(allowed), target.provider))
        };
        if open(list) {
            return true;
        }
        let mut seen: Vec<usize> = Vec::new();
        let mut next = route.fallbacks.general.clone();
        while let Some(index) = next.pop() {
            if seen.contains(&index) {
                continue;
            }
            seen.push(index);
            let other = self.route(index);
            if other.lists.first().is_some_and(open) {
                return true;
            }
            next.extend(&other.fallbacks.general);
        }
        false
    }

    pub(super) fn provider_refused(&self, index: usize) -> ApiError {
        let name = &self.providers()[index].name;
        let message = format!("This API key may not use the provider `{name}`.");
        refusal(message, "provider_not_allowed")
    }
}

/// None of a model's providers may be asked.
pub(super) fn all_providers_refused(model: &str) -> ApiError {
    let message = format!("This API key may use none of the providers of the model `{model}`.");
    refusal(message, "provider_not_allowed")
}

pub(super) fn model_refused(
    asked: Option<&str>,
    found: &Found<'_>,
    table: &RoutingTable,
) -> ApiError {
    let message = match (asked, found) {
        (Some(model), Found::Chosen(index) | Found::DefaultProvider(index)) => {
            let provider = &table.providers()[*index];
            match &provider.model {
                Some(own) => format!(
                    "This API key may not use the model `{own}` of the provider `{}`, which would answer.",
                    provider.name
                ),
                None => format!("This API key may not use the model `{model}`."),
            }
        }
        (Some(model), _) => format!("This API key may not use the model `{model}`."),
        (None, _) => {
            "This API key may not use the model that answers where none is named.".to_owned()
        }
    };
    refusal(message, "model_not_allowed").with_param("model")
}

fn whole_provider_refused(provider: &str) -> ApiError {
    let message = format!(
        "This API key is limited to some models; other endpoints of the provider `{provider}` need all of its models, \
         `{provider}/*`."
    );
    refusal(message, "model_not_allowed")
}

fn refusal(message: String, code: &'static str) -> ApiError {
    ApiError::new(ErrorKind::PermissionDenied, ErrorSource::Policy, message).with_code(code)
}
