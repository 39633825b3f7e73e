//! Providers are asked in the background whether they are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use llm::simulated::Fault;
use serde_json::Value;
use server::config::{Config, Secret};

use crate::test_app::{SOON, TestApp, config_for, hello, model, provider_of_kind, simulated};
use crate::upstream::{ANSWER, Act, Upstream, json};

const TOKEN: &str = "the-token-of-these-tests";
const OFTEN: Duration = Duration::from_millis(20);

/// An upstream that answers with whatever status it is told to; 0: it closes the connection.
struct Switched {
    upstream: Upstream,
    status: Arc<AtomicU16>,
}

impl Switched {
    async fn start(status: u16) -> Self {
        let status = Arc::new(AtomicU16::new(status));
        let told = status.clone();
        let upstream = Upstream::with(move |_| match told.load(Ordering::SeqCst) {
            0 => vec![Act::Close],
            200 => vec![json("200 OK", ANSWER)],
            other => vec![json(&format!("{other} Simulated"), "{}")],
        })
        .await;
        Self { upstream, status }
    }

    fn set(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The paths that were got, and with which keys.
    fn checks(&self) -> Vec<String> {
        let received = self.upstream.received();
        let heads = received.into_iter().map(|received| received.head);
        heads.filter(|head| head.starts_with("GET ")).collect()
    }

    async fn checked(&self, times: usize) {
        let goal = self.checks().len() + times;
        until("checks", async || self.checks().len() >= goal).await;
    }
}

fn config(switched: &Switched) -> Config {
    let mut config = config_for(&switched.upstream);
    config.admin.token = Some(Secret::new(TOKEN));
    check_often(&mut config);
    config
}

fn check_often(config: &mut Config) {
    let health = &mut config.providers[0].health;
    health.enabled = Some(true);
    health.interval = OFTEN;
}

/// Waits until it is so.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let give_up = Instant::now() + SOON;
    while !is_so().await {
        assert!(Instant::now() < give_up, "{what} do not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn get(app: &TestApp, url: String) -> Value {
    let request = app.client.get(url).bearer_auth(TOKEN);
    request.send().await.unwrap().json().await.unwrap()
}

async fn ready(app: &TestApp) -> u16 {
    let request = app.client.get(app.url("/ready"));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_failures_take_a_provider_down_and_one_success_brings_it_back() {
    for failure in [503, 0] {
        let switched = Switched::start(200).await;
        let mut config = config(&switched);
        config.models = vec![model("m", &["up"])];
        let app = TestApp::start(config).await;
        assert_eq!(ready(&app).await, 200);
        switched.checked(2).await;
        assert_eq!(ready(&app).await, 200);

        switched.set(failure);
        until("failures", async || ready(&app).await == 503).await;
        let body = get(&app, app.url("/ready")).await;
        assert_eq!(body["reason"], "no provider can be reached");
        assert_eq!(body["providers_down"][0], "up");
        let listed = get(&app, app.url("/v1/models")).await;
        let provider = &listed["data"][0]["providers"][0];
        assert_eq!(provider["available"], false);
        assert_eq!(provider["unavailable"], "provider_down");
        let targets = get(&app, app.admin_url("/api/v1/targets")).await;
        let target = &targets[0];
        assert_eq!(target["state"], "provider_down");
        assert!(target["reason"].as_str().unwrap().len() > 5, "{target}");
        assert_eq!(target["provider"]["up"], false);
        assert!(target["provider"]["check_failure"].is_string(), "{target}");

        switched.set(200);
        until("successes", async || ready(&app).await == 200).await;
        let targets = get(&app, app.admin_url("/api/v1/targets")).await;
        assert_eq!(targets[0]["state"], "available");
        assert!(targets[0]["reason"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_elsewhere_before_anybody_has_noticed() {
    let switched = Switched::start(503).await;
    let mut config = config(&switched);
    config.providers.push(simulated("second", Fault::None));
    config.models = vec![model("m", &["up", "second"])];
    let app = TestApp::start(config).await;
    let state = async || get(&app, app.admin_url("/api/v1/targets")).await[0]["state"].clone();
    until("failures", async || state().await == "provider_down").await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    let received = switched.upstream.received();
    let asked = received.iter().any(|one| one.head.starts_with("POST "));
    assert!(!asked, "nobody was asked in vain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_no_failure_of_its_own_means_that_it_is_there() {
    for status in [200, 301, 400, 403, 404, 405, 429] {
        let switched = Switched::start(status).await;
        let app = TestApp::start(config(&switched)).await;
        switched.checked(4).await;
        assert_eq!(ready(&app).await, 200, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_key_is_as_good_as_none() {
    let switched = Switched::start(401).await;
    let mut config = config(&switched);
    config.models = vec![model("m", &["up"])];
    let app = TestApp::start(config).await;
    until("refusals", async || ready(&app).await == 503).await;
    let targets = get(&app, app.admin_url("/api/v1/targets")).await;
    assert_eq!(targets[0]["reason"], "it refuses the API key");
    let everything = targets.to_string();
    assert!(!everything.contains("key-of-up"), "{everything}");

    // Whoever needs no key may refuse a check without one.
    let mut config = self::config(&switched);
    config.providers[0].api_key = None;
    let app = TestApp::start(config).await;
    switched.checked(4).await;
    assert_eq!(ready(&app).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_answers_clients_is_not_down() {
    // Its list of models fails, its answers do not.
    let upstream = Upstream::by_head(|head| {
        if head.starts_with("GET ") {
            vec![json("500 Internal Server Error", "{}")]
        } else {
            vec![json("200 OK", ANSWER)]
        }
    })
    .await;
    let mut config = config_for(&upstream);
    check_often(&mut config);
    config.providers[0].health.interval = Duration::from_millis(300);
    let app = TestApp::start(config).await;
    until("failures", async || ready(&app).await == 503).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(ready(&app).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_check_ends_a_cool_down() {
    let failing = Arc::new(AtomicU16::new(1));
    let told = failing.clone();
    let upstream = Upstream::by_head(move |head| {
        if told.load(Ordering::SeqCst) == 1 {
            vec![json("500 Internal Server Error", "{}")]
        } else if head.starts_with("GET ") {
            vec![json("200 OK", "{}")]
        } else {
            vec![json("200 OK", ANSWER)]
        }
    })
    .await;
    let mut config = config_for(&upstream);
    config.admin.token = Some(Secret::new(TOKEN));
    check_often(&mut config);
    config.providers.push(simulated("second", Fault::None));
    let mut routed = model("m", &["up", "second"]);
    routed.breaker.cool_down = Duration::from_secs(300);
    routed.retry.retries = 0;
    config.models = vec![routed];
    // No checks yet.
    config.providers[0].health.enabled = Some(false);
    let app = TestApp::start(config.clone()).await;
    let state = async || get(&app, app.admin_url("/api/v1/targets")).await[0]["state"].clone();
    for _ in 0..5 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    assert_eq!(state().await, "open");
    failing.store(0, Ordering::SeqCst);

    // A reload switches them on.
    config.providers[0].health.enabled = Some(true);
    app.app().in_force.take(config).await.unwrap();
    until("checks", async || state().await == "half_open").await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(state().await, "available");
    let posted = upstream.received();
    let posted = posted.iter().filter(|one| one.head.starts_with("POST "));
    assert_eq!(posted.count(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_free_is_asked_for() {
    let switched = Switched::start(200).await;
    let mut kinds = llm::providers::all().iter();
    let nothing_free = kinds.find(|kind| kind.probe.is_none()).unwrap().id;
    let mut paid = provider_of_kind(nothing_free, "paid", &switched.upstream, false);
    paid.health.enabled = Some(true);
    paid.health.interval = OFTEN;
    let mut disabled = provider_of_kind("openai", "disabled", &switched.upstream, false);
    disabled.enabled = false;
    disabled.health = paid.health.clone();
    let mut off = provider_of_kind("openai", "off", &switched.upstream, false);
    off.health = paid.health.clone();
    off.health.enabled = Some(false);
    let mut chosen = provider_of_kind(nothing_free, "chosen", &switched.upstream, true);
    chosen.health = paid.health.clone();
    chosen.health.path = Some("/alive?deep=1".to_owned());
    let app = TestApp::start(Config {
        providers: vec![paid, disabled, off, chosen],
        ..Config::default()
    })
    .await;
    switched.checked(3).await;
    for head in switched.checks() {
        let mut lines = head.lines();
        assert_eq!(lines.next(), Some("GET /v1/alive?deep=1 HTTP/1.1"));
        let lower = head.to_lowercase();
        assert!(lower.contains("authorization: bearer key-of-chosen"));
    }
    drop(app);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_end_with_a_reload_or_the_gateway() {
    let switched = Switched::start(200).await;
    let mut config = config(&switched);
    let mut app = TestApp::start(config.clone()).await;
    switched.checked(2).await;
    assert!(switched.checks()[0].starts_with("GET /v1/models HTTP/1.1\r\n"));
    config.providers[0].health.enabled = Some(false);
    app.app().in_force.take(config.clone()).await.unwrap();
    let quiet = async || {
        // One may be under way.
        tokio::time::sleep(OFTEN * 3).await;
        let before = switched.checks().len();
        tokio::time::sleep(OFTEN * 10).await;
        switched.checks().len() == before
    };
    assert!(quiet().await);
    config.providers[0].health.enabled = Some(true);
    app.app().in_force.take(config).await.unwrap();
    switched.checked(2).await;
    app.stop().await;
    assert!(quiet().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_is_looked_at_in_turn() {
    let refusing = Arc::new(AtomicU16::new(1));
    let told = refusing.clone();
    let upstream = Upstream::by_head(move |head| {
        let refused = told.load(Ordering::SeqCst) == 1 && head.contains("key-of-up");
        vec![if refused {
            json("401 Unauthorized", "{}")
        } else {
            json("200 OK", ANSWER)
        }]
    })
    .await;
    let mut config = config_for(&upstream);
    config.admin.token = Some(Secret::new(TOKEN));
    config.models = vec![model("m", &["up"])];
    config.providers[0].api_keys = vec![Secret::new("another-key")];
    check_often(&mut config);
    let app = TestApp::start(config).await;
    let usable = async || get(&app, app.admin_url("/api/v1/targets")).await[0]["provider"].clone();
    until("refusals", async || usable().await["keys_usable"] == 1).await;
    assert_eq!(usable().await["keys"], 2);
    assert_eq!(usable().await["up"], true);
    for _ in 0..4 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    let received = upstream.received();
    let posted = received.iter().filter(|one| one.head.starts_with("POST "));
    for one in posted {
        assert!(one.head.contains("another-key"), "{}", one.head);
    }
    refusing.store(0, Ordering::SeqCst);
    until("successes", async || usable().await["keys_usable"] == 2).await;
}
