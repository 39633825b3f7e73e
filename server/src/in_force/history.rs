//! What policies were, and making them that again.

use shared::policies::{Edit, Policy, PolicyEntry, PolicyKind, PolicyVersion};

use super::draft::Draft;
use super::policies::{entry, in_file, no_such, told, without_told};
use super::secrets::{self, Taken};
use super::state::State;
use super::{EditError, InForce};
use crate::config::Config;
use crate::store::{Change, What};

impl InForce {
    /// What a policy was, the latest first.
    ///
    /// # Errors
    /// There never was one, or the database does not answer.
    pub async fn versions(
        &self,
        kind: PolicyKind,
        name: &str,
    ) -> Result<Vec<PolicyVersion>, EditError> {
        let changes = self.store.changes_of(kind.as_str(), name).await?;
        if changes.is_empty() {
            self.policy(kind, name).await?;
        }
        let name = name.to_owned();
        let versions = move |state: &State| {
            let changes = changes.into_iter();
            let versions = changes.map(|change| version(change, kind, &name, state.file()));
            versions.collect()
        };
        Ok(self.looked_at(versions).await)
    }

    /// Makes a policy what it was at one of its versions, whatever that was; `None`: there is none then.
    ///
    /// # Errors
    /// There is no such version, or as [`put`](Self::put), [`delete`](Self::delete) and
    /// [`reset_policy`](Self::reset_policy).
    pub async fn restore(
        &self,
        kind: PolicyKind,
        name: &str,
        version: u64,
        edit: &Edit,
    ) -> Result<Option<PolicyEntry>, EditError> {
        let changes = self.store.changes_of(kind.as_str(), name).await?;
        if changes.is_empty() {
            self.policy(kind, name).await?;
        }
        let no_such_version = || EditError::NoSuchVersion {
            kind,
            name: name.to_owned(),
            version,
        };
        let then = changes.into_iter().find(|one| one.version == version);
        let then = then.ok_or_else(no_such_version)?;
        let edit = &Edit {
            reason: Some(match &edit.reason {
                Some(reason) => reason.clone(),
                None => format!("version {version} restored"),
            }),
            ..edit.clone()
        };
        match then.what {
            What::Delete => self.delete(kind, name, edit).await.map(|()| None),
            What::Reset => self.reset_policy(kind, name, edit).await,
            What::Unreadable(_) => Err(no_such_version()),
            What::Put(json) => {
                let policy = Policy::from_json(kind, &json).map_err(|_| no_such_version())?;
                let (name, edit) = (name.to_owned(), edit.clone());
                self.edit(move |draft| restore(draft, &name, policy, &edit).map(Some))
                    .await
            }
        }
    }

    /// Deletes the secrets of a policy's former versions, and says how many there were. Versions that need them
    /// cannot be restored from then on.
    ///
    /// # Errors
    /// There never was one, somebody else was quicker, or the edit cannot be kept.
    pub async fn delete_former_secrets(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: &Edit,
    ) -> Result<u64, EditError> {
        let (name, edit) = (name.to_owned(), edit.clone());
        self.edit(move |draft| draft.delete_former_secrets(kind, &name, &edit))
            .await
    }
}

fn version(change: Change, kind: PolicyKind, name: &str, file: &Config) -> PolicyVersion {
    let policy = match &change.what {
        What::Put(json) => {
            let policy = Policy::from_json(kind, json).ok();
            policy.map(|policy| told(name, policy, file))
        }
        What::Delete | What::Reset | What::Unreadable(_) => None,
    };
    PolicyVersion {
        version: change.version,
        at: change.at,
        by: change.by,
        reason: change.reason,
        policy,
        // What only an edit made is gone with it.
        reset: change.what == What::Reset && in_file(file, kind, name).is_some(),
    }
}

/// Puts a policy in force as it was kept.
fn restore(
    draft: &mut Draft,
    name: &str,
    policy: Policy,
    edit: &Edit,
) -> Result<PolicyEntry, EditError> {
    let kind = policy.kind();
    let there = draft.state.expected(kind, name, edit)?;
    if there.is_none() && kind == PolicyKind::Key {
        return Err(no_such(kind, name));
    }
    let gone = secrets::deleted(&draft.state, name, &policy);
    if !gone.is_empty() {
        return Err(EditError::Invalid(gone));
    }
    let taken = Taken::without(&draft.state, without_told(policy));
    draft.put_taken(name, taken, edit)?;
    entry(&draft.state, kind, name)
}
