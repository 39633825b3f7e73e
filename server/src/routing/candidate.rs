//! One target, ready to be tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::target::TargetState;

/// Members of the request's body in place of the client's.
pub type Parameters = BTreeMap<String, serde_json::Value>;

/// Whom to ask, and how.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Index of the provider.
    pub provider: usize,
    /// The upstream's name for the model.
    pub model: Arc<str>,
    /// What cannot be carried to it is refused, by the model's configuration.
    pub strict: bool,
    /// The target's own; `None`: it has none.
    pub parameters: Option<Arc<Parameters>>,
    /// Which of the provider's keys is to be used; `None`: it has none.
    pub key: Option<usize>,
    pub state: Arc<TargetState>,
    pub(super) place: Place,
}

/// Where in its plan a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub leg: usize,
    pub target: usize,
}
