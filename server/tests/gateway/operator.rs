//! Somebody who runs the gateway: what they send to the admin listener.

use std::time::Duration;

use llm::simulated::Fault;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use server::config::{Config, Secret};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

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

/// Sends a change, and hangs up so soon afterwards, whatever has become of it by then.
pub async fn put_and_hang_up(
    app: &TestApp,
    token: &str,
    path: &str,
    body: &Value,
    after: Duration,
) {
    let address = app.app().admin_address;
    let body = body.to_string();
    let request = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    // tokio's timers are too coarse for it.
    std::thread::sleep(after);
}
