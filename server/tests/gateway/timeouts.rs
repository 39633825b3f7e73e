//! Each part of a call has its time.

use std::time::{Duration, Instant};

use serde_json::Value;
use server::config::{Config, Timeouts};

use crate::test_app::{SOON, TestApp, config_for, error, hello, streamed};
use crate::upstream::{ANSWER, Act, NEVER, Upstream, chunk, delta, json, stream_head};

const SHORT: Duration = Duration::from_millis(80);

fn config(upstream: &Upstream, change: impl FnOnce(&mut Timeouts)) -> Config {
    let mut config = config_for(upstream);
    config.server.timeouts = Timeouts {
        connect: NEVER,
        first_byte: NEVER,
        first_token: None,
        between_chunks: NEVER,
        total: NEVER,
    };
    change(&mut config.server.timeouts);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_the_first_byte() {
    let upstream = Upstream::start(vec![Act::WaitForClose]).await;
    let app = TestApp::start(config(&upstream, |timeouts| timeouts.first_byte = SHORT)).await;
    let started = Instant::now();
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert!(started.elapsed() >= SHORT);
    assert_eq!(response.status(), 504);
    let error = error(response).await;
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("did not begin to answer within 80ms"),
        "{message}"
    );
    upstream.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_chunks_of_a_stream() {
    let upstream =
        Upstream::start(vec![stream_head(), chunk(&delta("one")), Act::WaitForClose]).await;
    let app = TestApp::start(config(&upstream, |timeouts| {
        timeouts.between_chunks = SHORT;
    }))
    .await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let event: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    let message = event["error"]["message"].as_str().unwrap();
    assert!(message.contains("sent nothing for 80ms"), "{message}");
    assert!(!text.contains("[DONE]"));
    upstream.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_pieces_of_a_reply() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    let upstream = Upstream::start(vec![Act::Send(head.into()), Act::WaitForClose]).await;
    let app = TestApp::start(config(&upstream, |timeouts| {
        timeouts.between_chunks = SHORT;
    }))
    .await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 504);
    upstream.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_everything_together() {
    // A chunk now and then keeps every other limit at bay.
    let mut acts = vec![stream_head()];
    for _ in 0..3 {
        acts.extend([chunk(&delta("more")), Act::WaitForTest]);
    }
    acts.push(Act::WaitForClose);
    let upstream = Upstream::start(acts).await;
    let app = TestApp::start(config(&upstream, |timeouts| timeouts.total = SHORT * 3)).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    for _ in 0..3 {
        upstream.go_on();
    }
    let text = tokio::time::timeout(SOON, response.text())
        .await
        .unwrap()
        .unwrap();
    assert!(
        text.contains("longer than its time limit of 240ms"),
        "{text}"
    );
    upstream.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_has_its_own() {
    let upstream = Upstream::start(vec![Act::WaitForClose]).await;
    let mut config = config(&upstream, |_| {});
    config.providers[0].timeouts.first_byte = Some(SHORT);
    let app = TestApp::start(config).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 504);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_body_that_does_not_come() {
    let upstream = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let app = TestApp::start(config(&upstream, |timeouts| timeouts.total = SHORT)).await;
    let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let body = reqwest::Body::wrap_stream(endless);
    let response = app.chat_bytes(body).send().await.unwrap();
    assert_eq!(response.status(), 408);
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_client_that_takes_nothing_of_its_answer() {
    use tokio::io::AsyncWriteExt;

    // More than the sockets' buffers hold.
    let long = delta(&"x".repeat(1 << 20));
    let mut acts = vec![stream_head()];
    acts.extend((0..64).map(|_| chunk(&long)));
    acts.push(Act::WaitForClose);
    let upstream = Upstream::start(acts).await;
    let app = TestApp::start(config(&upstream, |timeouts| {
        timeouts.between_chunks = SHORT * 5;
    }))
    .await;
    app.expect_record();
    let mut client = tokio::net::TcpStream::connect(app.app().client_address)
        .await
        .unwrap();
    let body = streamed(hello("m")).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all((head + &body).as_bytes()).await.unwrap();
    let record = app.record().await;
    assert_eq!(sqlx::Row::get::<String, _>(&record, "outcome"), "cancelled");
    drop(client);
}
