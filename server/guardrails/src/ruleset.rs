//! All rules, compiled together, and those of them that are about one request.

use std::sync::Arc;

use regex_automata::PatternSet;
use shared::policies::{Check, Guardrail, Side};

use crate::filter::PatternFilter;
use crate::injection::SIGNS;
use crate::pattern::Pattern;
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

    /// Those of `chosen`, rising numbers, that look at one side, which are about a request; `None`: there are none.
    pub fn active(
        self: &Arc<Self>,
        side: Side,
        chosen: impl IntoIterator<Item = usize>,
    ) -> Option<Active> {
        let chosen = chosen.into_iter();
        let on_side =
            chosen.filter(|index| self.rules.get(*index).is_some_and(|rule| rule.is_on(side)));
        let (rules, sum) = Rules::new(self, on_side.collect());
        (!rules.all.is_empty()).then(|| Active {
            ruleset: Arc::clone(self),
            rules: Arc::new(rules),
            others: None,
            sum,
        })
    }
}

/// The rules about one side of one request. Cheap to clone, and as cheap with a thousand rules as with ten, as long as
/// none of them finds anything.
#[derive(Clone, Debug)]
pub struct Active {
    pub ruleset: Arc<Ruleset>,
    rules: Arc<Rules>,
    /// Those that were chosen apart.
    others: Option<Arc<Rules>>,
    sum: Sum,
}

/// Some of the rules, by number, in the order in which they act.
#[derive(Debug)]
struct Rules {
    all: Vec<usize>,
    /// Those that nothing is searched for: they look at a whole text, or ask others about it.
    unsearched: Vec<usize>,
}

/// What rules come to together.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    /// In bytes, of the longest phrase; 0: there are none.
    phrases: usize,
    /// In bytes, of the longest match of an expression; 0: there are none.
    patterns: usize,
    pii: Kinds,
    acts: bool,
}

impl Rules {
    fn new(ruleset: &Ruleset, all: Vec<usize>) -> (Self, Sum) {
        let mut unsearched = Vec::new();
        let mut sum = Sum::default();
        for index in &all {
            let rule = &ruleset.rules[*index];
            sum.acts |= rule.acts();
            match &rule.looks_for {
                LooksFor::Phrases { longest } => sum.phrases = sum.phrases.max(*longest),
                LooksFor::Patterns { longest, .. } => {
                    sum.patterns = sum.patterns.max(longest.unwrap_or(BOUND).max(1));
                }
                LooksFor::Injection { .. } => {
                    let longest = SIGNS.iter().filter_map(|sign| sign.pattern.longest());
                    sum.patterns = sum.patterns.max(longest.max().unwrap_or(BOUND));
                }
                LooksFor::Pii(kinds) => sum.pii = sum.pii.and(*kinds),
                LooksFor::Length { .. }
                | LooksFor::Disclaimer(_)
                | LooksFor::Schema(_)
                | LooksFor::Outside(_) => unsearched.push(*index),
            }
        }
        (Self { all, unsearched }, sum)
    }
}

impl Sum {
    fn and(self, other: Self) -> Self {
        Self {
            phrases: self.phrases.max(other.phrases),
            patterns: self.patterns.max(other.patterns),
            pii: self.pii.and(other.pii),
            acts: self.acts || other.acts,
        }
    }
}

impl Active {
    /// These and others, which were chosen apart by themselves.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        debug_assert!(self.others.is_none() && other.others.is_none());
        Self {
            others: Some(other.rules),
            sum: self.sum.and(other.sum),
            ..self
        }
    }

    /// The rules with their numbers, in the order in which they act.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.numbered(|rules| &rules.all)
    }

    /// The same of those that nothing is searched for in texts.
    pub fn unsearched(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.numbered(|rules| &rules.unsearched)
    }

    fn numbered(&self, of: fn(&Rules) -> &[usize]) -> impl Iterator<Item = (usize, &Rule)> {
        let mut some = of(&self.rules);
        let mut others = self.others.as_deref().map_or(&[][..], of);
        std::iter::from_fn(move || {
            let next = match (some.first(), others.first()) {
                (Some(one), Some(other)) if other < one => &mut others,
                (Some(_), _) => &mut some,
                (None, _) => &mut others,
            };
            let (first, rest) = next.split_first()?;
            *next = rest;
            Some((*first, &self.ruleset.rules[*first]))
        })
    }

    /// Whether it is one of them.
    pub fn has(&self, rule: usize) -> bool {
        let mut lists = [Some(&self.rules), self.others.as_ref()]
            .into_iter()
            .flatten();
        lists.any(|rules| rules.all.binary_search(&rule).is_ok())
    }

    /// Whether some rule does something about what it finds.
    pub fn acts(&self) -> bool {
        self.sum.acts
    }

    /// Whether somebody else is asked.
    pub fn asks_others(&self) -> bool {
        self.unsearched()
            .any(|(_, rule)| matches!(rule.looks_for, LooksFor::Outside(_)))
    }

    /// Of all rules together.
    pub fn pii(&self) -> Kinds {
        self.sum.pii
    }

    /// Whether some rule looks for something in texts.
    pub fn searches(&self) -> bool {
        self.sum.phrases > 0 || self.sum.patterns > 0 || !self.sum.pii.is_empty()
    }

    /// From where on something may begin that the end of the text cuts off; at least `from`.
    pub fn pending(&self, text: &str, from: usize) -> usize {
        let longest = self.sum.phrases.max(self.sum.patterns);
        let before = text.floor_char_boundary(text.len().saturating_sub(longest));
        if self.sum.pii.is_empty() {
            return before.max(from);
        }
        before.min(pii::pending(self.sum.pii, text, from)).max(from)
    }

    /// The phrases of these rules in the text, by rule and place.
    pub fn phrases(&self, text: &str, from: usize) -> Vec<PhraseHit> {
        match &self.ruleset.phrases {
            Some(phrases) if self.sum.phrases > 0 => {
                phrases.find(text, from, |rule| self.has(rule))
            }
            _ => Vec::new(),
        }
    }

    /// The expressions that the text may match; `None`: there are none.
    pub fn possible(&self, text: &str, from: usize) -> Option<PatternSet> {
        let filter = self.ruleset.filter.as_ref();
        let filter = filter.filter(|_| self.sum.patterns > 0)?;
        filter.possible(text, from)
    }

    /// The number of a sign of injections among the expressions.
    pub fn sign(&self, index: usize) -> Option<usize> {
        Some(self.ruleset.signs? + index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::ruleset;

    #[test]
    fn rules_chosen_apart_act_in_one_order() {
        let phrase = |phrase| {
            format!(
                r#"{{"check":{{"kind":"phrases","phrases":["{phrase}"]}},"action":{{"kind":"flag"}}}}"#
            )
        };
        let length = r#"{"check":{"kind":"length","max":5},"action":{"kind":"flag"}}"#;
        let ruleset = ruleset(&[&phrase("one"), &phrase("second"), length, &phrase("three")]);
        let active = |chosen: &[usize]| ruleset.active(Side::Request, chosen.iter().copied());
        let both = active(&[1, 3]).unwrap().and(active(&[0, 2]).unwrap());
        let numbers = |rules: Vec<(usize, &Rule)>| -> Vec<usize> {
            rules.into_iter().map(|(number, _)| number).collect()
        };
        assert_eq!(numbers(both.iter().collect()), [0, 1, 2, 3]);
        assert_eq!(numbers(both.unsearched().collect()), [2]);
        assert!((0..4).all(|rule| both.has(rule)) && !both.has(4));
        let found = both.phrases("one second three", 0);
        assert_eq!(found.len(), 3);
        let some = active(&[1, 3]).unwrap().phrases("one second three", 0);
        assert_eq!(some.len(), 2);
        assert!(active(&[]).is_none());
    }
}
