//! Somebody who runs the gateway: what they send to the admin listener.

use llm::simulated::Fault;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use server::config::{Config, Secret};

use crate::test_app::{TestApp, simulated};

pub const TOKEN: &str = "the-token-of-these-tests";

/// One simulated provider, and the admin's token.
pub fn config(provider: &str) -> Config {
    let mut config = Config {
        providers: vec![simulated(provider, Fault::None)],
        ..Config::default()
    };
    config.admin.token = Some(Secret::new(TOKEN));
    config
}

pub fn request(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    let request = app.client.request(method, app.admin_url(path));
    request.bearer_auth(TOKEN)
}

pub async fn get(app: &TestApp, path: &str) -> Value {
    let response = request(app, Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

pub async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> Response {
    let request = request(app, method, path).json(body);
    request.send().await.unwrap()
}
