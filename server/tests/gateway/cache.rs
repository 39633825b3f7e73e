//! Answers given again.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::Config;
use shared::policies::{
    Allowance, Budget, CacheOverride, CacheScope, CacheSelection, Guardrail, Period, Position,
    Project, Selector, SystemPrompt,
};
use sqlx::Row;

use crate::operator;
use crate::test_app::{TestApp, config_for, error, hello, key, model, provider, streamed};
use crate::upstream::{
    ANSWER, Act, STOP, Upstream, chunk, delta, json as reply, stream, stream_end, stream_head,
};

/// Each answer says how many there were before it.
async fn counting() -> Upstream {
    Upstream::with(|number| {
        let answer = ANSWER.replace("\"Hi\"", &format!("\"answer {number}\""));
        vec![reply("200 OK", &answer)]
    })
    .await
}

fn configured(upstream: &Upstream) -> Config {
    Config {
        models: vec![model("fast", &["up"]), model("slow", &["up"])],
        ..config_for(upstream)
    }
}

/// What the cache did, and which answer it was.
async fn told(request: RequestBuilder) -> (String, String) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let outcome = outcome(&response);
    let body: Value = response.json().await.unwrap();
    let text = body["choices"][0]["message"]["content"].as_str().unwrap();
    (outcome, text.to_owned())
}

fn outcome(response: &Response) -> String {
    let outcome = response.headers()["x-cache"].to_str().unwrap().to_owned();
    assert_eq!(outcome == "HIT", response.headers().contains_key("age"));
    outcome
}

fn hit(number: usize) -> (String, String) {
    ("HIT".to_owned(), format!("answer {number}"))
}

fn miss(number: usize) -> (String, String) {
    ("MISS".to_owned(), format!("answer {number}"))
}

fn bypass(number: usize) -> (String, String) {
    ("BYPASS".to_owned(), format!("answer {number}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_equal_request_is_a_hit() {
    let upstream = counting().await;
    let app = TestApp::caching(configured(&upstream)).await;
    let first = app.chat(&hello("fast")).send().await.unwrap();
    assert_eq!(outcome(&first), "MISS");
    let first = first.bytes().await.unwrap();
    let second = app.chat(&hello("fast")).send().await.unwrap();
    assert_eq!(outcome(&second), "HIT");
    assert_eq!(second.headers()["age"], "0");
    // To the byte, what the gateway does not know included.
    assert_eq!(second.bytes().await.unwrap(), first);
    // Another order, another spelling, another user.
    let body = r#"{ "user":"u", "metadata":{"a":"b"}, "messages":[{"content":"\u0048ello","role":"user"}],
        "stream":false, "model":"fast" }"#;
    assert_eq!(told(app.chat_bytes(body)).await, hit(0));
    assert_eq!(upstream.received().len(), 1);
    let records = app.records(3).await;
    let texts = |name: &str| -> Vec<String> { records.iter().map(|row| row.get(name)).collect() };
    assert_eq!(texts("cache"), ["miss", "hit", "hit"]);
    assert_eq!(texts("provider"), ["up"; 3]);
    assert_eq!(texts("upstream_model"), ["backend-model"; 3]);
    assert_eq!(texts("finish_reason"), ["stop"; 3]);
    for row in &records[1..] {
        assert_eq!(row.get::<Option<i64>, _>("output_tokens"), None);
        assert_eq!(row.get::<Option<i64>, _>("cost_nanos"), None);
        assert_eq!(row.get::<Option<i64>, _>("saved_tokens"), Some(18));
        assert_eq!(row.get::<String, _>("attempts"), "[]");
    }
    assert_eq!(records[0].get::<Option<i64>, _>("saved_tokens"), None);
    let policies = app.app().gateway.policies();
    let stats = policies.cache.kept().stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (2, 1, 1));
    assert_eq!(stats.saved_tokens, 36);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_changes_the_answer_is_another_request() {
    let upstream = counting().await;
    let app = TestApp::caching(configured(&upstream)).await;
    let ask = |change: &dyn Fn(&mut Value)| {
        let mut body = hello("fast");
        change(&mut body);
        app.chat(&body)
    };
    let changes: [&dyn Fn(&mut Value); 9] = [
        &|_| {},
        &|body| body["messages"][0]["content"] = json!("Hello!"),
        &|body| body["temperature"] = json!(0),
        &|body| body["temperature"] = json!(0.0),
        &|body| body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]),
        &|body| body["tools"] = json!([{"type": "function", "function": {"name": "g"}}]),
        &|body| body["response_format"] = json!({"type": "json_object"}),
        &|body| body["x-unknown"] = json!(1),
        &|body| body["model"] = json!("slow"),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(told(ask(change)).await, miss(number));
    }
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(told(ask(change)).await, hit(number));
    }
    let strict = app.chat(&hello("fast")).header("x-gateway-strict", "true");
    assert_eq!(told(strict).await, miss(9));
    let chosen = app.chat(&hello("fast")).header("x-llm-provider", "up");
    assert_eq!(told(chosen).await, miss(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_ever_gets_anothers_answer() {
    let upstream = counting().await;
    let mut config = configured(&upstream);
    config.keys = vec![
        key("a", "sk-a"),
        key("b", "sk-b"),
        key("c", "sk-c"),
        key("d", "sk-d"),
    ];
    for (place, project) in [(1, "p"), (2, "p"), (3, "q")] {
        config.keys[place].settings.project = Some(project.to_owned());
        let projects = &mut config.projects;
        projects.entry(project.to_owned()).or_default().enabled = true;
    }
    let scoped = |scope, models: &[&str]| CacheOverride {
        applies_to: Selector {
            models: models.iter().map(|&model| model.to_owned()).collect(),
            ..Selector::default()
        },
        scope: Some(scope),
        ..CacheOverride::default()
    };
    config.models.push(model("common", &["up"]));
    config.cache.overrides = vec![
        scoped(CacheScope::Project, &["slow"]),
        scoped(CacheScope::Shared, &["common"]),
    ];
    let app = TestApp::caching(config).await;
    let ask = |model: &str, key: &str| told(app.chat(&hello(model)).bearer_auth(key));
    for (number, key) in ["sk-a", "sk-b", "sk-c", "sk-d"].into_iter().enumerate() {
        assert_eq!(ask("fast", key).await, miss(number));
    }
    for (number, key) in ["sk-a", "sk-b", "sk-c", "sk-d"].into_iter().enumerate() {
        assert_eq!(ask("fast", key).await, hit(number));
    }
    assert_eq!(ask("slow", "sk-a").await, miss(4));
    assert_eq!(ask("slow", "sk-b").await, miss(5));
    assert_eq!(ask("slow", "sk-c").await, hit(5));
    assert_eq!(ask("slow", "sk-d").await, miss(6));
    assert_eq!(ask("common", "sk-a").await, miss(7));
    assert_eq!(ask("common", "sk-d").await, hit(7));
    let kept = app.app().gateway.policies().cache.kept().clone();
    let of = |selection: CacheSelection| -> Vec<(String, Option<String>, Option<String>)> {
        let entries = kept.entries(&selection, 10).into_iter();
        entries
            .map(|entry| (entry.model, entry.key, entry.project))
            .collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let by_key = CacheSelection {
        key: some("b"),
        ..CacheSelection::default()
    };
    assert_eq!(
        of(by_key.clone()),
        [("fast".to_owned(), some("b"), some("p"))]
    );
    let by_model = |name| CacheSelection {
        model: some(name),
        ..CacheSelection::default()
    };
    assert_eq!(of(by_model("common")), [("common".to_owned(), None, None)]);
    // Clearing: by key, by model, one, all.
    assert_eq!(kept.clear(&by_key), 1);
    assert_eq!(kept.clear(&by_model("slow")), 3);
    assert_eq!(ask("fast", "sk-b").await, miss(8));
    let id = kept.entries(&by_model("common"), 1).remove(0).id;
    let one = CacheSelection {
        id: Some(id),
        ..CacheSelection::default()
    };
    assert_eq!((kept.clear(&one), kept.clear(&one)), (1, 0));
    assert_eq!(kept.clear(&CacheSelection::default()), 4);
    assert_eq!(kept.stats().entries, 0);
}

/// Two providers, `up` before `other`, of which some keys may use the second one alone.
async fn limited(coalesce: bool) -> (TestApp, Upstream, Upstream) {
    let slow = move |number| match (coalesce, number) {
        (true, 0) => vec![Act::WaitForTest, reply("200 OK", ANSWER)],
        _ => vec![reply("200 OK", ANSWER)],
    };
    let up = Upstream::with(slow).await;
    let other = counting().await;
    let mut config = Config {
        providers: vec![provider("up", &up, true), provider("other", &other, false)],
        models: vec![model("fast", &["up", "other"])],
        keys: vec![
            key("all", "sk-all"),
            key("limited", "sk-limited"),
            key("of-limited", "sk-of-limited"),
        ],
        ..Config::default()
    };
    config.keys[1].settings.providers = vec!["other".to_owned()];
    config.keys[2].settings.project = Some("limited".to_owned());
    let project = Project {
        enabled: true,
        providers: vec!["other".to_owned()],
        ..Project::default()
    };
    config.projects = [("limited".to_owned(), project)].into();
    config.cache.scope = CacheScope::Shared;
    config.cache.coalesce = coalesce;
    (TestApp::caching(config).await, up, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_the_answer_of_a_provider_that_is_not_theirs() {
    let (app, up, other) = limited(false).await;
    let ask = |key: &str| told(app.chat(&hello("fast")).bearer_auth(key));
    let asked = || (up.received().len(), other.received().len());
    let hi = || ("HIT".to_owned(), "Hi".to_owned());
    assert_eq!(ask("sk-all").await.0, "MISS");
    assert_eq!(ask("sk-all").await, hi());
    assert_eq!(asked(), (1, 0));
    // By its project, and by itself. What they were answered is everybody's.
    assert_eq!(ask("sk-of-limited").await, miss(0));
    assert_eq!(asked(), (1, 1));
    assert_eq!(ask("sk-limited").await, hit(0));
    assert_eq!(ask("sk-all").await, hit(0));
    app.app()
        .gateway
        .policies()
        .cache
        .kept()
        .clear(&CacheSelection::default());
    assert_eq!(ask("sk-all").await.0, "MISS");
    assert_eq!(ask("sk-limited").await, miss(1));
    assert_eq!(asked(), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_limited_since_gets_nothing_of_before() {
    let up = Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await;
    let other = counting().await;
    let mut config = Config {
        providers: vec![provider("up", &up, true), provider("other", &other, false)],
        models: vec![model("fast", &["up", "other"])],
        keys: vec![key("one", "sk-one")],
        ..Config::default()
    };
    let app = TestApp::caching(config.clone()).await;
    let ask = || told(app.chat(&hello("fast")).bearer_auth("sk-one"));
    assert_eq!(ask().await.0, "MISS");
    config.keys[0].settings.providers = vec!["other".to_owned()];
    let gateway = &app.app().gateway;
    let policies = gateway.policies().rebuild(&config).unwrap();
    gateway.replace_policies(policies);
    assert_eq!(ask().await, miss(0));
    assert_eq!(up.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_anothers_answer_gets_it_only_if_it_is_theirs() {
    let (app, up, other) = limited(true).await;
    let ask = |key: &str| tokio::spawn(app.chat(&hello("fast")).bearer_auth(key).send());
    let first = ask("sk-all");
    up.until_received(1).await;
    let second = ask("sk-limited");
    tokio::time::sleep(Duration::from_millis(50)).await;
    up.go_on();
    let (first, second) = (
        first.await.unwrap().unwrap(),
        second.await.unwrap().unwrap(),
    );
    assert_eq!((&*outcome(&first), &*outcome(&second)), ("MISS", "MISS"));
    let second: Value = second.json().await.unwrap();
    assert_eq!(second["choices"][0]["message"]["content"], "answer 0");
    assert_eq!((up.received().len(), other.received().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_policy_never_hits_and_settings_keep_what_is_good() {
    let upstream = counting().await;
    let config = configured(&upstream);
    let app = TestApp::caching(config.clone()).await;
    let gateway = &app.app().gateway;
    let change = |change: &dyn Fn(&mut Config)| {
        let mut config = config.clone();
        change(&mut config);
        let policies = gateway.policies().rebuild(&config).unwrap();
        gateway.replace_policies(policies);
    };
    let ask = || told(app.chat(&hello("fast")));
    assert_eq!(ask().await, miss(0));
    let prompt = |text: &str, position| SystemPrompt {
        enabled: true,
        text: text.to_owned(),
        position,
        ..SystemPrompt::default()
    };
    let prompts = [
        prompt("Be kind.", Position::After),
        prompt("Be brief.", Position::After),
        prompt("Be kind.", Position::Before),
        prompt("{{model}}", Position::Replace),
    ];
    for (number, prompt) in prompts.iter().enumerate() {
        change(&|config| {
            let name = "default".to_owned();
            config.system_prompts = [(name, prompt.clone())].into();
        });
        assert_eq!(ask().await, miss(number + 1));
        assert_eq!(ask().await, hit(number + 1));
    }
    let rule: Guardrail = serde_json::from_value(json!({
        "check": {"kind": "phrases", "phrases": ["never said"]}, "action": {"kind": "flag"}
    }))
    .unwrap();
    change(&|config| config.guardrails = [("rule".to_owned(), rule.clone())].into());
    assert_eq!(ask().await, miss(5));
    change(&|config| config.models[0].targets[0].model = Some("other-model".to_owned()));
    assert_eq!(ask().await, miss(6));
    // Where one of several is switched off, the answer that another gave is not the one that there would be.
    let with_spare = |config: &mut Config, enabled| {
        let mut spare = provider("spare", &upstream, false);
        spare.health.enabled = Some(false);
        spare.enabled = enabled;
        config.providers.push(spare);
    };
    change(&|config| with_spare(config, true));
    assert_eq!(ask().await, miss(7));
    change(&|config| with_spare(config, false));
    assert_eq!(ask().await, miss(8));
    // What it was at first; other settings of the cache do no harm.
    change(&|config| {
        config.cache.ttl_seconds = 600;
        config.cache.max_bytes = 1 << 20;
        config.cache.coalesce = true;
    });
    assert_eq!(ask().await, hit(0));
    change(&|config| config.cache.enabled = false);
    assert_eq!(ask().await, bypass(9));
    change(&|_| {});
    assert_eq!(ask().await, hit(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_can_say_what_it_wants() {
    let upstream = counting().await;
    let app = TestApp::caching(configured(&upstream)).await;
    let ask = |control: &str| app.chat(&hello("fast")).header("cache-control", control);
    let refused = ask("only-if-cached").send().await.unwrap();
    assert_eq!(refused.status(), 504);
    assert_eq!(error(refused).await["code"], "not_cached");
    assert_eq!(told(ask("no-store")).await, bypass(0));
    assert_eq!(told(ask("max-age=10")).await, miss(1));
    assert_eq!(told(ask("no-store")).await, bypass(2));
    assert_eq!(told(ask("max-age=10, only-if-cached")).await, hit(1));
    assert_eq!(told(ask("no-cache")).await, bypass(3));
    assert_eq!(told(ask("")).await, hit(3));
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(told(ask("max-age=0")).await, miss(4));
    assert_eq!(told(ask("")).await, hit(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_whole_replies_stand_for_each_other() {
    let upstream = Upstream::with(|number| match number {
        0 => stream(),
        _ => vec![reply("200 OK", &ANSWER.replace("Hi", "Ho"))],
    })
    .await;
    let app = TestApp::caching(configured(&upstream)).await;
    let text = async |request: RequestBuilder| {
        let response = request.send().await.unwrap();
        (outcome(&response), response.text().await.unwrap())
    };
    let (first, original) = text(app.chat(&streamed(hello("fast")))).await;
    assert_eq!(first, "MISS");
    assert!(original.ends_with("data: [DONE]\n\n"), "{original}");
    let (second, replayed) = text(app.chat(&streamed(hello("fast")))).await;
    assert_eq!(second, "HIT");
    for part in [
        "\"content\":\"Hi\"",
        "\"finish_reason\":\"stop\"",
        "chatcmpl-1",
        "[DONE]",
    ] {
        assert!(replayed.contains(part), "{part} in {replayed}");
    }
    assert_eq!(
        told(app.chat(&hello("fast"))).await,
        ("HIT".to_owned(), "Hi".to_owned())
    );
    // The other way round.
    assert_eq!(
        told(app.chat(&hello("slow"))).await,
        ("MISS".to_owned(), "Ho".to_owned())
    );
    let (third, replayed) = text(app.chat(&streamed(hello("slow")))).await;
    assert_eq!(third, "HIT");
    assert!(replayed.contains("\"content\":\"Ho\""), "{replayed}");
    let records = app.records(5).await;
    for row in &records {
        let hit = row.get::<String, _>("cache") == "hit";
        assert_eq!(row.get::<Option<i64>, _>("output_tokens").is_none(), hit);
        assert_eq!(row.get::<Option<i64>, _>("saved_tokens").is_some(), hit);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialects_get_each_others_answers() {
    let upstream = counting().await;
    let app = TestApp::caching(configured(&upstream)).await;
    let chat = json!({"model": "fast", "max_tokens": 9, "messages": [
        {"role": "system", "content": "Rhyme."}, {"role": "user", "content": "Hello"},
    ]});
    let message = json!({"model": "fast", "max_tokens": 9, "system": "Rhyme.", "metadata": {"user_id": "u"},
        "messages": [{"role": "user", "content": "Hello"}]});
    let contents = json!({"systemInstruction": {"parts": [{"text": "Rhyme."}]}, "generationConfig": {"maxOutputTokens": 9},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
    let response = json!({"model": "fast", "max_output_tokens": 9, "instructions": "Rhyme.", "input": "Hello",
        "store": false});
    // Nobody looks for other dialects' answers before there are clients of two.
    for path in ["/v1/messages", "/v1/chat/completions"] {
        let other = app.post(path, &json!({"model": "fast", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}));
        assert_eq!(other.send().await.unwrap().status(), 200);
    }
    let calls = upstream.received().len();
    let first = app.chat(&chat).send().await.unwrap();
    assert_eq!(outcome(&first), "MISS");
    let said = format!("answer {calls}");
    for (path, body, at) in [
        ("/v1/messages", &message, "/content/0/text"),
        (
            "/v1beta/models/fast:generateContent",
            &contents,
            "/candidates/0/content/parts/0/text",
        ),
        ("/v1/responses", &response, "/output/0/content/0/text"),
        ("/v1/chat/completions", &chat, "/choices/0/message/content"),
    ] {
        let whole = app.post(path, body).send().await.unwrap();
        assert_eq!(outcome(&whole), "HIT", "{path}");
        let whole: Value = whole.json().await.unwrap();
        assert_eq!(whole.pointer(at), Some(&json!(said)), "{whole}");
        let (path, body) = match path.strip_suffix(":generateContent") {
            Some(path) => (
                format!("{path}:streamGenerateContent?alt=sse"),
                body.clone(),
            ),
            None => (path.to_owned(), streamed(body.clone())),
        };
        let stream = app.post(&path, &body).send().await.unwrap();
        assert_eq!(outcome(&stream), "HIT", "{path}");
        assert!(stream.text().await.unwrap().contains(&said), "{path}");
    }
    assert_eq!(upstream.received().len(), calls + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_complete_is_not_kept() {
    let filtered = ANSWER.replace("\"stop\"", "\"content_filter\"");
    let unfinished = ANSWER.replace("\"stop\"", "null");
    let scripts: Vec<Vec<Act>> = vec![
        vec![reply("400 Bad Request", r#"{"error":{"message":"no"}}"#)],
        vec![reply("200 OK", &filtered)],
        vec![reply("200 OK", &unfinished)],
        // Cut, without an end, and left.
        vec![stream_head(), chunk(&delta("Hi")), Act::Close],
        vec![stream_head(), chunk(&delta("Hi")), stream_end()],
        vec![stream_head(), chunk(&delta("Hi")), Act::WaitForClose],
        vec![reply("200 OK", ANSWER)],
    ];
    let last = scripts.len() - 1;
    let upstream = Upstream::with(move |number| scripts[number.min(last)].clone()).await;
    let app = TestApp::caching(configured(&upstream)).await;
    for number in 0..3 {
        let response = app.chat(&hello("fast")).send().await.unwrap();
        assert_eq!(response.status().is_success(), number > 0);
        let _ = response.bytes().await;
    }
    for _ in 3..5 {
        let response = app.chat(&streamed(hello("fast"))).send().await.unwrap();
        assert_eq!(outcome(&response), "MISS");
        let _ = response.bytes().await;
    }
    let mut left = app.chat(&streamed(hello("fast"))).send().await.unwrap();
    left.chunk().await.unwrap();
    drop(left);
    upstream.closed().await;
    app.records(6).await;
    assert_eq!(app.app().gateway.policies().cache.kept().stats().entries, 0);
    let response = app.chat(&hello("fast")).send().await.unwrap();
    assert_eq!(outcome(&response), "MISS");
    assert_eq!(upstream.received().len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_an_answer_is_not_given_again() {
    let upstream = counting().await;
    let app = TestApp::caching(configured(&upstream)).await;
    let mut stored = hello("fast");
    stored["store"] = json!(true);
    assert_eq!(told(app.chat(&stored)).await, bypass(0));
    assert_eq!(told(app.chat(&stored)).await, bypass(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_can_outlive_a_restart() {
    let upstream = Upstream::with(|number| match number {
        0 => stream(),
        _ => vec![reply("200 OK", &ANSWER.replace("Hi", "Ho"))],
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
    let ask = async |app: &App, body: &Value| {
        let url = format!("http://{}/v1/chat/completions", app.client_address);
        let request = client.post(url).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        (outcome(&response), response.text().await.unwrap())
    };
    let app = App::start(&config).await.unwrap();
    assert_eq!(ask(&app, &streamed(hello("fast"))).await.0, "MISS");
    let (_, whole) = ask(&app, &hello("slow")).await;
    app.stop().await;
    let app = App::start(&config).await.unwrap();
    assert_eq!(app.gateway.policies().cache.kept().stats().entries, 2);
    let (cached, text) = ask(&app, &hello("fast")).await;
    assert_eq!(cached, "HIT");
    assert!(text.contains("\"Hi\""), "{text}");
    // To the byte.
    assert_eq!(ask(&app, &hello("slow")).await, ("HIT".to_owned(), whole));
    app.gateway.policies().cache.kept().clear(&CacheSelection {
        model: Some("fast".to_owned()),
        ..CacheSelection::default()
    });
    app.stop().await;
    let app = App::start(&config).await.unwrap();
    assert_eq!(app.gateway.policies().cache.kept().stats().entries, 1);
    app.stop().await;
    // Nothing is left where it is not wanted any more.
    config.cache.persistent = false;
    App::start(&config).await.unwrap().stop().await;
    config.cache.persistent = true;
    let app = App::start(&config).await.unwrap();
    assert_eq!(app.gateway.policies().cache.kept().stats().entries, 0);
    app.stop().await;
}

/// Two requests, of which the second has come before the first has its answer.
async fn together(app: &TestApp, upstream: &Upstream, body: &Value) -> (Response, Response) {
    let first = tokio::spawn(app.chat(body).send());
    upstream.until_received(1).await;
    let second = tokio::spawn(app.chat(body).send());
    tokio::time::sleep(Duration::from_millis(50)).await;
    upstream.go_on();
    (
        first.await.unwrap().unwrap(),
        second.await.unwrap().unwrap(),
    )
}

fn coalescing(upstream: &Upstream) -> Config {
    let mut config = configured(upstream);
    config.cache.coalesce = true;
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_requests_at_the_same_time_are_one_call() {
    let slow = [
        vec![stream_head(), chunk(&delta("Hi")), Act::WaitForTest],
        stream()[2..].to_vec(),
    ];
    let upstream = Upstream::start(slow.concat()).await;
    let app = TestApp::caching(coalescing(&upstream)).await;
    let (first, second) = together(&app, &upstream, &streamed(hello("fast"))).await;
    assert_eq!((&*outcome(&first), &*outcome(&second)), ("MISS", "HIT"));
    for response in [first, second] {
        let text = response.text().await.unwrap();
        assert!(
            text.contains("Hi") && text.ends_with("data: [DONE]\n\n"),
            "{text}"
        );
    }
    assert_eq!(upstream.received().len(), 1);
    let policies = app.app().gateway.policies();
    assert_eq!(policies.cache.kept().stats().coalesced, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_each_ones_own() {
    let upstream = Upstream::with(|number| match number {
        0 => vec![
            Act::WaitForTest,
            reply("400 Bad Request", r#"{"error":{"message":"no"}}"#),
        ],
        _ => vec![reply("200 OK", ANSWER)],
    })
    .await;
    let app = TestApp::caching(coalescing(&upstream)).await;
    let (first, second) = together(&app, &upstream, &hello("fast")).await;
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (400, 200)
    );
    assert_eq!(outcome(&second), "MISS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_takes_nobodys_answer_along() {
    let upstream = Upstream::with(|number| match number {
        0 => vec![stream_head(), chunk(&delta("Hi")), Act::WaitForClose],
        _ => [
            vec![stream_head(), chunk(&delta("Ho")), chunk(STOP)],
            stream()[3..].to_vec(),
        ]
        .concat(),
    })
    .await;
    let app = TestApp::caching(coalescing(&upstream)).await;
    let body = streamed(hello("fast"));
    let mut first = app.chat(&body).send().await.unwrap();
    first.chunk().await.unwrap();
    let others: Vec<_> = (0..3)
        .map(|_| tokio::spawn(app.chat(&body).send()))
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(first);
    for other in others {
        let text = other.await.unwrap().unwrap().text().await.unwrap();
        assert!(
            text.contains("Ho") && text.ends_with("data: [DONE]\n\n"),
            "{text}"
        );
    }
    // One of them asked for all.
    assert_eq!(upstream.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_in_vain_has_half_of_the_time_left_to_ask() {
    let upstream = Upstream::with(|number| match number {
        0 => vec![Act::WaitForTest, reply("200 OK", ANSWER)],
        _ => vec![reply("200 OK", &ANSWER.replace("Hi", "Ho"))],
    })
    .await;
    let mut config = coalescing(&upstream);
    config.server.timeouts.total = Duration::from_secs(4);
    let app = TestApp::caching(config).await;
    let first = tokio::spawn(app.chat(&hello("fast")).send());
    upstream.until_received(1).await;
    let begun = std::time::Instant::now();
    let (second, text) = told(app.chat(&hello("fast"))).await;
    assert_eq!((&*second, &*text), ("MISS", "Ho"));
    assert!(begun.elapsed() >= Duration::from_millis(1900));
    assert!(!first.is_finished());
    upstream.go_on();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_one_dialect_can_say_counts_in_it() {
    let upstream = counting().await;
    let app = TestApp::caching(configured(&upstream)).await;
    // There are clients of two.
    let message =
        json!({"model": "slow", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]});
    let other = app.post("/v1/messages", &message).send().await.unwrap();
    assert_eq!(other.status(), 200);
    let asked = |prefix: Option<bool>| {
        let mut body = hello("fast");
        let mut begun = json!({"role": "assistant", "content": "It is"});
        if let Some(prefix) = prefix {
            begun["prefix"] = json!(prefix);
        }
        body["messages"].as_array_mut().unwrap().push(begun);
        app.chat(&body)
    };
    assert_eq!(told(asked(None)).await, miss(1));
    assert_eq!(told(asked(Some(true))).await, miss(2));
    assert_eq!(told(asked(Some(true))).await, hit(2));
    assert_eq!(told(asked(None)).await, hit(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gets_a_name_gets_none_of_the_answers_of_who_had_it() {
    let upstream = counting().await;
    let mut config = configured(&upstream);
    config.admin.token = operator::config("up").admin.token;
    let app = TestApp::caching(config).await;
    let made = async || {
        let named = json!({"name": "tenant"});
        let made = operator::send(&app, Method::POST, "/api/v1/keys", &named).await;
        let made: Value = made.json().await.unwrap();
        made["secret"].as_str().unwrap().to_owned()
    };
    let first = made().await;
    assert_eq!(
        told(app.chat(&hello("fast")).bearer_auth(&first)).await,
        miss(0)
    );
    assert_eq!(
        told(app.chat(&hello("fast")).bearer_auth(&first)).await,
        hit(0)
    );
    let gone = operator::request(&app, Method::DELETE, "/api/v1/keys/tenant");
    assert_eq!(gone.send().await.unwrap().status(), 204);
    let second = made().await;
    assert_eq!(
        told(app.chat(&hello("fast")).bearer_auth(&second)).await,
        miss(1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_after_its_key_is_gone_is_nobodys() {
    let upstream = Upstream::with(|number| {
        let answer = ANSWER.replace("\"Hi\"", &format!("\"answer {number}\""));
        let answer = reply("200 OK", &answer);
        match number {
            0 => vec![Act::WaitForTest, answer],
            _ => vec![answer],
        }
    })
    .await;
    let mut config = configured(&upstream);
    config.admin.token = operator::config("up").admin.token;
    let app = TestApp::caching(config).await;
    let made = async || {
        let named = json!({"name": "tenant"});
        let made = operator::send(&app, Method::POST, "/api/v1/keys", &named).await;
        let made: Value = made.json().await.unwrap();
        made["secret"].as_str().unwrap().to_owned()
    };
    let ask = |secret: &str| app.chat(&hello("fast")).bearer_auth(secret);
    let first = made().await;
    let under_way = tokio::spawn(ask(&first).send());
    upstream.until_received(1).await;
    let gone = operator::request(&app, Method::DELETE, "/api/v1/keys/tenant");
    assert_eq!(gone.send().await.unwrap().status(), 204);
    let second = made().await;
    upstream.go_on();
    let answer = under_way.await.unwrap().unwrap().text().await.unwrap();
    assert!(answer.contains("answer 0"), "{answer}");
    assert_eq!(told(ask(&second)).await, miss(1));
    assert_eq!(told(ask(&second)).await, hit(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_a_budget_may_have_cut_is_for_those_it_cuts() {
    let upstream = counting().await;
    let mut config = configured(&upstream);
    config.keys = vec![key("a", "sk-a"), key("b", "sk-b"), key("c", "sk-c")];
    config.cache.scope = CacheScope::Shared;
    let budget = Budget {
        enabled: true,
        applies_to: Selector {
            keys: vec!["b".to_owned(), "c".to_owned()],
            ..Selector::default()
        },
        allowance: Allowance {
            tokens: Some(1_000_000),
            period: Period::Total,
            ..Allowance::default()
        },
        ..Budget::default()
    };
    config.budgets = [("team".to_owned(), budget)].into();
    let app = TestApp::caching(config).await;
    let ask = |key: &str| told(app.chat(&hello("fast")).bearer_auth(key));
    assert_eq!(ask("sk-b").await, miss(0));
    assert_eq!(ask("sk-a").await, miss(1));
    assert_eq!(ask("sk-c").await, hit(0));
    assert_eq!(ask("sk-a").await, hit(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_is_gone_after_a_crash() {
    let upstream = counting().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = configured(&upstream);
    config.admin.token = operator::config("up").admin.token;
    config.cache.persistent = true;
    config.database.url = format!("sqlite:{}", folder.path().join("gateway.db").display());
    let app = TestApp::caching(config).await;
    assert_eq!(told(app.chat(&hello("fast"))).await, miss(0));
    let store = app.app().store.clone();
    let kept = async || store.answers(0).await.unwrap().len();
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while kept().await == 0 {
        assert!(std::time::Instant::now() < until, "it was not written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let clear = operator::request(&app, Method::DELETE, "/api/v1/cache/entries");
    let cleared: Value = clear.send().await.unwrap().json().await.unwrap();
    assert_eq!(cleared, json!({"deleted": 1}));
    assert_eq!(kept().await, 0);
}
