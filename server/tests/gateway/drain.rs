//! Stopping: what is under way finishes, what would be new is refused.

use std::time::Duration;

use futures_util::StreamExt;

use crate::test_app::{SOON, TestApp, config_for, hello, streamed};
use crate::upstream::{Act, DONE, STOP, Upstream, chunk, delta, stream_end, stream_head};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_finishes_and_is_recorded() {
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("one")),
        Act::WaitForTest,
        chunk(STOP),
        chunk(DONE),
        stream_end(),
    ])
    .await;
    let mut app = TestApp::before(&upstream).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    let mut body = response.bytes_stream();
    body.next().await.unwrap().unwrap();

    let url = app.url("/health");
    let client = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let stopping = app.stop();
    tokio::pin!(stopping);
    // The listener closes; the stream does not.
    loop {
        tokio::select! {
            () = &mut stopping => panic!("stopped with a stream under way"),
            answer = client.get(&url).send() => if answer.is_err() { break },
        }
    }
    upstream.go_on();
    let mut rest = String::new();
    let reading = async {
        while let Some(bytes) = body.next().await {
            rest.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        }
    };
    let both = futures_util::future::join(stopping, reading);
    tokio::time::timeout(SOON, both).await.unwrap();
    assert!(rest.ends_with(DONE), "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_ends() {
    let upstream =
        Upstream::start(vec![stream_head(), chunk(&delta("one")), Act::WaitForClose]).await;
    let mut config = config_for(&upstream);
    config.server.drain_timeout = Duration::from_millis(50);
    let mut app = TestApp::start(config).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    tokio::time::timeout(SOON, app.stop()).await.unwrap();
    upstream.closed().await;
    drop(response);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_request_does_not_hold_it_up() {
    use tokio::io::AsyncWriteExt;

    let mut app = TestApp::simulated().await;
    let address = app.app().client_address;
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"POST /v1/chat/comp").await.unwrap();
    // An answer over another connection says that this one has been accepted.
    reqwest::get(app.url("/health")).await.unwrap();
    tokio::time::timeout(SOON, app.stop()).await.unwrap();
}
