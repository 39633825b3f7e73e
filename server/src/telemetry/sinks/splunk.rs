//! Splunk's HTTP Event Collector:
//! <https://help.splunk.com/splunk-enterprise/get-data-in/collect-http-event-data/format-events-for-http-event-collector>

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;

use super::address::Address;
use super::entry::Entry;
use super::service::{Post, sensitive};
use crate::config::{self, Secret};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splunk {
    pub address: Address,
    token: Option<Secret>,
}

impl Splunk {
    /// `None`: nothing goes there.
    pub fn of(config: &config::Splunk) -> Option<Self> {
        if !config.enabled {
            return None;
        }
        let mut address = Address::of(config.endpoint.as_deref()?)?;
        // Both are its paths.
        if let Some(base) = address.path.strip_suffix("/services/collector") {
            address.path = base.to_owned();
        }
        Some(Self {
            address: address.ending_in("/services/collector/event"),
            token: config.token.clone(),
        })
    }

    pub fn credentials(&self) -> Option<(HeaderName, HeaderValue)> {
        let token = self.token.as_ref()?;
        let value = sensitive(&format!("Splunk {}", token.expose()))?;
        Some((AUTHORIZATION, value))
    }

    /// One envelope after the other.
    pub fn batch(&self, entries: &[Arc<Entry>]) -> Post {
        let mut body = Vec::new();
        for entry in entries {
            let envelope = json!({
                // Seconds since 1970, with milliseconds.
                "time": entry.at.timestamp_millis() as f64 / 1000.0,
                "source": "ai-gateway",
                "sourcetype": "_json",
                "event": entry.told(),
            });
            body.extend_from_slice(envelope.to_string().as_bytes());
            body.push(b'\n');
        }
        Post {
            method: Method::POST,
            path: String::new(),
            content_type: "application/json",
            body: body.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entries, lines};
    use super::*;

    fn service(endpoint: &str) -> Splunk {
        let config = config::Splunk {
            endpoint: Some(endpoint.to_owned()),
            token: Some(Secret::new("the-token")),
            ..config::Splunk::default()
        };
        Splunk::of(&config).unwrap()
    }

    #[test]
    fn entries_are_events_in_envelopes() {
        let service = service("http://s:8088");
        let (name, value) = service.credentials().unwrap();
        assert_eq!(
            (name, value.as_bytes()),
            (AUTHORIZATION, &b"Splunk the-token"[..])
        );
        let lines = lines(&service.batch(&entries(2)).body);
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[1],
            json!({"time": 1_795_277_640.123, "source": "ai-gateway", "sourcetype": "_json",
                   "event": {"timestamp": "2026-11-21T16:14:00.123Z", "level": "INFO",
                             "component": "server::test", "message": "line 1", "metadata": {"number": 1}}})
        );
    }

    #[test]
    fn the_collectors_path_need_not_be_written() {
        for endpoint in [
            "http://s:8088",
            "http://s:8088/",
            "http://s:8088/services/collector",
            "http://s:8088/services/collector/event/",
        ] {
            let path = service(endpoint).address.path;
            assert_eq!(path, "/services/collector/event", "{endpoint}");
        }
    }
}
