//! The admin token: configured, or made at the first start and kept in a file.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A shorter token gets a warning, in characters.
const SHORTEST: usize = 16;

/// What opens the admin listener.
pub struct AdminToken {
    token: String,
    /// Where it is kept; `None`: in the configuration.
    file: Option<PathBuf>,
}

impl AdminToken {
    /// The operator's own. One that could be guessed is warned of.
    pub fn configured(token: &str) -> Self {
        if token.chars().count() < SHORTEST {
            tracing::warn!(
                "admin.token is shorter than {SHORTEST} characters: it could be guessed. \
                 Use a longer one, or none: then the gateway makes one"
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

    /// A key for sessions: with another token all of them end.
    pub(super) fn session_key(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"ai-gateway session\0")
            .chain_update(self.token.as_bytes())
            .finalize()
            .into()
    }

    /// A key for sessions that no session was signed with.
    pub(super) fn random_key() -> [u8; 32] {
        Sha256::digest(random()).into()
    }
}

/// Two random UUIDs: 244 bits from the system's generator.
fn random() -> String {
    format!(
        "{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

fn create(file: &Path) -> anyhow::Result<String> {
    let token = random();
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
