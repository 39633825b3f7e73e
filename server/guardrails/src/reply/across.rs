//! What rules find across the joints of texts that are read one after the other.

use crate::injection::SIGNS;
use crate::pii::Run;
use crate::pii_cursor::PiiCursor;
use crate::rule::LooksFor;
use crate::ruleset::Active;

/// So many are looked for from the next character on, as each may read all of the text; further ones behind the last.
const NEARBY: usize = 256;

/// Something that begins in one text and ends in another.
#[derive(Clone, Debug)]
pub struct Hit {
    pub start: usize,
    pub end: usize,
    pub rule: usize,
    pub what: &'static str,
    /// It reaches the end, and would go on with more of this.
    pub run: Option<Run>,
}

/// Texts joined, and where: places in rising order.
#[derive(Clone, Copy, Debug)]
pub struct Joints<'a> {
    pub text: &'a str,
    pub at: &'a [usize],
}

impl Joints<'_> {
    fn parts(&self, start: usize, end: usize) -> bool {
        let next = self.at.partition_point(|joint| *joint <= start);
        self.at.get(next).is_some_and(|joint| *joint < end)
    }

    /// All that begins at `from` or later, and before `before`, by place and rule.
    pub fn hits(&self, active: &Active, from: usize, before: usize, bound: usize) -> Vec<Hit> {
        let text = self.text;
        let before = before.min(self.at.last().copied().unwrap_or_default());
        let mut hits = Vec::new();
        if from >= before {
            return hits;
        }
        let mut take = |rule, start, end, what, run| {
            if start < before && self.parts(start, end) {
                hits.push(Hit {
                    start,
                    end,
                    rule,
                    what,
                    run,
                });
            }
        };
        for hit in active.phrases(text, from) {
            take(hit.rule, hit.start, hit.end, "phrase", None);
        }
        let possible = active.possible(text, from);
        let may_match = |place: usize| {
            possible.as_ref().is_some_and(|set| {
                regex_automata::PatternID::new(place).is_ok_and(|id| set.contains(id))
            })
        };
        for (rule, compiled) in active.iter() {
            let mut search = |pattern: &crate::pattern::Pattern, what| {
                let mut at = from;
                let mut nearby = 0;
                while let Some((start, end)) = pattern.find(text, at, before, bound) {
                    take(rule, start, end, what, None);
                    // One that begins inside may reach further.
                    nearby += 1;
                    at = text.ceil_char_boundary(start + 1);
                    if nearby > NEARBY {
                        at = at.max(end);
                    }
                }
            };
            match &compiled.looks_for {
                LooksFor::Patterns { places, .. } => {
                    for place in places.clone().filter(|place| may_match(*place)) {
                        search(&active.ruleset.patterns[place], "pattern");
                    }
                }
                LooksFor::Injection { .. } => {
                    for (sign, known) in SIGNS.iter().enumerate() {
                        if active.sign(sign).is_some_and(may_match) {
                            search(&known.pattern, "injection");
                        }
                    }
                }
                LooksFor::Pii(kinds) => {
                    let mut at = from;
                    let mut cursor = PiiCursor::new(*kinds);
                    while let Some(found) = cursor.find(text, at)
                        && found.start < before
                    {
                        take(rule, found.start, found.end, found.what, found.run);
                        at = found.end;
                    }
                }
                _ => {}
            }
        }
        hits.sort_by_key(|hit| (hit.start, hit.rule, usize::MAX - hit.end));
        hits
    }
}
