//! How much of a rate is used, as time goes by. Time comes in: it is counted in nanoseconds from a beginning that all
//! share. A moment that is earlier than one that was seen before is taken for that one.

mod bucket;
mod fixed;
mod sliding;
#[cfg(test)]
mod tests;

use shared::policies::{Algorithm, Rate};

use self::bucket::Bucket;
use self::fixed::Fixed;
use self::sliding::Sliding;

/// Nanoseconds.
pub type Nanos = u64;

const SECOND: Nanos = 1_000_000_000;

/// What requests take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub requests: u64,
    pub tokens: u64,
}

/// How much there is in a window; `None`: as much as anybody likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub requests: Option<u64>,
    pub tokens: Option<u64>,
    /// At least 1.
    pub window: Nanos,
}

/// Whether an amount can be taken; what comes later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    Now,
    /// Not before so long, if nobody takes any until then.
    In(Nanos),
    /// It is more than there ever is. So long it takes until all of that is there.
    Never(Nanos),
}

/// What is used of one rate.
#[derive(Clone, Debug)]
pub enum Window {
    Fixed(Fixed),
    Sliding(Sliding),
    Bucket(Bucket),
}

impl Amount {
    pub const REQUEST: Self = Self {
        requests: 1,
        tokens: 0,
    };

    pub fn tokens(tokens: u64) -> Self {
        Self {
            requests: 0,
            tokens,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    /// What is left of it; nothing at least.
    fn less(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            tokens: self.tokens.saturating_sub(other.tokens),
        }
    }

    fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl Size {
    pub fn of(rate: &Rate) -> Self {
        Self {
            requests: rate.requests,
            tokens: rate.tokens,
            window: rate.window_seconds.saturating_mul(SECOND).max(1),
        }
    }

    /// Whether so much may be used at the same time. What is not asked for is not looked at.
    fn holds(&self, used: Amount, wanted: Amount) -> bool {
        let fits = |size: Option<u64>, used: u64, wanted: u64| {
            wanted == 0 || size.is_none_or(|size| used.saturating_add(wanted) <= size)
        };
        fits(self.requests, used.requests, wanted.requests)
            && fits(self.tokens, used.tokens, wanted.tokens)
    }
}

impl Window {
    /// Of which nothing is used.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::FixedWindow => Self::Fixed(Fixed::default()),
            Algorithm::SlidingWindow => Self::Sliding(Sliding::default()),
            Algorithm::TokenBucket => Self::Bucket(Bucket::default()),
        }
    }

    /// What is used at this moment. Of tokens that can be more than there are: what an answer takes is known
    /// afterwards.
    pub fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        match self {
            Self::Fixed(fixed) => fixed.used(size, now),
            Self::Sliding(sliding) => sliding.used(size, now),
            Self::Bucket(bucket) => bucket.used(size, now),
        }
    }

    /// Whether `wanted` can be taken.
    pub fn room(&mut self, size: &Size, wanted: Amount, now: Nanos) -> Room {
        let fits = match self {
            Self::Bucket(bucket) => bucket.holds(size, wanted, now),
            _ => size.holds(self.used(size, now), wanted),
        };
        if fits {
            return Room::Now;
        }
        if !size.holds(Amount::default(), wanted) {
            return Room::Never(self.resets_in(size, now).max(1));
        }
        let wait = match self {
            Self::Fixed(fixed) => fixed.resets_in(size, now),
            Self::Sliding(sliding) => sliding.wait_for(size, wanted, now),
            Self::Bucket(bucket) => bucket.wait_for(size, wanted, now),
        };
        Room::In(wait.max(1))
    }

    /// Takes it, whether there is room or not. Gives the moment that it counts from, by which it can be given back.
    pub fn take(&mut self, size: &Size, amount: Amount, now: Nanos) -> Nanos {
        match self {
            Self::Fixed(fixed) => fixed.take(size, amount, now),
            Self::Sliding(sliding) => sliding.take(size, amount, now),
            Self::Bucket(bucket) => bucket.take(size, amount, now),
        }
    }

    /// Undoes that of `amount` which was taken at `taken`, as far as it still counts.
    pub fn give_back(&mut self, size: &Size, amount: Amount, taken: Nanos) {
        match self {
            Self::Fixed(fixed) => fixed.give_back(amount, taken),
            Self::Sliding(sliding) => sliding.give_back(size, amount, taken),
            Self::Bucket(bucket) => bucket.give_back(size, amount),
        }
    }

    /// How long it takes until all is there again.
    pub fn resets_in(&mut self, size: &Size, now: Nanos) -> Nanos {
        match self {
            Self::Fixed(fixed) => fixed.resets_in(size, now),
            Self::Sliding(sliding) => sliding.resets_in(size, now),
            Self::Bucket(bucket) => bucket.resets_in(size, now),
        }
    }

    /// Nothing is used: a new one would do as well.
    pub fn is_idle(&mut self, size: &Size, now: Nanos) -> bool {
        self.resets_in(size, now) == 0
    }
}
