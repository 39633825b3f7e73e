//! The OpenAPI document, and the page that is made of it.

use std::collections::BTreeSet;

use llm::simulated::Fault;
use serde_json::Value;
use server::config::{Config, Secret};

use crate::test_app::{TestApp, simulated};

const TOKEN: &str = "the-token-of-these-tests";

async fn app() -> TestApp {
    let mut config = Config {
        providers: vec![simulated("a", Fault::None)],
        ..Config::default()
    };
    config.admin.token = Some(Secret::new(TOKEN));
    TestApp::start(config).await
}

async fn document(app: &TestApp) -> Value {
    let url = app.admin_url("/api/v1/openapi.json");
    let response = app.client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

#[test]
fn each_endpoint_is_described() {
    let missing = server::admin::undescribed();
    assert!(missing.is_empty(), "say what these do: {missing:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_has_what_is_served() {
    let app = app().await;
    let document = document(&app).await;
    assert_eq!(document["openapi"], "3.1.1");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.insert(format!("{} {path}", method.to_uppercase()));
            let responses = operation["responses"].as_object().unwrap();
            let is_success = |status: &String| status.starts_with('2') || status.starts_with('3');
            assert!(responses.keys().any(is_success), "{method} {path}");
        }
    }
    let undescribed = server::admin::undescribed();
    let served = server::admin::served().into_iter();
    let served = served.filter(|row| !undescribed.contains(row));
    let served: BTreeSet<_> = served
        .map(|(method, path)| format!("{method} {}", path.replace("{*", "{")))
        .collect();
    assert_eq!(described, served);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_it_without_scripts() {
    let app = app().await;
    let document = document(&app).await;
    let url = app.admin_url("/api/docs");
    let page = app.client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    let page = page.text().await.unwrap();
    for outside in ["<script", "href=\"http", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(page.contains(path), "{path}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
}
