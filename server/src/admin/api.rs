//! What an operator can ask, answered.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use shared::analytics::{Overview, OverviewQuery};
use shared::status::{GatewayStatus, ProviderStatus};
use shared::{AdminApi, AdminError};

use crate::gateway::Gateway;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;

/// The gateway as its operators see it.
#[derive(Debug)]
pub struct Admin {
    pub store: Store,
    pub gateway: Arc<Gateway>,
    pub metrics: Arc<Metrics>,
    pub started_at: DateTime<Utc>,
    /// Where clients reach the gateway.
    pub client_url: String,
}

#[async_trait]
impl AdminApi for Admin {
    async fn overview(&self, query: OverviewQuery) -> Result<Overview, AdminError> {
        self.store
            .overview(&query, Utc::now())
            .await
            .map_err(|error| AdminError::Unavailable {
                message: error.to_string(),
            })
    }

    async fn status(&self) -> Result<GatewayStatus, AdminError> {
        let policies = self.gateway.policies();
        let providers = policies.upstreams.iter().map(|upstream| ProviderStatus {
            name: upstream.name.to_string(),
            kind: upstream.kind.id.to_owned(),
            enabled: upstream.enabled,
            simulated: upstream.kind.simulated,
        });
        Ok(GatewayStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            client_url: self.client_url.clone(),
            open: policies.keys.is_open(),
            providers: providers.collect(),
            recording: self.gateway.recorder().status(),
        })
    }
}
