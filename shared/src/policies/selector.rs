//! Whose requests a policy is about.

use serde::{Deserialize, Serialize};

/// Which requests something holds for: all that are given must match; what is empty matches all.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Selector {
    /// Names of client keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Names of projects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Names that clients ask for; `*` stands for any characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Clients: an address, a network (`10.0.0.0/8`), or `*.*.*.*` for everybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Clients, as in `addresses`, that are not meant although they would be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except_addresses: Vec<String>,
}

impl Selector {
    /// Everything is meant.
    pub fn is_all(&self) -> bool {
        self.keys.is_empty()
            && self.projects.is_empty()
            && self.models.is_empty()
            && self.addresses.is_empty()
            && self.except_addresses.is_empty()
    }
}
