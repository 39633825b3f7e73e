//! What would become of a request: told to the byte, and leaving no trace.

use serde_json::{Value, json};
use server::config::{Config, Secret, Strategy};
use shared::policies::{
    Action, Allowance, Budget, Check, Guardrail, Per, Period, Position, Rate, RateLimit, Selector,
    Side, SystemPrompt,
};

use crate::test_app::{TestApp, config_for, hello, key, model, provider, provider_of_kind};
use crate::upstream::{ANSWER, Received, Upstream, json as reply};

const TOKEN: &str = "the-token-of-these-tests";

async fn start(mut config: Config) -> TestApp {
    config.admin.token = Some(Secret::new(TOKEN));
    TestApp::start(config).await
}

async fn try_out(app: &TestApp, request: &Value) -> (u16, Value) {
    let url = app.admin_url("/api/v1/dry-run");
    let request = app.client.post(url).bearer_auth(TOKEN).json(request);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn dry_run(app: &TestApp, request: &Value) -> Value {
    let (status, run) = try_out(app, request).await;
    assert_eq!(status, 200, "{run}");
    run
}

/// What is shown is what was sent: line, headers (but for secrets) and body.
fn assert_same(shown: &Value, sent: &Received) {
    let (line, lines) = sent.head.split_once("\r\n").unwrap();
    let url = shown["url"].as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap();
    let path = &host[host.find('/').unwrap()..];
    let method = shown["method"].as_str().unwrap();
    assert_eq!(line, format!("{method} {path} HTTP/1.1"));
    let headers = shown["headers"].as_object().unwrap();
    let lines: Vec<_> = lines
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert_eq!(lines.len(), headers.len(), "{lines:?} {headers:?}");
    for (name, value) in lines {
        let told = &headers[&name.to_ascii_lowercase()];
        if !value.contains("key-of-") {
            assert_eq!(told, value, "{name}");
        }
    }
    assert_eq!(shown["body"].as_str().unwrap().as_bytes(), sent.body);
    assert!(!shown.to_string().contains("key-of-"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_shows_the_bytes_that_are_sent() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let other = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config
        .providers
        .push(provider_of_kind("anthropic", "claude", &other, false));
    config.keys = vec![key("team-a", "sk-a")];
    config.models = vec![model("fast", &["up"]), model("deep", &["claude"])];
    let prompt = |position, text: &str| SystemPrompt {
        enabled: true,
        position,
        text: text.to_owned(),
        ..SystemPrompt::default()
    };
    config.system_prompts = [
        ("a", prompt(Position::After, "Be kind.")),
        ("b", prompt(Position::Before, "We are {{key}}.")),
    ]
    .map(|(name, prompt)| (name.to_owned(), prompt))
    .into();
    let redact = Guardrail {
        enabled: true,
        order: 0,
        applies_to: Selector::default(),
        side: Side::Request,
        shadow: false,
        check: Check::Phrases {
            phrases: vec!["secret plan".to_owned()],
            whole_word: false,
        },
        action: Action::Redact,
    };
    config.guardrails.insert("plans".to_owned(), redact);
    // It makes the gateway limit answers that the client has not.
    let budget = Budget {
        enabled: true,
        applies_to: Selector::default(),
        per: Per::Key,
        allowance: Allowance {
            tokens: Some(1_000_000),
            period: Period::Day,
            ..Allowance::default()
        },
    };
    config.budgets.insert("tokens".to_owned(), budget);
    let app = start(config).await;

    let messages = json!([{"role": "user", "content": "The secret plan, please"}]);
    for (path, body, target) in [
        (
            "/v1/chat/completions",
            json!({"model": "fast", "messages": messages, "x": [1, 2.50]}),
            &upstream,
        ),
        (
            "/v1/chat/completions",
            json!({"model": "deep", "messages": messages}),
            &other,
        ),
        (
            "/v1/messages",
            json!({"model": "fast", "max_tokens": 9, "messages": messages}),
            &upstream,
        ),
        (
            "/v1/responses",
            json!({"model": "deep", "input": "Hello"}),
            &other,
        ),
        (
            "/v1beta/models/fast:generateContent",
            json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}),
            &upstream,
        ),
    ] {
        let text = body.to_string();
        let tried = json!({"path": path, "key": "team-a", "body": text});
        let received = || [&upstream, &other].map(|it| it.received().len());
        let before = received();
        let run = dry_run(&app, &tried).await;
        assert_eq!(run["outcome"], "sent", "{run}");
        assert_eq!(run["system_prompt"], "Be kind.");
        assert_eq!(received(), before, "nothing was sent");
        let before = target.received().len();
        let request = app.post(path, &body).bearer_auth("sk-a");
        let response = request.body(text).send().await.unwrap();
        response.bytes().await.unwrap();
        let sent = target.received();
        assert_same(&run["targets"][0]["request"], &sent[before]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_leaves_no_trace() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.keys = vec![key("team-a", "sk-a")];
    config.providers.push(provider("second", &upstream, false));
    let mut spread = model("spread", &["up", "second"]);
    spread.strategy = Strategy::RoundRobin;
    config.models = vec![spread];
    let limit = RateLimit {
        enabled: true,
        rate: Rate {
            requests: Some(2),
            window_seconds: 3600,
            ..Rate::default()
        },
        ..RateLimit::default()
    };
    config.limits.insert("two".to_owned(), limit);
    let budget = Budget {
        enabled: true,
        allowance: Allowance {
            requests: Some(2),
            period: Period::Total,
            ..Allowance::default()
        },
        ..Budget::default()
    };
    config.budgets.insert("two".to_owned(), budget);
    let app = start(config).await;
    let tried = json!({"path": "/v1/chat/completions", "key": "team-a", "body": hello("spread")});
    let mut first = None;
    for _ in 0..5 {
        let run = dry_run(&app, &tried).await;
        assert_eq!(run["outcome"], "sent");
        assert_eq!(run["limits"][0]["requests_used"], 0);
        assert_eq!(run["budgets"][0]["requests_used"], 0);
        assert_eq!(run["targets"].as_array().unwrap().len(), 2);
        // It stays the same one's turn.
        let asked = run["targets"][0]["provider"].clone();
        assert_eq!(*first.get_or_insert_with(|| asked.clone()), asked);
    }
    assert_eq!(upstream.received().len(), 0);
    for _ in 0..2 {
        let response = app.chat(&hello("spread")).bearer_auth("sk-a").send().await;
        assert_eq!(response.unwrap().status(), 200);
    }
    // Both turns were still there, and both requests.
    let run = dry_run(&app, &tried).await;
    assert_eq!(run["outcome"], "refused");
    assert_eq!(run["refusal"]["status"], 429);
    assert_eq!(run["refusal"]["code"], "rate_limit_exceeded");
    assert_eq!(run["limits"][0]["requests_used"], 2);
    assert_eq!(app.records(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_why_not() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    let mut limited = key("team-a", "sk-a");
    limited.settings.models = vec!["fast".to_owned()];
    let mut expired = key("gone", "sk-b");
    expired.settings.enabled = false;
    config.keys = vec![limited, expired];
    config.models = vec![model("fast", &["up"])];
    let app = start(config).await;
    let run =
        |key: &str, body: Value| json!({"path": "/v1/chat/completions", "key": key, "body": body});
    for (key, body, status) in [
        ("team-a", hello("slow"), 403),
        ("gone", hello("fast"), 401),
        ("nobody", hello("fast"), 401),
        ("team-a", json!({"model": "fast"}), 400),
        ("team-a", json!("{"), 400),
    ] {
        let run = dry_run(&app, &run(key, body.clone())).await;
        assert_eq!(run["outcome"], "refused", "{body}");
        assert_eq!(run["refusal"]["status"], status, "{key} {body}: {run}");
    }
    for (tried, field) in [
        (json!({"path": "/v1/embeddings", "body": {}}), "path"),
        (json!({"path": "chat", "body": {}}), "path"),
        (json!({"path": "http://a/v1/messages", "body": {}}), "path"),
        (
            json!({"path": "/v1/messages", "address": "x", "body": {}}),
            "address",
        ),
        (
            json!({"path": "/v1/messages", "headers": {"a b": ""}, "body": {}}),
            "headers.a b",
        ),
    ] {
        let (status, problem) = try_out(&app, &tried).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    assert_eq!(upstream.received().len(), 0);
}
