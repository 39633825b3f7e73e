//! Logouts that outlast the process: the database keeps the revoked sessions.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::http::HeaderMap;
use tokio::sync::Mutex;

use super::revoked::Revoked;
use super::session::Sessions;
use super::token::AdminToken;
use crate::store::Store;

const SETTING: &str = "admin.revoked_sessions";
/// How long a logout waits for the database. It counts from its first moment, written or not.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts to write, and for how many.
const PAUSE: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 300;

/// Ends sessions, for good.
#[derive(Debug)]
pub(super) struct Logouts {
    pub sessions: Sessions,
    store: Store,
    /// The version of the revoked sessions that the database has.
    written: Mutex<u64>,
}

impl Logouts {
    /// Goes on from what the database says. Where it does not say, any session may have been
    /// revoked: then all are.
    pub async fn open(store: Store, token: &AdminToken, ttl: Duration) -> Arc<Self> {
        let sessions = match load(&store).await {
            Ok(revoked) => Sessions::new(token.session_key(), ttl, revoked),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "It is not known who has logged out of the dashboard: everybody has to log in again"
                );
                Sessions::new(AdminToken::random_key(), ttl, Revoked::default())
            }
        };
        Arc::new(Self {
            sessions,
            store,
            written: Mutex::new(0),
        })
    }

    /// Ends the session that the request came with, if any.
    pub async fn revoke(self: &Arc<Self>, headers: &HeaderMap) {
        if let Some(version) = self.sessions.revoke(headers) {
            // A task of its own: it goes on when the browser or our patience is gone.
            let write = tokio::spawn(self.clone().write(version));
            let _ = tokio::time::timeout(PATIENCE, write).await;
        }
    }

    async fn write(self: Arc<Self>, version: u64) {
        let mut written = self.written.lock().await;
        for attempt in 1..=ATTEMPTS {
            if *written >= version {
                return;
            }
            let (json, current) = self.sessions.revoked();
            match self.store.set_setting(SETTING, &json).await {
                Ok(()) => {
                    *written = current;
                    if attempt > 1 {
                        tracing::info!("The logout from the dashboard has been written");
                    }
                }
                Err(error) => {
                    if attempt == 1 || attempt == ATTEMPTS {
                        tracing::error!(
                            %error,
                            attempt,
                            "A logout from the dashboard could not be written: a restart would undo it"
                        );
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn load(store: &Store) -> anyhow::Result<Revoked> {
    match store.setting(SETTING).await? {
        Some(json) => serde_json::from_str(&json).with_context(|| format!("the setting {SETTING}")),
        None => Ok(Revoked::default()),
    }
}
