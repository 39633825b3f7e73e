//! What is kept of one request.

use std::net::IpAddr;
use std::sync::Arc;

use guardrails::RuleOutcome;
use llm::chat::{Losses, Usage};
use llm::error::{ErrorKind, ErrorSource};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One request, from its arrival to the last byte of its reply. Never the prompt or the reply.
///
/// Times are microseconds since the Unix epoch, durations microseconds since `started_at_us`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct RequestRecord {
    /// UUIDv7: sorts by arrival. Also the reply's `x-request-id`.
    pub id: Uuid,
    pub started_at_us: i64,
    /// To the first token (or the first byte of a reply that is not streamed) from the upstream.
    pub first_token_us: Option<i64>,
    /// To the reply's end: the whole latency as the client saw it.
    pub latency_us: i64,
    /// Spent waiting on upstreams, all attempts together.
    pub upstream_us: i64,
    /// Name of the client key; `None` when the gateway is open or the key was wrong.
    pub key: Option<Arc<str>>,
    /// The key's project, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Arc<str>>,
    pub client_address: Option<IpAddr>,
    /// What the client spoke, for example `openai_chat`.
    pub dialect: Arc<str>,
    /// The route's template, for example `/v1/chat/completions`.
    pub endpoint: Arc<str>,
    /// The model's name as the client wrote it.
    pub requested_model: Option<Arc<str>>,
    /// The provider that answered, or the last one that was tried.
    pub provider: Option<Arc<str>>,
    /// The model's name at that provider.
    pub upstream_model: Option<Arc<str>>,
    pub stream: bool,
    pub outcome: Outcome,
    /// The HTTP status that the client got (of a stream: before its first event).
    pub status: u16,
    pub error_kind: Option<ErrorKind>,
    pub error_source: Option<ErrorSource>,
    /// The error's message as the client got it, at most 500 bytes.
    pub error_message: Option<String>,
    /// Those that failed first, then the one that gave the answer.
    pub attempts: Vec<Attempt>,
    /// `None` when the upstream did not say.
    pub usage: Option<Usage>,
    /// The upstream did not come to say all of it: see `recording::estimate`.
    #[serde(default)]
    pub usage_estimated: bool,
    /// Billionths of a US dollar; `None` when usage or price is unknown.
    pub cost_nanos: Option<i64>,
    pub cache: CacheOutcome,
    /// Of a hit: the tokens, input and output, that the answer had taken, and what they had cost. Those of the request
    /// itself are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_nanos: Option<i64>,
    /// As the canonical model names it, for example `stop`, `tool_calls`.
    pub finish_reason: Option<Arc<str>>,
    /// What of the request the upstream was not told that answered.
    #[serde(default)]
    pub losses: Losses,
    /// What the operator's rules did to the request and its reply: never what they found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<RuleOutcome>,
    /// Of a copy of a client's request, sent to another target to see what that makes of it: the request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_of: Option<Uuid>,
    /// The request's body, bytes.
    pub bytes_in: u64,
    /// The reply's body, bytes, as handed to the connection.
    pub bytes_out: u64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client got the whole reply.
    Finished,
    /// The client got an error, before or within the reply.
    Failed,
    /// The client hung up first.
    Cancelled,
}

/// What the cache had to say.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum CacheOutcome {
    /// The cache was not asked.
    #[default]
    Bypass,
    Hit,
    Miss,
}

/// One call to one target.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Attempt {
    pub provider: Arc<str>,
    pub model: Arc<str>,
    /// Microseconds after the request's start.
    pub started_us: i64,
    /// To the end of the reply's head, or to the failure.
    pub duration_us: i64,
    /// The upstream's HTTP status, if it came to that.
    pub status: Option<u16>,
    /// `None`: this attempt gave the answer. `cancelled`: another one did so first, or the client had gone.
    pub error_kind: Option<ErrorKind>,
    /// A second target, asked because the first was slow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedged: bool,
}
