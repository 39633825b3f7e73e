//! Users of the admin listener.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Role;

/// What an admin decides about a user.
#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    pub role: Role,
    /// Cannot log in, and API tokens of theirs are not taken.
    #[serde(default)]
    pub disabled: bool,
    /// 12 to 256 characters. Never told again. Left out, or sent as its mask: as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserEntry {
    pub name: String,
    pub role: Role,
    pub disabled: bool,
    /// Has a password to log in with.
    pub has_password: bool,
    /// Who vouches for the user in place of a password; nobody can yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<String>,
    /// How many times it has been changed.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub changed_by: String,
}

/// What a user was at some time.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserVersion {
    pub version: u64,
    pub at: DateTime<Utc>,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `None`: the user was deleted.
    pub user: Option<UserThen>,
    /// The password was changed, too. None of them is kept.
    #[serde(default)]
    pub password_changed: bool,
}

/// What of a user has versions.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserThen {
    pub role: Role,
    pub disabled: bool,
}

/// Another password of one's own.
#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one so far.
    pub current: String,
    /// 12 to 256 characters.
    pub new: String,
}

/// Who asks.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Me {
    /// As it stands in the list of changes.
    pub name: String,
    /// How they came in: `session`, `api_token` or `admin_token`.
    pub via: String,
    #[serde(flatten)]
    pub grant: super::Grant,
}

impl std::fmt::Debug for UserSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSettings")
            .field("role", &self.role)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}
