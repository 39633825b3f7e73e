//! So many calls at the same time, a queue before them, and an end to the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use server::config::Config;

use crate::test_app::{SOON, TestApp, error, hello, model, provider, streamed};
use crate::upstream::{ANSWER, Act, STOP, Upstream, chunk, delta, json, stream_end, stream_head};

/// One call at a time at `up`.
fn config(up: &Upstream) -> Config {
    let mut provider = provider("up", up, false);
    provider.max_concurrent = Some(1);
    provider.queue_timeout = Duration::from_millis(300);
    Config {
        providers: vec![provider],
        models: vec![model("m", &["up"])],
        ..Config::default()
    }
}

/// Answers when the test says so.
async fn waiting() -> Upstream {
    Upstream::start(vec![Act::WaitForTest, json("200 OK", ANSWER)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_more_waits_for_its_turn() {
    let up = waiting().await;
    let mut config = config(&up);
    config.providers[0].queue_timeout = SOON;
    let app = TestApp::start(config).await;
    let first = tokio::spawn(app.chat(&hello("m")).send());
    up.until_received(1).await;
    let second = tokio::spawn(app.chat(&hello("m")).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(up.received().len(), 1);
    up.go_on();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    up.until_received(2).await;
    up.go_on();
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_not_for_ever() {
    let up = waiting().await;
    let app = TestApp::start(config(&up)).await;
    let first = tokio::spawn(app.chat(&hello("m")).send());
    up.until_received(1).await;
    let began = Instant::now();
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    let error = error(response).await;
    assert_eq!(error["code"], "queue_full");
    assert!(
        error["message"].as_str().unwrap().contains("`up`"),
        "{error}"
    );
    up.go_on();
    first.await.unwrap().unwrap();
    assert_eq!(up.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once() {
    let up = waiting().await;
    let mut config = config(&up);
    config.providers[0].queue = 0;
    config.providers[0].queue_timeout = SOON;
    let app = TestApp::start(config).await;
    let first = tokio::spawn(app.chat(&hello("m")).send());
    up.until_received(1).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 503);
    up.go_on();
    first.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_target_has_room() {
    for of_target in [false, true] {
        let up = waiting().await;
        let backup = Upstream::start(vec![json("200 OK", ANSWER)]).await;
        let mut config = config(&up);
        config.providers.push(provider("backup", &backup, false));
        config.models = vec![model("m", &["up", "backup"])];
        if of_target {
            config.providers[0].max_concurrent = None;
            config.models[0].targets[0].max_concurrent = Some(1);
        }
        let app = TestApp::start(config).await;
        let first = tokio::spawn(app.chat(&hello("m")).send());
        up.until_received(1).await;
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-gateway-attempts"], "backup=ok");
        up.go_on();
        first.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_keeps_its_place_to_the_end() {
    let script = vec![
        stream_head(),
        chunk(&delta("one")),
        Act::WaitForTest,
        chunk(STOP),
        chunk("data: [DONE]\n\n"),
        stream_end(),
    ];
    let up = Upstream::start(script).await;
    let mut config = config(&up);
    config.providers[0].queue_timeout = SOON;
    let app = Arc::new(TestApp::start(config).await);
    let first = app.chat(&streamed(hello("m"))).send().await.unwrap();
    let second = tokio::spawn(app.chat(&streamed(hello("m"))).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(up.received().len(), 1);
    up.go_on();
    first.bytes().await.unwrap();
    let second = second.await.unwrap().unwrap();
    assert_eq!(second.status(), 200);
    // One that leaves makes room as well.
    let third = tokio::spawn(app.chat(&streamed(hello("m"))).send());
    drop(second);
    let third = third.await.unwrap().unwrap();
    up.go_on();
    up.go_on();
    third.bytes().await.unwrap();
}
