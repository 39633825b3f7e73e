//! Figures about traffic, as charts and tables show them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CostNanos, TimeRange};

/// Which figures: a time range that ends now, optionally one provider or one model.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OverviewQuery {
    #[serde(default)]
    pub range: TimeRange,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// Everything that the dashboard's first page shows.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overview {
    pub query: OverviewQuery,
    /// Start of the first bucket.
    pub from: DateTime<Utc>,
    /// When these figures were taken; the last bucket is not yet full.
    pub until: DateTime<Utc>,
    /// Width of a bucket of `series`, seconds.
    pub bucket_seconds: u32,
    pub totals: Totals,
    /// The same length of time before `from`, for comparison; `None` when nothing was recorded then.
    pub previous: Option<Totals>,
    /// One entry a bucket, in order, without gaps: an empty bucket has zero counts.
    pub series: Vec<Bucket>,
    /// The models that clients asked for, most requests first, at most ten.
    pub models: Vec<Share>,
    /// The providers that answered, most requests first, at most ten.
    pub providers: Vec<Share>,
    /// Failed requests by error kind, most first.
    pub errors: Vec<ErrorCount>,
}

/// Sums and percentiles over some set of requests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Totals {
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
    pub cost: CostNanos,
    /// Requests that used tokens of a model whose price is not known: not in `cost`.
    pub unpriced: u64,
    /// From the request's first byte to the reply's last.
    pub latency: Percentiles,
    /// From the request's first byte to the first token, streamed requests only.
    pub time_to_first_token: Percentiles,
    /// Copies of requests that were sent to another target, their replies dropped: in no other figure.
    #[serde(default)]
    pub shadows: u64,
    /// What the shadows cost, beside `cost`.
    #[serde(default)]
    pub shadow_cost: CostNanos,
}

/// Percentiles of a duration, milliseconds; `None` when nothing was measured.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Percentiles {
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// The figures of one slice of time.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bucket {
    pub start: DateTime<Utc>,
    pub totals: Totals,
}

/// One model's or provider's part of the traffic.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Share {
    pub name: String,
    pub totals: Totals,
}

/// How often one kind of error happened.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorCount {
    /// The error kind's name, for example `rate_limited`.
    pub kind: String,
    pub count: u64,
}
