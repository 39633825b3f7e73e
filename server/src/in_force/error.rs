//! Why an edit is not taken.

use shared::policies::{FieldError, PolicyKind};

use crate::policies::PolicyError;
use crate::secrets::KeyError;
use crate::store::StoreError;

/// Why an edit is not taken. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("There is no model `{0}` in the configuration.")]
    NoSuchModel(String),
    #[error("There is no strategy `{wanted}`: it is one of {}.", .known.join(", "))]
    NoSuchStrategy {
        wanted: String,
        known: Vec<&'static str>,
    },
    #[error("There is no {} `{name}`.", .kind.label())]
    NoSuchPolicy { kind: PolicyKind, name: String },
    #[error("There is a {} `{name}` already.", .kind.label())]
    Exists { kind: PolicyKind, name: String },
    #[error("The {} `{name}` has been changed since: it is at version {version} now.", .kind.label())]
    Changed {
        kind: PolicyKind,
        name: String,
        version: u64,
    },
    #[error("{0}")]
    InUse(String),
    #[error("{}", message(.0))]
    Invalid(Vec<FieldError>),
    #[error("The edit cannot be kept: {0}")]
    NotKept(#[from] StoreError),
    #[error("The {} `{name}` has no version {version}.", .kind.label())]
    NoSuchVersion {
        kind: PolicyKind,
        name: String,
        version: u64,
    },
    #[error("Secrets cannot be encrypted: {0}")]
    NoKey(#[from] KeyError),
    #[error("{0}")]
    Policy(#[from] PolicyError),
}

fn message(fields: &[FieldError]) -> String {
    let fields = fields.iter();
    let each: Vec<String> = fields
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    each.join("; ")
}
