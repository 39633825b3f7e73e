//! What whoever asks may give to others.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Area, Role};

/// What somebody has, and so the most that they can give to others.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Grant {
    /// The user; `None`: whoever has the admin token.
    pub user: Option<String>,
    pub role: Role,
    /// `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Vec<Area>>,
    /// Until when; `None`: nothing ends it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The session that they came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// It is the admin token itself that they have, by header or by a login with it.
    pub has_admin_token: bool,
}

impl Grant {
    /// Whether something of this user's concerns them.
    pub fn concerns(&self, user: Option<&str>) -> bool {
        self.role == Role::Admin || (self.user.is_some() && self.user.as_deref() == user)
    }
}
