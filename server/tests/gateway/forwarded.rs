//! `/v1/{model}/{tail}`: any endpoint of a model's provider.

use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use reqwest::Method;
use serde_json::{Value, json};
use shared::policies::{Selector, SystemPrompt};
use sqlx::Row;

use crate::test_app::{TestApp, config_for, error, key, model};
use crate::upstream::{ANSWER, Act, Upstream, chunk, json as reply, stream_end};

async fn before(script: Vec<Act>) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    config.keys = vec![key("team-a", "sk-team-a-secret-key")];
    (TestApp::start(config).await, upstream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_method_with_its_query_and_its_headers() {
    let answer = "HTTP/1.1 202 Accepted\r\ncontent-type: text/csv\r\nx-vendor: 1\r\nset-cookie: a=b\r\nconnection: x-hop\r\nx-hop: 1\r\ncontent-length: 3\r\n\r\na,b";
    let (app, upstream) = before(vec![Act::Send(answer.into())]).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        app.expect_record();
        let url = app.url("/v1/fast/things/a%2Fb?x=%20&key=sk-team-a-secret-key&y");
        let response = app
            .client
            .request(method.parse().unwrap(), url)
            .header("x-vendor-option", "7")
            .header("cookie", "mine")
            .header("x-api-key", "sk-team-a-secret-key")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 202, "{method}");
        assert_eq!(response.headers()["content-type"], "text/csv");
        assert_eq!(response.headers()["x-vendor"], "1");
        assert!(response.headers().contains_key("x-request-id"));
        for gone in ["set-cookie", "x-hop"] {
            assert!(!response.headers().contains_key(gone), "{gone}");
        }
        assert_eq!(response.text().await.unwrap(), "a,b");
        let head = upstream.received().pop().unwrap().head;
        assert!(
            head.starts_with(&format!("{method} /v1/things/a%2Fb?x=%20&y HTTP/1.1\r\n")),
            "{head}"
        );
        let head = head.to_lowercase();
        assert!(head.contains("x-vendor-option: 7\r\n"), "{head}");
        assert!(
            head.contains("authorization: bearer key-of-up\r\n"),
            "{head}"
        );
        for secret in ["secret", "cookie"] {
            assert!(!head.contains(secret), "{head}");
        }
    }
    app.flush().await;
    let rows = app
        .rows("SELECT * FROM requests WHERE endpoint = 'things/a%2Fb' AND requested_model = 'fast' AND key_name = 'team-a' AND outcome = 'finished'")
        .await;
    assert_eq!(rows.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_gets_the_upstreams_name_of_the_model() {
    let answer = r#"{"ok":true,"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let (app, upstream) = before(vec![reply("200 OK", answer)]).await;
    let body = r#"{ "model":"fast" ,"x":1.0}"#;
    for (body, expected) in [
        (body, r#"{ "model":"backend-model" ,"x":1.0}"#),
        ("[1, 2]", "[1, 2]"),
        (r#"{"model":5}"#, r#"{"model":5}"#),
    ] {
        app.expect_record();
        let request = app
            .client
            .post(app.url("/v1/fast/tokenize"))
            .bearer_auth("sk-team-a-secret-key")
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), answer);
        let sent = upstream.received().pop().unwrap().body;
        assert_eq!(String::from_utf8(sent).unwrap(), expected);
    }
    app.flush().await;
    let rows = app.rows("SELECT * FROM requests").await;
    assert_eq!(rows[0].get::<i64, _>("input_tokens"), 3);
}

/// The model is the one that the path names, whatever else is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_gateway_serves_itself_is_served_with_every_policy() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"]), model("dear", &["up"])];
    let ban = r#"{"check":{"kind":"phrases","phrases":["forbidden words"]},"action":{"kind":"block"},"applies_to":{"models":["fast"]}}"#;
    config.guardrails = [("ban".to_owned(), serde_json::from_str(ban).unwrap())].into();
    let prompt = SystemPrompt {
        enabled: true,
        text: "Be kind.".to_owned(),
        ..SystemPrompt::default()
    };
    config.system_prompts = [("kind".to_owned(), prompt)].into();
    let app = TestApp::start(config).await;
    let texts = |text: &str| {
        let messages = json!([{"role": "user", "content": text}]);
        let contents = json!([{"role": "user", "parts": [{"text": text}]}]);
        let chat = json!({"model": "dear", "messages": messages});
        [
            ("chat/completions", chat.clone()),
            ("/chat/complet%69ons/", chat.clone()),
            ("v1/chat/completions", chat),
            ("responses", json!({"model": "dear", "input": text})),
            (
                "messages",
                json!({"model": "dear", "max_tokens": 9, "messages": messages}),
            ),
            ("models/dear:generateContent", json!({"contents": contents})),
        ]
    };
    for (tail, body) in texts("Hello") {
        let answer = app.post(&format!("/v1/fast/{tail}"), &body);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{tail}");
        let sent = upstream.received().pop().unwrap();
        assert!(
            sent.head.starts_with("POST /v1/chat/completions "),
            "{tail}"
        );
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(sent["model"], "backend-model", "{tail}");
        assert!(sent.to_string().contains("Be kind."), "{tail}: {sent}");
    }
    for (tail, body) in texts("forbidden words") {
        app.expect_record();
        // Whatever it says that the body is.
        let request = app.client.post(app.url(&format!("/v1/fast/{tail}")));
        let request = request.header("content-type", "text/plain");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{tail}");
    }
    assert_eq!(upstream.received().len(), 6);
    let rows = app.records(12).await;
    for row in rows {
        assert_eq!(row.get::<String, _>("requested_model"), "fast");
        assert!(row.get::<String, _>("endpoint").starts_with("/v1/{model}/"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_path_names_the_model_of_what_is_carried() {
    let (app, upstream) = before(vec![reply("200 OK", "{}")]).await;
    let form = "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\ndear\r\n--x\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n--x--\r\n";
    let json = "application/json";
    for (tail, content_type, body) in [
        (
            "audio/transcriptions",
            "multipart/form-data; boundary=x",
            form,
        ),
        (
            "images/generations",
            json,
            r#"{"model":"dear","prompt":"a"}"#,
        ),
        ("images/generations", json, r#"{"prompt":"a"}"#),
        ("embeddings", json, r#"{"model":"dear","input":"a"}"#),
    ] {
        app.expect_record();
        let request = app.client.post(app.url(&format!("/v1/fast/{tail}")));
        let request = request.header("content-type", content_type);
        let request = request.bearer_auth("sk-team-a-secret-key").body(body);
        request.send().await.unwrap();
        let sent = upstream.received().pop().unwrap();
        let head = format!("POST /v1/{tail} ");
        assert!(sent.head.starts_with(&head), "{tail}: {}", sent.head);
        let sent = String::from_utf8(sent.body).unwrap();
        assert!(sent.contains("backend-model"), "{tail}: {sent}");
        assert!(!sent.contains("dear"), "{tail}: {sent}");
    }
    app.flush().await;
    let rows = app
        .rows("SELECT * FROM requests WHERE requested_model = 'fast'")
        .await;
    assert_eq!(rows.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_does_not_answer_in_words_that_no_rule_reads() {
    let upstream = Upstream::start(vec![reply("200 OK", "{}")]).await;
    let mut config = config_for(&upstream);
    config.models = vec![
        model("fast", &["up"]),
        model("told", &["up"]),
        model("free", &["up"]),
    ];
    let rule = r#"{"check":{"kind":"phrases","phrases":["x"]},"action":{"kind":"block"},"side":"reply","applies_to":{"models":["fast"]}}"#;
    config.guardrails = [("rule".to_owned(), serde_json::from_str(rule).unwrap())].into();
    let prompt = SystemPrompt {
        enabled: true,
        text: "Be kind.".to_owned(),
        applies_to: Selector {
            models: vec!["told".to_owned()],
            ..Selector::default()
        },
        ..SystemPrompt::default()
    };
    config.system_prompts = [("kind".to_owned(), prompt)].into();
    let app = TestApp::start(config).await;
    for (path, expected) in [
        ("/v1/fast/api/chat", 403),
        ("/v1/told/api/generate", 403),
        ("/v1/free/api/chat", 200),
        ("/v1/fast/api/tags", 200),
        ("/v1/fast/beta/chat/completions", 403),
        ("/v1/told/completion", 403),
        ("/v1/free/beta/chat/completions", 200),
        ("/v1/told/v1/files", 200),
    ] {
        let answer = app.post(path, &json!({"prompt": "Hello"}));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{path}");
        if expected == 403 {
            assert_eq!(error(answer).await["code"], "policy_not_applicable");
        }
    }
    assert_eq!(upstream.received().len(), 4);
    for (method, path, expected) in [
        (Method::GET, "/v1/fast/models", 200),
        (Method::GET, "/v1/fast/responses/resp_1", 403),
        (Method::PUT, "/v1/fast/chat/completions", 403),
    ] {
        app.expect_record();
        let answer = app.client.request(method, app.url(path)).send().await;
        assert_eq!(answer.unwrap().status(), expected, "{path}");
    }
    // What is said to be no JSON may be taken for it.
    let rule = r#"{"check":{"kind":"phrases","phrases":["x"]},"action":{"kind":"block"},"side":"request"}"#;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    config.guardrails = [("rule".to_owned(), serde_json::from_str(rule).unwrap())].into();
    let app = TestApp::start(config).await;
    let asked = app.client.post(app.url("/v1/fast/beta/chat/completions"));
    app.expect_record();
    let asked = asked
        .header("content-type", "text/plain")
        .body(r#"{"prompt":"x"}"#);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(error(answer).await["code"], "content_policy_violation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ways_it_streams() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let (app, upstream) = before(vec![
        Act::Send(head.into()),
        chunk("one"),
        Act::WaitForTest,
        chunk("two"),
        stream_end(),
    ])
    .await;
    app.expect_record();
    let pieces: Vec<_> = (0..64)
        .map(|n| Ok::<_, std::io::Error>(Bytes::from(vec![n; 64 << 10])))
        .collect();
    let request = app
        .client
        .put(app.url("/v1/fast/blobs/1"))
        .bearer_auth("sk-team-a-secret-key")
        .header("content-type", "application/octet-stream")
        .body(Body::wrap_stream(stream::iter(pieces)));
    let mut response = request.send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "one");
    upstream.go_on();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "two");
    assert_eq!(response.chunk().await.unwrap(), None);
    assert_eq!(upstream.received()[0].body.len(), 4 << 20);
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("bytes_in"), 4 << 20);
    assert_eq!(record.get::<i64, _>("bytes_out"), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixed_routes_and_unknown_ones_stay_what_they_are() {
    let (app, upstream) = before(Vec::new()).await;
    for (method, path, status, code) in [
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/embeddings", 405, "method_not_allowed"),
        ("POST", "/v1/images/unheard-of", 404, "unknown_url"),
        ("GET", "/v1/files/file-1", 404, "unknown_url"),
    ] {
        let request = app.client.request(method.parse().unwrap(), app.url(path));
        let request = request.bearer_auth("sk-team-a-secret-key");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(error(response).await["code"], code, "{method} {path}");
    }
    let unknown = app.client.get(app.url("/v1/files/file-1"));
    assert_eq!(unknown.send().await.unwrap().status(), 401);
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_upstream_says_of_a_bad_request_is_passed_on() {
    let refusal = json!({"detail": [{"loc": ["x"], "msg": "bad for key-of-up"}]});
    let (app, _upstream) = before(vec![reply(
        "422 Unprocessable Entity",
        &refusal.to_string(),
    )])
    .await;
    app.expect_record();
    let request = app
        .client
        .post(app.url("/v1/fast/tokenize"))
        .bearer_auth("sk-team-a-secret-key")
        .header("content-type", "application/json")
        .body("{}");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 422);
    let body: Value = response.json().await.unwrap();
    let said = body["detail"][0]["msg"].as_str().unwrap();
    assert!(said.starts_with("bad for "), "{said}");
    assert!(!said.contains("key-of-up"), "{said}");
    assert_eq!(app.record().await.get::<String, _>("outcome"), "failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fails_over_what_can_be_sent_again() {
    let broken = Upstream::start(vec![reply("503 Service Unavailable", "{}")]).await;
    let good = Upstream::start(vec![reply("200 OK", "{}")]).await;
    let mut config = config_for(&broken);
    config
        .providers
        .push(crate::test_app::provider("b", &good, false));
    config.models = vec![model("fast", &["up", "b"])];
    let app = TestApp::start(config).await;
    let response = app.post("/v1/fast/tokenize", &json!({"model": "fast"}));
    assert_eq!(response.send().await.unwrap().status(), 200);

    app.expect_record();
    let upload = app
        .client
        .post(app.url("/v1/fast/tokenize"))
        .header("content-type", "text/plain")
        .body("text");
    assert_eq!(upload.send().await.unwrap().status(), 503);
}
