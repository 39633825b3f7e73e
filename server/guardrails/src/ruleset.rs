//! All rules, compiled together, and those of them that are about one request.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex_automata::PatternSet;
use shared::policies::{Check, Guardrail, Side};

use crate::injection::SIGNS;
use crate::pattern::{Pattern, PatternFilter};
use crate::phrases::{PhraseHit, Phrases};
use crate::pii::{self, Kinds};
use crate::rule::{LooksFor, Rule};

/// In bytes: how far a match of an expression without an end is followed in a stream.
pub const BOUND: usize = 1024;

/// The rules in force.
#[derive(Debug, Default)]
pub struct Ruleset {
    /// In the order in which they act.
    pub rules: Vec<Rule>,
    phrases: Option<Phrases>,
    pub patterns: Vec<Pattern>,
    filter: Option<PatternFilter>,
    /// Where the signs of injections are among the filter's patterns.
    signs: Option<usize>,
}

impl Ruleset {
    /// Compiles the enabled rules. One that cannot be is left out and told of: nothing was to let it come so far.
    pub fn new<'a>(rules: impl IntoIterator<Item = (&'a String, &'a Guardrail)>) -> Self {
        let mut enabled: Vec<_> = rules.into_iter().filter(|(_, rule)| rule.enabled).collect();
        enabled.sort_by_key(|(name, rule)| (rule.order, *name));
        let mut patterns = Vec::new();
        let mut compiled = Vec::new();
        let mut sources = Vec::new();
        for (name, rule) in enabled {
            match Rule::new(name, rule, &mut patterns) {
                Ok(done) => {
                    compiled.push(done);
                    sources.push(rule);
                }
                Err(error) => {
                    tracing::error!(rule = %name, %error, "A guardrail makes no sense and is left out");
                }
            }
        }
        let phrases = sources.iter().enumerate().flat_map(|(index, rule)| {
            let (phrases, whole_word) = match &rule.check {
                Check::Phrases {
                    phrases,
                    whole_word,
                } => (phrases.as_slice(), *whole_word),
                _ => (&[][..], false),
            };
            let phrases = phrases.iter();
            phrases.map(move |phrase| (index, whole_word, phrase.as_str()))
        });
        let phrases = Phrases::new(phrases).unwrap_or_else(|error| {
            tracing::error!(%error, "There are too many banned phrases: they are left out");
            None
        });
        let looks_for_signs = |rule: &Rule| matches!(rule.looks_for, LooksFor::Injection { .. });
        let signs = compiled
            .iter()
            .any(looks_for_signs)
            .then_some(patterns.len());
        let mut filtered: Vec<&Pattern> = patterns.iter().collect();
        if signs.is_some() {
            filtered.extend(SIGNS.iter().map(|sign| &sign.pattern));
        }
        let filter = (!filtered.is_empty()).then(|| PatternFilter::new(&filtered));
        Self {
            rules: compiled,
            phrases,
            filter,
            patterns,
            signs,
        }
    }

    /// Those of `chosen` that look at one side, which are about a request; `None`: there are none.
    pub fn active(
        self: &Arc<Self>,
        side: Side,
        chosen: impl IntoIterator<Item = usize>,
    ) -> Option<Active> {
        let chosen = chosen.into_iter();
        let rules =
            chosen.filter(|index| self.rules.get(*index).is_some_and(|rule| rule.is_on(side)));
        Active::new(self, rules.collect())
    }
}

/// The rules about one side of one request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Active {
    pub ruleset: Arc<Ruleset>,
    /// In the order in which they act.
    pub rules: Arc<[usize]>,
    /// In bytes, of the longest phrase; 0: there are none.
    phrases: usize,
    /// In bytes, of the longest match of an expression; 0: there are none.
    patterns: usize,
    /// Of all rules together.
    pub pii: Kinds,
}

impl Active {
    fn new(ruleset: &Arc<Ruleset>, rules: Arc<[usize]>) -> Option<Self> {
        if rules.is_empty() {
            return None;
        }
        let mut active = Self {
            ruleset: Arc::clone(ruleset),
            rules,
            phrases: 0,
            patterns: 0,
            pii: Kinds::default(),
        };
        for rule in active.rules.iter() {
            match &ruleset.rules[*rule].looks_for {
                LooksFor::Phrases { longest } => active.phrases = active.phrases.max(*longest),
                LooksFor::Patterns { longest, .. } => {
                    active.patterns = active.patterns.max(longest.unwrap_or(BOUND).max(1));
                }
                LooksFor::Injection { .. } => {
                    let longest = SIGNS.iter().filter_map(|sign| sign.pattern.longest());
                    active.patterns = active.patterns.max(longest.max().unwrap_or(BOUND));
                }
                LooksFor::Pii(kinds) => active.pii = active.pii.and(*kinds),
                _ => {}
            }
        }
        Some(active)
    }

    /// The rules with their numbers, in the order in which they act.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Rule)> {
        let rules = &self.ruleset.rules;
        self.rules.iter().map(|index| (*index, &rules[*index]))
    }

    /// Whether some rule looks for something in texts.
    pub fn searches(&self) -> bool {
        self.phrases > 0 || self.patterns > 0 || !self.pii.is_empty()
    }

    /// From where on something may begin that the end of the text cuts off; at least `from`.
    pub fn pending(&self, text: &str, from: usize) -> usize {
        let longest = self.phrases.max(self.patterns);
        let before = text.floor_char_boundary(text.len().saturating_sub(longest));
        if self.pii.is_empty() {
            return before.max(from);
        }
        before.min(pii::pending(self.pii, text, from)).max(from)
    }

    /// The phrases of these rules in the text, by rule and place.
    pub fn phrases(&self, text: &str, from: usize) -> Vec<PhraseHit> {
        match &self.ruleset.phrases {
            Some(phrases) if self.phrases > 0 => {
                phrases.find(text, from, |rule| self.rules.binary_search(&rule).is_ok())
            }
            _ => Vec::new(),
        }
    }

    /// The expressions that the text may match; `None`: there are none.
    pub fn possible(&self, text: &str, from: usize) -> Option<PatternSet> {
        let filter = self.ruleset.filter.as_ref().filter(|_| self.patterns > 0)?;
        filter.possible(text, from)
    }

    /// The number of a sign of injections among the expressions.
    pub fn sign(&self, index: usize) -> Option<usize> {
        Some(self.ruleset.signs? + index)
    }
}

/// A rule by itself.
pub fn alone(name: &str, rule: &Guardrail) -> Ruleset {
    let mut rule = rule.clone();
    rule.enabled = true;
    Ruleset::new(&BTreeMap::from([(name.to_owned(), rule)]))
}
