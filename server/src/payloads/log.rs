//! From the end of a request to the file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::Utc;
use shared::payloads::PayloadStatus;
use shared::policies::PayloadSettings;
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::capture::{Capture, Captured};
use super::split::split;
use crate::store::{PayloadStore, PayloadToStore, StoreError};

/// Payloads that may wait, and what they may take in memory.
const QUEUE: usize = 4096;
const QUEUE_BYTES: usize = 64 << 20;
/// Written together at most.
const BATCH: usize = 64;
/// How often old ones are looked for.
const TIDY: Duration = Duration::from_secs(30);
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// Takes payloads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PayloadLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: mpsc::Sender<Item>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    settings: ArcSwap<PayloadSettings>,
    store: OnceCell<PayloadStore>,
    stored: AtomicU64,
    dropped: AtomicU64,
    queued_bytes: AtomicUsize,
    trouble: Mutex<Option<String>>,
}

#[derive(Debug)]
enum Item {
    Payload(Box<Capture>),
    /// Answered when all before it are written.
    Flush(oneshot::Sender<()>),
    Tidy(oneshot::Sender<()>),
    Shutdown(oneshot::Sender<()>),
}

impl PayloadLog {
    /// Starts the task that writes. The file at `path` is made with the first payload.
    pub fn start(path: PathBuf) -> Self {
        let (queue, items) = mpsc::channel(QUEUE);
        let state = Arc::new(State {
            path,
            settings: ArcSwap::default(),
            store: OnceCell::new(),
            stored: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            queued_bytes: AtomicUsize::new(0),
            trouble: Mutex::new(None),
        });
        tokio::spawn(write(items, Arc::clone(&state)));
        Self(Arc::new(Shared { queue, state }))
    }

    /// What is kept, and how long, from now on.
    pub fn set(&self, settings: &Arc<PayloadSettings>) {
        self.0.state.settings.store(Arc::clone(settings));
    }

    pub(super) fn offer(&self, capture: Capture) {
        let state = &self.0.state;
        let size = capture.size();
        let waiting = state.queued_bytes.fetch_add(size, Ordering::Relaxed);
        let taken = waiting < QUEUE_BYTES
            && self
                .0
                .queue
                .try_send(Item::Payload(Box::new(capture)))
                .is_ok();
        if !taken {
            state.queued_bytes.fetch_sub(size, Ordering::Relaxed);
            state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is stored of a request; `None`: nothing.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn find(
        &self,
        id: uuid::Uuid,
    ) -> Result<Option<crate::store::StoredPayload>, StoreError> {
        match self.0.state.existing().await? {
            Some(store) => store.find(id).await,
            None => Ok(None),
        }
    }

    /// How it fares.
    pub async fn status(&self) -> PayloadStatus {
        let state = &self.0.state;
        let file_bytes = match state.existing().await {
            Ok(Some(store)) => store.size().await.unwrap_or(0),
            _ => 0,
        };
        PayloadStatus {
            enabled: state.settings.load().enabled,
            stored: state.stored.load(Ordering::Relaxed),
            dropped: state.dropped.load(Ordering::Relaxed),
            queued: (self.0.queue.max_capacity() - self.0.queue.capacity()) as u64,
            file_bytes,
            trouble: state.trouble().clone(),
        }
    }

    /// Stored and dropped since the start.
    pub fn counts(&self) -> (u64, u64) {
        let state = &self.0.state;
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&state.stored), load(&state.dropped))
    }

    /// Returns when all that was handed over is written, or dropped.
    pub async fn flush(&self) {
        self.ask(Item::Flush).await;
    }

    /// Deletes now what is too old or too much.
    pub async fn tidy(&self) {
        self.ask(Item::Tidy).await;
    }

    /// Writes what is queued, and ends: at most ten seconds.
    pub async fn shutdown(&self) {
        let _ = tokio::time::timeout(SHUTDOWN_WAIT, self.ask(Item::Shutdown)).await;
    }

    async fn ask(&self, item: impl FnOnce(oneshot::Sender<()>) -> Item) {
        let (done, answered) = oneshot::channel();
        if self.0.queue.send(item(done)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

impl State {
    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn store(&self) -> Result<&PayloadStore, StoreError> {
        let open = || PayloadStore::open(&self.path);
        self.store.get_or_try_init(open).await
    }

    /// `None`: nothing has been logged yet.
    async fn existing(&self) -> Result<Option<&PayloadStore>, StoreError> {
        match self.store.initialized() || Path::exists(&self.path) {
            true => self.store().await.map(Some),
            false => Ok(None),
        }
    }

    async fn keep(&self, batch: Vec<Capture>) {
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        let bytes: usize = batch.iter().map(Capture::size).sum();
        // Masking and compressing take their time: not that of requests.
        let prepared = tokio::task::spawn_blocking(move || {
            let payloads = batch.into_iter().map(prepared);
            payloads.collect::<Vec<_>>()
        });
        let written = match prepared.await {
            Ok(payloads) => match self.store().await {
                Ok(store) => store.add(&payloads).await,
                Err(error) => Err(error),
            },
            Err(_) => Err(StoreError::Corrupt("a payload".to_owned())),
        };
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        match written {
            Ok(()) => {
                self.stored.fetch_add(count, Ordering::Relaxed);
                *self.trouble() = None;
            }
            Err(error) => {
                self.dropped.fetch_add(count, Ordering::Relaxed);
                let before = self.trouble().replace(error.to_string());
                if before.is_none() {
                    tracing::warn!(%error, "Payloads cannot be written: they are dropped");
                }
            }
        }
    }

    async fn tidy(&self) {
        let settings = self.settings.load_full();
        let tidied = async {
            match self.existing().await? {
                Some(store) => {
                    store
                        .tidy(settings.retention_days, settings.max_bytes, Utc::now())
                        .await
                }
                None => Ok(()),
            }
        };
        if let Err(error) = tidied.await {
            tracing::warn!(%error, "Old payloads cannot be deleted");
        }
    }
}

async fn write(mut items: mpsc::Receiver<Item>, state: Arc<State>) {
    let mut look = tokio::time::interval(TIDY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    loop {
        batch.clear();
        tokio::select! {
            taken = items.recv_many(&mut batch, BATCH) => if taken == 0 {
                break;
            },
            _ = look.tick() => state.tidy().await,
        }
        let mut payloads = Vec::new();
        for item in batch.drain(..) {
            let done = match item {
                Item::Payload(capture) => {
                    payloads.push(*capture);
                    continue;
                }
                Item::Flush(done) => done,
                Item::Tidy(done) => {
                    state.keep(std::mem::take(&mut payloads)).await;
                    state.tidy().await;
                    done
                }
                Item::Shutdown(done) => {
                    state.keep(std::mem::take(&mut payloads)).await;
                    if let Some(store) = state.store.get() {
                        store.close().await;
                    }
                    let _ = done.send(());
                    return;
                }
            };
            state.keep(std::mem::take(&mut payloads)).await;
            let _ = done.send(());
        }
        if !payloads.is_empty() {
            state.keep(payloads).await;
        }
    }
}

/// What is stored of a capture: masked, not too long, in pieces.
fn prepared(capture: Capture) -> PayloadToStore {
    let rules = &capture.rules;
    let most = rules.max_entry;
    let streamed = matches!(capture.reply, Captured::Stream(..));
    let request = std::str::from_utf8(&capture.request).unwrap_or_default();
    let request = rules.masks.mask(request);
    let (request, request_cut) = cut(&request, most);
    let parts = split(request);
    let head = parts.head.len();
    let envelope = [parts.head, parts.tail].concat();
    let messages = parts.messages.iter().map(|text| (*text).to_owned());
    let messages = messages.collect();
    let reply = match capture.reply {
        Captured::Bytes(bytes) => text(bytes, capture.reply_cut),
        Captured::Stream(collector, _) => serde_json::to_string(&collector.finish()).ok(),
    };
    let reply = reply.map(|reply| {
        let masked = rules.masks.mask(&reply);
        let (reply, is_cut) = cut(&masked, most);
        (reply.to_owned(), is_cut)
    });
    PayloadToStore {
        id: capture.id,
        at_us: capture.at_us,
        request_bytes: capture.request_bytes,
        reply_bytes: capture.reply_bytes,
        request_cut,
        reply_cut: capture.reply_cut || reply.as_ref().is_some_and(|(_, is_cut)| *is_cut),
        streamed,
        envelope,
        head,
        messages,
        reply: reply
            .map(|(reply, _)| reply)
            .filter(|reply| !reply.is_empty()),
    }
}

/// `None`: it is no text. Of one that was cut off, the last character may not be whole.
fn text(bytes: Vec<u8>, is_cut: bool) -> Option<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if is_cut && error.utf8_error().error_len().is_none() => {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).ok()
        }
        Err(_) => None,
    }
}

fn cut(text: &str, most: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(most);
    (&text[..end], end < text.len())
}
