//! Rates: so many requests or tokens in a window of time.

use serde::{Deserialize, Serialize};

use super::Selector;

/// A rate limit of the operator's.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which requests count.
    #[serde(default)]
    pub applies_to: Selector,
    /// What is counted apart.
    #[serde(default)]
    pub per: Per,
    pub rate: Rate,
}

/// So much in a window.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// At least one of `requests` and `tokens` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Input and output together, as providers count them. A request's own are estimated when it comes and
    /// corrected when its answer is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    pub window_seconds: u64,
    #[serde(default)]
    pub algorithm: Algorithm,
}

/// How a window moves.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// It begins with the first request that it counts, and starts anew when it is over.
    #[default]
    FixedWindow,
    /// At no moment more than allowed in the time before it.
    SlidingWindow,
    /// Refills steadily, and lets a burst through up to its size.
    TokenBucket,
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Nothing: one count for all.
    #[default]
    All,
    /// Each client address.
    Address,
    /// Each client key.
    Key,
    Project,
    /// Each model that clients ask for.
    Model,
}

pub(super) fn yes() -> bool {
    true
}
