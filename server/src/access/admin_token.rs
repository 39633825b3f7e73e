//! The admin token: configured, or made at the first start and kept in a file.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::random;

/// What opens the admin listener.
pub struct AdminToken {
    token: String,
    /// Where it is kept; `None`: in the configuration.
    file: Option<PathBuf>,
}

impl AdminToken {
    /// A shorter one could be guessed, in characters.
    pub const SHORTEST: usize = 16;

    /// The operator's own. One that could be guessed is warned of.
    pub fn configured(token: &str) -> Self {
        if token.chars().count() < Self::SHORTEST {
            tracing::warn!(
                "admin.token is shorter than {} characters: it could be guessed. \
                 Use a longer one, or none: then the gateway makes one",
                Self::SHORTEST
            );
        }
        Self {
            token: token.to_owned(),
            file: None,
        }
    }

    /// The one kept in `file`, made now if there is none. Only its owner can read the file.
    ///
    /// # Errors
    /// The file can be neither read nor written.
    pub fn kept_in(file: PathBuf) -> anyhow::Result<Self> {
        let token = match std::fs::read_to_string(&file) {
            Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
            Ok(_) => create(&file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => create(&file)?,
            Err(error) => {
                return Err(error).with_context(|| format!("the admin token, {}", file.display()));
            }
        };
        Ok(Self {
            token,
            file: Some(file),
        })
    }

    /// The token, to be shown to whoever started the gateway; `None` where the configuration has it.
    pub fn to_show(&self) -> Option<&str> {
        self.file.as_ref().map(|_| self.token.as_str())
    }

    /// Takes the same time however close `guess` comes.
    pub fn matches(&self, guess: &str) -> bool {
        let own = Sha256::digest(self.token.as_bytes());
        let other = Sha256::digest(guess.as_bytes());
        own.ct_eq(&other).into()
    }

    /// What a session that this token began is known by: with another token none of them is.
    pub(super) fn digest_with(&self, secret: &str) -> [u8; 32] {
        let key = Sha256::new()
            .chain_update(b"ai-gateway session\0")
            .chain_update(self.token.as_bytes())
            .finalize();
        Sha256::new()
            .chain_update(key)
            .chain_update(secret.as_bytes())
            .finalize()
            .into()
    }

    /// Whether it could be guessed: an operator chose it, and it is short.
    pub fn is_weak(&self) -> bool {
        self.file.is_none() && self.token.chars().count() < Self::SHORTEST
    }
}

fn create(file: &Path) -> anyhow::Result<String> {
    let token = random::secret();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(file)
        .and_then(|mut open| writeln!(open, "{token}"))
        .with_context(|| format!("could not keep the admin token in {}", file.display()))?;
    Ok(token)
}

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminToken")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
