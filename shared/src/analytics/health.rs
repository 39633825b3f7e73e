//! How the gateway's parts fare.

use serde::{Deserialize, Serialize};

use crate::routing::ProviderHealth;
use crate::status::RecordingStatus;

/// How the gateway's parts fare.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GatewayHealth {
    /// The worst of all parts.
    pub state: HealthState,
    pub database: DatabaseHealth,
    pub recording: RecordingHealth,
    /// The enabled ones.
    pub providers: Vec<ProviderHealth>,
}

/// How something fares.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    Healthy,
    /// Requests are served, but something is worse than it should be.
    Degraded,
    /// It does not do what it is there for.
    Failed,
}

/// How the database fares.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DatabaseHealth {
    pub state: HealthState,
    /// Why it does not answer.
    pub failure: Option<String>,
    /// The number of the last change of the schema.
    pub schema_version: Option<i64>,
    /// Of the database file, bytes.
    pub file_bytes: Option<u64>,
    /// Of its write-ahead log, bytes.
    pub log_bytes: Option<u64>,
    /// Requests in the database that rollups and the log's search do not have yet.
    pub rollups_behind: Option<u64>,
}

/// How recording fares.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordingHealth {
    pub state: HealthState,
    /// Records that memory has room for; what comes beyond goes to the spool.
    pub queue_size: u64,
    #[serde(flatten)]
    pub status: RecordingStatus,
}
