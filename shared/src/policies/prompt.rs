//! What the operator tells every model.

use serde::{Deserialize, Serialize};

use super::Selector;

/// A system prompt of the operator's. Of several that hold for a request, each is put in its place, in the order of
/// `order`, then of their names.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SystemPrompt {
    #[serde(default = "super::limit::yes")]
    pub enabled: bool,
    #[serde(default)]
    pub applies_to: Selector,
    #[serde(default)]
    pub order: i32,
    /// `{{date}}` (2026-11-21, UTC), `{{time}}` (14:05), `{{key}}`, `{{project}}` and `{{model}}` are filled in.
    pub text: String,
    #[serde(default)]
    pub position: Position,
}

/// Where a system prompt goes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// After the client's own.
    #[default]
    After,
    /// Before the client's own.
    Before,
    /// In place of the client's own.
    Replace,
}
