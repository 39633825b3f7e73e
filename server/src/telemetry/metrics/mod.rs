//! What `GET /metrics` of the admin listener tells: OpenMetrics text, which Prometheus reads.
//!
//! Labels come from the configuration and from fixed lists, never from what a client wrote. Requests are
//! counted from their records, by the task that writes those: a request itself pays nothing.

mod auth;
mod budgets;
mod cache;
mod gateway;
mod guardrails;
mod process;
mod refusals;
mod targets;
mod upstreams;

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use self::gateway::GatewayCollector;
use self::refusals::Refusals;
use self::upstreams::Upstreams;
use super::sinks::Shipping;
use super::transitions::Transitions;
use crate::gateway::Gateway;
use crate::recording::record::RequestRecord;

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every metric.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    upstreams: Upstreams,
    refusals: Refusals,
}

impl Metrics {
    /// Of this gateway; its requests are to be [counted](Self::count).
    pub fn of(
        gateway: &Arc<Gateway>,
        transitions: &Transitions,
        shipping: &Arc<Shipping>,
    ) -> Arc<Self> {
        let mut registry = Registry::default();
        let weak = Arc::downgrade(gateway);
        let upstreams = Upstreams::register(&mut registry, weak.clone());
        let refusals = Refusals::register(&mut registry);
        transitions.register(&mut registry);
        shipping.register(&mut registry);
        registry.register_collector(Box::new(GatewayCollector::new(weak)));
        Arc::new(Self {
            registry,
            upstreams,
            refusals,
        })
    }

    /// All of them as they are now.
    ///
    /// # Errors
    /// A fault of the gateway's own: text can always be written.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }

    /// A request has ended.
    pub fn count(&self, record: &RequestRecord) {
        self.upstreams.count(record);
        self.refusals.count(record);
    }
}
