//! All client keys, in memory.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use foldhash::{HashMap, HashMapExt};
use llm::error::{ApiError, ErrorKind, ErrorSource};
use shared::policies::{ClientKey, KeyPrefix, Project};

use super::counts::{AuthCounts, AuthResult};
use super::secret::{MARK, digest, is_damaged, shown};
use super::{Caller, KeyInForce, KeySecret};
use crate::config::{Config, Key, Secret};
use crate::routing::Access;

/// The client keys, by the SHA-256 of their secrets.
///
/// A look-up takes another time for a digest that is nearly right than for one that is not, but that tells nobody
/// anything: whoever guesses cannot choose the digest of his guess, so he cannot come closer to one bit by bit.
#[derive(Debug, Default)]
pub struct KeyTable {
    by_secret: HashMap<[u8; 32], Entry>,
    /// There is no key, not even one that nobody can use.
    open: bool,
    secrets: Arc<KeySecrets>,
    counts: Arc<AuthCounts>,
}

/// What the database has of secrets, by the keys' names. A copy shares them.
#[derive(Clone, Debug, Default)]
pub struct KeySecrets(HashMap<Arc<str>, Arc<[KeySecret]>>);

#[derive(Debug)]
struct Entry {
    caller: Caller,
    /// Neither the key nor this secret of it is taken later.
    until: Option<Until>,
    refused: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
struct Until {
    at: DateTime<Utc>,
    message: &'static str,
}

const EXPIRED: &str = "This API key has expired.";
const REPLACED: &str =
    "This API key was replaced by another one, and the time to change over has passed.";
const DISABLED: &str = "This API key is disabled.";
const PROJECT_DISABLED: &str = "The project of this API key is disabled.";
const PROJECT_GONE: &str =
    "The project of this API key is not in the gateway's configuration any more.";

impl Entry {
    fn refused_at(&self, at: DateTime<Utc>) -> Option<&'static str> {
        let over = self.until.filter(|until| at >= until.at);
        self.refused.or(over.map(|until| until.message))
    }
}

impl FromIterator<KeySecret> for KeySecrets {
    fn from_iter<I: IntoIterator<Item = KeySecret>>(secrets: I) -> Self {
        let mut by_key: HashMap<String, Vec<KeySecret>> = HashMap::new();
        for secret in secrets {
            by_key.entry(secret.key.clone()).or_default().push(secret);
        }
        let by_key = by_key.into_iter();
        Self(
            by_key
                .map(|(key, secrets)| (key.into(), secrets.into()))
                .collect(),
        )
    }
}

impl KeySecrets {
    /// Those of a key.
    pub fn of(&self, key: &str) -> &[KeySecret] {
        self.0.get(key).map_or(&[], |secrets| secrets)
    }

    /// The same with other secrets of one key.
    #[must_use]
    pub fn with(&self, key: &str, secrets: Vec<KeySecret>) -> Self {
        let mut by_key = self.0.clone();
        if secrets.is_empty() {
            by_key.remove(key);
        } else {
            by_key.insert(key.into(), secrets.into());
        }
        Self(by_key)
    }

    /// Until when the configuration's own secret of a key is taken; `None`: for ever.
    fn configured_until(&self, key: &str, sha256: &[u8; 32]) -> Option<DateTime<Utc>> {
        let mut secrets = self.of(key).iter();
        let known =
            secrets.find(|secret| secret.created_at.is_none() && secret.sha256 == *sha256)?;
        known.expires_at
    }

    /// All that a key has, as far as they may be shown, the latest first. `configured`: what the configuration has.
    pub fn prefixes(&self, key: &str, configured: Option<&Secret>) -> Vec<KeyPrefix> {
        let made = self.of(key).iter();
        let made = made.filter(|secret| secret.created_at.is_some());
        let mut prefixes: Vec<KeyPrefix> = made
            .map(|secret| KeyPrefix {
                prefix: secret.prefix.clone(),
                created_at: secret.created_at,
                expires_at: secret.expires_at,
            })
            .collect();
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.created_at));
        prefixes.extend(configured.map(|secret| KeyPrefix {
            prefix: shown(secret.expose()),
            created_at: None,
            expires_at: self.configured_until(key, &digest(secret.expose())),
        }));
        prefixes
    }
}

impl KeyTable {
    /// Of what the configuration says, and the secrets that only the database knows.
    pub fn new(config: &Config, secrets: Arc<KeySecrets>) -> Self {
        let providers: Vec<&str> = config.providers.iter().map(|p| p.name.as_str()).collect();
        let mut by_secret = HashMap::with_capacity(config.keys.len());
        for key in &config.keys {
            let project = key.settings.project.as_deref();
            let project = project.map(|name| (name, config.projects.get(name)));
            let caller = Caller {
                key: Some(Arc::new(in_force(key, project, &providers))),
                ..Caller::default()
            };
            let expires = key.settings.expires_at;
            let entry = |secret_expires: Option<DateTime<Utc>>| Entry {
                caller: caller.clone(),
                until: until(expires, secret_expires),
                refused: refused(&key.settings, project),
            };
            if let Some(secret) = &key.key {
                let sha256 = digest(secret.expose());
                let until = secrets.configured_until(&key.name, &sha256);
                by_secret.entry(sha256).or_insert_with(|| entry(until));
            }
            for secret in secrets.of(&key.name) {
                if secret.created_at.is_some() {
                    let made = by_secret.entry(secret.sha256);
                    made.or_insert_with(|| entry(secret.expires_at));
                }
            }
        }
        Self {
            by_secret,
            open: config.keys.is_empty(),
            secrets,
            counts: Arc::default(),
        }
    }

    /// The keys of a changed configuration, and what the database has of secrets then. Counts go on.
    #[must_use]
    pub fn rebuilt(&self, config: &Config, secrets: Arc<KeySecrets>) -> Self {
        Self {
            counts: Arc::clone(&self.counts),
            ..Self::new(config, secrets)
        }
    }

    /// No key is configured: everybody is served.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// What is known of secrets beside the configuration's.
    pub fn secrets(&self) -> &Arc<KeySecrets> {
        &self.secrets
    }

    /// How callers fared.
    pub fn counts(&self) -> &AuthCounts {
        &self.counts
    }

    /// Who calls with this credential, at this time.
    ///
    /// # Errors
    /// `invalid_api_key` where a key is needed and `credential` is none that is taken.
    pub fn authenticate(
        &self,
        credential: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<Caller, ApiError> {
        if self.open {
            return Ok(Caller::default());
        }
        let (result, found) = self.look_up(credential, at);
        self.counts.add(result);
        found.cloned().map_err(refusal)
    }

    /// Who would be let in with this credential, without any consequence.
    pub fn known(&self, credential: Option<&str>, at: DateTime<Utc>) -> Option<&Caller> {
        self.look_up(credential, at).1.ok()
    }

    /// Whether it is a secret of the gateway's, be it taken now or not: nobody else's business.
    pub fn is_ours(&self, credential: &str) -> bool {
        self.by_secret.contains_key(&digest(credential)) || credential.starts_with(MARK)
    }

    /// Who would be let in with a secret of the key of this name, without any consequence. Where no key is needed,
    /// and none is named, that is anybody.
    ///
    /// # Errors
    /// There is no such key, or nobody is let in with it.
    pub fn caller(&self, name: Option<&str>, at: DateTime<Utc>) -> Result<Caller, ApiError> {
        let Some(name) = name else {
            return match self.open {
                true => Ok(Caller::default()),
                false => self.look_up(None, at).1.cloned().map_err(refusal),
            };
        };
        let entries = self.by_secret.values();
        let is_named = |entry: &&Entry| entry.caller.key_name().is_some_and(|it| **it == *name);
        let mut why = format!("The key `{name}` has no secret that would be taken.");
        for entry in entries.filter(is_named) {
            match entry.refused_at(at) {
                // Another one of its secrets may be taken.
                Some(message) => why = message.to_owned(),
                None => return Ok(entry.caller.clone()),
            }
        }
        Err(refusal(why))
    }

    fn look_up(
        &self,
        credential: Option<&str>,
        at: DateTime<Utc>,
    ) -> (AuthResult, Result<&Caller, String>) {
        let Some(credential) = credential else {
            let message = "No API key was sent. Send one as `Authorization: Bearer KEY`.";
            return (AuthResult::Missing, Err(message.to_owned()));
        };
        let Some(entry) = self.by_secret.get(&digest(credential)) else {
            return (AuthResult::Unknown, Err(unknown(credential)));
        };
        let result = match entry.refused {
            Some(_) => AuthResult::Disabled,
            None => AuthResult::Expired,
        };
        match entry.refused_at(at) {
            Some(message) => (result, Err(message.to_owned())),
            None => (AuthResult::Ok, Ok(&entry.caller)),
        }
    }
}

fn in_force(
    key: &Key,
    project: Option<(&str, Option<&Project>)>,
    providers: &[&str],
) -> KeyInForce {
    let shared = project.and_then(|(_, project)| project);
    KeyInForce {
        name: key.name.as_str().into(),
        project: project.map(|(name, _)| name.into()),
        access: Access::new(
            [&key.settings.models, shared.map_or(&[], |it| &it.models)],
            [
                &key.settings.providers,
                shared.map_or(&[], |it| &it.providers),
            ],
            providers,
        ),
    }
}

/// Why a key is not taken at all. One whose project is gone is not: the project's limits are gone as well.
fn refused(key: &ClientKey, project: Option<(&str, Option<&Project>)>) -> Option<&'static str> {
    if !key.enabled {
        return Some(DISABLED);
    }
    match project {
        Some((_, None)) => Some(PROJECT_GONE),
        Some((_, Some(project))) if !project.enabled => Some(PROJECT_DISABLED),
        _ => None,
    }
}

fn until(key: Option<DateTime<Utc>>, secret: Option<DateTime<Utc>>) -> Option<Until> {
    let key = key.map(|at| Until {
        at,
        message: EXPIRED,
    });
    let secret = secret.map(|at| Until {
        at,
        message: REPLACED,
    });
    key.into_iter().chain(secret).min_by_key(|until| until.at)
}

/// Enough for its owner to know which key he sent, too little to be one.
fn unknown(credential: &str) -> String {
    let shown = shown(credential);
    if is_damaged(credential) {
        return format!(
            "Incorrect API key provided: {shown} (it is not complete, or was mistyped)."
        );
    }
    match shown.as_str() {
        "…" => "Incorrect API key provided.".to_owned(),
        shown => format!("Incorrect API key provided: {shown}."),
    }
}

fn refusal(message: String) -> ApiError {
    ApiError::new(ErrorKind::Authentication, ErrorSource::Caller, message)
        .with_code("invalid_api_key")
}

#[cfg(test)]
mod tests;
