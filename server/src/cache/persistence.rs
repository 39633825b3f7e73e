//! What is kept, beyond a restart: written in the background, so that no request ever waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{mpsc, oneshot};

use super::entry::Entry;
use super::kept::{Change, Kept, Observer};
use super::key::EntryKey;
use crate::store::{Store, StoreError};

/// Changes that may wait. When there are more, everything is written anew.
const WAITING: usize = 1024;
/// From one look at what there is to write to the next.
const INTERVAL: Duration = Duration::from_millis(250);

/// The task that writes. Dropped without [`end`](Self::end), what was last kept may be missing.
#[derive(Debug)]
pub struct Persistence {
    end: oneshot::Sender<oneshot::Sender<()>>,
}

struct Writer {
    store: Store,
    kept: Arc<Kept>,
    changes: mpsc::Receiver<Change>,
    tell: mpsc::Sender<Change>,
    /// What the operator wants, as far as it was looked.
    wanted: bool,
    /// Changes were lost.
    overflown: Arc<AtomicBool>,
    /// What there is in the database is what there is in memory.
    written: bool,
}

impl Persistence {
    /// Takes back what was kept, and follows what is kept from here on, for as long as `wanted` says so.
    pub async fn start(
        store: Store,
        kept: Arc<Kept>,
        wanted: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        let (tell, changes) = mpsc::channel(WAITING);
        let mut writer = Writer {
            store,
            kept,
            changes,
            tell,
            wanted: wanted(),
            overflown: Arc::default(),
            written: false,
        };
        if writer.wanted {
            match writer.restore().await {
                Ok(()) => writer.written = true,
                Err(error) => tracing::warn!(%error, "What the cache held before is lost"),
            }
            writer.follow();
        }
        let (end, ending) = oneshot::channel();
        tokio::spawn(writer.run(wanted, ending));
        Self { end }
    }

    /// Writes what is left.
    pub async fn end(self) {
        let (done, ended) = oneshot::channel();
        if self.end.send(done).is_ok() {
            // It fails only when the runtime ends.
            let _ = ended.await;
        }
    }
}

impl Writer {
    /// Is told of what changes for as long as that is wanted.
    fn follow(&self) {
        let observer = self.wanted.then(|| {
            let (tell, overflown) = (self.tell.clone(), Arc::clone(&self.overflown));
            let observer: Observer = Arc::new(move |change| {
                if tell.try_send(change).is_err() {
                    overflown.store(true, Ordering::Relaxed);
                }
            });
            observer
        });
        self.kept.observe(observer);
    }

    async fn restore(&self) -> Result<(), StoreError> {
        let now = Utc::now().timestamp_micros();
        self.store.remove_old_answers(now).await?;
        let stored = self.store.answers(now).await?;
        let mut left = self.kept.max_bytes();
        let entries = stored.iter().filter_map(Entry::of_stored);
        let fitting = entries.take_while(|entry| match left.checked_sub(entry.bytes) {
            Some(less) => {
                left = less;
                true
            }
            None => false,
        });
        self.kept.restore(fitting.collect());
        Ok(())
    }

    async fn run(
        mut self,
        wanted: impl Fn() -> bool + Send,
        mut ending: oneshot::Receiver<oneshot::Sender<()>>,
    ) {
        // Nothing is left of what the operator does not want there.
        self.write_and_warn(!self.written).await;
        loop {
            tokio::select! {
                done = &mut ending => {
                    self.look(wanted()).await;
                    if let Ok(done) = done {
                        let _ = done.send(());
                    }
                    return;
                }
                () = tokio::time::sleep(INTERVAL) => self.look(wanted()).await,
            }
        }
    }

    /// Writes what has changed.
    async fn look(&mut self, wanted: bool) {
        let before = std::mem::replace(&mut self.wanted, wanted);
        if before != wanted {
            self.follow();
        }
        self.write_and_warn(before != wanted).await;
    }

    async fn write_and_warn(&mut self, all: bool) {
        if let Err(error) = self.write(all).await {
            tracing::warn!(%error, "What the cache holds could not be written");
            self.overflown.store(true, Ordering::Relaxed);
        }
    }

    async fn write(&mut self, all: bool) -> Result<(), StoreError> {
        let mut changed: HashMap<EntryKey, Option<Arc<Entry>>> = HashMap::new();
        while let Ok(change) = self.changes.try_recv() {
            match change {
                Change::Kept(entry) => changed.insert(entry.key, Some(entry)),
                Change::Forgotten(key) => changed.insert(key, None),
            };
        }
        let all = self.overflown.swap(false, Ordering::Relaxed) || all;
        if all {
            let entries = if self.wanted {
                self.kept.all()
            } else {
                Vec::new()
            };
            let stored: Vec<_> = entries.iter().filter_map(|entry| entry.stored()).collect();
            return self.store.put_answers(&stored, &[], true).await;
        }
        if changed.is_empty() || !self.wanted {
            return Ok(());
        }
        let gone = changed.iter().filter(|(_, entry)| entry.is_none());
        let gone: Vec<_> = gone.map(|(key, _)| key.0.to_be_bytes()).collect();
        let kept = changed.values().flatten();
        let kept: Vec<_> = kept.filter_map(|entry| entry.stored()).collect();
        self.store.put_answers(&kept, &gone, false).await
    }
}
