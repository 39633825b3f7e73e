//! Requests that the operator's limits refused, as their records tell.

use std::sync::Arc;

use llm::error::{ErrorKind, ErrorSource};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::recording::record::RequestRecord;

/// Of a client's key; empty where there was none.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Key {
    key_name: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Refusals {
    rate_limits: Family<Key, Counter>,
    quotas: Family<Key, Counter>,
}

impl Refusals {
    pub fn register(registry: &mut Registry) -> Self {
        let refusals = Self {
            rate_limits: Family::default(),
            quotas: Family::default(),
        };
        registry.register(
            "rate_limit_exceeded",
            "Requests that a rate limit of the gateway refused, by the client's key",
            refusals.rate_limits.clone(),
        );
        registry.register(
            "quota_exceeded",
            "Requests that a quota or budget of the gateway refused, by the client's key",
            refusals.quotas.clone(),
        );
        refusals
    }

    pub fn count(&self, record: &RequestRecord) {
        // A provider that limits the gateway is another matter.
        if record.error_source != Some(ErrorSource::Policy) {
            return;
        }
        let refused = match record.error_kind {
            Some(ErrorKind::RateLimited) => &self.rate_limits,
            Some(ErrorKind::QuotaExceeded) => &self.quotas,
            _ => return,
        };
        let key_name = record.key.clone().unwrap_or_default();
        refused.get_or_create(&Key { key_name }).inc();
    }
}
