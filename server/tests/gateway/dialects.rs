//! Clients of one protocol before upstreams of another.

use reqwest::Response;
use serde_json::{Value, json};
use server::config::Config;
use sqlx::Row;

use crate::test_app::{TestApp, config_for, hello, key, model, provider_of_kind, streamed};
use crate::upstream::{
    ANSWER, Act, Upstream, chunk, delta, json as reply, stream, stream_end, stream_head,
};

/// Anthropic's answer in one piece.
pub const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"backend-model","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5}}"#;

const MESSAGE_EVENTS: &[&str] = &[
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"backend-model\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":5}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
];

fn message() -> Value {
    json!({"model": "fast", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]})
}

fn contents() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]})
}

async fn before_openai(script: Vec<Act>) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    (TestApp::start(config).await, upstream)
}

async fn before_anthropic(script: Vec<Act>) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let config = Config {
        providers: vec![provider_of_kind("anthropic", "up", &upstream, true)],
        models: vec![model("fast", &["up"])],
        ..Config::default()
    };
    (TestApp::start(config).await, upstream)
}

async fn body(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anthropic_client_before_an_openai_upstream() {
    let (app, upstream) = before_openai(vec![reply("200 OK", ANSWER)]).await;
    let answer = body(app.post("/v1/messages", &message()).send().await.unwrap()).await;
    assert_eq!(answer["type"], "message");
    assert_eq!(answer["model"], "fast");
    assert_eq!(answer["content"][0]["text"], "Hi");
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["usage"]["cache_read_input_tokens"], 4);
    let received = upstream.received().remove(0);
    assert!(received.head.starts_with("POST /v1/chat/completions "));
    let sent: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(sent["model"], "backend-model");
    assert_eq!(sent["messages"][0]["role"], "user");
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("dialect"), "anthropic");
    assert_eq!(record.get::<String, _>("endpoint"), "/v1/messages");
    assert_eq!(record.get::<i64, _>("output_tokens"), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_streamed() {
    let (app, _upstream) = before_openai(stream()).await;
    let response = app.post("/v1/messages", &streamed(message()));
    let response = response.send().await.unwrap();
    let kind = response.headers()["content-type"].clone();
    assert!(kind.to_str().unwrap().starts_with("text/event-stream"));
    let text = response.text().await.unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(names.first(), Some(&"message_start"), "{text}");
    assert_eq!(names.last(), Some(&"message_stop"), "{text}");
    assert!(text.contains(r#""text":"Hi""#), "{text}");
    assert!(!text.contains("backend-model"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_openai_client_before_an_anthropic_upstream() {
    let (app, upstream) = before_anthropic(vec![reply("200 OK", MESSAGE)]).await;
    let answer = body(app.chat(&hello("fast")).send().await.unwrap()).await;
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "fast");
    assert_eq!(answer["choices"][0]["message"]["content"], "Hi");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 11);
    let head = upstream.received().remove(0).head.to_lowercase();
    assert!(head.starts_with("post /v1/messages "), "{head}");
    assert!(head.contains("x-api-key: key-of-up\r\n"), "{head}");
    assert!(head.contains("anthropic-version: "), "{head}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_streamed_back() {
    let mut script = vec![stream_head()];
    script.extend(MESSAGE_EVENTS.iter().map(|event| chunk(event)));
    script.push(stream_end());
    let (app, _upstream) = before_anthropic(script).await;
    let response = app.chat(&streamed(hello("fast"))).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains(r#""content":"Hi""#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(!text.contains("backend-model"), "{text}");
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("input_tokens"), 7);
    assert_eq!(record.get::<i64, _>("output_tokens"), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anthropic_client_before_its_own_is_carried() {
    let (app, upstream) = before_anthropic(vec![reply("200 OK", MESSAGE)]).await;
    let odd = r#"{ "model":"fast", "max_tokens":1e2 ,"messages":[{"role":"user","content":"x"}],"new_beta_field":{"a":1.0} }"#;
    app.expect_record();
    let response = app
        .client
        .post(app.url("/v1/messages"))
        .header("anthropic-version", "2023-06-01")
        .header("anthropic-beta", "new-2026-01-01")
        .body(odd)
        .send()
        .await
        .unwrap();
    let text = response.text().await.unwrap();
    assert_eq!(text, MESSAGE.replace("backend-model", "fast"));
    let received = upstream.received().remove(0);
    let expected = odd.replace("\"fast\"", "\"backend-model\"");
    assert_eq!(String::from_utf8(received.body).unwrap(), expected);
    let head = received.head.to_lowercase();
    assert!(
        head.contains("anthropic-beta: new-2026-01-01\r\n"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gemini_client_before_an_openai_upstream() {
    let (app, upstream) = before_openai(vec![reply("200 OK", ANSWER)]).await;
    for path in [
        "/v1beta/models/fast:generateContent",
        "/v1/models/fast:generateContent",
    ] {
        let answer = body(app.post(path, &contents()).send().await.unwrap()).await;
        let candidate = &answer["candidates"][0];
        assert_eq!(candidate["content"]["parts"][0]["text"], "Hi", "{answer}");
        assert_eq!(candidate["finishReason"], "STOP");
        assert_eq!(answer["modelVersion"], "fast");
    }
    let sent: Value = serde_json::from_slice(&upstream.received()[0].body).unwrap();
    assert_eq!(sent["model"], "backend-model");
    app.flush().await;
    let rows = app
        .rows("SELECT * FROM requests WHERE dialect = 'gemini' AND requested_model = 'fast' AND endpoint = '/v1beta/models/{model}:generateContent'")
        .await;
    assert_eq!(rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gemini_client_streams_events_or_an_array() {
    let (app, _upstream) = before_openai(stream()).await;
    let path = "/v1beta/models/fast:streamGenerateContent";
    let events = app.post(&format!("{path}?alt=sse"), &contents());
    let text = events.send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("data: {"), "{text}");

    let array = app.post(path, &contents()).send().await.unwrap();
    let kind = array.headers()["content-type"].clone();
    assert!(kind.to_str().unwrap().starts_with("application/json"));
    let chunks: Vec<Value> = array.json().await.unwrap();
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["candidates"][0]["content"]["parts"][0]["text"].as_str())
        .collect();
    assert_eq!(text, "Hi");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn legacy_completions_before_an_anthropic_upstream() {
    let (app, _upstream) = before_anthropic(vec![reply("200 OK", MESSAGE)]).await;
    let request = json!({"model": "fast", "prompt": "Hello", "max_tokens": 5});
    let answer = body(app.post("/v1/completions", &request).send().await.unwrap()).await;
    assert_eq!(answer["object"], "text_completion");
    assert_eq!(answer["choices"][0]["text"], "Hi");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_in_the_shape_of_the_path() {
    let upstream = Upstream::start(Vec::new()).await;
    let mut config = config_for(&upstream);
    config.keys = vec![key("team-a", "sk-team-a-secret-key")];
    let app = TestApp::start(config).await;
    let refusal = |method: &str, path: &str| {
        let request = app.client.request(method.parse().unwrap(), app.url(path));
        async {
            let response = request.body("{}").send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.json::<Value>().await.unwrap())
        }
    };
    for (method, path, status, recorded) in [
        ("POST", "/v1/messages", 401, true),
        ("GET", "/v1/messages", 405, false),
        ("POST", "/v1/messages/count_tokens", 401, true),
        ("PUT", "/v1/messages/count_tokens", 405, false),
    ] {
        if recorded {
            app.expect_record();
        }
        let (told, body) = refusal(method, path).await;
        assert_eq!(told, status, "{method} {path}");
        assert_eq!(body["type"], "error", "{method} {path}: {body}");
        assert!(body["error"]["message"].is_string(), "{body}");
    }
    for (method, path, status, recorded) in [
        ("POST", "/v1beta/models/m:generateContent", 401, true),
        ("POST", "/v1/models/m:generateContent", 401, true),
        ("GET", "/v1beta/nothing", 404, false),
        ("POST", "/v1beta/models/m:unheardOf", 404, false),
        ("DELETE", "/v1beta/models", 405, false),
    ] {
        if recorded {
            app.expect_record();
        }
        let (told, body) = refusal(method, path).await;
        assert_eq!(told, status, "{method} {path}");
        assert_eq!(body["error"]["code"], status, "{method} {path}: {body}");
        assert!(body["error"]["status"].is_string(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_in_mid_stream_is_an_event_of_the_dialect() {
    let script = vec![stream_head(), chunk(&delta("one")), Act::Close];
    let (app, _upstream) = before_openai(script).await;
    let response = app.post("/v1/messages", &streamed(message()));
    let text = response.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("event: error\n"), "{text}");
    assert!(!text.contains("message_stop"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_as_each_client_reads_them() {
    let (app, _upstream) = before_openai(Vec::new()).await;
    let list = app
        .client
        .get(app.url("/v1/models"))
        .header("anthropic-version", "2023-06-01");
    let list = body(list.send().await.unwrap()).await;
    assert_eq!(list["data"][0]["type"], "model");
    assert_eq!(list["data"][0]["id"], "fast");
    assert_eq!(list["has_more"], false);
    let list = app.client.get(app.url("/v1beta/models"));
    let list = body(list.send().await.unwrap()).await;
    assert_eq!(list["models"][0]["name"], "models/fast");
    let one = app.client.get(app.url("/v1beta/models/fast"));
    let one = body(one.send().await.unwrap()).await;
    assert_eq!(one["name"], "models/fast");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_responses_client_before_other_upstreams() {
    for (app, _upstream) in [
        before_openai_chat_only(vec![reply("200 OK", ANSWER)]).await,
        before_anthropic(vec![reply("200 OK", MESSAGE)]).await,
    ] {
        let request = json!({"model": "fast", "input": "Hello"});
        let answer = body(app.post("/v1/responses", &request).send().await.unwrap()).await;
        assert_eq!(answer["object"], "response");
        assert_eq!(answer["model"], "fast");
        assert_eq!(answer["status"], "completed");
        assert_eq!(answer["output"][0]["content"][0]["text"], "Hi", "{answer}");

        let request = json!({"model": "fast", "input": "And?", "previous_response_id": "resp_1"});
        let response = app.post("/v1/responses", &request).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["param"], "previous_response_id", "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_responses_client_streams() {
    let (app, _upstream) = before_openai_chat_only(stream()).await;
    let request = json!({"model": "fast", "input": "Hello", "stream": true});
    let response = app.post("/v1/responses", &request).send().await.unwrap();
    let text = response.text().await.unwrap();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect();
    assert_eq!(events[0]["type"], "response.created", "{text}");
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{text}");
    }
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed", "{text}");
    assert_eq!(last["response"]["output"][0]["content"][0]["text"], "Hi");
}

/// Before an upstream that speaks Chat Completions and nothing else.
async fn before_openai_chat_only(script: Vec<Act>) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let mut config = config_for(&upstream);
    config.providers[0].protocol = Some("openai_chat".to_owned());
    config.models = vec![model("fast", &["up"])];
    (TestApp::start(config).await, upstream)
}
