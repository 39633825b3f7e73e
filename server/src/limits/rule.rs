//! A rate in force: how much, of what, and where it is counted.

use std::sync::Arc;

use shared::policies::{Algorithm, Per, Rate};

use super::counts::Counts;
use super::window::Size;

/// Whose rate it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// A limit of this name.
    Limit(String),
    Key(String),
    Project(String),
}

/// Which rate it is, however much it allows: what has been counted goes on to count when that is edited.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub owner: Owner,
    pub per: Per,
    pub algorithm: Algorithm,
    /// Seconds, where it has no name of its own.
    pub window: Option<u64>,
    /// Among those of which all this is the same.
    pub place: usize,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub identity: Identity,
    pub rate: Rate,
    pub size: Size,
    pub counts: Arc<Counts>,
}

impl Owner {
    /// `default`, `key team-a`, `project web`.
    pub fn label(&self) -> String {
        match self {
            Self::Limit(name) => name.clone(),
            Self::Key(name) => format!("key {name}"),
            Self::Project(name) => format!("project {name}"),
        }
    }
}
