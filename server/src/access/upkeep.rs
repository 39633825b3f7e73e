//! What is written now and then: uses of sessions and tokens; and sessions that have ended by themselves.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;

use super::Access;

const PERIOD: Duration = Duration::from_secs(60);

/// Keeps the database up to date, for as long as it is polled.
pub async fn run(access: Arc<Access>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        access.keep_up().await;
    }
}

impl Access {
    /// Writes what is not written yet. What does not get written is tried again.
    pub async fn keep_up(&self) {
        if let Some(change) = self.failures.due(Instant::now())
            && let Err(error) = self.store.add_next_change(change).await
        {
            tracing::warn!(%error, "Failed logins could not be written to the list of changes");
        }
        let _edits = self.edits.lock().await;
        let now = Utc::now();
        let (mut expired, mut sessions, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        {
            let mut table = self.write();
            table.sessions.retain(|sha256, session| {
                let alive = self.is_alive(session, now);
                if !alive {
                    expired.push(*sha256);
                }
                alive
            });
            for session in table.sessions.values() {
                sessions.extend(session.last_used.unwritten().map(|at| (session.sha256, at)));
            }
            for token in table.tokens.values() {
                tokens.extend(token.last_used.unwritten().map(|at| (token.sha256, at)));
            }
        }
        if expired.is_empty() && sessions.is_empty() && tokens.is_empty() {
            return;
        }
        if let Err(error) = self.store.note_uses(&sessions, &tokens, &expired).await {
            // Expired ones are expired after a restart, too.
            tracing::debug!(%error, "When sessions and tokens were last used could not be written");
            return;
        }
        let table = self.read();
        for (sha256, at) in sessions {
            if let Some(session) = table.sessions.get(&sha256) {
                session.last_used.is_written(at);
            }
        }
        for (sha256, at) in tokens {
            if let Some(token) = table.tokens.get(&sha256) {
                token.last_used.is_written(at);
            }
        }
    }
}
