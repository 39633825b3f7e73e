//! What operators change while the gateway runs.

use std::time::Duration;

use llm::simulated::Fault;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Secret};
use sqlx::{Executor, Row};

use shared::policies::PolicyKind;

use crate::operator::put_and_hang_up;
use crate::test_app::{TestApp, hello, model, simulated};

const TOKEN: &str = "the-token-of-these-tests";

fn config() -> Config {
    let mut config = Config {
        providers: vec![simulated("a", Fault::None), simulated("b", Fault::None)],
        models: vec![model("m", &["a", "b"]), model("org/m", &["b"])],
        ..Config::default()
    };
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

async fn admin(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Response {
    let mut request = app.client.request(method, app.admin_url(path));
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.bearer_auth(TOKEN).send().await.unwrap()
}

async fn change(app: &TestApp, model: &str, strategy: &str) -> Response {
    let path = format!("/api/v1/models/{model}");
    let body = json!({"strategy": strategy});
    admin(app, Method::PATCH, &path, Some(body)).await
}

/// Strategy and source of each model, in order.
async fn strategies(app: &TestApp) -> Vec<(String, String)> {
    let models: Value = admin(app, Method::GET, "/api/v1/models", None)
        .await
        .json()
        .await
        .unwrap();
    let models = models.as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    models
        .map(|model| (text(&model["strategy"]), text(&model["strategy_source"])))
        .collect()
}

fn pair(strategy: &str, source: &str) -> (String, String) {
    (strategy.to_owned(), source.to_owned())
}

/// Who answers the next four requests.
async fn providers(app: &TestApp) -> Vec<String> {
    app.flush().await;
    let before = app.rows("SELECT id FROM requests").await.len();
    for _ in 0..4 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    app.flush().await;
    let rows = app
        .rows("SELECT provider FROM requests ORDER BY started_at_us, id")
        .await;
    rows[before..]
        .iter()
        .map(|row| row.get("provider"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strategy_is_changed_from_the_next_request_on() {
    let app = TestApp::start(config()).await;
    assert_eq!(providers(&app).await, ["a", "a", "a", "a"]);
    let response = change(&app, "m", "round_robin").await;
    assert_eq!(response.status(), 200);
    let model: Value = response.json().await.unwrap();
    assert_eq!(model["strategy"], "round_robin");
    assert_eq!(model["strategy_in_file"], "priority");
    let mut both = providers(&app).await;
    both.sort();
    assert_eq!(both, ["a", "a", "b", "b"]);
    assert_eq!(
        strategies(&app).await,
        [pair("round_robin", "edited"), pair("priority", "file")]
    );

    let reset = admin(&app, Method::DELETE, "/api/v1/models/m", None).await;
    assert_eq!(reset.status(), 200);
    assert_eq!(providers(&app).await, ["a", "a", "a", "a"]);
    assert_eq!(strategies(&app).await[0], pair("priority", "file"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_changes_nothing() {
    let app = TestApp::start(config()).await;
    let wrong = change(&app, "m", "best").await;
    assert_eq!(wrong.status(), 400);
    let problem: Value = wrong.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("round_robin, priority"), "{detail}");
    assert_eq!(change(&app, "nobody", "priority").await.status(), 404);
    for (body, status) in [
        (json!({"strategy": 1}), 422),
        (json!({"strategies": "priority"}), 422),
        (json!("priority"), 422),
    ] {
        let response = admin(&app, Method::PATCH, "/api/v1/models/m", Some(body)).await;
        assert_eq!(response.status(), status);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/problem+json");
    }
    let anybody = app.client.patch(app.admin_url("/api/v1/models/m"));
    let refused = anybody.json(&json!({"strategy": "round_robin"}));
    assert_eq!(refused.send().await.unwrap().status(), 401);
    assert_eq!(strategies(&app).await[0], pair("priority", "file"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_cannot_be_kept_is_not_made() {
    let app = TestApp::start(config()).await;
    let mut other = app.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(change(&app, "m", "round_robin").await.status(), 503);
    assert_eq!(strategies(&app).await[0], pair("priority", "file"));
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(change(&app, "m", "round_robin").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_outlast_a_reload_and_a_restart() {
    let mut app = TestApp::start(config()).await;
    // A name with a slash, as it is and encoded.
    for name in ["org/m", "org%2Fm"] {
        assert_eq!(change(&app, name, "round_robin").await.status(), 200);
    }
    let mut read_again = config();
    read_again.models.push(model("new", &["a"]));
    app.app().in_force.take(read_again).await.unwrap();
    let edited = pair("round_robin", "edited");
    let file = pair("priority", "file");
    assert_eq!(
        strategies(&app).await,
        [file.clone(), edited.clone(), file.clone()]
    );
    // The model is gone for a while.
    let mut without = config();
    without.models.truncate(1);
    app.app().in_force.take(without).await.unwrap();
    assert_eq!(strategies(&app).await, std::slice::from_ref(&file));
    app.stop().await;

    let mut config = config();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&config).await.unwrap();
    let models = again.in_force.models().await;
    assert_eq!(models[1].name, "org/m");
    assert_eq!(models[1].strategy, "round_robin");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_whose_client_hangs_up_is_kept_and_in_force_or_neither() {
    let app = TestApp::start(config()).await;
    for i in 0..200 {
        let body = json!({"description": format!("no. {i}")});
        let after = Duration::from_micros(20 * i);
        put_and_hang_up(&app, TOKEN, "/api/v1/projects/p", &body, after).await;
    }
    // What is kept and does not hold would be in the way of the next edit's version.
    let last = json!({"description": "the last"});
    let last = admin(&app, Method::PUT, "/api/v1/projects/p", Some(last)).await;
    assert!(last.status().is_success(), "{}", last.status());
    let last: Value = last.json().await.unwrap();
    let kept = app.app().in_force.versions(PolicyKind::Project, "p").await;
    let kept = kept.unwrap();
    assert!(kept.len() > 1, "some were made");
    assert_eq!(kept[0].version, last["version"].as_u64().unwrap());
    let versions = kept.iter().rev().map(|kept| kept.version);
    assert!(versions.eq(1..=kept.len() as u64), "none is left out");
}
