//! Which questions may have been answered: most have not, and that is quickly said.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use super::key::Mark;

/// How many [marks](Mark) there are, by some of their bits. For as long as one is claimed there may be it.
pub(super) struct Marks(Box<[Counts]>);

/// Not there until one of them counts.
type Counts = OnceLock<Box<[AtomicU8; COUNTS]>>;

const COUNTS: usize = 4096;
/// A count that has come so far stays there.
const UNCOUNTED: u8 = u8::MAX;

/// There may be this mark. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Claim {
    marks: Arc<Marks>,
    mark: Mark,
    /// No other was there when it was made.
    pub is_first: bool,
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Marks").finish_non_exhaustive()
    }
}

impl Marks {
    /// For several times as many answers as go into so many bytes: with more it says less.
    pub fn new(max_bytes: u64) -> Self {
        let counts = (max_bytes / 128).clamp(1 << 14, 1 << 24);
        let counts = usize::try_from(counts).unwrap_or(1 << 14);
        let pieces = (counts / COUNTS).next_power_of_two();
        Self((0..pieces).map(|_| OnceLock::new()).collect())
    }

    pub fn may_be(&self, mark: Mark) -> bool {
        let (piece, at) = self.place(mark);
        let counts = self.0[piece].get();
        counts.is_some_and(|counts| counts[at].load(Ordering::Acquire) > 0)
    }

    pub fn claim(self: &Arc<Self>, mark: Mark) -> Claim {
        let before = self.count(mark, |count| count.checked_add(1));
        Claim {
            marks: Arc::clone(self),
            mark,
            is_first: before == 0,
        }
    }

    fn place(&self, Mark(mark): Mark) -> (usize, usize) {
        let mark = mark as usize;
        // Both lengths are powers of two.
        ((mark / COUNTS) & (self.0.len() - 1), mark % COUNTS)
    }

    /// Counts the mark, and says how many there were.
    fn count(&self, mark: Mark, next: impl Fn(u8) -> Option<u8>) -> u8 {
        let (piece, at) = self.place(mark);
        let none = || Box::new([const { AtomicU8::new(0) }; COUNTS]);
        let counts = self.0[piece].get_or_init(none);
        let counted = |count: u8| next(count).filter(|_| count != UNCOUNTED);
        counts[at]
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, counted)
            .unwrap_or_else(|before| before)
    }
}

impl Claim {
    /// Another one to the same mark.
    pub fn again(&self) -> Self {
        self.marks.claim(self.mark)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.marks.count(self.mark, |count| count.checked_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_there_for_as_long_as_it_is_claimed() {
        let marks = Arc::new(Marks::new(0));
        // All of them in one place.
        let mark = |number: u64| Mark(number << 32);
        assert!(!marks.may_be(mark(1)));
        let one = marks.claim(mark(1));
        let other = marks.claim(mark(2));
        assert!(!marks.may_be(Mark(1)), "another place");
        assert!(one.is_first && !other.is_first);
        drop(one);
        assert!(marks.may_be(mark(2)));
        drop(other);
        assert!(!marks.may_be(mark(2)));
        let many: Vec<Claim> = (0..300).map(|number| marks.claim(mark(number))).collect();
        drop(many);
        assert!(marks.may_be(mark(1)), "it was not counted any more");
        assert!(!marks.claim(mark(1)).is_first);
    }
}
