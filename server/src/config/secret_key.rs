//! `[secret]`: what secrets in the database are encrypted with.

use super::Secret;
use super::reading::Section;
use crate::secrets::Key;

/// Keys of 32 bytes, in base64 or as hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretKey {
    /// `None`: one that is made at its first use, in a file beside the database.
    pub key: Option<Secret>,
    /// What was sealed with this one before is sealed with the other at the start.
    pub previous_key: Option<Secret>,
}

impl SecretKey {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let keys = Self {
            key: section.optional("key"),
            previous_key: section.optional("previous_key"),
        };
        for (name, key) in [("key", &keys.key), ("previous_key", &keys.previous_key)] {
            if let Some(key) = key
                && Key::parse(key.expose()).is_none()
            {
                let path = section.path_of(name);
                let message =
                    "expected 32 bytes in base64, such as `openssl rand -base64 32` prints";
                section.reader().problem(&path, message);
            }
        }
        keys
    }
}
