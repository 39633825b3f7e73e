//! Datadog's intake of logs, version 2: <https://docs.datadoghq.com/api/latest/logs/#send-logs>

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::address::Address;
use super::entry::Entry;
use super::service::{Post, sensitive};
use crate::config::{self, Secret};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Datadog {
    pub address: Address,
    api_key: Option<Secret>,
}

impl Datadog {
    /// `None`: nothing goes there.
    pub fn of(config: &config::Datadog) -> Option<Self> {
        if !config.enabled {
            return None;
        }
        let address = Address::of(config.endpoint.as_deref()?)?;
        Some(Self {
            address: address.ending_in("/api/v2/logs"),
            api_key: config.api_key.clone(),
        })
    }

    pub fn credentials(&self) -> Option<(HeaderName, HeaderValue)> {
        let value = sensitive(self.api_key.as_ref()?.expose())?;
        Some((HeaderName::from_static("dd-api-key"), value))
    }

    /// An array. Level and time stand where Datadog looks for them.
    pub fn batch(&self, entries: &[Arc<Entry>]) -> Post {
        let logs = entries.iter().map(|entry| {
            json!({
                "ddsource": "ai-gateway",
                "service": "ai-gateway",
                "timestamp": entry.timestamp(),
                "status": entry.level.as_str().to_ascii_lowercase(),
                "component": entry.component,
                "message": entry.message,
                "metadata": entry.metadata,
            })
        });
        Post {
            method: Method::POST,
            path: String::new(),
            content_type: "application/json",
            body: Value::Array(logs.collect()).to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::entries;
    use super::*;

    #[test]
    fn a_batch_is_an_array() {
        for endpoint in ["https://d", "https://d/api/v2/logs"] {
            let config = config::Datadog {
                endpoint: Some(endpoint.to_owned()),
                api_key: Some(Secret::new("the-key")),
                ..config::Datadog::default()
            };
            let service = Datadog::of(&config).unwrap();
            assert_eq!(service.address.path, "/api/v2/logs");
            let (name, value) = service.credentials().unwrap();
            assert_eq!(
                (name.as_str(), value.as_bytes()),
                ("dd-api-key", &b"the-key"[..])
            );
            let logs: Value = serde_json::from_slice(&service.batch(&entries(2)).body).unwrap();
            assert_eq!(
                logs[0],
                json!({"ddsource": "ai-gateway", "service": "ai-gateway", "timestamp": "2026-11-21T16:14:00.123Z",
                       "status": "info", "component": "server::test", "message": "line 0",
                       "metadata": {"number": 0}})
            );
            assert_eq!(logs.as_array().unwrap().len(), 2);
        }
    }
}
