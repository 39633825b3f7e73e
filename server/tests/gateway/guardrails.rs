//! What may be asked, and what may be answered: the operator's rules, in every dialect and at every endpoint.

use serde_json::{Value, json};
use server::config::Config;
use shared::policies::{Guardrail, RuleVerdict, Side, TestedText};
use sqlx::Row;

use crate::test_app::{TestApp, config_for, hello, key, model, streamed};
use crate::upstream::{Act, Upstream, chunk, delta, json as reply, stream_end, stream_head};

const BAN: &str =
    r#"{"check":{"kind":"phrases","phrases":["forbidden words"]},"action":{"kind":"block"}}"#;
const BAN_POLITELY: &str = r#"{"check":{"kind":"phrases","phrases":["forbidden words"]},"action":{"kind":"block","message":"Let us talk about something else."}}"#;
const REDACT: &str = r#"{"check":{"kind":"pii"},"action":{"kind":"redact"}}"#;

/// How each dialect's clients ask for a model: the path, the body around a text, and where the answer's text is.
struct Dialect {
    path: &'static str,
    stream_path: &'static str,
    ask: fn(&str) -> Value,
    /// The answer, and the word for its end.
    answer: fn(&Value) -> (String, String),
    /// The word for an answer that was held back for its content.
    filtered: &'static str,
    /// Of an error: its message and, where the protocol has one, its code.
    error: fn(&Value) -> &Value,
}

const DIALECTS: [Dialect; 4] = [
    Dialect {
        path: "/v1/chat/completions",
        stream_path: "/v1/chat/completions",
        ask: |text| json!({"model": "fast", "messages": [{"role": "system", "content": "Be nice."}, {"role": "user", "content": text}], "odd": 1.0}),
        answer: |body| {
            let choice = &body["choices"][0];
            (
                words(&choice["message"]["content"]),
                words(&choice["finish_reason"]),
            )
        },
        filtered: "content_filter",
        error: |body| &body["error"]["message"],
    },
    Dialect {
        path: "/v1/messages",
        stream_path: "/v1/messages",
        ask: |text| json!({"model": "fast", "max_tokens": 100, "system": "Be nice.", "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}),
        answer: |body| {
            (
                words(&body["content"][0]["text"]),
                words(&body["stop_reason"]),
            )
        },
        filtered: "refusal",
        error: |body| &body["error"]["message"],
    },
    Dialect {
        path: "/v1/responses",
        stream_path: "/v1/responses",
        ask: |text| json!({"model": "fast", "input": text, "instructions": "Be nice."}),
        answer: |body| {
            let reason = &body["incomplete_details"]["reason"];
            (
                words(&body["output"][0]["content"][0]["text"]),
                words(reason),
            )
        },
        filtered: "content_filter",
        error: |body| &body["error"]["message"],
    },
    Dialect {
        path: "/v1beta/models/fast:generateContent",
        stream_path: "/v1beta/models/fast:streamGenerateContent?alt=sse",
        ask: |text| json!({"contents": [{"parts": [{"text": text}]}], "systemInstruction": {"parts": [{"text": "Be nice."}]}}),
        answer: |body| {
            let candidate = &body["candidates"][0];
            (
                words(&candidate["content"]["parts"][0]["text"]),
                words(&candidate["finishReason"]),
            )
        },
        filtered: "SAFETY",
        error: |body| &body["error"]["message"],
    },
];

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn answer(text: &str) -> Vec<Act> {
    let body = json!({"id": "1", "object": "chat.completion", "created": 1, "model": "backend-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}});
    vec![reply("200 OK", &body.to_string())]
}

/// The text in pieces of three characters.
fn pieces(text: &str) -> Vec<Act> {
    let characters: Vec<char> = text.chars().collect();
    let mut script = vec![stream_head()];
    for piece in characters.chunks(3) {
        script.push(chunk(&delta(&piece.iter().collect::<String>())));
    }
    let end = r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"backend-model","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    script.push(chunk(&format!("{end}\n\n")));
    script.push(chunk("data: [DONE]\n\n"));
    script.push(stream_end());
    script
}

async fn with_rules(rules: &[&str], script: Vec<Act>) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    (TestApp::start(with(config, rules)).await, upstream)
}

fn with(mut config: Config, rules: &[&str]) -> Config {
    for (order, rule) in rules.iter().enumerate() {
        let mut rule: Guardrail = serde_json::from_str(rule).unwrap();
        rule.order = i32::try_from(order).unwrap();
        config.guardrails.insert(format!("rule-{order}"), rule);
    }
    config
}

fn outcomes(record: &sqlx::sqlite::SqliteRow) -> Value {
    let outcomes: Option<String> = record.get("guardrails");
    outcomes.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_refused_before_anybody_is_asked() {
    for dialect in &DIALECTS {
        let (app, upstream) = with_rules(&[BAN], answer("Hi")).await;
        let body = (dialect.ask)("say FORBIDDEN\nwords, say forbidden words");
        let response = app.post(dialect.path, &body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{}", dialect.path);
        let body: Value = response.json().await.unwrap();
        let message = words((dialect.error)(&body));
        assert!(message.contains("`rule-0`"), "{body}");
        assert!(!body.to_string().contains("orbidden words"), "{body}");
        assert!(upstream.received().is_empty());
        let record = app.record().await;
        assert_eq!(record.get::<String, _>("error_source"), "policy");
        assert_eq!(record.get::<String, _>("error_kind"), "content_filtered");
        let expected = json!([{"rule": "rule-0", "side": "request", "verdict": "blocked"}]);
        assert_eq!(outcomes(&record), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_with_words_is_an_answer() {
    for dialect in &DIALECTS {
        let (app, upstream) = with_rules(&[BAN_POLITELY], answer("Hi")).await;
        let body = (dialect.ask)("say forbidden words");
        let response = app.post(dialect.path, &body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", dialect.path);
        assert_eq!(response.headers()["x-cache"], "BYPASS");
        let body: Value = response.json().await.unwrap();
        let (text, end) = (dialect.answer)(&body);
        assert_eq!(text, "Let us talk about something else.", "{body}");
        assert_eq!(end, dialect.filtered, "{body}");
        let asked = (dialect.ask)("say forbidden words");
        let asked = if dialect.path == dialect.stream_path {
            streamed(asked)
        } else {
            asked
        };
        let response = app.post(dialect.stream_path, &asked).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let stream = response.text().await.unwrap();
        assert!(
            stream.contains("Let us talk about something else."),
            "{stream}"
        );
        assert!(stream.contains(dialect.filtered), "{stream}");
        assert!(upstream.received().is_empty());
        drop(app);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_changed_where_its_text_stands() {
    for dialect in &DIALECTS {
        let (app, upstream) = with_rules(&[REDACT], answer("Hi")).await;
        let body = (dialect.ask)("I am jane@example.com.");
        let response = app.post(dialect.path, &body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", dialect.path);
        let sent = upstream.received().remove(0).body;
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(sent["messages"][0]["content"], "Be nice.", "{sent}");
        assert_eq!(
            sent["messages"][1]["content"]
                .to_string()
                .matches("I am [EMAIL].")
                .count(),
            1,
            "{sent}"
        );
        if dialect.path == "/v1/chat/completions" {
            assert_eq!(sent["odd"], json!(1.0), "what nobody knows survives");
        }
        let expected = json!([{"rule": "rule-0", "side": "request", "verdict": "changed"}]);
        assert_eq!(outcomes(&app.record().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_reply_is_refused_and_paid_for() {
    for dialect in &DIALECTS {
        let (app, _upstream) = with_rules(&[BAN], answer("Well, forbidden words!")).await;
        let response = app.post(dialect.path, &(dialect.ask)("Hello"));
        let response = response.send().await.unwrap();
        assert_eq!(response.status(), 400, "{}", dialect.path);
        let text = response.text().await.unwrap();
        assert!(!text.contains("forbidden words"), "{text}");
        let record = app.record().await;
        assert_eq!(record.get::<i64, _>("output_tokens"), 7);
        // It is no failure of the provider's.
        let attempts: Value = serde_json::from_str(&record.get::<String, _>("attempts")).unwrap();
        assert_eq!(attempts.as_array().unwrap().len(), 1);
        assert_eq!(attempts[0]["error_kind"], Value::Null);
        let expected = json!([{"rule": "rule-0", "side": "reply", "verdict": "blocked"}]);
        assert_eq!(outcomes(&record), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_reply_is_changed() {
    for dialect in &DIALECTS {
        let (app, _upstream) = with_rules(&[REDACT], answer("Ask jane@example.com.")).await;
        let response = app.post(dialect.path, &(dialect.ask)("Hello"));
        let body: Value = response.send().await.unwrap().json().await.unwrap();
        assert_eq!((dialect.answer)(&body).0, "Ask [EMAIL].", "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_never_says_what_is_banned() {
    for (rule, ends) in [
        (BAN, "content_policy_violation"),
        (BAN_POLITELY, "Let us talk"),
    ] {
        for dialect in &DIALECTS {
            let script =
                pieces("Well, this is it: forbidden words, and much more that nobody sees.");
            let (app, _upstream) = with_rules(&[rule], script).await;
            let asked = (dialect.ask)("Hello");
            let asked = if dialect.path == dialect.stream_path {
                streamed(asked)
            } else {
                asked
            };
            let response = app.post(dialect.stream_path, &asked).send().await.unwrap();
            assert_eq!(response.status(), 200);
            let stream = response.text().await.unwrap();
            let text = text_of(&stream);
            assert!(text.starts_with("Well, this is it: "), "{stream}");
            assert!(!text.contains("forbidden"), "{stream}");
            assert!(!stream.contains("nobody"), "{stream}");
            if rule == BAN_POLITELY {
                assert!(text.contains(ends), "{stream}");
                assert!(stream.contains(dialect.filtered), "{stream}");
            } else {
                assert!(stream.contains("rule-0"), "{stream}");
                if dialect.path == "/v1/chat/completions" {
                    assert!(stream.contains(ends), "{stream}");
                }
            }
            assert!(!stream.contains("backend-model"), "{stream}");
            let record = app.record().await;
            let expected = json!([{"rule": "rule-0", "side": "reply", "verdict": "blocked"}]);
            assert_eq!(outcomes(&record), expected);
            assert!(
                record.get::<Option<i64>, _>("output_tokens").is_some(),
                "{}",
                dialect.path
            );
        }
    }
}

/// All that the `text` and `content` and `delta` strings of a stream's events say.
fn text_of(stream: &str) -> String {
    let mut text = String::new();
    for line in stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
    {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        for place in [
            &event["choices"][0]["delta"]["content"],
            &event["delta"]["text"],
            &event["candidates"][0]["content"]["parts"][0]["text"],
        ] {
            text.push_str(place.as_str().unwrap_or_default());
        }
        if event["type"] == "response.output_text.delta" {
            text.push_str(event["delta"].as_str().unwrap_or_default());
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_changed_on_its_way() {
    let short =
        r#"{"check":{"kind":"length","max":40},"action":{"kind":"truncate"},"side":"reply"}"#;
    let disclaimer =
        r#"{"check":{"kind":"disclaimer","text":"No advice."},"action":{"kind":"append"}}"#;
    for dialect in &DIALECTS {
        let script = pieces("Ask jane@example.com, or call +49 30 1234567 as long as it is day.");
        let (app, _upstream) = with_rules(&[REDACT, short, disclaimer], script).await;
        let asked = (dialect.ask)("Hello");
        let asked = if dialect.path == dialect.stream_path {
            streamed(asked)
        } else {
            asked
        };
        let response = app.post(dialect.stream_path, &asked).send().await.unwrap();
        let stream = response.text().await.unwrap();
        assert_eq!(
            text_of(&stream),
            "Ask [EMAIL], or call [PHONE] as long as \n\nNo advice.",
            "{stream}"
        );
        assert!(!stream.contains("jane"), "{stream}");
        let record = app.record().await;
        assert_eq!(record.get::<String, _>("finish_reason"), "length");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_side_door() {
    let (app, upstream) = with_rules(&[BAN_POLITELY], answer("Hi")).await;
    let text = "forbidden words";
    for (path, body) in [
        (
            "/v1/embeddings",
            json!({"model": "fast", "input": ["x", text]}),
        ),
        ("/v1/completions", json!({"model": "fast", "prompt": text})),
        ("/v1/moderations", json!({"model": "fast", "input": text})),
        (
            "/v1/images/generations",
            json!({"model": "fast", "prompt": text}),
        ),
        (
            "/v1/audio/speech",
            json!({"model": "fast", "input": text, "voice": "a"}),
        ),
        (
            "/v1/rerank",
            json!({"model": "fast", "query": "q", "documents": [text]}),
        ),
        ("/v1/fast/vector_stores", json!({"id": text})),
        (
            "/v1/messages/count_tokens",
            json!({"model": "fast", "messages": [{"role": "user", "content": text}]}),
        ),
        (
            "/v1beta/models/fast:embedContent",
            json!({"content": {"parts": [{"text": text}]}}),
        ),
    ] {
        let response = app.post(path, &body).send().await.unwrap();
        let status = response.status();
        let body = response.text().await.unwrap();
        // A text to be continued has an answer; others have none.
        let expected = if path == "/v1/completions" { 200 } else { 400 };
        assert_eq!(status, expected, "{path}: {body}");
        assert!(
            body.contains("Let us talk about something else."),
            "{path}: {body}"
        );
    }
    assert!(upstream.received().is_empty());
    let rows = app.records(9).await;
    assert!(
        rows.iter()
            .all(|row| outcomes(row)[0]["verdict"] == "blocked")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_about_whom_they_say() {
    let upstream = Upstream::start(answer("Hi")).await;
    let mut config = config_for(&upstream);
    config.keys = vec![key("a", "key-a"), key("b", "key-b")];
    let rule = BAN.replace("{\"check\"", "{\"applies_to\":{\"keys\":[\"a\"]},\"check\"");
    let app = TestApp::start(with(config, &[&rule])).await;
    for (key, expected) in [("key-a", 400), ("key-b", 200)] {
        let body =
            json!({"model": "m", "messages": [{"role": "user", "content": "forbidden words"}]});
        let response = app.chat(&body).bearer_auth(key).send().await.unwrap();
        assert_eq!(response.status(), expected, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_reports_and_lets_pass() {
    let shadow = BAN.replace("{\"check\"", "{\"shadow\":true,\"check\"");
    let (app, _upstream) = with_rules(&[&shadow], pieces("forbidden words")).await;
    let response = app.chat(&streamed(hello("fast"))).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert_eq!(text_of(&text), "forbidden words");
    let expected =
        json!([{"rule": "rule-0", "side": "reply", "verdict": "flagged", "shadow": true}]);
    assert_eq!(outcomes(&app.record().await), expected);
    let counts = app.app().gateway.policies().guardrails.triggered();
    assert_eq!((counts[0].flagged, counts[0].shadow), (1, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderation_model_is_asked() {
    let upstream = Upstream::by_head(|head| {
        if head.starts_with("POST /v1/moderations ") {
            let body = r#"{"id":"m","model":"backend-model","results":[{"flagged":true,"categories":{"violence":true}}]}"#;
            return vec![reply("200 OK", body)];
        }
        answer("Hi")
    })
    .await;
    for (category, expected) in [("violence", 400), ("hate", 200)] {
        let mut config = config_for(&upstream);
        config.providers[0].kind = "openai".to_owned();
        config.models = vec![model("fast", &["up"]), model("judge", &["up"])];
        let rule = json!({"check": {"kind": "moderation", "model": "judge", "categories": [category]},
            "action": {"kind": "block"}, "side": "request"});
        let app = TestApp::start(with(config, &[&rule.to_string()])).await;
        let response = app.chat(&hello("fast")).send().await.unwrap();
        assert_eq!(response.status(), expected, "{category}");
        // What it costs to ask is on a record of its own.
        app.expect_record();
        let rows = app.records(2).await;
        let shadows = rows
            .iter()
            .filter(|row| row.get::<Option<Vec<u8>>, _>("shadow_of").is_some());
        assert_eq!(shadows.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_of_the_operators_is_asked() {
    let judge = Upstream::start(vec![reply(
        "200 OK",
        r#"{"flagged":true,"reason":"rude","text":"A nicer text."}"#,
    )])
    .await;
    let rule = json!({"check": {"kind": "webhook", "url": judge.url("/judge?x=1")}, "action": {"kind": "redact"}, "side": "reply"});
    let (app, _upstream) = with_rules(&[&rule.to_string()], pieces("A rude text.")).await;
    let response = app.chat(&streamed(hello("fast"))).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert_eq!(text_of(&text), "A nicer text.");
    let asked = judge.received().remove(0);
    assert!(
        asked.head.starts_with("POST /judge?x=1 HTTP/1.1"),
        "{}",
        asked.head
    );
    let asked: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(
        asked,
        json!({"side": "reply", "text": "A rude text.", "key": null, "model": "fast"})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_does_not_answer_refuses_unless_it_may_fail() {
    for (fail_open, expected) in [(false, 400), (true, 200)] {
        let judge = Upstream::start(vec![Act::WaitForClose]).await;
        let rule = json!({"check": {"kind": "webhook", "url": judge.url("/"), "timeout_ms": 50, "fail_open": fail_open}, "action": {"kind": "block"}, "side": "request"});
        let (app, _upstream) = with_rules(&[&rule.to_string()], answer("Hi")).await;
        let response = app.chat(&hello("fast")).send().await.unwrap();
        assert_eq!(response.status(), expected);
        let verdict = if fail_open { "failed" } else { "blocked" };
        assert_eq!(outcomes(&app.record().await)[0]["verdict"], verdict);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cached_reply_is_looked_at_like_any_other() {
    let upstream = Upstream::start(answer("Ask jane@example.com.")).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    let app = TestApp::caching(with(config, &[REDACT])).await;
    for _ in 0..2 {
        let response = app.chat(&hello("fast")).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["choices"][0]["message"]["content"], "Ask [EMAIL].");
    }
    let response = app.chat(&streamed(hello("fast"))).send().await.unwrap();
    assert_eq!(text_of(&response.text().await.unwrap()), "Ask [EMAIL].");
    assert_eq!(upstream.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_try_rules() {
    let (app, _upstream) = with_rules(&[REDACT, BAN], answer("Hi")).await;
    let tested = TestedText {
        text: "jane@example.com".to_owned(),
        side: Side::Reply,
        key: None,
        model: None,
        rule: None,
        name: None,
    };
    let report = app
        .app()
        .gateway
        .policies()
        .guardrails
        .test(&tested, None)
        .await;
    assert_eq!(report.text.as_deref(), Some("[EMAIL]"));
    assert_eq!(report.rules[0].verdict, RuleVerdict::Changed);
    assert_eq!(report.rules[1].verdict, RuleVerdict::Passed);
}
