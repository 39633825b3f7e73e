//! A request is answered as long as any of its targets can.

use llm::simulated::Fault;
use serde_json::Value;
use server::config::Config;
use sqlx::Row;

use crate::test_app::{TestApp, hello, model, provider, simulated, streamed};
use crate::upstream::{Act, Upstream, chunk, stream_head};

fn config(first: Fault) -> Config {
    Config {
        providers: vec![simulated("first", first), simulated("second", Fault::None)],
        models: vec![model("m", &["first", "second"])],
        ..Config::default()
    }
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
            let request = if stream {
                streamed(hello("m"))
            } else {
                hello("m")
            };
            let response = app.chat(&request).send().await.unwrap();
            assert_eq!(response.status(), 200, "{fault:?} stream: {stream}");
            let tried = response.headers()["x-gateway-attempts"].to_str().unwrap();
            let tried = tried.to_owned();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_targets_down_the_client_is_told() {
    let mut config = config(Fault::RateLimit);
    config.providers[1].simulated.fault = Fault::ServerError;
    config.models[0].retry.retries = 0;
    let app = TestApp::start(config).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(
        response.headers()["x-gateway-attempts"],
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
