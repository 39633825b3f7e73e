//! What one attempt learns while it is under way.

use std::sync::Arc;

use llm::carried::Consumption;
use llm::chat::{Losses, Usage};
use llm::error::ApiError;
use llm::pricing::{Price, UnitPrice};
use tokio::time::Instant;

use super::record::Attempt;
use super::request::micros;
use crate::budgets::Hold;

/// Who gave an answer, and what it costs.
#[derive(Clone, Debug)]
pub struct Answerer {
    pub provider: Arc<str>,
    /// The upstream's name of it.
    pub model: Arc<str>,
    /// Of tokens.
    pub price: Option<Price>,
    /// In nano-dollars, where something else is charged for.
    pub unit_cost: Option<i64>,
}

/// An attempt at one target. It belongs to nobody but whoever makes the attempt, so that two of one request can be
/// under way at the same time; a [`Recording`](super::request::Recording) takes over what it has learnt when it
/// is decided.
#[derive(Debug)]
pub struct Trial {
    /// `None` once the recording has it.
    pub(super) attempt: Option<Attempt>,
    pub(super) began: Instant,
    pub(super) price: Option<Price>,
    /// When the head of a good reply came.
    pub(super) first_byte: Option<Instant>,
    pub(super) losses: Losses,
    pub(super) usage: Option<Usage>,
    /// Of what is not charged by tokens.
    pub(super) unit_cost: Option<i64>,
    pub(super) receiving: Option<Receiving>,
    pub(super) told: Option<ApiError>,
    /// What the call may use of quotas and budgets.
    pub(super) hold: Option<Hold>,
    /// The target may have seen the request.
    pub sent: bool,
}

/// Knows how much of a body has come.
pub(super) struct Receiving(pub(super) Box<dyn Fn() -> u64 + Send>);

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Receiving").field(&(self.0)()).finish()
    }
}

impl Trial {
    /// A target is about to be called, in a request that has `started`; its `price` settles the cost if it answers.
    pub(super) fn new(
        started: Instant,
        provider: Arc<str>,
        model: Arc<str>,
        price: Option<Price>,
    ) -> Self {
        let now = Instant::now();
        Self {
            attempt: Some(Attempt {
                provider,
                model,
                started_us: micros(now - started),
                duration_us: 0,
                status: None,
                error_kind: None,
                hedged: false,
            }),
            began: now,
            price,
            first_byte: None,
            losses: Losses::default(),
            usage: None,
            unit_cost: None,
            receiving: None,
            told: None,
            hold: None,
            sent: false,
        }
    }

    /// The target is asked because another one is slow.
    pub fn hedged(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.hedged = true;
        }
    }

    /// Whether the target was asked because another one is slow; not told any more once the recording has it.
    pub fn is_hedged(&self) -> bool {
        let attempt = self.attempt.as_ref();
        attempt.is_some_and(|attempt| attempt.hedged)
    }

    /// When the attempt began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// So much was taken of quotas and budgets for the call.
    pub fn hold(&mut self, hold: Hold) {
        self.hold = Some(hold);
    }

    /// The call was not made: a quota or a budget does not suffice for it.
    pub fn refused(&mut self) {
        self.attempt = None;
    }

    /// The target has made nothing of the request.
    pub fn used_nothing(&mut self) {
        if let Some(hold) = self.hold.take() {
            hold.release();
        }
    }

    /// The head of the reply is there.
    pub fn answered(&mut self, status: u16) {
        let now = Instant::now();
        if let Some(attempt) = &mut self.attempt {
            attempt.status = Some(status);
            attempt.duration_us = micros(now - self.began);
        }
        let good = (200..300).contains(&status);
        self.first_byte = good.then_some(now);
        if !good {
            // Nobody charges for an error.
            self.used_nothing();
        }
    }

    /// The losses, for the reply's head.
    #[must_use]
    pub fn take_losses(&mut self) -> Losses {
        std::mem::take(&mut self.losses)
    }

    /// What of the request the upstream is not told.
    pub fn lost(&mut self, losses: Losses) {
        self.losses = losses;
    }

    /// What the reply consumed.
    pub fn consumed(&mut self, usage: Option<Usage>) {
        self.usage = usage;
    }

    /// What a reply consumed that is no chat: tokens, or what `unit` is the price of.
    pub fn metered(&mut self, consumption: &Consumption, unit: Option<&UnitPrice>) {
        self.usage = consumption.usage;
        self.unit_cost = unit.and_then(|unit| unit.cost(consumption));
    }

    /// The client's body is still coming, and this knows how much of it has come.
    pub fn receiving(&mut self, bytes: impl Fn() -> u64 + Send + 'static) {
        self.receiving = Some(Receiving(Box::new(bytes)));
    }

    /// The answer is an error, which the client gets in the upstream's own words.
    pub fn told(&mut self, error: ApiError) {
        self.told = Some(error);
    }
}
