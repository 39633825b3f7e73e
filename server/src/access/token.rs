//! What a program has in place of a password.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use shared::access::{Area, Role};

use super::last_used::LastUsed;

/// What tokens begin with: people and scanners know them by it.
pub(super) const MARK: &str = "gwt-";
/// Of a token, what is shown.
pub(super) const SHOWN: usize = MARK.len() + 4;

/// An API token.
#[derive(Debug)]
pub struct ApiToken {
    pub name: Arc<str>,
    /// `None`: it was made with the admin token.
    pub user: Option<Arc<str>>,
    pub sha256: [u8; 32],
    /// How it begins: for people.
    pub prefix: String,
    pub role: Role,
    /// `None`: all.
    pub areas: Option<Arc<[Area]>>,
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used: LastUsed,
}

/// What a token is known by. It has 244 random bits: nothing is gained by a slow hash.
pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
