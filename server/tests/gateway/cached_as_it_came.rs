//! Answers of which only the upstream's own bytes tell all are given again as they came, or not at all.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::Config;

use crate::test_app::{TestApp, config_for, provider_of_kind, streamed};
use crate::upstream::{ANSWER, Act, Upstream, chunk, json as reply, stream_end, stream_head};

const SEARCHED: &str = include_str!("../../llm/tests/fixtures/anthropic/web_search/response.json");
const SEARCHED_STREAM: &str =
    include_str!("../../llm/tests/fixtures/anthropic/web_search/stream.sse");
const KEPT: &str = include_str!("../../llm/tests/fixtures/openai_responses/text/response.json");
const KEPT_STREAM: &str = include_str!("../../llm/tests/fixtures/openai_responses/text/stream.sse");

/// Answers as it is asked: in one piece, or in a stream.
async fn upstream(whole: &'static str, stream: &'static str) -> Upstream {
    Upstream::by_body(move |body| {
        let body: Value = serde_json::from_slice(body).unwrap();
        match body["stream"] == json!(true) {
            false => vec![reply("200 OK", &finished(whole))],
            true => streaming(&finished(stream)),
        }
    })
    .await
}

/// What the model of the fixture had only paused.
fn finished(text: &str) -> String {
    text.replace("pause_turn", "end_turn")
}

fn streaming(text: &str) -> Vec<Act> {
    // Not where frames end.
    let middle = text.len() / 2;
    let (one, other) = text.split_at(text.ceil_char_boundary(middle));
    vec![stream_head(), chunk(one), chunk(other), stream_end()]
}

fn config(kind: &str, upstream: &Upstream) -> Config {
    Config {
        providers: vec![provider_of_kind(kind, "up", upstream, true)],
        ..Config::default()
    }
}

async fn told(request: RequestBuilder) -> (String, String) {
    read(request.send().await.unwrap()).await
}

async fn read(response: Response) -> (String, String) {
    assert_eq!(response.status(), 200);
    let outcome = response.headers()["x-cache"].to_str().unwrap().to_owned();
    (outcome, response.text().await.unwrap())
}

fn searching() -> Value {
    json!({
        "model": "assistant", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 1}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_providers_tool_did_is_told_again_to_the_byte() {
    let upstream = upstream(SEARCHED, SEARCHED_STREAM).await;
    let app = TestApp::caching(config("anthropic", &upstream)).await;
    let ask = async |body: Value| told(app.post("/v1/messages", &body)).await;
    for (body, piece) in [
        (streamed(searching()), "encrypted_content"),
        (searching(), "web_search_tool_result"),
    ] {
        let (first, text) = ask(body.clone()).await;
        assert_eq!(first, "MISS", "it cannot be made of the other");
        assert!(text.contains(piece), "{text}");
        assert_eq!(ask(body.clone()).await, ("HIT".to_owned(), text.clone()));
        assert_eq!(ask(body).await, ("HIT".to_owned(), text));
    }
    assert_eq!(upstream.received().len(), 2);
    for row in app.records(6).await {
        let status: i64 = sqlx::Row::get(&row, "status");
        assert_eq!(status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_that_the_upstream_keeps_has_its_own_names() {
    let upstream = upstream(KEPT, KEPT_STREAM).await;
    let app = TestApp::caching(config("openai", &upstream)).await;
    let ask = async |body: Value| told(app.post("/v1/responses", &body)).await;
    let asked = || json!({"model": "assistant", "input": "Say hello.", "user": "u"});
    let other = || json!({"model": "assistant", "input": "Say hello.", "user": "v"});
    let id = "resp_68a1f0c2b8a48193a0c7d1e5f60912340b7a5c9d2e4f6a80";
    for form in [streamed, |whole| whole] {
        let (first, text) = ask(form(asked())).await;
        assert_eq!(first, "MISS");
        assert!(text.contains(id), "{text}");
        assert_eq!(ask(form(asked())).await, ("HIT".to_owned(), text));
        // It says who asked.
        assert_eq!(ask(form(other())).await.0, "MISS");
        assert_eq!(ask(form(other())).await.0, "HIT");
    }
    assert_eq!(upstream.received().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_dialect_is_not_given_less_than_its_upstream_says() {
    let with_sources = ANSWER.replace(
        "\"usage\"",
        "\"search_results\":[{\"url\":\"https://example.com/a\",\"title\":\"A\",\"date\":\"2026-01-01\"}],\"usage\"",
    );
    let upstream = Upstream::with(move |_| vec![reply("200 OK", &with_sources)]).await;
    let app = TestApp::caching(config_for(&upstream)).await;
    let question = || json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]});
    // There are clients of two.
    let other =
        json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]});
    for path in ["/v1/messages", "/v1/chat/completions"] {
        told(app.post(path, &other)).await;
    }
    let message = async || told(app.post("/v1/messages", &question())).await;
    let chat = async || told(app.chat(&question())).await;
    assert_eq!(message().await.0, "MISS");
    assert_eq!(message().await.0, "HIT");
    let (first, text) = chat().await;
    assert_eq!(first, "MISS");
    assert!(text.contains("search_results"), "{text}");
    assert_eq!(chat().await, ("HIT".to_owned(), text));
    assert_eq!(message().await.0, "HIT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_as_it_came_can_outlive_a_restart() {
    let upstream = upstream(SEARCHED, SEARCHED_STREAM).await;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gateway.db");
    let mut config = config("anthropic", &upstream);
    config.server.port = 0;
    config.admin.port = 0;
    config.providers[0].health.enabled = Some(false);
    config.database.url = format!("sqlite:{}", database.display());
    config.cache.enabled = true;
    config.cache.persistent = true;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let ask = async |app: &App, body: &Value| {
        let url = format!("http://{}/v1/messages", app.client_address);
        let request = client.post(url).header("content-type", "application/json");
        told(request.body(body.to_string())).await
    };
    let app = App::start(&config).await.unwrap();
    let (first, text) = ask(&app, &streamed(searching())).await;
    assert_eq!(first, "MISS");
    let kept = app.gateway.policies().cache.kept().stats().bytes;
    app.stop().await;
    let app = App::start(&config).await.unwrap();
    assert_eq!(app.gateway.policies().cache.kept().stats().bytes, kept);
    assert_eq!(
        ask(&app, &streamed(searching())).await,
        ("HIT".to_owned(), text)
    );
    app.stop().await;
}

/// Then there are no bytes of the form that was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_the_other_form_than_was_asked_for_is_not_kept() {
    let searched = finished(SEARCHED);
    let upstream = Upstream::with(move |_| vec![reply("200 OK", &searched)]).await;
    let app = TestApp::caching(config("anthropic", &upstream)).await;
    let ask = async |body: Value| told(app.post("/v1/messages", &body)).await;
    assert_eq!(ask(streamed(searching())).await.0, "MISS");
    let (first, text) = ask(searching()).await;
    assert_eq!(first, "MISS");
    assert!(text.contains("web_search_tool_result"), "{text}");
    assert_eq!(ask(searching()).await, ("HIT".to_owned(), text));

    let upstream = Upstream::start(streaming(&finished(SEARCHED_STREAM))).await;
    let app = TestApp::caching(config("anthropic", &upstream)).await;
    let ask = async |body: Value| told(app.post("/v1/messages", &body)).await;
    assert_eq!(ask(searching()).await.0, "MISS");
    let (first, text) = ask(streamed(searching())).await;
    assert_eq!(first, "MISS");
    assert!(text.contains("web_search_tool_result"), "{text}");
    assert_eq!(ask(streamed(searching())).await, ("HIT".to_owned(), text));
}

/// Whoever cannot be given another's answer does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_response_that_says_who_asked_another() {
    let upstream = Upstream::with(|number| match number {
        0 => vec![Act::WaitForTest, reply("200 OK", KEPT)],
        _ => vec![reply("200 OK", KEPT)],
    })
    .await;
    let mut config = config("openai", &upstream);
    config.cache.coalesce = true;
    let app = TestApp::caching(config).await;
    let of = |user: &str| {
        app.post(
            "/v1/responses",
            &json!({"model": "assistant", "input": "Say hello.", "user": user}),
        )
    };
    let first = tokio::spawn(told(of("u")));
    while upstream.received().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It is answered while the first one is not.
    assert_eq!(told(of("v")).await.0, "MISS");
    let same = tokio::spawn(told(of("u")));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(upstream.received().len(), 2);
    upstream.go_on();
    assert_eq!(first.await.unwrap().0, "MISS");
    assert_eq!(same.await.unwrap().0, "HIT");
}

/// Nobody keeps the frames of all streams, just in case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_late_is_not_kept() {
    let start = SEARCHED_STREAM.find("event: content_block_start").unwrap();
    let ping = format!(
        "event: ping\ndata: {{\"type\": \"ping\"}}\n: {}\n\n",
        "x".repeat(1000)
    );
    let (before, after) = SEARCHED_STREAM.split_at(start);
    for (pings, second) in [(60, "HIT"), (70, "MISS")] {
        let late = finished(&[before, &ping.repeat(pings), after].concat());
        let upstream = Upstream::start(streaming(&late)).await;
        let app = TestApp::caching(config("anthropic", &upstream)).await;
        let ask = async || told(app.post("/v1/messages", &streamed(searching()))).await;
        let (first, text) = ask().await;
        assert_eq!(first, "MISS");
        assert_eq!(ask().await, (second.to_owned(), text), "{pings}");
    }
}

/// What is longer than an entry may be is not kept, and not cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_bytes_are_not_kept() {
    let upstream = upstream(SEARCHED, SEARCHED_STREAM).await;
    // Enough for what it says, and for how it says it; not for both.
    for (most, second) in [(1500, "MISS"), (2500, "MISS"), (5000, "HIT")] {
        let mut config = config("anthropic", &upstream);
        config.cache.max_entry_bytes = most;
        let app = TestApp::caching(config).await;
        let ask = async || told(app.post("/v1/messages", &streamed(searching()))).await;
        assert_eq!(ask().await.0, "MISS");
        assert_eq!(ask().await.0, second, "{most}");
    }
}
