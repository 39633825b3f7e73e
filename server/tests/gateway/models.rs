//! What clients can ask for, and whether the gateway is well.

use serde_json::{Value, json};
use server::config::Config;

use crate::test_app::{TestApp, error, model, simulated};
use llm::simulated::Fault;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_with_their_providers() {
    let mut off = simulated("off", Fault::None);
    off.enabled = false;
    let app = TestApp::start(Config {
        providers: vec![simulated("on", Fault::None), off],
        models: vec![model("org/m", &["on"])],
        ..Config::default()
    })
    .await;
    let list: Value = app
        .client
        .get(app.url("/v1/models"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["object"], "list");
    let ids: Vec<&Value> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert_eq!(ids, [&json!("org/m"), &json!("simulated")]);
    let providers = &list["data"][0]["providers"];
    assert_eq!(
        providers,
        &json!([{"name": "on", "kind": "simulated", "enabled": true, "simulated": true}])
    );

    let one: Value = app
        .client
        .get(app.url("/v1/models/org/m"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(one, list["data"][0]);
    let none = app
        .client
        .get(app.url("/v1/models/nope"))
        .send()
        .await
        .unwrap();
    assert_eq!(none.status(), 404);
    assert_eq!(error(none).await["code"], "model_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_who_and_how_long() {
    let app = TestApp::simulated().await;
    for path in ["/health", "/", "/health_check"] {
        let health: Value = app
            .client
            .get(app.url(path))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(health["status"], "ok");
        assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
        assert!(health["uptime_seconds"].is_u64());
    }
    assert_eq!(
        app.client
            .get(app.url("/ready"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    app.app().gateway.drain();
    assert_eq!(
        app.client
            .get(app.url("/ready"))
            .send()
            .await
            .unwrap()
            .status(),
        503
    );
}
