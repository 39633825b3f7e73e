//! Coming in, and going.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;

use super::failures::Failure;
use super::password::{Busy, PasswordHash};
use super::{Access, Operator, SESSION, Session, Verdict, Via, random, session, token};
use crate::store::{Change, What};

/// What the list of changes calls whoever logs in with the admin token; who types it as a name means the token.
pub(super) const ADMIN: &str = "admin";
/// Of one user; one more ends the one that was not used for longest.
const MOST_SESSIONS: usize = 100;
/// Of what a browser calls itself, in characters.
const LONGEST_BROWSER: usize = 200;
/// How long a login or logout waits for the database. It counts from its first moment, written or not.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts to write a logout, and for how many.
const PAUSE: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 300;

/// Who wants to come in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Of the connection: what a header says of it is anybody's.
    pub address: IpAddr,
    pub browser: Option<String>,
    /// The session that they came with, if any: it ends when another one begins.
    pub session: Option<String>,
}

/// Somebody has come in.
#[derive(Debug, PartialEq, Eq)]
pub struct Entered {
    /// For the cookie. It is kept nowhere.
    pub secret: String,
    pub lasts: Duration,
}

impl Access {
    /// Whose token a program has sent: the admin token, or an API token.
    pub async fn bearer(&self, address: IpAddr, secret: &str) -> Verdict<Operator> {
        let look = || {
            if self.token.matches(secret) {
                return Some(Operator::with_admin_token(Via::AdminToken));
            }
            secret
                .starts_with(token::MARK)
                .then(|| self.by_token(secret))
                .flatten()
        };
        let verdict = self.attempts.judge(address, look).await;
        if verdict == Verdict::Wrong {
            self.failed("unknown", "token", address);
        }
        verdict
    }

    /// A login with the admin token.
    pub async fn log_in_with_token(
        self: &Arc<Self>,
        visitor: &Visitor,
        secret: &str,
    ) -> Verdict<Entered> {
        let look = || self.token.matches(secret).then_some(());
        match self.attempts.judge(visitor.address, look).await {
            Verdict::Right(()) => match self.enter(visitor, None).await {
                Some(entered) => Verdict::Right(entered),
                None => Verdict::Wrong,
            },
            Verdict::Wrong => {
                self.failed(ADMIN, "token", visitor.address);
                Verdict::Wrong
            }
            Verdict::TooMany { retry_after } => Verdict::TooMany { retry_after },
        }
    }

    /// A login with name and password.
    pub async fn log_in(
        self: &Arc<Self>,
        visitor: &Visitor,
        name: &str,
        password: &str,
    ) -> Verdict<Entered> {
        let name = name.trim().to_lowercase();
        if name == ADMIN {
            return self.log_in_with_token(visitor, password.trim()).await;
        }
        match self
            .check_password(Some(visitor.address), &name, password)
            .await
        {
            Verdict::Right(hash) => match self.enter(visitor, Some((&name, &hash))).await {
                Some(entered) => Verdict::Right(entered),
                None => Verdict::Wrong,
            },
            Verdict::Wrong => {
                let there = self.read().users.contains_key(&*name);
                let known = if there { &name } else { "unknown" };
                self.failed(known, "password", visitor.address);
                Verdict::Wrong
            }
            Verdict::TooMany { retry_after } => Verdict::TooMany { retry_after },
        }
    }

    /// The hash of a user's password, if it is this one. Takes as long for those who have none, or are disabled, or are
    /// not there.
    pub(super) async fn check_password(
        &self,
        address: Option<IpAddr>,
        name: &str,
        password: &str,
    ) -> Verdict<PasswordHash> {
        let look = async {
            let hash = {
                let table = self.read();
                let user = table.users.get(name).filter(|user| !user.disabled);
                user.and_then(|user| user.password.clone())
            };
            match self.passwords.is_right(hash.as_ref(), password).await {
                Ok(true) => hash.map(Ok),
                Ok(false) => None,
                // Nobody looked: it costs nothing.
                Err(busy) => Some(Err(busy)),
            }
        };
        match self.attempts.judge_password(address, name, look).await {
            Verdict::Right(Ok(hash)) => Verdict::Right(hash),
            Verdict::Right(Err(Busy)) => Verdict::TooMany {
                retry_after: Duration::from_secs(1),
            },
            Verdict::Wrong => Verdict::Wrong,
            Verdict::TooMany { retry_after } => Verdict::TooMany { retry_after },
        }
    }

    /// Begins a session. `None`: the user has been changed since the password was looked at.
    pub(super) async fn enter(
        self: &Arc<Self>,
        visitor: &Visitor,
        user: Option<(&str, &PasswordHash)>,
    ) -> Option<Entered> {
        let now = Utc::now();
        let secret = random::secret();
        let lasts = self.lifetimes.absolute;
        let mut sha256 = session::digest(&secret);
        if user.is_none() {
            sha256 = self.token.digest_with(&secret);
        }
        let browser = visitor.browser.as_ref();
        let begun = Arc::new(Session {
            sha256,
            id: uuid::Uuid::new_v4().simple().to_string(),
            user: user.map(|(name, _)| name.into()),
            address: visitor.address.to_canonical().to_string(),
            browser: browser.map(|name| name.chars().take(LONGEST_BROWSER).collect()),
            created_at: now,
            last_used: Some(now).into(),
            expires_at: TimeDelta::from_std(lasts)
                .ok()
                .and_then(|lasts| now.checked_add_signed(lasts))
                .unwrap_or(chrono::DateTime::<Utc>::MAX_UTC),
        });
        let mut ended = Vec::new();
        {
            let mut table = self.write();
            if let Some((name, hash)) = user {
                let there = table.users.get(name)?;
                if there.disabled || there.password.as_ref() != Some(hash) {
                    return None;
                }
            }
            let before = visitor.session.as_deref();
            let before = before.and_then(|secret| self.session_of(&table, secret));
            ended.extend(before.map(|session| session.sha256));
            ended.extend(table.one_too_many(begun.user.as_deref(), MOST_SESSIONS));
            ended.iter().for_each(|sha256| {
                table.sessions.remove(sha256);
            });
            table.sessions.insert(sha256, begun.clone());
        }
        let name = begun.user.as_deref().unwrap_or(ADMIN).to_owned();
        tracing::info!(
            user = name,
            address = begun.address,
            "Logged in to the dashboard"
        );
        for sha256 in ended {
            self.forget(
                sha256,
                Change::next(SESSION, &name, What::Delete, &name, replaced()),
            );
        }
        let write = tokio::spawn(self.clone().write_login(begun, name));
        let _ = tokio::time::timeout(PATIENCE, write).await;
        Some(Entered { secret, lasts })
    }

    async fn write_login(self: Arc<Self>, begun: Arc<Session>, name: String) {
        let value = json!({"session": begun.id, "address": begun.address});
        let what = What::Put(value.to_string());
        let change = Change::next(SESSION, &name, what, &name, None);
        let _edits = self.edits.lock().await;
        let is_there = self.read().sessions.contains_key(&begun.sha256);
        let written = if is_there {
            self.store.add_session(&begun, change).await
        } else {
            self.store.add_next_change(change).await
        };
        if let Err(error) = written {
            tracing::error!(%error, "A login to the dashboard could not be written: it ends with the process");
        }
    }

    /// Ends the session of a cookie.
    pub async fn log_out(self: &Arc<Self>, secret: &str) {
        let found = {
            let table = self.read();
            self.session_of(&table, secret).cloned()
        };
        if let Some(session) = found {
            let name = session.user.as_deref().unwrap_or(ADMIN).to_owned();
            tracing::info!(user = name, "Logged out of the dashboard");
            let change = Change::next(SESSION, &name, What::Delete, &name, None);
            self.end(&session, change).await;
        }
    }

    /// Ends a session at once, and waits a while for the database to have it.
    pub(super) async fn end(self: &Arc<Self>, session: &Session, change: Change) {
        self.write().sessions.remove(&session.sha256);
        let written = self.forget(session.sha256, change);
        let _ = tokio::time::timeout(PATIENCE, written).await;
    }

    /// Writes that a session has ended. A task of its own: it goes on when the browser or our patience is gone.
    fn forget(self: &Arc<Self>, sha256: [u8; 32], change: Change) -> tokio::task::JoinHandle<()> {
        let access = self.clone();
        tokio::spawn(async move {
            for attempt in 1..=ATTEMPTS {
                let edits = access.edits.lock().await;
                match access.store.delete_session(&sha256, change.clone()).await {
                    Ok(()) => return,
                    Err(error) if attempt == 1 || attempt == ATTEMPTS => tracing::error!(
                        %error,
                        attempt,
                        "A logout from the dashboard could not be written: a restart would undo it"
                    ),
                    Err(_) => {}
                }
                drop(edits);
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    fn failed(&self, name: &str, what: &'static str, address: IpAddr) {
        let failure = Failure {
            name: name.to_owned(),
            what,
            address: address.to_canonical(),
        };
        if let Some(change) = self.failures.note(failure, Instant::now()) {
            let store = self.store.clone();
            tokio::spawn(async move {
                if let Err(error) = store.add_next_change(change).await {
                    tracing::warn!(%error, "Failed logins could not be written to the list of changes");
                }
            });
        }
    }
}

fn replaced() -> Option<String> {
    Some("another login took its place".to_owned())
}
