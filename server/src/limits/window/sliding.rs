//! A window that is always the time just gone: at no moment is more used than allowed in the time before it.
//!
//! Each request is remembered with its moment for as long as it counts. Where that is more than [`MOST`] moments, some
//! are drawn together: those of the same 64th of the window count until the last of them would. So memory is bounded,
//! what is allowed is never exceeded, and what has been used is there again at most a 64th of the window late. Up to
//! [`MOST`] requests in a window it is exact.

use std::collections::VecDeque;

use super::{Amount, Nanos, Size};

/// Moments that are remembered.
const MOST: usize = 128;
/// Parts of a window whose moments may be drawn together.
const PARTS: u64 = 64;

#[derive(Clone, Debug, Default)]
pub struct Sliding {
    /// By time, each moment once.
    taken: VecDeque<Taken>,
    /// Their sum.
    used: Amount,
    /// The latest moment: what is older than a window has gone.
    seen: Nanos,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    at: Nanos,
    amount: Amount,
}

impl Sliding {
    pub fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        self.seen = self.seen.max(now);
        while let Some(first) = self.taken.front() {
            if now < first.at.saturating_add(size.window) {
                break;
            }
            self.used = self.used.less(first.amount);
            self.taken.pop_front();
        }
        self.used
    }

    pub fn take(&mut self, size: &Size, amount: Amount, now: Nanos) -> Nanos {
        self.used(size, now);
        if amount.is_none() {
            return now;
        }
        self.used = self.used.plus(amount);
        if let Some(last) = self.taken.back_mut()
            && now <= last.at
        {
            last.amount = last.amount.plus(amount);
            return last.at;
        }
        self.taken.push_back(Taken { at: now, amount });
        if self.taken.len() > MOST {
            self.draw_together(size.window.div_ceil(PARTS));
        }
        now
    }

    pub fn give_back(&mut self, size: &Size, amount: Amount, taken: Nanos) {
        if taken.saturating_add(size.window) <= self.seen {
            return;
        }
        // It stands at its own moment, or at a later one with which that was drawn together.
        let place = self.taken.partition_point(|one| one.at < taken);
        if let Some(one) = self.taken.get_mut(place) {
            let left = one.amount.less(amount);
            let given = one.amount.less(left);
            one.amount = left;
            self.used = self.used.less(given);
            if left.is_none() {
                self.taken.remove(place);
            }
        }
    }

    /// How long until the oldest have gone that are in the way.
    pub fn wait_for(&mut self, size: &Size, wanted: Amount, now: Nanos) -> Nanos {
        let mut used = self.used(size, now);
        for one in &self.taken {
            used = used.less(one.amount);
            if size.holds(used, wanted) {
                return one.at.saturating_add(size.window).saturating_sub(now);
            }
        }
        0
    }

    pub fn resets_in(&mut self, size: &Size, now: Nanos) -> Nanos {
        self.used(size, now);
        let last = self.taken.back();
        last.map_or(0, |last| {
            last.at.saturating_add(size.window).saturating_sub(now)
        })
    }

    /// How many moments are remembered.
    #[cfg(test)]
    pub fn moments(&self) -> usize {
        self.taken.len()
    }

    fn draw_together(&mut self, part: Nanos) {
        let mut kept: VecDeque<Taken> = VecDeque::with_capacity(MOST);
        for one in self.taken.drain(..) {
            match kept.back_mut() {
                Some(last) if last.at / part == one.at / part => {
                    *last = Taken {
                        at: one.at,
                        amount: last.amount.plus(one.amount),
                    };
                }
                _ => kept.push_back(one),
            }
        }
        self.taken = kept;
    }
}
