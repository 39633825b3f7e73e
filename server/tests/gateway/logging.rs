//! The log: changed while the gateway runs, and shipped to services, which are sockets here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Secret};

use crate::operator::{self, TOKEN, get, request, send};
use crate::test_app::{SOON, TestApp, hello};
use crate::upstream::{Act, Received, Upstream, json as reply};

const ELASTIC_KEY: &str = "ZWxhc3RpYzprZXktb2YtZWxhc3RpYw==";
const SPLUNK_TOKEN: &str = "11111111-2222-3333-4444-555555555555";
const DATADOG_KEY: &str = "0123456789abcdef0123456789abcdef";

fn config() -> Config {
    operator::config("a")
}

/// An answer after a look at its status.
async fn answer(response: Response, status: u16) -> Value {
    let found = response.status();
    let body = response.text().await.unwrap();
    assert_eq!(found, status, "{body}");
    serde_json::from_str(&body).unwrap_or_default()
}

/// The fields of a problem.
async fn fields(response: Response) -> Vec<String> {
    let problem = answer(response, 422).await;
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect()
}

/// A chat, and the id of its request.
async fn chat(app: &TestApp) -> String {
    let response = app.chat(&hello("simulated")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let id = response.headers()["x-request-id"].to_str().unwrap();
    id.to_owned()
}

/// Waits for what comes some time.
async fn soon<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The request of a service's that speaks of this.
async fn told_of(sink: &Upstream, text: &str) -> Received {
    let look = async || {
        let mut received = sink.received().into_iter();
        received.find(|it| String::from_utf8_lossy(&it.body).contains(text))
    };
    soon(text, look).await
}

async fn service(status: &'static str, body: &'static str) -> Upstream {
    Upstream::with(move |_| vec![reply(status, body)]).await
}

/// The value of a series, by its name and labels.
async fn metric(app: &TestApp, series: &str) -> u64 {
    let response = request(app, Method::GET, "/metrics").send().await.unwrap();
    let metrics = response.text().await.unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

fn has_header(received: &Received, line: &str) -> bool {
    received
        .head
        .lines()
        .any(|it| it.eq_ignore_ascii_case(line))
}

fn lines(body: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(body).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What is told of a request by the entry of it, after a look at what must not be.
fn is_of(metadata: &Value, id: &str) {
    for (field, expected) in [
        ("requestId", json!(id)),
        ("provider", json!("a")),
        ("model", json!("simulated")),
        ("status", json!(200)),
        ("endpoint", json!("/v1/chat/completions")),
        ("stream", json!(false)),
        ("attempts", json!(1)),
    ] {
        assert_eq!(metadata[field], expected, "{field} in {metadata}");
    }
    assert!(metadata["latency_ms"].as_f64().unwrap() > 0.0, "{metadata}");
    assert!(metadata["input_tokens"].as_u64().unwrap() > 0, "{metadata}");
    assert!(!metadata.to_string().contains("Hello"), "{metadata}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_gets_the_requests_in_its_own_form() {
    let elastic = service("200 OK", r#"{"errors":false,"items":[]}"#).await;
    let splunk = service("200 OK", r#"{"text":"Success","code":0}"#).await;
    let datadog = service("202 Accepted", "{}").await;
    let mut config = config();
    let logging = &mut config.logging;
    logging.elasticsearch.endpoint = Some(elastic.url(""));
    logging.elasticsearch.api_key = Some(Secret::new(ELASTIC_KEY));
    logging.splunk.endpoint = Some(splunk.url(""));
    logging.splunk.token = Some(Secret::new(SPLUNK_TOKEN));
    logging.datadog.endpoint = Some(datadog.url(""));
    logging.datadog.api_key = Some(Secret::new(DATADOG_KEY));
    let app = TestApp::start(config).await;
    // Before there is any entry.
    elastic.until_received(1).await;
    let made = &elastic.received()[0];
    assert!(
        made.head.starts_with("PUT /ai-gateway HTTP/1.1\r\n"),
        "{}",
        made.head
    );
    let index: Value = serde_json::from_slice(&made.body).unwrap();
    assert_eq!(
        index["mappings"]["properties"]["@timestamp"]["type"],
        "date"
    );

    let id = chat(&app).await;
    let received = told_of(&elastic, &id).await;
    assert!(
        received.head.starts_with("POST /ai-gateway/_bulk?"),
        "{}",
        received.head
    );
    let credentials = format!("authorization: ApiKey {ELASTIC_KEY}");
    assert!(has_header(&received, &credentials), "{}", received.head);
    assert!(has_header(&received, "content-type: application/x-ndjson"));
    let bulk = lines(&received.body);
    assert!(bulk[0]["create"]["_id"].is_string(), "{}", bulk[0]);
    assert_eq!(
        (&bulk[1]["level"], &bulk[1]["component"]),
        (&json!("INFO"), &json!("request"))
    );
    assert_eq!(bulk[1]["message"], "Request finished");
    assert!(bulk[1]["@timestamp"].as_str().unwrap().ends_with('Z'));
    is_of(&bulk[1]["metadata"], &id);

    let received = told_of(&splunk, &id).await;
    let expected = "POST /services/collector/event HTTP/1.1\r\n";
    assert!(received.head.starts_with(expected), "{}", received.head);
    let credentials = format!("authorization: Splunk {SPLUNK_TOKEN}");
    assert!(has_header(&received, &credentials), "{}", received.head);
    let envelope = &lines(&received.body)[0];
    assert!(envelope["time"].as_f64().unwrap() > 1.7e9);
    assert_eq!(envelope["sourcetype"], "_json");
    is_of(&envelope["event"]["metadata"], &id);

    let received = told_of(&datadog, &id).await;
    let expected = "POST /api/v2/logs HTTP/1.1\r\n";
    assert!(received.head.starts_with(expected), "{}", received.head);
    assert!(
        has_header(&received, &format!("dd-api-key: {DATADOG_KEY}")),
        "{}",
        received.head
    );
    let logs: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(
        (&logs[0]["status"], &logs[0]["ddsource"]),
        (&json!("info"), &json!("ai-gateway"))
    );
    is_of(&logs[0]["metadata"], &id);

    for sink in ["elasticsearch", "splunk", "datadog"] {
        let series = format!("log_entries_shipped_total{{sink=\"{sink}\"}}");
        soon(&series, async || {
            (metric(&app, &series).await == 1).then_some(())
        })
        .await;
        let waiting = format!("log_entries_waiting{{sink=\"{sink}\"}}");
        assert_eq!(metric(&app, &waiting).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_together_and_again_after_a_refusal() {
    let splunk = Upstream::with(|number| match number {
        0 => vec![reply(
            "503 Service Unavailable",
            r#"{"text":"Server is busy","code":9}"#,
        )],
        1 => vec![Act::Close],
        _ => vec![reply("200 OK", "{}")],
    })
    .await;
    let mut config = config();
    config.logging.splunk.endpoint = Some(splunk.url(""));
    let app = TestApp::start(config).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(chat(&app).await);
    }
    let series = "log_entries_shipped_total{sink=\"splunk\"}";
    soon(series, async || {
        (metric(&app, series).await == 20).then_some(())
    })
    .await;
    let received = splunk.received();
    // In batches; the first one three times, the same each time.
    assert!(received.len() < 10, "{} requests", received.len());
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].body, received[2].body);
    let taken: Vec<String> = received[2..]
        .iter()
        .flat_map(|request| lines(&request.body))
        .map(|it| {
            it["event"]["metadata"]["requestId"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(taken, ids, "each once, in order");
    for reason in ["overflow", "refused", "unreachable"] {
        let series = format!("log_entries_dropped_total{{sink=\"splunk\",reason=\"{reason}\"}}");
        assert_eq!(metric(&app, &series).await, 0, "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_bulk_only_what_may_be_taken_later_is_sent_again() {
    // The index, the batch, what is left of it.
    let elastic = Upstream::with(|number| {
        let body = match number {
            1 => {
                r#"{"errors":true,"items":[{"create":{"status":201}},
                   {"create":{"status":429,"error":{"type":"es_rejected_execution_exception"}}},
                   {"create":{"status":400,"error":{"type":"document_parsing_exception"}}}]}"#
            }
            _ => r#"{"errors":false}"#,
        };
        match number {
            0 => vec![Act::WaitForTest, reply("200 OK", body)],
            _ => vec![reply("200 OK", body)],
        }
    })
    .await;
    let mut config = config();
    config.logging.elasticsearch.endpoint = Some(elastic.url("/behind/a/proxy"));
    config.logging.elasticsearch.index = "other".to_owned();
    let app = TestApp::start(config).await;
    elastic.until_received(1).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(chat(&app).await);
    }
    // All of them wait when it goes on.
    app.flush().await;
    elastic.go_on();
    elastic.until_received(3).await;
    let received = elastic.received();
    assert!(
        received[1]
            .head
            .starts_with("POST /behind/a/proxy/other/_bulk?")
    );
    let first = lines(&received[1].body);
    assert_eq!(first.len(), 6);
    // Under the same id: what was taken after all is not there twice.
    assert_eq!(lines(&received[2].body), first[2..4]);
    assert_eq!(first[3]["metadata"]["requestId"], ids[1]);
    let shipped = "log_entries_shipped_total{sink=\"elasticsearch\"}";
    soon(shipped, async || {
        (metric(&app, shipped).await == 2).then_some(())
    })
    .await;
    let refused = "log_entries_dropped_total{sink=\"elasticsearch\",reason=\"refused\"}";
    assert_eq!(metric(&app, refused).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_service_that_is_down() {
    // It takes requests, and never answers.
    let splunk = Upstream::start(vec![Act::WaitForClose]).await;
    let datadog = service("403 Forbidden", "{}").await;
    let mut config = config();
    config.logging.splunk.endpoint = Some(splunk.url(""));
    config.logging.datadog.endpoint = Some(datadog.url(""));
    let mut app = TestApp::start(config).await;
    chat(&app).await;
    splunk.until_received(1).await;
    let began = Instant::now();
    for _ in 0..100 {
        chat(&app).await;
    }
    assert!(began.elapsed() < SOON * 3);
    app.flush().await;
    let waiting = "log_entries_waiting{sink=\"splunk\"}";
    assert_eq!(metric(&app, waiting).await, 101);
    // One that does not let the gateway in is not asked again: its entries are gone, and that is counted.
    let refused = "log_entries_dropped_total{sink=\"datadog\",reason=\"refused\"}";
    soon(refused, async || {
        (metric(&app, refused).await == 101).then_some(())
    })
    .await;
    // What waits for a service that is given up has a few seconds; then it is dropped, and that is counted.
    let nowhere = json!({"splunk": {"enabled": false, "endpoint": splunk.url("")}});
    let put = send(&app, Method::PUT, "/api/v1/logging", &nowhere).await;
    answer(put, 200).await;
    let unreachable = "log_entries_dropped_total{sink=\"splunk\",reason=\"unreachable\"}";
    soon(unreachable, async || {
        (metric(&app, unreachable).await == 101).then_some(())
    })
    .await;
    assert_eq!(metric(&app, waiting).await, 0);
    // Nor does the end wait for long.
    let reset = "/api/v1/logging/reset";
    answer(send(&app, Method::POST, reset, &Value::Null).await, 200).await;
    chat(&app).await;
    let began = Instant::now();
    app.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_is_sent_at_the_end() {
    let splunk = service("200 OK", "{}").await;
    let mut config = config();
    config.logging.splunk.endpoint = Some(splunk.url(""));
    let mut app = TestApp::start(config).await;
    let id = chat(&app).await;
    app.stop().await;
    let received = splunk.received();
    let last = String::from_utf8_lossy(&received.last().expect("a batch").body);
    assert!(last.contains(&id), "{last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_change_while_the_gateway_runs() {
    let one = service("200 OK", "{}").await;
    let two = service("200 OK", "{}").await;
    let mut file = config();
    file.logging.level = "warn".to_owned();
    file.logging.splunk.endpoint = Some(one.url(""));
    file.logging.splunk.token = Some(Secret::new(SPLUNK_TOKEN));
    let mut app = TestApp::start(file.clone()).await;
    let first = chat(&app).await;
    told_of(&one, &first).await;

    // With the mask that was told, the secret stays the configuration's.
    let there = get(&app, "/api/v1/logging").await;
    assert_eq!(
        (&there["source"], &there["version"]),
        (&json!("file"), &json!(0))
    );
    let mut value = there["value"].clone();
    assert_eq!(value["level"], "warn");
    assert_eq!(value["splunk"]["token"], "111…5555");
    value["splunk"]["endpoint"] = json!(two.url(""));
    let put = send(&app, Method::PUT, "/api/v1/logging", &value).await;
    assert_eq!(put.headers()["etag"], "\"1\"");
    let put = answer(put, 200).await;
    assert_eq!(put["source"], "edited");
    assert_eq!(put["value"]["splunk"]["token"], "111…5555");
    assert_eq!(put["in_file"]["value"]["splunk"]["endpoint"], one.url(""));
    let second = chat(&app).await;
    let received = told_of(&two, &second).await;
    assert!(has_header(
        &received,
        &format!("authorization: Splunk {SPLUNK_TOKEN}")
    ));

    // The same once more is no change.
    let again = send(&app, Method::PUT, "/api/v1/logging", &value).await;
    assert_eq!(answer(again, 200).await["version"], 1);
    value["requests"] = json!(false);
    value["level"] = json!("off");
    let put = request(&app, Method::PUT, "/api/v1/logging").json(&value);
    let stale = put.try_clone().unwrap().header("if-match", "\"7\"");
    assert_eq!(stale.send().await.unwrap().status(), 412);
    let put = put.header("x-change-reason", "too many");
    answer(put.send().await.unwrap(), 200).await;
    chat(&app).await;
    let third = chat(&app).await;
    app.flush().await;

    let restored = "/api/v1/logging/versions/1/restore";
    let restored = send(&app, Method::POST, restored, &Value::Null).await;
    assert_eq!(answer(restored, 200).await["value"]["requests"], true);
    let fourth = chat(&app).await;
    let received = told_of(&two, &fourth).await;
    assert!(has_header(
        &received,
        &format!("authorization: Splunk {SPLUNK_TOKEN}")
    ));
    let all = two.received();
    let mut bodies = all.iter().map(|it| String::from_utf8_lossy(&it.body));
    assert!(
        !bodies.any(|body| body.contains(&third)),
        "none of requests"
    );

    // It outlives a restart.
    let mut config = file;
    config.server.port = 0;
    config.admin.port = 0;
    config.database.url = format!("sqlite:{}", app.database.display());
    app.stop().await;
    let again = App::start(&config).await.unwrap();
    let url = format!("http://{}/v1/chat/completions", again.client_address);
    let sent = app.client.post(url).body(hello("simulated").to_string());
    let sent = sent
        .header("content-type", "application/json")
        .send()
        .await
        .unwrap();
    app.expect_record();
    let id = sent.headers()["x-request-id"].to_str().unwrap().to_owned();
    told_of(&two, &id).await;
    let url = format!("http://{}/api/v1/logging/reset", again.admin_address);
    let reset = app
        .client
        .post(url)
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(answer(reset, 200).await["source"], "file");
    again.stop().await;
    let changes = app
        .rows("SELECT kind FROM changes WHERE kind = 'logging'")
        .await;
    assert_eq!(changes.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_sealed_and_never_told() {
    let splunk = service("200 OK", "{}").await;
    let mut app = TestApp::start(config()).await;
    let value = |token: &str| json!({"splunk": {"endpoint": splunk.url(""), "token": token}});
    let put = send(&app, Method::PUT, "/api/v1/logging", &value(SPLUNK_TOKEN)).await;
    let put = answer(put, 200).await;
    assert_eq!(put["value"]["splunk"]["token"], "111…5555");
    // Another one, then the first again by its mask: it is the first that is meant in that version.
    let other = "99999999-8888-7777-6666-000000000000";
    let put = send(&app, Method::PUT, "/api/v1/logging", &value(other)).await;
    answer(put, 200).await;
    let put = send(&app, Method::PUT, "/api/v1/logging", &value("111…5555")).await;
    answer(put, 200).await;
    let id = chat(&app).await;
    let received = told_of(&splunk, &id).await;
    assert!(has_header(
        &received,
        &format!("authorization: Splunk {SPLUNK_TOKEN}")
    ));
    let put = send(&app, Method::PUT, "/api/v1/logging", &value("222…5555")).await;
    assert_eq!(fields(put).await, ["splunk.token"]);

    let mut told = String::new();
    for path in [
        "/api/v1/logging",
        "/api/v1/logging/versions",
        "/api/v1/audit",
        "/admin/logging",
    ] {
        told += &get(&app, path).await.to_string();
    }
    for (path, whole) in [
        ("/metrics", false),
        ("/api/v1/settings/configuration", true),
    ] {
        let response = request(&app, Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{whole}");
        told += &response.text().await.unwrap();
    }
    app.stop().await;
    for secret in [SPLUNK_TOKEN, other] {
        assert!(!told.contains(secret));
        for file in std::fs::read_dir(app.database.parent().unwrap()).unwrap() {
            let path = file.unwrap().path();
            let Ok(bytes) = std::fs::read(&path) else {
                continue;
            };
            let found = bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes());
            assert!(!found, "{} in {}", secret, path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_told_by_its_field() {
    let app = TestApp::start(config()).await;
    for (value, field) in [
        (json!({"level": "loud"}), "level"),
        (json!({"level": "info,server=loud"}), "level"),
        (json!({"level": "info,[=debug"}), "level"),
        (json!({"format": "xml"}), "format"),
        (
            json!({"elasticsearch": {"index": "Upper Case"}}),
            "elasticsearch.index",
        ),
        (
            json!({"elasticsearch": {"endpoint": "no url"}}),
            "elasticsearch.endpoint",
        ),
        (
            json!({"splunk": {"endpoint": "ftp://127.0.0.1"}}),
            "splunk.endpoint",
        ),
        (
            json!({"splunk": {"endpoint": "http://u:p@127.0.0.1"}}),
            "splunk.endpoint",
        ),
        (
            json!({"splunk": {"token": "ends in a space "}}),
            "splunk.token",
        ),
        (
            json!({"datadog": {"endpoint": "http://169.254.169.254/"}}),
            "datadog.endpoint",
        ),
        (
            json!({"datadog": {"endpoint": "http://[::ffff:a9fe:a9fe]/"}}),
            "datadog.endpoint",
        ),
    ] {
        let put = send(&app, Method::PUT, "/api/v1/logging", &value).await;
        assert_eq!(fields(put).await, [field], "{value}");
    }
    let put = send(&app, Method::PUT, "/api/v1/logging", &json!({"sink": 1})).await;
    assert_eq!(put.status(), 422);
    assert_eq!(get(&app, "/api/v1/logging").await["version"], 0);
}

/// A token of this role.
async fn token(app: &TestApp, role: &str) -> String {
    let wanted = json!({"name": role, "role": role});
    let made = send(app, Method::POST, "/api/v1/tokens", &wanted).await;
    let made = answer(made, 201).await;
    made["secret"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn editors_change_the_level_and_nothing_else() {
    let splunk = service("200 OK", "{}").await;
    let mut file = config();
    file.logging.splunk.endpoint = Some(splunk.url(""));
    file.logging.splunk.token = Some(Secret::new(SPLUNK_TOKEN));
    let app = TestApp::start(file).await;
    let (viewer, editor) = (token(&app, "viewer").await, token(&app, "editor").await);
    let with = |token: &str, method: Method, path: &str, body: &Value| {
        let url = app.admin_url(path);
        app.client
            .request(method, url)
            .bearer_auth(token)
            .json(body)
            .send()
    };
    let level = json!({"level": "debug"});
    let path = "/api/v1/logging";
    let refused = with(&viewer, Method::PATCH, path, &level).await.unwrap();
    assert_eq!(refused.status(), 403);
    let changed = with(&editor, Method::PATCH, path, &level).await.unwrap();
    assert_eq!(changed.headers()["etag"], "\"1\"");
    let changed = answer(changed, 200).await;
    assert_eq!(changed["value"]["level"], "debug");
    assert_eq!(changed["value"]["splunk"]["endpoint"], splunk.url(""));
    assert_eq!(changed["changed_by"], "token:editor");
    let id = chat(&app).await;
    let received = told_of(&splunk, &id).await;
    assert!(has_header(
        &received,
        &format!("authorization: Splunk {SPLUNK_TOKEN}")
    ));

    let wrong = json!({"level": "loud"});
    let wrong = with(&editor, Method::PATCH, path, &wrong).await.unwrap();
    assert_eq!(fields(wrong).await, ["level"]);
    let elsewhere = json!({"splunk": {"endpoint": "http://127.0.0.1:1"}});
    let unknown = with(&editor, Method::PATCH, path, &elsewhere)
        .await
        .unwrap();
    assert_eq!(unknown.status(), 422);
    for (method, path) in [
        (Method::PUT, "/api/v1/logging"),
        (Method::POST, "/api/v1/logging/reset"),
        (Method::POST, "/api/v1/logging/versions/1/restore"),
        (Method::POST, "/admin/logging"),
    ] {
        let refused = with(&editor, method, path, &elsewhere).await.unwrap();
        assert_eq!(refused.status(), 403, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_predecessors_path_has_its_shape() {
    let elastic = service("200 OK", "{}").await;
    let mut file = config();
    file.logging.splunk.token = Some(Secret::new(SPLUNK_TOKEN));
    let app = TestApp::start(file).await;
    let off = json!({
        "enableOpenTelemetry": false, "enableSplunk": false, "enableDatadog": false, "enableElasticSearch": false,
        "openTelemetryEndpoint": "", "splunkEndpoint": "", "datadogEndpoint": "", "elasticSearchEndpoint": "",
        "elasticApiKey": ""
    });
    assert_eq!(get(&app, "/admin/logging").await, off);
    let mut wanted = off.clone();
    wanted["enableElasticSearch"] = json!(true);
    wanted["elasticSearchEndpoint"] = json!(elastic.url(""));
    wanted["elasticApiKey"] = json!(ELASTIC_KEY);
    wanted["splunkEndpoint"] = json!("http://127.0.0.1:1");
    let set = send(&app, Method::POST, "/admin/logging", &wanted).await;
    assert_eq!(
        answer(set, 201).await,
        json!({"status": "Logging configuration updated successfully"})
    );
    let mut shown = wanted.clone();
    shown["elasticApiKey"] = json!("ZWx…Yw==");
    assert_eq!(get(&app, "/admin/logging").await, shown);
    // What was told, sent back.
    let set = send(&app, Method::POST, "/admin/logging", &shown).await;
    answer(set, 201).await;
    let there = get(&app, "/api/v1/logging").await;
    assert_eq!(there["version"], 1, "{there}");
    assert_eq!(there["value"]["splunk"]["enabled"], false);
    assert_eq!(
        there["value"]["splunk"]["token"], "111…5555",
        "it has no field there"
    );
    let id = chat(&app).await;
    let received = told_of(&elastic, &id).await;
    assert!(has_header(
        &received,
        &format!("authorization: ApiKey {ELASTIC_KEY}")
    ));

    for (field, value, what) in [
        ("enableOpenTelemetry", json!(true), "OpenTelemetry"),
        (
            "openTelemetryEndpoint",
            json!("http://127.0.0.1:4317"),
            "OpenTelemetry",
        ),
        ("enableDatadog", json!(true), "datadogEndpoint"),
        ("splunkToken", json!("x"), "splunkToken"),
        (
            "elasticSearchEndpoint",
            json!("http://169.254.169.254"),
            "link-local",
        ),
        ("elasticApiKey", json!("a…b"), "elasticApiKey: "),
    ] {
        let mut wrong = shown.clone();
        wrong[field] = value;
        let refused = send(&app, Method::POST, "/admin/logging", &wrong).await;
        let problem = answer(refused, 400).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(what), "{field}: {detail}");
    }
    assert_eq!(
        get(&app, "/admin/logging").await,
        shown,
        "nothing has changed"
    );
    // What is left out is off.
    let set = send(&app, Method::POST, "/admin/logging", &json!({})).await;
    answer(set, 201).await;
    assert_eq!(get(&app, "/admin/logging").await, off);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_goes_away_is_made_again() {
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = gone.clone();
    let elastic = Upstream::by_head(move |head| {
        let put = head.starts_with("PUT");
        if put {
            is_gone.store(false, Ordering::SeqCst);
        }
        match is_gone.load(Ordering::SeqCst) {
            true => vec![reply(
                "404 Not Found",
                r#"{"error":{"type":"index_not_found_exception"}}"#,
            )],
            false => vec![reply("200 OK", "{}")],
        }
    })
    .await;
    let mut config = config();
    config.logging.elasticsearch.endpoint = Some(elastic.url(""));
    let app = TestApp::start(config).await;
    let id = chat(&app).await;
    told_of(&elastic, &id).await;
    gone.store(true, Ordering::SeqCst);
    chat(&app).await;
    let shipped = "log_entries_shipped_total{sink=\"elasticsearch\"}";
    soon(shipped, async || {
        (metric(&app, shipped).await == 2).then_some(())
    })
    .await;
    let received = elastic.received();
    let made = received
        .iter()
        .filter(|it| it.head.starts_with("PUT"))
        .count();
    assert_eq!(made, 2);
}
