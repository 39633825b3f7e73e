//! Where requests go, as operators see it.

use llm::simulated::Fault;
use serde_json::Value;
use server::config::{Config, Secret};

use crate::test_app::{TestApp, hello, model, simulated};

const TOKEN: &str = "the-token-of-these-tests";

async fn get(app: &TestApp, path: &str) -> String {
    let request = app.client.get(app.admin_url(path)).bearer_auth(TOKEN);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

async fn targets(app: &TestApp) -> Vec<Value> {
    serde_json::from_str(&get(app, "/api/v1/targets").await).unwrap()
}

fn config(first: Fault) -> Config {
    let mut config = Config {
        providers: vec![simulated("first", first), simulated("second", Fault::None)],
        models: vec![model("m", &["first", "second"]), model("n", &["second"])],
        ..Config::default()
    };
    config.models[1].targets[0].enabled = false;
    config.models[0].retry.retries = 0;
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_target_is_listed_with_its_state() {
    let app = TestApp::start(config(Fault::None)).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    let targets = targets(&app).await;
    let [first, second, disabled] = targets.as_slice() else {
        panic!("{targets:?}");
    };
    for (target, model, provider, state) in [
        (first, "m", "first", "available"),
        (second, "m", "second", "available"),
        (disabled, "n", "second", "disabled"),
    ] {
        assert_eq!(target["model"], model);
        assert_eq!(target["provider"]["name"], provider);
        assert_eq!(target["upstream_model"], "backend-model");
        assert_eq!(target["state"], state);
        assert_eq!(target["in_flight"], 0);
        assert_eq!(target["provider"]["up"], true);
    }
    assert!(first["first_token_ms"].as_f64().unwrap() > 0.0, "{first}");
    assert!(second["first_token_ms"].is_null());
    assert_eq!(disabled["reason"], "the target is not enabled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_fails_is_open_until_a_time_and_says_why() {
    let app = TestApp::start(config(Fault::ServerError)).await;
    for _ in 0..5 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    let before = chrono::Utc::now();
    let target = targets(&app).await.remove(0);
    assert_eq!(target["state"], "open");
    assert_eq!(target["reason"], "upstream_failed");
    assert_eq!(target["failures_in_a_row"], 5);
    let until: chrono::DateTime<chrono::Utc> = target["until"].as_str().unwrap().parse().unwrap();
    assert!(until > before, "{target}");

    let listed = app
        .client
        .get(app.url("/v1/models/m"))
        .send()
        .await
        .unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed["providers"][0]["available"], false);
    assert_eq!(listed["providers"][0]["unavailable"], "open");
    assert_eq!(listed["providers"][1]["available"], true);

    let metrics = get(&app, "/metrics").await;
    for line in [
        "routing_target_state{model=\"m\",upstream=\"first\",upstream_model=\"backend-model\",state=\"open\"} 1",
        "routing_target_state{model=\"m\",upstream=\"second\",upstream_model=\"backend-model\",state=\"available\"} 1",
        "routing_target_in_flight{model=\"m\",upstream=\"first\",upstream_model=\"backend-model\"} 0",
        "routing_transitions_total{upstream=\"first\",what=\"breaker\",to=\"open\"} 1",
        "routing_provider_up{upstream=\"first\"} 1",
    ] {
        assert!(
            metrics.lines().any(|one| one == line),
            "{line} in {metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_are_a_pause_and_a_used_up_quota_is_a_long_one() {
    for (fault, state, seconds) in [
        (Fault::RateLimit, "cooling_down", 0..=2),
        (Fault::Quota, "open", 500..=600),
    ] {
        let app = TestApp::start(config(fault)).await;
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
        let target = targets(&app).await.remove(0);
        assert_eq!(target["state"], state, "{target}");
        let until: chrono::DateTime<chrono::Utc> =
            target["until"].as_str().unwrap().parse().unwrap();
        let rest = (until - chrono::Utc::now()).num_seconds();
        assert!(seconds.contains(&rest), "{fault:?}: {rest}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_for_operators() {
    let app = TestApp::start(config(Fault::None)).await;
    let anybody = app.client.get(app.admin_url("/api/v1/targets"));
    assert_eq!(anybody.send().await.unwrap().status(), 401);
    let client = app.client.get(app.url("/api/v1/targets"));
    assert_eq!(client.send().await.unwrap().status(), 404);
}
