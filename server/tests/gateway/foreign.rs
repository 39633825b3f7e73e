//! The gateway on other gateways' files, asked as their clients ask.

use serde_json::{Value, json};
use server::config::{Choice, Config, Environment, load_from};

use crate::test_app::{TestApp, hello, streamed};
use crate::upstream::{ANSWER, Act, Upstream, json as answer, stream};

/// As a process with these variables reads it.
fn config(name: &str, text: &str, variables: &[(&str, &str)]) -> Config {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let environment = Environment::new(folder.path(), variables.iter().copied());
    match load_from(&Choice::Named(name.into()), &environment) {
        Ok(loaded) => loaded.config,
        Err(errors) => panic!("{errors}\n{text}"),
    }
}

async fn answering() -> Upstream {
    Upstream::start(vec![answer("200 OK", ANSWER)]).await
}

async fn failing() -> Upstream {
    let error = r#"{"error":{"message":"broken","type":"server_error"}}"#;
    Upstream::start(vec![answer("500 Internal Server Error", error)]).await
}

/// The request line and headers of the only request, in lower case, and its body.
fn only(upstream: &Upstream) -> (String, Value) {
    let received = upstream.received();
    let [request] = received.as_slice() else {
        panic!("{} requests", received.len())
    };
    let body = serde_json::from_slice(&request.body).unwrap();
    (request.head.to_lowercase(), body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ballerina_answers_with_the_providers_model_and_fails_over() {
    let (openai, mistral) = (failing().await, answering().await);
    let text = format!(
        "[openAIConfig]\napiKey = \"key-1\"\nmodel = \"gpt-4o\"\nendpoint = \"{}\"\n\
         [mistralConfig]\napiKey = \"key-2\"\nmodel = \"mistral-small-latest\"\nendpoint = \"{}\"\n",
        openai.url(""),
        mistral.url("")
    );
    let app = TestApp::start(config("Config.toml", &text, &[])).await;
    let request = app.chat(&hello("whatever")).bearer_auth("ignored");
    let response = request.header("x-llm-provider", "openai").send().await;
    let response = response.unwrap();
    assert_eq!(response.status(), 200);
    let tried = response.headers()["x-gateway-attempts"].to_str().unwrap();
    assert!(tried.starts_with("openai="), "{tried}");
    assert!(tried.ends_with("mistral=ok"), "{tried}");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "Hi");

    let (head, body) = only(&openai);
    assert!(head.starts_with("post /v1/chat/completions "), "{head}");
    assert!(head.contains("authorization: bearer key-1\r\n"), "{head}");
    assert_eq!(body["model"], "gpt-4o");
    let (head, body) = only(&mistral);
    assert!(head.starts_with("post /v1/chat/completions "), "{head}");
    assert!(head.contains("authorization: bearer key-2\r\n"), "{head}");
    assert_eq!(body["model"], "mistral-small-latest");

    let request = app.chat(&hello("whatever"));
    let response = request.header("x-llm-provider", "mistral").send().await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(mistral.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_takes_turns_and_leaves_out_what_is_disabled() {
    let (one, two, off) = (answering().await, answering().await, answering().await);
    let entry = |name: &str, upstream: &Upstream, enabled: bool| {
        format!(
            "      - {{name: {name}, api_base: '{}', api_key: 'key-of-{name}', enabled: {enabled}}}\n",
            upstream.url("/v1")
        )
    };
    let text = format!(
        "server: {{host: 127.0.0.1, port: 0, config_file: config.yaml}}\nmodels:\n  deepseek-r1:\n    model_name: \
         deepseek-r1\n    providers:\n{}{}{}",
        entry("one", &one, true),
        entry("two", &two, true),
        entry("off", &off, false)
    );
    let app = TestApp::start(config("config.yaml", &text, &[])).await;
    for _ in 0..4 {
        let response = app.chat(&hello("deepseek-r1")).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
    let body = json!({"messages": [{"role": "user", "content": "Hello"}]});
    let path = "/v1/models/deepseek-r1/chat/completions";
    assert_eq!(app.post(path, &body).send().await.unwrap().status(), 200);
    assert_eq!(one.received().len() + two.received().len(), 5);
    assert!(one.received().len().abs_diff(two.received().len()) == 1);
    assert!(off.received().is_empty());
    let head = one.received()[0].head.to_lowercase();
    assert!(
        head.contains("authorization: bearer key-of-one\r\n"),
        "{head}"
    );
    let unknown = app.chat(&hello("gpt-4o")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_router_renames_defaults_by_endpoint_and_asks_for_keys() {
    let (chat, embeddings) = (answering().await, {
        let vectors = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"bge","usage":{"prompt_tokens":1,"total_tokens":1}}"#;
        Upstream::start(vec![answer("200 OK", vectors)]).await
    });
    let text = format!(
        "title = \"router\"\n[daemon]\nlisten_ip = \"127.0.0.1\"\nlisten_port = 3000\napi_key = \"client-key\"\n\
         [backends.chat]\ntype = \"openai\"\nbase_url = \"{}\"\napi_key = \"${{UP_KEY}}\"\ndefault = true\n\
         [backends.embed]\ntype = \"openai\"\nbase_url = \"{}\"\napi_key = \"EMPTY\"\n\
         [models.chat_completions.mine]\nbackend_model = \"theirs\"\ndefault = true\n\
         [models.embeddings.vectors]\nbackend = \"embed\"\nbackend_model = \"bge\"\ndefault = true\n",
        chat.url("/v1"),
        embeddings.url("/v1")
    );
    let app = TestApp::start(config("config.toml", &text, &[("UP_KEY", "key-1")])).await;
    let refused = app
        .chat(&hello("mine"))
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "invalid_api_key");

    for name in ["mine", "gpt-4o"] {
        let request = app.chat(&hello(name)).bearer_auth("client-key");
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(body["model"], name, "the backend's name never leaks");
    }
    let request = json!({"model": "text-embedding-ada-002", "input": "Hello"});
    let request = app
        .post("/v1/embeddings", &request)
        .bearer_auth("client-key");
    assert_eq!(request.send().await.unwrap().status(), 200);

    let asked: Value = serde_json::from_slice(&chat.received()[1].body).unwrap();
    assert_eq!(asked["model"], "theirs");
    assert!(
        chat.received()[1]
            .head
            .to_lowercase()
            .contains("authorization: bearer key-1\r\n")
    );
    assert_eq!(only(&embeddings).1["model"], "bge");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_without_a_key_gets_the_clients() {
    let upstream = answering().await;
    let text = format!(
        "[daemon]\nlisten_ip = \"127.0.0.1\"\nlisten_port = 3000\n\
         [backends.up]\ntype = \"openai\"\nbase_url = \"{}\"\n[models.chat_completions.m]\nbackend = \"up\"\n",
        upstream.url("/v1")
    );
    let app = TestApp::start(config("config.toml", &text, &[])).await;
    let request = app.chat(&hello("m")).bearer_auth("the-clients-own");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let (head, _) = only(&upstream);
    assert!(
        head.contains("authorization: bearer the-clients-own\r\n"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_converters_paths_lead_to_their_upstreams() {
    let reply = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Salut"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}"#;
    let openai = Upstream::start(stream()).await;
    let claude = Upstream::start(vec![answer("200 OK", reply)]).await;
    let text = format!(
        "[server]\nhost = \"127.0.0.1\"\nport = 8080\n\
         [[upstreams]]\nname = \"openai\"\nurl = \"{}\"\nformat = \"openai-chat\"\napi_key = \"key-1\"\n\
         [[upstreams]]\nname = \"my claude\"\nurl = \"{}\"\nformat = \"anthropic\"\napi_key = \"in-the-file\"\n\
         [[routes]]\npath = \"/v1/chat/completions\"\ninput_format = \"openai-chat\"\nupstream = \"my claude\"\n\
         [[routes]]\npath = \"/claude/v1/messages\"\ninput_format = \"anthropic\"\nupstream = \"openai\"\n",
        openai.url("/v1/chat/completions"),
        claude.url("")
    )
    .replace("my claude", "claude");
    let key = ("GATEWAY_UPSTREAMS_CLAUDE_API_KEY", "from-outside");
    let app = TestApp::start(config("default.toml", &text, &[key])).await;
    let response = app.chat(&hello("claude-x")).send().await.unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "Salut");
    let (head, body) = only(&claude);
    assert!(head.starts_with("post /v1/messages "), "{head}");
    assert!(head.contains("x-api-key: from-outside\r\n"), "{head}");
    assert_eq!(body["model"], "claude-x", "as the client called it");

    let mut request = streamed(hello("gpt-4o"));
    request["max_tokens"] = json!(100);
    let response = app
        .post("/claude/v1/messages?beta=true", &request)
        .send()
        .await;
    let text = response.unwrap().text().await.unwrap();
    assert!(text.contains("event: message_stop"), "{text}");
    let (head, body) = only(&openai);
    assert!(head.starts_with("post /v1/chat/completions "), "{head}");
    assert_eq!(body["model"], "gpt-4o");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn litellms_deployments_are_targets_and_its_fallbacks_hold() {
    let (broken, working) = (failing().await, answering().await);
    let text = format!(
        "model_list:\n\
         - model_name: gpt-4o\n  litellm_params: {{model: openai/gpt-4o, api_base: '{}', api_key: os.environ/FIRST_KEY}}\n\
         - model_name: backup\n  litellm_params: {{model: hosted_vllm/llama, api_base: '{}', temperature: 0.5}}\n\
         router_settings:\n  fallbacks: [{{gpt-4o: [backup]}}]\n  num_retries: 0\n  model_group_alias: {{gpt-4: gpt-4o}}\n\
         general_settings:\n  master_key: sk-1234\n",
        broken.url("/v1"),
        working.url("/v1")
    );
    let app = TestApp::start(config("config.yaml", &text, &[("FIRST_KEY", "key-1")])).await;
    assert_eq!(
        app.chat(&hello("gpt-4o")).send().await.unwrap().status(),
        401
    );
    let request = app.chat(&hello("gpt-4")).bearer_auth("sk-1234");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["model"], "gpt-4");
    let (head, body) = only(&broken);
    assert!(head.contains("authorization: bearer key-1\r\n"), "{head}");
    assert_eq!(body["model"], "gpt-4o");
    let (head, body) = only(&working);
    assert!(!head.contains("authorization"), "{head}");
    assert_eq!(
        (&body["model"], &body["temperature"]),
        (&json!("llama"), &json!(0.5))
    );
}

/// The file in `examples/` as it is, but for the address of one of its upstreams.
async fn example(name: &str, address: &str, upstream: &str) -> TestApp {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/");
    let text = std::fs::read_to_string(format!("{path}{name}")).unwrap();
    assert!(text.contains(address), "{address} in {name}");
    let variables = [
        "ANTHROPIC_API_KEY",
        "AZURE_API_KEY",
        "DATABASE_URL",
        "DEEPSEEK_API_KEY",
        "GATEWAY_UPSTREAMS_CLAUDE_API_KEY",
        "LITELLM_MASTER_KEY",
        "OPENAI_API_KEY",
        "OPENROUTER_API_KEY",
        "TEAM_A_KEY",
        "TEAM_B_KEY",
    ];
    let values: Vec<String> = variables
        .iter()
        .map(|name| format!("value-of-{name}"))
        .collect();
    let variables: Vec<(&str, &str)> = variables
        .into_iter()
        .zip(values.iter().map(String::as_str))
        .collect();
    let mut config = config(name, &text.replace(address, upstream), &variables);
    // Only what clients ask for is to be seen, and nothing is asked of the world.
    for provider in &mut config.providers {
        provider.health.enabled = Some(false);
    }
    TestApp::start(config).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_are_served() {
    for (name, address, base, path, model, key, upstream_model) in [
        (
            "ballerina.toml",
            "https://api.openai.com",
            "",
            "/v1/chat/completions",
            "any",
            "",
            "gpt-4o",
        ),
        (
            "pool.yaml",
            "https://api.openai.com/v1",
            "/v1",
            "/v1/chat/completions",
            "gpt-4o",
            "",
            "gpt-4o",
        ),
        (
            "router.toml",
            "http://localhost:8000/v1",
            "/v1",
            "/v1/chat/completions",
            "an-unknown-one",
            "value-of-TEAM_B_KEY",
            "mistralai/Mistral-7B-Instruct-v0.2",
        ),
        (
            "converter.toml",
            "https://api.openai.com",
            "",
            "/v1/messages",
            "gpt-4o",
            "",
            "gpt-4o",
        ),
        (
            "litellm.yaml",
            "http://localhost:8000/v1",
            "/v1",
            "/v1/chat/completions",
            "local",
            "value-of-LITELLM_MASTER_KEY",
            "meta-llama/Llama-3.3-70B-Instruct",
        ),
    ] {
        let upstream = answering().await;
        let app = example(name, address, &upstream.url(base)).await;
        let mut body = hello(model);
        body["max_tokens"] = json!(100);
        let mut request = app.post(path, &body);
        if !key.is_empty() {
            request = request.bearer_auth(key);
        }
        if name == "ballerina.toml" {
            request = request.header("x-llm-provider", "openai");
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        let text = response.text().await.unwrap();
        assert!(text.contains("Hi"), "{name}: {text}");
        let (head, body) = only(&upstream);
        assert!(
            head.starts_with("post /v1/chat/completions "),
            "{name}: {head}"
        );
        assert_eq!(body["model"], upstream_model, "{name}");
    }
}

/// What answers nothing does not keep it from starting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn litellms_wildcard_takes_everything() {
    let upstream = Upstream::with(|_| vec![answer("200 OK", ANSWER), Act::Close]).await;
    let text = format!(
        "model_list:\n- model_name: '*'\n  litellm_params: {{model: 'openai/*', api_base: '{}', api_key: k}}\n",
        upstream.url("/v1")
    );
    let app = TestApp::start(config("config.yaml", &text, &[])).await;
    for name in ["gpt-4o", "openai/gpt-4.1"] {
        let response = app.chat(&hello(name)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
    }
    let models: Vec<Value> = upstream
        .received()
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["model"].clone())
        .collect();
    assert_eq!(models, ["gpt-4o", "gpt-4.1"]);
}
