//! Who calls: from a request's credentials to a [`Caller`].

use std::collections::HashMap;
use std::sync::Arc;

use llm::error::{ApiError, ErrorKind, ErrorSource};
use sha2::{Digest, Sha256};

/// Somebody who may use the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client key's name; `None` on an open gateway.
    pub key: Option<Arc<str>>,
}

/// The client keys, by their SHA-256: a look-up compares hashes only, so its time says nothing of
/// how close a guess came.
#[derive(Debug, Default)]
pub struct KeyTable {
    keys: HashMap<[u8; 32], ClientKey>,
}

#[derive(Debug)]
struct ClientKey {
    name: Arc<str>,
    enabled: bool,
}

impl KeyTable {
    /// `(name, key, enabled)` of each key.
    pub fn new<'a>(keys: impl IntoIterator<Item = (&'a str, &'a str, bool)>) -> Self {
        let keys = keys.into_iter().map(|(name, key, enabled)| {
            let name = name.into();
            (digest(key), ClientKey { name, enabled })
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
            return Ok(Caller { key: None });
        }
        let Some(credential) = credential else {
            return Err(refusal(
                "No API key was sent. Send one as `Authorization: Bearer KEY`.",
            ));
        };
        match self.keys.get(&digest(credential)) {
            Some(key) if key.enabled => Ok(Caller {
                key: Some(key.name.clone()),
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

    fn table() -> KeyTable {
        KeyTable::new([
            ("team-a", "sk-aaaaaaaaaaaaaaaa", true),
            ("old", "sk-oooooooooooooooo", false),
        ])
    }

    #[test]
    fn an_open_gateway_asks_for_nothing() {
        let caller = KeyTable::default().authenticate(Some("whatever"));
        assert_eq!(caller, Ok(Caller { key: None }));
    }

    #[test]
    fn a_known_key_has_a_name() {
        let caller = table().authenticate(Some("sk-aaaaaaaaaaaaaaaa"));
        assert_eq!(caller.unwrap().key.as_deref(), Some("team-a"));
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
