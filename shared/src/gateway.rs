//! What an operator can ask about the gateway as a whole, and about its models.

use async_trait::async_trait;

use crate::AdminError;
use crate::analytics::{Overview, OverviewQuery};
use crate::policies::Edit;
use crate::routing::{ModelChange, ModelRouting, TargetStatus};
use crate::status::GatewayStatus;

/// The part of [`AdminApi`](crate::AdminApi) that is about traffic, status, models and their targets.
#[async_trait]
pub trait GatewayApi: Send + Sync + 'static {
    /// Traffic, tokens, errors, latency and cost over a time range, from rollups.
    async fn overview(&self, query: OverviewQuery) -> Result<Overview, AdminError>;

    /// What the gateway is, how it is set up, and how recording fares.
    async fn status(&self) -> Result<GatewayStatus, AdminError>;

    /// Where the models' requests go, and how each place fares.
    async fn targets(&self) -> Result<Vec<TargetStatus>, AdminError>;

    /// The models of the configuration, and how each is routed.
    async fn models(&self) -> Result<Vec<ModelRouting>, AdminError>;

    /// Changes a model, from the next request on and beyond restarts.
    async fn change_model(
        &self,
        name: &str,
        change: ModelChange,
        edit: Edit,
    ) -> Result<ModelRouting, AdminError>;

    /// Takes all changes of a model back: what the configuration says holds again. `None`: it says nothing.
    async fn reset_model(&self, name: &str, edit: Edit)
    -> Result<Option<ModelRouting>, AdminError>;
}
