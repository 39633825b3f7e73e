//! Trouble with the database: requests are served on, and no record is lost.

use std::time::{Duration, Instant};

use sqlx::{Connection, Row};

use crate::test_app::{SOON, TestApp, hello};

/// Asks until `condition` holds, or gives up.
async fn soon(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + SOON * 3;
    while !condition().await {
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn serve_some(app: &TestApp, count: usize) {
    for _ in 0..count {
        let response = app.chat(&hello("simulated")).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

async fn recorded(app: &TestApp) -> i64 {
    app.rows("SELECT COUNT(*) FROM requests").await[0].get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locked() {
    let app = TestApp::simulated().await;
    serve_some(&app, 3).await;
    app.flush().await;
    let mut other = app.connect().await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let started = Instant::now();
    serve_some(&app, 20).await;
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "requests waited for the database"
    );
    let recorder = app.app().gateway.recorder();
    soon("trouble is told", async || {
        recorder.status().trouble.is_some()
    })
    .await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    soon("the records arrive", async || recorded(&app).await == 23).await;
    soon("trouble is over", async || {
        recorder.status().trouble.is_none()
    })
    .await;
    assert_eq!(recorder.status().lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted() {
    let app = TestApp::simulated().await;
    serve_some(&app, 3).await;
    app.flush().await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", app.database.display()));
    }
    serve_some(&app, 5).await;
    app.flush().await;
    soon("the records are in the new file", async || {
        app.database.exists() && recorded(&app).await == 8
    })
    .await;
    let query = shared::analytics::OverviewQuery::default();
    let overview = app
        .app()
        .store
        .overview(&query, chrono::Utc::now())
        .await
        .unwrap();
    assert_eq!(overview.totals.requests, 8);
}
