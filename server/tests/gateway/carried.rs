//! Same protocol on both sides: the bytes travel as they came.

use serde_json::json;
use server::config::Config;

use crate::test_app::{TestApp, config_for, model};
use crate::upstream::{
    ANSWER, Act, DONE, STOP, Upstream, chunk, delta, json as reply, response, stream_end,
    stream_head,
};

/// Odd white space, an unknown field, a number that no float holds, escapes of several kinds.
const ODD: &str = "{ \"model\" : \"fast\",\n\t\"messages\":[{\"role\":\"user\",\"content\":\"caf\\u00e9 \\/ \u{1F600}\",\"x\":1}],\"vendor_field\": {\"a\":[1.0,1e2,12345678901234567890123]} , \"temperature\":0.70 }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_its_bytes_but_for_the_model() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    let app = TestApp::start(config).await;
    let response = app.chat_bytes(ODD).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let received = upstream.received().remove(0);
    let expected = ODD.replacen("\"fast\"", "\"backend-model\"", 1);
    assert_eq!(String::from_utf8(received.body).unwrap(), expected);
    assert!(
        received
            .head
            .starts_with("POST /v1/chat/completions HTTP/1.1\r\n")
    );
    let head = received.head.to_lowercase();
    assert!(
        head.contains("authorization: bearer key-of-up\r\n"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_keeps_its_bytes_but_for_the_model() {
    let body = "{ \"id\":\"x\", \"object\":\"chat.completion\",\"created\":1,\n \"model\" : \"backend-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"backend-model \\u00e9\",\"new\":[1.50]},\"finish_reason\":\"stop\",\"logprobs\":null}],\"vendor\":{\"z\":1,\"a\":2}}";
    let upstream = Upstream::start(vec![Act::Send(response("200 OK", "", body))]).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    let app = TestApp::start(config).await;
    let request = json!({"model": "fast", "messages": [{"role": "user", "content": "Hello"}]});
    let text = app
        .chat(&request)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(text, body.replacen("\"backend-model\"", "\"fast\"", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_keeps_its_bytes_but_for_the_model() {
    let odd = "event: message\r\nid: 7\r\ndata:{\"model\":\"backend-model\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"vendor\":1.0}\r\n\r\n";
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(": a comment\n\n"),
        chunk(odd),
        chunk(&delta("b")),
        chunk(STOP),
        chunk(DONE),
        stream_end(),
    ])
    .await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    let app = TestApp::start(config).await;
    let request = json!({"model": "fast", "stream": true, "messages": [{"role": "user", "content": "Hello"}]});
    let text = app
        .chat(&request)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let all = format!(": a comment\n\n{odd}{}{STOP}{DONE}", delta("b"));
    assert_eq!(text, all.replace("\"backend-model\"", "\"fast\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_history_arrives_whole() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let app = TestApp::before(&upstream).await;
    let content = "é\"\\ ".repeat(500_000);
    let request = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
    let response = app.chat(&request).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        upstream.received()[0].body,
        request.to_string().into_bytes()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_used_again() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let app = TestApp::before(&upstream).await;
    for _ in 0..5 {
        let request = json!({"model": "m", "messages": []});
        assert_eq!(app.chat(&request).send().await.unwrap().status(), 200);
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_closed_meanwhile_costs_nothing() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER), Act::Close]).await;
    let app = TestApp::before(&upstream).await;
    for _ in 0..20 {
        let request = json!({"model": "m", "messages": []});
        assert_eq!(app.chat(&request).send().await.unwrap().status(), 200);
    }
    assert_eq!(upstream.received().len(), 20);
}

/// What the transport does alone: `m` is tried once.
fn without_retries(upstream: &Upstream) -> Config {
    let mut once = model("m", &["up"]);
    once.retry.retries = 0;
    Config {
        models: vec![once],
        ..config_for(upstream)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_out_at_most_twice() {
    // Six connections are opened and kept; from then on each closes when it gets a request.
    let upstream = Upstream::with(|n| {
        if n < 6 {
            vec![Act::WaitForTest, reply("200 OK", ANSWER)]
        } else {
            vec![Act::Close]
        }
    })
    .await;
    let app = TestApp::start(without_retries(&upstream)).await;
    let request = json!({"model": "m", "messages": []});
    let answers: Vec<_> = (0..6)
        .map(|_| tokio::spawn(app.chat(&request).send()))
        .collect();
    while upstream.received().len() < 6 {
        tokio::task::yield_now().await;
    }
    upstream.go_on();
    for answer in answers {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(upstream.connections(), 6);
    assert_eq!(app.chat(&request).send().await.unwrap().status(), 502);
    assert_eq!(upstream.received().len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_was_begun_is_not_asked_for_again() {
    let upstream = Upstream::with(|n| match n {
        0 => vec![reply("200 OK", ANSWER)],
        _ => vec![
            Act::Send(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec()),
            Act::Close,
        ],
    })
    .await;
    let app = TestApp::start(without_retries(&upstream)).await;
    let request = json!({"model": "m", "messages": []});
    assert_eq!(app.chat(&request).send().await.unwrap().status(), 200);
    assert_eq!(app.chat(&request).send().await.unwrap().status(), 502);
    assert_eq!(upstream.received().len(), 2);
}
