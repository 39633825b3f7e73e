//! Who may use the admin listener, and for what: users, API tokens, sessions, and the admin token.
//!
//! All of it is in memory, so that no request waits for the database. A change is in the database before it is
//! acknowledged, and holds from the next request on.

mod admin_token;
mod attempts;
mod edits;
mod entries;
mod failures;
mod last_used;
mod logins;
mod names;
mod operator;
mod password;
mod random;
mod session;
mod table;
mod token;
mod tokens;
mod upkeep;
mod user;
mod versions;

#[cfg(test)]
mod tests;

pub use admin_token::AdminToken;
pub use attempts::Verdict;
pub use logins::{Entered, Visitor};
pub use operator::{Operator, Via};
pub use password::PasswordHash;
pub use session::Session;
pub use token::ApiToken;
pub use upkeep::run as keep_up;
pub use user::User;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use self::attempts::Attempts;
use self::failures::Failures;
use self::password::Passwords;
use self::table::Table;
use crate::store::Store;

/// What of the list of changes is about access: the kinds that its changes have.
pub const KINDS: [&str; 4] = [USER, TOKEN, SESSION, FAILURE];
const USER: &str = "user";
const TOKEN: &str = "api_token";
const SESSION: &str = "session";
const FAILURE: &str = "login_failure";

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// From the login on.
    pub absolute: Duration,
    /// Without being used.
    pub idle: Duration,
}

/// Everybody who may come in.
#[derive(Debug)]
pub struct Access {
    store: Store,
    token: AdminToken,
    lifetimes: Lifetimes,
    table: RwLock<Table>,
    /// Held while something is changed, from the first look to the database and to memory.
    edits: Mutex<()>,
    passwords: Passwords,
    attempts: Attempts,
    failures: Failures,
}

impl Access {
    /// Reads everybody from the database. Sessions that cannot be read have ended.
    ///
    /// # Errors
    /// Users or API tokens cannot be read.
    pub async fn open(
        store: Store,
        token: AdminToken,
        lifetimes: Lifetimes,
    ) -> anyhow::Result<Self> {
        let users = store.users().await;
        let users = users.context("could not read the users in the database")?;
        let tokens = store.api_tokens().await;
        let tokens = tokens.context("could not read the API tokens in the database")?;
        let sessions = store.sessions().await.unwrap_or_else(|error| {
            tracing::error!(%error, "Sessions of the dashboard cannot be read: everybody has to log in again");
            Vec::new()
        });
        Ok(Self {
            store,
            token,
            lifetimes,
            table: RwLock::new(Table::new(users, tokens, sessions)),
            edits: Mutex::default(),
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            failures: Failures::default(),
        })
    }

    /// Whose session a cookie says it is, if it is one just now.
    pub fn by_session(&self, secret: &str) -> Option<Operator> {
        let now = Utc::now();
        let table = self.read();
        let session = self.session_of(&table, secret)?;
        if !self.is_alive(session, now) {
            return None;
        }
        let operator = match &session.user {
            None => Operator::with_admin_token(Via::Session),
            Some(name) => {
                let user = table.users.get(name).filter(|user| !user.disabled)?;
                Operator::new(name.clone(), user.role, Via::Session).of_user(name.clone())
            }
        };
        session.last_used.touch(now);
        Some(operator.in_session(session.id.as_str()))
    }

    /// Whose API token it is, if it is one that is taken just now.
    fn by_token(&self, secret: &str) -> Option<Operator> {
        let now = Utc::now();
        let table = self.read();
        let token = table.tokens.get(&token::digest(secret))?;
        if token.expires_at.is_some_and(|end| end <= now) {
            return None;
        }
        let role = match &token.user {
            None => token.role,
            Some(name) => {
                let user = table.users.get(name).filter(|user| !user.disabled)?;
                token.role.min(user.role)
            }
        };
        token.last_used.touch(now);
        let name = format!("token:{}", token.name);
        let mut operator = Operator::new(name, role, Via::ApiToken)
            .within(token.areas.clone())
            .until(token.expires_at);
        if let Some(user) = &token.user {
            operator = operator.of_user(user.clone());
        }
        Some(operator)
    }

    /// A session, alive or not.
    ///
    /// Found by a digest: whoever guesses cannot choose the digest of his guess, so the time that a look-up takes
    /// does not bring him closer bit by bit.
    fn session_of<'a>(&self, table: &'a Table, secret: &str) -> Option<&'a Arc<Session>> {
        if secret.len() != random::SECRET_LENGTH {
            return None;
        }
        let found = table.sessions.get(&session::digest(secret));
        found.or_else(|| table.sessions.get(&self.token.digest_with(secret)))
    }

    fn is_alive(&self, session: &Session, now: DateTime<Utc>) -> bool {
        session.is_alive(now, self.lifetimes.idle)
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}
