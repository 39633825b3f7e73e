//! Sessions as their users and admins see them.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use shared::AdminError;
use shared::access::{Grant, SessionEntry};
use shared::policies::Edit;

use super::logins::ADMIN;
use super::{Access, SESSION};
use crate::store::{Change, What};

impl Access {
    /// The sessions that concern whoever asks, the latest first.
    pub fn sessions(&self, grant: &Grant) -> Vec<SessionEntry> {
        let now = Utc::now();
        let idle = TimeDelta::from_std(self.lifetimes.idle).unwrap_or(TimeDelta::MAX);
        let table = self.read();
        let all = table.sessions.values();
        let concern = all.filter(|session| {
            grant.concerns(session.user.as_deref()) && self.is_alive(session, now)
        });
        let mut entries: Vec<_> = concern
            .map(|session| {
                let last = session.last_used.get().unwrap_or(session.created_at);
                let unused = last.checked_add_signed(idle);
                SessionEntry {
                    id: session.id.clone(),
                    user: session.user.as_deref().map(str::to_owned),
                    address: session.address.clone(),
                    browser: session.browser.clone(),
                    created_at: session.created_at,
                    last_used_at: last,
                    expires_at: unused.map_or(session.expires_at, |at| at.min(session.expires_at)),
                    current: grant.session.as_ref() == Some(&session.id),
                }
            })
            .collect();
        entries.sort_by(|a, b| b.created_at.cmp(&a.created_at).then(a.id.cmp(&b.id)));
        entries
    }

    /// Ends a session that concerns whoever asks.
    pub async fn end_session(
        self: &Arc<Self>,
        id: &str,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<(), AdminError> {
        let found = {
            let table = self.read();
            let found = table.session(id);
            found
                .filter(|session| grant.concerns(session.user.as_deref()))
                .cloned()
        };
        let session = found.ok_or_else(|| AdminError::NotFound {
            message: format!("There is no session `{id}`."),
        })?;
        let name = session.user.as_deref().unwrap_or(ADMIN);
        tracing::info!(
            user = name,
            by = edit.by,
            "A session of the dashboard was ended"
        );
        let change = Change::next(SESSION, name, What::Delete, &edit.by, edit.reason.clone());
        self.end(&session, change).await;
        Ok(())
    }
}
