//! `[logging]`: what the gateway logs, how it is written, and where it is shipped.

use super::Secret;
use super::reading::{Section, Words};

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// A level (`info`) or tracing's filter directives (`info,server::store=debug`).
    pub level: String,
    /// How a line is written.
    pub format: LogFormat,
    /// What is shipped has an entry for each request that has ended.
    pub requests: bool,
    pub elasticsearch: Elasticsearch,
    pub splunk: Splunk,
    pub datadog: Datadog,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// `[logging.elasticsearch]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elasticsearch {
    pub enabled: bool,
    /// An `http://` or `https://` URL; `None`: nothing goes there.
    pub endpoint: Option<String>,
    /// The encoded form of an API key.
    pub api_key: Option<Secret>,
    pub index: String,
}

/// `[logging.splunk]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splunk {
    pub enabled: bool,
    /// An `http://` or `https://` URL; `None`: nothing goes there.
    pub endpoint: Option<String>,
    /// Of the HTTP Event Collector.
    pub token: Option<Secret>,
}

/// `[logging.datadog]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datadog {
    pub enabled: bool,
    /// An `http://` or `https://` URL; `None`: nothing goes there.
    pub endpoint: Option<String>,
    pub api_key: Option<Secret>,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::default(),
            requests: true,
            elasticsearch: Elasticsearch::default(),
            splunk: Splunk::default(),
            datadog: Datadog::default(),
        }
    }
}

impl Default for Elasticsearch {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            api_key: None,
            index: "ai-gateway".to_owned(),
        }
    }
}

impl Default for Splunk {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            token: None,
        }
    }
}

impl Default for Datadog {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            api_key: None,
        }
    }
}

impl Logging {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            level: section.value("level", default.level),
            format: section.value("format", default.format),
            requests: section.value("requests", default.requests),
            elasticsearch: section.section("elasticsearch", |section| Elasticsearch {
                enabled: section.value("enabled", true),
                endpoint: section.optional("endpoint"),
                api_key: section.optional("api_key"),
                index: section.value("index", default.elasticsearch.index),
            }),
            splunk: section.section("splunk", |section| Splunk {
                enabled: section.value("enabled", true),
                endpoint: section.optional("endpoint"),
                token: section.optional("token"),
            }),
            datadog: section.section("datadog", |section| Datadog {
                enabled: section.value("enabled", true),
                endpoint: section.optional("endpoint"),
                api_key: section.optional("api_key"),
            }),
        }
    }

    /// The secrets there are, each by its field.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let secrets = [
            ("elasticsearch.api_key", &self.elasticsearch.api_key),
            ("splunk.token", &self.splunk.token),
            ("datadog.api_key", &self.datadog.api_key),
        ];
        secrets
            .into_iter()
            .filter_map(|(field, secret)| Some((field, secret.as_ref()?)))
    }

    /// The endpoints there are, each by the name of its section.
    pub fn endpoints(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let endpoints = [
            ("elasticsearch", &self.elasticsearch.endpoint),
            ("splunk", &self.splunk.endpoint),
            ("datadog", &self.datadog.endpoint),
        ];
        endpoints
            .into_iter()
            .filter_map(|(name, endpoint)| Some((name, endpoint.as_deref()?)))
    }
}

impl Words for LogFormat {
    const NOUN: &'static str = "format";
    const WORDS: &'static [(&'static str, Self)] =
        &[("pretty", Self::Pretty), ("json", Self::Json)];
}
