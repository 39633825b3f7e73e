//! Every kind of change made, and taken back by restoring an older version: the running gateway behaves as before.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use server::config::{Config, Secret, Target};
use shared::policies::{PolicyKind, Project};
use sqlx::Row;

use crate::test_app::{SOON, TestApp, hello, key, model, provider};
use crate::upstream::{ANSWER, Upstream, json as reply};

const TOKEN: &str = "the-token-of-these-tests";
const CLIENT: &str = "the-key-of-the-client";

/// A policy's path below its kind's, a value, and another one with which the gateway behaves differently.
fn change(kind: PolicyKind, upstream: &Upstream, sink: &Upstream) -> (&'static str, Value, Value) {
    let up = |key: &str| {
        json!({"kind": "openai-compatible", "base_url": upstream.url("/v1"), "api_key": key,
               "health": {"enabled": false}})
    };
    let price = |nanos: u64| json!({"model": "backend-model", "tokens": {"input_nanos": nanos, "output_nanos": nanos}});
    let rate = |requests: u64| json!({"per": "key", "rate": {"requests": requests, "window_seconds": 86_400}});
    let budget = |requests: u64| json!({"allowance": {"requests": requests, "period": "total"}});
    let rule = |action: &str| json!({"check": {"kind": "phrases", "phrases": ["Hello"]}, "action": {"kind": action}});
    match kind {
        PolicyKind::Key => (
            "/client",
            json!({"project": "p", "models": ["m"]}),
            json!({"project": "p", "models": ["other"]}),
        ),
        PolicyKind::Project => ("/p", json!({"models": ["m"]}), json!({"models": ["other"]})),
        PolicyKind::Limit => ("/l", rate(100_000), rate(99_999)),
        PolicyKind::Budget => ("/b", budget(100_000), budget(1)),
        PolicyKind::Guardrail => ("/g", rule("flag"), rule("block")),
        PolicyKind::SystemPrompt => ("/s", json!({"text": "one"}), json!({"text": "two"})),
        PolicyKind::Cache => ("", json!({"enabled": false}), json!({"enabled": true})),
        PolicyKind::Provider => ("/up", up("sk-0123456789-one"), up("sk-0123456789-two")),
        PolicyKind::Model => {
            let to = |model: &str| json!({"targets": [{"provider": "up", "model": model}]});
            ("/m", to("backend-model"), to("another-model"))
        }
        PolicyKind::Price => ("/backend-model", price(1_000_000_000), price(2_000_000_000)),
        PolicyKind::Route => {
            let to = |path: &str| json!({"endpoint": upstream.url(path)});
            ("/r", to("/v2"), to("/v3"))
        }
        PolicyKind::Payloads => ("", json!({"enabled": true}), json!({"enabled": false})),
        PolicyKind::Logging => (
            "",
            json!({"splunk": {"endpoint": sink.url("/one")}}),
            json!({"splunk": {"endpoint": sink.url("/two")}}),
        ),
        PolicyKind::Settings => (
            "",
            json!({"server": {"max_body_size": "1MiB"}}),
            json!({"server": {"max_body_size": "8B"}}),
        ),
    }
}

async fn admin(app: &TestApp, method: Method, path: &str, body: Option<&Value>) -> Value {
    let request = app
        .client
        .request(method, app.admin_url(&format!("/api/v1/{path}")));
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let response = request.bearer_auth(TOKEN).send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Where the entry of a request is shipped, as soon as it is.
async fn shipped(app: &TestApp, sink: &Upstream, id: &str) -> String {
    let log = admin(app, Method::GET, "logging", None).await;
    if log["value"]["splunk"]["endpoint"].is_null() {
        return "nowhere".to_owned();
    }
    let until = Instant::now() + SOON;
    loop {
        for request in sink.received() {
            if String::from_utf8_lossy(&request.body).contains(id) {
                return request.head.lines().next().unwrap().to_owned();
            }
        }
        assert!(Instant::now() < until, "no entry of {id}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What two equal requests and one through a route are like, for the client, the upstream, and the record.
async fn behaviour(
    app: &TestApp,
    upstream: &Upstream,
    sink: &Upstream,
    sent: &mut usize,
) -> Vec<String> {
    let mut seen = Vec::new();
    let mut ids = Vec::new();
    for number in 0..3 {
        let before = upstream.received().len();
        let request = match number {
            0 | 1 => app.chat(&hello("m")),
            _ => {
                app.expect_record();
                app.client.get(app.url("/egress/r/thing"))
            }
        };
        let response = request.bearer_auth(CLIENT).send().await.unwrap();
        *sent += 1;
        seen.push(response.status().to_string());
        let limit = response.headers().get("ratelimit-limit");
        seen.push(format!("{limit:?}"));
        let id = response.headers()["x-request-id"].to_str().unwrap();
        ids.push(id.to_owned());
        response.bytes().await.unwrap();
        for request in &upstream.received()[before..] {
            let path = request.head.lines().next();
            let shown = request
                .head
                .lines()
                .find(|line| line.starts_with("authorization"));
            seen.push(format!(
                "{path:?} {shown:?} {}",
                String::from_utf8_lossy(&request.body)
            ));
        }
    }
    let records = app.records(*sent).await;
    let costs = records[*sent - 3..]
        .iter()
        .map(|row| format!("{:?}", row.get::<Option<i64>, _>("cost_nanos")));
    seen.extend(costs);
    app.app().gateway.payloads().flush().await;
    for id in ids {
        let path = app.admin_url(&format!("/api/v1/requests/{id}/payload"));
        let payload = app.client.get(path).bearer_auth(TOKEN).send();
        let payload: Value = payload.await.unwrap().json().await.unwrap();
        seen.push(shipped(app, sink, &id).await);
        seen.push(format!("payload: {}", payload["request"]["json"]));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_change_is_restored() {
    let upstream = Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await;
    let sink = Upstream::with(|_| vec![reply("200 OK", "{}")]).await;
    let mut client = key("client", CLIENT);
    client.settings.project = Some("p".to_owned());
    let project = Project {
        enabled: true,
        ..Project::default()
    };
    let mut config = Config {
        providers: vec![provider("up", &upstream, true)],
        models: vec![model("m", &["up"]), model("other", &["up"])],
        keys: vec![client],
        projects: [("p".to_owned(), project)].into(),
        ..Config::default()
    };
    config.models[1].targets = vec![Target {
        provider: "up".to_owned(),
        ..Target::default()
    }];
    config.admin.token = Some(Secret::new(TOKEN));
    let app = TestApp::start(config).await;
    let mut sent = 0;
    let untouched = behaviour(&app, &upstream, &sink, &mut sent).await;
    for kind in PolicyKind::ALL {
        let (name, first, second) = change(kind, &upstream, &sink);
        let one = format!("{}{name}", kind.path());
        let put = admin(&app, Method::PUT, &one, Some(&first)).await;
        let version = &put["version"];
        let before = behaviour(&app, &upstream, &sink, &mut sent).await;
        admin(&app, Method::PUT, &one, Some(&second)).await;
        let between = behaviour(&app, &upstream, &sink, &mut sent).await;
        assert_ne!(
            between, before,
            "{one}: it changes nothing that is seen here"
        );
        let restored = format!("{one}/versions/{version}/restore");
        let restored = admin(&app, Method::POST, &restored, None).await;
        assert_eq!(restored["value"], put["value"], "{one}");
        assert_eq!(
            behaviour(&app, &upstream, &sink, &mut sent).await,
            before,
            "{one}"
        );
        admin(&app, Method::POST, &format!("{one}/reset"), None).await;
        assert_eq!(
            behaviour(&app, &upstream, &sink, &mut sent).await,
            untouched,
            "{one}"
        );
    }
}
