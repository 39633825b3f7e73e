//! Who calls: from a request's credentials to a [`Caller`].

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use llm::error::{ApiError, ErrorKind, ErrorSource};
use sha2::{Digest, Sha256};
use shared::policies::ClientKey;

use crate::config::Key;
use crate::selection::Subject;

/// Somebody who may use the gateway.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The client key; `None` on an open gateway.
    pub key: Option<Arc<KeyInForce>>,
    /// Where the request comes from, as far as trusted proxies say.
    pub address: Option<IpAddr>,
}

/// A client key, as requests with it meet it.
#[derive(Debug)]
pub struct KeyInForce {
    pub name: Arc<str>,
    pub project: Option<Arc<str>>,
    pub settings: ClientKey,
}

impl Caller {
    /// The key's name.
    pub fn key_name(&self) -> Option<&Arc<str>> {
        self.key.as_ref().map(|key| &key.name)
    }

    pub fn project(&self) -> Option<&Arc<str>> {
        self.key.as_ref()?.project.as_ref()
    }

    /// What rules select a request of the caller's by.
    pub fn subject<'a>(&'a self, model: Option<&'a str>) -> Subject<'a> {
        Subject {
            key: self.key_name().map(|name| &**name),
            project: self.project().map(|name| &**name),
            model,
            address: self.address,
        }
    }
}

/// The client keys, by their SHA-256: a look-up compares hashes only, so its time says nothing of
/// how close a guess came.
#[derive(Debug, Default)]
pub struct KeyTable {
    keys: HashMap<[u8; 32], Arc<KeyInForce>>,
}

impl KeyTable {
    pub fn new(keys: &[Key]) -> Self {
        let keys = keys.iter().filter_map(|key| {
            let known = KeyInForce {
                name: key.name.as_str().into(),
                project: key.settings.project.as_deref().map(Into::into),
                settings: key.settings.clone(),
            };
            Some((digest(key.key.as_ref()?.expose()), Arc::new(known)))
        });
        Self {
            keys: keys.collect(),
        }
    }

    /// No key is configured: everybody is served.
    pub fn is_open(&self) -> bool {
        self.keys.is_empty()
    }

    /// # Errors
    /// `invalid_api_key` where a key is needed and `credential` is none of the enabled ones.
    pub fn authenticate(&self, credential: Option<&str>) -> Result<Caller, ApiError> {
        if self.is_open() {
            return Ok(Caller::default());
        }
        let Some(credential) = credential else {
            return Err(refusal(
                "No API key was sent. Send one as `Authorization: Bearer KEY`.",
            ));
        };
        match self.keys.get(&digest(credential)) {
            Some(key) if key.settings.enabled => Ok(Caller {
                key: Some(Arc::clone(key)),
                address: None,
            }),
            Some(_) => Err(refusal("This API key is disabled.")),
            None => Err(refusal(format!(
                "Incorrect API key provided: {}.",
                hint(credential)
            ))),
        }
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn refusal(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Authentication, ErrorSource::Caller, message)
        .with_code("invalid_api_key")
}

/// Enough of a key for its owner to know which one was sent.
fn hint(key: &str) -> String {
    let count = key.chars().count();
    if count < 12 {
        return "********".to_owned();
    }
    let first: String = key.chars().take(4).collect();
    let last: String = key.chars().skip(count - 4).collect();
    format!("{first}********{last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn table() -> KeyTable {
        let key = |name: &str, secret: &str, enabled| Key {
            name: name.to_owned(),
            key: Some(Secret::new(secret)),
            settings: ClientKey {
                enabled,
                ..ClientKey::default()
            },
        };
        KeyTable::new(&[
            key("team-a", "sk-aaaaaaaaaaaaaaaa", true),
            key("old", "sk-oooooooooooooooo", false),
        ])
    }

    #[test]
    fn an_open_gateway_asks_for_nothing() {
        let caller = KeyTable::default().authenticate(Some("whatever"));
        assert!(caller.unwrap().key.is_none());
    }

    #[test]
    fn a_known_key_has_a_name() {
        let caller = table().authenticate(Some("sk-aaaaaaaaaaaaaaaa"));
        assert_eq!(
            caller.unwrap().key_name().map(|name| &**name),
            Some("team-a")
        );
    }

    #[test]
    fn refusals_do_not_repeat_the_key() {
        for credential in [
            None,
            Some("sk-oooooooooooooooo"),
            Some("sk-a-wrong-key-1234"),
            Some("short"),
        ] {
            let error = table().authenticate(credential).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Authentication);
            assert_eq!(error.code.as_deref(), Some("invalid_api_key"));
            assert!(!error.message.contains(credential.unwrap_or("\0")));
        }
    }
}
