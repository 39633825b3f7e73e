//! A bucket that refills steadily, all of it in a window, and lets a burst through of what is in it.

use super::{Amount, Nanos, Size};

#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// What is missing from a full bucket, in parts of which a request or token has as many as the window has
    /// nanoseconds: so refilling is exact.
    requests: u128,
    tokens: u128,
    /// The window of these parts.
    window: Nanos,
    /// The moment up to which it has been refilled.
    at: Nanos,
}

impl Bucket {
    pub fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        self.refill(size, now);
        let whole = |parts: u128| {
            u64::try_from(parts.div_ceil(u128::from(self.window))).unwrap_or(u64::MAX)
        };
        Amount {
            requests: whole(self.requests),
            tokens: whole(self.tokens),
        }
    }

    pub fn holds(&mut self, size: &Size, wanted: Amount, now: Nanos) -> bool {
        self.wait_for(size, wanted, now) == 0
    }

    pub fn take(&mut self, size: &Size, amount: Amount, now: Nanos) -> Nanos {
        self.refill(size, now);
        let window = u128::from(self.window);
        let missing = |parts: u128, amount: u64| {
            parts.saturating_add(u128::from(amount).saturating_mul(window))
        };
        self.requests = missing(self.requests, amount.requests);
        self.tokens = missing(self.tokens, amount.tokens);
        now
    }

    pub fn give_back(&mut self, size: &Size, amount: Amount) {
        self.measure(size);
        let window = u128::from(self.window);
        let rest = |parts: u128, amount: u64| parts.saturating_sub(u128::from(amount) * window);
        self.requests = rest(self.requests, amount.requests);
        self.tokens = rest(self.tokens, amount.tokens);
    }

    pub fn wait_for(&mut self, size: &Size, wanted: Amount, now: Nanos) -> Nanos {
        self.refill(size, now);
        let window = u128::from(self.window);
        let wait = |limit: Option<u64>, parts: u128, wanted: u64| match limit {
            Some(limit) if wanted > 0 => {
                let limit = u128::from(limit);
                let needed = parts.saturating_add(u128::from(wanted) * window);
                nanos(needed.saturating_sub(limit * window), limit)
            }
            _ => 0,
        };
        let requests = wait(size.requests, self.requests, wanted.requests);
        requests.max(wait(size.tokens, self.tokens, wanted.tokens))
    }

    pub fn resets_in(&mut self, size: &Size, now: Nanos) -> Nanos {
        self.refill(size, now);
        let full = |limit: Option<u64>, parts: u128| {
            limit.map_or(0, |limit| nanos(parts, u128::from(limit)))
        };
        full(size.requests, self.requests).max(full(size.tokens, self.tokens))
    }

    fn refill(&mut self, size: &Size, now: Nanos) {
        self.measure(size);
        let passed = u128::from(now.saturating_sub(self.at));
        self.at = self.at.max(now);
        let rest = |limit: Option<u64>, parts: u128| match limit {
            Some(limit) => parts.saturating_sub(passed.saturating_mul(u128::from(limit))),
            None => 0,
        };
        self.requests = rest(size.requests, self.requests);
        self.tokens = rest(size.tokens, self.tokens);
    }

    /// Goes over to another window's parts: what is missing stays the same.
    fn measure(&mut self, size: &Size) {
        if self.window == size.window {
            return;
        }
        let (old, new) = (u128::from(self.window.max(1)), u128::from(size.window));
        let measured = |parts: u128| {
            let (whole, part) = (parts / old, parts % old);
            whole.saturating_mul(new).saturating_add(part * new / old)
        };
        self.requests = measured(self.requests);
        self.tokens = measured(self.tokens);
        self.window = size.window;
    }
}

/// How long it takes to refill so many parts.
fn nanos(parts: u128, limit: u128) -> Nanos {
    u64::try_from(parts.div_ceil(limit.max(1))).unwrap_or(Nanos::MAX)
}
