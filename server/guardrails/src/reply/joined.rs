//! Texts that are read as one: what is banned is found across their joints, too.
//!
//! Each text has passed the rules by itself. Where one ends, what could be the beginning of something that goes on in
//! the next waits for it. As long as a text goes on, and behind the joint as soon as nothing can reach across it, all
//! goes through.

use shared::policies::RuleVerdict;

use super::across::{Hit, Joints};
use crate::held_text::HeldText;
use crate::pii::Run;
use crate::ruleset::Active;
use crate::secrets;
use crate::tally::{Blocked, Tally};

/// What goes out, with the number of its block.
pub type Pieces = Vec<(u32, String)>;

/// How far what waits is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// Up to where something may be cut off.
    Pending,
    /// All of it is told, and what may go on is remembered.
    LetGo,
    End,
}

/// In bytes, of what stands before a match, and matters.
const CONTEXT: usize = 16;
/// Moving what is kept to the front costs: not for every piece.
const PASSED: usize = 2048;

/// Texts of blocks, as one.
#[derive(Debug, Default)]
pub struct Joined {
    /// What waits, with some of what stood before.
    buffer: String,
    /// Whose it is: each block, and where its text ends. Empty: nothing waits, and no joint is near.
    parts: Vec<(u32, usize)>,
    /// The last of them goes on.
    goes_on: bool,
    /// Up to here it was told.
    told: usize,
    /// Whatever begins before is decided.
    decided: usize,
    /// What was replaced last goes on with more of this.
    run: Option<Run>,
    /// Blocks in which something was replaced.
    changed: Vec<u32>,
}

impl Joined {
    /// More of a block's text.
    ///
    /// # Errors
    /// A rule refuses it. What stood before the place went to `out`.
    pub fn push(
        &mut self,
        active: &Active,
        (block, mut text): (u32, String),
        signs: &mut HeldText,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        let more = self.replaced_already(block, &text);
        text.drain(..more);
        if self.parts.is_empty() {
            if !text.is_empty() {
                out.push((block, text));
            }
            return Ok(());
        }
        self.add(block, &text);
        self.decide(active, signs, out, tally, Until::Pending)
    }

    /// A block's text ends with `tail`; before it stood `context`. What others begin with may belong to it.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn part(
        &mut self,
        active: &Active,
        (block, context, tail): (u32, &str, String),
        signs: &mut HeldText,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        if !active.searches() {
            out.extend((!tail.is_empty()).then_some((block, tail)));
            return Ok(());
        }
        let more = self.replaced_already(block, &tail);
        if self.parts.is_empty() {
            if more == tail.len() {
                return Ok(());
            }
            self.buffer = format!("{context}{tail}");
            self.told = context.len() + more;
            self.decided = self.told;
            self.parts.push((block, self.buffer.len()));
            self.goes_on = false;
            return Ok(());
        }
        self.add(block, &tail[more..]);
        self.goes_on = false;
        self.decide(active, signs, out, tally, Until::Pending)
    }

    /// All that waits goes. It is remembered: of what it turns out to be the beginning of, the rest does not go.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn let_go(
        &mut self,
        active: &Active,
        signs: &mut HeldText,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        self.decide(active, signs, out, tally, Until::LetGo)
    }

    /// Nothing follows.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(
        &mut self,
        active: &Active,
        signs: &mut HeldText,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        self.decide(active, signs, out, tally, Until::End)
    }

    /// Whether something waits.
    pub fn waits(&self) -> bool {
        self.told < self.buffer.len()
    }

    /// The blocks in which something was replaced since this was last asked.
    pub fn changed(&mut self) -> std::vec::Drain<'_, u32> {
        self.changed.drain(..)
    }

    /// How much a block's text goes on, in bytes, with what was replaced last.
    fn replaced_already(&mut self, block: u32, text: &str) -> usize {
        let Some(run) = self.run else { return 0 };
        let more = secrets::length_of(run, text.as_bytes());
        if more < text.len() {
            self.run = None;
        }
        if more > 0 {
            self.changed.push(block);
        }
        text.ceil_char_boundary(more)
    }

    fn add(&mut self, block: u32, text: &str) {
        if text.is_empty() {
            return;
        }
        self.buffer.push_str(text);
        let end = self.buffer.len();
        match self.parts.last_mut() {
            Some(last) if self.goes_on => last.1 = end,
            _ => self.parts.push((block, end)),
        }
        self.goes_on = true;
    }

    fn decide(
        &mut self,
        active: &Active,
        signs: &mut HeldText,
        out: &mut Pieces,
        tally: &mut Tally,
        until: Until,
    ) -> Result<(), Blocked> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let before = loop {
            let before = match until {
                Until::Pending => active.pending(&self.buffer, self.decided),
                Until::LetGo | Until::End => self.buffer.len(),
            };
            let joints: Vec<usize> = self.parts.iter().map(|(_, end)| *end).collect();
            let joints = Joints {
                text: &self.buffer,
                at: &joints[..joints.len() - 1],
            };
            let hits = joints.hits(active, self.decided, before, crate::ruleset::BOUND);
            match self.act(active, &hits, signs, out, tally)? {
                Some((hit, with)) => self.replace(&hit, &with),
                None => break before,
            }
        };
        self.tell(before, out);
        self.decided = match until {
            Until::LetGo => active.pending(&self.buffer, self.decided),
            Until::Pending | Until::End => before,
        };
        let last = match self.parts.as_slice() {
            [.., (_, end), _] if self.goes_on => *end,
            [_] if self.goes_on => 0,
            _ => self.buffer.len(),
        };
        if self.decided >= last {
            self.tell(self.buffer.len(), out);
            self.buffer.clear();
            self.parts.clear();
            (self.told, self.decided) = (0, 0);
        } else {
            self.pass();
        }
        Ok(())
    }

    /// What rules do about what was found; the first that is to be replaced, and what by.
    fn act(
        &mut self,
        active: &Active,
        hits: &[Hit],
        signs: &mut HeldText,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<Option<(Hit, String)>, Blocked> {
        let mut first: Option<(&Hit, String)> = None;
        // What was told already was looked at before.
        for hit in hits.iter().filter(|hit| hit.end > self.told) {
            if let Some((first, _)) = &first {
                if hit.start >= first.end {
                    break;
                }
                // What one rule takes out those before it in order still see.
                if hit.rule > first.rule || active.ruleset.rules[hit.rule].replaces() {
                    continue;
                }
            }
            let seen = if hit.what == "injection" {
                signs.count_sign(active, (&self.buffer, hit.start), hit.rule, tally)
            } else {
                tally.found(hit.rule, hit.what, None);
                if let Some(with) = active.ruleset.rules[hit.rule].replacement(hit.what) {
                    tally.note(hit.rule, RuleVerdict::Changed);
                    first = Some((hit, with));
                    continue;
                }
                tally.blocked(active, hit.rule)
            };
            if let Err(blocked) = seen {
                self.tell(hit.start, out);
                return Err(blocked);
            }
        }
        Ok(first.map(|(hit, with)| (hit.clone(), with)))
    }

    /// Puts something in the place of a hit, or of as much of it as was not told. It is said in the block in which the
    /// place begins.
    fn replace(&mut self, hit: &Hit, with: &str) {
        let start = hit.start.max(self.told);
        self.run = hit.run.filter(|_| hit.end == self.buffer.len());
        self.buffer.replace_range(start..hit.end, with);
        let behind = start + with.len();
        let mut from = 0;
        for (block, end) in &mut self.parts {
            if *end > start && from < hit.end {
                self.changed.push(*block);
            }
            from = *end;
            if *end >= hit.end {
                *end = *end - hit.end + behind;
            } else if *end > start {
                *end = behind;
            }
        }
        self.decided = behind;
    }

    fn tell(&mut self, before: usize, out: &mut Pieces) {
        for (block, end) in &self.parts {
            let end = (*end).min(before);
            if end > self.told {
                out.push((*block, self.buffer[self.told..end].to_owned()));
                self.told = end;
            }
        }
    }

    /// Forgets what is long gone: of many short texts there may be much.
    fn pass(&mut self) {
        let kept = self.told.min(self.decided).saturating_sub(CONTEXT);
        let gone = self.buffer.floor_char_boundary(kept);
        if gone < PASSED {
            return;
        }
        self.buffer.drain(..gone);
        self.told -= gone;
        self.decided -= gone;
        for (_, end) in &mut self.parts {
            *end = end.saturating_sub(gone);
        }
        let empty = self.parts.iter().filter(|(_, end)| *end == 0).count();
        self.parts.drain(..empty);
    }
}
