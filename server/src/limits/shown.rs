//! How it stands with a rate, as clients are told in headers.

use super::count::Count;
use super::rule::Rule;
use super::window::{Amount, Nanos, Room};

/// The rate that is used up first. Requests, or tokens where no rate of requests holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub limit: u64,
    pub remaining: u64,
    /// Seconds, rounded up: until there is some again where nothing remains, else until all is.
    pub reset: u64,
    tokens: bool,
}

impl Shown {
    pub(super) fn of(rule: &Rule, count: &Count, now: Nanos) -> Self {
        let size = &rule.size;
        let mut counted = count.lock();
        let used = counted.window.used(size, now);
        let (limit, used, one) = match (size.requests, size.tokens) {
            (None, Some(tokens)) => (tokens, used.tokens, Amount::tokens(1)),
            (requests, _) => (requests.unwrap_or(0), used.requests, Amount::REQUEST),
        };
        let remaining = limit.saturating_sub(used);
        let reset = match counted.window.room(size, one, now) {
            Room::In(wait) | Room::Never(wait) if remaining == 0 => wait,
            _ => counted.window.resets_in(size, now),
        };
        Self {
            limit,
            remaining,
            reset: seconds(reset),
            tokens: one.tokens > 0,
        }
    }

    /// Of a rate of which nothing is used.
    pub(super) fn unused(rule: &Rule) -> Self {
        let requests = rule.size.requests;
        let limit = requests.or(rule.size.tokens).unwrap_or(0);
        Self {
            limit,
            remaining: limit,
            reset: 0,
            tokens: requests.is_none(),
        }
    }

    /// Of a rate that has just refused somebody.
    pub(super) fn used_up(limit: u64, remaining: u64, reset: u64) -> Self {
        Self {
            limit,
            remaining,
            reset,
            tokens: false,
        }
    }

    /// The one that is used up first; of several the one that is so for longest.
    pub(super) fn tightest(all: impl Iterator<Item = Self>) -> Option<Self> {
        all.min_by_key(|shown| {
            (
                shown.tokens,
                shown.remaining,
                std::cmp::Reverse(shown.reset),
                shown.limit,
            )
        })
    }
}

/// Rounded up: earlier would be too early.
pub(super) fn seconds(nanos: Nanos) -> u64 {
    nanos.div_ceil(1_000_000_000)
}
