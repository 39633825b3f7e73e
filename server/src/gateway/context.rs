//! What belongs to one request, from its arrival to its last byte.

use std::sync::Arc;

use llm::chat::Losses;
use llm::error::ApiError;
use tokio::time::Instant;

use crate::auth::Caller;
use crate::limits::Permit;
use crate::policies::Policies;
use crate::recording::request::Recording;
use crate::recording::trial::Trial;

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
    /// What of the request the upstream was not told that answered.
    pub losses: Losses,
}

impl Context {
    pub(super) fn new(policies: Arc<Policies>, recording: Recording, durable: bool) -> Self {
        Self {
            policies,
            recording,
            caller: Caller { key: None },
            permit: None,
            in_service: None,
            durable,
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
    }

    /// When the whole request has to be over.
    pub fn give_up(&self) -> Instant {
        self.recording.started() + self.policies.timeouts.total
    }
}
