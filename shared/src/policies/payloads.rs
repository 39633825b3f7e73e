//! Which requests and replies are logged with their contents.

use serde::{Deserialize, Serialize};

use super::{PiiKind, Selector};

/// How payloads are logged. There is one: its name is `payloads`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PayloadSettings {
    pub enabled: bool,
    /// Of a million requests, so many are logged.
    pub share_millionths: u32,
    /// Personal data that is masked before anything is stored. Known credentials always are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<PiiKind>,
    /// Of a request, and of a reply, at most so much is kept.
    pub max_entry_bytes: u64,
    /// 0: for ever.
    pub retention_days: u32,
    /// What the file may take; the oldest go.
    pub max_bytes: u64,
    /// The first that matches a request says what is different for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PayloadOverride>,
}

impl Default for PayloadSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            share_millionths: 1_000_000,
            redact: Vec::new(),
            max_entry_bytes: 1 << 20,
            retention_days: 14,
            max_bytes: 1 << 30,
            overrides: Vec::new(),
        }
    }
}

/// What is different for some requests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PayloadOverride {
    pub applies_to: Selector,
    /// Of a million of these requests, so many are logged.
    pub share_millionths: u32,
}
