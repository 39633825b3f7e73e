//! Equal requests at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::entry::Entry;
use super::key::EntryKey;

/// The calls under way whose answers others wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    open: Arc<Mutex<HashMap<EntryKey, watch::Receiver<State>>>>,
}

/// How a call stands.
#[derive(Clone, Debug, Default)]
pub(super) enum State {
    #[default]
    UnderWay,
    Landed(Arc<Entry>),
    /// It gave no answer that could be given again.
    Failed,
}

/// What a request is that comes while others may be under way.
pub(super) enum Joined {
    /// The first: it asks for all.
    First(Flight),
    /// Another one asks.
    Waiting(watch::Receiver<State>),
}

/// A call that others may wait for. Dropped before it has landed or failed, the next one asks for all.
#[derive(Debug)]
pub(super) struct Flight {
    key: EntryKey,
    flights: Flights,
    state: watch::Sender<State>,
}

impl Flights {
    pub fn join(&self, key: EntryKey) -> Joined {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = open.get(&key) {
            return Joined::Waiting(state.clone());
        }
        let (state, watched) = watch::channel(State::default());
        open.insert(key, watched);
        Joined::First(Flight {
            key,
            flights: self.clone(),
            state,
        })
    }
}

/// Waits until a call has ended; `None`: its client has gone.
pub(super) async fn end(mut state: watch::Receiver<State>) -> Option<State> {
    let ended = state
        .wait_for(|state| !matches!(state, State::UnderWay))
        .await;
    ended.ok().map(|state| state.clone())
}

impl Flight {
    pub fn landed(self, entry: Arc<Entry>) {
        self.state.send_replace(State::Landed(entry));
    }

    pub fn failed(self) {
        self.state.send_replace(State::Failed);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let open = self.flights.open.lock();
        open.unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
