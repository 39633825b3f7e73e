//! Changing users.

use std::sync::Arc;

use chrono::Utc;
use serde_json::json;
use shared::AdminError;
use shared::access::{Grant, PasswordChange, Role, UserEntry, UserSettings};
use shared::policies::{Edit, FieldError};

use super::password::Busy;
use super::{Access, TOKEN, USER, User, Verdict, names};
use crate::config::MASK;
use crate::store::{Change, StoreError, What};

impl Access {
    /// All users, by name.
    pub fn users(&self) -> Vec<UserEntry> {
        self.read().users.values().map(User::entry).collect()
    }

    pub fn user(&self, name: &str) -> Result<UserEntry, AdminError> {
        let table = self.read();
        let user = table.users.get(name).ok_or_else(|| no_such_user(name))?;
        Ok(user.entry())
    }

    /// Makes a user or changes one.
    pub async fn put_user(
        &self,
        name: &str,
        settings: UserSettings,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<UserEntry, AdminError> {
        // A masked value that was sent back changes nothing.
        let password = settings.password.filter(|password| password != MASK);
        let is_new = !self.read().users.contains_key(name);
        let mut wrong = Vec::new();
        if is_new {
            wrong.extend(names::of_user(name));
            if password.is_none() {
                wrong.push(names::about("password", "a new user needs one"));
            }
        }
        if let Some(password) = &password {
            wrong.extend(names::of_password("password", name, password));
        }
        refuse(wrong)?;
        let hash = match &password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };

        let _edits = self.edits.lock().await;
        let there = self.read().users.get(name).cloned();
        seen(there.as_ref(), name, edit)?;
        let now = Utc::now();
        let mut user = match &there {
            Some(user) => user.clone(),
            None if hash.is_none() => return Err(no_such_user(name)),
            None => User::new(name, settings.role, settings.disabled, now),
        };
        let same = there.is_some() && user.role == settings.role;
        if same && user.disabled == settings.disabled && hash.is_none() {
            return Ok(user.entry());
        }
        user.role = settings.role;
        user.disabled = settings.disabled;
        if hash.is_some() {
            user.password = hash;
        }
        self.write_user(user, there.as_ref(), grant, edit).await
    }

    /// A user's own new password.
    pub async fn change_password(
        &self,
        name: &str,
        change: &PasswordChange,
        edit: &Edit,
    ) -> Result<UserEntry, AdminError> {
        refuse(names::of_password("new", name, &change.new))?;
        let before = match self.check_password(None, name, &change.current).await {
            Verdict::Right(hash) => hash,
            Verdict::Wrong => {
                let error = names::about("current", "this is not the password so far");
                return refuse([error]).and_then(|()| Err(no_such_user(name)));
            }
            Verdict::TooMany { retry_after } => {
                let seconds = retry_after.as_secs_f64().ceil();
                let message = format!("too many wrong ones: try again in {seconds} seconds");
                let error = names::about("current", message);
                return refuse([error]).and_then(|()| Err(no_such_user(name)));
            }
        };
        let hash = self.passwords.hash(&change.new).await?;
        let _edits = self.edits.lock().await;
        let there = self.read().users.get(name).cloned();
        let there = there.ok_or_else(|| no_such_user(name))?;
        if there.password.as_ref() != Some(&before) {
            return Err(AdminError::Conflict {
                message: "The password has been changed since.".to_owned(),
            });
        }
        let user = User {
            password: Some(hash),
            ..there.clone()
        };
        self.keep(user, Some(&there), edit).await
    }

    /// Deletes a user, with sessions and API tokens.
    pub async fn delete_user(
        &self,
        name: &str,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<(), AdminError> {
        let _edits = self.edits.lock().await;
        let there = self.read().users.get(name).cloned();
        seen(there.as_ref(), name, edit)?;
        if there.is_none() {
            return Err(no_such_user(name));
        }
        self.keep_an_admin(name, grant)?;
        let delete = |kind, name: &str| {
            Change::next(kind, name, What::Delete, &edit.by, edit.reason.clone())
        };
        let mut changes = vec![delete(USER, name)];
        {
            let table = self.read();
            let tokens = table.tokens.values();
            let theirs = tokens.filter(|token| token.user.as_deref() == Some(name));
            changes.extend(theirs.map(|token| delete(TOKEN, &token.name)));
        }
        self.store
            .delete_user(name, changes)
            .await
            .map_err(not_kept)?;
        let mut table = self.write();
        table.users.remove(name);
        table.end_sessions_of(name);
        table
            .tokens
            .retain(|_, token| token.user.as_deref() != Some(name));
        tracing::info!(user = name, by = edit.by, "A user was deleted");
        Ok(())
    }

    /// Writes a user as `grant` wants it, unless that would take the last admin. The caller holds `edits`.
    pub(super) async fn write_user(
        &self,
        user: User,
        there: Option<&User>,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<UserEntry, AdminError> {
        if user.role != Role::Admin || user.disabled {
            self.keep_an_admin(&user.name, grant)?;
        }
        self.keep(user, there, edit).await
    }

    /// Writes a user, then puts it in force. Whoever is disabled, may less than before or has another password has to
    /// log in again. The caller holds `edits`.
    async fn keep(
        &self,
        mut user: User,
        there: Option<&User>,
        edit: &Edit,
    ) -> Result<UserEntry, AdminError> {
        let password_before = there.and_then(|there| there.password.as_ref());
        let other_password = user.password.as_ref() != password_before;
        let demoted = there.is_some_and(|there| user.role < there.role);
        let ends_sessions = user.disabled || demoted || other_password;
        user.changed_at = Utc::now();
        user.changed_by.clone_from(&edit.by);
        let mut value = json!({"role": user.role, "disabled": user.disabled});
        if other_password {
            value["password"] = json!("changed");
        }
        let what = What::Put(value.to_string());
        let change = Change::next(USER, &user.name, what, &edit.by, edit.reason.clone());
        self.store
            .put_user(&mut user, change, ends_sessions)
            .await
            .map_err(not_kept)?;
        tracing::info!(
            user = &*user.name,
            role = user.role.as_str(),
            disabled = user.disabled,
            by = edit.by,
            "A user was changed"
        );
        let entry = user.entry();
        let mut table = self.write();
        if ends_sessions {
            table.end_sessions_of(&user.name);
        }
        table.users.insert(Arc::clone(&user.name), user);
        Ok(entry)
    }

    /// No user can take away the last admin: whoever has the admin token can.
    fn keep_an_admin(&self, name: &str, grant: &Grant) -> Result<(), AdminError> {
        let table = self.read();
        // Without a password nobody can log in.
        let is_admin =
            |user: &User| user.role == Role::Admin && !user.disabled && user.password.is_some();
        let others = table.users.values().filter(|user| is_admin(user));
        let is_last = table.users.get(name).is_some_and(is_admin) && others.count() == 1;
        if is_last && !grant.has_admin_token {
            return Err(AdminError::Conflict {
                message: format!(
                    "`{name}` is the last admin: make another one first, or do this with the admin token."
                ),
            });
        }
        Ok(())
    }
}

impl User {
    pub(super) fn entry(&self) -> UserEntry {
        UserEntry {
            name: self.name.to_string(),
            role: self.role,
            disabled: self.disabled,
            has_password: self.password.is_some(),
            identity_provider: self.identity_provider.clone(),
            version: self.version,
            created_at: self.created_at,
            changed_at: self.changed_at,
            changed_by: self.changed_by.clone(),
        }
    }
}

impl From<Busy> for AdminError {
    fn from(busy: Busy) -> Self {
        Self::Unavailable {
            message: busy.to_string(),
        }
    }
}

pub(super) fn not_kept(error: StoreError) -> AdminError {
    AdminError::Unavailable {
        message: error.to_string(),
    }
}

/// # Errors
/// There are some.
pub(super) fn refuse(wrong: impl IntoIterator<Item = FieldError>) -> Result<(), AdminError> {
    let fields: Vec<_> = wrong.into_iter().collect();
    if fields.is_empty() {
        return Ok(());
    }
    let all: Vec<_> = fields
        .iter()
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    Err(AdminError::Invalid {
        message: all.join("; "),
        fields,
    })
}

/// # Errors
/// The condition of an edit does not hold.
pub(super) fn seen(there: Option<&User>, name: &str, edit: &Edit) -> Result<(), AdminError> {
    let version = there.map(|user| user.version);
    if edit.new && there.is_some() {
        return Err(AdminError::Conflict {
            message: format!("There is a user `{name}` already."),
        });
    }
    if edit.seen.is_some() && edit.seen != version {
        return Err(AdminError::Conflict {
            message: format!("The user `{name}` has been changed since."),
        });
    }
    Ok(())
}

pub(super) fn no_such_user(name: &str) -> AdminError {
    AdminError::NotFound {
        message: format!("There is no user `{name}`."),
    }
}
