//! What belongs to one request, from its arrival to its last byte.

use std::sync::Arc;
use std::time::Duration;

use llm::chat::Losses;
use llm::error::{ApiError, ErrorSource};
use llm::simulated::Fault;
use tokio::time::Instant;

use super::moment;
use super::room::Room;
use super::secrets::Secrets;
use crate::auth::Caller;
use crate::cache::{Hit, LookUp, Origin, Slot};
use crate::limits::Permit;
use crate::policies::{Policies, Upstream};
use crate::recording::record::CacheOutcome;
use crate::recording::request::Recording;
use crate::recording::trial::Trial;
use crate::routing::InUse;
use crate::transport::Endpoint;

/// A target that is at work for a request, and the room taken there.
#[derive(Debug)]
pub(super) struct Held {
    pub in_use: InUse,
    pub _room: Room,
}

/// One request's own state. Dropping it ends the request: its place is free, its record written.
#[derive(Debug)]
pub struct Context {
    /// The snapshot that this request sees.
    pub policies: Arc<Policies>,
    pub recording: Recording,
    /// Nobody in particular, until [`admit`](super::Gateway::admit) knows better.
    pub caller: Caller,
    /// Held for as long as the request goes on.
    pub permit: Option<Permit>,
    /// Kept for as long as the request goes on: its connection is not idle.
    pub in_service: Option<Arc<()>>,
    /// The record is committed before the reply ends.
    pub durable: bool,
    /// The client's own key, where a provider may want it.
    pub client_key: Option<Arc<str>>,
    /// The target that answers.
    pub(super) held: Option<Held>,
    /// What of the request the upstream was not told that answered.
    pub losses: Losses,
    /// What the cache said, where it could be asked.
    pub cached: Option<Cached>,
}

/// Whether the answer was given before.
#[derive(Clone, Copy, Debug)]
pub struct Cached {
    pub outcome: CacheOutcome,
    /// Of a hit.
    pub age: Option<Duration>,
}

impl Context {
    pub(super) fn new(policies: Arc<Policies>, recording: Recording, durable: bool) -> Self {
        Self {
            policies,
            recording,
            caller: Caller::default(),
            permit: None,
            in_service: None,
            durable,
            client_key: None,
            held: None,
            losses: Losses::default(),
            cached: None,
        }
    }

    /// What the cache said of the request.
    pub(super) fn looked_up(&mut self, found: &LookUp) {
        self.recording.cache(found.outcome);
        self.cached = Some(Cached {
            outcome: found.outcome,
            age: found.hit.as_ref().map(|hit| hit.age),
        });
        if let Some(Hit { entry, age, .. }) = found.hit.as_deref() {
            let origin = &entry.origin;
            let (provider, model) = (origin.provider.clone(), origin.model.clone());
            let saved = (entry.tokens(), origin.cost_nanos);
            self.recording.hit(provider, model, &origin.losses, saved);
            self.losses = origin.losses.clone();
            tracing::debug!(
                requestId = %self.recording.id(),
                entry = %entry.key,
                age = age.as_secs(),
                "The answer is in the cache"
            );
        }
    }

    /// The cache was not asked, and the reply says so.
    pub(super) fn not_looked_up(&mut self) {
        self.cached = Some(Cached {
            outcome: CacheOutcome::Bypass,
            age: None,
        });
    }

    /// An attempt gave the answer.
    pub(super) fn won(&mut self, trial: &mut Trial) {
        self.recording.won(trial);
        self.losses = trial.take_losses();
    }

    /// Tells where an answer comes from that is going to be kept.
    pub(super) fn answers(&self, slot: &mut Slot) {
        if let Some(by) = self.recording.answered_by() {
            let mut upstreams = self.policies.upstreams.iter();
            let upstream = upstreams.find(|upstream| upstream.name == by.provider);
            if let Some(Endpoint::Simulated(settings)) = upstream.map(|one| &one.endpoint)
                && (settings.fault != Fault::None || by.model.contains(':'))
            {
                slot.spoil();
            }
            let origin = Origin {
                provider: by.provider,
                model: by.model,
                losses: self.losses.clone(),
                cost_nanos: by.unit_cost,
            };
            // Of an upstream that is gone nobody knows.
            let in_its_own = slot.asked_in().is_some_and(|asked_in| {
                upstream.is_none_or(|one| one.codec_for(asked_in).protocol() == asked_in)
            });
            slot.answered_by(origin, by.price, in_its_own);
        }
    }

    /// The answer broke off when it had begun.
    pub fn broke(&mut self, error: &ApiError) {
        self.recording.broke(error);
        if error.origin == ErrorSource::Provider
            && let Some(held) = &mut self.held
        {
            held.in_use.failed(error, moment::now());
        }
    }

    /// What a copy of the request belongs to.
    pub(super) fn shadow(&self) -> Self {
        Self {
            client_key: self.client_key.clone(),
            caller: self.caller.clone(),
            ..Self::new(Arc::clone(&self.policies), self.recording.shadow(), false)
        }
    }

    /// What no message about a call to this provider may show.
    pub(super) fn secrets(&self, upstream: &Arc<Upstream>) -> Secrets {
        Secrets {
            upstream: Arc::clone(upstream),
            client_key: self.client_key_for(upstream),
        }
    }

    /// The client's own key, where this provider is called with it.
    pub(super) fn client_key_for(&self, upstream: &Upstream) -> Option<Arc<str>> {
        let key = self.client_key.as_ref();
        key.filter(|_| upstream.pass_client_key).cloned()
    }

    /// All of the answer is here: its target is free.
    pub fn answered(&mut self) {
        self.held = None;
    }

    /// When the whole request has to be over.
    pub fn give_up(&self) -> Instant {
        self.recording.started() + self.policies.timeouts.total
    }
}
