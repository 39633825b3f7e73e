//! What rules know of an answer only when it ends: how long it is, whether it says what it has to, whether it is JSON.

use std::sync::Arc;

use shared::policies::{Action, RuleVerdict};

use crate::rule::LooksFor;
use crate::ruleset::Active;
use crate::tally::{Blocked, Tally};

/// The text of one choice, as it goes out.
#[derive(Debug)]
pub struct Ending {
    characters: u64,
    /// All of it, where a rule wants it.
    text: String,
    gathers: bool,
    disclaimers: Vec<Disclaimer>,
    /// What the text ends with: a disclaimer may come in pieces.
    tail: String,
    /// The last character.
    last: Option<char>,
}

#[derive(Debug)]
struct Disclaimer {
    rule: usize,
    text: Arc<str>,
    seen: bool,
}

impl Ending {
    pub fn new(active: &Active) -> Self {
        let mut disclaimers = Vec::new();
        let mut gathers = false;
        for (rule, compiled) in active.unsearched() {
            match &compiled.looks_for {
                LooksFor::Disclaimer(text) => disclaimers.push(Disclaimer {
                    rule,
                    text: Arc::clone(text),
                    seen: false,
                }),
                LooksFor::Schema(_) | LooksFor::Outside(_) => gathers = true,
                _ => {}
            }
        }
        Self {
            characters: 0,
            text: String::new(),
            gathers,
            disclaimers,
            tail: String::new(),
            last: None,
        }
    }

    /// More of the text goes out. It is cut where it is too long: then nothing follows.
    pub fn say(
        &mut self,
        active: &Active,
        text: &mut String,
        tally: &mut Tally,
    ) -> (bool, Result<(), Blocked>) {
        let mut cut = false;
        let mut seen = Ok(());
        for (index, rule) in active.unsearched() {
            let LooksFor::Length { max: Some(max), .. } = rule.looks_for else {
                continue;
            };
            let left = usize::try_from(max.saturating_sub(self.characters)).unwrap_or(usize::MAX);
            // Characters are no more than bytes.
            if text.len() <= left {
                continue;
            }
            let Some((end, _)) = text.char_indices().nth(left) else {
                continue;
            };
            tally.found(index, &format!("more than {max} characters"), None);
            if rule.action == Action::Truncate && !rule.shadow {
                text.truncate(end);
                tally.note(index, RuleVerdict::Changed);
                cut = true;
            } else if let Err(blocked) = tally.blocked(active, index) {
                text.truncate(end);
                seen = Err(blocked);
                break;
            }
        }
        self.note(text);
        (cut, seen)
    }

    fn note(&mut self, text: &str) {
        self.characters += text.chars().count() as u64;
        self.last = text.chars().next_back().or(self.last);
        if self.gathers {
            self.text.push_str(text);
        }
        if self.disclaimers.iter().all(|one| one.seen) {
            return;
        }
        self.tail.push_str(text);
        let mut longest = 0;
        for disclaimer in self.disclaimers.iter_mut().filter(|one| !one.seen) {
            let wanted = disclaimer.text.as_bytes();
            disclaimer.seen = memchr::memmem::find(self.tail.as_bytes(), wanted).is_some();
            longest = longest.max(wanted.len());
        }
        let gone = self.tail.len().saturating_sub(longest);
        self.tail.drain(..self.tail.floor_char_boundary(gone));
    }

    /// What has to be said and was not, as it is added. It is said now.
    pub fn disclaim(&mut self, active: &Active, tally: &mut Tally) -> String {
        let mut missing = String::new();
        for disclaimer in self.disclaimers.iter_mut().filter(|one| !one.seen) {
            let rule = &active.ruleset.rules[disclaimer.rule];
            if rule.shadow || rule.action != Action::Append {
                continue;
            }
            disclaimer.seen = true;
            tally.found(disclaimer.rule, "it is missing", None);
            tally.note(disclaimer.rule, RuleVerdict::Changed);
            let before = missing.chars().next_back().or(self.last);
            if before.is_some_and(|last| last != '\n') {
                missing.push_str("\n\n");
            }
            missing.push_str(&disclaimer.text);
        }
        if !missing.is_empty() {
            self.last = missing.chars().next_back();
            if self.gathers {
                self.text.push_str(&missing);
            }
        }
        missing
    }

    /// Nothing follows.
    ///
    /// # Errors
    /// A rule refuses it.
    pub fn check(&self, active: &Active, tally: &mut Tally) -> Result<(), Blocked> {
        // An answer that is nothing but calls is for programs.
        let says_nothing = self.characters == 0;
        for (index, rule) in active.unsearched() {
            let found = match &rule.looks_for {
                LooksFor::Length { min: Some(min), .. } if self.characters < *min => {
                    format!("{} characters", self.characters)
                }
                LooksFor::Disclaimer(_) if !says_nothing => {
                    let mut all = self.disclaimers.iter();
                    if all.any(|one| one.rule == index && one.seen) {
                        continue;
                    }
                    "it is missing".to_owned()
                }
                LooksFor::Schema(schema) if !says_nothing && !schema.allows(&self.text) => {
                    "not JSON of the schema".to_owned()
                }
                _ => continue,
            };
            if says_nothing {
                continue;
            }
            tally.found(index, &found, None);
            tally.blocked(active, index)?;
        }
        Ok(())
    }

    /// The text, where a rule wanted it.
    pub fn into_text(self) -> String {
        self.text
    }
}
