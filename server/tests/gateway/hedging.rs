//! A second target is asked when the first is slow, and the slower one is cancelled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use server::config::{Config, Share};
use server::routing::TargetState;
use sqlx::Row;

use crate::test_app::{TestApp, hello, model, provider, streamed};
use crate::upstream::{ANSWER, Act, Upstream, json, stream};

/// Just what routing wants to have seen of a target: none of these can be thought slow yet.
const QUICK: usize = 20;

/// `up`, then `backup`; a second target is always allowed.
fn config(up: &Upstream, backup: &Upstream) -> Config {
    let mut model = model("m", &["up", "backup"]);
    model.hedge.enabled = true;
    model.hedge.max_share = Share::ALL;
    Config {
        providers: vec![provider("up", up, false), provider("backup", backup, false)],
        models: vec![model],
        ..Config::default()
    }
}

/// Quick for a while, then as `slow` says.
async fn slow_later(streams: bool, slow: Vec<Act>) -> Upstream {
    Upstream::with(move |n| match n {
        0..QUICK => answer(streams),
        _ => slow.clone(),
    })
    .await
}

fn answer(streams: bool) -> Vec<Act> {
    if streams {
        stream()
    } else {
        vec![json("200 OK", ANSWER)]
    }
}

fn request(streams: bool) -> Value {
    if streams {
        streamed(hello("m"))
    } else {
        hello("m")
    }
}

/// Until it is known how long the first token usually takes.
async fn warm_up(app: &TestApp, streams: bool) {
    for _ in 0..QUICK {
        let response = app.chat(&request(streams)).send().await.unwrap();
        assert_eq!(response.headers()["x-gateway-attempts"], "up=ok");
        response.bytes().await.unwrap();
    }
}

/// The newest record, as soon as it is there.
async fn last_record(app: &TestApp) -> (String, Vec<Value>) {
    let rows = app.records(QUICK + 1).await;
    let row = rows.last().unwrap();
    let attempts = serde_json::from_str(&row.get::<String, _>("attempts")).unwrap();
    (row.get("outcome"), attempts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_may_be_quicker() {
    for streams in [false, true] {
        let up = slow_later(streams, vec![Act::WaitForClose]).await;
        let backup = Upstream::start(answer(streams)).await;
        let app = TestApp::start(config(&up, &backup)).await;
        warm_up(&app, streams).await;
        let response = app.chat(&request(streams)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["x-gateway-attempts"],
            "up=cancelled, backup=ok"
        );
        // Whoever is too slow is told so.
        up.closed().await;
        assert!(response.text().await.unwrap().contains("Hi"));
        let (outcome, attempts) = last_record(&app).await;
        assert_eq!(outcome, "finished");
        assert_eq!(attempts[0]["error_kind"], "cancelled");
        assert_eq!(attempts[0].get("hedged"), None);
        assert_eq!(attempts[1]["hedged"], true);
        assert_eq!(attempts[1]["error_kind"], Value::Null);
        // What took its time beside the other is not counted twice.
        let twice = "SELECT COUNT(*) FROM requests WHERE upstream_us > latency_us";
        assert_eq!(app.rows(twice).await[0].get::<i64, _>(0), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_may_be_quicker_after_all() {
    let mut slow = vec![Act::WaitForTest];
    slow.extend(answer(false));
    let up = slow_later(false, slow).await;
    let backup = Upstream::start(vec![Act::WaitForClose]).await;
    let app = TestApp::start(config(&up, &backup)).await;
    warm_up(&app, false).await;
    let response = tokio::spawn(app.chat(&hello("m")).send());
    backup.until_received(1).await;
    up.go_on();
    let response = response.await.unwrap().unwrap();
    assert_eq!(
        response.headers()["x-gateway-attempts"],
        "backup=cancelled, up=ok"
    );
    backup.closed().await;
    let (_, attempts) = last_record(&app).await;
    assert_eq!(attempts[0]["hedged"], true);
    assert_eq!(attempts[1]["provider"], "up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_one_that_fails_changes_nothing() {
    let mut slow = vec![Act::WaitForTest];
    slow.extend(answer(false));
    let up = slow_later(false, slow).await;
    let head =
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let fails = vec![Act::Send(head.as_bytes().to_vec()), Act::WaitForClose];
    let backup = Upstream::start(fails).await;
    let app = TestApp::start(config(&up, &backup)).await;
    warm_up(&app, false).await;
    let response = tokio::spawn(app.chat(&hello("m")).send());
    // The first goes on well after the second's failure was read, and not just sent.
    backup.closed().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    up.go_on();
    let response = response.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["x-gateway-attempts"],
        "backup=upstream_failed, up=ok"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_ends_both() {
    let up = slow_later(true, vec![Act::WaitForClose]).await;
    let backup = Upstream::start(vec![Act::WaitForClose]).await;
    let app = TestApp::start(config(&up, &backup)).await;
    warm_up(&app, true).await;
    let waiting = tokio::spawn(app.chat(&request(true)).send());
    backup.until_received(1).await;
    waiting.abort();
    up.closed().await;
    backup.closed().await;
    let (outcome, attempts) = last_record(&app).await;
    assert_eq!(outcome, "cancelled");
    let told: Vec<_> = attempts
        .iter()
        .map(|attempt| (&attempt["provider"], &attempt["error_kind"]))
        .collect();
    assert_eq!(
        told,
        [
            (&Value::from("up"), &Value::from("cancelled")),
            (&Value::from("backup"), &Value::from("cancelled")),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_asks_twice_unless_told_to() {
    let mut slow = vec![Act::WaitForTest];
    slow.extend(answer(false));
    let up = slow_later(false, slow).await;
    let backup = Upstream::start(answer(false)).await;
    let mut config = config(&up, &backup);
    config.models[0].hedge.enabled = false;
    let app = TestApp::start(config).await;
    warm_up(&app, false).await;
    let response = tokio::spawn(app.chat(&hello("m")).send());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(backup.received().is_empty());
    up.go_on();
    let response = response.await.unwrap().unwrap();
    assert_eq!(response.headers()["x-gateway-attempts"], "up=ok");
}

/// A target that is always overtaken never answers and never fails, and is known to be slow all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_overtaken_is_known_to_be_slow() {
    let up = slow_later(false, vec![Act::WaitForClose]).await;
    let backup = Upstream::start(answer(false)).await;
    let app = TestApp::start(config(&up, &backup)).await;
    warm_up(&app, false).await;
    let average = |app: &TestApp| {
        let targets = app.app().gateway.policies().routing.states().targets();
        let up = |target: &Arc<TargetState>| &**target.provider().name() == "up";
        let up = targets.into_iter().find(up).unwrap();
        up.view(Instant::now()).average_first_token.unwrap()
    };
    let before = average(&app);
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(
        response.headers()["x-gateway-attempts"],
        "up=cancelled, backup=ok"
    );
    up.closed().await;
    assert!(average(&app) > before);
}
