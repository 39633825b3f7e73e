//! Answers given again by endpoints beside chat.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Dollars, Price, PriceOverride, UnitPriceOverride};
use sqlx::Row;

use crate::test_app::{TestApp, config_for, key, model, provider_of_kind};
use crate::upstream::{Act, Upstream, json as reply};
use llm::pricing::Unit;

/// Each answer says how many there were before it.
async fn counting(answer: fn(usize) -> String) -> Upstream {
    Upstream::with(move |number| vec![reply("200 OK", &answer(number))]).await
}

fn vectors(number: usize) -> String {
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[{number}.5,-1.50]}}],"model":"backend-model","usage":{{"prompt_tokens":8,"total_tokens":8}},"beyond":1}}"#
    )
}

fn ranking(number: usize) -> String {
    format!(
        r#"{{"id":"r{number}","results":[{{"index":1,"relevance_score":0.90}},{{"index":0,"relevance_score":0.1}}],"model":"backend-model","meta":{{"billed_units":{{"search_units":1}}}}}}"#
    )
}

fn configured(upstream: &Upstream) -> Config {
    let price = |nanos_per_million| Price { nanos_per_million };
    Config {
        models: vec![model("fast", &["up"]), model("slow", &["up"])],
        prices: vec![PriceOverride {
            provider: None,
            model: "backend-model".to_owned(),
            input: price(1_000_000_000),
            cached_input: None,
            cache_write: None,
            output: price(2_000_000_000),
        }],
        unit_prices: vec![UnitPriceOverride {
            provider: None,
            model: "backend-model".to_owned(),
            unit: Unit::Search,
            each: Dollars { nanos: 2_000_000 },
        }],
        ..config_for(upstream)
    }
}

fn outcome(response: &Response) -> String {
    assert_eq!(response.status(), 200);
    let outcome = response.headers()["x-cache"].to_str().unwrap().to_owned();
    assert_eq!(outcome == "HIT", response.headers().contains_key("age"));
    outcome
}

/// What the cache did, and the answer.
async fn told(request: RequestBuilder) -> (String, String) {
    let response = request.send().await.unwrap();
    (outcome(&response), response.text().await.unwrap())
}

async fn outcome_of(request: RequestBuilder) -> String {
    told(request).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_are_given_again() {
    let upstream = counting(vectors).await;
    let app = TestApp::caching(configured(&upstream)).await;
    let embed = |body: &Value| app.post("/v1/embeddings", body);
    let question = json!({"model": "fast", "input": "Hello"});
    let (cached, first) = told(embed(&question)).await;
    assert_eq!(cached, "MISS");
    assert_eq!(first, vectors(0).replace("backend-model", "fast"));
    // To the byte, what the gateway does not know included, whoever the client says that it is.
    let again = json!({"user": "u", "input": "Hello", "model": "fast"});
    assert_eq!(told(embed(&again)).await, ("HIT".to_owned(), first));
    for (member, value) in [
        ("input", json!("Hello!")),
        ("input", json!(["Hello"])),
        ("model", json!("slow")),
        ("dimensions", json!(2)),
        ("encoding_format", json!("base64")),
        ("input_type", json!("search_query")),
    ] {
        let mut other = question.clone();
        other[member] = value;
        assert_eq!(outcome_of(embed(&other)).await, "MISS", "{other}");
        assert_eq!(outcome_of(embed(&other)).await, "HIT", "{other}");
    }
    assert_eq!(upstream.received().len(), 7);
    let records = app.records(14).await;
    let (miss, hit) = (&records[0], &records[1]);
    assert_eq!(miss.get::<String, _>("cache"), "miss");
    assert_eq!(miss.get::<i64, _>("cost_nanos"), 8_000);
    assert_eq!(hit.get::<String, _>("cache"), "hit");
    assert_eq!(hit.get::<String, _>("provider"), "up");
    assert_eq!(hit.get::<Option<i64>, _>("input_tokens"), None);
    assert_eq!(hit.get::<Option<i64>, _>("cost_nanos").unwrap_or(0), 0);
    assert_eq!(hit.get::<i64, _>("saved_tokens"), 8);
    assert_eq!(hit.get::<i64, _>("saved_nanos"), 8_000);
    let stats = app.app().gateway.policies().cache.kept().stats();
    assert_eq!((stats.entries, stats.hits, stats.misses), (7, 7, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_geminis_gets_vectors_again_too() {
    let upstream = counting(vectors).await;
    let app = TestApp::caching(configured(&upstream)).await;
    let path = "/v1beta/models/fast:embedContent";
    let question = json!({"content": {"parts": [{"text": "Hello"}]}});
    let first = told(app.post(path, &question)).await;
    assert_eq!(first.0, "MISS");
    let again = told(app.post(path, &question)).await;
    assert_eq!(again, ("HIT".to_owned(), first.1));
    assert!(again.1.contains("0.5"), "{}", again.1);
    let batch = json!({"requests": [question]});
    let path = "/v1beta/models/fast:batchEmbedContents";
    assert_eq!(outcome_of(app.post(path, &batch)).await, "MISS");
    let openai = json!({"model": "fast", "input": "Hello"});
    assert_eq!(
        outcome_of(app.post("/v1/embeddings", &openai)).await,
        "MISS"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_client_said_of_itself_is_not_told() {
    let upstream = Upstream::with(|number| {
        // The first is no vector.
        let vector = ["", "0.5"][number.min(1)];
        let answer = format!(r#"{{"embeddings":[[{vector}]],"prompt_eval_count":8}}"#);
        vec![reply("200 OK", &answer)]
    })
    .await;
    let config = Config {
        providers: vec![provider_of_kind("ollama", "up", &upstream, true)],
        ..configured(&upstream)
    };
    let app = TestApp::caching(config).await;
    let question = json!({"model": "fast", "input": "Hello", "user": "u", "input_type": "search"});
    let embed = || app.post("/v1/embeddings", &question);
    assert_eq!(outcome_of(embed()).await, "MISS");
    for (cached, dropped) in [("MISS", "user, input_type"), ("HIT", "input_type")] {
        let answer = embed().send().await.unwrap();
        assert_eq!(outcome(&answer), cached);
        assert_eq!(answer.headers()["x-gateway-dropped"], dropped);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rankings_are_given_again() {
    let upstream = counting(ranking).await;
    let app = TestApp::caching(configured(&upstream)).await;
    let question = json!({"model": "fast", "query": "q", "documents": ["a", "b"]});
    for path in ["/v1/rerank", "/v2/rerank"] {
        let first = told(app.post(path, &question)).await;
        assert_eq!(first.0, "MISS", "{path}");
        let again = told(app.post(path, &question)).await;
        assert_eq!(again, ("HIT".to_owned(), first.1), "{path}");
        for (member, value) in [
            ("query", json!("other")),
            ("documents", json!(["b", "a"])),
            ("top_n", json!(1)),
        ] {
            let mut other = question.clone();
            other[member] = value;
            assert_eq!(outcome_of(app.post(path, &other)).await, "MISS", "{other}");
        }
    }
    let records = app.records(10).await;
    assert_eq!(records[0].get::<i64, _>("cost_nanos"), 2_000_000);
    assert_eq!(records[1].get::<i64, _>("saved_nanos"), 2_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_and_operators_say_what_they_want() {
    let upstream = counting(vectors).await;
    let mut config = configured(&upstream);
    config.keys = vec![key("one", "sk-one"), key("two", "sk-two")];
    let app = TestApp::caching(config).await;
    let question = json!({"model": "fast", "input": "Hello"});
    let embed = |key: &str| app.post("/v1/embeddings", &question).bearer_auth(key);
    assert_eq!(outcome_of(embed("sk-one")).await, "MISS");
    // Nobody gets another's.
    assert_eq!(outcome_of(embed("sk-two")).await, "MISS");
    assert_eq!(outcome_of(embed("sk-two")).await, "HIT");
    for (wish, outcome) in [("no-cache", "BYPASS"), ("no-store", "BYPASS")] {
        let request = embed("sk-one").header("cache-control", wish);
        assert_eq!(outcome_of(request).await, outcome, "{wish}");
    }
    // What `no-cache` was answered has taken the place of the first.
    let (cached, text) = told(embed("sk-one")).await;
    assert_eq!((&*cached, text.contains("2.5")), ("HIT", true), "{text}");
    let other = json!({"model": "fast", "input": "What?"});
    let request = app.post("/v1/embeddings", &other).bearer_auth("sk-one");
    let request = request.header("cache-control", "only-if-cached");
    assert_eq!(request.send().await.unwrap().status(), 504);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_not_kept() {
    let upstream = Upstream::with(|number| match number {
        0 => vec![reply("400 Bad Request", r#"{"error":{"message":"no"}}"#)],
        // It is asked once more.
        1 => vec![reply("200 OK", r#"{"error":{"message":"no"}}"#)],
        _ => vec![reply("200 OK", &vectors(number))],
    })
    .await;
    let app = TestApp::caching(configured(&upstream)).await;
    let question = json!({"model": "fast", "input": "Hello"});
    let embed = || app.post("/v1/embeddings", &question);
    assert_eq!(embed().send().await.unwrap().status(), 400);
    let first = told(embed()).await;
    assert_eq!((&*first.0, first.1.contains("2.5")), ("MISS", true));
    assert_eq!(told(embed()).await, ("HIT".to_owned(), first.1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_requests_at_the_same_time_are_one_call() {
    let answer = vec![Act::WaitForTest, reply("200 OK", &vectors(0))];
    let upstream = Upstream::start(answer).await;
    let mut config = configured(&upstream);
    config.cache.coalesce = true;
    let app = TestApp::caching(config).await;
    let question = json!({"model": "fast", "input": "Hello"});
    let first = tokio::spawn(app.post("/v1/embeddings", &question).send());
    upstream.until_received(1).await;
    let second = tokio::spawn(app.post("/v1/embeddings", &question).send());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    upstream.go_on();
    let (first, second) = (
        first.await.unwrap().unwrap(),
        second.await.unwrap().unwrap(),
    );
    assert_eq!((&*outcome(&first), &*outcome(&second)), ("MISS", "HIT"));
    assert_eq!(first.text().await.unwrap(), second.text().await.unwrap());
    assert_eq!(upstream.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_can_outlive_a_restart() {
    let upstream = Upstream::with(|number| {
        let answer = if number == 2 { ranking } else { vectors };
        vec![reply("200 OK", &answer(number))]
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gateway.db");
    let mut config = configured(&upstream);
    config.server.port = 0;
    config.admin.port = 0;
    config.providers[0].health.enabled = Some(false);
    config.database.url = format!("sqlite:{}", database.display());
    config.cache.persistent = true;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let questions = [
        ("/v1/embeddings", json!({"model": "fast", "input": "Hello"})),
        // Written otherwise by the gateway than by the upstream.
        (
            "/v1/embeddings",
            json!({"model": "fast", "input": "Hello", "encoding_format": "base64"}),
        ),
        (
            "/v1/rerank",
            json!({"model": "fast", "query": "q", "documents": ["a", "b"]}),
        ),
    ];
    let ask = async |app: &App| {
        let mut answers = Vec::new();
        for (path, body) in &questions {
            let url = format!("http://{}{path}", app.client_address);
            let request = client.post(url).header("content-type", "application/json");
            answers.push(told(request.body(body.to_string())).await);
        }
        answers
    };
    let app = App::start(&config).await.unwrap();
    let before = ask(&app).await;
    app.stop().await;
    let app = App::start(&config).await.unwrap();
    let after = ask(&app).await;
    app.stop().await;
    for ((before, first), (after, again)) in before.iter().zip(&after) {
        assert_eq!((&**before, &**after), ("MISS", "HIT"));
        assert_eq!(first, again);
    }
    assert_eq!(upstream.received().len(), 3);
}
