//! The endpoints beside chat whose bodies are JSON.

use serde_json::{Value, json};
use server::config::{Config, Dollars, PriceOverride, UnitPriceOverride};
use sqlx::Row;

use crate::test_app::{
    TestApp, config_for, error, key, model, provider, provider_of_kind, simulated,
};
use crate::upstream::{Act, Upstream, chunk, json as reply, response, stream_end};
use llm::pricing::Unit;
use llm::simulated::Fault;

const VECTORS: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-1.5]}],"model":"backend-model","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
const RANKED: &str = r#"{"id":"r","results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}],"model":"backend-model","usage":{"total_tokens":12}}"#;
const JUDGED: &str = r#"{"id":"modr-1","model":"backend-model","results":[{"flagged":false,"categories":{},"category_scores":{"x":1.50}}]}"#;

async fn before(script: Vec<Act>) -> (TestApp, Upstream) {
    let upstream = Upstream::start(script).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    let price = |nanos_per_million| server::config::Price { nanos_per_million };
    config.prices = vec![PriceOverride {
        provider: None,
        model: "backend-model".to_owned(),
        input: price(1_000_000_000),
        cached_input: None,
        cache_write: None,
        output: price(2_000_000_000),
    }];
    (TestApp::start(config).await, upstream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embeddings_are_answered_recorded_and_priced() {
    let (app, upstream) = before(vec![reply("200 OK", VECTORS)]).await;
    let request = json!({"model": "fast", "input": "Hello"});
    let answer = app.post("/v1/embeddings", &request).send().await.unwrap();
    assert!(answer.headers().contains_key("x-request-id"));
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["model"], "fast");
    assert_eq!(answer["data"][0]["embedding"], json!([0.25, -1.5]));
    let received = upstream.received().remove(0);
    assert!(received.head.starts_with("POST /v1/embeddings "));
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("endpoint"), "/v1/embeddings");
    assert_eq!(record.get::<String, _>("requested_model"), "fast");
    assert_eq!(record.get::<i64, _>("input_tokens"), 8);
    assert_eq!(record.get::<i64, _>("cost_nanos"), 8_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embeddings_fail_over() {
    let broken = Upstream::start(vec![reply("500 Internal Server Error", "{}")]).await;
    let good = Upstream::start(vec![reply("200 OK", VECTORS)]).await;
    let app = TestApp::start(Config {
        providers: vec![provider("a", &broken, true), provider("b", &good, false)],
        models: vec![model("fast", &["a", "b"])],
        ..Config::default()
    })
    .await;
    let request = json!({"model": "fast", "input": ["Hello"]});
    let answer = app.post("/v1/embeddings", &request).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("provider"), "b");
    let attempts: Value = serde_json::from_str(record.get("attempts")).unwrap();
    assert_eq!(attempts.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_price_by_the_unit_counts() {
    let pictures = r#"{"created":1,"data":[{"url":"http://127.0.0.1/1.png"},{"url":"http://127.0.0.1/2.png"}]}"#;
    let upstream = Upstream::start(vec![reply("200 OK", pictures)]).await;
    let mut config = config_for(&upstream);
    config.models = vec![model("fast", &["up"])];
    let price = |provider: Option<&str>, nanos| UnitPriceOverride {
        provider: provider.map(str::to_owned),
        model: "backend-model".to_owned(),
        unit: Unit::Image,
        each: Dollars { nanos },
    };
    // The provider's own comes before that of all.
    config.unit_prices = vec![price(Some("up"), 40_000_000), price(None, 1)];
    let app = TestApp::start(config).await;
    let request = json!({"model": "fast", "prompt": "two cats", "n": 2});
    let answer = app.post("/v1/images/generations", &request).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("cost_nanos"), 80_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_ranked() {
    let (app, upstream) = before(vec![reply("200 OK", RANKED)]).await;
    for path in ["/v1/rerank", "/v2/rerank"] {
        let request = json!({"model": "fast", "query": "q", "documents": ["a", "b"]});
        let answer = app.post(path, &request).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["results"][0]["index"], 1, "{path}: {answer}");
    }
    assert_eq!(upstream.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moderations_name_the_clients_model() {
    let (app, _upstream) = before(vec![reply("200 OK", JUDGED)]).await;
    let request = json!({"model": "fast", "input": "Hello"});
    let answer = app.post("/v1/moderations", &request).send().await.unwrap();
    let text = answer.text().await.unwrap();
    assert_eq!(text, JUDGED.replace("backend-model", "fast"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speech_is_passed_on_as_it_comes() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\nset-cookie: a=b\r\ntransfer-encoding: chunked\r\n\r\n";
    let (app, upstream) = before(vec![
        Act::Send(head.into()),
        chunk("ID3one"),
        Act::WaitForTest,
        chunk("two"),
        stream_end(),
    ])
    .await;
    let request = json!({"model": "fast", "input": "Hello", "voice": "alloy", "speed": 1.10});
    let mut answer = app.post("/v1/audio/speech", &request).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "audio/mpeg");
    assert!(!answer.headers().contains_key("set-cookie"));
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "ID3one");
    upstream.go_on();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "two");
    assert_eq!(answer.chunk().await.unwrap(), None);
    let sent = String::from_utf8(upstream.received().remove(0).body).unwrap();
    assert_eq!(
        sent,
        request.to_string().replace("\"fast\"", "\"backend-model\"")
    );
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("bytes_out"), 9);
    assert_eq!(record.get::<String, _>("outcome"), "finished");
    assert!(record.get::<i64, _>("first_token_us") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_charged_by_their_usage() {
    let image = "A".repeat(300_000);
    let body = format!(
        r#"{{"created":1,"data":[{{"b64_json":"{image}"}}],"usage":{{"input_tokens":10,"output_tokens":1000,"total_tokens":1010}}}}"#
    );
    let (app, _upstream) = before(vec![Act::Send(response("200 OK", "", &body))]).await;
    let request = json!({"model": "fast", "prompt": "a cat"});
    let answer = app.post("/v1/images/generations", &request);
    assert_eq!(answer.send().await.unwrap().text().await.unwrap(), body);
    let record = app.record().await;
    assert_eq!(record.get::<i64, _>("output_tokens"), 1000);
    assert_eq!(record.get::<i64, _>("cost_nanos"), 2_010_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_breaks_is_seen_to_break() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n";
    let (app, upstream) = before(vec![
        Act::Send(head.into()),
        chunk("ID3"),
        Act::WaitForTest,
        Act::Close,
    ])
    .await;
    let request = json!({"model": "fast", "input": "Hello", "voice": "alloy"});
    let mut answer = app.post("/v1/audio/speech", &request).send().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "ID3");
    upstream.go_on();
    assert!(answer.bytes().await.is_err());
    let record = app.record().await;
    assert_eq!(record.get::<String, _>("outcome"), "failed");
    assert_eq!(record.get::<String, _>("error_source"), "provider");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_cannot_do_is_said() {
    let app = TestApp::start(Config {
        providers: vec![simulated("chats-only", Fault::None)],
        models: vec![model("fast", &["chats-only"])],
        ..Config::default()
    })
    .await;
    for (path, request, what) in [
        (
            "/v1/embeddings",
            json!({"model": "fast", "input": "x"}),
            "embeddings",
        ),
        (
            "/v1/rerank",
            json!({"model": "fast", "query": "q", "documents": ["a"]}),
            "reranking",
        ),
        (
            "/v1/moderations",
            json!({"model": "fast", "input": "x"}),
            "moderations",
        ),
        (
            "/v1/images/generations",
            json!({"model": "fast", "prompt": "x"}),
            "images.generations",
        ),
    ] {
        let response = app.post(path, &request).send().await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        let error = error(response).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`chats-only`"), "{message}");
        assert!(message.contains(what), "{message}");
        assert_eq!(error["code"], "unsupported_endpoint");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_need_a_key_too() {
    let upstream = Upstream::start(Vec::new()).await;
    let mut config = config_for(&upstream);
    config.keys = vec![key("team-a", "sk-team-a-secret-key")];
    let app = TestApp::start(config).await;
    for path in [
        "/v1/embeddings",
        "/v1/rerank",
        "/v2/rerank",
        "/v1/moderations",
        "/v1/images/generations",
        "/v1/images/edits",
        "/v1/images/variations",
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
    ] {
        let response = app.post(path, &json!({"model": "m"})).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        assert_eq!(error(response).await["code"], "invalid_api_key");
    }
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_counted_by_whom_can_and_estimated_else() {
    let upstream = Upstream::start(vec![reply("200 OK", r#"{"input_tokens":42}"#)]).await;
    let app = TestApp::start(Config {
        providers: vec![
            provider_of_kind("anthropic", "counts", &upstream, false),
            simulated("guesses", Fault::None),
        ],
        models: vec![
            model("counted", &["counts"]),
            model("guessed", &["guesses"]),
        ],
        ..Config::default()
    })
    .await;
    let request = |model: &str| {
        let content = "The quick brown fox jumps over the lazy dog.";
        json!({"model": model, "messages": [{"role": "user", "content": content}]})
    };
    let path = "/v1/messages/count_tokens";
    let counted = app.post(path, &request("counted")).send().await.unwrap();
    assert!(!counted.headers().contains_key("x-gateway-emulated"));
    assert_eq!(
        counted.json::<Value>().await.unwrap(),
        json!({"input_tokens": 42})
    );
    let head = upstream.received().remove(0).head;
    assert!(
        head.starts_with("POST /v1/messages/count_tokens "),
        "{head}"
    );

    let guessed = app.post(path, &request("guessed")).send().await.unwrap();
    assert_eq!(guessed.headers()["x-gateway-emulated"], "count_tokens");
    let tokens = guessed.json::<Value>().await.unwrap()["input_tokens"].clone();
    assert!((9..25).contains(&tokens.as_u64().unwrap()), "{tokens}");
}

/// As Gemini's clients ask for them: <https://ai.google.dev/api/tokens>, <https://ai.google.dev/api/embeddings>
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contents_are_counted_and_embedded() {
    let own = Upstream::start(vec![reply("200 OK", r#"{"totalTokens":31}"#)]).await;
    let other = Upstream::start(vec![reply("200 OK", VECTORS), reply("200 OK", VECTORS)]).await;
    let app = TestApp::start(Config {
        providers: vec![
            provider_of_kind("gemini", "counts", &own, false),
            provider("embeds", &other, false),
            simulated("guesses", Fault::None),
        ],
        models: vec![
            model("counted", &["counts"]),
            model("guessed", &["guesses"]),
            model("embedded", &["embeds"]),
        ],
        ..Config::default()
    })
    .await;
    let content = json!({"parts": [{"text": "The quick brown fox jumps over the lazy dog."}]});
    let posted = async |path: &str, body: Value| app.post(path, &body).send().await.unwrap();

    let contents = json!({"contents": [content]});
    let counted = posted("/v1beta/models/counted:countTokens", contents.clone()).await;
    assert!(!counted.headers().contains_key("x-gateway-emulated"));
    assert_eq!(
        counted.json::<Value>().await.unwrap(),
        json!({"totalTokens": 31})
    );
    let head = own.received().remove(0).head;
    assert!(
        head.starts_with("POST /v1/models/backend-model:countTokens "),
        "{head}"
    );
    let guessed = posted("/v1/models/guessed:countTokens", contents).await;
    assert_eq!(guessed.headers()["x-gateway-emulated"], "count_tokens");
    let tokens = guessed.json::<Value>().await.unwrap()["totalTokens"].clone();
    assert!((9..25).contains(&tokens.as_u64().unwrap()), "{tokens}");

    let one = json!({"content": content});
    let answer = posted("/v1beta/models/embedded:embedContent", one.clone()).await;
    let expected =
        json!({"embedding": {"values": [0.25, -1.5]}, "usageMetadata": {"promptTokenCount": 8}});
    assert_eq!(answer.json::<Value>().await.unwrap(), expected);
    let several = json!({"requests": [one]});
    let answer = posted("/v1beta/models/embedded:batchEmbedContents", several).await;
    let expected =
        json!({"embeddings": [{"values": [0.25, -1.5]}], "usageMetadata": {"promptTokenCount": 8}});
    assert_eq!(answer.json::<Value>().await.unwrap(), expected);

    let refused = posted("/v1beta/models/embedded:embedContent", json!({})).await;
    assert_eq!(refused.status(), 400);
    let error = refused.json::<Value>().await.unwrap()["error"].clone();
    assert_eq!(error["status"], "INVALID_ARGUMENT", "{error}");
}
