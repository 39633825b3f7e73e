//! The audit log: what it tells, and what of it nobody changes unnoticed.

use std::path::{Path, PathBuf};

use chrono::Utc;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::app::App;
use server::config::{Config, Secret};
use server::store::{Change, ChangedSecrets, Store, What, verify_audit_of};
use shared::audit::{ChainProblemKind, ChainReport};
use shared::policies::PolicyKind;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};

use crate::test_app::{TestApp, simulated};

const TOKEN: &str = "the-token-of-these-tests";

async fn app() -> TestApp {
    let mut config = Config {
        providers: vec![simulated("a", llm::simulated::Fault::None)],
        ..Config::default()
    };
    config.admin.token = Some(Secret::new(TOKEN));
    TestApp::start(config).await
}

async fn ask(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = app.client.request(method, app.admin_url(path));
    let request = request.bearer_auth(TOKEN);
    let request = request.header("x-change-reason", "because");
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Value {
    let response = ask(app, Method::GET, path, None).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_listed_with_what_they_did() {
    let app = app().await;
    let limit = |requests: u64| json!({"per": "address", "rate": {"requests": requests, "window_seconds": 60}});
    let path = "/api/v1/limits/one";
    for requests in [1000, 2000] {
        let made = ask(&app, Method::PUT, path, Some(limit(requests))).await;
        assert!(made.status().is_success());
    }
    let prompt = json!({"text": "'; DROP TABLE changes; --"});
    let made = ask(&app, Method::PUT, "/api/v1/system-prompts/p", Some(prompt)).await;
    assert!(made.status().is_success());
    let gone = ask(&app, Method::DELETE, path, None).await;
    assert!(gone.status().is_success());

    let all = get(&app, "/api/v1/audit").await;
    let all = all.as_array().unwrap();
    let what: Vec<_> = all
        .iter()
        .map(|entry| {
            (
                entry["name"].as_str().unwrap(),
                entry["version"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(what, [("one", 3), ("p", 1), ("one", 2), ("one", 1)]);
    assert_eq!(
        all[2]["diff"],
        json!([{"field": "rate.requests", "before": 1000, "after": 2000}])
    );
    assert_eq!(all[2]["reason"], "because");
    assert_eq!(all[2]["what"], "put");
    assert_eq!(all[3]["diff"][0]["field"], "");
    assert_eq!(all[3]["diff"][0]["after"]["rate"]["requests"], 1000);
    assert!(all[0]["diff"][0].get("after").is_none(), "{}", all[0]);

    let by = all[0]["by"].as_str().unwrap();
    let at = all[2]["at"].as_str().unwrap();
    for (query, names) in [
        ("kind=system_prompt".to_owned(), &["p"][..]),
        ("kind=limit&name=one".to_owned(), &["one", "one", "one"]),
        (format!("by={by}"), &["one", "p", "one", "one"]),
        ("by=nobody-at-all".to_owned(), &[]),
        (format!("from={at}"), &["one", "p", "one"]),
        (format!("to={at}"), &["one"]),
        ("name=%27%20OR%201%3D1%20--".to_owned(), &[]),
    ] {
        let found = get(&app, &format!("/api/v1/audit?{query}")).await;
        let found = found.as_array().unwrap().iter();
        let found: Vec<_> = found.map(|entry| entry["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
    }
    for wrong in ["from=yesterday", "kinds=limit", "after=-1"] {
        let response = ask(&app, Method::GET, &format!("/api/v1/audit?{wrong}"), None).await;
        assert_eq!(response.status(), 400, "{wrong}");
    }

    let mut next = Some("/api/v1/audit?limit=3".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = next {
        let response = ask(&app, Method::GET, &path, None).await;
        next = response.headers().get("link").map(|link| {
            let link = link.to_str().unwrap();
            link[1..link.find('>').unwrap()].to_owned()
        });
        let page: Vec<Value> = response.json().await.unwrap();
        seen.extend(page.iter().map(|entry| entry["seq"].as_u64().unwrap()));
    }
    assert_eq!(seen, [4, 3, 2, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_gateway_finds_an_altered_entry() {
    let app = app().await;
    for text in ["one", "two"] {
        let prompt = Some(json!({ "text": text }));
        let made = ask(&app, Method::PUT, "/api/v1/system-prompts/p", prompt).await;
        assert!(made.status().is_success());
    }
    let report = get(&app, "/api/v1/audit/verify").await;
    assert_eq!(report["intact"], true);
    assert_eq!(report["entries"], 2);
    let first = get(&app, "/api/v1/audit").await[1]["hash"].clone();
    let first = first.as_str().unwrap();
    let path = format!("/api/v1/audit/verify?includes={first}");
    assert_eq!(get(&app, &path).await["intact"], true);
    let other = format!("/api/v1/audit/verify?includes={}", "0".repeat(64));
    assert_eq!(
        get(&app, &other).await["problems"][0]["kind"],
        "not_included"
    );
    let wrong = ask(&app, Method::GET, "/api/v1/audit/verify?includes=abc", None).await;
    assert_eq!(wrong.status(), 400);

    let mut connection = app.connect().await;
    sqlx::query("UPDATE changes SET changed_by = 'somebody else' WHERE seq = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    let report = get(&app, "/api/v1/audit/verify").await;
    assert_eq!(report["intact"], false);
    assert_eq!(report["problems"][0]["seq"], 1);
    assert_eq!(report["problems"][0]["kind"], "altered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_listed_as_such() {
    for (sql, problem) in [
        (
            "UPDATE changes SET what = 'nonsense' WHERE seq = 2",
            "what = \"nonsense\"",
        ),
        (
            "UPDATE changes SET value = NULL WHERE seq = 2",
            "what = \"put\" without a value",
        ),
        (
            "UPDATE changes SET what = 'delete' WHERE seq = 2",
            "what = \"delete\" with a value",
        ),
        (
            "UPDATE changes SET value = '{' WHERE seq = 2",
            "value is not JSON",
        ),
        (
            "UPDATE changes SET changed_by = CAST(x'ff' AS TEXT) WHERE seq = 2",
            "changed_by is not UTF-8",
        ),
        (
            "UPDATE changes SET value = CAST(x'ff' AS TEXT) WHERE seq = 2",
            "value is not UTF-8",
        ),
        (
            "UPDATE changes SET changed_at_us = 9223372036854775807 WHERE seq = 2",
            "changed_at_us",
        ),
        (
            "UPDATE changes SET version = -1 WHERE seq = 2",
            "version = -1",
        ),
    ] {
        let app = app().await;
        for text in ["one", "two", "three"] {
            let prompt = Some(json!({ "text": text }));
            let made = ask(&app, Method::PUT, "/api/v1/system-prompts/p", prompt).await;
            assert!(made.status().is_success());
        }
        let mut connection = app.connect().await;
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        let all = get(&app, "/api/v1/audit").await;
        let what: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (entry["seq"].as_u64(), entry["what"].as_str()))
            .collect();
        assert_eq!(
            what,
            [
                (Some(3), Some("put")),
                (Some(2), Some("unreadable")),
                (Some(1), Some("put"))
            ],
            "{sql}"
        );
        let said = all[1]["problem"].as_str().unwrap();
        assert!(said.contains(problem), "{sql}: {said}");
        let report = get(&app, "/api/v1/audit/verify").await;
        assert_eq!(report["problems"][0]["seq"], 2, "{sql}: {report}");
        // Nor does it hide what a policy was before and after.
        let versions = get(&app, "/api/v1/system-prompts/p/versions").await;
        assert_eq!(versions.as_array().unwrap().len(), 3, "{sql}");
        let restored = "/api/v1/system-prompts/p/versions/2/restore";
        let restored = ask(&app, Method::POST, restored, None).await.status();
        assert!(
            restored.is_success() || restored == 404,
            "{sql}: {restored}"
        );
    }
}

/// Somebody who can write to the file makes one edit unreadable, so that the others are forgotten with the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_change_takes_no_other_along_and_opens_no_door() {
    let mut app = app().await;
    let limit = json!({"per": "address", "rate": {"requests": 1000, "window_seconds": 60}});
    let made = ask(&app, Method::PUT, "/api/v1/limits/one", Some(limit)).await;
    assert!(made.status().is_success());
    let key = Some(json!({"name": "team"}));
    let made = ask(&app, Method::POST, "/api/v1/keys", key).await;
    assert_eq!(made.status(), 201);
    let prompt = Some(json!({"text": "one"}));
    let made = ask(&app, Method::PUT, "/api/v1/system-prompts/p", prompt).await;
    assert!(made.status().is_success());
    app.stop().await;
    let mut connection = app.connect().await;
    sqlx::raw_sql("UPDATE changes SET what = 'nonsense' WHERE kind IN ('system_prompt', 'key')")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut config = Config {
        providers: vec![simulated("a", llm::simulated::Fault::None)],
        ..Config::default()
    };
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&config).await.unwrap();
    let policies = again.gateway.policies();
    assert!(!policies.keys.is_open(), "the key is off, not gone");
    let limits = again.in_force.policies(PolicyKind::Limit).await;
    assert_eq!(limits.len(), 1);
    drop(policies);
    again.stop().await;
}

/// A closed database with six changes.
async fn written(folder: &Path) -> PathBuf {
    let path = folder.join("written.db");
    let store = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let change = |name: &str, version, what| Change {
        kind: "limit".to_owned(),
        name: name.to_owned(),
        version,
        what,
        reason: (version == 2).then(|| "a reason".to_owned()),
        by: "ada".to_owned(),
        at: Utc::now(),
    };
    let changes = [
        change("a", 1, What::Put("{\"x\":1}".to_owned())),
        change("b", 1, What::Put("{\"x\":1}".to_owned())),
        change("a", 2, What::Put("{\"x\":2}".to_owned())),
        change("a", 3, What::Delete),
        change("b", 2, What::Reset),
        change("a", 4, What::Put("{\"x\":3}".to_owned())),
    ];
    let none = ChangedSecrets::default();
    store.add_changes(&changes[..3], &none).await.unwrap();
    store.add_changes(&changes[3..], &none).await.unwrap();
    store.close().await;
    path
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What is found once somebody has run this SQL.
async fn after(path: &Path, sql: &'static str) -> ChainReport {
    let copy = path.with_file_name("copy.db");
    std::fs::copy(path, &copy).unwrap();
    let mut connection = connect(&copy).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    verify_audit_of(&copy, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_tampered_with_is_named() {
    use ChainProblemKind::{Altered, CutOff, Missing};
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path()).await;
    let report = verify_audit_of(&path, None).await.unwrap();
    assert!(report.intact, "{report:?}");
    assert_eq!(report.entries, 6);
    for (sql, problems) in [
        ("UPDATE changes SET value = '{\"x\":9}' WHERE seq = 3", &[(Altered, 3)][..]),
        ("UPDATE changes SET kind = 'budget' WHERE seq = 1", &[(Altered, 1)]),
        ("UPDATE changes SET name = 'c' WHERE seq = 1", &[(Altered, 1)]),
        ("UPDATE changes SET version = 9 WHERE seq = 5", &[(Altered, 5)]),
        ("UPDATE changes SET what = 'reset' WHERE seq = 4", &[(Altered, 4)]),
        ("UPDATE changes SET reason = NULL WHERE seq = 3", &[(Altered, 3)]),
        ("UPDATE changes SET reason = '' WHERE seq = 1", &[(Altered, 1)]),
        ("UPDATE changes SET changed_by = 'eve' WHERE seq = 2", &[(Altered, 2)]),
        ("UPDATE changes SET changed_by = CAST(x'ff' AS TEXT) WHERE seq = 2", &[(Altered, 2)]),
        ("UPDATE changes SET changed_at_us = 0 WHERE seq = 6", &[(Altered, 6)]),
        // Those that come after it were written after another one.
        ("UPDATE changes SET hash = zeroblob(32) WHERE seq = 2", &[(Altered, 2), (Altered, 3)]),
        ("DELETE FROM changes WHERE seq = 4", &[(Missing, 4)]),
        ("DELETE FROM changes WHERE seq <= 2", &[(Missing, 1)]),
        (
            "DELETE FROM changes WHERE seq = 3; UPDATE changes SET seq = seq - 1 WHERE seq > 3;
             UPDATE sqlite_sequence SET seq = 5 WHERE name = 'changes'",
            &[(Altered, 3)],
        ),
        (
            "INSERT INTO changes SELECT 7, kind, 'c', 1, what, value, reason, changed_by, changed_at_us, hash
             FROM changes WHERE seq = 1",
            &[(Altered, 7)],
        ),
        // One put in between.
        (
            "UPDATE changes SET seq = -seq WHERE seq > 2; UPDATE changes SET seq = 1 - seq WHERE seq < 0;
             INSERT INTO changes SELECT 3, kind, 'c', 1, what, value, reason, changed_by, changed_at_us, hash
             FROM changes WHERE seq = 1",
            &[(Altered, 3), (Altered, 4)],
        ),
        (
            "INSERT INTO changes SELECT -3, kind, 'c', 1, what, value, reason, changed_by, changed_at_us, hash
             FROM changes WHERE seq = 1",
            // It has no number, and hides what the first one comes after.
            &[(Altered, 0), (Missing, 0)],
        ),
        (
            "UPDATE changes SET seq = 100 WHERE seq = 2; UPDATE changes SET seq = 2 WHERE seq = 3;
             UPDATE changes SET seq = 3 WHERE seq = 100; UPDATE sqlite_sequence SET seq = 6 WHERE name = 'changes'",
            &[(Altered, 2), (Altered, 3), (Altered, 4)],
        ),
        ("DELETE FROM changes WHERE seq > 4", &[(CutOff, 5)]),
        ("DELETE FROM changes", &[(CutOff, 1)]),
    ] {
        let report = after(&path, sql).await;
        assert!(!report.intact, "{sql}");
        let found: Vec<_> = report
            .problems
            .iter()
            .map(|problem| (problem.kind, problem.seq.unwrap_or(0)))
            .collect();
        assert_eq!(found, problems, "{sql}: {report:?}");
    }
}

/// What the database cannot tell by itself, the hash can that was noted elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_noted_hash_tells_of_an_end_that_was_cut_off_with_its_traces() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path()).await;
    let noted = verify_audit_of(&path, None)
        .await
        .unwrap()
        .last_hash
        .unwrap();
    let cut = "DELETE FROM changes WHERE seq > 4; UPDATE sqlite_sequence SET seq = 4 WHERE name = 'changes'";
    assert!(after(&path, cut).await.intact);
    let copy = path.with_file_name("copy.db");
    let report = verify_audit_of(&copy, Some(&noted)).await.unwrap();
    let kinds: Vec<_> = report.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ChainProblemKind::NotIncluded]);
    // Hashes stay the same in a copy of the database.
    let mut connection = connect(&path).await;
    let kept = path.with_file_name("kept.db");
    sqlx::query("VACUUM INTO ?")
        .bind(kept.to_str().unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
    let report = verify_audit_of(&kept, Some(&noted)).await.unwrap();
    assert!(report.intact);
    let mut connection = connect(&kept).await;
    let hash = sqlx::query("SELECT lower(hex(hash)) FROM changes WHERE seq = 6")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(hash.get::<String, _>(0), noted);
}
