//! The log.

use shared::policies::{
    DatadogSettings, ElasticsearchSettings, FieldError, LoggingSettings, SplunkSettings,
};

use super::{read, written};
use crate::config::{Logging, Secret};

/// The log of these settings, secrets and all.
///
/// # Errors
/// What is wrong with which field.
pub fn logging(settings: &LoggingSettings) -> Result<Logging, Vec<FieldError>> {
    read(settings, Logging::read)
}

/// The settings of the log, with its secrets as `shown` tells them, by their fields.
pub fn logging_settings(
    logging: &Logging,
    shown: impl Fn(&str, &Secret) -> String,
) -> LoggingSettings {
    let shown = |field: &str, secret: &Option<Secret>| {
        let secret = secret.as_ref();
        secret.map(|secret| shown(field, secret))
    };
    let Logging {
        elasticsearch,
        splunk,
        datadog,
        ..
    } = logging;
    LoggingSettings {
        level: logging.level.clone(),
        format: written(&logging.format),
        requests: logging.requests,
        elasticsearch: ElasticsearchSettings {
            enabled: elasticsearch.enabled,
            endpoint: elasticsearch.endpoint.clone(),
            api_key: shown("elasticsearch.api_key", &elasticsearch.api_key),
            index: elasticsearch.index.clone(),
        },
        splunk: SplunkSettings {
            enabled: splunk.enabled,
            endpoint: splunk.endpoint.clone(),
            token: shown("splunk.token", &splunk.token),
        },
        datadog: DatadogSettings {
            enabled: datadog.enabled,
            endpoint: datadog.endpoint.clone(),
            api_key: shown("datadog.api_key", &datadog.api_key),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_setting_comes_back() {
        let settings: LoggingSettings = serde_json::from_value(json!({
            "level": "warn,server::store=debug", "format": "json", "requests": false,
            "elasticsearch": {"enabled": false, "endpoint": "http://e:9200", "api_key": "k1", "index": "i"},
            "splunk": {"enabled": false, "endpoint": "http://s:8088", "token": "k2"},
            "datadog": {"enabled": false, "endpoint": "https://d/${x}", "api_key": "k3"}
        }))
        .unwrap();
        let read = logging(&settings).unwrap();
        let again = logging_settings(&read, |_, secret| secret.expose().to_owned());
        assert_eq!(again, settings);
        let usual = logging(&LoggingSettings::default()).unwrap();
        assert_eq!(usual, Logging::default());
        let again = logging_settings(&usual, |_, _| unreachable!("there is none"));
        assert_eq!(again, LoggingSettings::default());
    }
}
