//! What belongs to one request, from its arrival to its last byte.

use std::sync::Arc;

use llm::chat::Losses;
use llm::error::{ApiError, ErrorSource};
use tokio::time::Instant;

use super::moment;
use super::room::Room;
use super::secrets::Secrets;
use crate::auth::Caller;
use crate::budgets::Claim;
use crate::limits::Permit;
use crate::policies::{Policies, Upstream};
use crate::recording::request::Recording;
use crate::recording::trial::Trial;
use crate::routing::InUse;

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
    /// What it takes of quotas and budgets.
    pub claim: Option<Claim>,
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
}

impl Context {
    pub(super) fn new(policies: Arc<Policies>, recording: Recording, durable: bool) -> Self {
        Self {
            policies,
            recording,
            caller: Caller::default(),
            permit: None,
            claim: None,
            in_service: None,
            durable,
            client_key: None,
            held: None,
            losses: Losses::default(),
        }
    }

    /// An attempt gave the answer.
    pub(super) fn won(&mut self, trial: &mut Trial) {
        self.recording.won(trial);
        self.losses = trial.take_losses();
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
