//! From what a client asks for to the targets that can answer.

use std::collections::HashMap;
use std::sync::Arc;

use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::pattern::Pattern;
use super::route::ModelRoute;

/// Everything that routing knows, for one snapshot of the configuration.
#[derive(Debug, Default)]
pub struct RoutingTable {
    providers: Vec<ProviderEntry>,
    default_provider: Option<usize>,
    by_name: HashMap<Arc<str>, ModelRoute>,
    /// The most particular pattern first.
    by_pattern: Vec<(Pattern, ModelRoute)>,
}

/// A provider as routing sees it. Its index is its identity.
#[derive(Clone, Debug)]
pub struct ProviderEntry {
    pub name: Arc<str>,
    pub enabled: bool,
    /// The model that it answers with where nobody says which.
    pub model: Option<Arc<str>>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// The body's `model`.
    pub model: Option<&'a str>,
    /// The header `x-llm-provider`.
    pub provider: Option<&'a str>,
}

/// One target, ready to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Index of the provider.
    pub provider: usize,
    /// The upstream's name for the model.
    pub model: Arc<str>,
    /// What cannot be carried to it is refused, by the model's configuration.
    pub strict: bool,
}

/// Targets in the order of their trying; never empty.
pub type Candidates = Vec<Candidate>;

impl RoutingTable {
    pub fn new(
        providers: Vec<ProviderEntry>,
        default_provider: Option<usize>,
        models: Vec<ModelRoute>,
    ) -> Self {
        let mut table = Self {
            providers,
            default_provider,
            ..Self::default()
        };
        for route in models {
            match Pattern::parse(&route.name) {
                Some(pattern) => table.by_pattern.push((pattern, route)),
                None => {
                    table.by_name.insert(route.name.clone(), route);
                }
            }
        }
        table
            .by_pattern
            .sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.weight()));
        table
    }

    /// The targets for a request. The header wins; then a configured model by its name or pattern;
    /// then `provider/model`; then the provider whose own model it is; then the default provider.
    ///
    /// # Errors
    /// `model_not_found` or `provider_not_found` with the nearest names; `invalid_request` when
    /// nothing says which model; `overloaded` when all that could answer is disabled.
    pub fn candidates(&self, wish: Wish<'_>) -> Result<Candidates, ApiError> {
        if let Some(name) = wish.provider {
            return self.of_provider(name, wish.model);
        }
        let Some(model) = wish.model else {
            return match self.default_provider {
                Some(index) => self.own_model(index, None),
                None => {
                    Err(ApiError::invalid("you must provide a model parameter").with_param("model"))
                }
            };
        };
        match self.find(model) {
            Some(Found::Route(route)) => self.of_route(route, model),
            Some(Found::Prefixed(index, rest)) => self.single(index, rest.into()),
            Some(Found::Owner(index) | Found::Default(index)) => self.own_model(index, Some(model)),
            None => Err(self.model_not_found(model)),
        }
    }

    /// The providers that a request for `model` may go to.
    ///
    /// # Errors
    /// `model_not_found` with the nearest names.
    pub fn providers_of(&self, model: &str) -> Result<Vec<usize>, ApiError> {
        match self.find(model) {
            Some(Found::Route(route)) => Ok(providers(route)),
            Some(Found::Prefixed(index, _) | Found::Owner(index) | Found::Default(index)) => {
                Ok(vec![index])
            }
            None => Err(self.model_not_found(model)),
        }
    }

    /// Whether the configuration speaks of a model of this name, so that it does not just fall to the default
    /// provider as any word does.
    pub fn knows(&self, model: &str) -> bool {
        matches!(
            self.find(model),
            Some(Found::Route(_) | Found::Prefixed(..) | Found::Owner(_))
        )
    }

    fn find<'a>(&'a self, model: &'a str) -> Option<Found<'a>> {
        if let Some(route) = self.route(model) {
            return Some(Found::Route(route));
        }
        if let Some((provider, rest)) = model.split_once('/')
            && !rest.is_empty()
            && let Some(index) = self.provider(provider)
        {
            return Some(Found::Prefixed(index, rest));
        }
        let owner = self
            .providers
            .iter()
            .position(|entry| entry.enabled && entry.model.as_deref() == Some(model));
        owner
            .map(Found::Owner)
            .or_else(|| self.default_provider.map(Found::Default))
    }

    /// The providers, in the order of the configuration.
    pub fn providers(&self) -> &[ProviderEntry] {
        &self.providers
    }

    /// The models that clients can name, wildcards as they are written, each with the indexes of
    /// its providers.
    pub fn models(&self) -> Vec<(Arc<str>, Vec<usize>)> {
        let routes = self
            .by_name
            .values()
            .chain(self.by_pattern.iter().map(|(_, route)| route));
        let mut models: Vec<(Arc<str>, Vec<usize>)> = routes
            .map(|route| (route.name.clone(), providers(route)))
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

    fn route(&self, model: &str) -> Option<&ModelRoute> {
        self.by_name.get(model).or_else(|| {
            let found = self
                .by_pattern
                .iter()
                .find(|(pattern, _)| pattern.matches(model));
            found.map(|(_, route)| route)
        })
    }

    fn provider(&self, name: &str) -> Option<usize> {
        self.providers.iter().position(|entry| &*entry.name == name)
    }

    fn of_provider(&self, name: &str, model: Option<&str>) -> Result<Candidates, ApiError> {
        match self.provider(name) {
            Some(index) => self.own_model(index, model),
            None => {
                let known = self
                    .providers
                    .iter()
                    .filter(|p| p.enabled)
                    .map(|p| &*p.name);
                let message = format!(
                    "There is no provider `{name}` (header x-llm-provider).{}",
                    nearest(name, known)
                );
                Err(
                    ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message)
                        .with_code("provider_not_found"),
                )
            }
        }
    }

    /// The provider's own model, or else the one that the client named.
    fn own_model(&self, index: usize, asked: Option<&str>) -> Result<Candidates, ApiError> {
        let entry = &self.providers[index];
        let model = entry.model.clone().or_else(|| asked.map(Into::into));
        match model {
            Some(model) => self.single(index, model),
            None => Err(ApiError::invalid(format!(
                "The provider `{}` has no model of its own: you must provide a model parameter",
                entry.name
            ))
            .with_param("model")),
        }
    }

    fn single(&self, provider: usize, model: Arc<str>) -> Result<Candidates, ApiError> {
        let entry = &self.providers[provider];
        if entry.enabled {
            return Ok(vec![Candidate {
                provider,
                model,
                strict: false,
            }]);
        }
        Err(disabled(&format!("The provider `{}`", entry.name)))
    }

    fn of_route(&self, route: &ModelRoute, asked: &str) -> Result<Candidates, ApiError> {
        let candidates: Candidates = route
            .pick()
            .map(|target| Candidate {
                provider: target.provider,
                model: target.model.clone().unwrap_or_else(|| asked.into()),
                strict: route.is_strict(),
            })
            .collect();
        if candidates.is_empty() {
            return Err(disabled(&format!("Every provider of the model `{asked}`")));
        }
        Ok(candidates)
    }

    fn model_not_found(&self, model: &str) -> ApiError {
        let models = self.models();
        let known = models.iter().map(|(name, _)| &**name);
        let message = format!(
            "The model `{model}` does not exist.{}",
            nearest(model, known)
        );
        ApiError::new(ErrorKind::NotFound, ErrorSource::Caller, message)
            .with_code("model_not_found")
            .with_param("model")
    }
}

/// How a model's name is understood.
enum Found<'a> {
    Route(&'a ModelRoute),
    /// `provider/model`, and what stands after the slash.
    Prefixed(usize, &'a str),
    /// The provider whose own model it is.
    Owner(usize),
    /// Nobody knows it; the default provider may.
    Default(usize),
}

/// A route's providers, each once.
fn providers(route: &ModelRoute) -> Vec<usize> {
    let mut providers = Vec::new();
    for target in route.targets() {
        if !providers.contains(&target.provider) {
            providers.push(target.provider);
        }
    }
    providers
}

fn disabled(what: &str) -> ApiError {
    let message = format!("{what} is disabled in the gateway's configuration.");
    ApiError::new(ErrorKind::Overloaded, ErrorSource::Policy, message)
}

/// A sentence with up to three names like `wanted`, or none.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let wanted = wanted.to_lowercase();
    let mut close: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = close
        .iter()
        .take(3)
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" Did you mean {}?", names.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Order, RouteTarget};
    use super::*;

    fn provider(name: &str, model: Option<&str>, enabled: bool) -> ProviderEntry {
        ProviderEntry {
            name: name.into(),
            enabled,
            model: model.map(Into::into),
        }
    }

    fn target(provider: usize, model: Option<&str>) -> RouteTarget {
        RouteTarget {
            provider,
            model: model.map(Into::into),
            weight: 1,
        }
    }

    fn table(default_provider: Option<usize>) -> RoutingTable {
        RoutingTable::new(
            vec![
                provider("openai", Some("gpt-4o"), true),
                provider("local", None, true),
                provider("off", Some("off-model"), false),
            ],
            default_provider,
            vec![
                ModelRoute::new(
                    "fast",
                    Order::RoundRobin,
                    vec![target(0, Some("gpt-4o-mini")), target(1, Some("llama"))],
                    None,
                ),
                ModelRoute::new("gpt-*", Order::Priority, vec![target(0, None)], None),
                ModelRoute::new("gpt-4o-*", Order::Priority, vec![target(1, None)], None),
                ModelRoute::new("empty", Order::Priority, Vec::new(), None),
            ],
        )
    }

    fn ask(table: &RoutingTable, provider: Option<&str>, model: Option<&str>) -> Vec<String> {
        match table.candidates(Wish { model, provider }) {
            Ok(candidates) => candidates
                .iter()
                .map(|c| format!("{}:{}", table.providers()[c.provider].name, c.model))
                .collect(),
            Err(error) => vec![format!("{} {}", error.status(), error.message)],
        }
    }

    #[test]
    fn finds_by_header_name_pattern_prefix_and_owner() {
        let table = table(None);
        for (header, model, expected) in [
            (Some("openai"), Some("whatever"), "openai:gpt-4o"),
            (Some("local"), Some("whatever"), "local:whatever"),
            (None, Some("gpt-5"), "openai:gpt-5"),
            (None, Some("gpt-4o-mini"), "local:gpt-4o-mini"),
            (None, Some("local/qwen/7b"), "local:qwen/7b"),
            (None, Some("openai/o3"), "openai:o3"),
        ] {
            assert_eq!(
                ask(&table, header, model),
                [expected],
                "{header:?} {model:?}"
            );
        }
    }

    #[test]
    fn targets_take_turns_and_the_rest_follow() {
        let table = table(None);
        assert_eq!(
            ask(&table, None, Some("fast")),
            ["openai:gpt-4o-mini", "local:llama"]
        );
        assert_eq!(
            ask(&table, None, Some("fast")),
            ["local:llama", "openai:gpt-4o-mini"]
        );
    }

    #[test]
    fn the_default_provider_takes_what_nobody_knows() {
        let table = table(Some(1));
        assert_eq!(ask(&table, None, Some("unheard-of")), ["local:unheard-of"]);
        assert_eq!(
            ask(&table, None, None),
            [
                "400 The provider `local` has no model of its own: you must provide a model parameter"
            ]
        );
    }

    #[test]
    fn says_what_was_meant() {
        let table = table(None);
        for (header, model, expected) in [
            (
                None,
                Some("fats"),
                "404 The model `fats` does not exist. Did you mean `fast`?",
            ),
            (None, Some("zzz"), "404 The model `zzz` does not exist."),
            (None, None, "400 you must provide a model parameter"),
            (
                Some("opnai"),
                None,
                "404 There is no provider `opnai` (header x-llm-provider). Did you mean `openai`?",
            ),
            (
                Some("off"),
                None,
                "503 The provider `off` is disabled in the gateway's configuration.",
            ),
            (
                None,
                Some("empty"),
                "503 Every provider of the model `empty` is disabled in the gateway's configuration.",
            ),
        ] {
            assert_eq!(ask(&table, header, model), [expected]);
        }
    }

    #[test]
    fn lists_what_can_be_asked_for() {
        let table = table(None);
        let models = table.models();
        let names: Vec<&str> = models.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["empty", "fast", "gpt-*", "gpt-4o", "gpt-4o-*"]);
    }
}
