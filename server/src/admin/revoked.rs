//! Sessions that ended before their time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// More than these are not told apart: the oldest go, and with them every session of their age.
const MOST: usize = 1000;

/// The sessions that were logged out and have not expired yet.
#[derive(Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Revoked {
    /// Every session that ends by then is revoked, in seconds since 1970.
    #[serde(default)]
    until: i64,
    /// Session to its end, in seconds since 1970.
    sessions: HashMap<String, i64>,
    /// How often this has changed since the start.
    #[serde(skip)]
    pub version: u64,
}

impl Revoked {
    pub fn contains(&self, id: &str, end: i64) -> bool {
        end <= self.until || self.sessions.contains_key(id)
    }

    /// Revokes a session and forgets those that have expired by `now`.
    pub fn insert(&mut self, id: &str, end: i64, now: i64) {
        self.sessions.retain(|_, end| *end > now);
        self.sessions.insert(id.to_owned(), end);
        if self.sessions.len() > MOST
            && let Some(oldest) = self.sessions.values().min().copied()
        {
            self.until = self.until.max(oldest);
            self.sessions.retain(|_, end| *end > oldest);
        }
        self.version += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_is_forgotten() {
        let mut revoked = Revoked::default();
        revoked.insert("a", 10, 0);
        revoked.insert("b", 30, 20);
        assert!(!revoked.sessions.contains_key("a"));
        assert!(revoked.contains("b", 30));
        assert!(!revoked.contains("c", 30));
    }

    #[test]
    fn nothing_comes_back_when_there_are_too_many() {
        let mut revoked = Revoked::default();
        let ends = 1..=i64::try_from(2 * MOST).unwrap();
        for end in ends.clone() {
            revoked.insert(&end.to_string(), end, 0);
        }
        assert_eq!(revoked.sessions.len(), MOST);
        for end in ends {
            assert!(revoked.contains(&end.to_string(), end), "{end}");
        }
    }

    #[test]
    fn it_reads_what_it_writes() {
        let mut revoked = Revoked::default();
        revoked.insert("a", 10, 0);
        let json = serde_json::to_string(&revoked).unwrap();
        assert_eq!(json, r#"{"until":0,"sessions":{"a":10}}"#);
        let read: Revoked = serde_json::from_str(&json).unwrap();
        assert!(read.contains("a", 10));
    }
}
