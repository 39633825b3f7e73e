//! Models, and where their requests go.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A model that clients ask for, as it is routed.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelRouting {
    pub name: String,
    /// How a target is chosen, in the configuration's words, for example `round_robin`.
    pub strategy: String,
    pub strategy_source: Source,
    /// What holds once an edit is taken back.
    pub strategy_in_file: String,
    pub targets: Vec<ModelTarget>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The configuration.
    File,
    /// An operator, while the gateway ran.
    Edited,
}

/// One place that a model's requests may go to.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelTarget {
    pub provider: String,
    /// The upstream's name; `None`: as the client called it.
    pub model: Option<String>,
    pub weight: u32,
    /// Lower ones come first.
    pub priority: u32,
    /// It is, and its provider is.
    pub enabled: bool,
}

/// What an operator changes of a model. What is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

/// One place that a model's requests may go to, as it fares.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetStatus {
    /// The model that clients ask for.
    pub model: String,
    /// The upstream's name of it; `None`: as the client called it.
    pub upstream_model: Option<String>,
    pub weight: u32,
    /// Lower ones come first.
    pub priority: u32,
    pub state: TargetState,
    /// Why requests go elsewhere; `None` when they do not.
    pub reason: Option<String>,
    /// When it is tried again at the latest.
    pub until: Option<DateTime<Utc>>,
    pub failures_in_a_row: u32,
    /// Calls under way.
    pub in_flight: u32,
    /// Calls that may be under way; `None`: as many as come.
    pub max_concurrent: Option<u32>,
    /// Time to the first token, milliseconds: an average that follows slow answers at once and fast ones slowly.
    pub first_token_ms: Option<f64>,
    /// The 95th percentile of the latest.
    pub first_token_p95_ms: Option<f64>,
    pub provider: ProviderHealth,
}

/// Whether requests go to a target.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// They do.
    Available,
    /// The configuration says that they do not.
    Disabled,
    /// Its provider does not answer.
    ProviderDown,
    /// None of its provider's keys may be used.
    NoKey,
    /// It failed too often: none goes there until its cool-down is over.
    Open,
    /// It failed too often: one at a time tries whether it is back.
    HalfOpen,
    /// It had too many requests a moment ago.
    CoolingDown,
}

impl TargetState {
    /// The name in JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Disabled => "disabled",
            Self::ProviderDown => "provider_down",
            Self::NoKey => "no_key",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::CoolingDown => "cooling_down",
        }
    }
}

/// A provider, as checks and traffic find it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderHealth {
    pub name: String,
    pub up: bool,
    /// When it was last checked in the background.
    pub checked_at: Option<DateTime<Utc>>,
    /// What was wrong then.
    pub check_failure: Option<String>,
    /// How many API keys it has, and how many of them may be used now.
    pub keys: u32,
    pub keys_usable: u32,
}
