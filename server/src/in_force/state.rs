//! What holds, and what it comes from.

use std::sync::{Arc, OnceLock};

use chrono::Utc;
use shared::policies::{Edit, Policy, PolicyKind};

use super::overlay::{EditState, Edited, Overlay};
use crate::auth::{KeySecret, KeySecrets};
use crate::config::Config;
use crate::secrets::Vault;
use crate::store::{Change, What};

/// The configuration's file, its edits and their secrets. A copy shares all that stays the same in it.
#[derive(Clone, Debug)]
pub(super) struct State {
    file: Arc<Config>,
    overlay: Overlay,
    key_secrets: Arc<KeySecrets>,
    vault: Arc<Vault>,
    /// What holds, once somebody has asked for it. Whatever changes the file, the edits or the vault forgets it: all
    /// of that is private, and changes here alone.
    config: OnceLock<Arc<Config>>,
}

impl State {
    /// `key_secrets`: what the database has of keys' secrets. `vault`: what it has of policies' secrets.
    pub fn new(
        file: Arc<Config>,
        overlay: Overlay,
        key_secrets: Arc<KeySecrets>,
        vault: Arc<Vault>,
    ) -> Self {
        Self {
            file,
            overlay,
            key_secrets,
            vault,
            config: OnceLock::new(),
        }
    }

    /// As the file has it.
    pub fn file(&self) -> &Config {
        &self.file
    }

    /// What operators have changed since.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// What the database has of keys' secrets.
    pub fn key_secrets(&self) -> &Arc<KeySecrets> {
        &self.key_secrets
    }

    /// What the database has of policies' secrets.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// What holds.
    pub fn config(&self) -> &Arc<Config> {
        let applied = || Arc::new(self.overlay.applied_to(&self.file, &self.vault));
        self.config.get_or_init(applied)
    }

    /// The same edits over another file.
    #[must_use]
    pub fn over(&self, file: Arc<Config>) -> Self {
        Self {
            file,
            config: OnceLock::new(),
            ..self.clone()
        }
    }

    pub fn set_vault(&mut self, vault: Arc<Vault>) {
        self.vault = vault;
        self.config = OnceLock::new();
    }

    /// All the secrets that a key has from then on. They are no part of the configuration.
    pub fn set_key_secrets(&mut self, name: &str, secrets: Vec<KeySecret>) {
        self.key_secrets = Arc::new(self.key_secrets.with(name, secrets));
    }

    /// A new version of a policy.
    pub fn add_version(
        &mut self,
        kind: PolicyKind,
        name: &str,
        to: EditState<Policy>,
        edit: &Edit,
    ) -> Change {
        let before = self.overlay.policy(kind, name);
        let change = Change {
            kind: kind.as_str().to_owned(),
            name: name.to_owned(),
            version: before.map_or(0, |edited| edited.version) + 1,
            what: match &to {
                EditState::Put(policy) => What::Put(policy.to_json()),
                EditState::Deleted => What::Delete,
                EditState::Reset => What::Reset,
            },
            reason: edit.reason.clone(),
            by: edit.by.clone(),
            at: Utc::now(),
        };
        let edited = Edited {
            state: to,
            version: change.version,
            at: change.at,
            by: change.by.clone(),
        };
        self.overlay.insert(kind, name, edited);
        self.config = OnceLock::new();
        change
    }
}

#[cfg(test)]
mod tests {
    use shared::policies::Project;

    use super::*;
    use crate::config::{Key, Secret};

    fn file(keys: &[&str]) -> Arc<Config> {
        let keys = keys.iter().map(|name| Key {
            name: (*name).to_owned(),
            key: Some(Secret::new(format!("secret-of-{name}"))),
            settings: Default::default(),
        });
        Arc::new(Config {
            keys: keys.collect(),
            ..Config::default()
        })
    }

    fn vault() -> Vault {
        let folder = std::env::temp_dir();
        Vault::open(Vec::new(), None, folder.join("no-such-key"), None).0
    }

    fn state() -> State {
        let state = State::new(
            file(&["a"]),
            Overlay::default(),
            Arc::default(),
            Arc::new(vault()),
        );
        state.config();
        state
    }

    fn holds(state: &State) {
        let applied = state.overlay().applied_to(state.file(), state.vault());
        assert_eq!(**state.config(), applied);
    }

    #[test]
    fn what_holds_follows_edits_the_file_and_the_vault() {
        let mut state = state();
        let project = Policy::Project(Project::default());
        let edit = Edit::default();
        let put = EditState::Put(project);
        state.add_version(PolicyKind::Project, "p", put, &edit);
        assert!(state.config().projects.contains_key("p"));
        holds(&state);

        let mut state = state.over(file(&["b"]));
        assert_eq!(state.config().keys[0].name, "b");
        assert!(state.config().projects.contains_key("p"));
        holds(&state);

        state.set_vault(Arc::new(vault()));
        assert!(state.config.get().is_none());
        holds(&state);
    }

    #[test]
    fn a_copy_has_its_own_edits_and_shares_the_rest() {
        let state = state();
        let mut copy = state.clone();
        assert!(Arc::ptr_eq(state.config(), copy.config()));
        copy.set_key_secrets("a", Vec::new());
        assert!(Arc::ptr_eq(state.config(), copy.config()));

        let edit = Edit::default();
        let change = copy.add_version(PolicyKind::Key, "a", EditState::Deleted, &edit);
        assert_eq!(change.version, 1);
        assert!(copy.config().keys.is_empty());
        assert_eq!(state.config().keys.len(), 1);
        holds(&state);
        holds(&copy);
    }
}
