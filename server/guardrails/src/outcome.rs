//! What rules did, for the record.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use shared::policies::{RuleVerdict, Side};

/// What one rule did.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct RuleOutcome {
    pub rule: Arc<str>,
    pub side: Side,
    pub verdict: RuleVerdict,
    /// It only would have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// What rules did, as they find out while the request goes on. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct RuleOutcomes(Arc<Mutex<Vec<RuleOutcome>>>);

impl RuleOutcomes {
    pub fn add(&self, outcomes: Vec<RuleOutcome>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(outcomes);
    }

    pub fn take(&self) -> Vec<RuleOutcome> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *all)
    }
}
