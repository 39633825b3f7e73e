//! Streams: forwarded when they come, never gathered.

use futures_util::StreamExt;
use serde_json::{Value, json};
use sqlx::Row;

use crate::test_app::{SOON, TestApp, hello, streamed};
use crate::upstream::{
    ANSWER, Act, DONE, STOP, USAGE, Upstream, chunk, delta, json as reply, stream, stream_end,
    stream_head,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_chunk_is_forwarded_before_the_next_one_exists() {
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("one")),
        Act::WaitForTest,
        chunk(&delta("two")),
        Act::WaitForTest,
        chunk(STOP),
        chunk(DONE),
        stream_end(),
    ])
    .await;
    let app = TestApp::before(&upstream).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let mut body = response.bytes_stream();
    for word in ["one", "two"] {
        let bytes = tokio::time::timeout(SOON, body.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            delta(word).replace("backend-model", "m")
        );
        upstream.go_on();
    }
    let mut rest = String::new();
    while let Some(bytes) = body.next().await {
        rest.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
    }
    assert!(rest.ends_with(DONE), "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_asked_for_and_kept_from_clients_that_did_not() {
    let upstream = Upstream::start(stream()).await;
    let app = TestApp::before(&upstream).await;
    let text = app
        .chat(&streamed(hello("m")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("prompt_tokens"), "{text}");
    assert!(text.ends_with(DONE));
    let sent: Value = serde_json::from_slice(&upstream.received()[0].body).unwrap();
    assert_eq!(sent["stream_options"], json!({"include_usage": true}));

    let mut request = streamed(hello("m"));
    request["stream_options"] = json!({"include_usage": true});
    let text = app
        .chat(&request)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        text.contains(&USAGE.replace("backend-model", "m")),
        "{text}"
    );

    app.flush().await;
    let rows = app.rows("SELECT * FROM requests WHERE input_tokens = 11 AND output_tokens = 7 AND first_token_us > 0").await;
    assert_eq!(rows.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_does_not_stream_serves_a_client_that_does() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let app = TestApp::before(&upstream).await;
    let text = app
        .chat(&streamed(hello("m")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let events: Vec<&str> = text
        .split("\n\n")
        .filter(|event| !event.is_empty())
        .collect();
    assert_eq!(events.last(), Some(&"data: [DONE]"));
    let mut content = String::new();
    for event in &events[..events.len() - 1] {
        let data: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(data["object"], "chat.completion.chunk");
        assert_eq!(data["model"], "m");
        content += data["choices"][0]["delta"]["content"]
            .as_str()
            .unwrap_or_default();
    }
    assert_eq!(content, "Hi");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_streams_serves_a_client_that_does_not() {
    let upstream = Upstream::start(stream()).await;
    let app = TestApp::before(&upstream).await;
    let body: Value = app
        .chat(&hello("m"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "m");
    assert_eq!(body["choices"][0]["message"]["content"], "Hi");
    assert_eq!(body["usage"]["total_tokens"], 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_arrives_whole() {
    let mut acts = vec![stream_head()];
    let mut burst = Vec::new();
    for n in 0..2_000 {
        if let Act::Send(bytes) = chunk(&delta(&format!("{n};"))) {
            burst.extend(bytes);
        }
    }
    acts.extend([Act::Send(burst), chunk(STOP), chunk(DONE), stream_end()]);
    let upstream = Upstream::start(acts).await;
    let app = TestApp::before(&upstream).await;
    let text = app
        .chat(&streamed(hello("m")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let expected: String = (0..2_000).map(|n| delta(&format!("{n};"))).collect();
    assert_eq!(
        text,
        format!("{expected}{STOP}{DONE}").replace("backend-model", "m")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_over_when_it_says_so() {
    // The body never ends.
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("Hi")),
        chunk(STOP),
        chunk(DONE),
        Act::WaitForClose,
    ])
    .await;
    let app = TestApp::before(&upstream).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    let text = tokio::time::timeout(SOON, response.text()).await;
    assert!(text.unwrap().unwrap().ends_with(DONE));
    assert_eq!(app.record().await.get::<String, _>("outcome"), "finished");
    upstream.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_used_again_after_streams() {
    let upstream = Upstream::start(stream()).await;
    let app = TestApp::before(&upstream).await;
    for _ in 0..5 {
        let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
        assert!(response.text().await.unwrap().ends_with(DONE));
    }
    assert!(upstream.connections() < 5, "{}", upstream.connections());
}
