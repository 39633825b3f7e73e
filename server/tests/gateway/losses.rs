//! What an upstream's protocol cannot say is told, or refused.

use serde_json::{Value, json};
use server::config::Config;
use sqlx::Row;

use crate::dialects::MESSAGE;
use crate::test_app::{TestApp, error, hello, model, provider, provider_of_kind, streamed};
use crate::upstream::{ANSWER, Upstream, json as reply};

/// A request that Anthropic's protocol cannot carry whole.
fn wanting() -> Value {
    let mut request = hello("fast");
    request["logprobs"] = json!(true);
    request["seed"] = json!(7);
    request
}

async fn anthropic() -> (Config, Upstream) {
    let upstream = Upstream::start(vec![reply("200 OK", MESSAGE)]).await;
    let config = Config {
        providers: vec![provider_of_kind("anthropic", "up", &upstream, true)],
        models: vec![model("fast", &["up"])],
        ..Config::default()
    };
    (config, upstream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_headers_and_recorded() {
    let (config, _upstream) = anthropic().await;
    let app = TestApp::start(config).await;
    let response = app.chat(&wanting()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let dropped = response.headers()["x-gateway-dropped"].to_str().unwrap();
    let mut names: Vec<&str> = dropped.split(", ").collect();
    names.sort_unstable();
    assert_eq!(names, ["logprobs", "seed"]);
    assert!(!response.headers().contains_key("x-gateway-emulated"));
    let recorded: String = app.record().await.get("dropped");
    let recorded: Vec<String> = serde_json::from_str(&recorded).unwrap();
    assert_eq!(recorded.len(), 2, "{recorded:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_lost_is_nothing_said() {
    let (config, _upstream) = anthropic().await;
    let app = TestApp::start(config).await;
    let response = app.chat(&hello("fast")).send().await.unwrap();
    assert!(!response.headers().contains_key("x-gateway-dropped"));
    let record = app.record().await;
    assert_eq!(record.get::<Option<String>, _>("dropped"), None);
    assert_eq!(record.get::<Option<String>, _>("emulated"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_request_is_refused_instead() {
    let (config, upstream) = anthropic().await;
    let app = TestApp::start(config).await;
    for request in [wanting(), streamed(wanting())] {
        let response = app.chat(&request).header("x-gateway-strict", "true");
        let response = response.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error = error(response).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`logprobs`"), "{message}");
        assert!(message.contains("`seed`"), "{message}");
        let param = error["param"].as_str().unwrap();
        assert!(["logprobs", "seed"].contains(&param), "{error}");
        assert_eq!(error["code"], "unsupported_parameter");
    }
    assert!(upstream.received().is_empty());
    let whole = app.chat(&hello("fast")).header("x-gateway-strict", "true");
    assert_eq!(whole.send().await.unwrap().status(), 200);
    let odd = app.chat(&hello("fast")).header("x-gateway-strict", "maybe");
    assert_eq!(odd.send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strictness_can_be_configured() {
    for (server, model) in [(true, false), (false, true)] {
        let (mut config, _upstream) = anthropic().await;
        config.server.strict = server;
        config.models[0].strict = model;
        let app = TestApp::start(config).await;
        let response = app.chat(&wanting()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{server} {model}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_can_carry_it_all_is_taken() {
    let (mut config, first) = anthropic().await;
    let second = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    config.providers.push(provider("whole", &second, false));
    config.models = vec![model("fast", &["up", "whole"])];
    let app = TestApp::start(config).await;
    let response = app.chat(&wanting()).header("x-gateway-strict", "true");
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("x-gateway-dropped"));
    assert!(first.received().is_empty());
    assert_eq!(second.received().len(), 1);
    assert_eq!(app.record().await.get::<String, _>("provider"), "whole");
}
