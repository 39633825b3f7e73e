//! What rules did, as it is recorded and counted: never a text.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use shared::policies::{RuleVerdict, Side, Triggered};

use crate::outcome::{RuleOutcome, RuleOutcomes};
use crate::ruleset::Active;
use crate::tally::Tally;

/// What the rules did to one request and its reply, as they find out. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Report {
    outcomes: RuleOutcomes,
    counts: Counts,
    side: Side,
    /// The log says nothing of it.
    unheard: bool,
}

/// How often each rule did something since the start. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<Arc<str>, Triggered>>>);

impl Report {
    pub fn new(counts: Counts) -> Self {
        Self {
            outcomes: RuleOutcomes::default(),
            counts,
            side: Side::Request,
            unheard: false,
        }
    }

    /// One that nobody hears of.
    pub fn unheard() -> Self {
        Self {
            unheard: true,
            ..Self::default()
        }
    }

    /// The same report, about the other side.
    pub fn on(&self, side: Side) -> Self {
        Self {
            side,
            ..self.clone()
        }
    }

    /// Takes what rules did out of the tally.
    pub fn take(&self, active: &Active, tally: &mut Tally) {
        if tally.is_empty() {
            return;
        }
        let outcomes: Vec<RuleOutcome> = std::mem::take(&mut tally.verdicts)
            .into_iter()
            .map(|(index, verdict)| {
                let rule = &active.ruleset.rules[index];
                RuleOutcome {
                    rule: Arc::clone(&rule.name),
                    side: self.side,
                    verdict,
                    shadow: rule.shadow,
                }
            })
            .collect();
        self.counts.add(&outcomes);
        let heard = outcomes.iter().filter(|_| !self.unheard);
        for outcome in heard {
            tracing::info!(
                rule = %outcome.rule,
                side = ?outcome.side,
                verdict = ?outcome.verdict,
                shadow = outcome.shadow,
                "A guardrail found something"
            );
        }
        self.outcomes.add(outcomes);
    }

    /// Where it is noted, for the record.
    pub fn outcomes(&self) -> RuleOutcomes {
        self.outcomes.clone()
    }
}

impl Counts {
    fn add(&self, outcomes: &[RuleOutcome]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in outcomes {
            let count = counts
                .entry(Arc::clone(&outcome.rule))
                .or_insert_with(|| Triggered {
                    rule: outcome.rule.to_string(),
                    shadow: outcome.shadow,
                    flagged: 0,
                    changed: 0,
                    blocked: 0,
                    failed: 0,
                });
            count.shadow = outcome.shadow;
            match outcome.verdict {
                RuleVerdict::Flagged => count.flagged += 1,
                RuleVerdict::Changed => count.changed += 1,
                RuleVerdict::Blocked => count.blocked += 1,
                RuleVerdict::Failed => count.failed += 1,
                RuleVerdict::Passed | RuleVerdict::Skipped => {}
            }
        }
    }

    /// Of every rule that has done something, by name.
    pub fn all(&self) -> Vec<Triggered> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.values().cloned().collect()
    }
}
