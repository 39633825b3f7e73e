//! A secret as the database has it.

use chrono::{DateTime, Utc};

/// Where a secret belongs: of use nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The kind of policy, and its name.
    pub kind: String,
    pub name: String,
    /// `api_key`, `api_keys`, `headers.x-token`: of a list all alike.
    pub field: String,
    /// What stands for it, in the policy and wherever it is shown; unique for the field.
    pub shown: String,
}

/// A secret, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    pub place: Place,
    /// Empty: it was deleted.
    pub sealed: Vec<u8>,
    /// Of the key that it was sealed with.
    pub key_id: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

impl Place {
    /// Its parts, each with its length, so that no two places look alike.
    pub(super) fn as_bytes(&self) -> Vec<u8> {
        let parts = [&self.kind, &self.name, &self.field, &self.shown];
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

/// The field of a policy's value, without the place in a list.
pub(super) fn slot(field: &str) -> &str {
    field.split_once('[').map_or(field, |(list, _)| list)
}
