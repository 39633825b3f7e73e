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
