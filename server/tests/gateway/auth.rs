//! Client keys.

use server::config::Config;
use sqlx::Row;

use crate::test_app::{TestApp, error, hello, key};

fn config() -> Config {
    let mut off = key("former", "sk-former-team-key");
    off.settings.enabled = false;
    Config {
        keys: vec![key("team-a", "sk-team-a-secret-key"), off],
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_key_is_let_in_under_its_name() {
    let app = TestApp::start(config()).await;
    for (header, value) in [
        ("authorization", "Bearer sk-team-a-secret-key"),
        ("authorization", "bearer sk-team-a-secret-key"),
        ("x-api-key", "sk-team-a-secret-key"),
        ("api-key", "sk-team-a-secret-key"),
        ("x-goog-api-key", "sk-team-a-secret-key"),
    ] {
        let request = app.chat(&hello("simulated")).header(header, value);
        assert_eq!(request.send().await.unwrap().status(), 200, "{header}");
    }
    app.expect_record();
    let request = app
        .client
        .post(app.url("/v1/chat/completions?key=sk-team-a-secret%2Dkey"))
        .body(hello("simulated").to_string());
    assert_eq!(request.send().await.unwrap().status(), 200);
    app.flush().await;
    for row in app.rows("SELECT key_name FROM requests").await {
        assert_eq!(row.get::<String, _>(0), "team-a");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anything_else_is_not() {
    let app = TestApp::start(config()).await;
    for credentials in [
        None,
        Some("Bearer sk-wrong"),
        Some("Bearer sk-former-team-key"),
        Some("Basic c2stdGVhbS1hLXNlY3JldC1rZXk="),
        Some("Bearer"),
        Some(""),
    ] {
        let mut request = app.chat(&hello("simulated"));
        if let Some(credentials) = credentials {
            request = request.header("authorization", credentials);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401, "{credentials:?}");
        assert_eq!(error(response).await["code"], "invalid_api_key");
    }
    let models = app.client.get(app.url("/v1/models")).send().await.unwrap();
    assert_eq!(models.status(), 401);
    let health = app.client.get(app.url("/health")).send().await.unwrap();
    assert_eq!(health.status(), 200);
}
