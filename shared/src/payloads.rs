//! What was asked and answered, where an operator wants it logged.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::AdminError;

/// The part of [`AdminApi`](crate::AdminApi) that is about logged payloads.
#[async_trait]
pub trait PayloadApi: Send + Sync + 'static {
    /// What a request and its reply said. `id` is the request's.
    async fn payload(&self, id: &str) -> Result<LoggedPayload, AdminError>;

    /// How the logging of payloads fares.
    async fn payload_status(&self) -> Result<PayloadStatus, AdminError>;
}

/// A request and its reply.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoggedPayload {
    /// The request's id.
    pub id: String,
    pub at: DateTime<Utc>,
    pub request: PayloadContent,
    pub reply: PayloadContent,
    /// The reply was a stream: this is what it came to.
    pub streamed: bool,
}

/// One of the two. Credentials, and what else the operator does not want to be kept, are masked.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PayloadContent {
    /// How many there were, before anything was masked or cut off.
    pub bytes: u64,
    /// There was more than is kept.
    pub cut: bool,
    /// Where it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Where it is other text. With neither there was nothing, or it was no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How the logging of payloads fares.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PayloadStatus {
    pub enabled: bool,
    /// Since the start.
    pub stored: u64,
    /// Since the start: those that came faster than they could be written, or could not be.
    pub dropped: u64,
    /// Waiting to be written.
    pub queued: u64,
    /// What the file takes.
    pub file_bytes: u64,
    /// Why the last ones could not be written.
    pub trouble: Option<String>,
}
