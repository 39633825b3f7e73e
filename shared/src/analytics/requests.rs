//! Single requests, as they were recorded.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A page of the request log.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestQuery {
    #[serde(flatten)]
    pub filter: RequestFilter,
    /// Where the page before ended: its `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Requests of a page, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which requests. What is left out makes no difference; names are compared as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestFilter {
    /// Begun then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Begun before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// The model as the client named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusFilter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RequestOutcome>,
    /// The error kind's name, for example `rate_limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// What the client spoke, for example `openai_chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// Answered from the cache, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<bool>,
    /// Copies that were sent to another target, or requests of clients' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// A request's id, or part of the name of a model or of an error's message. Of letters, those of ASCII are the same
    /// whether they are large or small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// A status, `404`, or all with its first digit, `4xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusFilter {
    Exactly(u16),
    /// All from so many hundreds on: 4 stands for 400 to 499.
    Class(u16),
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RequestOutcome {
    /// The client got the whole reply.
    Finished,
    /// The client got an error, before or within the reply.
    Failed,
    /// The client hung up first.
    Cancelled,
}

/// What the cache had to do with a request.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheUse {
    /// The cache was not asked.
    Bypass,
    Hit,
    Miss,
}

/// Some requests, the latest first: in the order in which they ended.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestLog {
    pub requests: Vec<RequestEntry>,
    /// The `cursor` of the next page; `None`: this was the last one. A page of a search that finds little may have fewer
    /// requests than were asked for, or none, and still not be the last.
    pub next: Option<String>,
}

/// One request.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestEntry {
    /// Also the reply's `x-request-id`.
    pub id: String,
    pub started_at: DateTime<Utc>,
    /// From the request's first byte to the first token, or to the first byte of a reply that is not streamed.
    pub first_token_ms: Option<f64>,
    /// From the request's first byte to the reply's last.
    pub latency_ms: f64,
    /// Spent waiting on upstreams, all attempts together.
    pub upstream_ms: f64,
    /// The name of the client's key; `None` when the gateway is open or the key was wrong.
    pub key: Option<String>,
    pub project: Option<String>,
    pub client_address: Option<String>,
    pub dialect: String,
    /// The route's template, for example `/v1/chat/completions`.
    pub endpoint: String,
    /// The model as the client named it.
    pub model: Option<String>,
    /// Who answered, or was tried last.
    pub provider: Option<String>,
    pub upstream_model: Option<String>,
    pub stream: bool,
    pub outcome: RequestOutcome,
    /// The HTTP status that the client got (of a stream: before its first event).
    pub status: u16,
    pub error_kind: Option<String>,
    /// Whose doing: `caller`, `policy` (an operator's rule), `provider` or `gateway`.
    pub error_source: Option<String>,
    pub error_message: Option<String>,
    /// Calls of upstreams.
    pub attempt_count: u32,
    /// Token counts are `None` when the upstream did not say.
    pub input_tokens: Option<u64>,
    pub cached_tokens: Option<u64>,
    pub cache_write_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    /// The upstream did not come to say all of it.
    pub usage_estimated: bool,
    /// Billionths of a US dollar; `None` when usage or price is unknown.
    pub cost_nanos: Option<i64>,
    pub cache: CacheUse,
    /// Of an answer from the cache: the tokens that it had taken when an upstream gave it, and what they had cost.
    pub saved_tokens: Option<u64>,
    pub saved_nanos: Option<i64>,
    pub finish_reason: Option<String>,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Of a copy that was sent to another target: the request's id.
    pub shadow_of: Option<String>,
}

/// One request, with all that is known of it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestDetail {
    #[serde(flatten)]
    pub request: RequestEntry,
    /// Those that failed first, then the one that gave the answer.
    pub attempts: Vec<AttemptEntry>,
    /// What the operator's rules did to the request and its reply.
    pub guardrails: Vec<GuardrailEntry>,
    /// Parameters that the upstream's protocol cannot say, and that were left out.
    pub dropped: Vec<String>,
    /// Those that were reached by other means.
    pub emulated: Vec<String>,
}

/// One call of one target.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttemptEntry {
    pub provider: String,
    /// The upstream's name of the model.
    pub model: String,
    /// After the request's start.
    pub started_ms: f64,
    /// To the end of the reply's head, or to the failure.
    pub duration_ms: f64,
    /// The upstream's HTTP status, if it came to that.
    pub status: Option<u16>,
    /// `None`: this one gave the answer. `cancelled`: another one did so first, or the client had gone.
    pub error_kind: Option<String>,
    /// A second target, asked because the first was slow.
    pub hedged: bool,
}

/// What one rule did.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GuardrailEntry {
    pub rule: String,
    pub side: crate::policies::Side,
    pub verdict: crate::policies::RuleVerdict,
    /// It only would have.
    pub shadow: bool,
}

impl RequestOutcome {
    pub const ALL: [Self; 3] = [Self::Finished, Self::Failed, Self::Cancelled];

    /// The name in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl FromStr for RequestOutcome {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|one| one.as_str() == name);
        named.ok_or("one of finished, failed, cancelled")
    }
}

impl FromStr for StatusFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a status, 100 to 599, or a class of them: 2xx, 3xx, 4xx, 5xx";
        if let Some(class) = text.strip_suffix("xx").or(text.strip_suffix("XX")) {
            let class = class.parse().ok().filter(|class| (1..=5).contains(class));
            return class.map(Self::Class).ok_or(WRONG);
        }
        let status = text.parse().ok();
        let status = status.filter(|status| (100..600).contains(status));
        status.map(Self::Exactly).ok_or(WRONG)
    }
}

impl fmt::Display for StatusFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Class(hundreds) => write!(f, "{hundreds}xx"),
        }
    }
}

impl Serialize for StatusFilter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StatusFilter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StatusFilter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusFilter".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A status, `404`, or all with its first digit, `4xx`.",
            "pattern": "^[1-5]([0-9]{2}|xx|XX)$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::StatusFilter;

    #[test]
    fn statuses_are_exact_or_a_class() {
        for (text, filter) in [
            ("404", StatusFilter::Exactly(404)),
            ("4xx", StatusFilter::Class(4)),
            ("5XX", StatusFilter::Class(5)),
        ] {
            assert_eq!(text.parse(), Ok(filter));
        }
        for wrong in [
            "", "xx", "6xx", "0xx", "99", "600", "40x", "4xx'", "-1", "99999",
        ] {
            assert!(wrong.parse::<StatusFilter>().is_err(), "{wrong}");
        }
    }
}
