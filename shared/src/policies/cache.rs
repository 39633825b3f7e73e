//! Answers that are given again.

use serde::{Deserialize, Serialize};

use super::Selector;

/// How the cache works. There is one: its name is `cache`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    pub enabled: bool,
    /// How long an answer is good.
    pub ttl_seconds: u64,
    /// Who gets it again.
    pub scope: CacheScope,
    /// What may be kept in memory.
    pub max_bytes: u64,
    /// A larger answer is not kept.
    pub max_entry_bytes: u64,
    /// Answers are kept in the database too, and outlive a restart.
    pub persistent: bool,
    /// Equal requests at the same time become one call.
    pub coalesce: bool,
    /// The first that matches a request says what is different for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<CacheOverride>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            ttl_seconds: 3600,
            scope: CacheScope::default(),
            max_bytes: 64 << 20,
            max_entry_bytes: 4 << 20,
            persistent: false,
            coalesce: false,
            overrides: Vec::new(),
        }
    }
}

/// What is different for some requests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CacheOverride {
    pub applies_to: Selector,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<CacheScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<bool>,
}

/// Who gets an answer again.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheScope {
    /// Requests with the same key. Without keys: all.
    #[default]
    Key,
    /// Requests with a key of the same project.
    Project,
    /// All.
    Shared,
}
