//! Client keys that operators make, what they may ask for, and their projects.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use llm::simulated::Fault;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::app::App;
use server::auth::AuthResult;
use server::config::Config;
use server::in_force::EditError;
use shared::policies::{
    ClientKey, Edit, NewKey, Policy, PolicyKind, Project, Rate, RateLimit, Selector,
};
use sqlx::Row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::test_app::{TestApp, error, hello, key, model, simulated};

const KEY: PolicyKind = PolicyKind::Key;

fn edit() -> Edit {
    Edit {
        by: "ada".to_owned(),
        ..Edit::default()
    }
}

fn enabled() -> ClientKey {
    ClientKey {
        enabled: true,
        ..ClientKey::default()
    }
}

fn project() -> Project {
    Project {
        enabled: true,
        ..Project::default()
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

async fn create(app: &TestApp, name: &str, key: ClientKey) -> String {
    let in_force = &app.app().in_force;
    let made = in_force.create_key(name, key, &edit()).await.unwrap();
    assert_eq!(made.entry.name, name);
    made.secret
}

async fn put(app: &TestApp, name: &str, policy: Policy) {
    let put = app.app().in_force.put(name, policy, &edit()).await;
    put.unwrap();
}

/// What a request with this key is answered with.
async fn status(app: &TestApp, secret: &str) -> u16 {
    let request = app.chat(&hello("simulated")).bearer_auth(secret);
    request.send().await.unwrap().status().as_u16()
}

/// What who is let in is answered: the simulated provider has no vectors.
fn served(path: &str) -> u16 {
    match path {
        "/v1/embeddings" => 400,
        _ => 200,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_opens_every_dialect_however_it_is_sent() {
    let app = TestApp::simulated().await;
    let secret = create(&app, "team-a", enabled()).await;
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
    let anthropic = json!({"model": "simulated", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]});
    let endpoints = [
        ("/v1/chat/completions", hello("simulated")),
        (
            "/v1/responses",
            json!({"model": "simulated", "input": "Hello"}),
        ),
        (
            "/v1/completions",
            json!({"model": "simulated", "prompt": "Hello"}),
        ),
        ("/v1/messages", anthropic.clone()),
        ("/v1/messages/count_tokens", anthropic),
        ("/v1beta/models/simulated:generateContent", gemini),
        (
            "/v1/embeddings",
            json!({"model": "simulated", "input": "Hello"}),
        ),
    ];
    for (path, body) in &endpoints {
        for (header, value) in [
            ("authorization", format!("Bearer {secret}")),
            ("x-api-key", secret.clone()),
            ("api-key", secret.clone()),
            ("x-goog-api-key", secret.clone()),
        ] {
            let sent = app.post(path, body).header(header, value).send();
            assert_eq!(
                sent.await.unwrap().status(),
                served(path),
                "{path} {header}"
            );
        }
        let sent = app.post(&format!("{path}?key={secret}"), body).send();
        assert_eq!(sent.await.unwrap().status(), served(path), "{path} key=");

        // A wrong one is refused in the dialect's own words, which do not repeat it.
        let wrong = "sk-somebody-else's-secret";
        let refused = app.post(path, body).header("x-api-key", wrong).send();
        let refused = refused.await.unwrap();
        assert_eq!(refused.status(), 401, "{path}");
        let text = refused.text().await.unwrap();
        assert!(!text.contains(wrong), "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        if path.contains("messages") {
            assert_eq!(body["error"]["type"], "authentication_error", "{body}");
        } else if path.contains("v1beta") {
            assert_eq!(body["error"]["status"], "UNAUTHENTICATED", "{body}");
        } else {
            assert_eq!(body["error"]["code"], "invalid_api_key", "{body}");
        }
    }
    let rows = app.records(endpoints.len() * 6).await;
    let named = rows
        .iter()
        .filter(|row| row.get::<Option<&str>, _>("key_name") == Some("team-a"));
    assert_eq!(named.count(), endpoints.len() * 5);
    let keys = &app.app().gateway.policies().keys;
    let ok = keys.counts().of(AuthResult::Ok);
    assert_eq!(ok, endpoints.len() as u64 * 5);
    let unknown = keys.counts().of(AuthResult::Unknown);
    assert_eq!(unknown, endpoints.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_key_closes_the_gateway_and_the_last_one_opens_it() {
    let app = TestApp::simulated().await;
    assert_eq!(status(&app, "whatever").await, 200);
    let first = create(&app, "first", enabled()).await;
    let second = create(&app, "second", enabled()).await;
    assert_eq!(status(&app, "whatever").await, 401);
    assert_eq!(status(&app, &first).await, 200);
    let in_force = &app.app().in_force;
    in_force.delete(KEY, "first", &edit()).await.unwrap();
    assert_eq!(status(&app, &first).await, 401);
    assert_eq!(status(&app, &second).await, 200);
    in_force.delete(KEY, "second", &edit()).await.unwrap();
    assert!(app.app().gateway.policies().keys.is_open());
    assert_eq!(status(&app, "whatever").await, 200);
    let left = app.rows("SELECT COUNT(*) FROM key_secrets").await;
    assert_eq!(left[0].get::<i64, _>(0), 0, "secrets go with their keys");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_on_the_same_connections_next_request() {
    let app = TestApp::simulated().await;
    let secret = create(&app, "team-a", enabled()).await;
    create(&app, "another", enabled()).await;
    let mut connection = TcpStream::connect(app.app().client_address).await.unwrap();
    let mut ask = async || {
        app.expect_record();
        let body = hello("simulated").to_string();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {secret}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        answer(&mut connection).await
    };
    assert!(ask().await.starts_with("HTTP/1.1 200"));
    let off = ClientKey::default();
    put(&app, "team-a", Policy::Key(off)).await;
    let refused = ask().await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("disabled"), "{refused}");
    put(&app, "team-a", Policy::Key(enabled())).await;
    assert!(ask().await.starts_with("HTTP/1.1 200"));
    let expired = ClientKey {
        expires_at: Some(Utc::now() - TimeDelta::seconds(1)),
        ..enabled()
    };
    put(&app, "team-a", Policy::Key(expired)).await;
    let refused = ask().await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("expired"), "{refused}");
    let deleted = app.app().in_force.delete(KEY, "team-a", &edit()).await;
    deleted.unwrap();
    assert!(ask().await.starts_with("HTTP/1.1 401"));
    let counts = app.app().gateway.policies();
    let counts = [
        AuthResult::Disabled,
        AuthResult::Expired,
        AuthResult::Unknown,
    ]
    .map(|result| counts.keys.counts().of(result));
    assert_eq!(counts, [1, 1, 1]);
}

/// One answer with a length, head and body.
async fn answer(connection: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        let read = connection.read_buf(&mut seen).await.unwrap();
        assert!(read > 0, "the connection was closed after {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_secret_takes_over_at_once_or_by_and_by() {
    let config = Config {
        keys: vec![key("team-a", "sk-from-the-configuration")],
        ..Config::default()
    };
    let mut app = TestApp::start(config.clone()).await;
    let configured = "sk-from-the-configuration";
    let rotate = async |app: &TestApp, grace| -> NewKey {
        let in_force = &app.app().in_force;
        in_force.rotate_key("team-a", grace, &edit()).await.unwrap()
    };
    let first = rotate(&app, 3600).await;
    for secret in [configured, &first.secret] {
        assert_eq!(status(&app, secret).await, 200, "both are taken");
    }
    let Policy::Key(shown) = &first.entry.policy else {
        panic!("{:?}", first.entry);
    };
    assert_eq!(shown.prefixes.len(), 2);
    assert_eq!(shown.prefixes[0].prefix, format!("{}…", &first.secret[..7]));
    assert!(shown.prefixes[1].created_at.is_none());
    assert!(shown.prefixes[1].expires_at > Some(Utc::now()));

    let second = rotate(&app, 0).await;
    for (secret, expected) in [
        (configured, 401),
        (&first.secret, 401),
        (&second.secret, 200),
    ] {
        assert_eq!(status(&app, secret).await, expected);
    }
    let keys = &app.app().gateway.policies().keys;
    assert!(keys.caller(Some("team-a"), Utc::now()).is_ok());
    let versions = app.app().in_force.versions(KEY, "team-a").await.unwrap();
    assert_eq!(versions.len(), 2);
    let reason = versions[1].reason.as_deref().unwrap();
    assert!(reason.starts_with("Another secret"), "{reason}");

    // After a restart, and with the edits taken back, it is still so.
    app.stop().await;
    let mut config = config;
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&config).await.unwrap();
    let reset = again.in_force.reset_policy(KEY, "team-a", &edit()).await;
    reset.unwrap();
    let at = |secret: &str| {
        let keys = &again.gateway.policies().keys;
        keys.authenticate(Some(secret), Utc::now()).is_ok()
    };
    assert!(at(&second.secret));
    assert!(!at(&first.secret) && !at(configured));
    // Deleted and made anew, the old secrets stay where they are.
    again.in_force.delete(KEY, "team-a", &edit()).await.unwrap();
    let anew = again
        .in_force
        .create_key("team-a", enabled(), &edit())
        .await;
    assert!(at(&anew.unwrap().secret));
    assert!(!at(&second.secret) && !at(configured));
    // The configuration's next secret is taken.
    config.keys = vec![key("team-a", "sk-the-configuration's-next")];
    again.in_force.take(config).await.unwrap();
    assert!(at("sk-the-configuration's-next") && !at(configured));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_make_no_sense_are_not_made() {
    let app = TestApp::simulated().await;
    let in_force = &app.app().in_force;
    let odd = ClientKey {
        project: Some("nowhere".to_owned()),
        providers: names(&["simulated", "unknown"]),
        models: names(&["simulated", " "]),
        ..enabled()
    };
    let error = in_force.create_key("a/b", odd, &edit()).await.unwrap_err();
    let EditError::Invalid(fields) = error else {
        panic!("{error}");
    };
    let fields: Vec<&str> = fields.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["name", "project", "models[1]", "providers[1]"]);
    assert!(app.app().gateway.policies().keys.is_open());

    create(&app, "team-a", enabled()).await;
    let twice = in_force.create_key("team-a", enabled(), &edit()).await;
    assert!(matches!(twice, Err(EditError::Exists { .. })));
    let long = in_force.rotate_key("team-a", u64::MAX, &edit()).await;
    assert!(matches!(long, Err(EditError::Invalid(_))));
    let nobody = in_force.rotate_key("nobody", 0, &edit()).await;
    assert!(matches!(nobody, Err(EditError::NoSuchPolicy { .. })));
    let mut last = None;
    for _ in 0..20 {
        last = in_force.rotate_key("team-a", 3600, &edit()).await.err();
    }
    assert!(matches!(last, Some(EditError::InUse(_))), "{last:?}");
    in_force.rotate_key("team-a", 0, &edit()).await.unwrap();
}

/// Whether the bytes are in a file.
fn holds(path: &Path, text: &str) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(text.len()).any(|at| at == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_told_once_and_kept_nowhere() {
    let app = TestApp::simulated().await;
    let first = create(&app, "team-a", enabled()).await;
    let in_force = &app.app().in_force;
    let rotated = in_force.rotate_key("team-a", 60, &edit()).await.unwrap();
    for secret in [&first, &rotated.secret] {
        assert_eq!(status(&app, secret).await, 200);
        // One that was cut off is most of a secret.
        assert_eq!(status(&app, &secret[..48]).await, 401);
    }
    let entries = in_force.policies(KEY).await;
    let versions = in_force.versions(KEY, "team-a").await.unwrap();
    app.flush().await;
    let told = format!("{entries:?} {versions:?} {:?}", rotated.entry);
    let log = app.database.with_file_name("gateway.db-wal");
    for secret in [&first, &rotated.secret] {
        let random = &secret[8..30];
        assert!(!told.contains(random), "{told}");
        for file in [&app.database, &log] {
            assert!(!holds(file, random), "{}", file.display());
        }
    }
    assert!(holds(&log, "team-a") || holds(&app.database, "team-a"));
    let kept = app
        .rows("SELECT length(sha256), prefix FROM key_secrets")
        .await;
    assert_eq!(kept.len(), 2);
    for row in kept {
        assert_eq!(row.get::<i64, _>(0), 32);
        assert_eq!(row.get::<&str, _>(1).chars().count(), 8);
    }
}

/// `cheap` at `a` and `dear` at `b`; `a` takes what nobody knows.
async fn two_providers() -> TestApp {
    let mut first = simulated("a", Fault::None);
    first.default = true;
    first.model = None;
    let mut second = simulated("b", Fault::None);
    second.model = Some("dear-own".to_owned());
    let mut both = model("both", &["b", "a"]);
    both.aliases = names(&["alias"]);
    TestApp::start(Config {
        providers: vec![first, second],
        models: vec![model("cheap", &["a"]), model("dear", &["b"]), both],
        ..Config::default()
    })
    .await
}

/// Requests for a model at every endpoint that takes one.
fn at_every_endpoint(app: &TestApp, model: &str) -> Vec<(String, RequestBuilder)> {
    let chat = hello(model);
    let anthropic = json!({"model": model, "max_tokens": 10, "messages": chat["messages"]});
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
    let documents = json!({"model": model, "query": "q", "documents": ["a"]});
    let input = json!({"model": model, "input": "Hello"});
    let prompt = json!({"model": model, "prompt": "a cat"});
    let speech = json!({"model": model, "input": "Hello", "voice": "alloy"});
    let by_path = [
        (
            format!("/v1/models/{model}/chat/completions"),
            hello("other"),
        ),
        (
            format!("/v1beta/models/{model}:generateContent"),
            gemini.clone(),
        ),
        (
            format!("/v1beta/models/{model}:streamGenerateContent"),
            gemini.clone(),
        ),
        (format!("/v1beta/models/{model}:countTokens"), gemini),
        (format!("/v1/{model}/chat/completions"), hello("other")),
        (format!("/v1/{model}/anything/else"), json!({})),
    ];
    let by_body = [
        ("/v1/chat/completions", chat),
        ("/v1/responses", input.clone()),
        ("/v1/completions", prompt.clone()),
        ("/v1/messages", anthropic.clone()),
        ("/v1/messages/count_tokens", anthropic),
        ("/v1/embeddings", input.clone()),
        ("/v1/rerank", documents.clone()),
        ("/v2/rerank", documents),
        ("/v1/moderations", input),
        ("/v1/images/generations", prompt),
        ("/v1/audio/speech", speech),
    ];
    let by_body = by_body.map(|(path, body)| (path.to_owned(), body));
    let json = by_body.into_iter().chain(by_path);
    let mut requests: Vec<(String, RequestBuilder)> = json
        .map(|(path, body)| (path.clone(), app.post(&path, &body)))
        .collect();
    for path in ["/v1/audio/transcriptions", "/v1/images/edits"] {
        app.expect_record();
        let form = format!(
            "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--x\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n--x--\r\n"
        );
        let request = app.client.post(app.url(path)).body(form);
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        requests.push((path.to_owned(), request));
    }
    requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_held_to_its_models_at_every_endpoint() {
    let app = two_providers().await;
    let secret = create(
        &app,
        "limited",
        ClientKey {
            models: names(&["cheap", "a/*"]),
            ..enabled()
        },
    )
    .await;
    for forbidden in ["dear", "both", "alias", "dear-own", "b/anything"] {
        for (path, request) in at_every_endpoint(&app, &forbidden.replace('/', "%2F")) {
            // In bodies the name is not escaped.
            let by_path = path.contains(&forbidden.replace('/', "%2F"));
            if forbidden.contains('/') && !by_path {
                drop(request.bearer_auth("gw-none").send().await.unwrap());
                continue;
            }
            let refused = request.bearer_auth(&secret).send().await.unwrap();
            assert_eq!(refused.status(), 403, "{path} {forbidden}");
            let text = refused.text().await.unwrap();
            assert!(text.contains("may not use the model"), "{path}: {text}");
        }
    }
    // Nor to others to choose from, however that is written.
    for (others, expected) in [
        (r#","models":["dear"]"#, 403),
        (r#","mod\u0065ls":["dear"]"#, 403),
        (r#","models":null,"metadata":{"models":"\u0061"}"#, 200),
    ] {
        let said = r#""messages":[{"role":"user","content":"Hi"}]"#;
        let body = format!(r#"{{"model":"cheap",{said}{others}}}"#);
        let asked = app.client.post(app.url("/v1/chat/completions"));
        let asked = asked.header("content-type", "application/json").body(body);
        app.expect_record();
        let answer = asked.bearer_auth(&secret).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{others}");
    }
    for (path, request) in at_every_endpoint(&app, "cheap") {
        let answered = request.bearer_auth(&secret).send().await.unwrap();
        assert_ne!(answered.status(), 403, "{path}");
        assert_ne!(answered.status(), 401, "{path}");
    }
    let code = async |request: RequestBuilder| {
        let refused = request.bearer_auth(&secret).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        let error = error(refused).await;
        (error["code"].clone(), error["param"].clone())
    };
    let model_refused = (json!("model_not_allowed"), json!("model"));
    assert_eq!(code(app.chat(&hello("dear"))).await, model_refused);
    let chosen = app.chat(&hello("cheap")).header("x-llm-provider", "b");
    assert_eq!(code(chosen).await, model_refused);
    let forbidden = app
        .app()
        .gateway
        .policies()
        .keys
        .counts()
        .of(AuthResult::Forbidden);
    assert!(forbidden > 50, "{forbidden}");

    let listed = async |path: &str, header: &str, list: &str, id: &str| {
        let request = app.client.get(app.url(path)).header(header, &secret);
        let list = request.send().await.unwrap().json::<Value>().await.unwrap()[list].clone();
        let ids = list
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model[id].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(
        listed("/v1/models", "api-key", "data", "id").await,
        ["cheap"]
    );
    assert_eq!(
        listed("/v1beta/models", "x-goog-api-key", "models", "name").await,
        ["models/cheap"]
    );
    for (name, expected) in [("cheap", 200), ("dear", 403), ("a/anything", 200)] {
        let url = app.url(&format!("/v1/models/{name}"));
        let one = app.client.get(url).bearer_auth(&secret).send().await;
        assert_eq!(one.unwrap().status(), expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_holds_its_keys_to_its_providers() {
    let app = two_providers().await;
    let in_force = &app.app().in_force;
    let only_a = Project {
        providers: names(&["a"]),
        ..project()
    };
    put(&app, "p", Policy::Project(only_a)).await;
    let secret = create(
        &app,
        "member",
        ClientKey {
            project: Some("p".to_owned()),
            ..enabled()
        },
    )
    .await;
    for (model, provider, expected) in [
        ("cheap", None, 200),
        ("both", None, 200),
        ("alias", None, 200),
        ("dear", None, 403),
        ("b/x", None, 403),
        ("cheap", Some("b"), 403),
    ] {
        let mut request = app.chat(&hello(model)).bearer_auth(&secret);
        if let Some(provider) = provider {
            request = request.header("x-llm-provider", provider);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{model} {provider:?}");
        if expected == 403 {
            assert_eq!(error(answer).await["code"], "provider_not_allowed");
        }
    }
    let rows = app.records(6).await;
    for row in rows {
        assert_eq!(row.get::<&str, _>("project"), "p");
        let provider: Option<&str> = row.get("provider");
        assert!(provider.is_none_or(|provider| provider == "a"));
    }
    let seen = app
        .rows("SELECT DISTINCT project FROM usage_requests")
        .await;
    assert_eq!(seen[0].get::<&str, _>(0), "p");

    let kind = PolicyKind::Project;
    let used = in_force.delete(kind, "p", &edit()).await.unwrap_err();
    assert!(matches!(&used, EditError::InUse(_)), "{used}");
    assert!(used.to_string().contains("member"), "{used}");
    put(&app, "p", Policy::Project(Project::default())).await;
    assert_eq!(status(&app, &secret).await, 401, "the project is disabled");
    put(&app, "member", Policy::Key(enabled())).await;
    in_force.delete(kind, "p", &edit()).await.unwrap();
    assert_eq!(status(&app, &secret).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_the_file_has_no_more_closes_its_keys() {
    let mut config = Config::default();
    config.projects.insert("p".to_owned(), project());
    let app = TestApp::start(config.clone()).await;
    let member = ClientKey {
        project: Some("p".to_owned()),
        ..enabled()
    };
    let secret = create(&app, "member", member).await;
    assert_eq!(status(&app, &secret).await, 200);
    config.projects.clear();
    app.app().in_force.take(config).await.unwrap();
    assert_eq!(status(&app, &secret).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_about_a_key_that_is_deleted_can_be_edited() {
    let app = two_providers().await;
    put(&app, "web", Policy::Project(project())).await;
    for name in ["gone", "stays"] {
        create(&app, name, enabled()).await;
    }
    let limit = |keys: &[&str], requests| {
        Policy::Limit(RateLimit {
            rate: Rate {
                requests: Some(requests),
                window_seconds: 60,
                ..Rate::default()
            },
            applies_to: Selector {
                keys: names(keys),
                projects: names(&["web"]),
                ..Selector::default()
            },
            ..RateLimit::default()
        })
    };
    put(&app, "some", limit(&["gone", "stays"], 1)).await;
    let in_force = &app.app().in_force;
    in_force.delete(KEY, "gone", &edit()).await.unwrap();
    let kind = PolicyKind::Project;
    in_force.delete(kind, "web", &edit()).await.unwrap();
    put(&app, "some", limit(&["gone", "stays"], 2)).await;
    // What never stood there is misspelt.
    let wrong = in_force.put("some", limit(&["gnoe"], 2), &edit()).await;
    assert!(format!("{wrong:?}").contains("gnoe"), "{wrong:?}");
    put(&app, "some", limit(&["stays"], 2)).await;
    let back = in_force.put("some", limit(&["gone"], 2), &edit()).await;
    assert!(back.is_err());
}
