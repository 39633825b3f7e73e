//! A window that begins with the first request that it counts, and is over as a whole.

use super::{Amount, Nanos, Size};

#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// `None`: nothing has been counted since the last one was over.
    since: Option<Nanos>,
    used: Amount,
}

impl Fixed {
    pub fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        self.end(size, now);
        self.used
    }

    pub fn take(&mut self, size: &Size, amount: Amount, now: Nanos) -> Nanos {
        self.end(size, now);
        if amount.is_none() {
            return now;
        }
        let since = *self.since.get_or_insert(now);
        self.used = self.used.plus(amount);
        now.max(since)
    }

    pub fn give_back(&mut self, amount: Amount, taken: Nanos) {
        // What was taken before this window began counts no more.
        if self.since.is_some_and(|since| since <= taken) {
            self.used = self.used.less(amount);
            if self.used.is_none() {
                self.since = None;
            }
        }
    }

    pub fn resets_in(&mut self, size: &Size, now: Nanos) -> Nanos {
        self.end(size, now);
        let end = self.since.map(|since| since.saturating_add(size.window));
        end.map_or(0, |end| end.saturating_sub(now))
    }

    fn end(&mut self, size: &Size, now: Nanos) {
        let over = |since: Nanos| now >= since.saturating_add(size.window);
        if self.since.is_some_and(over) {
            *self = Self::default();
        }
    }
}
