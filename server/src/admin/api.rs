//! What an operator can ask, answered.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use shared::analytics::{Overview, OverviewQuery};
use shared::policies::Edit;
use shared::routing::{ModelChange, ModelRouting, TargetStatus};
use shared::status::{GatewayStatus, ProviderStatus};
use shared::{AdminError, GatewayApi};

use crate::access::Access;
use crate::availability::Availability;
use crate::gateway::Gateway;
use crate::in_force::{EditError, InForce};
use crate::store::{Failure, Store};
use crate::telemetry::metrics::Metrics;

/// The gateway as its operators see it.
#[derive(Debug)]
pub struct Admin {
    pub store: Store,
    pub gateway: Arc<Gateway>,
    pub metrics: Arc<Metrics>,
    pub in_force: Arc<InForce>,
    pub access: Arc<Access>,
    pub started_at: DateTime<Utc>,
    /// Where clients reach the gateway.
    pub client_url: String,
}

impl Admin {
    /// The last requests that failed, the earliest first, at most `limit`.
    pub async fn recent_failures(&self, limit: u32) -> Result<Vec<Failure>, AdminError> {
        let failures = self.store.recent_failures(limit).await;
        failures.map_err(|error| AdminError::Unavailable {
            message: error.to_string(),
        })
    }
}

impl From<EditError> for AdminError {
    fn from(error: EditError) -> Self {
        let message = error.to_string();
        match error {
            EditError::NoSuchModel(_)
            | EditError::NoSuchPolicy { .. }
            | EditError::NoSuchVersion { .. } => Self::NotFound { message },
            EditError::Exists { .. }
            | EditError::Changed { .. }
            | EditError::InUse(_)
            | EditError::NoKey(_) => Self::Conflict { message },
            EditError::Invalid(fields) => Self::Invalid { message, fields },
            EditError::NoSuchStrategy { .. } => Self::Invalid {
                message,
                fields: Vec::new(),
            },
            EditError::NotKept(source) => Self::Unavailable {
                message: source.to_string(),
            },
            EditError::Policy(_) => Self::Internal { message },
        }
    }
}

#[async_trait]
impl GatewayApi for Admin {
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

    async fn targets(&self) -> Result<Vec<TargetStatus>, AdminError> {
        Ok(Availability::of(&self.gateway.policies()).targets())
    }

    async fn models(&self) -> Result<Vec<ModelRouting>, AdminError> {
        Ok(self.in_force.models().await)
    }

    async fn change_model(
        &self,
        name: &str,
        change: ModelChange,
        edit: Edit,
    ) -> Result<ModelRouting, AdminError> {
        Ok(self.in_force.change(name, &change, &edit).await?)
    }

    async fn reset_model(
        &self,
        name: &str,
        edit: Edit,
    ) -> Result<Option<ModelRouting>, AdminError> {
        Ok(self.in_force.reset(name, &edit).await?)
    }
}
