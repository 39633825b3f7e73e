//! What rules did to one request.

use shared::policies::RuleVerdict;

use crate::rule::Rule;
use crate::ruleset::Active;

/// What each rule did, the gravest.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By the rule's number.
    pub verdicts: Vec<(usize, RuleVerdict)>,
    /// What was found, where somebody wants to know.
    pub found: Option<Vec<Finding>>,
}

/// Something that a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub rule: usize,
    pub what: String,
    /// Where in the text, in bytes.
    pub place: Option<(usize, usize)>,
}

/// A rule that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    pub rule: usize,
    pub why: Why,
}

/// Why a rule refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What it looks for is there, or nobody could be asked.
    Found,
    /// The body is no JSON: nobody can say what is in it.
    NotJson,
    /// The input is ids of tokens, and no text.
    TokenIds,
}

impl Blocked {
    fn found(rule: usize) -> Self {
        let why = Why::Found;
        Self { rule, why }
    }
}

impl Tally {
    /// One that remembers what was found.
    pub fn in_detail() -> Self {
        Self {
            verdicts: Vec::new(),
            found: Some(Vec::new()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// Notes what a rule did.
    pub fn note(&mut self, rule: usize, verdict: RuleVerdict) {
        match self.verdicts.iter_mut().find(|(one, _)| *one == rule) {
            Some((_, before)) if gravity(verdict) > gravity(*before) => *before = verdict,
            Some(_) => {}
            None => self.verdicts.push((rule, verdict)),
        }
    }

    /// Notes what was found, and where.
    pub fn found(&mut self, rule: usize, what: &str, place: Option<(usize, usize)>) {
        if let Some(found) = &mut self.found {
            let what = what.to_owned();
            found.push(Finding { rule, what, place });
        }
    }

    /// Notes that a rule refuses; one in the shadow only would.
    pub fn blocked(&mut self, active: &Active, rule: usize) -> Result<(), Blocked> {
        if active.ruleset.rules[rule].blocks() {
            self.note(rule, RuleVerdict::Blocked);
            return Err(Blocked::found(rule));
        }
        self.note(rule, RuleVerdict::Flagged);
        Ok(())
    }

    /// Notes that a rule refuses because it could not be asked.
    pub fn blocked_for_want(&mut self, active: &Active, rule: usize) -> Result<(), Blocked> {
        // A rule that would change a reply cannot let it pass unseen either.
        if active.ruleset.rules[rule].acts() {
            self.note(rule, RuleVerdict::Blocked);
            return Err(Blocked::found(rule));
        }
        Ok(())
    }

    /// Notes that the first rule that acts, and is one of these, refuses what it cannot read.
    pub fn unreadable(
        &mut self,
        active: &Active,
        why: Why,
        is_one: impl Fn(&Rule) -> bool,
    ) -> Result<(), Blocked> {
        let mut rules = active.iter();
        match rules.find(|(_, rule)| rule.acts() && is_one(rule)) {
            Some((rule, _)) => {
                self.note(rule, RuleVerdict::Blocked);
                Err(Blocked { rule, why })
            }
            None => Ok(()),
        }
    }

    pub fn verdict(&self, rule: usize) -> Option<RuleVerdict> {
        let mut verdicts = self.verdicts.iter();
        verdicts
            .find(|(one, _)| *one == rule)
            .map(|(_, verdict)| *verdict)
    }
}

fn gravity(verdict: RuleVerdict) -> u8 {
    match verdict {
        RuleVerdict::Skipped => 0,
        RuleVerdict::Passed => 1,
        RuleVerdict::Flagged => 2,
        RuleVerdict::Failed => 3,
        RuleVerdict::Changed => 4,
        RuleVerdict::Blocked => 5,
    }
}
