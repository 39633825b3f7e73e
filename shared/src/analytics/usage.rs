//! Sums over requests, from rollups.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Percentiles;

/// Which sums. What is left out makes no difference.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageQuery {
    /// The start; by default 24 hours before `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// The end, which is not included; by default now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// A row each for what differs in these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<UsageGroup>,
    /// A row each for every minute, hour or day, UTC, in which there was something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The model as the client named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<super::StatusFilter>,
}

/// What rows can be apart by.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageGroup {
    /// As the client named it.
    Model,
    Provider,
    UpstreamModel,
    Key,
    Project,
    Status,
}

/// The width of a slice of time.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    Minute,
    Hour,
    /// UTC.
    Day,
}

/// Sums over requests.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// What was asked for, widened to whole intervals; without an interval to whole minutes, and to whole hours where it
    /// is longer than a day or the minutes are no longer kept.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub interval: Option<Interval>,
    pub group_by: Vec<UsageGroup>,
    /// By time, then those with most requests first. Where nothing was recorded there is none.
    pub rows: Vec<UsageRow>,
    /// All rows together.
    pub total: UsageFigures,
}

/// The sums of one group.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageRow {
    /// The slice of time's start; only with an interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime<Utc>>,
    /// What it is grouped by, `null` where the requests had none: `{"model": "gpt-4o", "status": 200}`. `(unknown)` stands
    /// for models that do not exist, `(other)` for those of an hour in which there were too many.
    #[serde(default)]
    pub group: serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    pub figures: UsageFigures,
}

/// Sums and percentiles over some set of requests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageFigures {
    pub requests: u64,
    /// Requests that failed, whoever's fault.
    pub errors: u64,
    /// Requests that the client gave up on.
    pub cancelled: u64,
    pub streamed: u64,
    pub cache_hits: u64,
    /// All input tokens, cached ones included.
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
    /// All output tokens, reasoning included.
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// Billionths of a US dollar.
    pub cost_nanos: i64,
    /// Requests that used tokens of a model whose price is not known: not in `cost_nanos`.
    pub unpriced: u64,
    /// Of answers from the cache: the tokens that they had taken when an upstream gave them.
    pub saved_tokens: u64,
    /// What those had cost, billionths of a US dollar.
    pub saved_nanos: i64,
    /// From the request's first byte to the reply's last.
    pub latency: Percentiles,
    /// From the request's first byte to the first token, streamed requests only.
    pub time_to_first_token: Percentiles,
    /// Copies of requests that were sent to another target, their replies dropped: in no other figure.
    pub shadows: u64,
    /// What the shadows cost, billionths of a US dollar.
    pub shadow_cost_nanos: i64,
}

impl UsageGroup {
    pub const ALL: [Self; 6] = [
        Self::Model,
        Self::Provider,
        Self::UpstreamModel,
        Self::Key,
        Self::Project,
        Self::Status,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Provider => "provider",
            Self::UpstreamModel => "upstream_model",
            Self::Key => "key",
            Self::Project => "project",
            Self::Status => "status",
        }
    }
}

impl FromStr for UsageGroup {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|group| group.as_str() == name);
        named.ok_or("of model, provider, upstream_model, key, project, status")
    }
}

impl Interval {
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    pub fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

impl FromStr for Interval {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|one| one.as_str() == name);
        named.ok_or("one of minute, hour, day")
    }
}
