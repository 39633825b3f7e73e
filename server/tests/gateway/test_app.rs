//! The gateway under test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{self, Config, Key, Model, Provider, Secret, Target};
use shared::policies::ClientKey;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::upstream::Upstream;

/// Long enough for anything that should happen at once, on a busy machine.
pub const SOON: Duration = Duration::from_secs(10);
/// More than the gateway itself allows for anything that has no end of its own.
const HANGS: Duration = Duration::from_secs(60);

/// A wait that fails its test instead of going on for ever.
async fn bounded<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(HANGS, wait).await {
        Ok(done) => done,
        Err(_) => panic!("{what} hangs"),
    }
}

/// A running gateway. Dropping it stops it and checks that every request was recorded, once: use it
/// on a runtime with several threads.
pub struct TestApp {
    app: Option<App>,
    pub client: Client,
    pub database: PathBuf,
    recorded: AtomicU64,
    _folder: TempDir,
}

impl TestApp {
    /// The gateway as it is without any configuration.
    pub async fn simulated() -> Self {
        Self::start(Config::default()).await
    }

    /// In front of one upstream, which is the default provider.
    pub async fn before(upstream: &Upstream) -> Self {
        Self::start(config_for(upstream)).await
    }

    /// With this configuration, but on free ports and over a temporary database. Each request goes upstream.
    pub async fn start(mut config: Config) -> Self {
        config.cache.enabled = false;
        Self::caching(config).await
    }

    /// The same, with the cache as it is configured.
    pub async fn caching(mut config: Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for provider in &mut config.providers {
            // Upstreams count what they are asked.
            provider.health.enabled.get_or_insert(false);
        }
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("gateway.db");
        config.server.port = 0;
        config.admin.port = 0;
        config.database.url = format!("sqlite:{}", database.display());
        let app = bounded("the start", Box::pin(App::start(&config)))
            .await
            .unwrap();
        Self {
            app: Some(app),
            client: Client::builder().timeout(SOON).build().unwrap(),
            database,
            recorded: AtomicU64::new(0),
            _folder: folder,
        }
    }

    pub fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app().client_address)
    }

    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app().admin_address)
    }

    /// A chat completion, which is to be recorded.
    pub fn chat(&self, body: &Value) -> RequestBuilder {
        self.chat_bytes(body.to_string())
    }

    /// The same with a body that may be anything.
    pub fn chat_bytes(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.expect_record();
        self.client
            .post(self.url("/v1/chat/completions"))
            .header("content-type", "application/json")
            .body(body)
    }

    /// Another JSON request, which is to be recorded.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.expect_record();
        self.client
            .post(self.url(path))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// One more request that is to be recorded.
    pub fn expect_record(&self) {
        self.recorded.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until the database holds every record that there is.
    pub async fn flush(&self) {
        let flushed = self.app().gateway.recorder().flush();
        bounded("the recorder", flushed).await;
    }

    /// The rows of a query.
    pub async fn rows(&self, sql: &'static str) -> Vec<SqliteRow> {
        let read = async {
            let mut connection = self.connect().await;
            sqlx::query(sql).fetch_all(&mut connection).await
        };
        bounded("the database", read).await.unwrap()
    }

    /// The only record, as soon as it is there.
    pub async fn record(&self) -> SqliteRow {
        let until = Instant::now() + SOON;
        loop {
            self.flush().await;
            let mut rows = self.rows("SELECT * FROM requests").await;
            if let Some(row) = rows.pop() {
                assert!(rows.is_empty(), "one record");
                return row;
            }
            assert!(Instant::now() < until, "no record");
        }
    }

    /// All records in the order of their writing, as soon as there are so many.
    pub async fn records(&self, count: usize) -> Vec<SqliteRow> {
        let until = Instant::now() + SOON;
        loop {
            self.flush().await;
            let rows = self.rows("SELECT * FROM requests ORDER BY seq").await;
            if rows.len() == count {
                return rows;
            }
            assert!(Instant::now() < until, "{} records", rows.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A connection of somebody else's to the database.
    pub async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(&self.database);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Stops the gateway, as SIGTERM does.
    pub async fn stop(&mut self) {
        if let Some(app) = self.app.take() {
            bounded("the stop", app.stop()).await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let expected = i64::try_from(self.recorded.load(Ordering::Relaxed)).unwrap();
        tokio::task::block_in_place(|| {
            Handle::current().block_on(async {
                self.stop().await;
                let rows = self.rows("SELECT COUNT(*) FROM requests").await;
                assert_eq!(rows[0].get::<i64, _>(0), expected, "recorded requests");
            });
        });
    }
}

/// A configuration with one provider, `up`, which takes everything.
pub fn config_for(upstream: &Upstream) -> Config {
    Config {
        providers: vec![provider("up", upstream, true)],
        ..Config::default()
    }
}

pub fn provider(name: &str, upstream: &Upstream, default: bool) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: "openai-compatible".to_owned(),
        base_url: Some(upstream.url("/v1")),
        api_key: Some(Secret::new(format!("key-of-{name}"))),
        enabled: true,
        default,
        ..Provider::default()
    }
}

/// A provider of another kind than the usual one.
pub fn provider_of_kind(kind: &str, name: &str, upstream: &Upstream, default: bool) -> Provider {
    Provider {
        kind: kind.to_owned(),
        ..provider(name, upstream, default)
    }
}

/// A simulated provider, `name`, with this fault.
pub fn simulated(name: &str, fault: llm::simulated::Fault) -> Provider {
    Provider {
        name: name.to_owned(),
        simulated: config::Simulated {
            fault,
            ..config::Simulated::default()
        },
        default: false,
        ..Provider::built_in()
    }
}

/// A model whose requests go to these providers, in this order.
pub fn model(name: &str, providers: &[&str]) -> Model {
    Model {
        name: name.to_owned(),
        strategy: config::Strategy::Priority,
        targets: providers
            .iter()
            .map(|provider| Target {
                provider: (*provider).to_owned(),
                model: Some("backend-model".to_owned()),
                ..Target::default()
            })
            .collect(),
        ..Model::default()
    }
}

pub fn key(name: &str, key: &str) -> Key {
    Key {
        name: name.to_owned(),
        key: Some(Secret::new(key)),
        settings: ClientKey {
            enabled: true,
            ..ClientKey::default()
        },
    }
}

/// A request for `model` that says hello.
pub fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
}

pub fn streamed(mut request: Value) -> Value {
    request["stream"] = json!(true);
    request
}

/// The error object of a refusal, after a look at its shape.
pub async fn error(response: Response) -> Value {
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/json");
    let body: Value = response.json().await.unwrap();
    let error = body["error"].clone();
    assert!(error["message"].is_string(), "{body}");
    assert!(error["type"].is_string(), "{body}");
    for name in ["param", "code"] {
        assert!(error.get(name).is_some(), "{name} in {body}");
    }
    error
}
