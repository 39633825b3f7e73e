//! Edits on their way: each is looked at as if those before it held already, and all of them are kept and put in force
//! together, or none.

use std::sync::Arc;

use shared::policies::{Edit, Policy, PolicyKind};

use super::overlay::EditState;
use super::policies::{in_file, named, no_such, take};
use super::secrets::{self, Taken};
use super::state::State;
use super::{EditError, check};
use crate::auth::KeySecret;
use crate::secrets::Vault;
use crate::store::{Change, ChangedSecrets};

/// What would hold, and what has to be kept for it.
#[derive(Debug)]
pub(super) struct Draft {
    pub state: State,
    pub changes: Vec<Change>,
    pub secrets: ChangedSecrets,
}

impl Draft {
    pub fn of(state: State) -> Self {
        Self {
            state,
            changes: Vec::new(),
            secrets: ChangedSecrets::default(),
        }
    }

    /// # Errors
    /// It makes no sense, or somebody else was quicker.
    pub fn put(&mut self, name: &str, policy: Policy, edit: &Edit) -> Result<(), EditError> {
        let kind = policy.kind();
        let there = self.state.expected(kind, name, edit)?;
        if there.is_none() && kind == PolicyKind::Key {
            // Without a secret it would open no door.
            return Err(no_such(kind, name));
        }
        let mut errors = named(kind, name);
        if !errors.is_empty() {
            errors.extend(check::check(name, &policy, self.state.config()));
            return Err(EditError::Invalid(errors));
        }
        let taken = take(&self.state, name, policy)?;
        self.put_taken(name, taken, edit)
    }

    /// The same with a policy whose secrets are where they belong.
    pub fn put_taken(&mut self, name: &str, taken: Taken, edit: &Edit) -> Result<(), EditError> {
        let Taken {
            policy,
            vault,
            sealed,
        } = taken;
        let kind = policy.kind();
        let mut errors = check::check(name, &policy, self.state.config());
        let mut then = self.state.clone();
        if !sealed.is_empty() {
            then.set_vault(vault);
        }
        let change = changed(&mut then, kind, name, EditState::Put(policy), edit);
        if check::concerns_all(kind) {
            let (now, then) = (self.state.config(), then.config());
            errors.extend(check::check_all(kind, name, now, then));
        }
        if !errors.is_empty() {
            return Err(EditError::Invalid(errors));
        }
        self.state = then;
        self.secrets.sealed.extend(sealed);
        self.changes.extend(change);
        Ok(())
    }

    /// # Errors
    /// There is none, others need it, or somebody else was quicker.
    pub fn delete(&mut self, kind: PolicyKind, name: &str, edit: &Edit) -> Result<(), EditError> {
        let there = self.state.expected(kind, name, edit)?;
        if there.is_none() {
            return Err(no_such(kind, name));
        }
        if kind.is_single() {
            let label = kind.label();
            return Err(EditError::InUse(format!(
                "The {label} cannot be deleted: take its edits back."
            )));
        }
        check::is_free(kind, name, self.state.config())?;
        let deleted = match in_file(self.state.file(), kind, name) {
            Some(_) => EditState::Deleted,
            None => EditState::Reset,
        };
        let mut then = self.state.clone();
        let change = then.add_version(kind, name, deleted, edit);
        self.state.bears(&then, kind, name)?;
        self.state = then;
        self.changes.push(change);
        if kind == PolicyKind::Key {
            self.key_secrets(name, self.state.left_of(name));
        }
        Ok(())
    }

    /// # Errors
    /// There never was one, others need it, or somebody else was quicker.
    pub fn reset(&mut self, kind: PolicyKind, name: &str, edit: &Edit) -> Result<(), EditError> {
        let there = self.state.expected(kind, name, edit)?;
        let file = in_file(self.state.file(), kind, name);
        let edited = self.state.overlay().policy(kind, name);
        if there.is_none() && file.is_none() {
            return Err(no_such(kind, name));
        }
        if edited.is_none_or(|edited| edited.state == EditState::Reset) {
            return Ok(());
        }
        if file.is_none() {
            check::is_free(kind, name, self.state.config())?;
        }
        let mut then = self.state.clone();
        let change = then.add_version(kind, name, EditState::Reset, edit);
        self.state.bears(&then, kind, name)?;
        self.state = then;
        self.changes.push(change);
        // A key that the configuration does not have is gone, and so are its secrets.
        if kind == PolicyKind::Key && file.is_none() {
            self.key_secrets(name, self.state.left_of(name));
        }
        Ok(())
    }

    /// Deletes the secrets that a policy had and has no more, and says how many. That is a version, which says the
    /// same as the one before.
    ///
    /// # Errors
    /// There never was one, or somebody else was quicker.
    pub fn delete_former_secrets(
        &mut self,
        kind: PolicyKind,
        name: &str,
        edit: &Edit,
    ) -> Result<u64, EditError> {
        let there = self.state.expected(kind, name, edit)?;
        let edited = self.state.overlay().policy(kind, name);
        if there.is_none() && edited.is_none() {
            return Err(no_such(kind, name));
        }
        let same = edited.map_or(EditState::Reset, |edited| edited.state.clone());
        let in_force = match &same {
            EditState::Put(policy) => secrets::of(policy),
            EditState::Deleted | EditState::Reset => Vec::new(),
        };
        let mut vault = Vault::clone(self.state.vault());
        let deleted = vault.delete_former(kind.as_str(), name, &in_force);
        let count = deleted.len();
        if count > 0 {
            self.state.set_vault(Arc::new(vault));
            self.secrets.deleted.extend(deleted);
            let what = format!("Former secrets were deleted: {count}");
            let edit = Edit {
                reason: Some(match &edit.reason {
                    Some(reason) => format!("{what}. {reason}"),
                    None => what,
                }),
                ..edit.clone()
            };
            self.add_version(kind, name, same, &edit);
        }
        Ok(count as u64)
    }

    /// All the secrets that a key has from then on.
    pub fn key_secrets(&mut self, name: &str, secrets: Vec<KeySecret>) {
        self.state.set_key_secrets(name, secrets.clone());
        self.secrets.keys.insert(name.to_owned(), secrets);
    }

    /// A new version, unless it would say the same.
    pub fn apply(&mut self, kind: PolicyKind, name: &str, to: EditState<Policy>, edit: &Edit) {
        let change = changed(&mut self.state, kind, name, to, edit);
        self.changes.extend(change);
    }

    /// A new version of a policy.
    pub fn add_version(
        &mut self,
        kind: PolicyKind,
        name: &str,
        to: EditState<Policy>,
        edit: &Edit,
    ) {
        let change = self.state.add_version(kind, name, to, edit);
        self.changes.push(change);
    }
}

/// A new version, unless it would say the same.
fn changed(
    state: &mut State,
    kind: PolicyKind,
    name: &str,
    to: EditState<Policy>,
    edit: &Edit,
) -> Option<Change> {
    let before = state.overlay().policy(kind, name);
    let is_new = before.is_none_or(|before| before.state != to);
    is_new.then(|| state.add_version(kind, name, to, edit))
}

impl State {
    /// The policy as it is, if the edit is about that.
    pub fn expected(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: &Edit,
    ) -> Result<Option<Policy>, EditError> {
        let there = in_file(self.config(), kind, name);
        let name = || name.to_owned();
        if edit.new && there.is_some() {
            return Err(EditError::Exists { kind, name: name() });
        }
        let version = self.overlay().policy(kind, &name());
        let version = version.map_or(0, |edited| edited.version);
        match edit.seen {
            Some(seen) if seen != version => Err(EditError::Changed {
                kind,
                name: name(),
                version,
            }),
            _ => Ok(there),
        }
    }

    /// Whether what is left `then` makes sense without a policy, or with what the configuration has of it.
    fn bears(&self, then: &Self, kind: PolicyKind, name: &str) -> Result<(), EditError> {
        if !check::concerns_all(kind) {
            return Ok(());
        }
        let errors = check::check_all(kind, name, self.config(), then.config());
        match errors.first() {
            None => Ok(()),
            Some(error) => Err(EditError::InUse(format!(
                "The {} `{name}` is needed as it is: {}: {}.",
                kind.label(),
                error.field,
                error.message
            ))),
        }
    }
}
