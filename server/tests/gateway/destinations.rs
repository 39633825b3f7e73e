//! Where the gateway does not connect to, however somebody tries.

use reqwest::Method;
use serde_json::{Value, json};
use server::config::{Config, Secret};

use crate::test_app::{TestApp, config_for, hello, model, provider};
use crate::upstream::{ANSWER, Act, Upstream, json as reply, response};

const TOKEN: &str = "the-token-of-these-tests";

fn port(upstream: &Upstream) -> u16 {
    let url: reqwest::Url = upstream.url("/").parse().unwrap();
    url.port().unwrap()
}

/// Spellings of "this machine" that are no loopback address, and of an address of metadata. Configurations are not
/// checked here: what is told is what is found at the connection, after a resolver has had its say.
fn forbidden(port: u16) -> Vec<String> {
    [
        "0.0.0.0",
        "0",
        "0x0",
        "00000000000",
        "[::]",
        "[::ffff:0.0.0.0]",
        "[::ffff:0:0]",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ]
    .map(|host| format!("http://{host}:{port}/v1"))
    .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_leads_there() {
    let upstream = Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await;
    let urls = forbidden(port(&upstream));
    let mut config = Config::default();
    for (i, url) in urls.iter().enumerate() {
        let mut one = provider(&format!("p{i}"), &upstream, false);
        one.base_url = Some(url.clone());
        config.providers.push(one);
    }
    config.models = (0..urls.len())
        .map(|i| model(&format!("m{i}"), &[&format!("p{i}")]))
        .collect();
    let app = TestApp::start(config).await;
    for (i, url) in urls.iter().enumerate() {
        let response = app.chat(&hello(&format!("m{i}"))).send().await.unwrap();
        let status = response.status();
        let problem = response.text().await.unwrap();
        assert!(status.is_server_error(), "{url}: {status} {problem}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_allows_it() {
    let upstream = Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.providers[0].base_url = Some(format!("http://0.0.0.0:{}/v1", port(&upstream)));
    config.server.allow_addresses = vec!["0.0.0.0/32".parse().unwrap()];
    let app = TestApp::start(config).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_not_followed() {
    let other = Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!("location: {}\r\n", other.url("/v1/chat/completions"));
        let upstream = Upstream::start(vec![Act::Send(response(status, &location, ""))]).await;
        let app = TestApp::before(&upstream).await;
        let answer = app.chat(&hello("m")).send().await.unwrap();
        assert!(!answer.status().is_success(), "{status}");
        assert!(answer.headers().get("location").is_none());
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_that_lead_there_are_not_taken() {
    let mut config = Config::default();
    config.admin.token = Some(Secret::new(TOKEN));
    let app = TestApp::start(config).await;
    let put = async |path: &str, value: Value| {
        let request = app.client.request(Method::PUT, app.admin_url(path));
        let response = request
            .bearer_auth(TOKEN)
            .json(&value)
            .send()
            .await
            .unwrap();
        let status = response.status();
        let problem: Value = response.json().await.unwrap();
        (
            status.as_u16(),
            problem["errors"][0]["field"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let mut urls = forbidden(80);
    urls.push("https://metadata.google.internal/v1".to_owned());
    for url in urls {
        let value = json!({"kind": "openai-compatible", "base_url": url, "api_key": "k"});
        let found = put("/api/v1/providers/p", value).await;
        assert_eq!(found, (422, "base_url".to_owned()), "{url}");
        let rule = json!({"check": {"kind": "webhook", "url": url}, "action": {"kind": "block"}});
        let found = put("/api/v1/guardrails/g", rule).await;
        assert_eq!(found, (422, "check.url".to_owned()), "{url}");
    }
    let value = json!({"kind": "openai-compatible", "base_url": "http://127.0.0.1:1/v1"});
    assert_eq!(put("/api/v1/providers/p", value).await.0, 201);
}
