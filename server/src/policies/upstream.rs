//! A configured provider, ready to be called.

use std::sync::Arc;

use llm::ChatCodec;
use llm::chat::Protocol;
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
    /// The version of its API that the operator chose.
    pub api_version: Option<Arc<str>>,
    pub timeouts: Timeouts,
    pub enabled: bool,
    /// Of the models that the configuration names, by the upstream's name of each; `None`: unknown.
    pub prices: Vec<(Arc<str>, Option<Price>)>,
}

impl Upstream {
    /// What is spoken with it for a client of this protocol.
    pub fn codec_for(&self, client: Protocol) -> &'static dyn ChatCodec {
        self.pinned.unwrap_or_else(|| self.kind.codec_for(client))
    }

    /// Upstreams quote what they were sent, and that must not be how a client learns the gateway's
    /// credentials.
    pub fn hide_secrets(&self, message: &mut String) {
        let Endpoint::Http(endpoint) = &self.endpoint else {
            return;
        };
        let secrets = endpoint
            .headers
            .values()
            .filter(|value| value.is_sensitive());
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
