//! Models. Keys and words are those of the configuration file's `[[models]]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A name clients ask for, and where its requests go. Its name is the policy's.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// Other names for it, unique among all names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// At which endpoints it is there (`chat`, `embeddings` …); empty: at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// At which endpoints it takes what nothing else directs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_for: Vec<String>,
    /// How a target is chosen: `round_robin`, `priority` …
    pub strategy: String,
    /// What the strategy `sticky` goes by.
    pub sticky: StickySettings,
    /// At least one. In the versions of a model whose strategy alone was changed: none, the configuration's hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetSettings>,
    /// Requests that go elsewhere; the first that matches holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSettings>,
    /// Tries for one request at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// A longer request, by estimate, is refused, or goes to `context_length_fallbacks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input_tokens: Option<u64>,
    pub retry: RetrySettings,
    pub hedge: HedgeSettings,
    pub breaker: BreakerSettings,
    /// Names of models to go to when every target failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<String>,
    /// The same when the request was too long for a target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context_length_fallbacks: Vec<String>,
    /// The same when a target refused the request for its content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content_filter_fallbacks: Vec<String>,
    /// Who gets a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowSettings>,
    /// Requests from which something would have to be left out are refused.
    pub strict: bool,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            aliases: Vec::new(),
            endpoints: Vec::new(),
            default_for: Vec::new(),
            strategy: "round_robin".to_owned(),
            sticky: StickySettings::default(),
            targets: Vec::new(),
            rules: Vec::new(),
            max_attempts: None,
            max_input_tokens: None,
            retry: RetrySettings::default(),
            hedge: HedgeSettings::default(),
            breaker: BreakerSettings::default(),
            fallbacks: Vec::new(),
            context_length_fallbacks: Vec::new(),
            content_filter_fallbacks: Vec::new(),
            shadow: None,
            strict: false,
        }
    }
}

/// One place a model's requests may go.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TargetSettings {
    /// The name of a provider.
    pub provider: String,
    /// What the upstream calls the model; `None`: as the client called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its share of the requests among the model's targets; 0 only as a fallback.
    pub weight: u32,
    /// Targets of a lower number come first.
    pub priority: u32,
    /// Members of the request's body in place of the client's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
    /// Calls at the same time; `None`: as many as come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    pub enabled: bool,
}

impl Default for TargetSettings {
    fn default() -> Self {
        Self {
            provider: String::new(),
            model: None,
            weight: 1,
            priority: 0,
            parameters: BTreeMap::new(),
            max_concurrent: None,
            enabled: true,
        }
    }
}

/// What requests have in common that go to the same target.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct StickySettings {
    /// `key`, `user`, `header` or `prefix`.
    pub by: String,
    /// The header's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

impl Default for StickySettings {
    fn default() -> Self {
        Self {
            by: "key".to_owned(),
            header: None,
        }
    }
}

/// Where requests go of which all conditions hold: to targets of its own, or to another model.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RuleSettings {
    pub when: WhenSettings,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// Conditions; all that are given must hold.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct WhenSettings {
    /// The name of the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<NamedSettings>,
    /// Of the request's `metadata`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<NamedSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Input tokens, by estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input_tokens: Option<u64>,
    /// From this time of the day on: `22:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until before this one; past midnight where it is the earlier of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// `mon` to `sun`; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// What clock these mean: `+01:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<String>,
}

/// A name, and the value that must be there; `None`: any.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NamedSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Trying the same target again.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RetrySettings {
    /// How often one target is tried again for one request.
    pub retries: u32,
    /// The first wait's upper bound: `250ms`; it doubles with each retry.
    pub base: String,
    /// A `Retry-After` beyond it is not waited for.
    pub max_wait: String,
    /// Retries, as a share of the requests, from 0 to 1.
    pub budget: f64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            retries: 1,
            base: "250ms".to_owned(),
            max_wait: "10s".to_owned(),
            budget: 0.2,
        }
    }
}

/// Asking a second target when the first is slow.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HedgeSettings {
    pub enabled: bool,
    /// The second tries, as a share of the requests at most, from 0 to 1.
    pub max_share: f64,
}

impl Default for HedgeSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            max_share: 0.05,
        }
    }
}

/// When a target that fails is left alone.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// So many failures in a row open it.
    pub failures: u32,
    /// Such a share of failures within the window opens it, from 0 to 1.
    pub error_rate: f64,
    pub window: String,
    /// How long it stays open the first time.
    pub cool_down: String,
    pub max_cool_down: String,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            error_rate: 0.5,
            window: "30s".to_owned(),
            cool_down: "5s".to_owned(),
            max_cool_down: "5m".to_owned(),
        }
    }
}

/// A target that gets a copy of the requests.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ShadowSettings {
    /// The name of a provider.
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Of the requests, from 0 to 1.
    #[serde(default = "all")]
    pub share: f64,
}

fn all() -> f64 {
    1.0
}
