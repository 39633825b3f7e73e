//! Sessions: whom browsers are logged in as.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A browser that is logged in.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionEntry {
    /// What it is called by; it opens nothing.
    pub id: String,
    /// Whose; none: somebody logged in with the admin token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The address that the login came from.
    pub address: String,
    /// What the browser calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub last_used_at: DateTime<Utc>,
    /// It ends then, or earlier if it is not used.
    pub expires_at: DateTime<Utc>,
    /// It is the one that asks.
    pub current: bool,
}
