//! Payload logging from outside: off, on, by key, and who sees it.

use llm::simulated::Fault;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::config::{Config, Secret};

use crate::test_app::{TestApp, hello, key, simulated};

const TOKEN: &str = "the-token-of-these-tests";
const KEY: &str = "a-client-key-without-a-shape";

fn config() -> Config {
    let mut config = Config {
        keys: vec![key("one", KEY), key("two", "another-client-key-of-these")],
        ..Config::default()
    };
    config.providers.push(simulated("cut", Fault::Cut));
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

async fn ask(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = app.client.request(method, app.admin_url(path));
    let request = request.bearer_auth(TOKEN);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

/// Sends a chat request and says under which id it is known.
async fn chat(app: &TestApp, key: &str, body: &Value) -> String {
    let response = app.chat(body).bearer_auth(key).send().await.unwrap();
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let _ = response.bytes().await;
    id
}

async fn payload(app: &TestApp, id: &str) -> Response {
    app.flush().await;
    app.app().gateway.payloads().flush().await;
    ask(
        app,
        Method::GET,
        &format!("/api/v1/requests/{id}/payload"),
        None,
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_off_until_it_is_switched_on_and_off_again() {
    let app = TestApp::start(config()).await;
    let before = chat(&app, KEY, &hello("simulated")).await;
    assert_eq!(payload(&app, &before).await.status(), 404);
    let file = format!("{}.payloads", app.database.display());
    assert!(!std::path::Path::new(&file).exists());

    let on = json!({"enabled": true, "share_millionths": 0, "overrides": [
        {"applies_to": {"keys": ["one"]}, "share_millionths": 1_000_000}]});
    let put = ask(&app, Method::PUT, "/api/v1/payloads", Some(on)).await;
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    let body = json!({"model": "simulated", "messages": [
        {"role": "user", "content": format!("Hello, my key is {KEY}")}]});
    let seen = chat(&app, KEY, &body).await;
    let other = chat(&app, "another-client-key-of-these", &body).await;
    let found = payload(&app, &seen).await;
    assert_eq!(found.status(), 200);
    let found: Value = found.json().await.unwrap();
    assert_eq!(found["id"], seen.as_str());
    assert_eq!(found["request"]["json"]["model"], "simulated");
    assert_eq!(found["request"]["bytes"], body.to_string().len());
    let said = found["request"]["json"]["messages"][0]["content"]
        .as_str()
        .unwrap();
    assert!(said.contains("[REDACTED]") && !said.contains(KEY), "{said}");
    assert!(
        found["reply"]["json"]["choices"][0]["message"]["content"].is_string(),
        "{found}"
    );
    assert_eq!(found["streamed"], false);
    assert_eq!(payload(&app, &other).await.status(), 404);

    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let id = chat(&app, KEY, &streamed).await;
    let found: Value = payload(&app, &id).await.json().await.unwrap();
    assert_eq!(found["streamed"], true);
    assert!(found["reply"]["bytes"].as_u64().unwrap() > 100, "{found}");
    let reply = found["reply"]["json"].to_string();
    assert!(reply.contains("text") && !reply.contains(KEY), "{reply}");

    let restored = "/api/v1/payloads/reset";
    assert!(
        ask(&app, Method::POST, restored, None)
            .await
            .status()
            .is_success()
    );
    let after = chat(&app, KEY, &hello("simulated")).await;
    assert_eq!(payload(&app, &after).await.status(), 404);
    // What was logged is still there.
    assert_eq!(payload(&app, &seen).await.status(), 200);
    let status: Value = ask(&app, Method::GET, "/api/v1/payloads/status", None)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&status["enabled"], &status["stored"], &status["dropped"]),
        (&json!(false), &json!(2), &json!(0))
    );
    assert!(status["file_bytes"].as_u64().unwrap() > 0);
    for wrong in ["nonsense", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(payload(&app, wrong).await.status(), 404);
    }
    let wrong = json!({"enabled": true, "share_millionths": 2_000_000});
    let wrong = ask(&app, Method::PUT, "/api/v1/payloads", Some(wrong)).await;
    assert_eq!(wrong.status(), 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_off_is_logged_as_far_as_it_came() {
    let mut config = config();
    config.payloads.enabled = true;
    let app = TestApp::start(config).await;
    let body = json!({"model": "cut/simulated", "stream": true, "messages": [
        {"role": "user", "content": "Hello"}]});
    let id = chat(&app, KEY, &body).await;
    let found = payload(&app, &id).await;
    assert_eq!(found.status(), 200);
    let found: Value = found.json().await.unwrap();
    assert_eq!(found["request"]["json"], body);
    // As far as it came.
    assert_eq!(found["streamed"], true);
    assert!(found["reply"]["bytes"].as_u64().unwrap() > 0, "{found}");
}
