//! What was recorded, as operators ask for it.

use std::path::Path;

use llm::simulated::Fault;
use reqwest::Response;
use serde_json::{Value, json};
use server::config::{Config, Secret};
use shared::policies::{ClientKey, Project};
use sqlx::{Connection, Row};

use crate::test_app::{TestApp, hello, key, model, simulated, streamed};

const TOKEN: &str = "the-token-of-these-tests";

/// Two models, one of which fails, and a client of a project.
async fn app() -> TestApp {
    let mut config = Config {
        providers: vec![
            simulated("good", Fault::None),
            simulated("bad", Fault::RateLimit),
        ],
        models: vec![model("works", &["good"]), model("fails", &["bad"])],
        ..Config::default()
    };
    config.models[1].retry.retries = 0;
    config.admin.token = Some(Secret::new(TOKEN));
    let mut client = key("team-a", "secret-of-team-a");
    client.settings = ClientKey {
        project: Some("research".to_owned()),
        ..client.settings
    };
    config.keys = vec![client, key("team-b", "secret-of-team-b")];
    let project = Project {
        enabled: true,
        ..Project::default()
    };
    config.projects = [("research".to_owned(), project)].into();
    TestApp::start(config).await
}

async fn ask(app: &TestApp, team: &str, body: &Value) -> String {
    let request = app.chat(body).bearer_auth(format!("secret-of-{team}"));
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    let id = id.to_owned();
    response.bytes().await.unwrap();
    id
}

async fn send(app: &TestApp, path: &str) -> Response {
    let request = app.client.get(app.admin_url(path)).bearer_auth(TOKEN);
    request.send().await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Value {
    let response = send(app, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

fn ids(log: &Value) -> Vec<&str> {
    let requests = log["requests"].as_array().unwrap().iter();
    requests.map(|one| one["id"].as_str().unwrap()).collect()
}

/// Four requests, in this order.
async fn some(app: &TestApp) -> [String; 4] {
    let ids = [
        ask(app, "team-a", &hello("works")).await,
        ask(app, "team-a", &hello("fails")).await,
        ask(app, "team-b", &streamed(hello("works"))).await,
        ask(
            app,
            "team-b",
            &hello("there' is \"no\" such; DROP TABLE requests; --"),
        )
        .await,
    ];
    app.records(4).await;
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_found_by_what_they_were() {
    let app = app().await;
    let [works, fails, stream, unknown] = some(&app).await;
    let (works, fails) = (works.as_str(), fails.as_str());
    let (stream, unknown) = (stream.as_str(), unknown.as_str());
    for (query, found) in [
        ("", vec![unknown, stream, fails, works]),
        ("?model=works", vec![stream, works]),
        ("?provider=bad", vec![fails]),
        ("?key=team-b", vec![unknown, stream]),
        ("?project=research", vec![fails, works]),
        ("?project=research&status=200", vec![works]),
        ("?status=4xx", vec![unknown, fails]),
        ("?outcome=failed", vec![unknown, fails]),
        ("?error_kind=rate_limited", vec![fails]),
        ("?dialect=openai_chat&key=team-a", vec![fails, works]),
        ("?dialect=gemini", vec![]),
        ("?cached=true", vec![]),
        ("?cached=false&key=team-a", vec![fails, works]),
        ("?shadow=true", vec![]),
        ("?from=2020-01-01&to=2021-01-01", vec![]),
        (
            "?from=2020-01-01T00:00:00Z&model=works",
            vec![stream, works],
        ),
        ("?search=DROP%20table", vec![unknown]),
        ("?search=%25", vec![]),
        ("?search=WORK", vec![stream, works]),
        (
            "?model=there'%20is%20%22no%22%20such;%20DROP%20TABLE%20requests;%20--",
            vec![unknown],
        ),
        ("?limit=2&key=team-a&model=works", vec![works]),
    ] {
        let log = get(&app, &format!("/api/v1/requests{query}")).await;
        assert_eq!(ids(&log), found, "{query}");
    }
    let log = get(&app, &format!("/api/v1/requests?search={fails}")).await;
    assert_eq!(ids(&log), [fails]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_on_where_the_one_before_ended() {
    let app = app().await;
    let all = some(&app).await;
    let mut found = Vec::new();
    let mut path = "/api/v1/requests?limit=1".to_owned();
    loop {
        let page = get(&app, &path).await;
        found.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/requests?limit=1&cursor={next}");
        // It is newer than all of these.
        ask(&app, "team-a", &hello("works")).await;
        app.flush().await;
    }
    let expected: Vec<_> = all.into_iter().rev().collect();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_is_told_with_all_that_is_known() {
    let app = app().await;
    let [_, fails, stream, _] = some(&app).await;
    let request = get(&app, &format!("/api/v1/requests/{stream}")).await;
    assert_eq!(request["id"], stream);
    assert_eq!(request["model"], "works");
    assert_eq!(request["key"], "team-b");
    assert_eq!(request["stream"], true);
    assert_eq!(request["outcome"], "finished");
    assert_eq!(request["attempt_count"], 1);
    assert_eq!(request["attempts"][0]["provider"], "good");
    assert_eq!(request["attempts"][0]["status"], 200);
    assert_eq!(request["guardrails"], json!([]));
    assert!(request["latency_ms"].as_f64() >= request["first_token_ms"].as_f64());
    let request = get(&app, &format!("/api/v1/requests/{fails}")).await;
    assert_eq!(request["project"], "research");
    assert_eq!(request["error_kind"], "rate_limited");
    assert_eq!(request["attempts"][0]["error_kind"], "rate_limited");
    for missing in [
        "018f0000-0000-7000-8000-000000000000",
        "x'%20OR%201=1",
        "none",
    ] {
        let response = send(&app, &format!("/api/v1/requests/{missing}")).await;
        assert_eq!(response.status(), 404, "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_told_of_each_parameter() {
    let app = app().await;
    for (path, wrong) in [
        (
            "requests?status=abc&outcome=well&limit=0",
            vec!["status", "outcome", "limit"],
        ),
        ("requests?from=yesterday&cached=1", vec!["from", "cached"]),
        ("requests?from=2026-01-02&to=2026-01-01", vec!["to"]),
        ("requests?cursor=r1'%20OR%20'1'='1", vec!["cursor"]),
        ("requests?limit=1001", vec!["limit"]),
        ("requests?modle=x", vec!["modle"]),
        ("requests?model=a&model=b", vec!["model"]),
        (
            "usage?group_by=model,seq;--&interval=week",
            vec!["group_by", "interval"],
        ),
        ("usage?limit=3", vec!["limit"]),
        ("export/csv?view=changes", vec!["view"]),
        ("export/csv?view=hourly&model=x", vec!["model"]),
        ("export/sqlite?table=settings", vec!["table"]),
    ] {
        let response = send(&app, &format!("/api/v1/{path}")).await;
        assert_eq!(response.status(), 400, "{path}");
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/problem+json", "{path}");
        let problem: Value = response.json().await.unwrap();
        let errors = problem["errors"].as_array().unwrap();
        let fields: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
        assert_eq!(fields, wrong, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_summed_up_by_anything() {
    let app = app().await;
    some(&app).await;
    let usage = get(&app, "/api/v1/usage").await;
    assert_eq!(usage["rows"].as_array().unwrap().len(), 1);
    assert_eq!(usage["total"]["requests"], 4);
    assert_eq!(usage["total"]["errors"], 2);
    assert_eq!(usage["rows"][0]["group"], json!({}));
    let by = get(&app, "/api/v1/usage?group_by=project,status&interval=day").await;
    let mut rows: Vec<_> = by["rows"].as_array().unwrap().iter().collect();
    rows.sort_by_key(|row| row["group"].to_string());
    let counts: Vec<_> = rows
        .iter()
        .map(|row| (&row["group"], &row["requests"]))
        .collect();
    assert_eq!(
        counts,
        [
            (&json!({"project": "research", "status": 200}), &json!(1)),
            (&json!({"project": "research", "status": 429}), &json!(1)),
            (&json!({"project": null, "status": 200}), &json!(1)),
            (&json!({"project": null, "status": 404}), &json!(1)),
        ]
    );
    let one = get(&app, "/api/v1/usage?key=team-a&status=2xx&group_by=model").await;
    assert_eq!(one["rows"][0]["group"]["model"], "works");
    assert_eq!(one["total"]["requests"], 1);
    assert!(one["total"]["latency"]["p95_ms"].as_f64().unwrap() > 0.0);
    let none = get(&app, "/api/v1/usage?key=team-a'%20OR%201=1%20--").await;
    assert_eq!(none["total"]["requests"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_and_health_are_told() {
    let mut config = Config::default();
    config.admin.token = Some(Secret::new(TOKEN));
    config.prices = vec![server::config::PriceOverride {
        provider: None,
        model: "*".to_owned(),
        ..server::config::PriceOverride::default()
    }];
    let app = TestApp::start(config).await;
    let prices = get(&app, "/api/v1/prices").await;
    let prices = prices.as_array().unwrap();
    assert_eq!(prices[0]["source"], "configured");
    assert_eq!(prices[0]["model"], "*");
    let known = prices
        .iter()
        .find(|price| price["provider"] == "openai" && price["model"] == "gpt-4o")
        .unwrap();
    assert_eq!(known["source"], "built_in");
    assert_eq!(known["unit"]["kind"], "million_tokens");
    assert_eq!(known["unit"]["input_nanos"], 2_500_000_000_u64);
    assert!(prices.iter().any(|price| price["unit"]["kind"] == "image"));
    let health = get(&app, "/api/v1/health").await;
    assert_eq!(health["state"], "healthy", "{health}");
    assert_eq!(health["database"]["state"], "healthy");
    assert!(health["database"]["file_bytes"].as_u64().unwrap() > 0);
    assert_eq!(health["recording"]["lost"], 0);
    assert!(health["recording"]["queue_size"].as_u64().unwrap() > 0);
    assert_eq!(health["providers"][0]["up"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_agree_with_usage_and_hold_no_secret() {
    let app = app().await;
    some(&app).await;
    let total = get(&app, "/api/v1/usage").await["total"].clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let response = send(&app, "/api/v1/export/sqlite").await;
    assert_eq!(
        response.headers()["content-type"],
        "application/vnd.sqlite3"
    );
    let length = response.content_length().unwrap();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, length);
    for secret in [
        "secret-of-team-a",
        TOKEN,
        "changes",
        "key_secrets",
        "settings",
    ] {
        let mut windows = bytes.windows(secret.len());
        let found = windows.any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    std::fs::write(&file, &bytes).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut database = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let sums = |view| {
        format!(
            "SELECT CAST(sum(input_tokens) AS INTEGER), CAST(sum(cost_nanos) AS INTEGER) FROM {view}"
        )
    };
    let mut found = Vec::new();
    for view in ["usage_requests", "usage_hourly", "usage_daily"] {
        let row = sqlx::query(sqlx::AssertSqlSafe(sums(view)))
            .fetch_one(&mut database)
            .await
            .unwrap();
        found.push((
            row.get::<i64, _>(0),
            row.get::<Option<i64>, _>(1).unwrap_or(0),
        ));
    }
    let expected = (
        total["input_tokens"].as_i64().unwrap(),
        total["cost_nanos"].as_i64().unwrap(),
    );
    assert_eq!(found, [expected; 3]);

    let lines = send(&app, "/api/v1/export/jsonl?project=research").await;
    let lines = lines.text().await.unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line["project"] == "research"));
    let csv = send(&app, "/api/v1/export/csv?view=daily").await;
    let disposition = csv.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.contains("daily-"), "{disposition}");
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("day,requested_model,"), "{csv}");

    let mut left = std::fs::read_dir(app.database.parent().unwrap()).unwrap();
    let left = left.find(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".export-")
    });
    assert!(left.is_none(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_nobody_takes_leaves_nothing() {
    let app = app().await;
    some(&app).await;
    let response = send(&app, "/api/v1/export/sqlite").await;
    drop(response);
    let folder = app.database.parent().unwrap();
    let until = std::time::Instant::now() + crate::test_app::SOON;
    loop {
        let mut names = std::fs::read_dir(folder).unwrap();
        let left = names.any(|entry| {
            let name = entry.unwrap().file_name();
            name.to_string_lossy().contains(".export-")
        });
        if !left {
            break;
        }
        assert!(std::time::Instant::now() < until, "it is still there");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// `docs/export.md` has a table a view: each row's first cell is a column's name, the second its type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_says_what_the_views_have() {
    let app = TestApp::simulated().await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/export.md");
    let document = std::fs::read_to_string(file).unwrap();
    for (view, sql) in [
        (
            "usage_requests",
            "SELECT name, type FROM pragma_table_info('usage_requests') ORDER BY cid",
        ),
        (
            "usage_hourly",
            "SELECT name, type FROM pragma_table_info('usage_hourly') ORDER BY cid",
        ),
        (
            "usage_daily",
            "SELECT name, type FROM pragma_table_info('usage_daily') ORDER BY cid",
        ),
    ] {
        let section = document.split(&format!("## `{view}`\n")).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let documented: Vec<(String, String)> = section
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| `")?.split('|');
                let name = cells.next()?.trim().trim_end_matches('`');
                Some((name.to_owned(), cells.next()?.trim().to_owned()))
            })
            .collect();
        let rows = app.rows(sql).await;
        let columns: Vec<(String, String)> = rows
            .iter()
            .map(|row| {
                let kind: String = row.get("type");
                // As SQLite calls the type of a cast.
                let kind = if kind == "INT" { "INTEGER" } else { &kind };
                (row.get("name"), kind.to_lowercase())
            })
            .collect();
        assert_eq!(documented, columns, "{view}");
    }
}
