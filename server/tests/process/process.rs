//! The gateway as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Long enough for anything that should happen at once, on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

pub struct Gateway {
    child: Child,
    pub lines: Vec<String>,
    pub url: String,
    pub admin_url: String,
    pub client: Client,
}

/// A place for a gateway's files, which outlives it.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn database(folder: &Path) -> PathBuf {
    folder.join("gateway.db")
}

/// The binary on free ports over the database in `folder`, run by `shell`: a script that ends in
/// `exec "$@"`.
pub fn command(folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", shell, "sh", env!("CARGO_BIN_EXE_ai-gateway")])
        .current_dir(folder)
        .env("GATEWAY_SERVER_PORT", "0")
        .env("GATEWAY_ADMIN_PORT", "0")
        .env("GATEWAY_ADMIN_TOKEN", "the-admin-token")
        // Equal requests are to be asked upstream each time.
        .env("GATEWAY_CACHE_ENABLED", "false")
        .env("GATEWAY_DATABASE_URL", "sqlite:gateway.db")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
}

impl Gateway {
    pub fn start(folder: &Path) -> Self {
        Self::run(command(folder, "exec \"$@\""))
    }

    /// Waits until it has said where it is.
    pub fn run(mut command: Command) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = command.spawn().unwrap();
        let lines = said(child.stdout.take().unwrap());
        let url = |label: &str| {
            let line = lines.iter().find(|line| line.contains(label)).unwrap();
            let url = line.split_whitespace().last().unwrap();
            let end = url
                .match_indices('/')
                .nth(2)
                .map_or(url.len(), |(at, _)| at);
            url[..end].to_owned()
        };
        Self {
            url: url("Clients"),
            admin_url: url("Dashboard"),
            lines,
            child,
            client: Client::builder().timeout(SOON).build().unwrap(),
        }
    }

    pub fn chat(&self, stream: bool) -> reqwest::Result<Response> {
        let body = json!({
            "model": "simulated",
            "stream": stream,
            "messages": [{"role": "user", "content": "Hello"}],
        });
        let request = self
            .client
            .post(format!("{}/v1/chat/completions", self.url));
        request.body(body.to_string()).send()
    }

    /// What the admin API says of recording.
    pub fn recording(&self) -> Value {
        let request = self.client.get(format!("{}/api/v1/status", self.admin_url));
        let status: Value = request
            .bearer_auth("the-admin-token")
            .send()
            .and_then(Response::json)
            .unwrap();
        status["recording"].clone()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, as `kill` does.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the gateway does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What it says until it serves.
fn said(output: ChildStdout) -> Vec<String> {
    // Reading a pipe has no time limit: another thread does it.
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let until = Instant::now() + SOON;
    let mut lines: Vec<String> = Vec::new();
    while !lines.iter().any(|line| line.contains("curl")) {
        let left = until.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(line) => lines.push(line + "\n"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the gateway ended before it served: {lines:?}")
            }
            Err(RecvTimeoutError::Timeout) => panic!("the gateway does not serve: {lines:?}"),
        }
    }
    lines
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until `condition` holds, or fails.
pub fn soon(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Does something while another process than the gateway has the database locked.
pub fn locked<T>(folder: &Path, act: impl FnOnce() -> T) -> T {
    let runtime = runtime();
    let mut connection = runtime.block_on(connect(folder));
    runtime
        .block_on(sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection))
        .unwrap();
    let done = act();
    runtime
        .block_on(sqlx::query("ROLLBACK").execute(&mut connection))
        .unwrap();
    runtime.block_on(connection.close()).unwrap();
    done
}

/// How many requests the database holds, and how many its rollups per minute count.
pub fn recorded(folder: &Path) -> (i64, i64) {
    runtime().block_on(async {
        let mut connection = connect(folder).await;
        let sql = "SELECT (SELECT COUNT(*) FROM requests), \
                   (SELECT CAST(COALESCE(SUM(requests), 0) AS INTEGER) FROM rollups_minute)";
        sqlx::query_as(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    })
}

/// Runs SQL beside the gateway.
pub fn execute(folder: &Path, sql: &'static str) {
    runtime().block_on(async {
        let mut connection = connect(folder).await;
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

async fn connect(folder: &Path) -> SqliteConnection {
    let url = format!("sqlite:{}", database(folder).display());
    SqliteConnection::connect(&url).await.unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
