//! The limit on request bodies.

use server::config::{ByteSize, Config};

use crate::test_app::{TestApp, error, hello, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_limit_is_413_at_once_or_as_soon_as_it_shows() {
    let mut config = Config::default();
    config.server.max_body_size = ByteSize::mebibytes(1);
    let app = TestApp::start(config).await;
    let big = vec![b' '; (1 << 20) + 1];

    let response = app.chat_bytes(big.clone()).send().await.unwrap();
    assert_eq!(response.status(), 413);
    let refusal = error(response).await;
    assert!(
        refusal["message"].as_str().unwrap().contains("1048576"),
        "{refusal}"
    );
    assert_eq!(refusal["code"], "request_too_large");

    // Without a length it shows on the way.
    let pieces = futures_util::stream::iter(vec![Ok::<_, std::io::Error>(big)]);
    let body = reqwest::Body::wrap_stream(pieces);
    let response = app.chat_bytes(body).send().await.unwrap();
    assert_eq!(response.status(), 413);

    let mut request = hello("simulated").to_string();
    request.push_str(&" ".repeat((1 << 20) - request.len()));
    assert_eq!(app.chat_bytes(request).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let mut config = Config::default();
    config.server.max_body_size = ByteSize::mebibytes(1);
    config.keys = vec![key("team-a", "sk-team-a-secret-key")];
    let app = TestApp::start(config).await;
    let big = bytes::Bytes::from(vec![b' '; 30 << 20]);
    for _ in 0..5 {
        let known = app
            .chat_bytes(big.clone())
            .bearer_auth("sk-team-a-secret-key");
        assert_eq!(known.send().await.unwrap().status(), 413);
        let unknown = app.chat_bytes(big.clone()).bearer_auth("sk-wrong");
        assert_eq!(unknown.send().await.unwrap().status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_body_is_refused_in_so_many_words() {
    let app = TestApp::simulated().await;
    let request = app
        .chat(&hello("simulated"))
        .header("content-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        error(response).await["code"],
        "unsupported_content_encoding"
    );
}
