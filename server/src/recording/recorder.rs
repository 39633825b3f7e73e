//! The request pipeline's end of recording.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::status::RecordingStatus;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::record::RequestRecord;
use super::settings::RecordingSettings;
use super::spool::Spool;
use super::state::{Observer, State};
use super::writer::Writer;
use crate::store::{Retention, Store};

/// How long a caller of [`Recorder::record_durably`] or [`Recorder::flush`] waits at most.
const DURABLE_WAIT: Duration = Duration::from_secs(5);
/// How long [`Recorder::shutdown`] takes at most.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// Takes records. Cheap to clone; all clones feed one writer task, which ends with the last clone
/// or with [`shutdown`](Recorder::shutdown).
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    queue: mpsc::Sender<Item>,
    state: Arc<State>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        // The writer may be gathering a batch; nothing comes any more.
        self.state.hurry.notify_one();
    }
}

/// What goes through the queue, in order: little, for it is moved a few times.
#[derive(Debug)]
pub(super) enum Item {
    Record(Box<RequestRecord>),
    /// Answered when the record is committed, or on disk in the spool.
    Durable(Box<RequestRecord>, oneshot::Sender<()>),
    /// Answered when all records before it are in the database and in its rollups, or in the spool.
    Flush(oneshot::Sender<()>),
    /// As `Flush`, and the writer ends.
    Shutdown(oneshot::Sender<()>),
}

impl Recorder {
    /// Starts the writer task. Records that an earlier run left in the spool are written too.
    pub fn start(settings: RecordingSettings, store: Store) -> Self {
        let (queue, items) = mpsc::channel(settings.queue_size.max(1));
        let spool = Spool::new(settings.spool_dir.clone(), settings.spool_max_bytes);
        let retention = Retention {
            request_days: settings.retention_days,
            minute_days: settings.minute_retention_days,
            hour_days: settings.hour_retention_days,
        };
        let state = Arc::new(State::new(spool, retention));
        tokio::spawn(Writer::new(settings, store, items, Arc::clone(&state)).run());
        Self(Arc::new(Queue { queue, state }))
    }

    /// For how long records are kept from now on.
    pub fn keep_for(&self, retention: Retention) {
        self.0.state.keep_for(retention);
    }

    /// Shows every record to `observer`, once, soon after it was handed over. There is one observer: the first.
    pub fn observe(&self, observer: Observer) {
        self.0.state.observe(observer);
    }

    /// Hands a record over. Never waits, never fails: with the queue full the record goes to the
    /// spool, and what even that cannot take is counted as lost.
    pub fn record(&self, record: impl Into<Box<RequestRecord>>) {
        match self.0.queue.try_send(Item::Record(record.into())) {
            Ok(()) => {
                if self.0.queue.capacity() <= self.0.queue.max_capacity() / 2 {
                    self.0.state.hurry.notify_one();
                }
            }
            Err(refused) => self.overflow(refused),
        }
    }

    /// Hands a record over and returns when it is committed, or in the spool: at most five seconds.
    pub async fn record_durably(&self, record: impl Into<Box<RequestRecord>>) {
        let (done, committed) = oneshot::channel();
        match self.0.queue.try_send(Item::Durable(record.into(), done)) {
            Ok(()) => {
                self.0.state.hurry.notify_one();
                let _ = tokio::time::timeout(DURABLE_WAIT, committed).await;
            }
            Err(refused) => self.overflow(refused),
        }
    }

    /// Returns when everything recorded so far is in the database and in its rollups, or in the
    /// spool: at most five seconds.
    pub async fn flush(&self) {
        self.request(Item::Flush, DURABLE_WAIT).await;
    }

    /// Records that the queue has room for.
    pub fn queue_size(&self) -> usize {
        self.0.queue.max_capacity()
    }

    /// How recording fares.
    pub fn status(&self) -> RecordingStatus {
        RecordingStatus {
            written: self.0.state.written.load(Ordering::Relaxed),
            queued: (self.0.queue.max_capacity() - self.0.queue.capacity()) as u64,
            spooled: self.0.state.spooled.load(Ordering::Relaxed),
            lost: self.0.state.lost(),
            trouble: self.0.state.trouble().clone(),
        }
    }

    /// Writes all that is queued and ends the writer task: at most ten seconds. What is recorded
    /// afterwards is lost, and counted.
    pub async fn shutdown(&self) {
        self.request(Item::Shutdown, SHUTDOWN_WAIT).await;
    }

    async fn request(&self, item: impl FnOnce(oneshot::Sender<()>) -> Item, wait: Duration) {
        let (done, answered) = oneshot::channel();
        let _ = tokio::time::timeout(wait, async {
            if self.0.queue.send(item(done)).await.is_ok() {
                self.0.state.hurry.notify_one();
                let _ = answered.await;
            }
        })
        .await;
    }

    #[cold]
    fn overflow(&self, refused: TrySendError<Item>) {
        match refused {
            TrySendError::Full(Item::Record(record) | Item::Durable(record, _)) => {
                let state = &self.0.state;
                state.show(&record);
                match state.try_with_spool(|spool| spool.append(&[*record])) {
                    Some(Ok(1)) => {}
                    Some(Ok(_)) => state.lose(1, "queue and spool are full"),
                    Some(Err(error)) => state.lose(1, &error.to_string()),
                    None => state.lose(1, "the queue is full and the spool is busy"),
                }
            }
            TrySendError::Closed(_) => self.0.state.lose(1, "recording has ended"),
            // Only records are offered without waiting.
            TrySendError::Full(Item::Flush(_) | Item::Shutdown(_)) => {}
        }
    }
}
