//! The key that secrets are sealed with.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

const LENGTH: usize = 32;
/// Of what is sealed, before the nonce: how it is sealed.
const AES_256_GCM_V1: u8 = 1;

/// A key of 256 bits. What it seals can be neither read nor changed without it, nor used in another place.
#[derive(Clone)]
pub struct Key {
    key: LessSafeKey,
    id: [u8; 8],
}

/// Why there is no key.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error(
        "others can read or write the key of secrets, {0}: make it the gateway's alone (chmod 600), and replace the \
         providers' keys if somebody may have read it"
    )]
    Readable(PathBuf),
    #[error("{0} is no key of secrets: it holds 32 bytes in base64")]
    Malformed(PathBuf),
    #[error("the key of secrets, {file}: {problem}")]
    File { file: PathBuf, problem: String },
}

impl Key {
    /// 32 bytes, in base64 or as 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => from_hex(text)?,
            _ => STANDARD.decode(text).ok()?,
        };
        (bytes.len() == LENGTH).then(|| Self::new(&bytes))
    }

    fn new(bytes: &[u8]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("its length was looked at");
        let digest = Sha256::new()
            .chain_update(b"ai-gateway secret key\0")
            .chain_update(bytes)
            .finalize();
        Self {
            key: LessSafeKey::new(key),
            id: digest[..8].try_into().expect("a digest is longer"),
        }
    }

    /// The one kept in `file`; `None`: there is none.
    ///
    /// # Errors
    /// It cannot be read, or by too many.
    pub fn kept_in(file: &Path) -> Result<Option<Self>, KeyError> {
        let failed = |error: std::io::Error| KeyError::File {
            file: file.to_owned(),
            problem: error.to_string(),
        };
        let metadata = match std::fs::metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        if metadata.mode() & 0o077 != 0 {
            return Err(KeyError::Readable(file.to_owned()));
        }
        let text = std::fs::read_to_string(file).map_err(failed)?;
        let key = Self::parse(&text).ok_or_else(|| KeyError::Malformed(file.to_owned()))?;
        Ok(Some(key))
    }

    /// The one kept in `file`, made now if there is none. Only its owner can read the file.
    ///
    /// # Errors
    /// As [`kept_in`](Self::kept_in), or it cannot be written.
    pub fn made_in(file: &Path) -> Result<Self, KeyError> {
        if let Some(key) = Self::kept_in(file)? {
            return Ok(key);
        }
        let failed = |problem: String| KeyError::File {
            file: file.to_owned(),
            problem,
        };
        let mut bytes = [0; LENGTH];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| failed("the system has no random numbers".to_owned()))?;
        let write = || {
            // Whole or not at all: what is sealed with half of a key is lost.
            let unfinished = file.with_extension("secret-key.new");
            let _ = std::fs::remove_file(&unfinished);
            let mut open = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?;
            writeln!(open, "{}", STANDARD.encode(bytes))?;
            open.sync_all()?;
            std::fs::rename(&unfinished, file)?;
            match file
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
            {
                Some(parent) => std::fs::File::open(parent)?.sync_all(),
                None => Ok(()),
            }
        };
        write().map_err(|error: std::io::Error| failed(error.to_string()))?;
        tracing::info!(
            file = %file.display(),
            "A key was made that secrets in the database are encrypted with: keep a copy of it apart from the database's"
        );
        Ok(Self::new(&bytes))
    }

    /// What tells it from others, and nothing more.
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// `text`, of use in this place only.
    pub(super) fn seal(&self, text: &str, place: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .expect("the system has random numbers");
        let mut sealed = vec![AES_256_GCM_V1];
        sealed.extend(nonce);
        let mut content = text.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut content,
            )
            .expect("secrets are short");
        sealed.extend(content);
        sealed
    }

    /// What was sealed; `None`: with another key, for another place, or it was changed.
    pub(super) fn open(&self, sealed: &[u8], place: &[u8]) -> Option<String> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, content) = rest.split_at_checked(NONCE_LEN)?;
        if *version != AES_256_GCM_V1 {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut content = content.to_vec();
        let text = self
            .key
            .open_in_place(nonce, Aad::from(place), &mut content);
        String::from_utf8(text.ok()?.to_vec()).ok()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn key(byte: u8) -> Key {
        Key::parse(&STANDARD.encode([byte; LENGTH])).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let sealed = key(1).seal("sk-secret", b"provider\0a");
        assert_eq!(
            key(1).open(&sealed, b"provider\0a").as_deref(),
            Some("sk-secret")
        );
        assert_eq!(key(1).open(&sealed, b"provider\0b"), None);
        assert_eq!(key(2).open(&sealed, b"provider\0a"), None);
        assert_ne!(key(1).seal("sk-secret", b"provider\0a"), sealed);
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(key(1).open(&changed, b"provider\0a"), None, "{i}");
            assert_eq!(key(1).open(&sealed[..i], b"provider\0a"), None, "{i}");
        }
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
    }

    #[test]
    fn keys_are_32_bytes() {
        assert_eq!(Key::parse(&"0a".repeat(32)).unwrap().id(), key(10).id());
        for wrong in [
            "",
            "c2hvcnQ=",
            &"0g".repeat(32),
            &"ü".repeat(32),
            "a long passphrase",
        ] {
            assert!(Key::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gateway.db.secret-key");
        assert!(Key::kept_in(&file).unwrap().is_none());
        let made = Key::made_in(&file).unwrap();
        let mode = std::fs::metadata(&file).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Key::made_in(&file).unwrap().id(), made.id());
        for mode in [0o640, 0o604, 0o620, 0o602] {
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            let refused = Key::kept_in(&file).unwrap_err();
            assert_eq!(refused, KeyError::Readable(file.clone()), "{mode:o}");
        }
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&file, "half").unwrap();
        assert_eq!(Key::made_in(&file).unwrap_err(), KeyError::Malformed(file));
    }
}
