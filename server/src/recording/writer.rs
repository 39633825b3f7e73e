//! The one task that writes to the database.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::record::RequestRecord;
use super::recorder::Item;
use super::settings::RecordingSettings;
use super::spool::SegmentReader;
use super::state::State;
use crate::store::{Committed, PendingRollups, Rollups, Store, StoreError};

/// Records a transaction has at most.
const MAX_BATCH: usize = 1000;
/// How far rollups lag behind rows.
const ROLLUP_INTERVAL: Duration = Duration::from_secs(1);
/// While the database does not take records: the first pause, which doubles up to the last.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(10);
const SPOOL_RETRY: Duration = Duration::from_secs(1);
/// Without traffic, how often the file is looked after.
const IDLE_CHECK: Duration = Duration::from_secs(10);
const RETENTION_INTERVAL: Duration = Duration::from_secs(3600);
const RETENTION_RETRY: Duration = Duration::from_secs(60);
/// Not while the process is busy starting.
const FIRST_RETENTION: Duration = Duration::from_secs(60);
/// How often it is looked whether there are days to be summed up.
const DAYS_INTERVAL: Duration = Duration::from_secs(600);
const DAYS_RETRY: Duration = Duration::from_secs(60);
/// Between two days, so that a database that is new to it keeps nobody waiting.
const NEXT_DAY: Duration = Duration::from_millis(50);

/// The one task that writes to the database.
pub(super) struct Writer {
    settings: RecordingSettings,
    store: Store,
    queue: mpsc::Receiver<Item>,
    state: Arc<State>,
    pending: PendingRollups,
    /// Taken from the queue.
    items: Vec<Item>,
    /// Neither in the database nor in the spool yet.
    batch: Vec<RequestRecord>,
    /// To be answered when `batch` is empty.
    waiting: Vec<oneshot::Sender<()>>,
    /// A flush was asked for.
    flush: bool,
    /// The queue is closed.
    ended: bool,
    retry: Option<Retry>,
    /// The spool failed: not again before this.
    spool_at: Instant,
    replay: Option<SegmentReader>,
    rolled_up_at: Instant,
    checked_at: Instant,
    retention_at: Instant,
    days_at: Instant,
}

/// The database did not take records.
struct Retry {
    at: Instant,
    pause: Duration,
}

impl Writer {
    pub(super) fn new(
        settings: RecordingSettings,
        store: Store,
        queue: mpsc::Receiver<Item>,
        state: Arc<State>,
    ) -> Self {
        let now = Instant::now();
        Self {
            settings,
            store,
            queue,
            state,
            pending: PendingRollups::default(),
            items: Vec::new(),
            batch: Vec::new(),
            waiting: Vec::new(),
            flush: false,
            ended: false,
            retry: None,
            spool_at: now,
            replay: None,
            rolled_up_at: now,
            checked_at: now,
            retention_at: now + FIRST_RETENTION,
            days_at: now + FIRST_RETENTION,
        }
    }

    /// Runs until it is told to shut down, or all recorders are gone.
    pub(super) async fn run(mut self) {
        self.adopt_leftovers().await;
        // Rows of before are read now, while there are few: from then on memory tells what the rollups lack.
        self.commit(&Arc::default(), Rollups::Now).await;
        while !self.ended {
            self.gather().await;
            self.write_queue().await;
            match &self.retry {
                None => self.replay_some().await,
                Some(retry) if retry.at <= Instant::now() => self.retry().await,
                Some(_) => continue,
            }
            self.keep_house().await;
        }
        self.finish().await;
    }

    /// Waits for work: the first record, then for others to come with it; or for the time of the
    /// next duty.
    async fn gather(&mut self) {
        let next_duty = self.next_duty();
        tokio::select! {
            biased;
            taken = self.queue.recv_many(&mut self.items, MAX_BATCH) => {
                self.ended = taken == 0;
            }
            () = sleep_until(next_duty) => return,
        }
        let hurry = self.settings.flush_interval.is_zero()
            || self
                .items
                .iter()
                .any(|item| !matches!(item, Item::Record(_)));
        if !hurry && !self.ended {
            tokio::select! {
                () = sleep(self.settings.flush_interval) => {}
                () = self.state.hurry.notified() => {}
            }
        }
    }

    fn next_duty(&self) -> Instant {
        if let Some(retry) = &self.retry {
            return retry.at;
        }
        if self.state.spooled.load(Ordering::Relaxed) > 0 || self.replay.is_some() {
            return Instant::now();
        }
        let mut next = self.retention_at.min(self.checked_at + IDLE_CHECK);
        next = next.min(self.days_at);
        if self.pending.is_due() {
            next = next.min(self.rolled_up_at + ROLLUP_INTERVAL);
        }
        next
    }

    /// Writes all that is in the queue by now.
    async fn write_queue(&mut self) {
        loop {
            while self.items.len() + self.batch.len() < MAX_BATCH
                && let Ok(item) = self.queue.try_recv()
            {
                self.items.push(item);
            }
            let full = self.items.len() + self.batch.len() >= MAX_BATCH;
            self.sort_items();
            if self.batch.is_empty() && !self.flush {
                self.answer();
                return;
            }
            self.write_batch().await;
            // What came while this was written waits for the next interval, unless it is a batch of
            // its own; at the end all of it goes.
            let more = full && self.retry.is_none();
            if !more && !self.ended {
                break;
            }
        }
        self.items.shrink_to(MAX_BATCH / 4);
        self.batch.shrink_to(MAX_BATCH / 4);
    }

    fn sort_items(&mut self) {
        for item in self.items.drain(..) {
            match item {
                Item::Record(record) => {
                    self.state.show(&record);
                    self.batch.push(*record);
                }
                Item::Durable(record, done) => {
                    self.state.show(&record);
                    self.batch.push(*record);
                    self.waiting.push(done);
                }
                Item::Flush(done) => {
                    self.waiting.push(done);
                    self.flush = true;
                }
                Item::Shutdown(done) => {
                    self.waiting.push(done);
                    self.flush = true;
                    self.ended = true;
                    // What is in the queue can still be taken.
                    self.queue.close();
                }
            }
        }
    }

    /// Writes the batch to the database or, failing that, to the spool.
    async fn write_batch(&mut self) {
        let now = Instant::now();
        if self.batch.is_empty()
            && let Some(retry) = &mut self.retry
        {
            // Nothing to try it with here: `retry` does.
            retry.at = now;
            self.flush = false;
            self.answer();
            return;
        }
        if self.flush || self.retry.as_ref().is_none_or(|retry| retry.at <= now) {
            let batch = Arc::new(std::mem::take(&mut self.batch));
            let written = self.commit(&batch, self.rollups()).await;
            self.batch = Arc::unwrap_or_clone(batch);
            if written {
                self.batch.clear();
                self.flush = false;
                self.answer();
                return;
            }
        }
        self.spool_batch().await;
        self.flush = false;
    }

    fn rollups(&self) -> Rollups {
        if self.flush || self.ended || self.rolled_up_at.elapsed() >= ROLLUP_INTERVAL {
            Rollups::Now
        } else {
            Rollups::Later
        }
    }

    /// Whether the database took the records.
    async fn commit(&mut self, records: &Arc<Vec<RequestRecord>>, rollups: Rollups) -> bool {
        match self.try_commit(records, rollups).await {
            Ok(committed) => {
                self.state
                    .written
                    .fetch_add(committed.inserted, Ordering::Relaxed);
                if self.retry.take().is_some() {
                    *self.state.trouble() = None;
                    info!("the database takes records again");
                }
                true
            }
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }

    async fn try_commit(
        &mut self,
        records: &Arc<Vec<RequestRecord>>,
        rollups: Rollups,
    ) -> Result<Committed, StoreError> {
        self.follow_file().await?;
        let mut done = self
            .store
            .commit(records, &mut self.pending, rollups)
            .await?;
        if rollups == Rollups::Now {
            while !done.rolled_up {
                done.rolled_up = self
                    .store
                    .commit(&Arc::default(), &mut self.pending, rollups)
                    .await
                    // The rows are in; rollups can wait.
                    .map_or(true, |more| more.rolled_up);
            }
            self.rolled_up_at = Instant::now();
        }
        Ok(done)
    }

    async fn follow_file(&mut self) -> Result<(), StoreError> {
        self.checked_at = Instant::now();
        if self.store.follow_file().await? {
            self.pending = PendingRollups::default();
        }
        Ok(())
    }

    fn fail(&mut self, error: &StoreError) {
        let pause = match &self.retry {
            None => {
                warn!(%error, "the database does not take records: they wait on disk");
                FIRST_RETRY
            }
            Some(retry) => (retry.pause * 2).min(LAST_RETRY),
        };
        *self.state.trouble() = Some(error.to_string());
        self.replay = None;
        self.retry = Some(Retry {
            at: Instant::now() + pause,
            pause,
        });
    }

    /// Moves the batch to disk. What finds no place there stays in memory, as much as the queue
    /// may hold; more is lost, the oldest first.
    async fn spool_batch(&mut self) {
        let now = Instant::now();
        if self.ended || self.spool_at <= now {
            let state = Arc::clone(&self.state);
            let batch = std::mem::take(&mut self.batch);
            self.batch = blocking(move || to_spool(&state, batch)).await;
            if !self.batch.is_empty() {
                self.spool_at = now + SPOOL_RETRY;
            }
        }
        let room = if self.ended {
            0
        } else {
            self.settings.queue_size
        };
        let surplus = self.batch.len().saturating_sub(room);
        if surplus > 0 {
            self.batch.drain(..surplus);
            self.state.lose(
                surplus as u64,
                "neither the database, nor the spool, nor memory has room for them",
            );
        }
        self.answer();
    }

    fn answer(&mut self) {
        if self.batch.is_empty() {
            for done in self.waiting.drain(..) {
                let _ = done.send(());
            }
        }
    }

    async fn adopt_leftovers(&self) {
        let state = Arc::clone(&self.state);
        if let Err(error) =
            blocking(move || state.with_spool(|spool| spool.adopt_leftovers())).await
        {
            warn!(%error, folder = %self.settings.spool_dir.display(), "the spool cannot be read");
        }
    }

    /// Writes the next part of the spool to the database.
    async fn replay_some(&mut self) {
        if self.state.spooled.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(mut reader) = self.open_segment().await else {
            return;
        };
        let records = Arc::new(reader.next(MAX_BATCH));
        if !records.is_empty() {
            if self.commit(&records, self.rollups()).await {
                self.replay = Some(reader);
            }
            return;
        }
        self.state.lose(reader.damaged, "damaged in the spool");
        let state = Arc::clone(&self.state);
        let removed =
            blocking(move || state.with_spool(|spool| spool.remove(&reader.segment))).await;
        if let Err(error) = removed {
            // Written again at the next start, where every record is found to be there already.
            warn!(%error, "a file of the spool cannot be removed");
        }
    }

    async fn open_segment(&mut self) -> Option<SegmentReader> {
        if let Some(reader) = self.replay.take() {
            return Some(reader);
        }
        let state = Arc::clone(&self.state);
        blocking(move || {
            let segment = state.with_spool(|spool| spool.oldest())?;
            SegmentReader::open(segment.clone())
                .inspect_err(|error| {
                    state.with_spool(|spool| spool.forget(&segment));
                    // One that is gone has been written by another gateway that shares the folder:
                    // whoever has written a segment removes it.
                    if error.kind() != ErrorKind::NotFound {
                        state.lose(
                            segment.records,
                            &format!("the spool cannot be read: {error}"),
                        );
                    }
                })
                .ok()
        })
        .await
    }

    /// Tries whether the database takes records again, with records: an empty transaction succeeds
    /// on a full disk.
    async fn retry(&mut self) {
        if !self.batch.is_empty() {
            self.write_batch().await;
        } else if self.state.spooled.load(Ordering::Relaxed) > 0 {
            self.replay_some().await;
        } else {
            self.commit(&Arc::default(), Rollups::Now).await;
        }
    }

    /// What is due apart from writing records.
    async fn keep_house(&mut self) {
        let now = Instant::now();
        if self.retry.is_some() {
            return;
        }
        if self.pending.is_due() && self.rolled_up_at + ROLLUP_INTERVAL <= now {
            self.commit(&Arc::default(), Rollups::Now).await;
        } else if self.checked_at + IDLE_CHECK <= now
            && let Err(error) = self.follow_file().await
        {
            self.fail(&error);
        } else if self.retention_at <= now {
            self.delete_old().await;
        } else if self.days_at <= now {
            self.sum_up_day().await;
        }
    }

    /// The last rollups, and a last attempt at what is still in memory.
    async fn finish(&mut self) {
        self.flush = true;
        if self.pending.is_due() || !self.batch.is_empty() {
            self.write_batch().await;
        }
        self.answer();
    }

    async fn delete_old(&mut self) {
        let retention = self.state.retention();
        match self.store.delete_old(retention, Utc::now()).await {
            // The rest after the queue has been looked at.
            Ok(true) => {}
            Ok(false) => self.retention_at = Instant::now() + RETENTION_INTERVAL,
            Err(error) => {
                warn!(%error, "old records could not be deleted");
                self.retention_at = Instant::now() + RETENTION_RETRY;
            }
        }
    }

    async fn sum_up_day(&mut self) {
        let pause = match self.store.sum_up_day(Utc::now()).await {
            // The next one after the queue has been looked at.
            Ok(true) => NEXT_DAY,
            Ok(false) => DAYS_INTERVAL,
            Err(error) => {
                warn!(%error, "the sums of a day could not be written");
                DAYS_RETRY
            }
        };
        self.days_at = Instant::now() + pause;
    }
}

/// Returns what found no place.
fn to_spool(state: &State, mut batch: Vec<RequestRecord>) -> Vec<RequestRecord> {
    while !batch.is_empty() {
        let part = &batch[..batch.len().min(MAX_BATCH)];
        match state.with_spool(|spool| spool.append(part)) {
            Ok(0) => {
                warn!("the spool is full: records wait in memory");
                break;
            }
            Ok(stored) => {
                batch.drain(..stored);
            }
            Err(error) => {
                warn!(%error, "the spool cannot be written: records wait in memory");
                break;
            }
        }
    }
    batch
}

/// Runs what waits for the disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .expect("work on the spool does not panic")
}
