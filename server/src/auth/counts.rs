//! How often callers were let in, and why not.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of a request's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthResult {
    Ok,
    /// There were none.
    Missing,
    /// No key is like this.
    Unknown,
    /// The key or its project is.
    Disabled,
    /// The key has, or this secret of it.
    Expired,
    /// A right key, for a model or a provider that it may not use. It has been counted as `Ok` before.
    Forbidden,
}

impl AuthResult {
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Missing,
        Self::Unknown,
        Self::Disabled,
        Self::Expired,
        Self::Forbidden,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
        }
    }
}

/// Since the start. An open gateway asks nobody, and counts nothing.
#[derive(Debug, Default)]
pub struct AuthCounts([AtomicU64; AuthResult::ALL.len()]);

impl AuthCounts {
    pub fn add(&self, result: AuthResult) {
        self.0[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn of(&self, result: AuthResult) -> u64 {
        self.0[result as usize].load(Ordering::Relaxed)
    }
}
