//! What models are told on top of what clients say.

use serde_json::{Value, json};
use shared::policies::{Position, Selector, SystemPrompt};

use crate::test_app::{TestApp, config_for, hello, key, model, provider_of_kind};
use crate::upstream::{ANSWER, Upstream, json as reply};

fn prompt(position: Position, text: &str) -> SystemPrompt {
    SystemPrompt {
        enabled: true,
        position,
        text: text.to_owned(),
        ..SystemPrompt::default()
    }
}

fn sent(upstream: &Upstream) -> Value {
    serde_json::from_slice(&upstream.received().pop().unwrap().body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goes_where_the_operator_wants_it() {
    let upstream = Upstream::start(vec![reply("200 OK", ANSWER)]).await;
    let mut config = config_for(&upstream);
    config.keys = vec![key("team-a", "sk-a"), key("team-b", "sk-b")];
    config.models = vec![model("fast", &["up"]), model("slow", &["up"])];
    let mut own = prompt(Position::Replace, "You serve {{key}} as {{model}}.");
    own.applies_to = Selector {
        keys: vec!["team-a".to_owned()],
        models: vec!["f*".to_owned()],
        ..Selector::default()
    };
    config.system_prompts = [
        ("default", prompt(Position::After, "Be kind.")),
        ("first", prompt(Position::Before, "We are ACME.")),
        ("own", own),
    ]
    .map(|(name, prompt)| (name.to_owned(), prompt))
    .into();
    let app = TestApp::start(config).await;
    let mut body = hello("fast");
    body["messages"] = json!([
        {"role": "system", "content": "Rhyme."},
        {"role": "user", "content": "Hello", "x": 1},
    ]);
    for (key, model, told) in [
        (
            "sk-a",
            "fast",
            &["We are ACME.\n\nYou serve team-a as fast.\n\nBe kind."] as &[_],
        ),
        ("sk-a", "slow", &["We are ACME.", "Rhyme.", "Be kind."]),
        ("sk-b", "fast", &["We are ACME.", "Rhyme.", "Be kind."]),
    ] {
        body["model"] = json!(model);
        let response = app.chat(&body).bearer_auth(key).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let told = told
            .iter()
            .map(|text| json!({"role": "system", "content": text}));
        let user = json!({"role": "user", "content": "Hello", "x": 1});
        let expected: Vec<_> = told.chain([user]).collect();
        assert_eq!(sent(&upstream)["messages"], Value::Array(expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_counted() {
    let upstream = Upstream::start(vec![reply("200 OK", r#"{"input_tokens":7}"#)]).await;
    let mut config = config_for(&upstream);
    config.providers = vec![
        provider_of_kind("anthropic", "asked", &upstream, false),
        config_for(&upstream).providers.remove(0),
    ];
    config.models = vec![model("asked", &["asked"]), model("guessed", &["up"])];
    config.system_prompts = [
        ("default", prompt(Position::After, "Be kind to everybody.")),
        ("first", prompt(Position::Before, "We are ACME.")),
    ]
    .map(|(name, prompt)| (name.to_owned(), prompt))
    .into();
    let with = TestApp::start(config.clone()).await;
    config.system_prompts.clear();
    let without = TestApp::start(config).await;
    let question =
        |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]});
    let mut counts = Vec::new();
    for app in [&with, &without] {
        let path = "/v1/messages/count_tokens";
        let answer = app.post(path, &question("guessed")).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        counts.push(answer["input_tokens"].as_u64().unwrap());
    }
    assert!(counts[0] >= counts[1] + 6, "{counts:?}");
    let path = "/v1/messages/count_tokens";
    let answer = with.post(path, &question("asked")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        sent(&upstream)["system"],
        "We are ACME.\\n\\nBe kind to everybody.".replace("\\n", "\n")
    );
}
