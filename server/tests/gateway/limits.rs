//! Rate limits, as clients meet them: exact, at every endpoint, and told in every answer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use llm::simulated::Fault;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::config::{Config, Secret};
use shared::policies::{
    Algorithm, Edit, LimitState, Per, Policy, PolicyKind, Project, Rate, RateLimit, Selector,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::test_app::{SOON, TestApp, config_for, error, hello, key, model, simulated, streamed};
use crate::upstream::{
    ANSWER, Act, Upstream, chunk, delta, json as reply, response, stream, stream_head,
};

fn rate(requests: u64) -> Rate {
    Rate {
        requests: Some(requests),
        window_seconds: 3_600,
        ..Rate::default()
    }
}

fn token_rate(tokens: u64) -> Rate {
    Rate {
        tokens: Some(tokens),
        window_seconds: 3_600,
        ..Rate::default()
    }
}

fn limit(per: Per, rate: Rate) -> RateLimit {
    RateLimit {
        enabled: true,
        per,
        rate,
        ..RateLimit::default()
    }
}

fn with(config: Config, limits: impl IntoIterator<Item = (&'static str, RateLimit)>) -> Config {
    let limits = limits.into_iter();
    Config {
        limits: limits
            .map(|(name, limit)| (name.to_owned(), limit))
            .collect(),
        ..config
    }
}

/// Limit, remaining and reset, which are told under two names each.
fn told(headers: &HeaderMap) -> Option<(u64, u64, u64)> {
    let number = |name: &str| {
        let value = headers.get(name)?.to_str().unwrap();
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
        Some(value.parse::<u64>().expect("a plain number"))
    };
    let names = ["limit", "remaining", "reset"];
    let new = names.map(|name| number(&format!("ratelimit-{name}")));
    let old = names.map(|name| number(&format!("x-ratelimit-{name}")));
    assert_eq!(new, old);
    match new {
        [Some(limit), Some(remaining), Some(reset)] => Some((limit, remaining, reset)),
        [None, None, None] => None,
        other => panic!("{other:?}"),
    }
}

fn remaining(response: &Response) -> u64 {
    told(response.headers()).expect("headers").1
}

fn states(app: &TestApp) -> Vec<LimitState> {
    app.app().gateway.policies().limits.states(100)
}

/// An upstream that answers whatever it is asked.
async fn answering() -> Upstream {
    Upstream::start(vec![reply("200 OK", ANSWER)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_so_many_pass_of_those_that_come_at_the_same_time() {
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::TokenBucket,
    ] {
        let upstream = answering().await;
        let rate = Rate {
            algorithm,
            window_seconds: 86_400 * 30,
            ..rate(20)
        };
        let limits = [("default", limit(Per::Address, rate))];
        let app = TestApp::start(with(config_for(&upstream), limits)).await;
        let requests = (0..60).map(|_| app.chat(&hello("m")).send());
        let responses = join_all(requests).await.into_iter();
        let (mut passed, mut left) = (0, Vec::new());
        for response in responses.map(Result::unwrap) {
            match response.status().as_u16() {
                200 => {
                    passed += 1;
                    left.push(remaining(&response));
                }
                429 => {
                    assert_eq!(remaining(&response), 0);
                    assert!(response.headers().contains_key("retry-after"));
                }
                other => panic!("{other}"),
            }
        }
        assert_eq!(passed, 20, "{algorithm:?}");
        assert_eq!(upstream.received().len(), 20);
        let state = &states(&app)[0];
        assert_eq!((state.requests_used, state.refused), (20, 40));
        assert_eq!(state.subject.as_deref(), Some("127.0.0.1"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refusal_says_which_limit_it_was_in_each_dialect() {
    let upstream = answering().await;
    let limits = [("tiny", limit(Per::All, rate(1)))];
    let app = TestApp::start(with(config_for(&upstream), limits)).await;
    let first = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(told(first.headers()), Some((1, 0, 3_600)));

    let refused = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let (limit, remaining, reset) = told(refused.headers()).unwrap();
    assert_eq!((limit, remaining), (1, 0));
    let retry: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(retry.abs_diff(reset) <= 1 && retry <= 3_600 && retry > 3_500);
    assert_eq!(refused.headers()["x-should-retry"], "false");
    let error = error(refused).await;
    assert_eq!(error["code"], "rate_limit_exceeded");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("`tiny`") && message.contains("1 request in 1 h"),
        "{message}"
    );

    let hello = json!([{"role": "user", "content": "Hello"}]);
    for (path, body, found) in [
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 5, "messages": hello}),
            json!({"type": "error", "error": {"type": "rate_limit_error"}}),
        ),
        (
            "/v1/responses",
            json!({"model": "m", "input": "Hello"}),
            json!({"error": {"code": "rate_limit_exceeded"}}),
        ),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": [{"parts": [{"text": "Hello"}]}]}),
            json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}),
        ),
    ] {
        let response = app.post(path, &body).send().await.unwrap();
        assert_eq!(response.status(), 429, "{path}");
        assert_eq!(told(response.headers()).unwrap().1, 0, "{path}");
        let body: Value = response.json().await.unwrap();
        contains(&body, &found);
        assert!(
            body["error"]["message"]
                .as_str()
                .unwrap()
                .contains("`tiny`")
        );
    }
    let records = app.records(5).await;
    for record in &records[1..] {
        let source: String = sqlx::Row::get(record, "error_source");
        assert_eq!(source, "policy");
    }
    assert_eq!(upstream.received().len(), 1);
}

/// `whole` has what `part` has.
fn contains(whole: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            for (name, part) in members {
                contains(&whole[name], part);
            }
        }
        part => assert_eq!(whole, part),
    }
}

/// Every endpoint is a request, none is a way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_counts_and_is_refused() {
    let hello = json!([{"role": "user", "content": "Hello"}]);
    let contents = json!([{"parts": [{"text": "Hello"}]}]);
    let chat = json!({"model": "m", "messages": hello, "max_tokens": 5});
    let mut endpoints = vec![
        ("/v1/chat/completions", chat.clone()),
        ("/v1/completions", json!({"model": "m", "prompt": "Hello"})),
        ("/v1/responses", json!({"model": "m", "input": "Hello"})),
        ("/v1/messages", chat.clone()),
        ("/v1/messages/count_tokens", chat.clone()),
        ("/v1/models/m/chat/completions", chat.clone()),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": contents}),
        ),
        (
            "/v1beta/models/m:streamGenerateContent",
            json!({"contents": contents}),
        ),
        (
            "/v1beta/models/m:countTokens",
            json!({"contents": contents}),
        ),
        (
            "/v1beta/models/m:embedContent",
            json!({"content": contents[0]}),
        ),
        ("/v1/embeddings", json!({"model": "m", "input": "Hello"})),
        (
            "/v1/rerank",
            json!({"model": "m", "query": "q", "documents": ["d"]}),
        ),
        (
            "/v2/rerank",
            json!({"model": "m", "query": "q", "documents": ["d"]}),
        ),
        ("/v1/m/some/endpoint", json!({"any": "thing"})),
    ];
    for path in llm::carried::OPERATIONS {
        let path: &'static str = format!("/v1{}", path.path).leak();
        endpoints.push((path, json!({"model": "m", "prompt": "x", "input": "x"})));
    }
    let upstream = answering().await;
    let allowed = endpoints.len() as u64;
    // Of the address by the head, of the model when that is known: both see all of them.
    let mut of_model = limit(Per::All, rate(10_000));
    of_model.applies_to.models = vec!["m".to_owned()];
    let limits = [
        ("address", limit(Per::Address, rate(allowed))),
        ("model", of_model),
    ];
    let mut config = with(config_for(&upstream), limits);
    config.models = vec![crate::test_app::model("m", &["up"])];
    let app = TestApp::start(config).await;
    for (place, (path, body)) in endpoints.iter().enumerate() {
        let response = app.post(path, body).send().await.unwrap();
        assert_ne!(response.status(), 429, "{path}");
        let left = allowed - place as u64 - 1;
        assert_eq!(remaining(&response), left, "{path}");
    }
    // Forms are refused before they are read, so they count in the first of the two only.
    let counted = |name: &str| {
        let states = states(&app);
        let state = states.iter().find(|state| state.limit == name);
        state.map_or(0, |state| state.requests_used)
    };
    assert_eq!(counted("address"), allowed);
    let forms = llm::carried::OPERATIONS
        .iter()
        .filter(|operation| operation.bodies == llm::carried::Bodies::Multipart);
    assert_eq!(counted("model"), allowed - forms.count() as u64);
    for (path, body) in &endpoints {
        let response = app.post(path, body).send().await.unwrap();
        assert_eq!(response.status(), 429, "{path}");
        assert_eq!(remaining(&response), 0, "{path}");
    }
    for path in ["/v1/models", "/v1/models/m", "/v1beta/models"] {
        let response = app.client.get(app.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 429, "{path}");
        assert_eq!(remaining(&response), 0, "{path}");
    }
    assert_eq!(counted("address"), allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_the_state_and_only_requests_count() {
    let upstream = Upstream::with(|number| match number {
        0 => stream(),
        1 => vec![reply("400 Bad Request", "{}")],
        2 => vec![Act::Send(response(
            "200 OK",
            "ratelimit-limit: 7\r\nx-ratelimit-remaining: 3\r\nx-ratelimit-limit-requests: 9\r\n",
            "{}",
        ))],
        _ => vec![reply("200 OK", ANSWER)],
    })
    .await;
    let mut config = with(config_for(&upstream), [("all", limit(Per::All, rate(50)))]);
    config.keys = vec![key("team-a", "sk-team-a-0123456789")];
    config.models = vec![crate::test_app::model("m", &["up"])];
    let app = TestApp::start(config).await;
    let mut left = 50;
    let key = "sk-team-a-0123456789";

    // Counted.
    let requests = [
        (app.chat(&streamed(hello("m"))), 200),
        (app.chat(&hello("m")), 400),
        (app.post("/v1/m/any/thing", &json!({})), 200),
        (app.chat(&hello("m")), 200),
        (app.chat_bytes("no JSON"), 400),
        (app.client.get(app.url("/v1/models")), 200),
        (app.client.get(app.url("/v1/models/m")), 200),
    ];
    for (request, status) in requests {
        let response = request.bearer_auth(key).send().await.unwrap();
        left -= 1;
        assert_eq!(response.status(), status);
        assert_eq!(told(response.headers()).unwrap(), (50, left, 3_600));
        if left == 47 {
            // Of its own kind it says what it likes.
            assert_eq!(response.headers()["x-ratelimit-limit-requests"], "9");
        }
        response.bytes().await.unwrap();
    }

    // Not counted.
    let wrong = app.chat(&hello("m")).bearer_auth("sk-wrong-key-1234");
    let get = |path: &str| app.client.get(app.url(path)).bearer_auth(key);
    let requests = [
        (wrong, 401),
        (app.chat(&hello("m")), 401),
        (app.client.get(app.url("/v1/models")), 401),
        (get("/nowhere"), 404),
        (get("/v1/nothing/here"), 404),
        (get("/v1/chat/completions"), 405),
        (get("/"), 200),
        (get("/health"), 200),
        (get("/health_check"), 200),
        (get("/ready"), 200),
        (
            app.client
                .request(Method::DELETE, app.url("/v1/messages"))
                .bearer_auth(key),
            405,
        ),
    ];
    for (request, status) in requests {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{}", response.url());
        assert_eq!(
            told(response.headers()).unwrap().1,
            left,
            "{}",
            response.url()
        );
    }

    // Not even HTTP.
    let mut socket = TcpStream::connect(app.app().client_address).await.unwrap();
    socket.write_all(b"what is this\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let line = format!("\r\nratelimit-remaining: {left}\r\n");
    assert!(answer.contains(&line), "{answer}");
    assert!(answer.contains("\r\nx-ratelimit-limit: 50\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_limits_nothing_is_told() {
    let upstream = Upstream::start(vec![Act::Send(response(
        "200 OK",
        "ratelimit-limit: 7\r\n",
        "{}",
    ))])
    .await;
    let mut config = config_for(&upstream);
    config.models = vec![crate::test_app::model("m", &["up"])];
    let app = TestApp::start(config).await;
    let health = app.client.get(app.url("/health")).send().await.unwrap();
    assert_eq!(told(health.headers()), None);
    // What an upstream says goes through as it came.
    let passed = app
        .post("/v1/m/any/thing", &json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(passed.headers()["ratelimit-limit"], "7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_address_is_of_no_use() {
    let upstream = answering().await;
    let limits = || [("default", limit(Per::Address, rate(2)))];
    let app = TestApp::start(with(config_for(&upstream), limits())).await;
    let mut statuses = Vec::new();
    for client in [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
        "127.0.0.1, 192.0.2.4",
    ] {
        let request = app.chat(&hello("m")).header("x-forwarded-for", client);
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 429]);

    // Behind a proxy that is trusted: the last address that is not a proxy's.
    let mut config = with(config_for(&upstream), limits());
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let app = TestApp::start(config).await;
    let mut statuses = Vec::new();
    for client in [
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.2",
        // Forged by 192.0.2.1, whose own proxy adds where it comes from.
        "192.0.2.9, 192.0.2.1",
        "192.0.2.9, 192.0.2.1, 127.0.0.3",
    ] {
        let request = app.chat(&hello("m")).header("x-forwarded-for", client);
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 200, 429, 429]);
    let clients: Vec<_> = states(&app)
        .into_iter()
        .map(|state| (state.subject.unwrap(), state.requests_used))
        .collect();
    assert_eq!(
        clients,
        [("192.0.2.1".to_owned(), 2), ("192.0.2.2".to_owned(), 1)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_of_addresses_networks_and_everybody() {
    let upstream = answering().await;
    let of = |addresses: &[&str], requests| {
        let mut limit = limit(Per::Address, rate(requests));
        limit.applies_to.addresses = addresses.iter().map(|&a| a.to_owned()).collect();
        limit
    };
    let mut config = with(
        config_for(&upstream),
        [
            ("one", of(&["192.0.2.1"], 1)),
            ("net", of(&["10.0.0.0/8"], 2)),
            ("everybody", of(&["*.*.*.*"], 3)),
        ],
    );
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let app = TestApp::start(config).await;
    for (client, allowed) in [
        ("192.0.2.1", 1),
        ("10.1.2.3", 2),
        ("10.9.9.9", 2),
        ("192.0.2.2", 3),
    ] {
        for number in 0..=allowed {
            let request = app.chat(&hello("m")).header("x-forwarded-for", client);
            let response = request.send().await.unwrap();
            let status = if number < allowed { 200 } else { 429 };
            assert_eq!(response.status(), status, "{client} {number}");
            assert_eq!(told(response.headers()).unwrap().0, allowed, "{client}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_projects_have_their_own_rates() {
    let upstream = answering().await;
    let mut config = config_for(&upstream);
    let (mut a, mut b) = (
        key("a", "sk-a-0123456789abc"),
        key("b", "sk-b-0123456789abc"),
    );
    a.settings.rates = vec![rate(2)];
    for key in [&mut a, &mut b] {
        key.settings.project = Some("web".to_owned());
    }
    config.keys = vec![a, b];
    let project = Project {
        enabled: true,
        rates: vec![rate(3)],
        ..Project::default()
    };
    config.projects = BTreeMap::from([("web".to_owned(), project)]);
    let app = TestApp::start(config).await;
    let mut told_of = Vec::new();
    for key in ["a", "a", "a", "b", "b"] {
        let request = app.chat(&hello("m"));
        let request = request.bearer_auth(format!("sk-{key}-0123456789abc"));
        let response = request.send().await.unwrap();
        let told = told(response.headers()).unwrap();
        told_of.push((response.status().as_u16(), told.0, told.1));
    }
    assert_eq!(
        told_of,
        [
            (200, 2, 1),
            (200, 2, 0),
            (429, 2, 0),
            (200, 3, 0),
            (429, 3, 0)
        ]
    );
    let who: Vec<String> = states(&app).into_iter().map(|state| state.limit).collect();
    assert_eq!(who, ["key a", "project web"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_counted_as_the_upstream_counts_them() {
    for streamed in [false, true] {
        let script = match streamed {
            false => vec![reply("200 OK", ANSWER)],
            true => stream(),
        };
        let upstream = Upstream::start(script).await;
        let limits = [("tokens", limit(Per::All, token_rate(50)))];
        let app = TestApp::start(with(config_for(&upstream), limits)).await;
        let request = match streamed {
            false => hello("m"),
            true => self::streamed(hello("m")),
        };
        let estimate = request.to_string().len().div_ceil(4) as u64;
        assert!((15..=25).contains(&estimate), "{estimate}");
        // 18 each, and before the second one there is room.
        for used in [18, 36] {
            let response = app.chat(&request).send().await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(
                told(response.headers()).unwrap().1,
                50 - (used - 18) - estimate
            );
            response.bytes().await.unwrap();
            assert_eq!(states(&app)[0].tokens_used, used);
        }
        let refused = app.chat(&request).send().await.unwrap();
        assert_eq!(refused.status(), 429);
        assert_eq!(told(refused.headers()).map(|told| told.1), Some(14));
        let message = error(refused).await["message"].to_string();
        assert!(message.contains("50 tokens"), "{message}");
        assert_eq!(states(&app)[0].tokens_used, 36);
        // Who asks for no answer is not held up: lists of models.
        let list = app.client.get(app.url("/v1/models")).send().await.unwrap();
        assert_eq!(list.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_settled_however_a_request_ends() {
    // Failed: nothing was used.
    let upstream = Upstream::start(vec![reply("400 Bad Request", "{}")]).await;
    let limits = || [("tokens", limit(Per::All, token_rate(1_000)))];
    let app = TestApp::start(with(config_for(&upstream), limits())).await;
    let refused = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    refused.bytes().await.unwrap();
    let state = &states(&app)[0];
    assert_eq!((state.requests_used, state.tokens_used), (1, 0));

    // Counted: nobody says anything.
    let upstream = Upstream::start(vec![reply("200 OK", r#"{"input_tokens":7}"#)]).await;
    let app = TestApp::start(with(config_for(&upstream), limits())).await;
    let counted = app.post("/v1/messages/count_tokens", &hello("m"));
    let counted = counted.send().await.unwrap();
    assert_eq!(counted.status(), 200);
    counted.bytes().await.unwrap();
    let state = &states(&app)[0];
    assert_eq!((state.requests_used, state.tokens_used), (1, 0));

    // The client hangs up in the middle of a stream: what had come by then.
    let script = vec![
        stream_head(),
        chunk(&delta(&"word ".repeat(400))),
        Act::WaitForClose,
    ];
    let upstream = Upstream::start(script).await;
    let app = TestApp::start(with(config_for(&upstream), limits())).await;
    let request = streamed(hello("m"));
    let mut response = app.chat(&request).send().await.unwrap();
    response.chunk().await.unwrap();
    drop(response);
    upstream.closed().await;
    let until = Instant::now() + SOON;
    let estimate = request.to_string().len().div_ceil(4) as u64 + 500;
    while states(&app)[0].tokens_used != estimate {
        assert!(Instant::now() < until, "{:?}", states(&app));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_head_decides_is_decided_before_the_body_comes() {
    let upstream = answering().await;
    let limits = [("all", limit(Per::All, rate(1)))];
    let app = TestApp::start(with(config_for(&upstream), limits)).await;
    app.chat(&hello("m")).send().await.unwrap();
    app.expect_record();
    let mut socket = TcpStream::connect(app.app().client_address).await.unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = socket.read_exact(&mut answer);
    tokio::time::timeout(SOON, read)
        .await
        .expect("an answer without a body")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstreams_limit_is_not_ours() {
    const TOKEN: &str = "the-token-of-these-tests";
    let theirs =
        r#"{"error":{"message":"slow down","type":"t","param":null,"code":"rate_limit_exceeded"}}"#;
    let upstream = Upstream::start(vec![Act::Send(response(
        "429 Too Many Requests",
        "retry-after: 3600\r\n",
        theirs,
    ))])
    .await;
    let mut config = with(config_for(&upstream), [("all", limit(Per::Key, rate(1)))]);
    config.keys = vec![key("team-a", "sk-team-a-0123456789")];
    config.admin.token = Some(Secret::new(TOKEN));
    let app = TestApp::start(config).await;
    let mut messages = Vec::new();
    for _ in 0..2 {
        let request = app.chat(&hello("m")).bearer_auth("sk-team-a-0123456789");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 429);
        let asked = response.headers().contains_key("x-gateway-attempts");
        messages.push((asked, error(response).await["message"].to_string()));
    }
    assert!(messages[0].0 && messages[0].1.contains("slow down"));
    assert!(!messages[1].0 && messages[1].1.contains("`all`"));
    app.records(2).await;
    let metrics = app.client.get(app.admin_url("/metrics")).bearer_auth(TOKEN);
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let ours = "rate_limit_exceeded_total{key_name=\"team-a\"} 1\n";
    assert!(metrics.contains(ours), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_acts_on_the_next_request_and_forgets_nothing() {
    let upstream = answering().await;
    let limits = [("default", limit(Per::Address, rate(2)))];
    let app = TestApp::start(with(config_for(&upstream), limits)).await;
    let status = || async {
        let response = app.chat(&hello("m")).send().await.unwrap();
        (
            response.status().as_u16(),
            told(response.headers()).map(|told| told.1),
        )
    };
    assert_eq!(status().await, (200, Some(1)));
    assert_eq!(status().await, (200, Some(0)));
    assert_eq!(status().await, (429, Some(0)));
    let in_force = &app.app().in_force;
    let edit = Edit {
        by: "tests".to_owned(),
        ..Edit::default()
    };
    let more = Policy::Limit(limit(Per::Address, rate(3)));
    in_force.put("default", more, &edit).await.unwrap();
    assert_eq!(status().await, (200, Some(0)));
    assert_eq!(status().await, (429, Some(0)));
    // A policy that has nothing to do with it.
    let other = Policy::Limit(limit(Per::Key, rate(100)));
    in_force.put("other", other, &edit).await.unwrap();
    assert_eq!(status().await, (429, Some(0)));
    // While it is disabled nothing counts, and nothing is forgotten.
    for enabled in [false, true] {
        let limit = RateLimit {
            enabled,
            ..limit(Per::Address, rate(3))
        };
        let limit = Policy::Limit(limit);
        in_force.put("default", limit, &edit).await.unwrap();
        let expected = if enabled { 429 } else { 200 };
        assert_eq!(status().await.0, expected);
    }
    let kind = PolicyKind::Limit;
    for name in ["default", "other"] {
        in_force.delete(kind, name, &edit).await.unwrap();
    }
    assert_eq!(status().await, (200, None));
    let nonsense = Policy::Limit(limit(Per::All, Rate::default()));
    let error = in_force.put("x", nonsense, &edit).await.unwrap_err();
    let error = format!("{error:?}");
    assert!(
        error.contains("rate.requests") && error.contains("rate.window_seconds"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_name_for_a_model_is_no_way_round() {
    let mut fast = model("fast", &["a"]);
    fast.aliases = vec!["quick".to_owned()];
    let mut own = simulated("b", Fault::None);
    own.model = Some("own".to_owned());
    let config = Config {
        providers: vec![simulated("a", Fault::None), own],
        models: vec![fast],
        ..Config::default()
    };
    let about = |models: &[&str]| RateLimit {
        applies_to: Selector {
            models: models.iter().map(|&name| name.to_owned()).collect(),
            ..Selector::default()
        },
        ..limit(Per::Model, rate(1))
    };
    let limits = [("fast", about(&["fast"])), ("own", about(&["own"]))];
    let app = TestApp::start(with(config, limits)).await;
    let ask = async |name: &str, provider: Option<&str>| {
        let mut request = app.chat(&hello(name));
        if let Some(provider) = provider {
            request = request.header("x-llm-provider", provider);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("fast", None).await, 200);
    assert_eq!(ask("fast", None).await, 429);
    assert_eq!(ask("quick", None).await, 429, "by an alias");
    assert_eq!(ask("own", None).await, 200);
    assert_eq!(ask("b/own", None).await, 429, "by its provider");
    assert_eq!(ask("anything", Some("b")).await, 429, "by the header");
    assert_eq!(ask("anything", Some("a")).await, 200);
}
