//! Client keys that operators make while the gateway runs, and other secrets for those that there are.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use shared::policies::{ClientKey, Edit, FieldError, NewKey, Policy, PolicyKind};

use super::draft::Draft;
use super::overlay::EditState;
use super::policies::{entry, named, no_such, without_told};
use super::state::State;
use super::{EditError, InForce, check};
use crate::auth::{KeySecret, NewSecret, digest, shown};

const KEY: PolicyKind = PolicyKind::Key;
/// A change-over that takes longer is none.
const LONGEST_GRACE: u64 = 366 * 86_400;
/// A key's own secrets at the same time.
const MOST_SECRETS: usize = 10;

impl InForce {
    /// Makes a client key. The first one closes a gateway that was open.
    ///
    /// # Errors
    /// There is one of this name, it makes no sense, or it cannot be kept.
    pub async fn create_key(
        &self,
        name: &str,
        key: ClientKey,
        edit: &Edit,
    ) -> Result<NewKey, EditError> {
        let edit = Edit {
            new: true,
            ..edit.clone()
        };
        let name = name.to_owned();
        self.edit(move |draft| create(draft, &name, key, &edit))
            .await
    }

    /// Gives a client key another secret, which is taken at once. Those before are for `grace_seconds` more, the
    /// configuration's as well.
    ///
    /// # Errors
    /// There is no such key, somebody else was quicker, or it cannot be kept.
    pub async fn rotate_key(
        &self,
        name: &str,
        grace_seconds: u64,
        edit: &Edit,
    ) -> Result<NewKey, EditError> {
        let (name, edit) = (name.to_owned(), edit.clone());
        self.edit(move |draft| rotate(draft, &name, grace_seconds, &edit))
            .await
    }
}

fn create(draft: &mut Draft, name: &str, key: ClientKey, edit: &Edit) -> Result<NewKey, EditError> {
    let state = &draft.state;
    state.expected(KEY, name, edit)?;
    let key = without_told(Policy::Key(key));
    let mut errors = named(KEY, name);
    errors.extend(check::check(name, &key, state.config()));
    if !errors.is_empty() {
        return Err(EditError::Invalid(errors));
    }
    let now = Utc::now();
    let secret = NewSecret::generate();
    // The configuration may have a key of this name that was deleted: its secret stays where it is.
    let mut secrets = state.configured_until(name, now);
    secrets.push(secret.kept(name, now));
    draft.key_secrets(name, secrets);
    draft.add_version(KEY, name, EditState::Put(key), edit);
    Ok(NewKey {
        entry: entry(&draft.state, KEY, name)?,
        secret: secret.into_text(),
    })
}

fn rotate(
    draft: &mut Draft,
    name: &str,
    grace_seconds: u64,
    edit: &Edit,
) -> Result<NewKey, EditError> {
    let state = &draft.state;
    if state.expected(KEY, name, edit)?.is_none() {
        return Err(no_such(KEY, name));
    }
    if grace_seconds > LONGEST_GRACE {
        return Err(EditError::Invalid(vec![FieldError {
            field: "grace_seconds".to_owned(),
            message: "at most 366 days".to_owned(),
        }]));
    }
    let now = Utc::now();
    let until = now + Duration::from_secs(grace_seconds);
    let mut secrets = state.configured_until(name, until);
    let made = state.key_secrets().of(name).iter();
    let made = made.filter(|secret| secret.created_at.is_some());
    secrets.extend(
        made.map(|secret| ending(secret.clone(), until))
            .filter(|secret| secret.expires_at > Some(now)),
    );
    let taken = |secret: &&KeySecret| secret.expires_at.is_none_or(|at| at > now);
    if secrets.iter().filter(taken).count() >= MOST_SECRETS {
        return Err(EditError::InUse(format!(
            "The key `{name}` has {MOST_SECRETS} secrets that are still taken: replace it without a time to \
                 change over, or wait until it has passed for some."
        )));
    }
    let secret = NewSecret::generate();
    secrets.push(secret.kept(name, now));
    // What holds of the key goes on, be it the configuration's or an edit.
    let edited = state.overlay().policy(KEY, name);
    let same = edited.map_or(EditState::Reset, |edited| edited.state.clone());
    let what = match grace_seconds {
        0 => "Another secret: those before are not taken any more".to_owned(),
        _ => {
            let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("Another secret: those before are taken until {until}")
        }
    };
    let edit = Edit {
        reason: Some(match &edit.reason {
            Some(reason) => format!("{what}. {reason}"),
            None => what,
        }),
        ..edit.clone()
    };
    draft.key_secrets(name, secrets);
    draft.add_version(KEY, name, same, &edit);
    Ok(NewKey {
        entry: entry(&draft.state, KEY, name)?,
        secret: secret.into_text(),
    })
}

impl State {
    /// Of a key's secrets those that are the configuration's, none of them taken beyond `until`.
    fn configured_until(&self, name: &str, until: DateTime<Utc>) -> Vec<KeySecret> {
        let known = self.key_secrets().of(name).iter();
        let mut secrets: Vec<KeySecret> = known
            .filter(|secret| secret.created_at.is_none())
            .map(|secret| ending(secret.clone(), until))
            .collect();
        let key = self.file().keys.iter().find(|key| key.name == name);
        if let Some(secret) = key.and_then(|key| key.key.as_ref()) {
            let sha256 = digest(secret.expose());
            if !secrets.iter().any(|known| known.sha256 == sha256) {
                secrets.push(KeySecret {
                    key: name.to_owned(),
                    sha256,
                    prefix: shown(secret.expose()),
                    created_at: None,
                    expires_at: Some(until),
                });
            }
        }
        secrets
    }

    /// The secrets that are left of a key which is deleted: what became of the configuration's is remembered, should
    /// it be taken back.
    pub(super) fn left_of(&self, name: &str) -> Vec<KeySecret> {
        let known = self.key_secrets().of(name).iter();
        known
            .filter(|secret| secret.created_at.is_none())
            .cloned()
            .collect()
    }
}

fn ending(secret: KeySecret, until: DateTime<Utc>) -> KeySecret {
    let expires_at = secret.expires_at.map_or(until, |at| at.min(until));
    KeySecret {
        expires_at: Some(expires_at),
        ..secret
    }
}
