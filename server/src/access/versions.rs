//! What users were, and making them that again.
//!
//! Of a password, a version says that it was changed, and nothing from which it could come back: whoever is restored
//! has the password that they have now, and a user who was deleted has none until an admin gives one.

use chrono::Utc;
use serde::Deserialize;
use shared::AdminError;
use shared::access::{Grant, Role, UserEntry, UserThen, UserVersion};
use shared::policies::Edit;

use super::edits::{no_such_user, not_kept, seen};
use super::{Access, USER, User};
use crate::store::{Change, What};

/// What a change says of a user.
#[derive(Deserialize)]
struct Written {
    role: Role,
    disabled: bool,
    /// That it was changed.
    password: Option<String>,
}

impl Access {
    /// What a user was, the latest first; also of one who was deleted.
    pub async fn user_versions(&self, name: &str) -> Result<Vec<UserVersion>, AdminError> {
        let changes = self.changes_of_user(name).await?;
        let versions = changes.into_iter().map(|change| {
            let written = written(&change);
            UserVersion {
                version: change.version,
                at: change.at,
                by: change.by,
                reason: change.reason,
                password_changed: written.as_ref().is_some_and(|one| one.password.is_some()),
                user: written.map(|one| UserThen {
                    role: one.role,
                    disabled: one.disabled,
                }),
            }
        });
        Ok(versions.collect())
    }

    /// Makes a user what they were at one of their versions; `None`: they had been deleted then.
    pub async fn restore_user(
        &self,
        name: &str,
        version: u64,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<Option<UserEntry>, AdminError> {
        let changes = self.changes_of_user(name).await?;
        let no_such_version = || AdminError::NotFound {
            message: format!("The user `{name}` has no version {version}."),
        };
        let then = changes.into_iter().find(|one| one.version == version);
        let then = then.ok_or_else(no_such_version)?;
        let reason = edit.reason.clone();
        let edit = &Edit {
            reason: Some(reason.unwrap_or_else(|| format!("version {version} restored"))),
            ..edit.clone()
        };
        if then.what == What::Delete {
            return self.delete_user(name, grant, edit).await.map(|()| None);
        }
        let then = written(&then).ok_or_else(no_such_version)?;

        let _edits = self.edits.lock().await;
        let there = self.read().users.get(name).cloned();
        seen(there.as_ref(), name, edit)?;
        let now = Utc::now();
        let mut user = there
            .clone()
            .unwrap_or_else(|| User::new(name, then.role, then.disabled, now));
        (user.role, user.disabled) = (then.role, then.disabled);
        if let Some(there) = &there
            && (there.role, there.disabled) == (user.role, user.disabled)
        {
            return Ok(Some(there.entry()));
        }
        self.write_user(user, there.as_ref(), grant, edit)
            .await
            .map(Some)
    }

    /// The latest first.
    async fn changes_of_user(&self, name: &str) -> Result<Vec<Change>, AdminError> {
        let changes = self.store.changes_of(USER, name).await;
        let changes = changes.map_err(not_kept)?;
        if changes.is_empty() {
            return Err(no_such_user(name));
        }
        Ok(changes)
    }
}

fn written(change: &Change) -> Option<Written> {
    match &change.what {
        What::Put(json) => serde_json::from_str(json).ok(),
        What::Delete | What::Reset | What::Unreadable(_) => None,
    }
}
