//! How long each part of a call may take.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::error::TransportError;
use crate::config::Timeouts;

/// The limit for opening a connection, TLS included.
pub(super) fn connect(timeouts: &Timeouts, give_up: Instant) -> Limit {
    limit(
        timeouts,
        timeouts.connect,
        give_up,
        TransportError::ConnectTimeout,
    )
}

/// The limit for a reply's head, from now on.
pub(super) fn first_byte(timeouts: &Timeouts, give_up: Instant) -> Limit {
    limit(
        timeouts,
        timeouts.first_byte,
        give_up,
        TransportError::FirstByteTimeout,
    )
}

/// The limit for a request that is still being sent.
pub(super) fn total(timeouts: &Timeouts, give_up: Instant) -> Limit {
    Limit {
        at: give_up,
        span: timeouts.total,
        error: TransportError::TotalTimeout,
    }
}

fn limit(
    timeouts: &Timeouts,
    span: Duration,
    give_up: Instant,
    error: fn(Duration) -> TransportError,
) -> Limit {
    let at = Instant::now() + span;
    if at < give_up {
        Limit { at, span, error }
    } else {
        Limit {
            at: give_up,
            span: timeouts.total,
            error: TransportError::TotalTimeout,
        }
    }
}

/// A point in time, and what it means to reach it.
pub(super) struct Limit {
    pub at: Instant,
    span: Duration,
    error: fn(Duration) -> TransportError,
}

impl Limit {
    pub fn error(&self) -> TransportError {
        (self.error)(self.span)
    }
}

/// Watches over a reply's body. Touching it on every chunk is cheap: there is a timer only once
/// something has had to wait, and it is only moved when it fires.
pub(super) struct BodyDeadline {
    sleep: Option<Pin<Box<Sleep>>>,
    last_chunk: Instant,
    between_chunks: Duration,
    give_up: Instant,
    total: Duration,
}

impl BodyDeadline {
    pub fn new(timeouts: &Timeouts, give_up: Instant) -> Self {
        Self {
            sleep: None,
            last_chunk: Instant::now(),
            between_chunks: timeouts.between_chunks,
            give_up,
            total: timeouts.total,
        }
    }

    pub fn touch(&mut self) {
        self.last_chunk = Instant::now();
    }

    /// Ready when time is up.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let next = (self.last_chunk + self.between_chunks).min(self.give_up);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
        loop {
            std::task::ready!(sleep.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.give_up {
                return Poll::Ready(TransportError::TotalTimeout(self.total));
            }
            if now >= next {
                return Poll::Ready(TransportError::ChunkTimeout(self.between_chunks));
            }
            sleep.as_mut().reset(next);
        }
    }
}
