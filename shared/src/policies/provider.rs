//! Upstreams. Keys and words are those of the configuration file's `[[providers]]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One upstream. Its name is the policy's.
///
/// Secrets (`api_key`, `api_keys` and the values of `headers`) are taken as they are and told masked, as `sk-…abcd`: a
/// masked one that is sent back stands for the secret that is there.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Which entry of the registry of providers it is.
    pub kind: String,
    /// The one chat protocol spoken with it; `None`: the client's own if the kind speaks it, else the kind's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// `http://` or `https://`, without query; `None`: the registry's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// More keys, used in turn with `api_key`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_keys: Vec<String>,
    /// Where the gateway has no credentials, the client's own go upstream.
    pub pass_client_key: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The model used where a request chooses this provider and no model of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub enabled: bool,
    /// Whether requests go there that nothing else sends anywhere; true for one provider at most.
    pub default: bool,
    /// Names of providers to go to when this one, chosen by name or as the default, fails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<String>,
    /// Calls at the same time; `None`: as many as come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// Requests that may wait for one of those calls to end.
    pub queue: u32,
    /// How long they wait at most: `5s`.
    pub queue_timeout: String,
    pub health: HealthSettings,
    /// Headers sent with each request. The values are secrets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Waits of its own; what is left out is as the settings' `server.timeouts` say.
    pub timeouts: TimeoutSettings,
    /// How the simulated provider behaves; for others without effect.
    pub simulated: SimulatedSettings,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            kind: String::new(),
            protocol: None,
            base_url: None,
            api_key: None,
            api_keys: Vec::new(),
            pass_client_key: false,
            api_version: None,
            model: None,
            enabled: true,
            default: false,
            fallbacks: Vec::new(),
            max_concurrent: None,
            queue: 100,
            queue_timeout: "5s".to_owned(),
            health: HealthSettings::default(),
            headers: BTreeMap::new(),
            timeouts: TimeoutSettings::default(),
            simulated: SimulatedSettings::default(),
        }
    }
}

impl ProviderSettings {
    /// Its secrets, each with its field, in the order of the fields.
    pub fn secrets(&self) -> Vec<(String, &str)> {
        let mut own = self.clone();
        let fields: Vec<String> = own
            .secrets_mut()
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        let values = self.api_key.iter().chain(&self.api_keys);
        let values = values.chain(self.headers.values()).map(String::as_str);
        fields.into_iter().zip(values).collect()
    }

    /// The same, to be changed.
    pub fn secrets_mut(&mut self) -> Vec<(String, &mut String)> {
        let key = self
            .api_key
            .iter_mut()
            .map(|key| ("api_key".to_owned(), key));
        let keys = self.api_keys.iter_mut().enumerate();
        let keys = keys.map(|(i, key)| (format!("api_keys[{i}]"), key));
        let headers = self.headers.iter_mut();
        let headers = headers.map(|(name, value)| (format!("headers.{name}"), value));
        key.chain(keys).chain(headers).collect()
    }
}

/// Asking now and then whether a provider is there.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HealthSettings {
    /// `None`: where the kind has a path that costs nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// From one check to the next: `30s`.
    pub interval: String,
    /// Until a check has failed: `5s`.
    pub timeout: String,
    /// What is got, behind the base URL; `None`: the kind's list of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            enabled: None,
            interval: "30s".to_owned(),
            timeout: "5s".to_owned(),
            path: None,
        }
    }
}

/// How long each part of an upstream's reply may take: `500ms`, `30s`, `10m`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutSettings {
    /// Until the connection stands, TLS included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<String>,
    /// From the request's last byte to the head of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<String>,
    /// From a try's start to the first event of a stream, or to the end of a reply in one piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token: Option<String>,
    /// Between two pieces of the reply's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between_chunks: Option<String>,
    /// For the whole request, failovers included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
}

/// Latency and faults of a simulated provider.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SimulatedSettings {
    /// Until the first token.
    pub first_token_ms: u64,
    /// Between two chunks of a stream.
    pub between_chunks_ms: u64,
    /// What goes wrong with each request: `none`, `rate-limit` …
    pub fault: String,
    /// By which the faults `slow-headers` and `slow-first-token` make late.
    pub delay_ms: u64,
}

impl Default for SimulatedSettings {
    fn default() -> Self {
        Self {
            first_token_ms: 0,
            between_chunks_ms: 0,
            fault: "none".to_owned(),
            delay_ms: 30_000,
        }
    }
}
