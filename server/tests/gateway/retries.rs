//! The same target again, another key of it, and an end to all of that.

use std::time::{Duration, Instant};

use serde_json::Value;
use server::config::{Config, Model, Secret};
use sqlx::Row;

use crate::test_app::{SOON, TestApp, error, hello, model, provider, streamed};
use crate::upstream::{ANSWER, Act, Upstream, json, response, stream};

const OVERLOADED: &str = r#"{"error":{"message":"The server is overloaded"}}"#;
const LIMITED: &str = r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#;

/// One provider, whose model is tried again almost at once.
fn config(up: &Upstream) -> Config {
    let mut model = model("m", &["up"]);
    model.retry.base = Duration::from_millis(1);
    Config {
        providers: vec![provider("up", up, false)],
        models: vec![model],
        ..Config::default()
    }
}

fn limited(seconds: u32) -> Act {
    let header = format!("retry-after: {seconds}\r\n");
    Act::Send(response("429 Too Many Requests", &header, LIMITED))
}

/// What was tried for the only request, as the record has it.
async fn attempts(app: &TestApp) -> Vec<Value> {
    let attempts = app.record().await.get::<String, _>("attempts");
    serde_json::from_str(&attempts).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_target_is_tried_again() {
    for streams in [false, true] {
        let up = Upstream::with(move |n| match (n, streams) {
            (0, _) => vec![json("503 Service Unavailable", OVERLOADED)],
            (_, false) => vec![json("200 OK", ANSWER)],
            (_, true) => stream(),
        })
        .await;
        let app = TestApp::start(config(&up)).await;
        let request = if streams {
            streamed(hello("m"))
        } else {
            hello("m")
        };
        let response = app.chat(&request).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let tried = &response.headers()["x-gateway-attempts"];
        assert_eq!(tried, "up=overloaded, up=ok");
        response.bytes().await.unwrap();
        assert_eq!(attempts(&app).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_often_than_configured() {
    for (retries, calls) in [(0, 1), (1, 2), (2, 3)] {
        let up = Upstream::start(vec![json("503 Service Unavailable", OVERLOADED)]).await;
        let mut config = config(&up);
        config.models[0].retry.retries = retries;
        let app = TestApp::start(config).await;
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(up.received().len(), calls);
        assert_eq!(attempts(&app).await.len(), calls);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_targets_than_configured() {
    let up = Upstream::start(vec![json("500 Internal Server Error", "{}")]).await;
    let mut config = config(&up);
    config.providers = ["a", "b", "c"]
        .map(|name| provider(name, &up, false))
        .into();
    config.models = vec![Model {
        max_attempts: Some(2),
        ..model("m", &["a", "b", "c"])
    }];
    let app = TestApp::start(config).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(
        response.headers()["x-gateway-attempts"],
        "a=upstream_failed, b=upstream_failed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_late_as_the_upstream_asks_for() {
    let up = Upstream::with(|n| match n {
        0 => vec![limited(1)],
        _ => vec![json("200 OK", ANSWER)],
    })
    .await;
    let app = TestApp::start(config(&up)).await;
    let began = Instant::now();
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_when_the_upstream_asks_for_more_than_there_is() {
    // More than a wait may be, and more than the request has left.
    for (wait, total) in [(60, SOON), (2, Duration::from_millis(500))] {
        let up = Upstream::start(vec![limited(wait)]).await;
        let mut config = config(&up);
        config.server.timeouts.total = total;
        let app = TestApp::start(config).await;
        let began = Instant::now();
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1));
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], wait.to_string());
        assert_eq!(up.received().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_tries_have_one_time_together() {
    let up = Upstream::start(vec![Act::WaitForClose]).await;
    let mut config = config(&up);
    config.providers = ["a", "b", "c"]
        .map(|name| provider(name, &up, false))
        .into();
    for provider in &mut config.providers {
        provider.timeouts.first_byte = Some(Duration::from_millis(200));
    }
    config.models = vec![model("m", &["a", "b", "c"])];
    config.server.timeouts.total = Duration::from_millis(300);
    let app = TestApp::start(config).await;
    let began = Instant::now();
    let response = app.chat(&hello("m")).send().await.unwrap();
    let took = began.elapsed();
    assert_eq!(response.status(), 504);
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(
        response.headers()["x-gateway-attempts"],
        "a=timeout, b=timeout"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_ends_the_wait() {
    let up = Upstream::start(vec![limited(5)]).await;
    let app = TestApp::start(config(&up)).await;
    let waiting = tokio::spawn(app.chat(&hello("m")).send());
    up.until_received(1).await;
    // The answer has been read, and the wait has begun.
    tokio::time::sleep(Duration::from_millis(200)).await;
    waiting.abort();
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "cancelled");
    assert_eq!(record.get::<i64, _>("status"), 499);
    let attempts: Vec<Value> = serde_json::from_str(&record.get::<String, _>("attempts")).unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["error_kind"], "rate_limited");
    assert_eq!(up.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_of_the_same_provider_is_tried_at_once() {
    for (status, body, kind) in [
        (
            "401 Unauthorized",
            r#"{"error":{"message":"Incorrect API key provided: key-of-up"}}"#,
            "authentication",
        ),
        (
            "429 Too Many Requests",
            r#"{"error":{"message":"Quota","code":"insufficient_quota"}}"#,
            "quota_exceeded",
        ),
        ("429 Too Many Requests", LIMITED, "rate_limited"),
    ] {
        let up = Upstream::with(move |n| match n {
            0 => vec![json(status, body)],
            _ => vec![json("200 OK", ANSWER)],
        })
        .await;
        let mut config = config(&up);
        config.providers[0].api_keys = vec![Secret::new("second-key")];
        config.models[0].retry.retries = 0;
        let app = TestApp::start(config).await;
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(response.status(), 200, "{kind}");
        let tried = &response.headers()["x-gateway-attempts"];
        assert_eq!(tried, &format!("up={kind}, up=ok"));
        let heads: Vec<String> = up.received().into_iter().map(|r| r.head).collect();
        let keys = heads.iter().map(|head| {
            let mut lines = head.lines();
            let line = lines.find(|line| line.to_lowercase().starts_with("authorization:"));
            line.unwrap().split_once(' ').unwrap().1.to_owned()
        });
        let mut keys: Vec<String> = keys.collect();
        keys.sort();
        assert_eq!(keys, ["Bearer key-of-up", "Bearer second-key"]);

        // The one that is out is left alone.
        let before = heads[1].clone();
        app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(up.received().last().unwrap().head, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_error_shows_any_key() {
    let quote = r#"{"error":{"message":"Wrong: key-of-up and second-key"}}"#;
    let up = Upstream::start(vec![json("400 Bad Request", quote)]).await;
    let mut config = config(&up);
    config.providers[0].api_keys = vec![Secret::new("second-key")];
    let app = TestApp::start(config).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let message = error(response).await["message"].to_string();
    assert!(
        message.contains("Wrong") && !message.contains("-key"),
        "{message}"
    );
    assert!(!message.contains("key-of"), "{message}");
}
