//! What Prometheus reads.

use llm::simulated::Fault;
use server::config::{Config, Shadow, Share};

use crate::test_app::{TestApp, hello, model, simulated};

const TOKEN: &str = "the-token-of-these-tests";

fn config(first: Fault) -> Config {
    let mut config = Config {
        providers: vec![simulated("first", first), simulated("second", Fault::None)],
        models: vec![model("m", &["first", "second"])],
        ..Config::default()
    };
    config.admin.token = Some(server::config::Secret::new(TOKEN));
    config
}

async fn metrics(app: &TestApp) -> String {
    app.flush().await;
    let request = app.client.get(app.admin_url("/metrics")).bearer_auth(TOKEN);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let content_type = response.headers()["content-type"].to_str().unwrap();
    assert!(content_type.starts_with("application/openmetrics-text"));
    response.text().await.unwrap()
}

/// The value of a series, by its name and labels.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| {
        let rest = line.strip_prefix(series)?;
        rest.strip_prefix(' ')
    });
    line.map(|value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_counted_by_provider_and_outcome() {
    let app = TestApp::start(config(Fault::ServerError)).await;
    for _ in 0..3 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    let metrics = metrics(&app).await;
    for (series, expected) in [
        (
            "upstream_requests_total{upstream=\"first\",provider=\"simulated\",status=\"500\"}",
            3.0,
        ),
        (
            "upstream_requests_total{upstream=\"second\",provider=\"simulated\",status=\"200\"}",
            3.0,
        ),
        (
            "upstream_errors_total{upstream=\"first\",error_type=\"upstream_failed\"}",
            3.0,
        ),
        ("upstream_failovers_total{upstream=\"second\"}", 3.0),
        (
            "upstream_request_duration_seconds_count{upstream=\"second\",provider=\"simulated\"}",
            3.0,
        ),
        ("requests_in_flight", 0.0),
        ("records_written_total", 3.0),
    ] {
        assert_eq!(
            value(&metrics, series),
            Some(expected),
            "{series} in {metrics}"
        );
    }
    assert!(metrics.ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_and_shadows_are_no_failovers() {
    let mut config = config(Fault::ServerError);
    config.models = vec![model("m", &["first"])];
    config.models[0].shadow = Some(Shadow {
        provider: "second".to_owned(),
        model: None,
        share: Share::ALL,
    });
    let app = TestApp::start(config).await;
    app.expect_record();
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 502);
    app.records(2).await;
    let metrics = metrics(&app).await;
    for (series, expected) in [
        ("upstream_retries_total{upstream=\"first\"}", Some(1.0)),
        ("upstream_shadows_total{upstream=\"second\"}", Some(1.0)),
        ("upstream_failovers_total{upstream=\"second\"}", None),
    ] {
        assert_eq!(value(&metrics, series), expected, "{series} in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_client_wrote_is_a_label() {
    let app = TestApp::start(config(Fault::None)).await;
    let odd = "a-name-that-nobody-configured";
    for name in [odd, &format!("second/{odd}")] {
        let request = app.chat(&hello(name)).header("x-llm-provider", "second");
        request.send().await.unwrap();
    }
    let refused = app.chat(&hello(odd)).header("x-llm-provider", odd);
    assert_eq!(refused.send().await.unwrap().status(), 404);
    let metrics = metrics(&app).await;
    assert!(!metrics.contains(odd), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_for_operators() {
    let app = TestApp::start(config(Fault::None)).await;
    let anybody = app.client.get(app.admin_url("/metrics"));
    assert_eq!(anybody.send().await.unwrap().status(), 401);
    let client = app.client.get(app.url("/metrics"));
    assert_eq!(client.send().await.unwrap().status(), 404);
}
