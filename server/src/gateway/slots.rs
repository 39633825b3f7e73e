//! How many calls one target, or one provider, is asked at the same time, and the queue before it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use llm::error::{ApiError, ErrorKind, ErrorSource};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// A bound, as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// Calls at the same time.
    pub calls: usize,
    /// Requests that may wait for one of those to end.
    pub queue: usize,
    /// How long they wait at most.
    pub queue_timeout: Duration,
}

/// The slots of everything that has a bound. They outlive a change of the configuration, and so do the calls under
/// way that are counted in them.
#[derive(Debug, Default)]
pub(super) struct SlotTable {
    slots: Mutex<HashMap<Name, Arc<Slots>>>,
}

/// A provider, and a model of it; none: the provider as a whole.
type Name = (Arc<str>, Option<Arc<str>>);

/// The slots of one target or provider.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    /// What the semaphore has been told.
    calls: Mutex<usize>,
    /// Slots that are taken, but gone when they come back: the bound has become lower.
    owed: AtomicUsize,
    waiting: AtomicUsize,
}

/// A call's place, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    permit: Option<OwnedSemaphorePermit>,
}

impl SlotTable {
    pub fn of(&self, provider: &Arc<str>, model: Option<&Arc<str>>, bound: &Bound) -> Arc<Slots> {
        let mut table = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (provider.clone(), model.cloned());
        let slots = table.entry(key).or_insert_with(|| {
            Arc::new(Slots {
                free: Arc::new(Semaphore::new(bound.calls)),
                calls: Mutex::new(bound.calls),
                owed: AtomicUsize::new(0),
                waiting: AtomicUsize::new(0),
            })
        });
        slots.resize(bound.calls);
        Arc::clone(slots)
    }
}

impl Slots {
    fn resize(&self, calls: usize) {
        let mut told = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls < *told {
            let gone = self.free.forget_permits(*told - calls);
            self.owed.fetch_add(*told - calls - gone, Ordering::Relaxed);
        } else if calls > *told {
            let mut more = calls - *told;
            while more > 0 && self.take_owed() {
                more -= 1;
            }
            self.free.add_permits(more);
        }
        *told = calls;
    }

    fn take_owed(&self) -> bool {
        let less = |owed: usize| owed.checked_sub(1);
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        self.owed.fetch_update(set, get, less).is_ok()
    }

    /// A slot, if one is free.
    pub fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let permit = self.free.clone().try_acquire_owned().ok()?;
        Some(self.slot(permit))
    }

    /// A slot, as soon as one is free.
    ///
    /// # Errors
    /// `overloaded`: the queue is full, or the wait was in vain.
    pub async fn take(
        self: &Arc<Self>,
        bound: &Bound,
        give_up: Instant,
        provider: &str,
    ) -> Result<Slot, ApiError> {
        let full = || {
            let message = format!(
                "The provider `{provider}` is asked as much at the same time as it may be ({} calls). Try again later.",
                bound.calls
            );
            ApiError::new(ErrorKind::Overloaded, ErrorSource::Policy, message)
                .with_code("queue_full")
                .with_retry_after(bound.queue_timeout.max(Duration::from_secs(1)))
        };
        let Some(_waiting) = Waiting::begin(&self.waiting, bound.queue) else {
            return Err(full());
        };
        let late = give_up.min(Instant::now() + bound.queue_timeout);
        match tokio::time::timeout_at(late, self.free.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(self.slot(permit)),
            _ => Err(full()),
        }
    }

    fn slot(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Slot {
        Slot {
            slots: Arc::clone(self),
            permit: Some(permit),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self.slots.take_owed()
        {
            permit.forget();
        }
    }
}

/// A place in a queue.
struct Waiting<'s>(&'s AtomicUsize);

impl<'s> Waiting<'s> {
    /// `None`: the queue is full.
    fn begin(waiting: &'s AtomicUsize, queue: usize) -> Option<Self> {
        let more = |there: usize| (there < queue).then_some(there + 1);
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        waiting.fetch_update(set, get, more).ok()?;
        Some(Self(waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound {
        calls: 2,
        queue: 1,
        queue_timeout: Duration::from_millis(50),
    };

    fn slots(table: &SlotTable, calls: usize) -> Arc<Slots> {
        table.of(&"p".into(), None, &Bound { calls, ..BOUND })
    }

    #[tokio::test]
    async fn a_queue_has_an_end_in_length_and_in_time() {
        let table = SlotTable::default();
        let slots = slots(&table, 1);
        let far = Instant::now() + Duration::from_secs(3600);
        let first = slots.try_take().unwrap();
        assert!(slots.try_take().is_none());
        let began = Instant::now();
        let (second, third) =
            tokio::join!(slots.take(&BOUND, far, "p"), slots.take(&BOUND, far, "p"));
        assert!(began.elapsed() >= BOUND.queue_timeout);
        for refused in [second, third] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Overloaded);
            assert_eq!(error.retry_after, Some(Duration::from_secs(1)));
        }
        let (waited, ()) = tokio::join!(slots.take(&BOUND, far, "p"), async { drop(first) });
        waited.unwrap();
    }

    #[test]
    fn a_bound_may_change_while_calls_are_under_way() {
        let table = SlotTable::default();
        let before = slots(&table, 3);
        let taken: Vec<Slot> = (0..3).map(|_| before.try_take().unwrap()).collect();
        let lower = slots(&table, 1);
        drop(taken);
        let one = lower.try_take().unwrap();
        assert!(lower.try_take().is_none());
        let higher = slots(&table, 2);
        let two = higher.try_take().unwrap();
        assert!(higher.try_take().is_none());
        drop((one, two));
        let again: Vec<Slot> = (0..2).map(|_| higher.try_take().unwrap()).collect();
        assert!(higher.try_take().is_none());
        drop(again);
        // Lower and higher again, with all of them taken.
        let taken: Vec<Slot> = (0..2).map(|_| higher.try_take().unwrap()).collect();
        slots(&table, 1);
        let as_before = slots(&table, 2);
        drop(taken);
        let again: Vec<Slot> = (0..2).map(|_| as_before.try_take().unwrap()).collect();
        assert!(as_before.try_take().is_none());
        drop(again);
    }
}
