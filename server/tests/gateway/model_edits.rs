//! Models, prices and settings that operators change while the gateway runs.

use llm::simulated::Fault;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Price, PriceOverride, Secret};
use sqlx::{Executor, Row};

use crate::test_app::{TestApp, hello, model, simulated};

const TOKEN: &str = "the-token-of-these-tests";

fn config() -> Config {
    let mut config = Config {
        providers: vec![simulated("a", Fault::None), simulated("b", Fault::None)],
        models: vec![model("m", &["a"]), model("org/m", &["b"])],
        ..Config::default()
    };
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

async fn admin(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Response {
    let mut request = app
        .client
        .request(method, app.admin_url(&format!("/api/v1/{path}")));
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.bearer_auth(TOKEN).send().await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Value {
    let response = admin(app, Method::GET, path, None).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

async fn put(app: &TestApp, path: &str, value: Value) -> (u16, Value) {
    let response = admin(app, Method::PUT, path, Some(value)).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Who answers the next request for a model; what is not served has nobody.
async fn provider(app: &TestApp, model: &str) -> Option<String> {
    let response = app.chat(&hello(model)).send().await.unwrap();
    app.flush().await;
    let rows =
        app.rows("SELECT provider FROM requests ORDER BY started_at_us DESC, id DESC LIMIT 1");
    let provider = rows.await[0].get("provider");
    if response.status() == 200 {
        provider
    } else {
        None
    }
}

fn to(provider: &str) -> Value {
    json!({"targets": [{"provider": provider, "model": "backend-model"}]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_made_changed_deleted_and_restored() {
    let app = TestApp::start(config()).await;
    let (status, made) = put(&app, "models/new", to("b")).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(provider(&app, "new").await.as_deref(), Some("b"));
    assert_eq!(put(&app, "models/new", to("a")).await.0, 200);
    assert_eq!(provider(&app, "new").await.as_deref(), Some("a"));
    // Without saying what, it is the edits that are taken back: all there is.
    assert_eq!(
        admin(&app, Method::DELETE, "models/new", None)
            .await
            .status(),
        204
    );
    assert_eq!(provider(&app, "new").await, None);
    let restored = admin(&app, Method::POST, "models/new/versions/1/restore", None).await;
    assert_eq!(restored.status(), 200);
    assert_eq!(provider(&app, "new").await.as_deref(), Some("b"));

    // One of the configuration's, whose name has a slash.
    assert_eq!(put(&app, "models/org/m", to("a")).await.0, 200);
    assert_eq!(provider(&app, "org/m").await.as_deref(), Some("a"));
    assert_eq!(get(&app, "models/org%2Fm").await["version"], 1);
    assert_eq!(get(&app, "models/org/m/versions").await[0]["version"], 1);
    let deleted = admin(&app, Method::DELETE, "models/org/m?what=model", None).await;
    assert_eq!(deleted.status(), 204);
    assert_eq!(provider(&app, "org/m").await, None);
    let back = admin(&app, Method::DELETE, "models/org/m", None).await;
    assert_eq!(back.status(), 200);
    let back: Value = back.json().await.unwrap();
    assert_eq!(back["strategy_source"], "file");
    assert_eq!(provider(&app, "org/m").await.as_deref(), Some("b"));
    let listed = get(&app, "models").await;
    assert_eq!(listed[1]["name"], "org/m");
    assert_eq!(listed[1]["targets"][0]["provider"], "b");
    assert_eq!(listed[1]["value"]["targets"][0]["weight"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strategy_alone_leaves_the_rest_to_the_configuration() {
    let app = TestApp::start(config()).await;
    let strategy = json!({"strategy": "random"});
    let changed = admin(&app, Method::PATCH, "models/m", Some(strategy.clone())).await;
    assert_eq!(changed.status(), 200);
    let entry = get(&app, "models/m").await;
    assert_eq!(entry["value"]["strategy"], "random");
    assert_eq!(entry["value"]["targets"][0]["provider"], "a");
    assert_eq!(entry["in_file"]["value"]["strategy"], "priority");
    let mut file = config();
    file.models[0] = model("m", &["b"]);
    app.app().in_force.take(file).await.unwrap();
    assert_eq!(provider(&app, "m").await.as_deref(), Some("b"));
    assert_eq!(get(&app, "models/m").await["value"]["strategy"], "random");

    // Of a whole edit it changes the strategy, and leaves the rest.
    assert_eq!(put(&app, "models/m", to("a")).await.0, 200);
    assert_eq!(
        admin(&app, Method::PATCH, "models/m", Some(strategy))
            .await
            .status(),
        200
    );
    let entry = get(&app, "models/m").await;
    assert_eq!(entry["value"]["strategy"], "random");
    assert_eq!(entry["value"]["targets"][0]["provider"], "a");
    let stale = app
        .client
        .patch(app.admin_url("/api/v1/models/m"))
        .header("if-match", "\"1\"");
    let stale = stale
        .bearer_auth(TOKEN)
        .json(&json!({"strategy": "priority"}));
    assert_eq!(stale.send().await.unwrap().status(), 412);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strategies_from_before_hold_on() {
    let mut app = TestApp::start(config()).await;
    app.stop().await;
    let mut database = app.connect().await;
    let old = r#"INSERT INTO settings (name, value, updated_at_us) VALUES ('config.edits', '{"strategies":{"m":"random"}}', 0)"#;
    database.execute(old).await.unwrap();
    drop(database);
    let mut config = config();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    for _ in 0..2 {
        let again = App::start(&config).await.unwrap();
        let models = again.in_force.models().await;
        assert_eq!(models[0].strategy, "random");
        assert_eq!(models[0].strategy_in_file, "priority");
        assert_eq!(models[0].targets[0].provider, "a");
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_that_make_no_sense_are_not_taken() {
    let app = TestApp::start(config()).await;
    let target = json!([{"provider": "a"}]);
    for (value, field) in [
        (json!({}), "targets"),
        (
            json!({"targets": [{"provider": "c"}]}),
            "targets[0].provider",
        ),
        (json!({"targets": [{}]}), "targets[0].provider"),
        (json!({"targets": target, "strategy": "best"}), "strategy"),
        (
            json!({"targets": target, "fallbacks": ["nobody"]}),
            "fallbacks[0]",
        ),
        (json!({"targets": target, "aliases": ["m"]}), "aliases[0]"),
        (
            json!({"targets": target, "retry": {"base": "1"}}),
            "retry.base",
        ),
        (
            json!({"targets": target, "retry": {"budget": 2}}),
            "retry.budget",
        ),
        (
            json!({"targets": target, "rules": [{"when": {"from": "25:00"}, "model": "m"}]}),
            "rules[0].when.from",
        ),
        (json!({"targets": target, "rules": [{}]}), "rules[0]"),
        (json!({"targets": target, "target": 1}), "target"),
    ] {
        let (status, problem) = put(&app, "models/x", value.clone()).await;
        assert_eq!(status, 422, "{value}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{value}: {problem}");
    }
    let mut other = to("a");
    other["fallbacks"] = json!(["m"]);
    assert_eq!(put(&app, "models/x", other).await.0, 201);
    let refused = admin(&app, Method::DELETE, "models/m?what=model", None).await;
    assert_eq!(refused.status(), 409);
    let problem: Value = refused.json().await.unwrap();
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("the model `x`"),
        "{problem}"
    );
    assert_eq!(
        admin(&app, Method::DELETE, "models/m?what=all", None)
            .await
            .status(),
        400
    );
}

/// What the last request cost.
async fn cost(app: &TestApp) -> Option<i64> {
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    app.flush().await;
    let rows =
        app.rows("SELECT cost_nanos FROM requests ORDER BY started_at_us DESC, id DESC LIMIT 1");
    rows.await[0].get("cost_nanos")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_act_on_the_next_request() {
    let mut file = config();
    let price = |dollars: u64| Price {
        nanos_per_million: dollars * 1_000_000_000,
    };
    file.prices = vec![PriceOverride {
        provider: Some("a".to_owned()),
        model: "backend-model".to_owned(),
        input: price(1),
        output: price(1),
        ..PriceOverride::default()
    }];
    let app = TestApp::start(file).await;
    let first = cost(&app).await.unwrap();
    assert!(first > 0);
    let listed = get(&app, "price-overrides").await;
    assert_eq!(listed[0]["name"], "a/backend-model");
    assert_eq!(listed[0]["value"]["tokens"]["input_nanos"], 1_000_000_000);
    let tenfold = json!({"provider": "a", "model": "backend-model",
        "tokens": {"input_nanos": 10_000_000_000_u64, "output_nanos": 10_000_000_000_u64}});
    let (status, entry) = put(&app, "price-overrides/a/backend-model", tenfold.clone()).await;
    assert_eq!(status, 200, "{entry}");
    assert_eq!(cost(&app).await, Some(first * 10));
    for (value, field) in [
        (json!({"model": "backend-model", "provider": "a"}), "tokens"),
        (
            json!({"model": "x", "unit": {"unit": "mile", "each_nanos": 1}}),
            "name",
        ),
        (
            json!({"model": "backend-model", "provider": "a", "unit": {"unit": "mile", "each_nanos": 1}}),
            "unit.unit",
        ),
        (
            json!({"tokens": {"input_nanos": 1, "output_nanos": 1}}),
            "model",
        ),
    ] {
        let (status, problem) = put(&app, "price-overrides/a%2Fbackend-model", value).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let mut unknown = tenfold;
    unknown["provider"] = json!("c");
    let (status, problem) = put(&app, "price-overrides/c%2Fbackend-model", unknown).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("provider")),
        "{problem}"
    );
    let reset = admin(
        &app,
        Method::POST,
        "price-overrides/a%2Fbackend-model/reset",
        None,
    )
    .await;
    assert_eq!(reset.status(), 200);
    assert_eq!(cost(&app).await, Some(first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_act_on_the_next_request() {
    let app = TestApp::start(config()).await;
    let entry = get(&app, "settings").await;
    assert_eq!(entry["value"]["server"]["max_body_size"], "32MiB");
    assert_eq!(entry["value"]["recording"]["retention_days"], 90);
    let (status, entry) = put(
        &app,
        "settings",
        json!({"server": {"max_body_size": "16B"}}),
    )
    .await;
    assert_eq!(status, 200, "{entry}");
    assert_eq!(entry["value"]["server"]["timeouts"]["connect"], "5s");
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 413);
    // What was not changed is the configuration's, whatever that says.
    let mut file = config();
    file.server.timeouts.connect = std::time::Duration::from_secs(7);
    app.app().in_force.take(file).await.unwrap();
    let entry = get(&app, "settings").await;
    assert_eq!(entry["value"]["server"]["timeouts"]["connect"], "7s");
    assert_eq!(entry["value"]["server"]["max_body_size"], "16B");
    // Read and put again, nothing is different.
    let (_, again) = put(&app, "settings", entry["value"].clone()).await;
    assert_eq!(again["version"], entry["version"]);
    for (value, field) in [
        (
            json!({"server": {"max_body_size": "big"}}),
            "server.max_body_size",
        ),
        (json!({"server": {"time_zone": "Mars"}}), "server.time_zone"),
        (
            json!({"server": {"trusted_proxies": ["x"]}}),
            "server.trusted_proxies[0]",
        ),
        (
            json!({"server": {"timeouts": {"total": "5"}}}),
            "server.timeouts.total",
        ),
        (
            json!({"server": {"max_concurrent_requests": 0}}),
            "server.max_concurrent_requests",
        ),
        (json!({"server": {"port": 1}}), "server.port"),
        (
            json!({"recording": {"retention_days": -1}}),
            "recording.retention_days",
        ),
    ] {
        let (status, problem) = put(&app, "settings", value.clone()).await;
        assert_eq!(status, 422, "{value}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{value}: {problem}");
    }
    assert_eq!(
        admin(&app, Method::POST, "settings/reset", None)
            .await
            .status(),
        200
    );
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(get(&app, "settings/configuration").await, json!([]));
}
