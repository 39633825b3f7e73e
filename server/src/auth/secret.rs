//! The secrets of client keys: how they are made, and what is kept of them.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What those begin with that the gateway makes: people and scanners know them by it.
pub(super) const MARK: &str = "gw-";
/// Digits of base 62 that hold 256 bits.
const RANDOM_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 4;
/// Of a secret, what is shown at most: of one of the gateway's, four random digits.
const SHOWN: usize = MARK.len() + 4;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What is kept of one of a key's secrets: enough to know it again, not to tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySecret {
    /// The key's name.
    pub key: String,
    pub sha256: [u8; 32],
    /// How it begins: `gw-3fA9…`
    pub prefix: String,
    /// When the gateway made it. `None`: it is the configuration's, and kept only for what became of it.
    pub created_at: Option<DateTime<Utc>>,
    /// Another one has taken its place: until when it is still taken.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A secret that was just made. Nothing but this has its text.
pub struct NewSecret(String);

impl NewSecret {
    /// 256 bits from two random UUIDs, 244 of which are the system generator's, then digits that show a slip.
    pub fn generate() -> Self {
        let random = Sha256::new()
            .chain_update(Uuid::new_v4().as_bytes())
            .chain_update(Uuid::new_v4().as_bytes())
            .finalize();
        let body = base62(&random, RANDOM_DIGITS);
        Self(format!("{MARK}{body}{}", check_digits(&body)))
    }

    /// For the one reply that tells it.
    pub fn into_text(self) -> String {
        self.0
    }

    /// What is to be kept of it.
    pub fn kept(&self, key: &str, at: DateTime<Utc>) -> KeySecret {
        KeySecret {
            key: key.to_owned(),
            sha256: digest(&self.0),
            prefix: shown(&self.0),
            created_at: Some(at),
            expires_at: None,
        }
    }
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::config::MASK)
    }
}

/// What a secret is known by.
///
/// Plain SHA-256: a slow hash protects passwords, which are guessed from lists. What the gateway makes has 244 random
/// bits, and operators' own keys are compared at every request.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// How a secret begins, as far as it may be shown: nothing of one that is short.
pub fn shown(secret: &str) -> String {
    let at_most = if secret.len() < 20 { 0 } else { SHOWN };
    let first: String = secret.chars().take(at_most).collect();
    format!("{first}…")
}

/// It begins like one of the gateway's own, but some of it is missing or was mistyped.
pub fn is_damaged(secret: &str) -> bool {
    let Some(rest) = secret.strip_prefix(MARK) else {
        return false;
    };
    let whole = rest.len() == RANDOM_DIGITS + CHECK_DIGITS
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    !whole || rest[RANDOM_DIGITS..] != check_digits(&rest[..RANDOM_DIGITS])
}

fn check_digits(body: &str) -> String {
    base62(&digest(body)[..3], CHECK_DIGITS)
}

/// The bytes as one number, the lowest digit first.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = bytes.to_vec();
    let mut out = String::with_capacity(digits);
    for _ in 0..digits {
        let mut rest = 0u16;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        out.push(char::from(DIGITS[usize::from(rest)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn secrets_are_long_differ_and_tell_slips() {
        let secrets: HashSet<String> = (0..100)
            .map(|_| NewSecret::generate().into_text())
            .collect();
        assert_eq!(secrets.len(), 100);
        for secret in secrets {
            assert_eq!(secret.len(), 50, "{secret}");
            assert!(!is_damaged(&secret), "{secret}");
            assert!(is_damaged(&secret[..49]));
            let mut slip = secret.clone().into_bytes();
            slip[10] = if slip[10] == b'a' { b'b' } else { b'a' };
            assert!(is_damaged(&String::from_utf8(slip).unwrap()));
        }
        assert!(!is_damaged("sk-something-else"));
        assert!(is_damaged("gw-ä"));
    }

    #[test]
    fn all_bits_are_in_the_digits() {
        assert_eq!(base62(&[0xff; 32], RANDOM_DIGITS).len(), RANDOM_DIGITS);
        assert_ne!(base62(&[0xff; 32], 43), base62(&[0x7f; 32], 43));
        assert_eq!(base62(&[0, 61], 2), "z0");
        assert_eq!(base62(&[1, 0], 2), "84");
    }

    #[test]
    fn little_of_a_secret_is_shown() {
        assert_eq!(shown("gw-abcdefghijklmnopqrstuvw"), "gw-abcd…");
        assert_eq!(shown("short-secret"), "…");
        let secret = NewSecret::generate();
        let kept = secret.kept("k", Utc::now());
        assert_eq!(format!("{secret:?}"), "********");
        let text = secret.into_text();
        assert_eq!(kept.prefix, format!("{}…", &text[..7]));
        assert_eq!(kept.sha256, digest(&text));
    }
}
