//! What one request takes of the accounts that it counts against.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm::error::ApiError;

use super::Amount;
use super::book::Place;
use super::ledger::Ledger;
use super::refusal;

/// A request's part of its accounts. Nothing is taken until a call is to be made; when the last of its clones and
/// [`Hold`]s is gone, the request has ended: what its calls used is charged, the rest is free.
#[derive(Clone, Debug)]
pub struct Claim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ledger: Arc<Ledger>,
    places: Vec<Place>,
    /// Money is limited.
    money: bool,
    /// Tokens are limited.
    tokens: bool,
    /// The longest answer where the request says nothing, tokens.
    assumed_output: u64,
    /// A copy of a client's request is none itself.
    counts: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Its number in the ledger, once anything was taken.
    number: Option<u64>,
    covered: Amount,
    /// By calls that have ended.
    spent: Amount,
    uncertain: Amount,
    /// What the calls under way may use.
    under_way: Amount,
}

/// What one call may use of it. Dropped without a word of what was used, it is charged in full.
#[derive(Debug)]
pub struct Hold {
    claim: Claim,
    bound: Amount,
    /// The answer is a stream: it ends when nobody listens any more.
    pub stream: bool,
    ended: bool,
}

/// What is known of what a call used; where nothing is, the most that it may have been counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub tokens: Option<u64>,
    pub nanos: Option<u64>,
}

impl Claim {
    pub(super) fn new(ledger: Arc<Ledger>, places: Vec<Place>, assumed_output: u64) -> Self {
        Self(Arc::new(Shared {
            money: places
                .iter()
                .any(|place| place.allowance.cost_nanos.is_some()),
            tokens: places.iter().any(|place| place.allowance.tokens.is_some()),
            ledger,
            places,
            assumed_output,
            counts: true,
            state: Mutex::default(),
        }))
    }

    /// The claim of a copy of the request, which counts as none but costs as much.
    #[must_use]
    pub fn shadow(&self) -> Self {
        let Shared {
            ledger,
            places,
            money,
            tokens,
            assumed_output,
            ..
        } = &*self.0;
        Self(Arc::new(Shared {
            ledger: Arc::clone(ledger),
            places: places.clone(),
            money: *money,
            tokens: *tokens,
            assumed_output: *assumed_output,
            counts: false,
            state: Mutex::default(),
        }))
    }

    /// Money is limited: what has no price cannot be asked for.
    pub fn limits_money(&self) -> bool {
        self.0.money
    }

    /// What a call may use has to be known before it.
    pub fn limits_use(&self) -> bool {
        self.0.money || self.0.tokens
    }

    /// The longest answer where a request says nothing, tokens.
    pub fn assumed_output(&self) -> u64 {
        self.0.assumed_output
    }

    /// Where an answer ends to which the request sets no limit, tokens; `None`: nowhere.
    pub fn cuts_at(&self) -> Option<u64> {
        self.limits_use().then(|| self.assumed_output())
    }

    /// The name of a budget that limits money or tokens, for messages.
    pub fn strictest(&self) -> String {
        let limits = |place: &&Place| {
            place.allowance.cost_nanos.is_some() || place.allowance.tokens.is_some()
        };
        let place = self.0.places.iter().find(limits);
        place.map_or_else(String::new, |place| place.key.label())
    }

    /// Takes as much as a call may use at most, beside what the request has used and is using.
    ///
    /// # Errors
    /// An account has not so much left, or the ledger cannot be written.
    pub fn cover(&self, tokens: u64, nanos: u64, stream: bool) -> Result<Hold, ApiError> {
        let shared = &*self.0;
        let bound = Amount {
            requests: 0,
            tokens,
            nanos,
        };
        let mut state = self.state();
        let one = Amount {
            requests: u64::from(shared.counts),
            ..Amount::default()
        };
        let needed = state.spent.max(one) + state.under_way + bound;
        let covered = state.covered.max(needed);
        let taken = match state.number {
            None => shared
                .ledger
                .reserve(&shared.places, covered)
                .map(|number| {
                    state.number = Some(number);
                }),
            Some(_) if covered == state.covered => Ok(()),
            Some(number) => shared.ledger.raise(number, &shared.places, covered),
        };
        taken.map_err(|refused| refusal::error(&refused, &shared.places))?;
        state.covered = covered;
        state.under_way += bound;
        drop(state);
        Ok(Hold {
            claim: self.clone(),
            bound,
            stream,
            ended: false,
        })
    }

    /// Whether a call that may use so much would be covered. Nothing is taken.
    ///
    /// # Errors
    /// As [`cover`](Self::cover).
    pub fn would_cover(&self, tokens: u64, nanos: u64) -> Result<(), ApiError> {
        let shared = &*self.0;
        let amount = Amount {
            requests: u64::from(shared.counts),
            tokens,
            nanos,
        };
        let room = shared.ledger.has_room(&shared.places, amount);
        room.map_err(|refused| refusal::error(&refused, &shared.places))
    }

    /// The accounts that it takes from: whose, and of whom where that is counted apart.
    pub fn accounts(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        let places = self.0.places.iter();
        places.map(|place| (place.key.label(), place.key.subject.as_deref()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = state.number {
            self.ledger.settle(number, state.spent, state.uncertain);
        }
    }
}

impl Hold {
    /// The call used nothing: it was not made, or refused.
    pub fn release(mut self) {
        self.end(Amount::default(), Amount::default());
    }

    /// The call has ended.
    pub fn settle(mut self, used: Used) {
        let untold = Amount {
            requests: 0,
            tokens: used.tokens.map_or(self.bound.tokens, |_| 0),
            nanos: used.nanos.map_or(self.bound.nanos, |_| 0),
        };
        let told = Amount {
            requests: u64::from(self.claim.0.counts),
            tokens: used.tokens.unwrap_or(0),
            nanos: used.nanos.unwrap_or(0),
        };
        if told.tokens > self.bound.tokens && self.claim.0.tokens
            || told.nanos > self.bound.nanos && self.claim.0.money
        {
            tracing::warn!(
                tokens = told.tokens,
                at_most_tokens = self.bound.tokens,
                nanos = told.nanos,
                at_most_nanos = self.bound.nanos,
                "A provider charged for more than the request could cost"
            );
        }
        self.end(told + untold, untold);
    }

    fn end(&mut self, spent: Amount, uncertain: Amount) {
        self.ended = true;
        let mut state = self.claim.state();
        state.under_way -= self.bound;
        // However many calls it took, it is one request.
        let requests = state.spent.requests.max(spent.requests);
        state.spent += spent;
        state.spent.requests = requests;
        state.uncertain += uncertain;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.ended {
            let requests = u64::from(self.claim.0.counts);
            let bound = Amount {
                requests,
                ..self.bound
            };
            self.end(bound, self.bound);
        }
    }
}
