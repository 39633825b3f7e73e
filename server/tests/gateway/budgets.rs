//! Quotas and budgets: nothing is overspent, whoever asks at the same time and however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Client;
use serde_json::{Value, json};
use server::config::{Config, Price, PriceOverride, Secret};
use shared::CostNanos;
use shared::policies::{Allowance, Budget, BudgetState, Per, Period, usual_alerts};
use sqlx::Row;

use crate::test_app::{
    SOON, TestApp, config_for, error, hello, key, model, provider, provider_of_kind, streamed,
};
use crate::upstream::{
    ANSWER, Act, DONE, STOP, USAGE, Upstream, chunk, delta, json as reply, response, stream,
    stream_head,
};

/// Billionths of a dollar for a million tokens: a token of output is 3.7 times as dear.
const INPUT: u64 = 1_000_003;
const OUTPUT: u64 = 3_700_011;

fn price(model: &str, input: u64, output: u64) -> PriceOverride {
    let price = |nanos_per_million| Price { nanos_per_million };
    PriceOverride {
        provider: None,
        model: model.to_owned(),
        input: price(input),
        cached_input: None,
        cache_write: None,
        output: price(output),
    }
}

fn dollars(nanos: u64) -> Allowance {
    Allowance {
        cost_nanos: Some(CostNanos(i64::try_from(nanos).unwrap())),
        period: Period::Total,
        ..Allowance::default()
    }
}

fn requests(number: u64) -> Allowance {
    Allowance {
        requests: Some(number),
        period: Period::Day,
        ..Allowance::default()
    }
}

fn with_budget(config: Config, allowance: Allowance) -> Config {
    let budget = Budget {
        enabled: true,
        allowance,
        ..Budget::default()
    };
    Config {
        budgets: [("team".to_owned(), budget)].into(),
        ..config
    }
}

fn priced(upstream: &Upstream, allowance: Allowance) -> Config {
    let config = Config {
        prices: vec![price("m", INPUT * 1_000, OUTPUT * 1_000)],
        ..config_for(upstream)
    };
    with_budget(config, allowance)
}

fn states(app: &TestApp) -> Vec<BudgetState> {
    app.app().gateway.policies().budgets.states(100)
}

fn state(app: &TestApp) -> BudgetState {
    let mut states = states(app);
    assert_eq!(states.len(), 1, "{states:?}");
    states.remove(0)
}

/// The state, once nothing is reserved any more.
async fn settled(app: &TestApp) -> BudgetState {
    let until = Instant::now() + SOON;
    loop {
        let open = app.app().gateway.policies().budgets.ledger().open_claims();
        if open == 0 {
            let state = state(app);
            assert_eq!(state.reserved_nanos, CostNanos(0));
            return state;
        }
        assert!(Instant::now() < until, "{open} are open");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A chat completion that used so many tokens.
fn answer(input: u64, output: u64) -> Vec<Act> {
    let usage = format!(
        r#""usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":0}}"#
    );
    let body = ANSWER.split("\"usage\"").next().unwrap().to_owned() + &usage + "}";
    vec![Act::Send(response("200 OK", "", &body))]
}

/// What is charged, rounded as prices are.
fn cost(input: u64, output: u64, prices: (u64, u64)) -> u64 {
    (u128::from(input) * u128::from(prices.0) + u128::from(output) * u128::from(prices.1) + 500_000)
        .div_euclid(1_000_000)
        .try_into()
        .unwrap()
}

/// Sends a thousand requests at the same time, and says how many were answered. The others were refused for the budget.
async fn a_thousand(app: &TestApp, body: &Value) -> u64 {
    let client = Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let (url, body) = (app.url("/v1/chat/completions"), body.to_string());
    let asked = (0..1_000).map(|_| {
        app.expect_record();
        let request = client.post(&url).body(body.clone());
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let body: Value = answer.json().await.unwrap();
            if status == 200 {
                return 1;
            }
            assert_eq!(status, 429, "{body}");
            assert_eq!(body["error"]["code"], "budget_exceeded", "{body}");
            0
        }
    });
    let answered: Vec<u64> = futures_util::future::join_all(asked).await;
    answered.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_get_exactly_what_there_is() {
    // Only output costs, and each answer is as long as it may be: what is held for a request is what it costs.
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    let each = cost(0, 10, (0, OUTPUT * 1_000));
    let upstream = Upstream::with(move |_| {
        counted.fetch_add(each, Ordering::SeqCst);
        answer(11, 10)
    })
    .await;
    let limit = each * 500 + each - 1;
    let mut config = priced(&upstream, dollars(limit));
    config.prices = vec![price("m", 0, OUTPUT * 1_000)];
    let app = TestApp::start(config).await;
    let mut body = hello("m");
    body["max_tokens"] = json!(10);
    assert_eq!(a_thousand(&app, &body).await, 500);
    let state = settled(&app).await;
    assert_eq!(count.load(Ordering::SeqCst), each * 500);
    assert_eq!(
        state.spent_nanos,
        CostNanos(i64::try_from(each * 500).unwrap())
    );
    assert_eq!((state.requests_used, state.refused), (500, 500));
    assert_eq!(state.uncertain_nanos, CostNanos(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_the_upstreams_own_count() {
    // Each answer is of another length, and takes a while.
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    let prices = (INPUT * 1_000, OUTPUT * 1_000);
    let upstream = Upstream::with(move |number| {
        let output = number as u64 * 7 % 100 + 1;
        counted.fetch_add(cost(17, output, prices), Ordering::SeqCst);
        answer(17, output)
    })
    .await;
    let mut body = hello("m");
    body["max_tokens"] = json!(100);
    let bytes = body.to_string().len() as u64;
    let bound = cost(bytes + 64, 100, prices);
    let limit = bound * 300;
    let app = TestApp::start(priced(&upstream, dollars(limit))).await;
    let answered = a_thousand(&app, &body).await;
    let state = settled(&app).await;
    let spent = u64::try_from(state.spent_nanos.0).unwrap();
    assert_eq!(spent, count.load(Ordering::SeqCst), "to the nano-dollar");
    assert!(spent <= limit);
    assert!(answered >= 300, "{answered}: as many fit at the same time");
    assert_eq!(state.requests_used, answered);
    // What is left is given away to the last request whose most fits, and no further.
    let mut answered = answered;
    loop {
        let spent = count.load(Ordering::SeqCst);
        let status = app.chat(&body).send().await.unwrap().status();
        assert_eq!(
            status == 200,
            spent + bound <= limit,
            "{status} after {spent}"
        );
        if status != 200 {
            break;
        }
        answered += 1;
        settled(&app).await;
    }
    assert_eq!(settled(&app).await.requests_used, answered);
    // The records say the same.
    app.flush().await;
    let rows = app
        .rows("SELECT COALESCE(SUM(cost_nanos), 0) FROM requests")
        .await;
    let recorded = u64::try_from(rows[0].get::<i64, _>(0)).unwrap();
    assert_eq!(recorded, count.load(Ordering::SeqCst));
    // So does the database, soon.
    let until = Instant::now() + SOON;
    loop {
        let rows = app
            .rows("SELECT cost_nanos, requests FROM budget_accounts")
            .await;
        let kept: Vec<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        if kept
            == [(
                i64::try_from(recorded).unwrap(),
                i64::try_from(answered).unwrap(),
            )]
        {
            break;
        }
        assert!(Instant::now() < until, "{kept:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_what_is_used_up_and_until_when() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let app = TestApp::start(with_budget(config_for(&upstream), requests(2))).await;
    for _ in 0..2 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    let refused = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: i64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=86_401).contains(&wait), "{wait}");
    let error = error(refused).await;
    assert_eq!(error["code"], "quota_exceeded");
    let message = error["message"].as_str().unwrap();
    for words in [
        "`team`",
        "2 requests a day",
        "2 requests used",
        "renewed at",
    ] {
        assert!(message.contains(words), "{message}");
    }
    let records = app.records(3).await;
    let last = records.last().unwrap();
    assert_eq!(last.get::<String, _>("error_kind"), "quota_exceeded");
    assert_eq!(last.get::<String, _>("error_source"), "policy");
    assert_eq!(upstream.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_call_gives_everything_back() {
    let upstream = Upstream::with(|number| match number {
        0 => vec![reply("400 Bad Request", r#"{"error":{"message":"no"}}"#)],
        _ => answer(11, 7),
    })
    .await;
    let broken = Upstream::start(vec![reply("500 Internal Server Error", "{}")]).await;
    let mut config = priced(&upstream, dollars(1_000_000_000));
    config.providers.push(provider("broken", &broken, false));
    // Nobody is there: nothing was sent.
    let mut gone = provider("gone", &upstream, false);
    gone.base_url = Some("http://127.0.0.1:1/v1".to_owned());
    config.providers.push(gone);
    config.models = vec![model("nobody", &["gone"]), model("fails", &["broken"])];
    config.prices.push(price("backend-model", 1, 1));
    let app = TestApp::start(config).await;
    for (model, status) in [("m", 400), ("fails", 502), ("nobody", 502)] {
        let answer = app.chat(&hello(model)).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let state = settled(&app).await;
        assert_eq!((state.spent_nanos, state.requests_used), (CostNanos(0), 0));
    }
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert_eq!(settled(&app).await.requests_used, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_settled_though_its_client_is_gone() {
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&delta("one")),
        chunk(USAGE),
        Act::WaitForClose,
    ])
    .await;
    let app = TestApp::start(priced(&upstream, dollars(1_000_000_000))).await;
    // A client that asks for the usage sees when the gateway has it.
    let mut request = streamed(hello("m"));
    request["stream_options"] = json!({ "include_usage": true });
    let response = app.chat(&request).send().await.unwrap();
    let mut body = response.bytes_stream();
    let mut got = Vec::new();
    while !String::from_utf8_lossy(&got).contains("completion_tokens") {
        got.extend_from_slice(&body.next().await.unwrap().unwrap());
    }
    assert!(state(&app).reserved_nanos > CostNanos(0));
    drop(body);
    upstream.closed().await;
    let state = settled(&app).await;
    let used = cost(11, 7, (INPUT * 1_000, OUTPUT * 1_000));
    assert_eq!(state.spent_nanos, CostNanos(i64::try_from(used).unwrap()));
    assert_eq!((state.requests_used, state.tokens_used), (1, 18));
    assert_eq!(state.uncertain_nanos, CostNanos(0));
}

/// It was made, whoever reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_a_rule_gathers_and_refuses_is_paid_for() {
    let schema =
        r#"{"check":{"kind":"json_schema","schema":{"type":"object"}},"action":{"kind":"block"}}"#;
    for told in [true, false] {
        let mut acts = vec![stream_head(), chunk(&delta("no JSON"))];
        acts.extend(told.then(|| chunk(USAGE)));
        acts.extend([chunk(STOP), chunk(DONE), crate::upstream::stream_end()]);
        let upstream = Upstream::start(acts).await;
        let mut config = priced(&upstream, dollars(1_000_000_000));
        config.guardrails = [("json".to_owned(), serde_json::from_str(schema).unwrap())].into();
        let app = TestApp::start(config).await;
        let answer = app.chat(&streamed(hello("m"))).send().await.unwrap();
        let answer = answer.text().await.unwrap();
        assert!(!answer.contains("no JSON"), "{answer}");
        let state = settled(&app).await;
        let record = app.record().await;
        let output = record.get::<i64, _>("output_tokens");
        // Seven bytes of text are two tokens, by estimate.
        assert_eq!(output, if told { 7 } else { 2 });
        assert_eq!(state.spent_nanos.0, record.get::<i64, _>("cost_nanos"));
        assert!(state.spent_nanos > CostNanos(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_passed_in_one_piece_and_not_read_to_its_end_is_counted_in_full() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{";
    let upstream = Upstream::start(vec![Act::Send(head.into()), Act::WaitForClose]).await;
    let mut config = priced(&upstream, dollars(1_000_000_000_000));
    config.prices = vec![price("m", INPUT, OUTPUT)];
    let app = TestApp::start(config).await;
    let body = json!({"model": "m", "prompt": "a cat", "n": 1});
    let mut answer = app
        .post("/v1/images/generations", &body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "{");
    let reserved = state(&app).reserved_nanos;
    assert!(reserved > CostNanos(0));
    drop(answer);
    upstream.closed().await;
    let state = settled(&app).await;
    assert_eq!(
        (state.spent_nanos, state.uncertain_nanos),
        (reserved, reserved)
    );
}

/// The connection never opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_before_it_was_sent_costs_nothing() {
    // Nobody there says a word of TLS.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = Upstream::start(answer(11, 7)).await;
    let mut config = priced(&upstream, dollars(1_000_000_000));
    let mut hole = provider("hole", &upstream, false);
    hole.base_url = Some(format!("https://{address}/v1"));
    config.providers.push(hole);
    config.models = vec![model("lost", &["hole"])];
    config.prices.push(price("backend-model", 1_000, 1_000));
    let app = TestApp::start(config).await;
    for body in [hello("lost"), streamed(hello("lost"))] {
        let request = tokio::spawn(app.chat(&body).send());
        let until = Instant::now() + SOON;
        while state(&app).reserved_nanos == CostNanos(0) {
            assert!(Instant::now() < until, "nothing is reserved");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        request.abort();
        let state = settled(&app).await;
        assert_eq!((state.spent_nanos, state.requests_used), (CostNanos(0), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_for_in_one_piece_and_given_up_is_counted_in_full() {
    let upstream = Upstream::start(vec![Act::WaitForClose]).await;
    let app = TestApp::start(priced(&upstream, dollars(1_000_000_000))).await;
    let mut body = hello("m");
    body["max_tokens"] = json!(100);
    let bound = cost(
        body.to_string().len() as u64 + 64,
        100,
        (INPUT * 1_000, OUTPUT * 1_000),
    );
    let request = tokio::spawn(app.chat(&body).send());
    upstream.until_received(1).await;
    request.abort();
    upstream.closed().await;
    let state = settled(&app).await;
    let bound = CostNanos(i64::try_from(bound).unwrap());
    assert_eq!((state.spent_nanos, state.uncertain_nanos), (bound, bound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dearer_target_is_paid_for_before_it_is_asked() {
    let broken = Upstream::start(vec![reply("500 Internal Server Error", "{}")]).await;
    let dear = Upstream::start(answer(11, 7)).await;
    let config = Config {
        providers: vec![provider("a", &broken, true), provider("b", &dear, false)],
        models: vec![model("m", &["a", "b"])],
        ..Config::default()
    };
    let prices = |cheap, dear| {
        [("a", cheap), ("b", dear)].map(|(provider, output)| PriceOverride {
            provider: Some(provider.to_owned()),
            ..price("backend-model", 0, output)
        })
    };
    let mut body = hello("m");
    body["max_tokens"] = json!(1_000);
    // A thousand tokens cost as many billionths of a dollar as the price has thousands.
    for (limit, status) in [(4_999, 502), (5_000, 200)] {
        let mut config = with_budget(config.clone(), dollars(limit));
        config.prices = prices(1_000_000, 5_000_000).into();
        let app = TestApp::start(config).await;
        let answer = app.chat(&body).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let state = settled(&app).await;
        let spent = if status == 200 { 35 } else { 0 };
        assert_eq!(state.spent_nanos, CostNanos(spent));
    }
    assert_eq!(dear.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_price_is_refused_under_a_budget_of_money() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let app = TestApp::start(with_budget(config_for(&upstream), dollars(1_000))).await;
    let refused = app.chat(&hello("mystery")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let error = error(refused).await;
    assert_eq!(error["code"], "price_unknown");
    let message = error["message"].as_str().unwrap();
    for words in ["`team`", "`mystery`", "[[prices]]"] {
        assert!(message.contains(words), "{message}");
    }
    // A quota of requests or tokens needs no price.
    let config = with_budget(config_for(&upstream), requests(1));
    let app = TestApp::start(config).await;
    assert_eq!(
        app.chat(&hello("mystery")).send().await.unwrap().status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_a_limit_is_given_one() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let claude = Upstream::start(vec![reply(
        "200 OK",
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}"#,
    )])
    .await;
    let mut config = priced(&upstream, dollars(1_000_000_000));
    config.server.assumed_output_tokens = 123;
    config
        .providers
        .push(provider_of_kind("anthropic", "claude", &claude, false));
    config.models = vec![model("c", &["claude"])];
    config.prices.push(price("backend-model", 1, 1));
    let app = TestApp::start(config).await;
    let sent = |upstream: &Upstream| -> Value {
        serde_json::from_slice(&upstream.received().last().unwrap().body).unwrap()
    };
    app.chat(&hello("m")).send().await.unwrap();
    let body = sent(&upstream);
    let limits = [&body["max_tokens"], &body["max_completion_tokens"]];
    assert!(limits.contains(&&json!(123)), "{body}");
    let mut own = hello("m");
    own["max_tokens"] = json!(9_999);
    app.chat(&own).send().await.unwrap();
    assert_eq!(sent(&upstream)["max_tokens"], 9_999);
    // Where a protocol has to have one, it is not the codec's.
    app.chat(&hello("c")).send().await.unwrap();
    assert_eq!(sent(&claude)["max_tokens"], 123);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_side_door() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let mut config = with_budget(config_for(&upstream), requests(1));
    config.models = vec![model("m", &["up"])];
    let app = TestApp::start(config).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    let text = json!([{"role": "user", "content": "x"}]);
    for (path, body) in [
        ("/v1/chat/completions", hello("m")),
        ("/v1/chat/completions", streamed(hello("m"))),
        ("/v1/completions", json!({"model": "m", "prompt": "x"})),
        ("/v1/responses", json!({"model": "m", "input": "x"})),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 5, "messages": text}),
        ),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": [{"parts": [{"text": "x"}]}]}),
        ),
        ("/v1/embeddings", json!({"model": "m", "input": "x"})),
        (
            "/v1/rerank",
            json!({"model": "m", "query": "q", "documents": ["a"]}),
        ),
        (
            "/v1/images/generations",
            json!({"model": "m", "prompt": "x"}),
        ),
        (
            "/v1/audio/speech",
            json!({"model": "m", "input": "x", "voice": "v"}),
        ),
        ("/v1/moderations", json!({"model": "m", "input": "x"})),
        ("/v1/m/anything", json!({"model": "m"})),
    ] {
        let answer = app.post(path, &body).send().await.unwrap();
        // Anthropic says 402 for it.
        let status = if path == "/v1/messages" { 402 } else { 429 };
        assert_eq!(answer.status(), status, "{path}");
    }
    app.expect_record();
    let form = app
        .client
        .post(app.url("/v1/audio/transcriptions"))
        .header("content-type", "multipart/form-data; boundary=xx")
        .body("--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--xx--\r\n");
    assert_eq!(form.send().await.unwrap().status(), 429);
    // Counting is free.
    let count = json!({"model": "m", "messages": text});
    let counted = app
        .post("/v1/messages/count_tokens", &count)
        .send()
        .await
        .unwrap();
    assert_eq!(counted.status(), 200);
    assert_eq!(upstream.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_bounded_is_not_let_through() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let mut config = priced(&upstream, dollars(1_000_000_000));
    config.models = vec![model("m", &["up"])];
    config.prices.push(price("backend-model", INPUT, OUTPUT));
    let app = TestApp::start(config).await;
    let refused = app
        .post("/v1/m/fine_tuning/jobs", &json!({"model": "m"}))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(error(refused).await["code"], "use_unknown");
    app.expect_record();
    let list = app.client.get(app.url("/v1/m/files")).send().await.unwrap();
    assert_eq!(list.status(), 200);
    let chat = app
        .post("/v1/m/chat/completions", &hello("m"))
        .send()
        .await
        .unwrap();
    assert_eq!(chat.status(), 200);
    let sent = upstream.received().pop().unwrap().body;
    let sent: Value = serde_json::from_slice(&sent).unwrap();
    assert!(sent.to_string().contains("4096"), "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_projects_have_their_own_and_the_stricter_wins() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let mut config = config_for(&upstream);
    let mut alice = key("alice", "sk-alice-secret-key");
    alice.settings.allowances = vec![requests(2)];
    alice.settings.project = Some("p".to_owned());
    let mut bob = key("bob", "sk-bob-secret-key");
    bob.settings.project = Some("p".to_owned());
    config.keys = vec![alice, bob, key("carol", "sk-carol-secret-key")];
    let project = shared::policies::Project {
        enabled: true,
        allowances: vec![requests(3)],
        ..Default::default()
    };
    config.projects = [("p".to_owned(), project)].into();
    let config = with_budget(config, requests(5));
    let app = TestApp::start(config.clone()).await;
    let ask = async |name: &str| {
        let request = app
            .chat(&hello("m"))
            .bearer_auth(format!("sk-{name}-secret-key"));
        let answer = request.send().await.unwrap();
        match answer.status().as_u16() {
            200 => String::new(),
            _ => error(answer).await["message"].as_str().unwrap().to_owned(),
        }
    };
    assert_eq!(ask("alice").await, "");
    assert_eq!(ask("alice").await, "");
    assert!(ask("alice").await.contains("of the key `alice`"));
    assert_eq!(ask("bob").await, "");
    assert!(ask("bob").await.contains("of the project `p`"));
    assert_eq!(ask("carol").await, "");
    assert_eq!(ask("carol").await, "");
    assert!(ask("carol").await.contains("`team`"));
    let names: Vec<String> = states(&app).into_iter().map(|state| state.budget).collect();
    assert_eq!(names, ["key alice", "project p", "team"]);

    // What is allowed now is allowed to the next request; what was used stays used.
    let mut raised = config.clone();
    // An answer that was given before is free.
    raised.cache.enabled = false;
    raised.budgets.get_mut("team").unwrap().allowance.requests = Some(6);
    raised.budgets.get_mut("team").unwrap().per = Per::All;
    app.app().in_force.take(raised).await.unwrap();
    assert_eq!(ask("carol").await, "");
    let message = ask("carol").await;
    assert!(message.contains("6 requests used"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_forgets_nothing() {
    let upstream = Upstream::start(stream()).await;
    let mut config = priced(&upstream, dollars(1_000_000_000));
    let folder = tempfile::tempdir().unwrap();
    config.server.port = 0;
    config.admin.port = 0;
    config.database.url = format!("sqlite:{}", folder.path().join("gateway.db").display());
    config.providers[0].health.enabled = Some(false);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let each = cost(11, 7, (INPUT * 1_000, OUTPUT * 1_000));
    for run in 1..=3 {
        let app = server::app::App::start(&config).await.unwrap();
        let request = Client::new()
            .post(format!("http://{}/v1/chat/completions", app.client_address))
            .body(streamed(hello("m")).to_string());
        let answer = request.send().await.unwrap().text().await.unwrap();
        assert!(
            answer.contains(DONE.trim()) && STOP.contains("stop"),
            "{answer}"
        );
        let state = app.gateway.policies().budgets.states(1).remove(0);
        assert_eq!(
            state.spent_nanos,
            CostNanos(i64::try_from(each * run).unwrap())
        );
        app.stop().await;
        // Everything is in the database.
        assert!(!folder.path().join("gateway.db.ledger").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_kept_and_posted() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let hook = Upstream::with(|number| match number {
        0 => vec![reply("503 Service Unavailable", "{}")],
        _ => vec![reply("200 OK", "{}")],
    })
    .await;
    let allowance = Allowance {
        alerts: usual_alerts(),
        ..requests(4)
    };
    let mut config = with_budget(config_for(&upstream), allowance);
    config.alerts.webhook = Some(Secret::new(hook.url("/alerts?token=x")));
    let app = TestApp::start(config).await;
    for _ in 0..4 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
    hook.until_received(4).await;
    let received = hook.received();
    let told: Vec<Value> = received[1..]
        .iter()
        .map(|one| serde_json::from_slice(&one.body).unwrap())
        .collect();
    assert!(received[0].head.starts_with("POST /alerts?token=x "));
    let percents: Vec<&Value> = told.iter().map(|alert| &alert["percent"]).collect();
    assert_eq!(percents, [50, 80, 100]);
    assert_eq!(told[0]["budget"], "team");
    assert_eq!(told[0]["what"], "requests");
    assert_eq!(
        (&told[0]["used"], &told[0]["limit"]),
        (&json!(2), &json!(4))
    );
    let rows = app
        .rows("SELECT percent FROM budget_events ORDER BY seq")
        .await;
    let kept: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(kept, [50, 80, 100]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_budget_there_is_no_ledger() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let app = TestApp::before(&upstream).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    let mut ledger = app.database.clone().into_os_string();
    ledger.push(".ledger");
    assert!(!std::path::Path::new(&ledger).exists());
    let limited = with_budget(config_for(&upstream), requests(5));
    app.app().in_force.take(limited).await.unwrap();
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    assert!(std::path::Path::new(&ledger).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_ledger_cannot_be_written_others_are_served() {
    let upstream = Upstream::start(answer(11, 7)).await;
    let mut config = with_budget(config_for(&upstream), requests(100));
    config.budgets.get_mut("team").unwrap().applies_to.models = vec!["limited".to_owned()];
    let app = TestApp::start(config).await;
    let folder = app.database.parent().unwrap().to_owned();
    // A folder stands where its file would be put.
    std::fs::create_dir(folder.join("gateway.db.ledger.new")).unwrap();
    let refused = app.chat(&hello("limited")).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(error(refused).await["code"], "ledger_unavailable");
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    std::fs::remove_dir(folder.join("gateway.db.ledger.new")).unwrap();
    let answer = app.chat(&hello("limited")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}
