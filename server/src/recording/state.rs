//! What recorder and writer share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tracing::error;

use super::record::RequestRecord;
use super::spool::Spool;
use crate::store::Retention;

/// Between two log lines about lost records, seconds.
const LOSS_LOG_S: u64 = 10;

/// Is shown every record.
pub type Observer = Box<dyn Fn(&RequestRecord) + Send + Sync>;

pub(super) struct State {
    observer: OnceLock<Observer>,
    pub(super) written: AtomicU64,
    /// What the spool held when it was last touched.
    pub(super) spooled: AtomicU64,
    lost: AtomicU64,
    /// Wakes a writer that is gathering a batch.
    pub(super) hurry: Notify,
    trouble: Mutex<Option<String>>,
    spool: Mutex<Spool>,
    retention: Mutex<Retention>,
    started: Instant,
    /// When a loss was last logged: seconds since `started`, plus one; zero for never.
    loss_logged_s: AtomicU64,
}

impl State {
    pub(super) fn new(spool: Spool, retention: Retention) -> Self {
        Self {
            observer: OnceLock::new(),
            written: AtomicU64::new(0),
            spooled: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            hurry: Notify::new(),
            trouble: Mutex::new(None),
            spool: Mutex::new(spool),
            retention: Mutex::new(retention),
            started: Instant::now(),
            loss_logged_s: AtomicU64::new(0),
        }
    }

    /// For how long records are kept, from the next look at them on.
    pub(super) fn retention(&self) -> Retention {
        *self
            .retention
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep_for(&self, retention: Retention) {
        *self
            .retention
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = retention;
    }

    /// From now on this sees each record, once; the first observer stays.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    pub(super) fn show(&self, record: &RequestRecord) {
        if let Some(observer) = self.observer.get() {
            observer(record);
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts records that are gone, and says so now and then.
    pub(super) fn lose(&self, records: u64, why: &str) {
        if records == 0 {
            return;
        }
        let lost = self.lost.fetch_add(records, Ordering::Relaxed) + records;
        let now = self.started.elapsed().as_secs() + 1;
        let last = self.loss_logged_s.load(Ordering::Relaxed);
        if (last == 0 || now >= last + LOSS_LOG_S)
            && self
                .loss_logged_s
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            error!(lost, why, "request records are lost");
        }
    }

    pub(super) fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the spool; blocks while the disk does.
    pub(super) fn with_spool<T>(&self, act: impl FnOnce(&mut Spool) -> T) -> T {
        self.act(
            self.spool.lock().unwrap_or_else(PoisonError::into_inner),
            act,
        )
    }

    /// The same, unless someone else keeps the spool busy for longer than a moment.
    pub(super) fn try_with_spool<T>(&self, act: impl FnOnce(&mut Spool) -> T) -> Option<T> {
        const ATTEMPTS: u32 = 200;
        for _ in 0..ATTEMPTS {
            if let Ok(spool) = self.spool.try_lock() {
                return Some(self.act(spool, act));
            }
            std::thread::yield_now();
        }
        None
    }

    fn act<T>(&self, mut spool: MutexGuard<'_, Spool>, act: impl FnOnce(&mut Spool) -> T) -> T {
        let done = act(&mut spool);
        self.spooled.store(spool.records(), Ordering::Relaxed);
        done
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
