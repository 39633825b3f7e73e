//! A browser that is logged in.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::last_used::LastUsed;

/// A session. What the cookie says is kept nowhere, only its digest.
#[derive(Debug)]
pub struct Session {
    pub sha256: [u8; 32],
    /// What it is called by; it opens nothing.
    pub id: String,
    /// `None`: somebody logged in with the admin token.
    pub user: Option<Arc<str>>,
    pub address: String,
    pub browser: Option<String>,
    pub created_at: DateTime<Utc>,
    pub last_used: LastUsed,
    pub expires_at: DateTime<Utc>,
}

impl Session {
    /// Whether it has neither expired nor been unused for longer than `idle`.
    pub(super) fn is_alive(&self, now: DateTime<Utc>, idle: Duration) -> bool {
        let last = self.last_used.get().unwrap_or(self.created_at);
        let unused = now.signed_duration_since(last);
        let idle = TimeDelta::from_std(idle).unwrap_or(TimeDelta::MAX);
        now < self.expires_at && unused < idle
    }
}

/// What a session of a user's is known by.
pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
