//! What clients can ask for, and whether the gateway is well.

use serde_json::{Value, json};
use server::config::Config;

use crate::test_app::{TestApp, config_for, error, hello, model, simulated};
use crate::upstream::{ANSWER, Upstream, json as reply};
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
        &json!([{"name": "on", "kind": "simulated", "enabled": true, "simulated": true, "available": true}])
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_that_chat_would_take_can_be_looked_up() {
    let app = TestApp::start(Config {
        providers: vec![simulated("on", Fault::None)],
        models: vec![model("gpt-*", &["on"])],
        ..Config::default()
    })
    .await;
    for name in ["gpt-*", "gpt-5", "on/whatever", "simulated"] {
        let response = app.client.get(app.url(&format!("/v1/models/{name}")));
        let model: Value = response.send().await.unwrap().json().await.unwrap();
        assert_eq!(model["id"], name);
        assert_eq!(model["providers"][0]["name"], "on", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_names_the_model() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("org/fast", &["up"])];
    let app = TestApp::start(config).await;
    for body in [hello("another"), json!({"messages": []})] {
        app.expect_record();
        let response = app
            .client
            .post(app.url("/v1/models/org/fast/chat/completions"))
            .body(body.to_string());
        let answer: Value = response.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["model"], "org/fast");
    }
    for received in upstream.received() {
        let sent: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(sent["model"], "backend-model");
    }
    app.flush().await;
    let rows = app
        .rows("SELECT * FROM requests WHERE requested_model = 'org/fast' AND endpoint = '/v1/models/{model}/chat/completions'")
        .await;
    assert_eq!(rows.len(), 2);

    let nothing = app.client.post(app.url("/v1/models/org/fast/nothing"));
    let nothing = nothing.send().await.unwrap();
    assert_eq!(nothing.status(), 404);
    assert_eq!(error(nothing).await["code"], "unknown_url");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_find_it_alive() {
    let app = TestApp::simulated().await;
    let response = app.client.head(app.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}
