//! Figures that come at any moment of rendering: a page has them, or says why not.
//!
//! Leptos spawns a task whenever rendering meets data that is still under way, in the middle of
//! whatever reads it. These tests hold rendering up at one such place after the other while another
//! thread brings the data.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::thread;
use std::time::Duration;

use any_spawner::{CustomExecutor, Executor};
use async_trait::async_trait;
use shared::analytics::{Overview, OverviewQuery};
use shared::routing::{ModelChange, ModelRouting, TargetStatus};
use shared::status::GatewayStatus;
use shared::{AdminError, GatewayApi};

use super::sample::{Hold, Policies, Sample, Scene};
use super::{Reply, get_from};

/// Data comes while rendering is held up for this long.
const HELD_UP: Duration = Duration::from_millis(10);
/// Data comes at the latest after this: rendering waits for it, and is at no place.
const LATEST: Duration = Duration::from_millis(200);

/// Holds data back until rendering is at a certain place.
#[derive(Debug)]
struct Gate {
    /// Tasks spawned so far; counted until data comes.
    places: AtomicUsize,
    opens_at: usize,
    open: AtomicBool,
    opened: Condvar,
    lock: Mutex<()>,
}

impl Gate {
    fn new(opens_at: usize) -> Self {
        Self {
            places: AtomicUsize::new(0),
            opens_at,
            open: AtomicBool::new(false),
            opened: Condvar::new(),
            lock: Mutex::new(()),
        }
    }

    /// Rendering is at another place.
    fn pass(&self) {
        if self.open.load(Ordering::SeqCst) {
            return;
        }
        if self.places.fetch_add(1, Ordering::SeqCst) == self.opens_at {
            self.open();
            thread::sleep(HELD_UP);
        }
    }

    fn open(&self) {
        let _guard = self.lock.lock().expect("no panic");
        self.open.store(true, Ordering::SeqCst);
        self.opened.notify_all();
    }

    fn wait(&self) {
        let guard = self.lock.lock().expect("no panic");
        let closed = |(): &mut ()| !self.open.load(Ordering::SeqCst);
        let (guard, waited) = self
            .opened
            .wait_timeout_while(guard, LATEST, closed)
            .expect("no panic");
        drop(guard);
        if waited.timed_out() {
            self.open();
        }
    }
}

thread_local! {
    /// The gate of the runtime that this thread works for.
    static GATE: RefCell<Option<Arc<Gate>>> = const { RefCell::new(None) };
}

/// Tokio, with a place to stop at wherever a task is spawned.
struct Interrupted;

impl CustomExecutor for Interrupted {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
        if let Some(gate) = GATE.with_borrow(Clone::clone) {
            gate.pass();
        }
    }

    fn spawn_local(&self, task: Pin<Box<dyn Future<Output = ()>>>) {
        tokio::task::spawn_local(task);
    }

    fn poll_local(&self) {}
}

/// Before the first router of this process: Leptos takes the executor that is there.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        Executor::init_custom_executor(Interrupted).expect("no executor was chosen before");
    });
}

/// What [`Sample`] says, when the gate lets it.
struct Gated {
    sample: Sample,
    gate: Arc<Gate>,
}

impl Gated {
    /// Waits on a thread of its own, so that any worker may go on with what waited.
    async fn opened(&self) {
        let gate = self.gate.clone();
        let waiting = tokio::task::spawn_blocking(move || gate.wait());
        waiting.await.expect("no panic");
    }
}

#[async_trait]
impl GatewayApi for Gated {
    async fn overview(&self, query: OverviewQuery) -> Result<Overview, AdminError> {
        self.opened().await;
        self.sample.overview(query).await
    }

    async fn status(&self) -> Result<GatewayStatus, AdminError> {
        self.opened().await;
        self.sample.status().await
    }

    async fn targets(&self) -> Result<Vec<TargetStatus>, AdminError> {
        self.opened().await;
        self.sample.targets().await
    }

    async fn models(&self) -> Result<Vec<ModelRouting>, AdminError> {
        self.opened().await;
        self.sample.models().await
    }

    async fn change_model(
        &self,
        name: &str,
        change: ModelChange,
        edit: shared::policies::Edit,
    ) -> Result<ModelRouting, AdminError> {
        self.sample.change_model(name, change, edit).await
    }

    async fn reset_model(
        &self,
        name: &str,
        edit: shared::policies::Edit,
    ) -> Result<Option<ModelRouting>, AdminError> {
        self.sample.reset_model(name, edit).await
    }
}

/// The page whose data comes when rendering is at the given place, and how many places it had been at.
fn page(scene: Scene, path: &'static str, opens_at: usize) -> (Reply, usize) {
    prepare();
    let gate = Arc::new(Gate::new(opens_at));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start({
            let gate = gate.clone();
            move || GATE.set(Some(gate.clone()))
        })
        .build()
        .expect("a runtime");
    let api = Arc::new(Gated {
        sample: Sample::new(scene),
        gate: gate.clone(),
    });
    let hold = {
        let api = api.clone();
        Hold(Some(Arc::new(move || {
            let api = api.clone();
            Box::pin(async move { api.opened().await })
        })))
    };
    let policies = Arc::new(Policies::some().held(hold));
    let reply = runtime.block_on(async {
        let page = tokio::spawn(get_from(api, policies, path));
        page.await.expect("no panic")
    });
    (reply, gate.places.load(Ordering::SeqCst))
}

/// At every place where data may come.
fn pages(scene: Scene, path: &'static str) -> Vec<Reply> {
    let (last, places) = page(scene, path, usize::MAX);
    assert!(places > 2, "rendering waits for no data");
    let mut pages: Vec<_> = (0..places)
        .map(|place| page(scene, path, place).0)
        .collect();
    pages.push(last);
    pages
}

#[test]
fn figures_are_on_the_page_whenever_they_come() {
    for page in pages(Scene::Busy, "/") {
        page.says("23,196").says("Serving").hides("Loading figures");
    }
}

#[test]
fn a_failure_is_on_the_page_whenever_it_comes() {
    for page in pages(Scene::Failing, "/") {
        page.says("The database does not answer")
            .hides("Loading figures");
    }
}

#[test]
fn policies_are_on_their_pages_whenever_they_come() {
    for (path, said) in [
        ("/system-prompt", ["assistant of Example Corp", "Version 2"]),
        ("/guardrails", ["banned-phrases", "12 blocked"]),
        ("/limits", ["big-models", "24 of 30 requests"]),
        ("/limits?view=budgets", ["everything", "$461.20 of $500.00"]),
        ("/cache", ["claude-sonnet-4-5", "Outlives restarts"]),
        ("/keys", ["Grace Hopper", "$203.11 of $250.00"]),
        ("/keys?edit=team-web", ["Ada Lovelace", "Rotate…"]),
    ] {
        for page in pages(Scene::Busy, path) {
            page.says(said[0]).says(said[1]).hides(">Loading<");
        }
    }
}
