//! Somebody with a name.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use shared::access::Role;

use super::PasswordHash;

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    pub name: Arc<str>,
    pub role: Role,
    pub disabled: bool,
    /// `None`: no password opens.
    pub password: Option<PasswordHash>,
    /// Who vouches for the user in place of a password.
    pub identity_provider: Option<String>,
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub changed_by: String,
}

impl User {
    /// One who was not there before: nothing opens yet.
    pub fn new(name: &str, role: Role, disabled: bool, now: DateTime<Utc>) -> Self {
        Self {
            name: name.into(),
            role,
            disabled,
            password: None,
            identity_provider: None,
            version: 0,
            created_at: now,
            changed_at: now,
            changed_by: String::new(),
        }
    }
}
