//! Everybody, in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{ApiToken, Session, User};

/// By name, and by digest where there is a secret.
#[derive(Debug)]
pub(super) struct Table {
    pub users: BTreeMap<Arc<str>, User>,
    pub tokens: HashMap<[u8; 32], ApiToken>,
    pub sessions: HashMap<[u8; 32], Arc<Session>>,
}

impl Table {
    pub fn new(users: Vec<User>, tokens: Vec<ApiToken>, sessions: Vec<Session>) -> Self {
        let users = users.into_iter().map(|user| (user.name.clone(), user));
        let tokens = tokens.into_iter().map(|token| (token.sha256, token));
        let sessions = sessions
            .into_iter()
            .map(|session| (session.sha256, Arc::new(session)));
        Self {
            users: users.collect(),
            tokens: tokens.collect(),
            sessions: sessions.collect(),
        }
    }

    pub fn token(&self, name: &str) -> Option<&ApiToken> {
        self.tokens.values().find(|token| &*token.name == name)
    }

    pub fn session(&self, id: &str) -> Option<&Arc<Session>> {
        self.sessions.values().find(|session| session.id == id)
    }

    pub fn end_sessions_of(&mut self, user: &str) {
        self.sessions
            .retain(|_, session| session.user.as_deref() != Some(user));
    }

    /// The session of a user that was not used for longest, if there are `most` already.
    pub fn one_too_many(&self, user: Option<&str>, most: usize) -> Option<[u8; 32]> {
        let theirs = self.sessions.values();
        let theirs: Vec<_> = theirs
            .filter(|session| session.user.as_deref() == user)
            .collect();
        let oldest = theirs.iter().min_by_key(|session| session.last_used.get());
        oldest
            .filter(|_| theirs.len() >= most)
            .map(|session| session.sha256)
    }
}
