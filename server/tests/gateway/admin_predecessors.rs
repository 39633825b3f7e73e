//! The paths under `/admin` that operators of the Ballerina gateway know.

use llm::simulated::Fault;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::config::{Config, DEFAULT_PROMPT, Secret};
use shared::policies::{EgressRoute, Per, PolicyKind, Position, Rate, RateLimit, SystemPrompt};

use crate::operator::{self, get, request};
use crate::test_app::{TestApp, hello, simulated};

fn config() -> Config {
    operator::config("openai")
}

async fn post(app: &TestApp, path: &str, body: &Value) -> Response {
    let request = request(app, Method::POST, path).json(body);
    request.send().await.unwrap()
}

async fn delete(app: &TestApp, path: &str) -> Response {
    let request = request(app, Method::DELETE, path);
    request.send().await.unwrap()
}

/// A refusal as a problem, whose detail names this.
async fn refused(response: Response, status: u16, what: &str) {
    let url = response.url().clone();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json",
        "{url}"
    );
    assert_eq!(response.status(), status, "{url}");
    let problem: Value = response.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(what), "{what} in {detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_is_a_plan() {
    let app = TestApp::start(config()).await;
    assert_eq!(get(&app, "/admin/ratelimit").await, json!({}));
    let plan = json!({"name": "basic", "requestsPerWindow": 5, "windowSeconds": 60});
    let response = post(&app, "/admin/ratelimit", &plan).await;
    assert_eq!(response.status(), 201);
    let text = response.text().await.unwrap();
    assert_eq!(text, "Rate limit plan updated successfully");
    assert_eq!(get(&app, "/admin/ratelimit").await, plan);

    let limit = get(&app, "/api/v1/limits/default").await;
    assert_eq!(limit["value"]["per"], "address");
    assert_eq!(limit["value"]["rate"]["requests"], 5);
    assert_eq!(limit["changed_by"], "token");

    let response = delete(&app, "/admin/ratelimit").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "Rate limiting disabled");
    assert_eq!(get(&app, "/admin/ratelimit").await, json!({}));
    // As there: what is off can be switched off.
    assert_eq!(delete(&app, "/admin/ratelimit").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_have_plans_of_their_own_instead_of_the_one_for_all() {
    let app = TestApp::start(config()).await;
    assert_eq!(get(&app, "/admin/ratelimit/clients").await, json!({}));
    assert_eq!(get(&app, "/admin/ratelimit/states").await, json!({}));
    let plan = json!({"name": "basic", "requestsPerWindow": 5, "windowSeconds": 60});
    post(&app, "/admin/ratelimit", &plan).await;
    let plan = |ip: &str, requests: u64| json!({"clientIP": ip, "name": "host-1", "requestsPerWindow": requests, "windowSeconds": 120});
    for ip in ["192.168.1.80", "*.*.*.*", "2001:db8::1"] {
        let response = post(&app, "/admin/ratelimit/clients", &plan(ip, 10)).await;
        assert_eq!(response.status(), 201, "{ip}");
        let done: Value = response.json().await.unwrap();
        let status = "Client-specific rate limit updated successfully";
        assert_eq!(done, json!({"status": status, "clientIP": ip}));
    }
    post(&app, "/admin/ratelimit/clients", &plan("192.168.1.80", 500)).await;
    let clients = json!({
        "*.*.*.*": plan("*.*.*.*", 10),
        "192.168.1.80": plan("192.168.1.80", 500),
        "2001:db8::1": plan("2001:db8::1", 10),
    });
    assert_eq!(get(&app, "/admin/ratelimit/clients").await, clients);

    for ip in ["192.168.1.80", "2001:db8::1", "*.*.*.*"] {
        let response = delete(&app, &format!("/admin/ratelimit/clients/{ip}")).await;
        assert_eq!(response.status(), 200);
        let done: Value = response.json().await.unwrap();
        let status = "Client-specific rate limit removed successfully";
        assert_eq!(done, json!({"status": status, "clientIP": ip}));
    }
    assert_eq!(get(&app, "/admin/ratelimit/clients").await, json!({}));
}

/// What the gateway says of the next request from here.
async fn asked(app: &TestApp) -> Response {
    let chat = app.chat(&hello("m")).header("x-llm-provider", "openai");
    chat.header("cache-control", "no-cache")
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_act_on_the_next_request() {
    let app = TestApp::start(config()).await;
    let plan = json!({"name": "basic", "requestsPerWindow": 2, "windowSeconds": 3600});
    post(&app, "/admin/ratelimit", &plan).await;
    for (status, remaining) in [(200, "1"), (200, "0"), (429, "0")] {
        let response = asked(&app).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["ratelimit-limit"], "2");
        assert_eq!(response.headers()["ratelimit-remaining"], remaining);
    }
    let states = get(&app, "/admin/ratelimit/states").await;
    let state = &states["127.0.0.1"];
    assert_eq!(state["requests"], 2, "{states}");
    let age = chrono::Utc::now().timestamp() - state["windowStart"].as_i64().unwrap();
    assert!((0..60).contains(&age), "{states}");

    // Its own plan is in place of the default, though that is the stricter one.
    let own = json!({"clientIP": "127.0.0.1", "name": "own", "requestsPerWindow": 4, "windowSeconds": 3600});
    post(&app, "/admin/ratelimit/clients", &own).await;
    for status in [200, 200, 200, 200, 429] {
        let response = asked(&app).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["ratelimit-limit"], "4");
    }
    let everybody = json!({"clientIP": "*.*.*.*", "name": "all", "requestsPerWindow": 1, "windowSeconds": 3600});
    post(&app, "/admin/ratelimit/clients", &everybody).await;
    assert_eq!(asked(&app).await.headers()["ratelimit-limit"], "4");
    delete(&app, "/admin/ratelimit/clients/127.0.0.1").await;
    for status in [200, 429] {
        let response = asked(&app).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["ratelimit-limit"], "1");
    }
    delete(&app, "/admin/ratelimit/clients/*.*.*.*").await;
    assert_eq!(asked(&app).await.headers()["ratelimit-limit"], "2");
    // Also when its own is taken away, or switched off, elsewhere.
    post(&app, "/admin/ratelimit/clients", &own).await;
    assert_eq!(asked(&app).await.headers()["ratelimit-limit"], "4");
    let there = "/api/v1/limits/client%20127.0.0.1";
    let mut off = get(&app, there).await["value"].take();
    off["enabled"] = json!(false);
    let put = request(&app, Method::PUT, there).json(&off);
    assert_eq!(put.send().await.unwrap().status(), 200);
    assert_eq!(asked(&app).await.headers()["ratelimit-limit"], "2");
    assert_eq!(delete(&app, there).await.status(), 204);
    assert_eq!(asked(&app).await.headers()["ratelimit-limit"], "2");
    // Whom an operator leaves out stays left out.
    let there = "/api/v1/limits/default";
    let mut edited = get(&app, there).await["value"].take();
    edited["applies_to"] = json!({"except_addresses": ["10.0.0.0/8"]});
    let put = request(&app, Method::PUT, there).json(&edited);
    assert_eq!(put.send().await.unwrap().status(), 200);
    post(&app, "/admin/ratelimit", &plan).await;
    assert_eq!(get(&app, there).await["value"], edited);
    delete(&app, "/admin/ratelimit").await;
    let free = asked(&app).await;
    assert_eq!(free.status(), 200);
    assert!(!free.headers().contains_key("ratelimit-limit"));
    app.flush().await;
    let metrics = request(&app, Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("rate_limit_exceeded_total{key_name=\"\"} 7"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_act_on_the_next_reply() {
    let app = TestApp::start(config()).await;
    let text = async |response: Response| {
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        let text = body["choices"][0]["message"]["content"].as_str();
        text.unwrap().to_owned()
    };
    let before = text(asked(&app).await).await;
    let disclaimer = "Written by a machine.";
    let rules = |banned: &str, min: u64, max: u64| {
        json!({
            "bannedPhrases": [banned], "minLength": min, "maxLength": max,
            "requireDisclaimer": true, "disclaimer": disclaimer,
        })
    };
    let path = "/admin/guardrails";
    post(&app, path, &rules("never said", 0, 500_000)).await;
    let after = text(asked(&app).await).await;
    assert!(after.contains(disclaimer), "{before} {after}");

    let first: String = before.chars().take(5).collect();
    post(&app, path, &rules("", 0, 5)).await;
    let cut = text(asked(&app).await).await;
    assert!(cut.starts_with(&first) && !cut.contains(&before), "{cut}");
    post(&app, path, &rules(&before.to_uppercase(), 0, 500_000)).await;
    assert_eq!(asked(&app).await.status(), 400);
    post(&app, path, &rules("", 100_000, 500_000)).await;
    assert_eq!(asked(&app).await.status(), 400);
    let stats = get(&app, "/api/v1/guardrails/stats").await;
    assert!(stats.to_string().contains("min-length"), "{stats}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_that_make_no_sense_are_refused() {
    let app = TestApp::start(config()).await;
    for (body, what) in [
        (
            json!({"name": "a", "requestsPerWindow": 0, "windowSeconds": 60}),
            "requestsPerWindow",
        ),
        (
            json!({"name": "a", "requestsPerWindow": 5, "windowSeconds": 0}),
            "windowSeconds",
        ),
        (
            json!({"name": "a", "requestsPerWindow": -5, "windowSeconds": 60}),
            "requestsPerWindow",
        ),
        (
            json!({"name": "a", "requestsPerWindow": "5", "windowSeconds": 60}),
            "requestsPerWindow",
        ),
        (
            json!({"name": "a", "requestsPerWindow": null, "windowSeconds": 60}),
            "requestsPerWindow",
        ),
        (
            json!({"name": "a", "requestsPerWindow": 5}),
            "windowSeconds",
        ),
        (json!({"requestsPerWindow": 5, "windowSeconds": 60}), "name"),
        (
            json!({"name": "a", "requestsPerWindow": 5, "windowSeconds": 60, "window": 1}),
            "window",
        ),
        (
            json!({"name": "a", "requestsPerWindow": 5, "windowSeconds": 99_999_999_999_u64}),
            "windowSeconds: ",
        ),
        (
            json!([{"name": "a", "requestsPerWindow": 5, "windowSeconds": 60}]),
            "object",
        ),
    ] {
        refused(post(&app, "/admin/ratelimit", &body).await, 400, what).await;
    }
    let client =
        json!({"clientIP": "nobody", "name": "a", "requestsPerWindow": 5, "windowSeconds": 1});
    refused(
        post(&app, "/admin/ratelimit/clients", &client).await,
        400,
        "clientIP",
    )
    .await;
    let broken = request(&app, Method::POST, "/admin/ratelimit").body("{");
    refused(broken.send().await.unwrap(), 400, "JSON").await;
    assert_eq!(get(&app, "/api/v1/limits").await, json!([]));
    // A limit of somebody's that is called like those of single clients is none of them.
    let acme = json!({"per": "key", "rate": {"requests": 500, "window_seconds": 60}});
    let acme = request(&app, Method::PUT, "/api/v1/limits/client%20acme").json(&acme);
    assert_eq!(acme.send().await.unwrap().status(), 201);
    let plan = json!({"name": "a", "requestsPerWindow": 5, "windowSeconds": 60});
    assert_eq!(post(&app, "/admin/ratelimit", &plan).await.status(), 201);
    assert_eq!(get(&app, "/admin/ratelimit/clients").await, json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_prompt_is_its_text() {
    let mut config = config();
    let prompt = SystemPrompt {
        enabled: true,
        text: "from the file".to_owned(),
        position: Position::Before,
        ..SystemPrompt::default()
    };
    config
        .system_prompts
        .insert(DEFAULT_PROMPT.to_owned(), prompt);
    let app = TestApp::start(config).await;
    let path = "/admin/systemprompt";
    assert_eq!(get(&app, path).await, json!({"prompt": "from the file"}));
    for (text, shown) in [
        ("respond only in chinese", "respond only in chinese"),
        ("", ""),
        (" \n", ""),
        ("again", "again"),
    ] {
        let response = post(&app, path, &json!({"prompt": text, "unknown": 1})).await;
        assert_eq!(response.status(), 201, "{text}");
        let done: Value = response.json().await.unwrap();
        assert_eq!(
            done,
            json!({"status": "System prompt updated successfully"})
        );
        assert_eq!(get(&app, path).await, json!({"prompt": shown}));
        if !shown.is_empty() {
            let prompt = get(&app, "/api/v1/system-prompts/default").await;
            assert_eq!(prompt["value"]["position"], "before", "the rest stays");
        }
    }
    refused(post(&app, path, &json!({"prompt": 1})).await, 400, "prompt").await;
    let unknown = json!({"prompt": "You are {{name}}."});
    refused(post(&app, path, &unknown).await, 400, "prompt: ").await;
    refused(post(&app, path, &json!({})).await, 400, "prompt").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guardrails_are_rules() {
    let app = TestApp::start(config()).await;
    let path = "/admin/guardrails";
    let usual = json!({
        "bannedPhrases": [], "minLength": 0, "maxLength": 500_000, "requireDisclaimer": false
    });
    assert_eq!(get(&app, path).await, usual);
    let all = json!({
        "bannedPhrases": ["obscene", "words"],
        "minLength": 10,
        "maxLength": 2000,
        "requireDisclaimer": true,
        "disclaimer": "AI-generated response",
    });
    let response = post(&app, path, &all).await;
    assert_eq!(response.status(), 201);
    let done: Value = response.json().await.unwrap();
    assert_eq!(done, json!({"status": "Guardrails updated successfully"}));
    assert_eq!(get(&app, path).await, all);
    let rules = get(&app, "/api/v1/guardrails").await;
    let rules: Vec<_> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let value = &rule["value"];
            assert_eq!(value["side"], "reply");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&rule["name"]), text(&value["action"]["kind"]))
        })
        .collect();
    let expected = [
        ("min-length", "block"),
        ("banned-phrases", "block"),
        ("max-length", "truncate"),
        ("disclaimer", "append"),
    ];
    let expected = expected.map(|(name, action)| (name.to_owned(), action.to_owned()));
    assert_eq!(rules, expected);

    // What these paths do not know of a rule stays as it is.
    let rule = "/api/v1/guardrails/banned-phrases";
    let mut edited = get(&app, rule).await["value"].take();
    edited["check"]["whole_word"] = json!(true);
    edited["action"]["message"] = json!("We do not say that.");
    edited["shadow"] = json!(true);
    let put = request(&app, Method::PUT, rule).json(&edited);
    assert_eq!(put.send().await.unwrap().status(), 200);
    let mut fewer = all.clone();
    fewer["bannedPhrases"] = json!(["obscene"]);
    assert_eq!(post(&app, path, &fewer).await.status(), 201);
    edited["check"]["phrases"] = json!(["obscene"]);
    assert_eq!(get(&app, rule).await["value"], edited);

    // What the predecessor's page sends when nothing is filled in.
    let mut page = usual.clone();
    page["bannedPhrases"] = json!([""]);
    page["disclaimer"] = json!("");
    assert_eq!(post(&app, path, &page).await.status(), 201);
    assert_eq!(get(&app, path).await, usual);
    edited["enabled"] = json!(false);
    assert_eq!(get(&app, rule).await["value"], edited, "it is switched off");
    let longest = get(&app, "/api/v1/guardrails/max-length").await;
    assert_eq!(longest["value"]["check"]["max"], 500_000);

    // What its collection of examples sends: nothing to append.
    let example = json!({
        "bannedPhrases": ["inappropriate content", "harmful instructions"],
        "minLength": 10, "maxLength": 8000, "requireDisclaimer": true
    });
    let response = post(&app, path, &example).await;
    assert_eq!(response.status(), 201);
    let done: Value = response.json().await.unwrap();
    let note = done["note"].as_str().unwrap();
    assert!(note.contains("nothing is appended"), "{note}");
    assert!(note.contains("`banned-phrases` is in the shadow"), "{note}");
    edited["enabled"] = json!(true);
    edited["check"]["phrases"] = example["bannedPhrases"].clone();
    assert_eq!(get(&app, rule).await["value"], edited, "and on as it was");
    let mut blank = example.clone();
    blank["disclaimer"] = json!(" ");
    let done: Value = post(&app, path, &blank).await.json().await.unwrap();
    assert_eq!(done["note"], note, "{done}");

    let before = get(&app, path).await;
    for (field, value) in [
        ("minLength", json!(-1)),
        ("minLength", json!(9000)),
        ("maxLength", json!(0)),
        ("maxLength", Value::Null),
        ("bannedPhrases", json!("obscene")),
        ("requireDisclaimer", json!("yes")),
    ] {
        let mut wrong = example.clone();
        wrong[field] = value;
        refused(post(&app, path, &wrong).await, 400, field).await;
    }
    assert_eq!(get(&app, path).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guardrails_that_are_posted_as_they_are_told_stay_as_they_are() {
    let app = TestApp::start(config()).await;
    let path = "/admin/guardrails";
    let rule = |check: Value, action: &str| json!({"check": check, "action": {"kind": action}, "side": "reply"});
    let length =
        |min: Option<u64>, max: Option<u64>| json!({"kind": "length", "min": min, "max": max});
    let phrases = || json!({"kind": "phrases", "phrases": ["obscene"]});
    let off = |mut rule: Value| {
        rule["enabled"] = json!(false);
        rule
    };
    let of_requests = |mut rule: Value| {
        rule["side"] = json!("request");
        rule
    };
    let other = || rule(json!({"kind": "pii"}), "redact");
    let disclaimer = || {
        rule(
            json!({"kind": "disclaimer", "text": "AI-generated"}),
            "block",
        )
    };
    for rules in [
        [
            rule(length(Some(5), Some(100)), "flag"),
            rule(phrases(), "redact"),
            rule(length(Some(7), Some(2000)), "block"),
            disclaimer(),
        ],
        [
            off(rule(length(Some(5), None), "block")),
            off(rule(phrases(), "block")),
            off(rule(length(None, Some(2000)), "truncate")),
            off(disclaimer()),
        ],
        [
            of_requests(rule(length(None, Some(100)), "truncate")),
            of_requests(rule(phrases(), "block")),
            of_requests(rule(length(Some(1), None), "block")),
            disclaimer(),
        ],
        [other(), other(), other(), other()],
    ] {
        let names = ["min-length", "banned-phrases", "max-length", "disclaimer"];
        for (name, rule) in names.iter().zip(&rules) {
            let rule_path = format!("/api/v1/guardrails/{name}");
            let put = operator::send(&app, Method::PUT, &rule_path, rule).await;
            assert!(put.status().is_success(), "{}", put.text().await.unwrap());
        }
        let before = get(&app, "/api/v1/guardrails").await;
        let told = get(&app, path).await;
        assert_eq!(post(&app, path, &told).await.status(), 201);
        assert_eq!(get(&app, path).await, told);
        assert_eq!(get(&app, "/api/v1/guardrails").await, before, "{told}");
    }
    // They are rules of somebody else's.
    let told = get(&app, path).await;
    let before = get(&app, "/api/v1/guardrails").await;
    for (field, value, name) in [
        ("minLength", json!(3), "`min-length`"),
        ("maxLength", json!(3000), "`max-length`"),
        ("bannedPhrases", json!(["obscene"]), "`banned-phrases`"),
        ("disclaimer", json!("AI-generated"), "`disclaimer`"),
    ] {
        let mut more = told.clone();
        more[field] = value;
        refused(post(&app, path, &more).await, 409, name).await;
    }
    let mut nothing = told.clone();
    nothing["requireDisclaimer"] = json!(true);
    let done: Value = post(&app, path, &nothing).await.json().await.unwrap();
    let note = done["note"].as_str().unwrap();
    assert!(
        note.contains("`max-length` looks for something else"),
        "{note}"
    );
    assert_eq!(get(&app, "/api/v1/guardrails").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_changes_its_part_of_a_rule() {
    let app = TestApp::start(config()).await;
    let there = |name: &str| format!("/api/v1/guardrails/{name}");
    let both = json!({
        "check": {"kind": "length", "min": 5, "max": 100}, "action": {"kind": "flag"},
        "side": "request", "order": 3,
    });
    for name in ["min-length", "max-length"] {
        let put = operator::send(&app, Method::PUT, &there(name), &both).await;
        assert_eq!(put.status(), 201);
    }
    let path = "/admin/guardrails";
    let rules = |min: u64| {
        json!({
            "bannedPhrases": [], "minLength": min, "maxLength": 200, "requireDisclaimer": false,
        })
    };
    let done: Value = post(&app, path, &rules(6)).await.json().await.unwrap();
    let note = done["note"].as_str().unwrap();
    for name in ["min-length", "max-length"] {
        let says = format!("The rule `{name}` is about requests, not about replies.");
        assert!(note.contains(&says), "{note}");
    }
    let value = async |name| get(&app, &there(name)).await["value"].take();
    let length = |min: Option<u64>, max: u64| match min {
        Some(min) => json!({"kind": "length", "min": min, "max": max}),
        None => json!({"kind": "length", "max": max}),
    };
    let least = value("min-length").await;
    assert_eq!(least["check"], length(Some(6), 100));
    assert_eq!(
        (&least["action"]["kind"], &least["order"]),
        (&json!("flag"), &json!(3))
    );
    assert_eq!(value("max-length").await["check"], length(Some(5), 200));
    post(&app, path, &rules(0)).await;
    let least = value("min-length").await;
    assert_eq!(least["check"], length(None, 100), "the rest holds on");
    assert_eq!(least["enabled"], true);
}

/// The rules that each change was about, the latest first, and how many changes there are.
async fn changed(app: &TestApp) -> Vec<String> {
    let changes = get(app, "/api/v1/audit").await;
    let changes = changes.as_array().unwrap().iter();
    changes
        .map(|change| format!("{} {}", change["name"].as_str().unwrap(), change["version"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_post_changes_is_changed_together_or_not_at_all() {
    let app = TestApp::start(config()).await;
    let path = "/admin/guardrails";
    let mut all = json!({
        "bannedPhrases": ["obscene"], "minLength": 10, "maxLength": 2000,
        "requireDisclaimer": true, "disclaimer": "AI-generated response",
    });
    assert_eq!(post(&app, path, &all).await.status(), 201);
    let first = [
        "disclaimer 1",
        "max-length 1",
        "banned-phrases 1",
        "min-length 1",
    ];
    assert_eq!(changed(&app).await, first);
    // The last of the rules makes no sense: none is changed.
    let wrong = json!({
        "bannedPhrases": [], "minLength": 20, "maxLength": 3000,
        "requireDisclaimer": true, "disclaimer": "x".repeat(9000),
    });
    refused(post(&app, path, &wrong).await, 400, "disclaimer: ").await;
    assert_eq!(get(&app, path).await, all);
    assert_eq!(changed(&app).await, first);
    let rules = app.app().in_force.policies(PolicyKind::Guardrail).await;
    assert_eq!(rules.len(), 4);
    // What stays as it is gets no version.
    all["minLength"] = json!(0);
    all["maxLength"] = json!(3000);
    assert_eq!(post(&app, path, &all).await.status(), 201);
    assert_eq!(get(&app, path).await, all);
    assert_eq!(changed(&app).await[..2], ["max-length 2", "min-length 2"]);
    assert_eq!(changed(&app).await.len(), 6);
}

/// Two rules say the bounds, and nothing keeps them from being at odds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounds_that_are_at_odds_already_can_be_posted_back() {
    let app = TestApp::start(config()).await;
    for (name, check, action) in [
        (
            "min-length",
            json!({"kind": "length", "min": 10}),
            json!({"kind": "block"}),
        ),
        (
            "max-length",
            json!({"kind": "length", "max": 5}),
            json!({"kind": "truncate"}),
        ),
    ] {
        let rule = json!({"side": "reply", "check": check, "action": action});
        let there = format!("/api/v1/guardrails/{name}");
        let put = operator::send(&app, Method::PUT, &there, &rule).await;
        assert_eq!(put.status(), 201);
    }
    let path = "/admin/guardrails";
    let mut all = get(&app, path).await;
    assert_eq!(
        (&all["minLength"], &all["maxLength"]),
        (&json!(10), &json!(5))
    );
    let before = changed(&app).await;
    assert_eq!(post(&app, path, &all).await.status(), 201);
    assert_eq!(changed(&app).await, before);
    all["bannedPhrases"] = json!(["obscene"]);
    assert_eq!(post(&app, path, &all).await.status(), 201);
    assert_eq!(changed(&app).await[0], "banned-phrases 1");
    all["maxLength"] = json!(6);
    refused(post(&app, path, &all).await, 400, "minLength: ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_switched_off_comes_back_as_it_was() {
    let app = TestApp::start(config()).await;
    let there = "/api/v1/limits/default";
    let mut limit = json!({
        "enabled": true, "description": "basic", "applies_to": {"models": ["m"]}, "per": "key",
        "rate": {"requests": 5, "tokens": 1000, "window_seconds": 60, "algorithm": "token_bucket"},
    });
    let put = operator::send(&app, Method::PUT, there, &limit).await;
    assert_eq!(put.status(), 201);
    let path = "/admin/ratelimit";
    let plan = get(&app, path).await;
    limit["enabled"] = json!(false);
    for _ in 0..2 {
        assert_eq!(delete(&app, path).await.status(), 200);
        assert_eq!(get(&app, path).await, json!({}));
        assert_eq!(get(&app, there).await["value"], limit);
        assert_eq!(changed(&app).await, ["default 2", "default 1"]);
    }
    post(&app, path, &plan).await;
    limit["enabled"] = json!(true);
    assert_eq!(get(&app, there).await["value"], limit);

    // A client's goes, unless somebody has made more of it than a plan.
    let clients = "/admin/ratelimit/clients";
    let client = |ip: &str| json!({"clientIP": ip, "name": "own", "requestsPerWindow": 5, "windowSeconds": 60});
    for ip in ["192.0.2.7", "192.0.2.8"] {
        post(&app, clients, &client(ip)).await;
    }
    let there = "/api/v1/limits/client%20192.0.2.8";
    let mut own = get(&app, there).await["value"].take();
    own["rate"]["algorithm"] = json!("sliding_window");
    operator::send(&app, Method::PUT, there, &own).await;
    let of_a_key = "/api/v1/limits/client%20acme";
    let acme = json!({"per": "key", "rate": {"requests": 500, "window_seconds": 60}});
    operator::send(&app, Method::PUT, of_a_key, &acme).await;
    for client in ["192.0.2.7", "192.0.2.8", "acme"] {
        let removed = delete(&app, &format!("{clients}/{client}")).await;
        assert_eq!(removed.status(), 200);
    }
    assert_eq!(get(&app, clients).await, json!({}));
    let names: Vec<_> = get(&app, "/api/v1/limits")
        .await
        .as_array()
        .unwrap()
        .clone();
    let names: Vec<_> = names.iter().map(|limit| &limit["name"]).collect();
    assert_eq!(names, ["client 192.0.2.8", "client acme", "default"]);
    assert_eq!(get(&app, of_a_key).await["value"]["enabled"], true);
    post(&app, clients, &client("192.0.2.8")).await;
    assert_eq!(get(&app, there).await["value"], own);

    let there = "/api/v1/system-prompts/default";
    let prompt = json!({"text": "Be brief.", "position": "replace", "order": 7});
    operator::send(&app, Method::PUT, there, &prompt).await;
    let mut prompt = get(&app, there).await["value"].take();
    let path = "/admin/systemprompt";
    post(&app, path, &json!({"prompt": ""})).await;
    prompt["enabled"] = json!(false);
    assert_eq!(get(&app, there).await["value"], prompt);
    post(&app, path, &json!({"prompt": "Be brief."})).await;
    prompt["enabled"] = json!(true);
    assert_eq!(get(&app, there).await["value"], prompt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_file_says_stays_its_own_when_it_is_posted_as_it_is_told() {
    let mut config = config();
    let limit = |per: Per| RateLimit {
        enabled: true,
        per,
        rate: Rate {
            requests: Some(5),
            window_seconds: 60,
            ..Rate::default()
        },
        ..RateLimit::default()
    };
    let limits = [
        ("default", limit(Per::Key)),
        ("client 192.0.2.7", limit(Per::Address)),
    ];
    let limits = limits.map(|(name, limit)| (name.to_owned(), limit));
    config.limits.extend(limits);
    let prompt = SystemPrompt {
        enabled: true,
        text: "from the file".to_owned(),
        ..SystemPrompt::default()
    };
    let prompt = (DEFAULT_PROMPT.to_owned(), prompt);
    config.system_prompts.extend([prompt]);
    let route = EgressRoute {
        enabled: true,
        endpoint: "https://api.example.com".to_owned(),
        cache: false,
        rate_limit: true,
    };
    config.egress.insert("weather".to_owned(), route);
    config.logging.splunk.endpoint = Some("http://127.0.0.1:9".to_owned());
    config.logging.splunk.token = Some(Secret::new("a-token-of-splunk"));
    config.logging.splunk.enabled = false;
    let app = TestApp::start(config).await;
    for (path, of) in [
        ("/admin/ratelimit", ""),
        ("/admin/ratelimit/clients", "/192.0.2.7"),
        ("/admin/systemprompt", ""),
        ("/admin/routes", "/weather"),
        ("/admin/logging", ""),
    ] {
        let told = get(&app, path).await;
        let one = told.pointer(of).unwrap();
        assert_eq!(post(&app, path, one).await.status(), 201, "{path}: {one}");
        assert_eq!(get(&app, path).await, told);
        assert!(changed(&app).await.is_empty(), "{path}: {told}");
    }
}

/// Posts to an old path while somebody puts the policy behind it, time and again: each `put` says something that the
/// old path does not know, at `kept`, which is there whoever was first.
async fn nothing_is_undone(
    app: &TestApp,
    (path, posted): (&str, impl Fn(u64) -> Value),
    (policy, put): (&str, impl Fn(u64) -> Value),
    kept: &str,
) {
    for number in 1..=30 {
        let (posted, put) = (posted(number), put(number));
        let (old, new) = tokio::join!(
            post(app, path, &posted),
            operator::send(app, Method::PUT, policy, &put),
        );
        assert_eq!(old.status(), 201, "{path}");
        assert!(new.status().is_success(), "{policy}");
        let value = get(app, policy).await["value"].take();
        assert_eq!(value.pointer(kept), put.pointer(kept), "{policy} {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_elsewhere_meanwhile_stays() {
    let app = TestApp::start(config()).await;
    let prompt = |number| json!({"prompt": format!("old {number}")});
    let put = |number| json!({"text": "new", "order": number});
    nothing_is_undone(
        &app,
        ("/admin/systemprompt", prompt),
        ("/api/v1/system-prompts/default", put),
        "/order",
    )
    .await;
    let plan =
        |number| json!({"name": "old", "requestsPerWindow": 1000 + number, "windowSeconds": 60});
    let put = |number| {
        let rate = json!({"requests": 1, "window_seconds": 1, "tokens": 10_000 + number});
        json!({"per": "address", "rate": rate})
    };
    nothing_is_undone(
        &app,
        ("/admin/ratelimit", plan),
        ("/api/v1/limits/default", put),
        "/rate/tokens",
    )
    .await;
    let rules = |number| {
        json!({
            "bannedPhrases": [format!("old {number}")], "minLength": 0, "maxLength": 1000,
            "requireDisclaimer": false
        })
    };
    let put = |number| {
        let check = json!({"kind": "phrases", "phrases": ["new"]});
        json!({"check": check, "action": {"kind": "block"}, "side": "reply", "order": number})
    };
    nothing_is_undone(
        &app,
        ("/admin/guardrails", rules),
        ("/api/v1/guardrails/banned-phrases", put),
        "/order",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stats_and_cache_have_their_shapes() {
    let mut config = config();
    config
        .providers
        .push(simulated("broken", Fault::ServerError));
    let app = TestApp::start(config).await;
    for provider in ["openai", "openai", "broken"] {
        let chat = app.chat(&hello("m")).header("x-llm-provider", provider);
        chat.header("cache-control", "no-cache")
            .send()
            .await
            .unwrap();
    }
    app.flush().await;
    let stats = get(&app, "/admin/stats").await;
    let overview = &stats["overview"];
    for name in [
        "totalRequests",
        "successfulRequests",
        "failedRequests",
        "totalErrors",
    ] {
        assert!(overview[name].is_u64(), "{name} in {stats}");
    }
    assert_eq!(overview["totalRequests"], 3);
    assert!(overview["cacheHitRate"].is_f64(), "{stats}");
    let list = |part: &str, name: &str| stats[part][name].as_array().unwrap().clone();
    assert_eq!(
        list("requests", "labels").len(),
        list("requests", "data").len()
    );
    assert_eq!(
        list("tokens", "labels").len(),
        list("tokens", "inputData").len()
    );
    assert_eq!(
        list("tokens", "labels").len(),
        list("tokens", "outputData").len()
    );
    assert_eq!(list("errors", "labels").len(), list("errors", "data").len());
    assert!(stats["tokens"]["totalInput"].as_u64() > Some(0), "{stats}");
    assert!(stats["tokens"]["totalOutput"].as_u64() > Some(0), "{stats}");
    for name in ["hits", "misses", "size"] {
        assert!(stats["cache"][name].is_u64(), "{name} in {stats}");
    }
    let recent = list("errors", "recent");
    assert_eq!(
        recent.len() as u64,
        overview["failedRequests"].as_u64().unwrap()
    );
    for error in recent {
        let error: Value = serde_json::from_str(error.as_str().unwrap()).unwrap();
        assert!(error["timestamp"].as_i64() > Some(1_700_000_000), "{error}");
        for name in ["provider", "message", "type", "requestId"] {
            assert!(error[name].is_string(), "{name} in {error}");
        }
    }

    assert!(get(&app, "/admin/cache").await.is_object());
    let cleared = delete(&app, "/admin/cache").await;
    assert_eq!(cleared.status(), 200);
    let cleared: Value = cleared.json().await.unwrap();
    assert_eq!(cleared, json!({"status": "Cache cleared successfully"}));
    assert_eq!(get(&app, "/admin/cache").await, json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_served_is_told_so() {
    let app = TestApp::start(config()).await;
    for path in ["/admin", "/admin/", "/admin/routes/one/users"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let response = request(&app, method, path).send().await.unwrap();
            refused(response, 404, path).await;
        }
    }
    let put = request(&app, Method::PUT, "/admin/ratelimit").send().await;
    refused(put.unwrap(), 405, "PUT").await;
    let anybody = app.client.get(app.admin_url("/admin/stats")).send().await;
    refused(anybody.unwrap(), 401, "token").await;
}
