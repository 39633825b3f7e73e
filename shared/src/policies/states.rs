//! How policies fare: what operators watch.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Allowance, Per, Rate};
use crate::CostNanos;

/// How much of a rate is used, of one subject.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LimitState {
    /// The limit's name; `key NAME` or `project NAME` where it is theirs.
    pub limit: String,
    pub per: Per,
    /// The address, key, project or model that is counted; `None`: all.
    pub subject: Option<String>,
    pub rate: Rate,
    pub requests_used: u64,
    pub tokens_used: u64,
    /// When all of it is there again.
    pub resets_at: DateTime<Utc>,
    /// Requests refused since the start.
    pub refused: u64,
}

/// How much of an allowance is used, of one subject.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetState {
    /// As with limits.
    pub budget: String,
    pub per: Per,
    pub subject: Option<String>,
    pub allowance: Allowance,
    pub requests_used: u64,
    pub tokens_used: u64,
    /// What has been spent in this period.
    pub spent_nanos: CostNanos,
    /// What requests under way may cost at most.
    pub reserved_nanos: CostNanos,
    /// Of what was spent: calls that a crash left without an end, at the most that they may have cost.
    pub uncertain_nanos: CostNanos,
    pub period_started_at: Option<DateTime<Utc>>,
    /// `None`: never.
    pub resets_at: Option<DateTime<Utc>>,
    pub refused: u64,
}

/// An answer in the cache.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheEntry {
    /// Hexadecimal: what it is deleted by.
    pub id: String,
    pub model: String,
    /// Whose it is; `None`: anybody's.
    pub key: Option<String>,
    pub project: Option<String>,
    pub stored_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub bytes: u64,
    pub hits: u64,
    /// What each hit saves.
    pub tokens: u64,
    pub cost_nanos: Option<CostNanos>,
}

/// Which answers to forget; nothing given: all.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CacheSelection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// How the cache fares, since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheStats {
    pub entries: u64,
    pub bytes: u64,
    pub hits: u64,
    pub misses: u64,
    pub bypasses: u64,
    pub coalesced: u64,
    pub saved_tokens: u64,
    pub saved_nanos: CostNanos,
}

/// How often a guardrail has acted, since the start.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Triggered {
    pub rule: String,
    pub shadow: bool,
    pub flagged: u64,
    pub changed: u64,
    pub blocked: u64,
    pub failed: u64,
}

/// All of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyStats {
    pub cache: CacheStats,
    pub guardrails: Vec<Triggered>,
}
