//! A text that comes piece by piece. What is let go is decided: the result is the same however it was parted.

use crate::ruleset::{Active, BOUND};
use crate::search::Reading;
use crate::tally::{Blocked, Tally};

/// As much as is kept of what was let go: what stands before a match may matter.
const CONTEXT: usize = 16;
/// Moving what is kept to the front costs: not for every word.
const PASSED: usize = 2048;

/// One text of a reply.
#[derive(Debug)]
pub struct HeldText {
    /// What is held, and some of what stood before.
    buffer: String,
    reading: Reading,
    /// In bytes: how far a match of an expression without an end is followed.
    bound: usize,
}

impl Default for HeldText {
    fn default() -> Self {
        Self::within(BOUND)
    }
}

impl HeldText {
    /// One in which a match without an end is followed for so many bytes.
    pub fn within(bound: usize) -> Self {
        Self {
            buffer: String::new(),
            reading: Reading::default(),
            bound,
        }
    }

    /// A text that follows this one, after its [`flush`](Self::flush): what was replaced last may go on in it.
    #[must_use]
    pub fn next(&self) -> Self {
        let mut reading = self.reading.clone();
        let goes_on = reading.claimed == self.buffer.len();
        reading.run = reading.run.filter(|_| goes_on);
        reading.changed = reading.run.is_some();
        (reading.decided, reading.claimed) = (0, 0);
        Self {
            buffer: String::new(),
            reading,
            bound: self.bound,
        }
    }

    /// More of it has come. What is decided goes to `out`.
    ///
    /// # Errors
    /// A rule refuses it. What stood before the place went to `out`.
    pub fn push(
        &mut self,
        active: &Active,
        more: &str,
        out: &mut String,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        let before = self.buffer.len();
        self.buffer.push_str(more);
        if let Some(run) = self.reading.run
            && self.reading.claimed == before
        {
            self.reading.claimed += crate::secrets::length_of(run, more.as_bytes());
            if self.reading.claimed < self.buffer.len() {
                self.reading.run = None;
            }
        }
        let decided = active.pending(&self.buffer, self.reading.decided);
        let read = self.read(active, decided, out, tally);
        self.pass();
        read
    }

    /// No more of it comes, or something else comes first: all that is held goes.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn flush(
        &mut self,
        active: &Active,
        out: &mut String,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        self.read(active, self.buffer.len(), out, tally)
    }

    fn read(
        &mut self,
        active: &Active,
        before: usize,
        out: &mut String,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        let rest = self
            .reading
            .read(active, &self.buffer, before, self.bound, out, tally)?;
        out.push_str(&self.buffer[rest]);
        Ok(())
    }

    /// A sign of an injection stands there in another text: it counts with those in this one.
    ///
    /// # Errors
    /// There are too many signs.
    pub fn count_sign(
        &mut self,
        active: &Active,
        (other, at): (&str, usize),
        rule: usize,
        tally: &mut Tally,
    ) -> Result<(), Blocked> {
        let mut reading = self.reading.clone();
        (reading.decided, reading.claimed) = (at, 0);
        let mut unsaid = String::new();
        let seen = reading.read(active, other, at + 1, self.bound, &mut unsaid, tally);
        let before = std::mem::replace(&mut self.reading, reading);
        self.reading.decided = before.decided;
        self.reading.claimed = before.claimed;
        self.reading.claimed_by = before.claimed_by;
        self.reading.run = before.run;
        self.reading.changed = before.changed;
        match seen {
            Err(blocked) if blocked.rule == rule => Err(blocked),
            _ => Ok(()),
        }
    }

    /// Some of what stands before what is held.
    pub fn context(&self) -> &str {
        let decided = self.reading.decided;
        let start = self
            .buffer
            .floor_char_boundary(decided.saturating_sub(CONTEXT));
        self.buffer.get(start..decided).unwrap_or_default()
    }

    /// Something was replaced.
    pub fn is_changed(&self) -> bool {
        self.reading.changed
    }

    /// How much is held, bytes.
    pub fn held(&self) -> usize {
        let gone = self.reading.decided.max(self.reading.claimed);
        self.buffer.len().saturating_sub(gone)
    }

    fn pass(&mut self) {
        let reading = &mut self.reading;
        let gone = self
            .buffer
            .floor_char_boundary(reading.decided.saturating_sub(CONTEXT));
        if gone < PASSED {
            return;
        }
        self.buffer.drain(..gone);
        reading.decided -= gone;
        reading.claimed = reading.claimed.saturating_sub(gone);
    }
}
