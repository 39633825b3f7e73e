//! What the gateway logs, and where that goes beside standard error. Keys and words are those of the configuration file's
//! `[logging]`.

use serde::{Deserialize, Serialize};

/// The log. There is one: its name is `logging`.
///
/// Secrets (`elasticsearch.api_key`, `splunk.token`, `datadog.api_key`) are taken as they are and told masked, as
/// `T2F…abcd`: a masked one that is sent back stands for the secret that is there.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoggingSettings {
    /// `info`, or directives: `info,server::store=debug`.
    pub level: String,
    /// How a line on standard error is written: `pretty` or `json`.
    pub format: String,
    /// What is shipped has an entry for each request that has ended, whatever the level.
    pub requests: bool,
    pub elasticsearch: ElasticsearchSettings,
    pub splunk: SplunkSettings,
    pub datadog: DatadogSettings,
}

impl Default for LoggingSettings {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: "pretty".to_owned(),
            requests: true,
            elasticsearch: ElasticsearchSettings::default(),
            splunk: SplunkSettings::default(),
            datadog: DatadogSettings::default(),
        }
    }
}

impl LoggingSettings {
    /// Its secrets, each with its field, in the order of the fields.
    pub fn secrets(&self) -> Vec<(String, &str)> {
        let secrets = [
            ("elasticsearch.api_key", &self.elasticsearch.api_key),
            ("splunk.token", &self.splunk.token),
            ("datadog.api_key", &self.datadog.api_key),
        ];
        let given = secrets
            .into_iter()
            .filter_map(|(field, secret)| Some((field.to_owned(), secret.as_deref()?)));
        given.collect()
    }

    /// The same, to be changed.
    pub fn secrets_mut(&mut self) -> Vec<(String, &mut String)> {
        let secrets = [
            ("elasticsearch.api_key", &mut self.elasticsearch.api_key),
            ("splunk.token", &mut self.splunk.token),
            ("datadog.api_key", &mut self.datadog.api_key),
        ];
        let given = secrets
            .into_iter()
            .filter_map(|(field, secret)| Some((field.to_owned(), secret.as_mut()?)));
        given.collect()
    }
}

/// Elasticsearch, or what speaks its `_bulk` API.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ElasticsearchSettings {
    /// Whether entries go there, if there is an endpoint.
    pub enabled: bool,
    /// `https://elastic.example.com:9200`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The encoded form of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The index that entries go to; it is made if it is not there.
    pub index: String,
}

impl Default for ElasticsearchSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            api_key: None,
            index: "ai-gateway".to_owned(),
        }
    }
}

/// Splunk's HTTP Event Collector.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SplunkSettings {
    /// Whether entries go there, if there is an endpoint.
    pub enabled: bool,
    /// `https://splunk.example.com:8088`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Default for SplunkSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            token: None,
        }
    }
}

/// Datadog's intake of logs.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DatadogSettings {
    /// Whether entries go there, if there is an endpoint.
    pub enabled: bool,
    /// `https://http-intake.logs.datadoghq.com`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

impl Default for DatadogSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            api_key: None,
        }
    }
}

/// What of the log is changed by itself; the rest stays as it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoggingChange {
    /// `info`, or directives: `info,server::store=debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// `pretty` or `json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}
