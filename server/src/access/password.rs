//! Passwords: argon2id, as OWASP asks for it
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).

use std::sync::Arc;

use argon2::password_hash::{PasswordHash as Parsed, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::random;

/// In characters.
pub(super) const SHORTEST: usize = 12;
pub(super) const LONGEST: usize = 256;
/// So many are hashed at the same time, with [`MEMORY_KIB`] each.
const AT_ONCE: usize = 2;
/// So many more wait; what comes then is refused.
const WAITING: usize = 32;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// A password that nobody has, hashed as all others are: who is unknown waits as long as who is wrong.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCE\
                      $Zm9yIHdob2V2ZXIgaXMgdW5rbm93biB0byB1cyEhISE";

/// What is kept of a password: argon2id, as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Arc<str>);

impl PasswordHash {
    /// For the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    fn from(phc: String) -> Self {
        Self(phc.into())
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::config::MASK)
    }
}

/// There are too many of them to hash just now.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many passwords are being checked just now")]
pub struct Busy;

/// Hashes passwords, a few at a time, where nothing else has to wait for it.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: Semaphore,
    places: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(AT_ONCE),
            places: Semaphore::new(AT_ONCE + WAITING),
        }
    }
}

impl Passwords {
    /// Whether it is the password of this hash. Takes as long where there is none.
    pub async fn is_right(
        &self,
        hash: Option<&PasswordHash>,
        password: &str,
    ) -> Result<bool, Busy> {
        let known = hash.is_some();
        let hash = hash.map_or(Arc::from(NOBODY), |hash| hash.0.clone());
        let password = password.to_owned();
        let matches = self.in_turn(move || {
            let parsed = Parsed::new(&hash);
            parsed.is_ok_and(|parsed| {
                argon2()
                    .verify_password(password.as_bytes(), &parsed)
                    .is_ok()
            })
        });
        Ok(matches.await? && known)
    }

    pub async fn hash(&self, password: &str) -> Result<PasswordHash, Busy> {
        let password = password.to_owned();
        self.in_turn(move || {
            let salt = SaltString::encode_b64(&random::salt()).expect("16 bytes are a salt");
            let hash = argon2().hash_password(password.as_bytes(), &salt);
            PasswordHash::from(hash.expect("the length is checked before").to_string())
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("they are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_hash_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, passwords.hash("correct horse battery").await.unwrap());
        let is_right = async |password| passwords.is_right(Some(&hash), password).await.unwrap();
        assert!(is_right("correct horse battery").await);
        assert!(!is_right("correct horse batterx").await);
        assert!(!is_right("").await);
        assert_eq!(format!("{hash:?}"), crate::config::MASK);
    }

    #[tokio::test]
    async fn nobody_has_a_hash_that_is_computed_all_the_same() {
        let parsed = Parsed::new(NOBODY).unwrap();
        assert_eq!(parsed.hash.unwrap().len(), 32);
        let params = Params::try_from(&parsed).unwrap();
        let ours = argon2();
        assert_eq!(params.m_cost(), ours.params().m_cost());
        assert_eq!(params.t_cost(), ours.params().t_cost());
        let passwords = Passwords::default();
        assert!(!passwords.is_right(None, "anything").await.unwrap());
    }

    #[tokio::test]
    async fn no_more_than_a_few_wait() {
        let passwords = Passwords::default();
        // None ends before all have begun.
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = std::sync::Arc::new(std::sync::Mutex::new(ended));
        let work = || {
            let ended = ended.clone();
            move || ended.lock().is_ok_and(|ended| ended.recv().is_err())
        };
        let all = (0..AT_ONCE + WAITING).map(|_| Box::pin(passwords.in_turn(work())));
        let mut all: Vec<_> = all.collect();
        for one in &mut all {
            assert!(futures_util::poll!(one).is_pending());
        }
        assert!(passwords.in_turn(work()).await.is_err());
        drop(end);
        let all = futures_util::future::join_all(all).await;
        assert!(all.into_iter().all(|one| one.is_ok_and(|done| done)));
    }
}
