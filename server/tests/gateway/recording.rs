//! What is kept of a request.

use std::time::Duration;

use serde_json::Value;
use server::config::{Config, PriceOverride};
use sqlx::Row;

use crate::test_app::{TestApp, config_for, hello, key, model, streamed};
use crate::upstream::{ANSWER, Upstream, json, stream};

fn priced(mut config: Config) -> Config {
    let price = |nanos_per_million| server::config::Price { nanos_per_million };
    config.prices = vec![PriceOverride {
        provider: Some("up".to_owned()),
        model: "backend-model".to_owned(),
        input: price(2_500_000_000),
        cached_input: Some(price(1_250_000_000)),
        cache_write: None,
        output: price(10_000_000_000),
    }];
    config.models = vec![model("fast", &["up"])];
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_about_it() {
    let upstream = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let mut config = priced(config_for(&upstream));
    config.keys = vec![key("team-a", "sk-team-a-secret-key")];
    let app = TestApp::start(config).await;
    let request = hello("fast");
    let response = app
        .chat(&request)
        .bearer_auth("sk-team-a-secret-key")
        .send()
        .await
        .unwrap();
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let sent = response.bytes().await.unwrap().len();

    let record = app.record().await;
    let text = |column: &str| record.get::<Option<String>, _>(column).unwrap_or_default();
    let number = |column: &str| record.get::<Option<i64>, _>(column);
    let own: Vec<u8> = record.get("id");
    assert_eq!(uuid::Uuid::from_slice(&own).unwrap().to_string(), id);
    assert_eq!(text("key_name"), "team-a");
    assert_eq!(text("client_address"), "127.0.0.1");
    assert_eq!(text("dialect"), "openai_chat");
    assert_eq!(text("endpoint"), "/v1/chat/completions");
    assert_eq!(text("requested_model"), "fast");
    assert_eq!(text("provider"), "up");
    assert_eq!(text("upstream_model"), "backend-model");
    assert_eq!(text("outcome"), "finished");
    assert_eq!(text("finish_reason"), "stop");
    assert_eq!(number("status"), Some(200));
    assert_eq!(number("stream"), Some(0));
    assert_eq!(number("input_tokens"), Some(11));
    assert_eq!(number("cached_tokens"), Some(4));
    assert_eq!(number("output_tokens"), Some(7));
    assert_eq!(number("reasoning_tokens"), Some(2));
    // 7 × 2,500 + 4 × 1,250 + 7 × 10,000 nano-dollars.
    assert_eq!(number("cost_nanos"), Some(92_500));
    assert_eq!(number("bytes_in"), Some(request.to_string().len() as i64));
    assert_eq!(number("bytes_out"), Some(sent as i64));
    assert!(number("first_token_us") <= number("latency_us"));
    assert!(number("upstream_us") <= number("latency_us"));
    let attempts: Value = serde_json::from_str(&text("attempts")).unwrap();
    assert_eq!(attempts[0]["provider"], "up");
    assert_eq!(attempts[0]["status"], 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_no_flush_interval_it_is_there_before_the_reply_ends() {
    let upstream = Upstream::with(|n| {
        if n == 0 {
            vec![json("200 OK", ANSWER)]
        } else {
            stream()
        }
    })
    .await;
    let mut config = config_for(&upstream);
    config.recording.flush_interval = Duration::ZERO;
    let app = TestApp::start(config).await;
    for (request, expected) in [(hello("m"), 1), (streamed(hello("m")), 2)] {
        app.chat(&request)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let rows = app
            .rows("SELECT COUNT(*) FROM requests WHERE outcome = 'finished' AND bytes_out > 0")
            .await;
        assert_eq!(rows[0].get::<i64, _>(0), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overview_shows_it() {
    let upstream = Upstream::start(vec![json("200 OK", ANSWER)]).await;
    let app = TestApp::start(priced(config_for(&upstream))).await;
    for _ in 0..3 {
        app.chat(&hello("fast")).send().await.unwrap();
    }
    app.flush().await;
    let query = shared::analytics::OverviewQuery::default();
    let overview = app
        .app()
        .store
        .overview(&query, chrono::Utc::now())
        .await
        .unwrap();
    assert_eq!(overview.totals.requests, 3);
    assert_eq!(overview.totals.input_tokens, 33);
    assert_eq!(overview.totals.cost.0, 3 * 92_500);
    assert_eq!(overview.models[0].name, "fast");
    assert!(overview.totals.latency.p95_ms.is_some());
}
