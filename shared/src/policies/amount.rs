//! Quotas and budgets: so much in a day, a week, a month, or at all.

use serde::{Deserialize, Serialize};

use super::{Per, Selector};
use crate::CostNanos;

/// A quota or a budget of the operator's.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Budget {
    #[serde(default = "super::limit::yes")]
    pub enabled: bool,
    /// Which requests count.
    #[serde(default)]
    pub applies_to: Selector,
    /// What is counted apart.
    #[serde(default)]
    pub per: Per,
    pub allowance: Allowance,
}

/// So much in a period. At least one amount is given.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Input and output together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_nanos: Option<CostNanos>,
    #[serde(default)]
    pub period: Period,
    /// Of an amount in percent: reaching one is told to log, metrics and webhook, once a period.
    #[serde(default = "usual_alerts")]
    pub alerts: Vec<u8>,
}

/// When an allowance is renewed, in the operator's time zone.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// At midnight.
    Day,
    /// On Monday at midnight.
    Week,
    /// On the first at midnight.
    #[default]
    Month,
    /// Never.
    Total,
}

/// 50, 80 and 100 percent.
pub fn usual_alerts() -> Vec<u8> {
    vec![50, 80, 100]
}
