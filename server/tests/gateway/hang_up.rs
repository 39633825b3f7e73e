//! A client that hangs up cancels the upstream's call, and is recorded.

use futures_util::StreamExt;
use sqlx::Row;

use crate::test_app::{TestApp, hello, streamed};
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
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    let mut body = response.bytes_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    upstream.closed().await;
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "cancelled");
    assert_eq!(record.get::<String, _>("error_kind"), "cancelled");
    assert_eq!(record.get::<i64, _>("status"), 200);
    assert!(record.get::<i64, _>("bytes_out") > 0);
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
}
