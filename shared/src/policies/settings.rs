//! What of the gateway itself can change while it runs. Keys and words are those of the configuration file.

use serde::{Deserialize, Serialize};

use super::TimeoutSettings;

/// There is one: its name is `settings`. What is left out is as the configuration says.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub server: ServerSettings,
    pub recording: RecordingSettings,
}

/// Serving clients, and waiting for upstreams.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// The largest request body taken: `32MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<String>,
    /// Requests served at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_requests: Option<u64>,
    /// A request from which something would have to be left out for its upstream is answered with 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// The clock that days, weeks and months of budgets are told by: `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Under a budget, the longest answer of a request that names no limit, tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed_output_tokens: Option<u64>,
    /// Networks whose `x-forwarded-for` is believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<Vec<String>>,
    /// Waits for upstreams; a provider may have its own.
    pub timeouts: TimeoutSettings,
}

/// How long records are kept, in days; 0: for ever.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RecordingSettings {
    /// Single requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Figures by the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute_retention_days: Option<u32>,
    /// Figures by the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour_retention_days: Option<u32>,
}

/// A key of the configuration, as the process was started or last read it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfiguredKey {
    /// `server.timeouts.connect`
    pub path: String,
    /// As TOML writes it, secrets masked; `None`: not set.
    pub value: Option<String>,
    /// Who says so: a line of the file, a variable, or `default`.
    pub source: String,
    /// The environment variable that overrides it.
    pub variable: String,
}
