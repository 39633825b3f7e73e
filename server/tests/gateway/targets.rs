//! What a target gets that no other does: parameters of its own, the client's key, no request that is too long.

use serde_json::{Value, json};
use server::config::{Config, Model};

use crate::test_app::{
    TestApp, config_for, error, hello, key, model, provider, provider_of_kind, streamed,
};
use crate::upstream::{ANSWER, Upstream, json as answer, stream};

fn with_parameters(up: &Upstream, kind: &str, parameters: Value) -> Config {
    let mut model = model("m", &["up"]);
    model.targets[0].parameters = serde_json::from_value(parameters).unwrap();
    Config {
        providers: vec![provider_of_kind(kind, "up", up, false)],
        models: vec![model],
        ..Config::default()
    }
}

fn sent(up: &Upstream) -> Value {
    serde_json::from_slice(&up.received().last().unwrap().body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_of_its_own() {
    let parameters = json!({"temperature": 0, "seed": 7, "metadata.tier": "gold"});
    for streams in [false, true] {
        let script = if streams {
            stream()
        } else {
            vec![answer("200 OK", ANSWER)]
        };
        let up = Upstream::start(script).await;
        let config = with_parameters(&up, "openai-compatible", parameters.clone());
        let app = TestApp::start(config).await;
        let mut request = hello("m");
        request["temperature"] = json!(1.5);
        request["metadata"] = json!({"mine": "x"});
        if streams {
            request = streamed(request);
        }
        let response = app.chat(&request).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
        let sent = sent(&up);
        assert_eq!(sent["temperature"], 0);
        assert_eq!(sent["seed"], 7);
        assert_eq!(sent["metadata"], json!({"mine": "x", "tier": "gold"}));
        assert_eq!(sent["messages"], request["messages"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_in_the_words_of_another_protocol() {
    let message = r#"{"id":"msg_1","type":"message","role":"assistant","model":"x","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let up = Upstream::start(vec![answer("200 OK", message)]).await;
    let parameters = json!({"max_tokens": 77, "thinking": {"type": "disabled"}});
    let app = TestApp::start(with_parameters(&up, "anthropic", parameters)).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let sent = sent(&up);
    assert_eq!(sent["max_tokens"], 77);
    assert_eq!(sent["thinking"], json!({"type": "disabled"}));
}

fn passing(up: &Upstream, kind: &str) -> Config {
    let mut provider = provider_of_kind(kind, "up", up, true);
    provider.api_key = None;
    provider.pass_client_key = true;
    Config {
        providers: vec![provider],
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_own_key() {
    for (kind, header) in [
        ("openai-compatible", "authorization: Bearer clients-own"),
        ("anthropic", "x-api-key: clients-own"),
    ] {
        let up = Upstream::start(vec![answer(
            "401 Unauthorized",
            r#"{"error":{"message":"Wrong key clients-own"}}"#,
        )])
        .await;
        let app = TestApp::start(passing(&up, kind)).await;
        let request = app.chat(&hello("m")).bearer_auth("clients-own");
        let response = request.send().await.unwrap();
        let message = error(response).await["message"].to_string();
        assert!(!message.contains("clients-own"), "{message}");
        let head = &up.received()[0].head;
        assert!(head.contains(header), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_goes_on_that_is_the_gateways_or_not_meant_to() {
    let up = Upstream::start(vec![answer("200 OK", ANSWER)]).await;
    let mut with_keys = passing(&up, "openai-compatible");
    with_keys.keys = vec![key("team", "clients-own")];
    let mut with_own = passing(&up, "openai-compatible");
    with_own.providers[0].api_key = Some(server::config::Secret::new("the-gateways"));
    let mut untold = passing(&up, "openai-compatible");
    untold.providers[0].pass_client_key = false;
    for config in [with_keys, with_own, untold] {
        let app = TestApp::start(config).await;
        let request = app.chat(&hello("m")).bearer_auth("clients-own");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let head = up.received().last().unwrap().head.clone();
        assert!(!head.contains("clients-own"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_is_too_long() {
    let up = Upstream::start(vec![answer("200 OK", ANSWER)]).await;
    let mut config = config_for(&up);
    config.models = vec![Model {
        max_input_tokens: Some(100),
        ..model("m", &["up"])
    }];
    let app = TestApp::start(config).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    let mut long = hello("m");
    long["messages"][0]["content"] = "many words ".repeat(200).into();
    let response = app.chat(&long).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let error = error(response).await;
    assert_eq!(error["code"], "context_length_exceeded");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("100") && message.contains("estimate"),
        "{message}"
    );
    assert_eq!(up.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_longer_model_takes_what_is_too_long() {
    let up = Upstream::start(vec![answer("200 OK", ANSWER)]).await;
    let long = Upstream::start(vec![answer("200 OK", ANSWER)]).await;
    let mut config = config_for(&up);
    config.providers.push(provider("long", &long, false));
    config.models = vec![
        Model {
            max_input_tokens: Some(100),
            context_length_fallbacks: vec!["longer".to_owned()],
            ..model("m", &["up"])
        },
        model("longer", &["long"]),
    ];
    let app = TestApp::start(config).await;
    let mut request = hello("m");
    request["messages"][0]["content"] = "many words ".repeat(200).into();
    let response = app.chat(&request).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((up.received().len(), long.received().len()), (0, 1));
}
