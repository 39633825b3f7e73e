//! The secrets of policies, by what stands for them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::Utc;

use super::key::{Key, KeyError};
use super::mask::masked;
use super::sealed::{Place, SealedSecret, slot};
use crate::config::Secret;

/// What the database has of secrets, opened as far as the key opens it.
#[derive(Clone, Debug)]
pub struct Vault {
    /// `None`: it is in a file, or will be.
    configured: Option<Key>,
    file: PathBuf,
    known: BTreeMap<Place, Kept>,
}

/// What has become of a secret.
#[derive(Clone, Debug)]
enum Kept {
    Known(Secret),
    /// It cannot be opened.
    Locked,
    /// It was deleted. What stood for it stands for no other one: a version that has it must not get another secret.
    Deleted,
}

impl Kept {
    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Known(secret) => Some(secret),
            Self::Locked | Self::Deleted => None,
        }
    }
}

impl Vault {
    /// `kept`: all there are. `configured`: the operator's own key; else it is the one in `file`. `previous`: what the
    /// key does not open may be this one's. Gives those that have to be kept anew: they are sealed with the key now.
    pub fn open(
        kept: Vec<SealedSecret>,
        configured: Option<Key>,
        file: PathBuf,
        previous: Option<&Key>,
    ) -> (Self, Vec<SealedSecret>) {
        let mut vault = Self {
            configured,
            file,
            known: BTreeMap::new(),
        };
        let key = vault.key();
        let mut anew = Vec::new();
        let mut lost = 0;
        for secret in kept {
            if secret.sealed.is_empty() {
                vault.known.insert(secret.place, Kept::Deleted);
                continue;
            }
            let place = secret.place.as_bytes();
            let opened = |key: Option<&Key>| key.and_then(|key| key.open(&secret.sealed, &place));
            let key = key.as_ref().ok().and_then(Option::as_ref);
            let text = opened(key).or_else(|| {
                let text = opened(previous)?;
                if let Some(key) = key {
                    anew.push(sealed(key, secret.place.clone(), &text));
                }
                Some(text)
            });
            lost += usize::from(text.is_none());
            let kept = text.map_or(Kept::Locked, |text| Kept::Known(Secret::new(text)));
            vault.known.insert(secret.place, kept);
        }
        if lost > 0 {
            let problem = match key {
                Err(error) => error.to_string(),
                Ok(None) => format!("there is no key in {}", vault.file.display()),
                Ok(Some(_)) => "the key is another than they were encrypted with".to_owned(),
            };
            tracing::error!(
                secrets = lost,
                problem,
                "Secrets in the database cannot be decrypted: providers that need them are out of service. Bring the \
                 key back (GATEWAY_SECRET_KEY, or the file beside the database), or give the secrets again"
            );
        }
        (vault, anew)
    }

    fn key(&self) -> Result<Option<Key>, KeyError> {
        match &self.configured {
            Some(key) => Ok(Some(key.clone())),
            None => Key::kept_in(&self.file),
        }
    }

    /// The secret that `shown` stands for; `None`: there is none, or it cannot be decrypted.
    pub fn find(&self, kind: &str, name: &str, field: &str, shown: &str) -> Option<&Secret> {
        self.known.get(&place(kind, name, field, shown))?.secret()
    }

    /// Whether `shown` stands for a secret of this field.
    pub fn has(&self, kind: &str, name: &str, field: &str, shown: &str) -> bool {
        let kept = self.known.get(&place(kind, name, field, shown));
        kept.is_some_and(|kept| !matches!(kept, Kept::Deleted))
    }

    /// The secret that `shown` stands for in some field of this policy.
    pub fn find_anywhere(&self, kind: &str, name: &str, shown: &str) -> Option<&Secret> {
        let mut of = self.known.iter();
        of.find(|(place, _)| place.kind == kind && place.name == name && place.shown == shown)?
            .1
            .secret()
    }

    /// Deletes the secrets of a policy but for those that stand in these fields, and says which.
    pub fn delete_former(
        &mut self,
        kind: &str,
        name: &str,
        in_force: &[(String, &str)],
    ) -> Vec<Place> {
        let mut deleted = Vec::new();
        for (place, kept) in &mut self.known {
            let is_used = || {
                let mut fields = in_force.iter();
                fields.any(|(field, shown)| place.field == slot(field) && place.shown == *shown)
            };
            let is_there = !matches!(kept, Kept::Deleted);
            if place.kind == kind && place.name == name && is_there && !is_used() {
                *kept = Kept::Deleted;
                deleted.push(place.clone());
            }
        }
        deleted
    }

    /// What stands for a secret from now on, and how it is kept, unless it is already.
    ///
    /// # Errors
    /// There is no key to encrypt it with, and none can be made.
    pub fn add(
        &mut self,
        kind: &str,
        name: &str,
        field: &str,
        secret: &str,
    ) -> Result<(String, Option<SealedSecret>), KeyError> {
        let usual = masked(secret);
        let mut shown = usual.clone();
        let mut number = 1;
        loop {
            let place = place(kind, name, field, &shown);
            match self.known.get(&place) {
                Some(Kept::Known(known)) if known.expose() == secret => return Ok((shown, None)),
                Some(_) => {
                    number += 1;
                    shown = format!("{usual} ({number})");
                }
                None => {
                    let key = match &self.configured {
                        Some(key) => key.clone(),
                        None => Key::made_in(&self.file)?,
                    };
                    let sealed = sealed(&key, place.clone(), secret);
                    self.known.insert(place, Kept::Known(Secret::new(secret)));
                    return Ok((shown, Some(sealed)));
                }
            }
        }
    }
}

fn place(kind: &str, name: &str, field: &str, shown: &str) -> Place {
    Place {
        kind: kind.to_owned(),
        name: name.to_owned(),
        field: slot(field).to_owned(),
        shown: shown.to_owned(),
    }
}

fn sealed(key: &Key, place: Place, secret: &str) -> SealedSecret {
    SealedSecret {
        sealed: key.seal(secret, &place.as_bytes()),
        key_id: key.id().to_vec(),
        place,
        created_at: Utc::now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-0123456789abcd";

    fn empty(key: &str) -> Vault {
        Vault::open(
            Vec::new(),
            Key::parse(&key.repeat(32)),
            PathBuf::new(),
            None,
        )
        .0
    }

    #[test]
    fn what_stands_for_a_secret_stands_for_no_other() {
        let mut vault = empty("01");
        let (shown, sealed) = vault.add("provider", "a", "api_keys[0]", SECRET).unwrap();
        assert_eq!(shown, "sk-…abcd");
        assert!(sealed.is_some());
        let (again, sealed) = vault.add("provider", "a", "api_keys[3]", SECRET).unwrap();
        assert_eq!((again, sealed), (shown.clone(), None));
        let (other, _) = vault
            .add("provider", "a", "api_keys[1]", "sk-another-one-abcd")
            .unwrap();
        assert_eq!(other, "sk-…abcd (2)");
        let found = vault.find("provider", "a", "api_keys[7]", &shown);
        assert_eq!(found.unwrap().expose(), SECRET);
        assert!(vault.find("provider", "b", "api_keys[7]", &shown).is_none());
    }

    #[test]
    fn what_stood_for_a_deleted_secret_stands_for_no_other() {
        let mut vault = empty("01");
        let (first, _) = vault.add("provider", "a", "api_key", SECRET).unwrap();
        let (second, _) = vault.add("provider", "a", "api_keys[0]", SECRET).unwrap();
        let (other, _) = vault.add("provider", "b", "api_key", SECRET).unwrap();
        let deleted = vault.delete_former("provider", "a", &[("api_keys[2]".to_owned(), &second)]);
        assert_eq!(deleted.len(), 1);
        assert_eq!(deleted[0].field, "api_key");
        assert!(!vault.has("provider", "a", "api_key", &first));
        assert!(vault.find("provider", "a", "api_key", &first).is_none());
        assert!(vault.has("provider", "a", "api_keys[0]", &second));
        assert!(vault.has("provider", "b", "api_key", &other));
        // The same secret again is another one, also after a restart.
        let kept = SealedSecret {
            place: deleted[0].clone(),
            sealed: Vec::new(),
            key_id: Vec::new(),
            created_at: Utc::now(),
        };
        let key = Key::parse(&"01".repeat(32));
        let (reopened, _) = Vault::open(vec![kept], key, PathBuf::new(), None);
        for mut vault in [vault, reopened] {
            assert!(!vault.has("provider", "a", "api_key", &first));
            let (again, sealed) = vault.add("provider", "a", "api_key", SECRET).unwrap();
            assert_eq!(again, format!("{first} (2)"));
            assert!(sealed.is_some());
        }
    }

    #[test]
    fn a_secret_is_of_use_in_its_place_and_with_its_key_alone() {
        let mut vault = empty("01");
        let (_, sealed) = vault.add("provider", "a", "api_key", SECRET).unwrap();
        let sealed = sealed.unwrap();
        let opened = |sealed: &SealedSecret, key: &str, previous: Option<&str>| {
            let previous = previous.map(|key| Key::parse(&key.repeat(32)).unwrap());
            let key = Key::parse(&key.repeat(32));
            let file = PathBuf::from("/nonexistent/key");
            Vault::open(vec![sealed.clone()], key, file, previous.as_ref())
        };
        let shown = &sealed.place.shown;
        let find = |vault: &Vault, name: &str| {
            let found = vault.find("provider", name, "api_key", shown);
            found.map(|secret| secret.expose().to_owned())
        };
        assert_eq!(
            find(&opened(&sealed, "01", None).0, "a").as_deref(),
            Some(SECRET)
        );
        assert_eq!(find(&opened(&sealed, "02", None).0, "a"), None);

        let mut moved = sealed.clone();
        moved.place.name = "b".to_owned();
        assert_eq!(find(&opened(&moved, "01", None).0, "b"), None);

        let (rotated, anew) = opened(&sealed, "02", Some("01"));
        assert_eq!(find(&rotated, "a").as_deref(), Some(SECRET));
        assert_eq!(anew.len(), 1);
        assert_eq!(
            find(&opened(&anew[0], "02", None).0, "a").as_deref(),
            Some(SECRET)
        );
    }
}
