//! What rules find in a text, and what they make of it.
//!
//! Rules look at the text as it came, not at what other rules made of it. Where several would put something in the
//! place of a piece of it, the one that begins first does, and of those that begin at one place the first in order. What
//! a rule has taken out is not looked at by the rules behind it in order.

use std::ops::Range;

use crate::injection::{self, SIGNS};
use crate::pattern::Pattern;
use crate::phrases::PhraseHit;
use crate::pii::{self, Found, Run};
use crate::pii_cursor::PiiCursor;
use crate::rule::LooksFor;
use crate::ruleset::Active;
use crate::tally::{Blocked, Tally};
use shared::policies::RuleVerdict;

/// How far a text is read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Whatever begins before this byte is decided.
    pub decided: usize,
    /// Up to this byte the text was replaced.
    pub claimed: usize,
    /// By which rule.
    pub claimed_by: usize,
    /// What was replaced last goes on with more of this.
    pub run: Option<Run>,
    /// Something was replaced.
    pub changed: bool,
    /// The signs of injections that were seen.
    signs: Vec<usize>,
    /// Rules that need not look any further.
    done: Vec<usize>,
    /// The text is several, each of which has been read by itself.
    joined: Option<Joined>,
}

/// Texts that are read as one for what stands across their joints.
#[derive(Clone, Debug, Default)]
struct Joined {
    /// Where one ends and the next begins, rising.
    joints: Vec<usize>,
    /// What was replaced, and what by.
    edits: Vec<Edit>,
}

/// What stood at a place of a text, and what does now.
pub type Edit = (Range<usize>, String);

impl Joined {
    fn is_across(&self, start: usize, end: usize) -> bool {
        let next = self.joints.partition_point(|joint| *joint <= start);
        self.joints.get(next).is_some_and(|joint| *joint < end)
    }
}

impl Reading {
    /// Reads on, and decides whatever begins before `before`; what goes on is written to `out`, but for the last piece,
    /// up to `before`, whose place is returned. In a text of which more may come, `bound` limits the length of what has
    /// no limit of its own.
    ///
    /// # Errors
    /// A rule refuses the text. What stands before the place is written to `out`.
    pub fn read(
        &mut self,
        active: &Active,
        text: &str,
        before: usize,
        bound: usize,
        out: &mut String,
        tally: &mut Tally,
    ) -> Result<Range<usize>, Blocked> {
        if before <= self.decided {
            return Ok(before..before);
        }
        // What was emitted already; what comes next begins here.
        let mut at = self.decided.max(self.claimed);
        let hits = active.phrases(text, self.decided);
        let mut cursors = self.cursors(active, text, &hits);
        for cursor in &mut cursors {
            let from = if cursor.replaces { at } else { self.decided };
            cursor.advance(text, from, before, bound);
        }
        loop {
            let next = cursors
                .iter()
                .enumerate()
                .filter_map(|(index, cursor)| {
                    let found = cursor.next?;
                    let key = (found.start, cursor.rule, usize::MAX - found.end);
                    (found.start < before).then_some((key, index, found))
                })
                .min_by_key(|(key, ..)| *key);
            let Some((_, index, found)) = next else { break };
            let rule = cursors[index].rule;
            if found.start < self.claimed && self.claimed_by < rule {
                let claimed = self.claimed;
                cursors[index].advance(text, claimed, before, bound);
                continue;
            }
            if let Source::Sign(sign, _) = cursors[index].source {
                cursors[index].next = None;
                // Another rule may have seen it, to which it was not enough, or which let it pass.
                if !self.signs.contains(&sign) {
                    self.signs.push(sign);
                }
                if !self.is_injection(active, rule) {
                    continue;
                }
                tally.found(rule, &injection::described(&self.signs), None);
            } else {
                let joined = self.joined.as_ref();
                if joined.is_some_and(|joined| !joined.is_across(found.start, found.end)) {
                    cursors[index].skip(text, found, before, bound);
                    continue;
                }
                tally.found(rule, found.what, Some((found.start, found.end)));
            }
            let compiled = &active.ruleset.rules[rule];
            if let Some(with) = compiled.replacement(found.what) {
                out.push_str(text.get(at..found.start).unwrap_or_default());
                out.push_str(&with);
                if let Some(joined) = &mut self.joined {
                    joined.edits.push((found.start..found.end, with));
                }
                tally.note(rule, RuleVerdict::Changed);
                self.changed = true;
                self.claimed = found.end;
                self.claimed_by = rule;
                self.run = found.run;
                at = found.end;
                for cursor in cursors.iter_mut().filter(|cursor| cursor.replaces) {
                    if cursor.next.is_some_and(|next| next.start < at) {
                        cursor.advance(text, at, before, bound);
                    }
                }
                continue;
            }
            if let Err(blocked) = tally.blocked(active, rule) {
                out.push_str(text.get(at..found.start).unwrap_or_default());
                return Err(blocked);
            }
            if tally.found.is_some() {
                // A sign counts once.
                if !matches!(cursors[index].source, Source::Sign(..)) {
                    cursors[index].advance(text, found.end, before, bound);
                }
            } else {
                self.done.push(rule);
                cursors.retain(|cursor| cursor.rule != rule);
            }
        }
        self.decided = before;
        Ok(at.min(before)..before)
    }

    /// What may be found from here on.
    fn cursors<'a>(
        &self,
        active: &'a Active,
        text: &str,
        hits: &'a [PhraseHit],
    ) -> Vec<Cursor<'a>> {
        let mut cursors = Vec::new();
        let possible = active.possible(text, self.decided);
        let may_match = |place: usize| {
            possible.as_ref().is_some_and(|set| {
                regex_automata::PatternID::new(place).is_ok_and(|id| set.contains(id))
            })
        };
        // Nearly always there is nothing at all.
        let pii = !active.pii().is_empty() && pii::find(active.pii(), text, self.decided).is_some();
        if hits.is_empty() && possible.is_none() && !pii {
            return cursors;
        }
        for (index, rule) in active.iter() {
            if self.done.contains(&index) {
                continue;
            }
            let replaces = rule.replaces();
            let mut add = |source| {
                cursors.push(Cursor {
                    rule: index,
                    replaces,
                    source,
                    next: None,
                });
            };
            match &rule.looks_for {
                LooksFor::Phrases { .. } if !hits.is_empty() => {
                    let start = hits.partition_point(|hit| hit.rule < index);
                    let end = hits.partition_point(|hit| hit.rule <= index);
                    if start < end {
                        add(Source::Phrases(&hits[start..end]));
                    }
                }
                LooksFor::Patterns { places, .. } => {
                    for place in places.clone().filter(|place| may_match(*place)) {
                        add(Source::Pattern(&active.ruleset.patterns[place]));
                    }
                }
                LooksFor::Pii(kinds) if pii => add(Source::Pii(PiiCursor::new(*kinds))),
                LooksFor::Injection { .. } => {
                    for (sign, known) in SIGNS.iter().enumerate() {
                        if active.sign(sign).is_some_and(may_match) {
                            add(Source::Sign(sign, &known.pattern));
                        }
                    }
                }
                _ => {}
            }
        }
        cursors
    }

    fn is_injection(&self, active: &Active, rule: usize) -> bool {
        let LooksFor::Injection { threshold } = active.ruleset.rules[rule].looks_for else {
            return false;
        };
        let score: u32 = self
            .signs
            .iter()
            .map(|sign| u32::from(SIGNS[*sign].weight))
            .sum();
        score >= threshold
    }
}

/// What one rule finds, one after the other.
struct Cursor<'a> {
    rule: usize,
    /// Puts something in the place of what it finds.
    replaces: bool,
    source: Source<'a>,
    next: Option<Found>,
}

enum Source<'a> {
    Phrases(&'a [PhraseHit]),
    Pattern(&'a Pattern),
    Pii(PiiCursor),
    Sign(usize, &'a Pattern),
}

impl Cursor<'_> {
    /// Goes past what it found.
    fn skip(&mut self, text: &str, found: Found, before: usize, bound: usize) {
        let Source::Phrases(hits) = &mut self.source else {
            let next = text.ceil_char_boundary(found.start + 1);
            return self.advance(text, found.end.max(next), before, bound);
        };
        // A longer one may begin at the same place.
        *hits = hits.get(1..).unwrap_or_default();
        let next = hits.first().map_or(usize::MAX, |hit| hit.start);
        self.advance(text, next, before, bound);
    }

    /// Goes to the first that begins at `from` or later.
    fn advance(&mut self, text: &str, from: usize, before: usize, bound: usize) {
        let plain = |(start, end), what| Found {
            start,
            end,
            run: None,
            what,
        };
        self.next = match &mut self.source {
            Source::Phrases(hits) => {
                let passed = hits.partition_point(|hit| hit.start < from);
                *hits = &hits[passed..];
                hits.first()
                    .map(|hit| plain((hit.start, hit.end), "phrase"))
            }
            Source::Pattern(pattern) => {
                let found = pattern.find(text, from, before, bound);
                found.map(|place| plain(place, "pattern"))
            }
            Source::Pii(cursor) => cursor.find(text, from),
            Source::Sign(_, pattern) => {
                let found = pattern.find(text, from, before, bound);
                found.map(|place| plain(place, "injection"))
            }
        };
    }
}

/// A whole text; `None`: it stays as it is.
///
/// # Errors
/// A rule refuses it.
pub fn whole_text(
    active: &Active,
    text: &str,
    tally: &mut Tally,
) -> Result<Option<String>, Blocked> {
    if !active.searches() || text.is_empty() {
        return Ok(None);
    }
    let mut reading = Reading::default();
    let mut out = String::new();
    let rest = reading.read(active, text, text.len(), usize::MAX, &mut out, tally)?;
    Ok(reading.changed.then(|| out + &text[rest]))
}

/// What is to be replaced in a text that is several, of what stands across their joints. Each has been read by itself.
///
/// # Errors
/// A rule refuses it: something stands across a joint, or all texts together show too many signs.
pub fn across_joints(
    active: &Active,
    text: &str,
    joints: Vec<usize>,
    tally: &mut Tally,
) -> Result<Vec<Edit>, Blocked> {
    let mut reading = Reading {
        joined: Some(Joined {
            joints,
            edits: Vec::new(),
        }),
        ..Reading::default()
    };
    reading.read(
        active,
        text,
        text.len(),
        usize::MAX,
        &mut String::new(),
        tally,
    )?;
    Ok(reading.joined.unwrap_or_default().edits)
}
