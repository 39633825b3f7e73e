//! A configured provider, ready to be called.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use llm::ChatCodec;
use llm::chat::Protocol;
use llm::codec::WireRequest;
use llm::pricing::Price;

use crate::config::{MASK, Timeouts};
use crate::transport::Endpoint;

/// One provider of the configuration.
#[derive(Debug)]
pub struct Upstream {
    pub name: Arc<str>,
    pub kind: &'static llm::providers::Provider,
    /// The one protocol that the operator wants spoken.
    pub pinned: Option<&'static dyn ChatCodec>,
    pub endpoint: Endpoint,
    /// The headers of its keys, where there are several to choose from. A single one is among the endpoint's.
    pub credentials: Vec<(HeaderName, HeaderValue)>,
    /// It has no key, and is called with the client's.
    pub pass_client_key: bool,
    /// Calls at the same time; `None`: as many as come.
    pub max_concurrent: Option<u32>,
    /// Requests that may wait for one of those calls to end, and how long.
    pub queue: usize,
    pub queue_timeout: Duration,
    /// The version of its API that the operator chose.
    pub api_version: Option<Arc<str>>,
    pub timeouts: Timeouts,
    pub enabled: bool,
    /// How it is asked in the background whether it is there; `None`: it is not.
    pub health: Option<HealthCheck>,
    /// Of the models that the configuration names, by the upstream's name of each; `None`: unknown.
    pub prices: Vec<(Arc<str>, Option<Price>)>,
}

/// A request in the background.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    pub request: WireRequest,
    /// From one to the next.
    pub interval: Duration,
    /// Until one has failed.
    pub timeout: Duration,
}

impl Upstream {
    /// Whether a key of the gateway's is in every request to it.
    pub fn sends_key(&self) -> bool {
        let Endpoint::Http(endpoint) = &self.endpoint else {
            return false;
        };
        let header = self.kind.auth.header_name();
        header.is_some_and(|header| endpoint.headers.contains_key(header))
    }

    /// What is spoken with it for a client of this protocol.
    pub fn codec_for(&self, client: Protocol) -> &'static dyn ChatCodec {
        self.pinned.unwrap_or_else(|| self.kind.codec_for(client))
    }

    /// Takes the gateway's credentials out of a message.
    pub fn hide_secrets(&self, message: &mut String) {
        let Endpoint::Http(endpoint) = &self.endpoint else {
            return;
        };
        let keys = self.credentials.iter().map(|(_, value)| value);
        let secrets = endpoint.headers.values().chain(keys);
        let secrets = secrets.filter(|value| value.is_sensitive());
        for secret in secrets.filter_map(|value| value.to_str().ok()) {
            // With and without its scheme.
            let bare = secret.split_once(' ').map_or(secret, |(_, key)| key);
            for text in [secret, bare] {
                if text.len() >= 4 && message.contains(text) {
                    *message = message.replace(text, MASK);
                }
            }
        }
    }
}
