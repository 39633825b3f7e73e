//! What the gateway says of itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The gateway's set-up and health, as the dashboard's frame shows it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GatewayStatus {
    pub version: String,
    pub started_at: DateTime<Utc>,
    /// Where clients reach the gateway, for example `http://127.0.0.1:8080`.
    pub client_url: String,
    /// No client key is configured: whoever reaches the port is served.
    pub open: bool,
    pub providers: Vec<ProviderStatus>,
    pub recording: RecordingStatus,
}

/// One configured provider.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderStatus {
    pub name: String,
    /// The registry's id, for example `openai`.
    pub kind: String,
    pub enabled: bool,
    /// Replies are made up by the gateway itself.
    pub simulated: bool,
}

/// How recording fares. Everything is zero or `false` on a good day.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordingStatus {
    /// Records written to the database since the start.
    pub written: u64,
    /// Records that wait in memory.
    pub queued: u64,
    /// Records that wait on disk because the database did not take them.
    pub spooled: u64,
    /// Records that are gone, since the start.
    pub lost: u64,
    /// Why the database does not take records just now.
    pub trouble: Option<String>,
}
