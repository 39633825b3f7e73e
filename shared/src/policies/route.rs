//! Any HTTP API, reached through the gateway.

use serde::{Deserialize, Serialize};

/// An HTTP API that clients reach at `/egress/NAME/…`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EgressRoute {
    #[serde(default = "super::limit::yes")]
    pub enabled: bool,
    /// Where it is: `https://api.example.com/v2`. What stands behind the route's name goes behind this.
    pub endpoint: String,
    /// Answers to `GET` are kept for as long as their `Cache-Control` says.
    #[serde(default = "super::limit::yes")]
    pub cache: bool,
    /// Requests count against rates.
    #[serde(default = "super::limit::yes")]
    pub rate_limit: bool,
}
