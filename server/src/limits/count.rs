//! What is used of one rate by one subject, and how several are taken together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::policies::Algorithm;

use super::rule::Rule;
use super::window::{Amount, Nanos, Room, Size, Window};

/// Requests lock those that they need in the order of these numbers: none waits for one that waits for it.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// One subject's count.
#[derive(Debug)]
pub(super) struct Count {
    number: u64,
    counted: Mutex<Counted>,
}

#[derive(Debug)]
pub(super) struct Counted {
    pub window: Window,
    /// Requests that found no room.
    pub refused: u64,
}

/// A request's part of one count.
#[derive(Debug)]
pub(super) struct Taken {
    pub rule: Arc<Rule>,
    pub count: Arc<Count>,
    /// What it wants next.
    pub wanted: Amount,
    /// When the request was counted, if it has been.
    pub request: Option<Nanos>,
    /// The tokens that were counted for it, and when.
    pub tokens: Option<(u64, Nanos)>,
}

/// Why a request is refused: of the rates that have no room the one that has none for longest.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub rule: Arc<Rule>,
    pub wanted: Amount,
    pub used: Amount,
    pub room: Room,
}

impl Count {
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            counted: Mutex::new(Counted {
                window: Window::new(algorithm),
                refused: 0,
            }),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_idle(&self, size: &Size, now: Nanos) -> bool {
        self.lock().window.is_idle(size, now)
    }
}

impl Taken {
    pub fn new(rule: &Arc<Rule>, count: Arc<Count>, wanted: Amount) -> Self {
        Self {
            rule: Arc::clone(rule),
            count,
            wanted,
            request: None,
            tokens: None,
        }
    }

    /// The request is not counted any more.
    pub fn give_back(&self) {
        let size = &self.rule.size;
        let mut counted = self.count.lock();
        if let Some(at) = self.request {
            counted.window.give_back(size, Amount::REQUEST, at);
        }
        if let Some((tokens, at)) = self.tokens {
            counted.window.give_back(size, Amount::tokens(tokens), at);
        }
    }

    fn note(&mut self, at: Nanos) {
        if self.wanted.requests > 0 {
            self.request = Some(at);
        }
        if self.wanted.tokens > 0 {
            self.tokens = Some((self.wanted.tokens, at));
        }
        self.wanted = Amount::default();
    }
}

/// Takes what is wanted of all counts, or nothing of any.
pub(super) fn take(all: &mut [Taken], now: Nanos) -> Result<(), Refused> {
    all.sort_unstable_by_key(|taken| taken.count.number);
    match take_rest(all, now, None) {
        None => Ok(()),
        Some(refused) => Err(refused),
    }
}

/// Each call holds one lock while the others are taken: only the innermost knows whether there is room everywhere.
fn take_rest(rest: &mut [Taken], now: Nanos, refused: Option<Refused>) -> Option<Refused> {
    let Some((first, rest)) = rest.split_first_mut() else {
        return refused;
    };
    if first.wanted == Amount::default() {
        return take_rest(rest, now, refused);
    }
    let size = &first.rule.size;
    let mut counted = first.count.lock();
    let room = counted.window.room(size, first.wanted, now);
    let refused = match room {
        Room::Now => refused,
        room if refused.as_ref().is_some_and(|other| other.room >= room) => refused,
        room => Some(Refused {
            rule: Arc::clone(&first.rule),
            wanted: first.wanted,
            used: counted.window.used(size, now),
            room,
        }),
    };
    let refused = take_rest(rest, now, refused);
    if refused.is_none() {
        let at = counted.window.take(size, first.wanted, now);
        drop(counted);
        first.note(at);
    } else if room != Room::Now {
        counted.refused += 1;
    }
    refused
}
