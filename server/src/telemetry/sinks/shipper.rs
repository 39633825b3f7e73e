//! The task that sends one service its entries.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use llm::chat::Losses;
use llm::codec::{ReplyForm, WireRequest};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::counts::SinkCounts;
use super::entry::Entry;
use super::pace::Pace;
use super::queue::Room;
use super::service::{Post, Service, is_passing};
use crate::config::Timeouts;
use crate::transport::{Endpoint, HttpEndpoint, Transport};

/// A batch is sent when it has so many entries, or so many bytes, or its first one has waited so long. Reverse proxies
/// tend to take 1 MB.
const MAX_ENTRIES: usize = 500;
const MAX_BYTES: usize = 512 << 10;
const INTERVAL: Duration = Duration::from_secs(1);
/// Waits before a batch is sent again.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const MAX_WAIT: Duration = Duration::from_secs(30);
/// After this long a batch is given up.
const PATIENCE: Duration = Duration::from_secs(300);
/// For one request and its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// When nothing more comes, what is left has so long to be sent.
const FLUSH: Duration = Duration::from_secs(5);
const MAX_REPLY: usize = 1 << 20;

pub(super) struct Shipper {
    service: Service,
    endpoint: Endpoint,
    transport: Transport,
    entries: mpsc::Receiver<Arc<Entry>>,
    room: Arc<Room>,
    counts: SinkCounts,
    /// Nothing more comes: what is left is sent without patience.
    hurry: CancellationToken,
    /// What the service has to have before the first batch is there.
    prepared: bool,
    /// It is being tried again.
    troubled: bool,
    /// Entries that were dropped, as far as it was said.
    said_dropped: u64,
    pace_of_drops: Pace,
    pace_of_preparing: Pace,
}

impl Shipper {
    pub fn new(
        service: Service,
        transport: Transport,
        entries: mpsc::Receiver<Arc<Entry>>,
        room: Arc<Room>,
        counts: SinkCounts,
        hurry: CancellationToken,
    ) -> Self {
        Self {
            endpoint: endpoint(&service),
            service,
            transport,
            entries,
            room,
            said_dropped: dropped(&counts),
            counts,
            hurry,
            prepared: false,
            troubled: false,
            pace_of_drops: Pace::default(),
            pace_of_preparing: Pace::default(),
        }
    }

    /// Sends what comes, until nothing more can come; then what is left, within a bounded time.
    pub async fn run(mut self) {
        let hurry = self.hurry.clone();
        let no_longer = async {
            hurry.cancelled().await;
            sleep(FLUSH).await;
        };
        tokio::select! {
            () = self.work() => {}
            () = no_longer => {}
        }
        let left = self.room.entries();
        if left > 0 {
            self.counts.waiting.dec_by(i64::try_from(left).unwrap_or(0));
            self.counts.unreached.inc_by(left as u64);
            tracing::warn!(
                sink = self.service.name(),
                entries = left,
                "Entries of the log could not be shipped in time"
            );
        }
    }

    async fn work(&mut self) {
        // At once, and not with the first entry; what goes wrong is tried again with that.
        let _ = self.prepare().await;
        while let Some(batch) = self.gather().await {
            self.deliver(batch).await;
            self.say_what_is_dropped("the queue is full");
        }
    }

    async fn gather(&mut self) -> Option<Vec<Arc<Entry>>> {
        let first = self.entries.recv().await?;
        let until = Instant::now() + INTERVAL;
        let mut bytes = first.size();
        let mut batch = vec![first];
        while batch.len() < MAX_ENTRIES && bytes < MAX_BYTES {
            let next = tokio::select! {
                next = self.entries.recv() => next,
                () = sleep_until(until) => None,
            };
            let Some(entry) = next else { break };
            bytes += entry.size();
            batch.push(entry);
        }
        Some(batch)
    }

    /// Sends a batch until all of it is taken, refused, or given up.
    async fn deliver(&mut self, mut batch: Vec<Arc<Entry>>) {
        let began = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            let is_last = self.hurry.is_cancelled() || began.elapsed() >= PATIENCE;
            let problem = match self.send_batch(&mut batch).await {
                Ok(()) => return,
                Err(problem) => problem,
            };
            if is_last {
                for entry in &batch {
                    self.room.free(entry);
                }
                self.counts.unreached.inc_by(batch.len() as u64);
                self.say_what_is_dropped(&problem);
                return;
            }
            if !self.troubled {
                self.troubled = true;
                tracing::warn!(
                    sink = self.service.name(),
                    error = problem,
                    "The log cannot be shipped just now: it is tried again"
                );
            }
            tokio::select! {
                () = sleep(scattered(wait, &batch)) => {}
                () = self.hurry.cancelled() => {}
            }
            wait = (wait * 2).min(MAX_WAIT);
        }
    }

    /// Sends a batch once.
    ///
    /// # Errors
    /// What is left in it has to be sent again.
    async fn send_batch(&mut self, batch: &mut Vec<Arc<Entry>>) -> Result<(), String> {
        self.prepare().await?;
        let (status, body) = self.send(self.service.batch(batch)).await?;
        let verdict = self.service.verdict(status, &body, batch.len());
        self.prepared = !verdict.missing;
        let (again, refused) = (verdict.again.len(), verdict.refused);
        let taken = batch.len().saturating_sub(again + refused);
        let mut kept = verdict.again.into_iter().peekable();
        let mut place = 0;
        batch.retain(|entry| {
            let is_kept = kept.next_if_eq(&place).is_some();
            place += 1;
            if !is_kept {
                self.room.free(entry);
            }
            is_kept
        });
        self.counts.shipped.inc_by(taken as u64);
        self.counts.refused.inc_by(refused as u64);
        let problem = verdict.problem.unwrap_or_default();
        if refused > 0 {
            self.say_what_is_dropped(&problem);
        }
        if !batch.is_empty() {
            return Err(problem);
        }
        if taken > 0 {
            self.recovered();
        }
        Ok(())
    }

    /// Makes what the service has to have. What it refuses for good may be there all the same: entries will show.
    async fn prepare(&mut self) -> Result<(), String> {
        if self.prepared {
            return Ok(());
        }
        if let Some(post) = self.service.preparation() {
            let (status, body) = self.send(post).await?;
            let is_there = self.service.is_prepared(status, &body);
            if !is_there && is_passing(status) {
                return Err(format!("it answers with status {}", status.as_u16()));
            }
            if !is_there && self.pace_of_preparing.is_due() {
                tracing::warn!(
                    sink = self.service.name(),
                    status = status.as_u16(),
                    "What the log is shipped into could not be made there"
                );
            }
        }
        self.prepared = true;
        Ok(())
    }

    async fn send(&self, post: Post) -> Result<(StatusCode, bytes::Bytes), String> {
        let content_type = HeaderValue::from_static(post.content_type);
        let request = WireRequest {
            method: post.method,
            path: post.path,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: post.body.into(),
            losses: Losses::default(),
            form: ReplyForm::default(),
        };
        let give_up = Instant::now() + TIMEOUT;
        let timeouts = Timeouts::default();
        let sent = self
            .transport
            .send(&self.endpoint, request, &timeouts, give_up)
            .await;
        let reply = sent.map_err(|error| error.to_string())?;
        let status = reply.status;
        let body = reply.body.collect(MAX_REPLY).await;
        Ok((status, body.map_err(|error| error.to_string())?))
    }

    fn recovered(&mut self) {
        if self.troubled {
            self.troubled = false;
            tracing::info!(
                sink = self.service.name(),
                dropped = dropped(&self.counts),
                "The log is shipped again"
            );
        }
    }

    fn say_what_is_dropped(&mut self, why: &str) {
        let dropped = dropped(&self.counts);
        if dropped > self.said_dropped && self.pace_of_drops.is_due() {
            tracing::warn!(
                sink = self.service.name(),
                dropped,
                error = why,
                "Entries of the log are not shipped: they are dropped"
            );
            self.said_dropped = dropped;
        }
    }
}

fn dropped(counts: &SinkCounts) -> u64 {
    counts.overflowed.get() + counts.refused.get() + counts.unreached.get()
}

/// Up to half of it less, so that not all gateways come at the same time.
fn scattered(wait: Duration, batch: &[Arc<Entry>]) -> Duration {
    let chance = batch.first().map_or(0, |entry| entry.id.as_bytes()[15]);
    wait - wait / 2 * u32::from(chance) / 256
}

fn endpoint(service: &Service) -> Endpoint {
    let address = service.address();
    let agent = concat!("ai-gateway/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::from_iter([
        (HOST, address.origin.host_header().clone()),
        (USER_AGENT, HeaderValue::from_static(agent)),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ]);
    headers.extend(service.credentials());
    Endpoint::Http(HttpEndpoint {
        origin: address.origin.clone(),
        base_path: address.path.clone(),
        headers,
    })
}
