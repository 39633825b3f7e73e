//! A request is answered as long as any of its targets can.

use std::time::{Duration, Instant};

use llm::simulated::Fault;
use serde_json::Value;
use server::config::{Config, Model};
use sqlx::Row;

use crate::test_app::{TestApp, error, hello, model, provider, simulated, streamed};
use crate::upstream::{
    ANSWER, Act, Upstream, chunk, delta, json, response, stream, stream_end, stream_head,
};

fn config(first: Fault) -> Config {
    Config {
        providers: vec![simulated("first", first), simulated("second", Fault::None)],
        models: vec![model("m", &["first", "second"])],
        ..Config::default()
    }
}

/// `up` and `backup`, in this order.
fn two(up: &Upstream, backup: &Upstream) -> Config {
    Config {
        providers: vec![provider("up", up, false), provider("backup", backup, false)],
        models: vec![model("m", &["up", "backup"])],
        ..Config::default()
    }
}

fn request(stream: bool) -> Value {
    if stream {
        streamed(hello("m"))
    } else {
        hello("m")
    }
}

/// An upstream that answers each request as it is asked to.
async fn answering(stream: bool) -> Upstream {
    let script = if stream {
        self::stream()
    } else {
        vec![json("200 OK", ANSWER)]
    };
    Upstream::start(script).await
}

fn tried(response: &reqwest::Response) -> String {
    let value = response.headers()["x-gateway-attempts"].to_str().unwrap();
    value.to_owned()
}

/// An address at which nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_before_the_first_event_is_made_up_for() {
    for fault in [
        Fault::RateLimit,
        Fault::Quota,
        Fault::ServerError,
        Fault::Overloaded,
        Fault::Unauthorized,
        Fault::CutBeforeFirstEvent,
        Fault::Garbage,
        Fault::WrongContentType,
        Fault::ErrorInSuccess,
    ] {
        for stream in [false, true] {
            let app = TestApp::start(config(fault)).await;
            let response = app.chat(&request(stream)).send().await.unwrap();
            assert_eq!(response.status(), 200, "{fault:?} stream: {stream}");
            let tried = tried(&response);
            let text = response.text().await.unwrap();
            assert!(!text.contains("backend-model"), "{text}");
            assert!(
                !text.contains("\"error\""),
                "{fault:?} stream: {stream}: {text}"
            );
            let record = app.record().await;
            assert_eq!(record.get::<String, _>("provider"), "second");
            let attempts: Value =
                serde_json::from_str(&record.get::<String, _>("attempts")).unwrap();
            assert_eq!(attempts.as_array().unwrap().len(), 2, "{attempts}");
            assert!(attempts[0]["error_kind"].is_string(), "{attempts}");
            assert!(attempts[1]["error_kind"].is_null(), "{attempts}");
            let kind = attempts[0]["error_kind"].as_str().unwrap();
            assert_eq!(tried, format!("first={kind}, second=ok"));
        }
    }
}

/// Errors as upstreams tell them, and what they are taken for.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("408 Request Timeout", "{}", "timeout"),
    (
        "429 Too Many Requests",
        r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#,
        "rate_limited",
    ),
    (
        "429 Too Many Requests",
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        "quota_exceeded",
    ),
    (
        "402 Payment Required",
        r#"{"error":{"message":"Insufficient Balance"}}"#,
        "quota_exceeded",
    ),
    (
        "403 Forbidden",
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details","code":"insufficient_quota"}}"#,
        "quota_exceeded",
    ),
    (
        "401 Unauthorized",
        r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
        "authentication",
    ),
    (
        "403 Forbidden",
        r#"{"error":{"message":"Your key may not use this model"}}"#,
        "permission_denied",
    ),
    (
        "404 Not Found",
        r#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#,
        "not_found",
    ),
    ("500 Internal Server Error", "oops", "upstream_failed"),
    ("502 Bad Gateway", "<html>", "upstream_failed"),
    ("503 Service Unavailable", "{}", "overloaded"),
    (
        "529 Overloaded",
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        "overloaded",
    ),
    (
        "200 OK",
        r#"{"error":{"message":"The server had an error","type":"server_error"}}"#,
        "upstream_failed",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_of_every_kind_lead_to_the_next_target() {
    for stream in [false, true] {
        for (status, body, kind) in REFUSALS {
            let up = Upstream::start(vec![json(status, body)]).await;
            let backup = answering(stream).await;
            let app = TestApp::start(two(&up, &backup)).await;
            let response = app.chat(&request(stream)).send().await.unwrap();
            assert_eq!(response.status(), 200, "{status} {body} stream: {stream}");
            assert_eq!(
                tried(&response),
                format!("up={kind}, backup=ok"),
                "{status} {body}"
            );
            let text = response.text().await.unwrap();
            assert!(text.contains("Hi"), "{text}");
            assert_eq!((up.received().len(), backup.received().len()), (1, 1));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_refused_leads_to_the_next_target() {
    for stream in [false, true] {
        let backup = answering(stream).await;
        let mut config = two(&backup, &backup);
        config.providers[0].base_url = Some(nobody().await);
        let app = TestApp::start(config).await;
        let response = app.chat(&request(stream)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(tried(&response), "up=unreachable, backup=ok");
        response.bytes().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_begins_with_an_error_leads_to_the_next_target() {
    let error = "data: {\"error\":{\"message\":\"The server is overloaded\",\"type\":\"server_error\"}}\n\n";
    let up = Upstream::start(vec![stream_head(), chunk(error), stream_end()]).await;
    let backup = answering(true).await;
    let app = TestApp::start(two(&up, &backup)).await;
    let response = app.chat(&request(true)).send().await.unwrap();
    assert!(tried(&response).ends_with("backup=ok"));
    let text = response.text().await.unwrap();
    assert!(
        text.contains("Hi") && !text.contains("overloaded"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_token_that_does_not_come_leads_to_the_next_target() {
    let limit = Duration::from_millis(150);
    for (stream, script) in [
        (true, vec![stream_head(), Act::WaitForClose]),
        (
            true,
            vec![stream_head(), chunk(": ping\n\n"), Act::WaitForClose],
        ),
        (true, vec![Act::WaitForClose]),
        (false, vec![Act::WaitForClose]),
    ] {
        let up = Upstream::start(script).await;
        let backup = answering(stream).await;
        let mut config = two(&up, &backup);
        config.server.timeouts.first_token = Some(limit);
        let app = TestApp::start(config).await;
        let began = Instant::now();
        let response = app.chat(&request(stream)).send().await.unwrap();
        assert!(began.elapsed() >= limit);
        assert_eq!(tried(&response), "up=timeout, backup=ok");
        response.bytes().await.unwrap();
        up.closed().await;
    }
    // Once it has begun an answer may take its time.
    let slow = vec![
        stream_head(),
        chunk(&delta("one")),
        Act::WaitForTest,
        chunk(crate::upstream::DONE),
        stream_end(),
    ];
    let up = Upstream::start(slow).await;
    let backup = answering(true).await;
    let mut config = two(&up, &backup);
    config.server.timeouts.first_token = Some(limit);
    let app = TestApp::start(config).await;
    let response = app.chat(&request(true)).send().await.unwrap();
    assert_eq!(tried(&response), "up=ok");
    tokio::time::sleep(limit * 2).await;
    up.go_on();
    let text = response.text().await.unwrap();
    assert!(!text.contains("error"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_wrong_is_wrong_everywhere() {
    for stream in [false, true] {
        let up = Upstream::start(vec![json(
            "400 Bad Request",
            r#"{"error":{"message":"temperature must be below 2","type":"invalid_request_error","param":"temperature"}}"#,
        )])
        .await;
        let backup = answering(stream).await;
        let app = TestApp::start(two(&up, &backup)).await;
        let response = app.chat(&request(stream)).send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(tried(&response), "up=invalid_request");
        let message = error(response).await["message"].to_string();
        assert!(message.contains("below 2"), "{message}");
        assert_eq!((up.received().len(), backup.received().len()), (1, 0));
    }
}

fn with_fallbacks(up: &Upstream, longer: &Upstream) -> Config {
    Config {
        models: vec![
            Model {
                context_length_fallbacks: vec!["other".to_owned()],
                content_filter_fallbacks: vec!["other".to_owned()],
                ..model("m", &["up"])
            },
            model("other", &["backup"]),
        ],
        ..two(up, longer)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_or_filtered_goes_to_another_model_where_there_is_one() {
    for (code, kind) in [
        ("context_length_exceeded", "context_length_exceeded"),
        ("content_filter", "content_filtered"),
    ] {
        let body = format!(r#"{{"error":{{"message":"No.","code":"{code}"}}}}"#);
        for stream in [false, true] {
            let up = Upstream::start(vec![json("400 Bad Request", &body)]).await;
            let backup = answering(stream).await;
            let app = TestApp::start(with_fallbacks(&up, &backup)).await;
            let response = app.chat(&request(stream)).send().await.unwrap();
            assert_eq!(response.status(), 200, "{kind}");
            assert_eq!(tried(&response), format!("up={kind}, backup=ok"));
            response.bytes().await.unwrap();

            // Not to any other target.
            let app = TestApp::start(two(&up, &backup)).await;
            let response = app.chat(&request(stream)).send().await.unwrap();
            assert_eq!(response.status(), 400);
            assert_eq!(tried(&response), format!("up={kind}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_targets_down_the_client_is_told() {
    let mut config = config(Fault::RateLimit);
    config.providers[1].simulated.fault = Fault::ServerError;
    config.models[0].retry.retries = 0;
    let app = TestApp::start(config).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(
        tried(&response),
        "first=rate_limited, second=upstream_failed"
    );
    assert_eq!(
        app.record().await.get::<String, _>("error_kind"),
        "upstream_failed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_provider_is_never_called() {
    let mut config = config(Fault::None);
    config.providers[0].enabled = false;
    let app = TestApp::start(config).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(app.record().await.get::<String, _>("provider"), "second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_chooses_the_provider() {
    let app = TestApp::start(config(Fault::None)).await;
    let request = app
        .chat(&hello("anything"))
        .header("x-llm-provider", "second");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("provider"), "second");
    assert_eq!(record.get::<String, _>("upstream_model"), "simulated");
    assert_eq!(record.get::<String, _>("requested_model"), "anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_is_no_answer_yet() {
    let upstream =
        Upstream::start(vec![stream_head(), chunk(": processing\n\n"), Act::Close]).await;
    let mut config = config(Fault::None);
    config.providers[0] = provider("first", &upstream, false);
    let app = TestApp::start(config).await;
    let response = app.chat(&streamed(hello("m"))).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(app.record().await.get::<String, _>("provider"), "second");
}

/// What the second attempt of each request adds beside the first: the time between the failure of one and the
/// start of the next, as the record has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_over_takes_no_time_of_its_own() {
    const REQUESTS: usize = 40;
    let refusal = response(
        "400 Bad Request",
        "",
        r#"{"error":{"message":"No.","code":"context_length_exceeded"}}"#,
    );
    let up = Upstream::start(vec![Act::Send(refusal)]).await;
    let backup = answering(false).await;
    let app = TestApp::start(with_fallbacks(&up, &backup)).await;
    for _ in 0..REQUESTS {
        let response = app.chat(&hello("m")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }
    app.flush().await;
    let rows = app.rows("SELECT attempts FROM requests").await;
    let mut gaps: Vec<i64> = rows
        .iter()
        .map(|row| {
            let attempts: Value = serde_json::from_str(&row.get::<String, _>("attempts")).unwrap();
            let at = |i: usize, what: &str| attempts[i][what].as_i64().unwrap();
            at(1, "started_us") - at(0, "started_us") - at(0, "duration_us")
        })
        .collect();
    gaps.sort_unstable();
    let median = gaps[gaps.len() / 2];
    eprintln!(
        "between two attempts: median {median} µs, longest {} µs",
        gaps[gaps.len() - 1]
    );
    assert!(median < 1_000, "{gaps:?}");
}

/// The target that gives an answer answers for all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_in_the_middle_is_a_failure_of_its_target() {
    let up = Upstream::start(vec![stream_head(), chunk(&delta("one")), Act::Close]).await;
    let backup = answering(true).await;
    let mut config = two(&up, &backup);
    config.models[0].breaker.failures = 1;
    let app = TestApp::start(config).await;
    let response = app.chat(&request(true)).send().await.unwrap();
    assert_eq!(tried(&response), "up=ok");
    let text = response.text().await.unwrap();
    assert!(text.contains("one") && text.contains("\"error\""), "{text}");
    let rows = app.records(1).await;
    assert_eq!(rows[0].get::<String, _>("outcome"), "failed");
    assert_eq!(rows[0].get::<i64, _>("output_tokens"), 1);
    assert!(rows[0].get::<i64, _>("bytes_out") > 0);
    let attempts = rows[0].get::<String, _>("attempts");
    assert!(
        attempts.contains("\"error_kind\":\"bad_reply\""),
        "{attempts}"
    );

    let response = app.chat(&request(true)).send().await.unwrap();
    assert_eq!(tried(&response), "backup=ok");
    response.bytes().await.unwrap();
}

/// For a client that wants it whole, a stream that breaks has told nothing yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_is_made_up_for_where_the_client_has_seen_nothing() {
    let up = Upstream::start(vec![stream_head(), chunk(&delta("one")), Act::Close]).await;
    let backup = answering(false).await;
    let app = TestApp::start(two(&up, &backup)).await;
    let response = app.chat(&request(false)).send().await.unwrap();
    assert_eq!(tried(&response), "up=bad_reply, backup=ok");
    assert!(response.text().await.unwrap().contains("Hi"));
}
