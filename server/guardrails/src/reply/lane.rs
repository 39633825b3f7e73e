//! The blocks of one kind in a choice: what is said in them is read one after the other, as one text.

use super::joined::{Joined, Pieces};
use crate::held_text::HeldText;
use crate::ruleset::Active;
use crate::tally::{Blocked, Tally};

/// What is said in blocks of one kind.
#[derive(Debug, Default)]
pub struct Lane {
    /// What the block says that speaks now.
    text: HeldText,
    speaks: Option<u32>,
    joined: Joined,
    /// How much has come, bytes.
    came: u64,
    /// How much had come before what waits for another block.
    parted: u64,
    /// Blocks of which something was replaced.
    changed: Vec<u32>,
}

impl Lane {
    /// One in which a match without an end is followed for so many bytes.
    pub fn within(bound: usize) -> Self {
        Self {
            text: HeldText::within(bound),
            ..Self::default()
        }
    }

    /// More of what a block says. One that another one has followed says no more.
    ///
    /// # Errors
    /// A rule refuses it. What stood before the place went to `out`.
    pub fn push(
        &mut self,
        active: &Active,
        (block, more): (u32, &str),
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        if self.speaks != Some(block) {
            self.part(active, out, tally)?;
            self.speaks = Some(block);
        }
        self.came += more.len() as u64;
        let mut piece = String::new();
        let seen = self.text.push(active, more, &mut piece, tally);
        self.pass(active, block, piece, seen, out, tally)
    }

    /// What the block says that speaks now is all there: what could go on in another one waits for that.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn part(
        &mut self,
        active: &Active,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        let Some(block) = self.speaks.take() else {
            return Ok(());
        };
        let context = self.text.context().to_owned();
        let held = self.text.held() as u64;
        let mut tail = String::new();
        let seen = self.text.flush(active, &mut tail, tally);
        if seen.is_err() {
            return self.pass(active, block, tail, seen, out, tally);
        }
        self.note(block);
        if !self.joined.waits() {
            self.parted = self.came - held;
        }
        self.text = self.text.next();
        let tail = (block, context.as_str(), tail);
        self.joined.part(active, tail, &mut self.text, out, tally)?;
        self.note(block);
        Ok(())
    }

    /// Something of another kind comes, and what is held does not wait for it to pass.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn let_go(
        &mut self,
        active: &Active,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        self.part(active, out, tally)?;
        let seen = self.joined.let_go(active, &mut self.text, out, tally);
        self.changed.extend(self.joined.changed());
        seen
    }

    /// Nothing follows.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(
        &mut self,
        active: &Active,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        self.part(active, out, tally)?;
        let seen = self.joined.finish(active, &mut self.text, out, tally);
        self.changed.extend(self.joined.changed());
        seen
    }

    /// Whether something is held.
    pub fn holds(&self) -> bool {
        self.text.held() > 0 || self.joined.waits()
    }

    /// How much has come, bytes.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// Of that, how much is out.
    pub fn settled(&self) -> u64 {
        if self.joined.waits() {
            self.parted
        } else {
            self.came - self.text.held() as u64
        }
    }

    /// Whether something was replaced in any block.
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Whether something was replaced in a block.
    pub fn is_changed_in(&self, block: u32) -> bool {
        self.changed.contains(&block)
    }

    fn pass(
        &mut self,
        active: &Active,
        block: u32,
        piece: String,
        seen: Result<(), Blocked>,
        out: &mut Pieces,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        let text = &mut self.text;
        let piece = (block, piece);
        let mut joined = self.joined.push(active, piece, text, out, tally);
        if joined.is_ok() && seen.is_err() {
            joined = self.joined.finish(active, text, out, tally);
        }
        self.note(block);
        joined.and(seen)
    }

    fn note(&mut self, block: u32) {
        if self.text.is_changed() && self.changed.last() != Some(&block) {
            self.changed.push(block);
        }
        self.changed.extend(self.joined.changed());
    }
}
