//! Room for one more call at a target: a slot of its own, and one of its provider's, where these are limited.

use llm::error::ApiError;
use tokio::time::Instant;

use super::slots::{Bound, Slot, SlotTable};
use crate::policies::Upstream;
use crate::routing::Candidate;

/// Held for as long as the call is under way.
#[derive(Debug)]
pub(super) struct Room {
    _slots: [Option<Slot>; 2],
}

impl Room {
    /// `None`: all that may be asked at the same time is being asked.
    pub fn find(table: &SlotTable, upstream: &Upstream, candidate: &Candidate) -> Option<Self> {
        let mut slots = [None, None];
        for (slot, (model, bound)) in slots.iter_mut().zip(bounds(upstream, candidate)) {
            if let Some(bound) = bound {
                *slot = Some(table.of(&upstream.name, model, &bound).try_take()?);
            }
        }
        Some(Self { _slots: slots })
    }

    /// Waits in the queues.
    ///
    /// # Errors
    /// `overloaded`: a queue is full, or the wait was in vain.
    pub async fn wait(
        table: &SlotTable,
        upstream: &Upstream,
        candidate: &Candidate,
        give_up: Instant,
    ) -> Result<Self, ApiError> {
        let mut slots = [None, None];
        for (slot, (model, bound)) in slots.iter_mut().zip(bounds(upstream, candidate)) {
            if let Some(bound) = bound {
                let of = table.of(&upstream.name, model, &bound);
                *slot = Some(of.take(&bound, give_up, &upstream.name).await?);
            }
        }
        Ok(Self { _slots: slots })
    }
}

/// The target's own first: who waits for that does not keep a place at the provider.
fn bounds<'c>(
    upstream: &Upstream,
    candidate: &'c Candidate,
) -> [(Option<&'c std::sync::Arc<str>>, Option<Bound>); 2] {
    let state = &candidate.state;
    let bound = |calls: u32| Bound {
        calls: calls as usize,
        queue: upstream.queue,
        queue_timeout: upstream.queue_timeout,
    };
    [
        (Some(state.model()), state.max_concurrent().map(bound)),
        (None, upstream.max_concurrent.map(bound)),
    ]
}
