//! A client that hangs up cancels the upstream's call, and is recorded.

use futures_util::StreamExt;
use serde_json::json;
use server::config::PriceOverride;
use sqlx::Row;

use crate::test_app::{TestApp, config_for, hello, streamed};
use crate::upstream::{Act, USAGE, Upstream, chunk, delta, stream_head};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_mid_stream() {
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("one")),
        chunk(USAGE),
        Act::WaitForClose,
    ])
    .await;
    let app = TestApp::before(&upstream).await;
    // A client that asks for the usage sees when the gateway has it.
    let mut request = streamed(hello("m"));
    request["stream_options"] = json!({ "include_usage": true });
    let response = app.chat(&request).send().await.unwrap();
    let mut body = response.bytes_stream();
    let mut got = Vec::new();
    while !String::from_utf8_lossy(&got).contains("completion_tokens") {
        got.extend_from_slice(&body.next().await.unwrap().unwrap());
    }
    drop(body);
    upstream.closed().await;
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "cancelled");
    assert_eq!(record.get::<String, _>("error_kind"), "cancelled");
    assert_eq!(record.get::<i64, _>("status"), 200);
    assert!(record.get::<i64, _>("bytes_out") > 0);
    // The upstream had told its usage.
    assert_eq!(record.get::<Option<i64>, _>("output_tokens"), Some(7));
    assert_eq!(record.get::<i64, _>("usage_estimated"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_usage_was_told() {
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("twelve bytes")),
        Act::WaitForClose,
    ])
    .await;
    let mut config = config_for(&upstream);
    let price = |nanos_per_million| server::config::Price { nanos_per_million };
    config.prices = vec![PriceOverride {
        provider: None,
        model: "m".to_owned(),
        input: price(1_000_000_000),
        cached_input: None,
        cache_write: None,
        output: price(10_000_000_000),
    }];
    let app = TestApp::start(config).await;
    let request = streamed(hello("m"));
    let response = app.chat(&request).send().await.unwrap();
    let mut body = response.bytes_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    upstream.closed().await;
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "cancelled");
    let input = (request.to_string().len() as i64 + 3) / 4;
    assert_eq!(record.get::<Option<i64>, _>("input_tokens"), Some(input));
    assert_eq!(record.get::<Option<i64>, _>("output_tokens"), Some(3));
    assert_eq!(record.get::<i64, _>("usage_estimated"), 1);
    assert_eq!(
        record.get::<Option<i64>, _>("cost_nanos"),
        Some(input * 1_000 + 3 * 10_000)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_is_estimated_too() {
    let upstream = Upstream::start(vec![stream_head(), chunk(&delta("four")), Act::Close]).await;
    let app = TestApp::before(&upstream).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    response.bytes().await.unwrap();
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "failed");
    assert_eq!(record.get::<Option<i64>, _>("output_tokens"), Some(1));
    assert_eq!(record.get::<i64, _>("usage_estimated"), 1);
    // The attempt that gave the answer failed after all.
    let attempts: serde_json::Value =
        serde_json::from_str(&record.get::<String, _>("attempts")).unwrap();
    assert_eq!(attempts[0]["status"], 200);
    assert_eq!(attempts[0]["error_kind"], "bad_reply");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_reply_began() {
    let upstream = Upstream::start(vec![Act::WaitForClose]).await;
    let app = TestApp::before(&upstream).await;
    let request = app.chat(&hello("m")).send();
    let waiting = tokio::spawn(request);
    while upstream.received().is_empty() {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    upstream.closed().await;
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "cancelled");
    assert_eq!(record.get::<i64, _>("status"), 499);
    let attempts: serde_json::Value =
        serde_json::from_str(&record.get::<String, _>("attempts")).unwrap();
    assert_eq!(attempts[0]["provider"], "up");
    assert_eq!(attempts[0]["error_kind"], "cancelled");
}
