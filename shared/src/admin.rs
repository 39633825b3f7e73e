//! The one list of what an operator can ask of the gateway.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::analytics::{Overview, OverviewQuery};
use crate::policies::{Edit, FieldError};
use crate::routing::{ModelChange, ModelRouting, TargetStatus};
use crate::status::GatewayStatus;

/// What an operator can ask. The gateway implements it; REST handlers and the dashboard's server
/// functions only call it.
#[async_trait]
pub trait AdminApi: Send + Sync + 'static {
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

/// Why an administrative call could not be answered.
#[derive(Clone, Debug, Deserialize, Serialize, thiserror::Error, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AdminError {
    /// The caller asked for something that makes no sense; `message` says what would.
    #[error("{message}")]
    Invalid {
        message: String,
        /// What is wrong with which field, where it is about fields.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldError>,
    },
    /// It has been changed since the caller looked, or there is one already.
    #[error("{message}")]
    Conflict { message: String },
    /// There is nothing of this name.
    #[error("{message}")]
    NotFound { message: String },
    /// The database did not answer; the gateway serves on and keeps its records elsewhere.
    #[error("the database is not available: {message}")]
    Unavailable { message: String },
    /// A fault of the gateway's own.
    #[error("internal error: {message}")]
    Internal { message: String },
}
