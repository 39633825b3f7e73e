//! All services together: what is configured, and what is handed over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::counts::Counts;
use super::entry::Entry;
use super::queue::{Intake, queue};
use super::quiet::{self, Quiet};
use super::service::{NAMES, Service};
use super::shipper::Shipper;
use crate::config::Logging;
use crate::recording::record::RequestRecord;
use crate::transport::Transport;

/// Lines that are kept until it is known where they go.
const MAX_EARLY: usize = 1000;

/// Ships entries to the services that are configured just now.
#[derive(Debug, Default)]
pub struct Shipping {
    /// Somebody may want entries.
    on: AtomicBool,
    /// Those of requests as well.
    requests: AtomicBool,
    intakes: ArcSwap<Vec<Arc<Intake>>>,
    state: Mutex<State>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct State {
    /// `None`: it has not begun, or has ended.
    transport: Option<Transport>,
    sinks: Vec<Sink>,
    /// What was logged before it began; `None`: that is past.
    early: Option<Vec<Arc<Entry>>>,
}

/// One service, and the task that sends it entries.
#[derive(Debug)]
struct Sink {
    service: Service,
    intake: Arc<Intake>,
    hurry: CancellationToken,
    task: JoinHandle<()>,
}

impl Shipping {
    /// Keeps what is logged from here on until it is known where it goes.
    pub fn keeping_early_lines() -> Self {
        let state = State {
            early: Some(Vec::new()),
            ..State::default()
        };
        Self {
            on: AtomicBool::new(true),
            state: Mutex::new(state),
            ..Self::default()
        }
    }

    /// From here on connections can be opened.
    pub fn begin(&self, transport: Transport) {
        self.state().transport = Some(transport);
    }

    /// Ships to the services of this configuration from now on. One that is as it was goes on as it is; what waits for one
    /// that is gone or changed is still sent to where it was.
    pub fn put(&self, logging: &Logging) {
        // Whatever were logged in here would come back for the same lock.
        let _meanwhile = quiet::begin();
        let mut state = self.state();
        let Some(transport) = state.transport.clone() else {
            return;
        };
        let wanted = Service::all(logging);
        let same = state.sinks.len() == wanted.len()
            && state
                .sinks
                .iter()
                .all(|sink| wanted.contains(&sink.service));
        self.requests.store(logging.requests, Ordering::Relaxed);
        if !same || state.early.is_some() {
            self.replace(&mut state, &transport, wanted);
        }
    }

    fn replace(&self, state: &mut State, transport: &Transport, wanted: Vec<Service>) {
        let mut before = std::mem::take(&mut state.sinks);
        for service in wanted {
            let same = before.iter().position(|sink| sink.service == service);
            if let Some(same) = same {
                state.sinks.push(before.swap_remove(same));
                continue;
            }
            let counts = self.counts.of(service.name());
            let (intake, room, entries) = queue(counts.clone());
            let hurry = CancellationToken::new();
            let shipper = Shipper::new(
                service.clone(),
                transport.clone(),
                entries,
                room,
                counts,
                hurry.clone(),
            );
            let task = tokio::spawn(Quiet::new(shipper.run()));
            state.sinks.push(Sink {
                service,
                intake: Arc::new(intake),
                hurry,
                task,
            });
        }
        for gone in before {
            gone.hurry.cancel();
        }
        let intakes: Vec<_> = state.sinks.iter().map(|it| it.intake.clone()).collect();
        for entry in state.early.take().unwrap_or_default() {
            for intake in &intakes {
                intake.push(&entry);
            }
        }
        self.on.store(!intakes.is_empty(), Ordering::Relaxed);
        self.intakes.store(Arc::new(intakes));
    }

    /// Whether entries are wanted at all.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Hands an entry over. Never waits: what there is no room for is dropped, and counted.
    pub fn ship(&self, entry: Entry) {
        let entry = Arc::new(entry);
        let intakes = self.intakes.load();
        if intakes.is_empty() {
            let mut state = self.state();
            if let Some(early) = &mut state.early
                && early.len() < MAX_EARLY
            {
                early.push(entry);
            }
            return;
        }
        for intake in intakes.iter() {
            intake.push(&entry);
        }
    }

    /// A request has ended.
    pub fn request(&self, record: &RequestRecord) {
        if self.is_on() && self.requests.load(Ordering::Relaxed) {
            self.ship(Entry::of_record(record));
        }
    }

    /// Sends what is left, within a bounded time; nothing is taken any more.
    pub async fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
        let sinks = {
            let mut state = self.state();
            state.transport = None;
            state.early = None;
            std::mem::take(&mut state.sinks)
        };
        self.intakes.store(Arc::default());
        let tasks = sinks.into_iter().map(|sink| {
            sink.hurry.cancel();
            sink.task
        });
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            let _ = task.await;
        }
    }

    /// Counts for Prometheus.
    pub fn register(&self, registry: &mut Registry) {
        for name in NAMES {
            self.counts.of(name);
        }
        self.counts.register(registry);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
