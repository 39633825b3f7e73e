//! A text that comes piece by piece. What is let go is decided: the result is the same however it was parted.

use crate::ruleset::{Active, BOUND};
use crate::search::Reading;
use crate::tally::{Blocked, Tally};

/// As much as is kept of what was let go: what stands before a match may matter.
const CONTEXT: usize = 16;
/// Moving what is kept to the front costs: not for every word.
const PASSED: usize = 2048;

/// One text of a reply.
#[derive(Debug, Default)]
pub struct HeldText {
    /// What is held, and some of what stood before.
    buffer: String,
    reading: Reading,
}

impl HeldText {
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
            .read(active, &self.buffer, before, BOUND, out, tally)?;
        out.push_str(&self.buffer[rest]);
        Ok(())
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
