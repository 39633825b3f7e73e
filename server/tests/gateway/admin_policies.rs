//! Policies over the REST API: read, changed on a condition, taken back, and kept.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, DEFAULT_PROMPT, Secret};
use shared::policies::{ClientKey, Policy, PolicyKind, SystemPrompt};

use crate::operator::{self, TOKEN, get, request, send};
use crate::test_app::{TestApp, config_for, hello, key, model};
use crate::upstream::{ANSWER, Upstream, json as reply};

fn config() -> Config {
    operator::config("a")
}

async fn put(app: &TestApp, path: &str, body: &Value) -> Response {
    send(app, Method::PUT, path, body).await
}

/// The problem's fields, after a look at its shape.
async fn problem(response: Response, status: u16) -> Vec<String> {
    let url = response.url().clone();
    let kind = response.headers()["content-type"].clone();
    let found = response.status();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(found, status, "{url}: {problem}");
    assert_eq!(kind, "application/problem+json");
    assert_eq!(problem["status"], status);
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let fields = errors.iter().map(|error| {
        assert!(error["message"].is_string(), "{error}");
        error["field"].as_str().unwrap().to_owned()
    });
    fields.collect()
}

/// A value of each kind that operators make by name, and another one.
fn values(kind: PolicyKind) -> (Value, Value) {
    match kind {
        PolicyKind::Key
        | PolicyKind::Cache
        | PolicyKind::Provider
        | PolicyKind::Model
        | PolicyKind::Price
        | PolicyKind::Settings
        | PolicyKind::Payloads
        | PolicyKind::Logging => {
            unreachable!("they are there already")
        }
        PolicyKind::Project => (json!({"description": "1"}), json!({"description": "2"})),
        PolicyKind::Limit => (
            json!({"rate": {"requests": 1000, "window_seconds": 60}, "per": "address"}),
            json!({"rate": {"requests": 2000, "window_seconds": 60}, "per": "address"}),
        ),
        PolicyKind::Budget => (
            json!({"allowance": {"requests": 1000, "period": "day"}}),
            json!({"allowance": {"requests": 2000, "period": "day"}}),
        ),
        PolicyKind::Guardrail => {
            let rule = |phrase| {
                json!({
                    "check": {"kind": "phrases", "phrases": [phrase]},
                    "action": {"kind": "flag"},
                })
            };
            (rule("one"), rule("two"))
        }
        PolicyKind::SystemPrompt => (json!({"text": "1"}), json!({"text": "2"})),
        PolicyKind::Route => (
            json!({"endpoint": "http://127.0.0.1:1/1"}),
            json!({"endpoint": "http://127.0.0.1:1/2"}),
        ),
    }
}

const MADE: [PolicyKind; 6] = [
    PolicyKind::Project,
    PolicyKind::Limit,
    PolicyKind::Budget,
    PolicyKind::Guardrail,
    PolicyKind::SystemPrompt,
    PolicyKind::Route,
];

/// Whether all that `part` says is in `whole`.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|other| is_within(value, other))),
        _ => part == whole,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_made_changed_deleted_and_restored() {
    let app = TestApp::start(config()).await;
    for kind in MADE {
        let list = format!("/api/v1/{}", kind.path());
        let one = format!("{list}/first%20one");
        let (first, second) = values(kind);
        let missing = request(&app, Method::GET, &one).send().await.unwrap();
        problem(missing, 404).await;

        let made = put(&app, &one, &first).await;
        assert_eq!(made.status(), 201, "{one}");
        assert_eq!(made.headers()["etag"], "\"1\"");
        let made: Value = made.json().await.unwrap();
        assert_eq!(made["name"], "first one");
        assert_eq!(made["kind"], kind.as_str());
        assert_eq!(made["source"], "edited");
        assert_eq!(made["changed_by"], "token");
        assert!(is_within(&first, &made["value"]), "{made}");

        let changed = put(&app, &one, &second).await;
        assert_eq!(changed.status(), 200, "{one}");
        assert_eq!(changed.headers()["etag"], "\"2\"");
        let read = get(&app, &one).await;
        assert!(is_within(&second, &read["value"]), "{read}");
        assert_eq!(get(&app, &list).await[0], read);

        let deleted = request(&app, Method::DELETE, &format!("{one}?reason=no%20use"));
        assert_eq!(deleted.send().await.unwrap().status(), 204);
        assert_eq!(get(&app, &list).await, json!([]));
        let gone = request(&app, Method::DELETE, &one).send().await.unwrap();
        problem(gone, 404).await;

        let restored = format!("{one}/versions/1/restore");
        let restored = request(&app, Method::POST, &restored).send().await.unwrap();
        assert_eq!(restored.status(), 200, "{one}");
        let read = get(&app, &one).await;
        assert!(is_within(&first, &read["value"]), "{read}");
        let versions = get(&app, &format!("{one}/versions")).await;
        let reasons: Vec<_> = versions
            .as_array()
            .unwrap()
            .iter()
            .map(|version| (&version["version"], &version["reason"]))
            .collect();
        let (restored, because) = (json!("version 1 restored"), json!("no use"));
        assert_eq!(
            reasons,
            [
                (&json!(4), &restored),
                (&json!(3), &because),
                (&json!(2), &Value::Null),
                (&json!(1), &Value::Null),
            ]
        );
        let unknown = format!("{one}/versions/9/restore");
        let unknown = request(&app, Method::POST, &unknown).send().await.unwrap();
        problem(unknown, 404).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_file_says_is_shown_and_comes_back() {
    let mut config = config();
    let prompt = SystemPrompt {
        enabled: true,
        text: "from the file".to_owned(),
        ..SystemPrompt::default()
    };
    config
        .system_prompts
        .insert(DEFAULT_PROMPT.to_owned(), prompt);
    let app = TestApp::start(config).await;
    let one = "/api/v1/system-prompts/default";
    let response = request(&app, Method::GET, one).send().await.unwrap();
    assert_eq!(response.headers()["etag"], "\"0\"");
    let file: Value = response.json().await.unwrap();
    assert_eq!(file["source"], "file");

    let edited = put(&app, one, &json!({"text": "edited"})).await;
    assert_eq!(edited.status(), 200, "there is one already");
    let edited: Value = edited.json().await.unwrap();
    assert_eq!(edited["in_file"]["value"]["text"], "from the file");

    let deleted = request(&app, Method::DELETE, one).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    let shown = get(&app, one).await;
    assert_eq!(shown["deleted"], true, "it can be brought back");

    let reset = request(&app, Method::POST, &format!("{one}/reset"));
    let reset: Value = reset.send().await.unwrap().json().await.unwrap();
    assert_eq!(reset["value"], file["value"]);
    assert_eq!(
        (&reset["source"], &reset["version"]),
        (&json!("file"), &json!(3))
    );

    for (version, text) in [(1, "edited"), (2, "from the file"), (3, "from the file")] {
        let path = format!("{one}/versions/{version}/restore");
        let response = request(&app, Method::POST, &path).send().await.unwrap();
        assert!(response.status().is_success(), "{version}");
        let now = get(&app, one).await;
        assert_eq!(now["value"]["text"], text, "{version}");
        assert_eq!(now["deleted"], version == 2, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_made_on_its_condition() {
    let app = TestApp::start(config()).await;
    let one = "/api/v1/system-prompts/mine";
    let put = |text: &str, header: &'static str, value: &'static str| {
        let body = json!({"text": text});
        let request = request(&app, Method::PUT, one).header(header, value);
        async move { request.json(&body).send().await.unwrap() }
    };
    problem(put("0", "if-match", "*").await, 412).await;
    problem(put("0", "if-match", "\"0\"").await, 412).await;
    assert_eq!(put("1", "if-none-match", "*").await.status(), 201);
    problem(put("2", "if-none-match", "*").await, 412).await;
    assert_eq!(put("2", "if-match", "\"1\"").await.status(), 200);
    problem(put("3", "if-match", "\"1\"").await, 412).await;
    problem(put("3", "if-match", "W/\"2\"").await, 412).await;
    problem(put("3", "if-match", "\"mine\"").await, 412).await;
    assert_eq!(put("3", "if-match", "\"1\", \"2\"").await.status(), 200);
    assert_eq!(put("4", "if-match", "*").await.status(), 200);
    problem(put("5", "if-none-match", "\"4\"").await, 400).await;
    for (method, path) in [
        (Method::DELETE, one.to_owned()),
        (Method::POST, format!("{one}/reset")),
        (Method::POST, format!("{one}/versions/1/restore")),
    ] {
        let stale = request(&app, method, &path).header("if-match", "\"3\"");
        problem(stale.send().await.unwrap(), 412).await;
    }
    let read = get(&app, one).await;
    assert_eq!(
        (&read["value"]["text"], &read["version"]),
        (&json!("4"), &json!(4))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_have_seen_the_same_one_edits() {
    let app = TestApp::start(config()).await;
    let one = "/api/v1/system-prompts/mine";
    put(&app, one, &json!({"text": "0"})).await;
    let edits = (0..16).map(|number| {
        let request = request(&app, Method::PUT, one).header("if-match", "\"1\"");
        request
            .json(&json!({"text": number.to_string() + "!"}))
            .send()
    });
    let answers = futures_util::future::try_join_all(edits).await.unwrap();
    let mut statuses: Vec<_> = answers.iter().map(|one| one.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 412),
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_told_by_their_fields() {
    let app = TestApp::start(config()).await;
    for (path, body, field) in [
        (
            "limits/a",
            json!({"rate": {"window_seconds": "60"}}),
            "rate.window_seconds",
        ),
        (
            "limits/a",
            json!({"rate": {"requests": 1}}),
            "rate.window_seconds",
        ),
        (
            "limits/a",
            json!({"rate": {"requests": -1, "window_seconds": 1}}),
            "rate.requests",
        ),
        ("limits/a", json!({}), "rate"),
        ("limits/a", json!([]), ""),
        ("projects/a", json!({"discription": "x"}), "discription"),
        ("system-prompts/a", json!({"text": 1}), "text"),
        (
            "system-prompts/a",
            json!({"text": "x", "applies_to": {"keys": ["a"]}}),
            "applies_to.keys[0]",
        ),
        ("system-prompts/%20a", json!({"text": "x"}), "name"),
        ("system-prompts/a%2Fb", json!({"text": "x"}), "name"),
        (
            "guardrails/a",
            json!({"check": {"kind": "magic"}, "action": {"kind": "flag"}}),
            "check.kind",
        ),
        ("cache", json!({"ttl_seconds": "1h"}), "ttl_seconds"),
        (
            "cache",
            json!({"overrides": [{"enabled": false, "applies_to": {"addresses": ["x"]}}]}),
            "overrides[0].applies_to.addresses[0]",
        ),
    ] {
        let response = put(&app, &format!("/api/v1/{path}"), &body).await;
        let fields = problem(response, 422).await;
        assert_eq!(fields.len(), 1, "{path} {body}: {fields:?}");
        assert!(
            fields[0] == field || field.starts_with(&format!("{}.", fields[0])),
            "{path} {body}: {fields:?}"
        );
    }
    let body = |bytes: String| request(&app, Method::PUT, "/api/v1/system-prompts/a").body(bytes);
    for text in ["", "{", "{\"text\": \"x\"} x"] {
        let json = body(text.to_owned()).header("content-type", "application/json");
        problem(json.send().await.unwrap(), 400).await;
    }
    let form =
        body("text=x".to_owned()).header("content-type", "application/x-www-form-urlencoded");
    problem(form.send().await.unwrap(), 415).await;
    let long = body(json!({"text": "x".repeat(2 << 20)}).to_string());
    problem(long.send().await.unwrap(), 413).await;
    for query in ["limit=x", "unknown=1", "limit=-1"] {
        let path = format!("/api/v1/keys?{query}");
        let response = request(&app, Method::GET, &path).send().await.unwrap();
        problem(response, 400).await;
    }
    for (method, path, status) in [
        (Method::POST, "/api/v1/limits", 405),
        (Method::DELETE, "/api/v1/cache", 405),
        (Method::GET, "/api/v1/limits/a/versions/x/restore", 405),
        (Method::POST, "/api/v1/limits/a/versions/x/restore", 400),
        (Method::GET, "/api/v1/policies", 404),
        (Method::DELETE, "/api/v1/cache/entries/0123", 404),
    ] {
        let response = request(&app, method, path).send().await.unwrap();
        problem(response, status).await;
    }
    assert_eq!(get(&app, "/api/v1/system-prompts").await, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_names_whatever_is_in_them() {
    let app = TestApp::start(config()).await;
    let names = [
        "'; DROP TABLE changes; --",
        "\" OR 1=1",
        "naïve 模型 🎉",
        "a+b&c=d?e#f%41",
        "*.*.*.*",
        "<script>alert(1)</script",
    ];
    for name in names {
        let encoded =
            percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let one = format!("/api/v1/system-prompts/{encoded}");
        if name.contains('/') {
            let fields = problem(put(&app, &one, &json!({"text": name})).await, 422).await;
            assert_eq!(fields, ["name"]);
            continue;
        }
        assert_eq!(
            put(&app, &one, &json!({"text": name})).await.status(),
            201,
            "{name}"
        );
        let read = get(&app, &one).await;
        assert_eq!(
            (&read["name"], &read["value"]["text"]),
            (&json!(name), &json!(name))
        );
        assert_eq!(
            get(&app, &format!("{one}/versions"))
                .await
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
    let long = format!("/api/v1/system-prompts/{}", "x".repeat(101));
    let fields = problem(put(&app, &long, &json!({"text": "x"})).await, 422).await;
    assert_eq!(fields, ["name"]);
    let broken = request(&app, Method::GET, "/api/v1/system-prompts/%ff");
    problem(broken.send().await.unwrap(), 400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_reads_or_changes_them() {
    let app = TestApp::start(config()).await;
    for (method, path) in server::admin::served() {
        let path = path.replace("{*name}", "a").replace("{version}", "1");
        let path = path.replace(['{', '}'], "");
        if ["/login", "/logout", "/health"].contains(&path.as_str()) {
            continue;
        }
        let anybody = app.client.request(method.clone(), app.admin_url(&path));
        problem(anybody.send().await.unwrap(), 401).await;
    }
    // In a browser: with a session, but on another site's page.
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.build().unwrap();
    let login = client
        .post(app.admin_url("/login"))
        .form(&[("token", TOKEN)]);
    let login = login.send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    let session = cookie.split(';').next().unwrap().to_owned();
    let one = app.admin_url("/api/v1/system-prompts/mine");
    let put = |site: &'static str| {
        let request = client.put(&one).header("cookie", &session);
        let request = request.header("sec-fetch-site", site);
        request.json(&json!({"text": "x"})).send()
    };
    problem(put("cross-site").await.unwrap(), 403).await;
    let made = put("same-origin").await.unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    assert_eq!(made["changed_by"], "admin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_keys_come_in_pages() {
    let mut config = config();
    for number in 0..10_000 {
        let mut one = key(
            &format!("key {number:05}"),
            &format!("sk-secret-of-{number:05}"),
        );
        one.settings = ClientKey {
            enabled: true,
            tags: vec![if number % 2 == 0 { "even" } else { "odd" }.to_owned()],
            ..ClientKey::default()
        };
        config.keys.push(one);
    }
    let app = TestApp::start(config).await;
    for (query, count) in [("limit=1000", 10_000), ("tag=even&limit=700", 5_000)] {
        let mut path = format!("/api/v1/keys?{query}");
        let mut names = Vec::new();
        let mut pages = 0;
        loop {
            let response = request(&app, Method::GET, &path).send().await.unwrap();
            let next = response.headers().get("link").cloned();
            let keys: Vec<Value> = response.json().await.unwrap();
            pages += 1;
            let read = keys
                .iter()
                .map(|key| key["name"].as_str().unwrap().to_owned());
            names.extend(read);
            let Some(next) = next else { break };
            let next = next.to_str().unwrap();
            let (address, rel) = next.split_once('>').unwrap();
            assert_eq!(rel, "; rel=\"next\"");
            path = address.trim_start_matches('<').to_owned();
        }
        assert_eq!(names.len(), count, "{query}");
        assert!(names.is_sorted() && names.windows(2).all(|two| two[0] != two[1]));
        assert!((8..=10).contains(&pages), "{pages}");
    }
    let text = get(&app, "/api/v1/keys?limit=5").await.to_string();
    assert!(!text.contains("sk-secret-of-00000"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_prompt_acts_on_the_next_request_and_after_a_restart() {
    let mut first = config();
    first.models = vec![model("m", &["a"])];
    let mut app = TestApp::start(first).await;
    let answer = app.chat(&hello("m")).send().await.unwrap();
    let before: Value = answer.json().await.unwrap();
    let made = put(
        &app,
        "/api/v1/system-prompts/mine",
        &json!({"text": "be brief ".repeat(50)}),
    )
    .await;
    assert_eq!(made.status(), 201);
    let answer = app.chat(&hello("m")).send().await.unwrap();
    let after: Value = answer.json().await.unwrap();
    let tokens = |reply: &Value| reply["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&after) > tokens(&before) + 20, "{before} {after}");
    app.stop().await;

    let mut again = config();
    (again.server.port, again.admin.port) = (0, 0);
    again.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&again).await.unwrap();
    let entry = again
        .in_force
        .policy(PolicyKind::SystemPrompt, "mine")
        .await;
    let Policy::SystemPrompt(prompt) = entry.unwrap().policy else {
        panic!("another kind");
    };
    assert!(prompt.text.starts_with("be brief"));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_rules_act_on_the_next_request() {
    let mut config = config();
    config.models = vec![model("m", &["a"])];
    let app = TestApp::start(config).await;
    let ask = async || app.chat(&hello("m")).send().await.unwrap().status();
    assert_eq!(ask().await, 200);
    let one = "/api/v1/limits/one";
    put(
        &app,
        one,
        &json!({"rate": {"requests": 1, "window_seconds": 3600}}),
    )
    .await;
    assert_eq!(ask().await, 200);
    assert_eq!(ask().await, 429);
    let states = get(&app, "/api/v1/limits/states").await;
    assert_eq!(states[0]["limit"], "one", "{states}");
    assert_eq!(states[0]["requests_used"], 1);
    assert_eq!(states[0]["refused"], 1);
    let off = json!({"enabled": false, "rate": {"requests": 1, "window_seconds": 3600}});
    put(&app, one, &off).await;
    assert_eq!(ask().await, 200);

    let rule = json!({
        "side": "request",
        "check": {"kind": "phrases", "phrases": ["hello"]},
        "action": {"kind": "block"},
    });
    put(&app, "/api/v1/guardrails/greetings", &rule).await;
    assert_eq!(ask().await, 400);
    let text = json!({"text": "Well, hello!", "side": "request"});
    let report = send(&app, Method::POST, "/api/v1/guardrails/test", &text).await;
    assert_eq!(report.status(), 200);
    let report: Value = report.json().await.unwrap();
    assert_eq!(report["text"], Value::Null, "{report}");
    assert_eq!(report["rules"][0]["name"], "greetings");
    assert_eq!(report["rules"][0]["verdict"], "blocked");
    let wrong = json!({"text": "x", "side": "request", "rule": {
        "check": {"kind": "patterns", "patterns": ["("]}, "action": {"kind": "flag"},
    }});
    let wrong = send(&app, Method::POST, "/api/v1/guardrails/test", &wrong).await;
    assert_eq!(problem(wrong, 422).await, ["rule.check.patterns[0]"]);
    // A rule for a project is one for its keys.
    put(&app, "/api/v1/projects/tested", &json!({})).await;
    let key = json!({"name": "tested", "project": "tested"});
    let made = send(&app, Method::POST, "/api/v1/keys", &key).await;
    assert_eq!(made.status(), 201);
    let mut of_project = rule.clone();
    of_project["applies_to"] = json!({"projects": ["tested"]});
    put(&app, "/api/v1/guardrails/greetings", &of_project).await;
    let mut text = text.clone();
    text["key"] = json!("tested");
    let report = send(&app, Method::POST, "/api/v1/guardrails/test", &text).await;
    let report: Value = report.json().await.unwrap();
    assert_eq!(report["rules"][0]["verdict"], "blocked", "{report}");
    let gone = request(&app, Method::DELETE, "/api/v1/keys/tested");
    assert_eq!(gone.send().await.unwrap().status(), 204);
    let wrong = json!({"text": "x", "side": "request", "key": "nobody"});
    let wrong = send(&app, Method::POST, "/api/v1/guardrails/test", &wrong).await;
    assert_eq!(problem(wrong, 422).await, ["key"]);
    let wrong = json!({"text": 1, "side": "request"});
    let wrong = send(&app, Method::POST, "/api/v1/guardrails/test", &wrong).await;
    assert_eq!(problem(wrong, 422).await, ["text"]);
    request(&app, Method::DELETE, "/api/v1/guardrails/greetings")
        .send()
        .await
        .unwrap();
    assert_eq!(ask().await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_is_looked_into_emptied_and_switched_off() {
    let upstream = Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await;
    let mut config = Config {
        models: vec![model("m", &["up"]), model("n", &["up"])],
        ..config_for(&upstream)
    };
    config.admin.token = Some(Secret::new(TOKEN));
    let app = TestApp::caching(config).await;
    let ask = async |model: &str| {
        let response = app.chat(&hello(model)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let cache = response.headers().get("x-cache").cloned();
        response.bytes().await.unwrap();
        cache.map_or(String::new(), |cache| cache.to_str().unwrap().to_owned())
    };
    for (model, expected) in [("m", "MISS"), ("m", "HIT"), ("n", "MISS"), ("n", "HIT")] {
        assert_eq!(ask(model).await, expected, "{model}");
    }
    let entries = get(&app, "/api/v1/cache/entries").await;
    let models: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["model"])
        .collect();
    assert_eq!(models, ["n", "m"]);
    let stats = get(&app, "/api/v1/cache/stats").await;
    assert_eq!(stats["hits"], 2, "{stats}");
    assert_eq!(stats["misses"], 2);
    assert_eq!(stats["entries"], 2);
    let predecessor = get(&app, "/admin/cache").await;
    assert_eq!(predecessor.as_object().unwrap().len(), 2);
    let metrics = request(&app, Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("cache_requests_total{result=\"hit\"} 2"),
        "{metrics}"
    );

    let id = entries[0]["id"].as_str().unwrap();
    let one = format!("/api/v1/cache/entries/{id}");
    for status in [204, 404] {
        let deleted = request(&app, Method::DELETE, &one).send().await.unwrap();
        assert_eq!(deleted.status(), status);
    }
    assert_eq!(
        (ask("n").await, ask("m").await),
        ("MISS".to_owned(), "HIT".to_owned())
    );
    for (query, count) in [
        ("?model=m", 1),
        ("?model=m", 0),
        ("?key=nobody", 0),
        ("", 1),
    ] {
        let path = format!("/api/v1/cache/entries{query}");
        let deleted = request(&app, Method::DELETE, &path).send().await.unwrap();
        let deleted: Value = deleted.json().await.unwrap();
        assert_eq!(deleted, json!({"deleted": count}), "{query}");
    }

    let off = put(&app, "/api/v1/cache", &json!({"enabled": false})).await;
    assert_eq!(off.status(), 200);
    for _ in 0..2 {
        assert_ne!(ask("m").await, "HIT");
    }
    let settings = get(&app, "/api/v1/cache").await;
    assert_eq!(
        (&settings["value"]["enabled"], &settings["source"]),
        (&json!(false), &json!("edited"))
    );
    let reset = request(&app, Method::POST, "/api/v1/cache/reset")
        .send()
        .await
        .unwrap();
    assert_eq!(reset.status(), 200);
    assert_eq!(
        (ask("m").await, ask("m").await),
        ("MISS".to_owned(), "HIT".to_owned())
    );
    let versions = get(&app, "/api/v1/cache/versions").await;
    assert_eq!(versions.as_array().unwrap().len(), 2);
    let restored = request(&app, Method::POST, "/api/v1/cache/versions/1/restore");
    assert_eq!(restored.send().await.unwrap().status(), 200);
    assert_eq!(get(&app, "/api/v1/cache").await["value"]["enabled"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_takes_no_edit() {
    use sqlx::Executor;
    let app = TestApp::start(config()).await;
    let mut other = app.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let one = "/api/v1/system-prompts/mine";
    problem(put(&app, one, &json!({"text": "x"})).await, 503).await;
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(put(&app, one, &json!({"text": "x"})).await.status(), 201);
}

/// `GET /path` in the document's code spans; `{policies}` stands for all kinds of which there are many.
#[test]
fn the_document_lists_what_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/admin-api.md");
    let document = std::fs::read_to_string(file).unwrap();
    let mut documented = BTreeSet::new();
    for span in document.split('`').skip(1).step_by(2) {
        let Some((method, path)) = span.split_once(' ') else {
            continue;
        };
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) || !path.starts_with('/') {
            continue;
        }
        let path = path.split('?').next().unwrap();
        if path.contains("{policies}") {
            for kind in PolicyKind::ALL.into_iter().filter(|kind| !kind.is_single()) {
                documented.insert(format!(
                    "{method} {}",
                    path.replace("{policies}", kind.path())
                ));
            }
        } else {
            documented.insert(span_of(method, path));
        }
    }
    let served = server::admin::served();
    let served = served
        .iter()
        .map(|(method, path)| span_of(method.as_str(), &path.replace("{*", "{")));
    let served: BTreeSet<_> = served.collect();
    let missing: Vec<_> = served.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&served).collect();
    assert!(missing.is_empty(), "not in docs/admin-api.md: {missing:#?}");
    assert!(unknown.is_empty(), "not served: {unknown:#?}");
}

fn span_of(method: &str, path: &str) -> String {
    format!("{method} {path}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_made_used_rotated_and_revoked() {
    let mut config = config();
    config.models = vec![model("m", &["a"])];
    let app = TestApp::start(config).await;
    let ask = async |secret: &str| {
        let chat = app.chat(&hello("m")).bearer_auth(secret);
        chat.send().await.unwrap().status().as_u16()
    };
    let body = json!({"name": "team a/b", "owner": "ada"});
    let made = send(&app, Method::POST, "/api/v1/keys", &body).await;
    assert_eq!(problem(made, 422).await, ["name"]);
    let body = json!({"name": "team a", "owner": "ada", "tags": ["x"], "models": ["m*"]});
    let made = send(&app, Method::POST, "/api/v1/keys", &body).await;
    assert_eq!(made.status(), 201);
    assert_eq!(made.headers()["location"], "/api/v1/keys/team%20a");
    assert_eq!(made.headers()["etag"], "\"1\"");
    assert_eq!(made.headers()["cache-control"], "no-store");
    let made: Value = made.json().await.unwrap();
    assert_eq!(made["entry"]["value"]["owner"], "ada");
    assert_eq!(made["entry"]["changed_by"], "token");
    let first = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(ask(&first).await, 200);
    assert_eq!(ask("sk-somebody-else").await, 401);

    let again = send(&app, Method::POST, "/api/v1/keys", &body).await;
    problem(again, 409).await;
    for (body, field) in [
        (json!({"owner": "ada"}), "name"),
        (json!({"name": 1}), "name"),
        (json!({"name": "b", "modles": []}), "modles"),
        (
            json!({"name": "b", "rates": [{"requests": "1", "window_seconds": 1}]}),
            "rates[0].requests",
        ),
        (json!({"name": "b", "project": "nobody"}), "project"),
    ] {
        let wrong = send(&app, Method::POST, "/api/v1/keys", &body).await;
        assert_eq!(problem(wrong, 422).await, [field], "{body}");
    }

    let one = "/api/v1/keys/team%20a";
    let rotate = format!("{one}/rotate");
    let wrong = send(&app, Method::POST, &rotate, &json!({})).await;
    assert_eq!(problem(wrong, 422).await, ["grace_seconds"]);
    let stale = request(&app, Method::POST, &rotate).header("if-match", "\"7\"");
    let stale = stale.json(&json!({"grace_seconds": 60})).send().await;
    problem(stale.unwrap(), 412).await;
    let rotated = send(&app, Method::POST, &rotate, &json!({"grace_seconds": 3600})).await;
    assert_eq!(rotated.status(), 200);
    let rotated: Value = rotated.json().await.unwrap();
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let shown = get(&app, one).await;
    assert_eq!(shown["value"]["prefixes"].as_array().unwrap().len(), 2);
    for path in [
        one.to_owned(),
        "/api/v1/keys".to_owned(),
        format!("{one}/versions"),
    ] {
        let text = get(&app, &path).await.to_string();
        assert!(!text.contains(&first) && !text.contains(&second), "{text}");
    }
    assert_eq!((ask(&first).await, ask(&second).await), (200, 200));
    send(&app, Method::POST, &rotate, &json!({"grace_seconds": 0})).await;
    assert_eq!((ask(&first).await, ask(&second).await), (401, 401));

    let missing = put(&app, "/api/v1/keys/nobody", &json!({})).await;
    problem(missing, 404).await;
    let metrics = request(&app, Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("auth_requests_total{result="), "{metrics}");
    let deleted = request(&app, Method::DELETE, one).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
}
