//! Policies by their names, with where they come from and what became of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Budget, CacheSettings, ClientKey, EgressRoute, Guardrail, LoggingSettings, ModelSettings,
    PayloadSettings, PriceSettings, Project, ProviderSettings, RateLimit, Settings, SystemPrompt,
};
use crate::routing::Source;

/// The kinds of policies there are.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    Key,
    Project,
    Limit,
    Budget,
    Guardrail,
    SystemPrompt,
    Cache,
    Provider,
    Route,
    Payloads,
    Logging,
    Model,
    Price,
    Settings,
}

impl PolicyKind {
    pub const ALL: [Self; 14] = [
        Self::Key,
        Self::Project,
        Self::Limit,
        Self::Budget,
        Self::Guardrail,
        Self::SystemPrompt,
        Self::Cache,
        Self::Provider,
        Self::Route,
        Self::Payloads,
        Self::Logging,
        Self::Model,
        Self::Price,
        Self::Settings,
    ];

    /// The name in the database and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Project => "project",
            Self::Limit => "limit",
            Self::Budget => "budget",
            Self::Guardrail => "guardrail",
            Self::SystemPrompt => "system_prompt",
            Self::Cache => "cache",
            Self::Provider => "provider",
            Self::Route => "route",
            Self::Payloads => "payloads",
            Self::Logging => "logging",
            Self::Model => "model",
            Self::Price => "price",
            Self::Settings => "settings",
        }
    }

    /// What people call one: `rate limit`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Project => "project",
            Self::Limit => "rate limit",
            Self::Budget => "budget",
            Self::Guardrail => "guardrail",
            Self::SystemPrompt => "system prompt",
            Self::Cache => "cache",
            Self::Provider => "provider",
            Self::Route => "route",
            Self::Payloads => "payload logging",
            Self::Logging => "log",
            Self::Model => "model",
            Self::Price => "price",
            Self::Settings => "settings",
        }
    }

    /// In URLs: `/api/v1/limits`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Project => "projects",
            Self::Limit => "limits",
            Self::Budget => "budgets",
            Self::Guardrail => "guardrails",
            Self::SystemPrompt => "system-prompts",
            Self::Cache => "cache",
            Self::Provider => "providers",
            Self::Route => "routes",
            Self::Payloads => "payloads",
            Self::Logging => "logging",
            Self::Model => "models",
            Self::Price => "price-overrides",
            Self::Settings => "settings",
        }
    }

    /// Whether there is always one, and no more: its name is the kind's.
    pub fn is_single(self) -> bool {
        matches!(
            self,
            Self::Cache | Self::Payloads | Self::Logging | Self::Settings
        )
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One policy's value.
#[allow(
    clippy::large_enum_variant,
    reason = "there are few of them at a time, and a box would be in everybody's way"
)]
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Policy {
    Key(ClientKey),
    Project(Project),
    Limit(RateLimit),
    Budget(Budget),
    Guardrail(Guardrail),
    SystemPrompt(SystemPrompt),
    Cache(CacheSettings),
    Provider(ProviderSettings),
    Route(EgressRoute),
    Payloads(PayloadSettings),
    Logging(LoggingSettings),
    Model(ModelSettings),
    Price(PriceSettings),
    Settings(Settings),
}

impl Policy {
    pub fn kind(&self) -> PolicyKind {
        match self {
            Self::Key(_) => PolicyKind::Key,
            Self::Project(_) => PolicyKind::Project,
            Self::Limit(_) => PolicyKind::Limit,
            Self::Budget(_) => PolicyKind::Budget,
            Self::Guardrail(_) => PolicyKind::Guardrail,
            Self::SystemPrompt(_) => PolicyKind::SystemPrompt,
            Self::Cache(_) => PolicyKind::Cache,
            Self::Provider(_) => PolicyKind::Provider,
            Self::Route(_) => PolicyKind::Route,
            Self::Payloads(_) => PolicyKind::Payloads,
            Self::Logging(_) => PolicyKind::Logging,
            Self::Model(_) => PolicyKind::Model,
            Self::Price(_) => PolicyKind::Price,
            Self::Settings(_) => PolicyKind::Settings,
        }
    }

    /// The value of a policy of this kind, from JSON.
    ///
    /// # Errors
    /// It is not JSON, or not of this kind: the message names the field where there is one.
    pub fn from_json(kind: PolicyKind, json: &str) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            PolicyKind::Key => Self::Key(serde_json::from_str(json)?),
            PolicyKind::Project => Self::Project(serde_json::from_str(json)?),
            PolicyKind::Limit => Self::Limit(serde_json::from_str(json)?),
            PolicyKind::Budget => Self::Budget(serde_json::from_str(json)?),
            PolicyKind::Guardrail => Self::Guardrail(serde_json::from_str(json)?),
            PolicyKind::SystemPrompt => Self::SystemPrompt(serde_json::from_str(json)?),
            PolicyKind::Cache => Self::Cache(serde_json::from_str(json)?),
            PolicyKind::Provider => Self::Provider(serde_json::from_str(json)?),
            PolicyKind::Route => Self::Route(serde_json::from_str(json)?),
            PolicyKind::Payloads => Self::Payloads(serde_json::from_str(json)?),
            PolicyKind::Logging => Self::Logging(serde_json::from_str(json)?),
            PolicyKind::Model => Self::Model(serde_json::from_str(json)?),
            PolicyKind::Price => Self::Price(serde_json::from_str(json)?),
            PolicyKind::Settings => Self::Settings(serde_json::from_str(json)?),
        })
    }

    /// The value alone, as JSON.
    pub fn to_json(&self) -> String {
        let json = match self {
            Self::Key(value) => serde_json::to_string(value),
            Self::Project(value) => serde_json::to_string(value),
            Self::Limit(value) => serde_json::to_string(value),
            Self::Budget(value) => serde_json::to_string(value),
            Self::Guardrail(value) => serde_json::to_string(value),
            Self::SystemPrompt(value) => serde_json::to_string(value),
            Self::Cache(value) => serde_json::to_string(value),
            Self::Provider(value) => serde_json::to_string(value),
            Self::Route(value) => serde_json::to_string(value),
            Self::Payloads(value) => serde_json::to_string(value),
            Self::Logging(value) => serde_json::to_string(value),
            Self::Model(value) => serde_json::to_string(value),
            Self::Price(value) => serde_json::to_string(value),
            Self::Settings(value) => serde_json::to_string(value),
        };
        json.expect("policies have string keys only")
    }
}

/// A policy in force.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyEntry {
    pub name: String,
    #[serde(flatten)]
    pub policy: Policy,
    pub source: Source,
    /// What the configuration says, where it says something and an edit holds instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_file: Option<Policy>,
    /// An operator deleted what the configuration says, which is `policy`: it does not hold.
    #[serde(default)]
    pub deleted: bool,
    /// How many times it has been edited; 0: never.
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// What a policy was at some time.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyVersion {
    pub version: u64,
    pub at: DateTime<Utc>,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `None`: it was deleted, or the edit was taken back, as `reset` says.
    pub policy: Option<Policy>,
    /// The edit was taken back: what the configuration says held again.
    #[serde(default)]
    pub reset: bool,
}

/// How long [`Edit::reason`] may be, in characters.
pub const MAX_REASON: usize = 1000;

/// Who changes something, and on what condition.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Edit {
    /// Who.
    pub by: String,
    /// Why, where they say.
    pub reason: Option<String>,
    /// The version that they have seen: if it has been changed since, nothing is done.
    pub seen: Option<u64>,
    /// There must not be one of this name yet.
    pub new: bool,
}

/// What is wrong with a field: `rate.window_seconds`, `check.patterns[2]`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    pub field: String,
    pub message: String,
}
