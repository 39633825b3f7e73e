//! From the configuration to a snapshot.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, HOST, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use llm::chat::Protocol;
use llm::pricing::{Price, PriceTable, UnitPrice, UnitPriceTable};
use llm::providers::Probe;
use llm::simulated::SimulatedSettings;

use super::{HealthCheck, OwnPaths, Policies, Upstream, listed_price};
use crate::auth::{KeySecrets, KeyTable};
use crate::budgets::Budgets;
use crate::cache::Cache;
use crate::config::{self, Config};
use crate::egress::Egress;
use crate::guardrails::Guardrails;
use crate::limits::Limits;
use crate::payloads::Payloads;
use crate::routing::{RoutingTable, States};
use crate::system_prompt::SystemPrompts;
use crate::transport::{Endpoint, HttpEndpoint, Origin};

/// Checks that come faster would only keep the gateway busy.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);

/// What of the configuration cannot be put into practice.
#[derive(Debug, thiserror::Error)]
#[error("provider `{provider}`: {problem}")]
pub struct PolicyError {
    pub provider: String,
    pub problem: String,
}

/// What counts or knows something, and goes on where the configuration changes.
struct Parts {
    keys: KeyTable,
    limits: Limits,
    budgets: Budgets,
    guardrails: Guardrails,
    cache: Cache,
    egress: Egress,
    states: Arc<States>,
}

impl Policies {
    /// `states`: what is known of providers and targets, and will be.
    ///
    /// # Errors
    /// A provider that cannot be called as configured.
    pub fn build(config: &Config, states: Arc<States>) -> Result<Self, PolicyError> {
        Self::of(config, || Parts {
            keys: KeyTable::new(config, Arc::default()),
            limits: Limits::new(
                config.server.max_concurrent_requests,
                &config.limits,
                &config.keys,
                &config.projects,
            ),
            budgets: Budgets::new(config),
            guardrails: Guardrails::new(&config.guardrails),
            cache: Cache::new(config),
            egress: Egress::new(&config.egress),
            states,
        })
    }

    /// `parts` are made once it is known that all providers can be called.
    fn of(config: &Config, parts: impl FnOnce() -> Parts) -> Result<Self, PolicyError> {
        let prices = prices(config);
        let upstreams = config
            .providers
            .iter()
            .map(|provider| upstream(provider, config, &prices).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let Parts {
            keys,
            limits,
            budgets,
            guardrails,
            cache,
            egress,
            states,
        } = parts();
        Ok(Self {
            keys,
            limits,
            budgets,
            system_prompts: SystemPrompts::new(&config.system_prompts),
            guardrails,
            cache,
            egress,
            payloads: Payloads::new(config),
            routing: routing(config, &prices, states),
            pass_client_keys: upstreams.iter().any(|upstream| upstream.pass_client_key),
            models: config.models.clone(),
            upstreams,
            prices,
            unit_prices: unit_prices(config),
            timeouts: config.server.timeouts,
            trusted_proxies: config.server.trusted_proxies.clone(),
            own_paths: OwnPaths::new(&config.routes),
            strict: config.server.strict,
            max_body_size: config.server.max_body_size.as_usize(),
        })
    }

    /// The policies of a changed configuration. What these count and know goes on in them.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn rebuild(&self, config: &Config) -> Result<Self, PolicyError> {
        self.rebuild_with(config, Arc::clone(self.keys.secrets()))
    }

    /// The same with other secrets of client keys.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn rebuild_with(
        &self,
        config: &Config,
        secrets: Arc<KeySecrets>,
    ) -> Result<Self, PolicyError> {
        Self::of(config, || Parts {
            keys: self.keys.rebuilt(config, secrets),
            limits: self.limits.rebuilt(
                config.server.max_concurrent_requests,
                &config.limits,
                &config.keys,
                &config.projects,
            ),
            budgets: self.budgets.rebuilt(config),
            guardrails: self.guardrails.rebuilt(&config.guardrails),
            cache: self.cache.rebuilt(config),
            egress: self.egress.rebuilt(&config.egress),
            states: Arc::clone(self.routing.states()),
        })
    }
}

fn upstream(
    provider: &config::Provider,
    config: &Config,
    prices: &PriceTable,
) -> Result<Upstream, PolicyError> {
    let failed = |problem: String| PolicyError {
        provider: provider.name.clone(),
        problem,
    };
    let kind = llm::providers::find(&provider.kind)
        .ok_or_else(|| failed(format!("there is no kind `{}`", provider.kind)))?;
    let mut credentials = credentials(provider, kind).map_err(failed)?;
    let endpoint = if kind.simulated {
        Endpoint::Simulated(simulated(&provider.simulated))
    } else {
        // Without a choice it is the same for every call.
        let only = match credentials.as_slice() {
            [_] => credentials.pop(),
            _ => None,
        };
        Endpoint::Http(http_endpoint(provider, kind, only).map_err(failed)?)
    };
    let pinned = match provider.protocol.as_deref() {
        None => None,
        Some(name) => Some(
            Protocol::from_name(name)
                .and_then(|protocol| kind.codec_of(protocol))
                .ok_or_else(|| failed(format!("there is no protocol `{name}`")))?,
        ),
    };
    Ok(Upstream {
        name: provider.name.as_str().into(),
        kind,
        pinned,
        endpoint,
        // Whoever has a key of the gateway's has shown that, and it is nobody else's business.
        pass_client_key: provider.pass_client_key
            && provider.all_keys().is_empty()
            && config.keys.is_empty(),
        credentials,
        max_concurrent: provider.max_concurrent,
        queue: provider.queue as usize,
        queue_timeout: provider.queue_timeout,
        api_version: provider.api_version.as_deref().map(Into::into),
        timeouts: provider.timeouts.over(&config.server.timeouts),
        enabled: provider.enabled,
        health: health_check(provider, kind),
        prices: models_of(provider, config)
            .map(|model| {
                let price = listed_price(prices, &provider.name, kind, model);
                (model.into(), price)
            })
            .collect(),
    })
}

/// `None`: it is not called at all, or nothing is known that could be asked at no cost.
fn health_check(
    provider: &config::Provider,
    kind: &llm::providers::Provider,
) -> Option<HealthCheck> {
    let health = &provider.health;
    if !provider.enabled || health.enabled == Some(false) {
        return None;
    }
    Some(HealthCheck {
        request: Probe::request(kind.probe.as_ref(), health.path.as_deref())?,
        interval: health.interval.max(LEAST_INTERVAL),
        timeout: health.timeout,
    })
}

/// The models that the configuration names at this provider.
fn models_of<'a>(
    provider: &'a config::Provider,
    config: &'a Config,
) -> impl Iterator<Item = &'a str> {
    let targets = config.models.iter().flat_map(|model| &model.targets);
    targets
        .filter(|target| target.provider == provider.name)
        .filter_map(|target| target.model.as_deref())
        .chain(provider.model.as_deref())
}

/// The headers that the provider's keys go into, by the keys' order.
fn credentials(
    provider: &config::Provider,
    kind: &llm::providers::Provider,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let headers = provider.all_keys().into_iter().map(|key| {
        let header = kind.auth.header(key.expose());
        header.map_err(|_| "api_key holds characters that no HTTP header may hold".to_owned())
    });
    headers.filter_map(Result::transpose).collect()
}

fn http_endpoint(
    provider: &config::Provider,
    kind: &llm::providers::Provider,
    credentials: Option<(HeaderName, HeaderValue)>,
) -> Result<HttpEndpoint, String> {
    let url = provider
        .base_url
        .as_deref()
        .or(kind.base_url)
        .ok_or("it needs a base_url")?;
    let uri: http::Uri = url
        .parse()
        .map_err(|error| format!("base_url `{url}`: {error}"))?;
    let origin = Origin::of(&uri)?;

    let mut headers = HeaderMap::new();
    headers.insert(HOST, origin.host_header().clone());
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("ai-gateway/", env!("CARGO_PKG_VERSION"))),
    );
    // Replies are read and passed on as they are: compressed ones would have to be unpacked first.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some((name, value)) = credentials {
        headers.insert(name, value);
    }
    for (name, value) in &provider.headers {
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("headers: `{name}` is not a header name"))?;
        let mut value = HeaderValue::try_from(value.expose())
            .map_err(|_| format!("headers: the value of `{name}` is not one of a header"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(HttpEndpoint {
        origin,
        base_path: uri.path().trim_end_matches('/').to_owned(),
        headers,
    })
}

fn simulated(settings: &config::Simulated) -> SimulatedSettings {
    SimulatedSettings {
        first_token: Duration::from_millis(settings.first_token_ms),
        between_chunks: Duration::from_millis(settings.between_chunks_ms),
        fault: settings.fault,
        delay: Duration::from_millis(settings.delay_ms),
    }
}

/// Which targets there are. States of the same names are kept.
fn routing(config: &Config, prices: &PriceTable, states: Arc<States>) -> RoutingTable {
    let price = |provider: usize, model: &str| {
        let provider = config.providers.get(provider)?;
        let kind = llm::providers::find(&provider.kind)?;
        let price = listed_price(prices, &provider.name, kind, model)?;
        Some(price.input.saturating_add(price.output))
    };
    RoutingTable::new(&config.providers, &config.models, &price, states)
}

fn prices(config: &Config) -> PriceTable {
    let mut table = PriceTable::builtin();
    // A price without a provider holds with each that has none of its own.
    let (general, own): (Vec<_>, Vec<_>) = config
        .prices
        .iter()
        .partition(|entry| entry.provider.is_none());
    for entry in general.into_iter().chain(own) {
        let price = Price {
            input: entry.input.nanos_per_million,
            cached_input: entry.cached_input.unwrap_or(entry.input).nanos_per_million,
            cache_write: entry.cache_write.unwrap_or(entry.input).nanos_per_million,
            output: entry.output.nanos_per_million,
        };
        for provider in &config.providers {
            if entry
                .provider
                .as_deref()
                .is_none_or(|name| name == provider.name)
            {
                table = table.with(&provider.name, &entry.model, price);
            }
        }
    }
    table
}

fn unit_prices(config: &Config) -> UnitPriceTable {
    let mut table = UnitPriceTable::builtin();
    let (general, own): (Vec<_>, Vec<_>) = config
        .unit_prices
        .iter()
        .partition(|entry| entry.provider.is_none());
    for entry in general.into_iter().chain(own) {
        let price = UnitPrice {
            unit: entry.unit,
            each: entry.each.nanos,
        };
        for provider in &config.providers {
            let all = entry.provider.is_none();
            if all || entry.provider.as_ref() == Some(&provider.name) {
                table = table.with(&provider.name, &entry.model, price);
            }
        }
    }
    table
}
