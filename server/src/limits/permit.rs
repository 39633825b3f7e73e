//! What a request has taken of the limits.

use tokio::time::Instant;

use super::concurrency::Place;
use super::count::Taken;
use super::shown::Shown;
use super::since;
use super::window::{Amount, Nanos};

/// A place among the requests being served, and what has been counted for it.
#[derive(Debug)]
pub struct Permit {
    _place: Place,
    taken: Vec<Taken>,
    refused: Option<Shown>,
    beginning: Instant,
}

/// The tokens that were counted for a request before it was known how many they are. Dropped unsettled, they stay as
/// they were estimated.
#[derive(Debug)]
pub struct Tokens {
    taken: Vec<Taken>,
    beginning: Instant,
}

impl Permit {
    pub(super) fn new(place: Place, beginning: Instant) -> Self {
        Self {
            _place: place,
            taken: Vec::new(),
            refused: None,
            beginning,
        }
    }

    pub(super) fn taken(&mut self) -> &mut Vec<Taken> {
        &mut self.taken
    }

    pub(super) fn refused(&mut self, shown: Shown) {
        self.refused = Some(shown);
    }

    /// How it stands with the rate that is used up first; `None`: no rate holds for the request.
    pub fn shown(&self) -> Option<Shown> {
        if self.refused.is_some() {
            return self.refused;
        }
        if self.taken.is_empty() {
            return None;
        }
        let now = since(self.beginning);
        let all = self.taken.iter();
        Shown::tightest(all.map(|taken| Shown::of(&taken.rule, &taken.count, now)))
    }

    /// What is to be settled when it is known; `None`: no rate of tokens holds.
    pub fn tokens(&mut self) -> Option<Tokens> {
        let all = self.taken.iter_mut();
        let taken: Vec<Taken> = all
            .filter_map(|taken| {
                let tokens = taken.tokens.take()?;
                let mut settled = Taken::new(&taken.rule, taken.count.clone(), Amount::default());
                settled.tokens = Some(tokens);
                Some(settled)
            })
            .collect();
        (!taken.is_empty()).then(|| Tokens::new(taken, self.beginning))
    }
}

impl Tokens {
    pub(super) fn new(taken: Vec<Taken>, beginning: Instant) -> Self {
        Self { taken, beginning }
    }

    /// It was so many. More than were counted count from now on; what was counted too many counts no more.
    pub fn settle(self, actual: u64) {
        let now = since(self.beginning);
        self.settle_at(actual, now);
    }

    pub(super) fn settle_at(self, actual: u64, now: Nanos) {
        for taken in self.taken {
            let Some((counted, at)) = taken.tokens else {
                continue;
            };
            let size = &taken.rule.size;
            let window = &mut taken.count.lock().window;
            if actual > counted {
                window.take(size, Amount::tokens(actual - counted), now);
            } else {
                window.give_back(size, Amount::tokens(counted - actual), at);
            }
        }
    }
}
