//! Providers that operators make and change while the gateway runs, and what becomes of their secrets.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use llm::simulated::Fault;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Secret};
use shared::policies::{Edit, PolicyKind};

use crate::operator::{self, TOKEN};
use crate::test_app::{TestApp, hello, key, model, provider, simulated};
use crate::upstream::{ANSWER, Upstream, json as reply};

const FIRST: &str = "sk-first-0123456789-aaaa";
const SECOND: &str = "sk-second-0123456789-bbbb";

fn config() -> Config {
    operator::config("a")
}

async fn upstream() -> Upstream {
    Upstream::with(|_| vec![reply("200 OK", ANSWER)]).await
}

async fn send(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Response {
    let path = format!("/api/v1/providers{path}");
    let mut request = app.client.request(method, app.admin_url(&path));
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.bearer_auth(TOKEN).send().await.unwrap()
}

async fn put(app: &TestApp, name: &str, value: &Value) -> Value {
    let response = send(app, Method::PUT, &format!("/{name}"), Some(value.clone())).await;
    let status = response.status();
    let entry: Value = response.json().await.unwrap();
    assert!(status.is_success(), "{entry}");
    entry
}

async fn refused(app: &TestApp, name: &str, value: Value, status: u16) -> Value {
    let response = send(app, Method::PUT, &format!("/{name}"), Some(value)).await;
    let found = response.status();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(found, status, "{problem}");
    problem
}

async fn get(app: &TestApp, path: &str) -> Value {
    let response = send(app, Method::GET, path, None).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

/// The key that the upstream is shown with the next request for this provider.
async fn key_sent(app: &TestApp, upstream: &Upstream, name: &str) -> String {
    let before = upstream.received().len();
    let response = app.chat(&hello(&format!("{name}/m"))).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let received = upstream.received();
    assert_eq!(received.len(), before + 1);
    let head = &received[before].head;
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("authorization: Bearer "));
    line.unwrap_or_default().to_owned()
}

fn value(upstream: &Upstream, key: &str) -> Value {
    json!({"kind": "openai-compatible", "base_url": upstream.url("/v1"), "api_key": key,
           "health": {"enabled": false}})
}

/// All that is on disk of the gateway.
fn on_disk(database: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = database.parent().unwrap();
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|file| file.is_file());
    files
        .map(|file| (file.clone(), std::fs::read(&file).unwrap_or_default()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_made_changed_and_restored() {
    let upstream = upstream().await;
    let app = TestApp::start(config()).await;
    let made = send(&app, Method::PUT, "/up", Some(value(&upstream, FIRST))).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    assert_eq!(made["value"]["api_key"], "sk-…aaaa");
    assert_eq!(made["value"]["queue_timeout"], "5s");
    assert_eq!(key_sent(&app, &upstream, "up").await, FIRST);

    // Read, changed and put: the key stays.
    let mut edited = made["value"].clone();
    assert_eq!(
        put(&app, "up", &edited).await["version"],
        1,
        "nothing was changed"
    );
    edited["timeouts"] = json!({"connect": "1500ms"});
    let edited = put(&app, "up", &edited).await;
    assert_eq!(edited["version"], 2);
    assert_eq!(edited["value"]["timeouts"]["connect"], "1500ms");
    assert_eq!(key_sent(&app, &upstream, "up").await, FIRST);

    let other = put(&app, "up", &value(&upstream, SECOND)).await;
    assert_eq!(other["value"]["api_key"], "sk-…bbbb");
    assert_eq!(key_sent(&app, &upstream, "up").await, SECOND);

    let restored = send(&app, Method::POST, "/up/versions/2/restore", None).await;
    assert_eq!(restored.status(), 200);
    let restored: Value = restored.json().await.unwrap();
    assert_eq!(restored["value"], edited["value"]);
    assert_eq!(key_sent(&app, &upstream, "up").await, FIRST);

    assert_eq!(send(&app, Method::DELETE, "/up", None).await.status(), 204);
    let gone = app.chat(&hello("up/m")).send().await.unwrap();
    assert_eq!(gone.status(), 404);
    let restored = send(&app, Method::POST, "/up/versions/3/restore", None).await;
    assert_eq!(restored.status(), 200);
    assert_eq!(key_sent(&app, &upstream, "up").await, SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_nowhere_but_in_the_requests() {
    let upstream = upstream().await;
    let mut app = TestApp::start(config()).await;
    let header = "header-secret-0123456789";
    let mut wanted = value(&upstream, FIRST);
    wanted["api_keys"] = json!([SECOND]);
    wanted["headers"] = json!({"x-token": header});
    let made = put(&app, "up", &wanted).await;
    assert_eq!(made["value"]["headers"]["x-token"], "hea…6789");
    key_sent(&app, &upstream, "up").await;
    let received = upstream.received().pop().unwrap();
    assert!(received.head.contains(header), "{}", received.head);
    let mut told = made.to_string();
    for path in ["", "/up", "/up/versions"] {
        told += &get(&app, path).await.to_string();
    }
    let bad = refused(
        &app,
        "up",
        json!({"kind": "no-such", "api_key": FIRST}),
        422,
    )
    .await;
    told += &bad.to_string();
    app.flush().await;
    app.stop().await;
    for secret in [FIRST, SECOND, header] {
        assert!(!told.contains(secret), "{told}");
        for (file, content) in on_disk(&app.database) {
            let found = content
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{}", file.display());
        }
    }
    let key = app.database.with_extension("db.secret-key");
    let mode = std::fs::metadata(key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn former_secrets_are_deleted_and_say_so() {
    let upstream = upstream().await;
    let mut app = TestApp::start(config()).await;
    put(&app, "up", &value(&upstream, FIRST)).await;
    put(&app, "up", &value(&upstream, SECOND)).await;
    put(&app, "other", &value(&upstream, FIRST)).await;
    let ciphertext = async |sql: &'static str| -> Vec<u8> {
        use sqlx::Row;
        app.rows(sql).await[0].get(0)
    };
    let first = ciphertext(
        "SELECT sealed FROM secrets WHERE name = 'up' AND shown LIKE '%aaaa' AND length(sealed) > 0",
    )
    .await;
    let has = |bytes: &[u8]| {
        let files = on_disk(&app.database);
        files
            .iter()
            .any(|(_, content)| content.windows(bytes.len()).any(|part| part == bytes))
    };
    assert!(has(&first));
    let former = "/up/secrets/former";
    let stale = app
        .client
        .delete(app.admin_url(&format!("/api/v1/providers{former}")))
        .bearer_auth(TOKEN)
        .header("if-match", "\"1\"");
    assert_eq!(stale.send().await.unwrap().status(), 412);
    let delete = async |path: &str| -> Value {
        let response = send(&app, Method::DELETE, path, None).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    };
    assert_eq!(delete(former).await, json!({"deleted": 1}));
    assert_eq!(delete(former).await, json!({"deleted": 0}));
    assert!(!has(&first), "the ciphertext is still there");
    let unknown = send(&app, Method::DELETE, "/none/secrets/former", None).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(key_sent(&app, &upstream, "up").await, SECOND);
    assert_eq!(key_sent(&app, &upstream, "other").await, FIRST);
    let entry = get(&app, "/up").await;
    assert_eq!(
        (&entry["version"], &entry["value"]["api_key"]),
        (&json!(3), &json!("sk-…bbbb"))
    );

    // A version that had it is not restored, also not with another secret that looks alike.
    let lost = async |version: u64| {
        let path = format!("/up/versions/{version}/restore");
        let refused = send(&app, Method::POST, &path, None).await;
        assert_eq!(refused.status(), 422);
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], "api_key");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("was deleted"), "{message}");
    };
    lost(1).await;
    let alike = "sk-fourth-0123456789-aaaa";
    let put_again = put(&app, "up", &value(&upstream, alike)).await;
    assert_eq!(put_again["value"]["api_key"], "sk-…aaaa (2)");
    lost(1).await;
    assert_eq!(key_sent(&app, &upstream, "up").await, alike);
    let restored = send(&app, Method::POST, "/up/versions/2/restore", None).await;
    assert_eq!(restored.status(), 200);
    assert_eq!(key_sent(&app, &upstream, "up").await, SECOND);

    // Of one that is gone, all are former.
    assert_eq!(send(&app, Method::DELETE, "/up", None).await.status(), 204);
    assert_eq!(delete(former).await, json!({"deleted": 2}));
    lost(2).await;
    let versions = get(&app, "/up/versions").await;
    assert_eq!(versions[0]["reason"], "Former secrets were deleted: 2");
    app.stop().await;
    let mut again = config();
    (again.server.port, again.admin.port) = (0, 0);
    again.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&again).await.unwrap();
    let edit = Edit::default();
    let restored = again.in_force.restore(PolicyKind::Provider, "up", 1, &edit);
    assert!(restored.await.is_err());
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configurations_keys_stay_where_they_are() {
    let upstream = upstream().await;
    let mut file = config();
    let mut up = provider("up", &upstream, false);
    up.api_key = Some(Secret::new(FIRST));
    file.providers.push(up);
    let app = TestApp::start(file.clone()).await;
    let entry = get(&app, "/up").await;
    assert_eq!(entry["source"], "file");
    assert_eq!(entry["value"]["api_key"], "sk-…aaaa");
    let mut edited = entry["value"].clone();
    edited["queue"] = json!(7);
    let edited = put(&app, "up", &edited).await;
    assert_eq!(edited["value"]["api_key"], "sk-…aaaa");
    assert_eq!(edited["in_file"]["value"]["queue"], 100);
    assert_eq!(key_sent(&app, &upstream, "up").await, FIRST);
    assert!(
        on_disk(&app.database)
            .iter()
            .all(|(file, _)| { !file.to_string_lossy().ends_with("secret-key") })
    );

    // Replaced there, it is replaced here.
    file.providers[1].api_key = Some(Secret::new(SECOND));
    app.app().in_force.take(file).await.unwrap();
    assert_eq!(key_sent(&app, &upstream, "up").await, SECOND);
    let entry = get(&app, "/up").await;
    assert_eq!(entry["value"]["api_key"], "sk-…bbbb");
    assert_eq!(entry["value"]["queue"], 7);
    let versions = get(&app, "/up/versions").await;
    assert_eq!(versions[0]["policy"]["value"]["api_key"], "sk-…bbbb");

    let reset = send(&app, Method::POST, "/up/reset", None).await;
    assert_eq!(reset.status(), 200);
    assert_eq!(get(&app, "/up").await["value"]["queue"], 100);
    assert_eq!(send(&app, Method::DELETE, "/up", None).await.status(), 204);
    assert_eq!(get(&app, "/up").await["deleted"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_needed_is_not_deleted() {
    let mut config = config();
    config.providers.push(simulated("b", Fault::None));
    config.models = vec![model("m", &["a", "b"]), model("n", &["b"])];
    let app = TestApp::start(config).await;
    let refused = send(&app, Method::DELETE, "/b", None).await;
    assert_eq!(refused.status(), 409);
    let problem: Value = refused.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("the model `m`, the model `n`"), "{detail}");
    assert_eq!(get(&app, "/b").await["deleted"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_told_by_their_fields() {
    let mut file = config();
    file.providers[0].default = true;
    let app = TestApp::start(file).await;
    let url = "http://127.0.0.1:9/v1";
    for (value, field) in [
        (json!({}), "kind"),
        (json!({"kind": "opnai-compatible"}), "kind"),
        (json!({"kind": "openai-compatible"}), "base_url"),
        (
            json!({"kind": "openai-compatible", "base_url": "ftp://x"}),
            "base_url",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": "http://user:pass@127.0.0.1/"}),
            "base_url",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "timeouts": {"connect": "5"}}),
            "timeouts.connect",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "queue_timeout": 5}),
            "queue_timeout",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "fallbacks": ["c"]}),
            "fallbacks[0]",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "headers": {"host": "x"}}),
            "headers.host",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "api_key": "käse"}),
            "api_key",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "api_key": "sk-…aaaa"}),
            "api_key",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "api_keys": ["k1", "k1"]}),
            "api_keys[1]",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": url, "default": true}),
            "default",
        ),
        (
            json!({"kind": "openai-compatible", "base_uri": url}),
            "base_uri",
        ),
    ] {
        let problem = refused(&app, "b", value.clone(), 422).await;
        let found = &problem["errors"][0]["field"];
        assert_eq!(found, field, "{value}: {problem}");
    }
    // The environment is nobody's business.
    let literal = json!({"kind": "simulated", "model": "${HOME}"});
    let made = put(&app, "c", &literal).await;
    assert_eq!(made["value"]["model"], "${HOME}");
    assert_eq!(send(&app, Method::DELETE, "/c", None).await.status(), 204);
    let problem = refused(&app, "a%20b", json!({"kind": "simulated"}), 422).await;
    assert_eq!(problem["errors"][0]["field"], "name");
    assert_eq!(get(&app, "").await.as_array().unwrap().len(), 1);
    // The last provider that is enabled stays so.
    let problem = refused(
        &app,
        "a",
        json!({"kind": "simulated", "enabled": false}),
        422,
    )
    .await;
    assert!(
        problem.to_string().contains("no provider is enabled"),
        "{problem}"
    );
    assert_eq!(send(&app, Method::DELETE, "/a", None).await.status(), 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_others_survives() {
    let mut config = config();
    config.providers.push(simulated("down", Fault::Refuse));
    config.models = vec![model("m", &["down", "a"])];
    let app = TestApp::start(config).await;
    assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    let failures = || {
        let targets =
            server::availability::Availability::of(&app.app().gateway.policies()).targets();
        let down = targets
            .into_iter()
            .find(|target| target.provider.name == "down");
        down.unwrap().failures_in_a_row
    };
    let before = failures();
    assert!(before > 0);
    put(&app, "new", &json!({"kind": "simulated"})).await;
    put(&app, "a", &json!({"kind": "simulated", "queue": 1})).await;
    assert_eq!(failures(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_key_the_gateway_serves_what_it_can() {
    let upstream = upstream().await;
    let mut app = TestApp::start(config()).await;
    put(&app, "up", &value(&upstream, FIRST)).await;
    app.stop().await;

    let mut again = config();
    (again.server.port, again.admin.port) = (0, 0);
    again.database.url = format!("sqlite:{}", app.database.display());
    let right = std::fs::read_to_string(app.database.with_extension("db.secret-key")).unwrap();
    let key = |byte: &str| Some(Secret::new(byte.repeat(32)));
    let enabled = async |config: &Config| {
        let app = App::start(config).await.unwrap();
        let policies = app.gateway.policies();
        let upstreams = policies.upstreams.iter();
        let enabled: Vec<_> = upstreams
            .map(|up| (up.name.to_string(), up.enabled))
            .collect();
        drop(policies);
        app.stop().await;
        enabled
    };
    let with = |up: bool| vec![("a".to_owned(), true), ("up".to_owned(), up)];
    assert_eq!(enabled(&again).await, with(true));
    again.secret.key = key("01");
    assert_eq!(enabled(&again).await, with(false), "another key");
    again.secret.previous_key = Some(Secret::new(right.trim()));
    assert_eq!(enabled(&again).await, with(true), "encrypted anew");
    again.secret.previous_key = None;
    assert_eq!(enabled(&again).await, with(true), "with the new key alone");
    again.secret.key = None;
    assert_eq!(
        enabled(&again).await,
        with(false),
        "the former one is of no use"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_others_can_read_is_not_used() {
    let upstream = upstream().await;
    let app = TestApp::start(config()).await;
    let file = app.database.with_extension("db.secret-key");
    std::fs::write(&file, "x").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let problem = refused(&app, "up", value(&upstream, FIRST), 409).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("chmod 600"), "{detail}");
    assert!(!detail.contains(FIRST));
    // Nothing is secret about this one.
    put(&app, "b", &json!({"kind": "simulated"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_know_providers_that_were_made() {
    let mut config = config();
    config.keys = vec![key("k", "client-key")];
    let app = TestApp::start(config).await;
    put(
        &app,
        "b",
        &json!({"kind": "simulated", "model": "simulated"}),
    )
    .await;
    let keys = app.client.put(app.admin_url("/api/v1/keys/k"));
    let keys = keys.bearer_auth(TOKEN).json(&json!({"providers": ["b"]}));
    assert_eq!(keys.send().await.unwrap().status(), 200);
    let refused = send(&app, Method::DELETE, "/b", None).await;
    assert_eq!(refused.status(), 409);
    let asked = app.chat(&hello("b/simulated")).bearer_auth("client-key");
    assert_eq!(asked.send().await.unwrap().status(), 200);
}
