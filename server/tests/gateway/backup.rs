//! Backups and migrations: what is restored is what was there, whatever goes on meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use server::config::Config;
use server::store::{
    Store, StoreError, back_up, latest_schema, migrate_to, restore, try_migration,
};
use shared::policies::{Allowance, Budget, Period};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use crate::test_app::{SOON, TestApp, hello};

const CLIENTS: i64 = 6;

fn config() -> Config {
    let budget = Budget {
        enabled: true,
        allowance: Allowance {
            requests: Some(1_000_000),
            period: Period::Total,
            ..Allowance::default()
        },
        ..Budget::default()
    };
    let mut config = Config {
        budgets: [("team".to_owned(), budget)].into(),
        ..Config::default()
    };
    // What is answered is committed.
    config.recording.flush_interval = Duration::ZERO;
    config
}

async fn number(path: &Path, sql: &str) -> i64 {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let number = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    number
}

async fn recorded(path: &Path) -> i64 {
    number(path, "SELECT count(*) FROM requests").await
}

/// What the budget counts: of it the certain part.
async fn spent(path: &Path) -> (i64, i64) {
    let certain = "SELECT sum(requests) - sum(uncertain_requests) FROM budget_accounts";
    let uncertain = "SELECT sum(uncertain_requests) FROM budget_accounts";
    (number(path, certain).await, number(path, uncertain).await)
}

async fn execute(path: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_all_that_was_answered_and_budgets_agree() {
    let mut app = TestApp::start(config()).await;
    let folder = tempfile::tempdir().unwrap();
    let answered = Arc::new(AtomicI64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (answered, stop) = (Arc::clone(&answered), Arc::clone(&stop));
        let (client, url) = (app.client.clone(), app.url("/v1/chat/completions"));
        clients.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let body = hello("simulated").to_string();
                let response = client.post(&url).body(body).send().await.unwrap();
                assert_eq!(response.status(), 200);
                response.bytes().await.unwrap();
                answered.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    let mut backups = Vec::new();
    for i in 0..3 {
        let seen = answered.load(Ordering::SeqCst);
        while answered.load(Ordering::SeqCst) < seen + 20 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let before = answered.load(Ordering::SeqCst);
        let backup = folder.path().join(format!("{i}.backup"));
        let made = back_up(&app.database, &backup).await.unwrap();
        assert_eq!(made.schema, latest_schema());
        let after = answered.load(Ordering::SeqCst);
        backups.push((backup, before, after));
        let error = restore(&backups[0].0, &app.database).await.unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let total = answered.load(Ordering::SeqCst);
    for _ in 0..total {
        app.expect_record();
    }

    for (backup, before, after) in backups {
        let place = folder.path().join("restored.db");
        restore(&backup, &place).await.unwrap();
        let records = recorded(&place).await;
        assert!(
            (before..=after + CLIENTS).contains(&records),
            "{before} {records} {after}"
        );
        let (certain, uncertain) = spent(&place).await;
        assert!(
            certain + uncertain >= records,
            "{certain} + {uncertain} of {records}"
        );
        assert!(uncertain <= CLIENTS, "{uncertain}");
        assert!(certain <= after + CLIENTS, "{certain} of {after}");
        // The gateway takes it as it is, and it is not older for that.
        let store = Store::open(&format!("sqlite:{}", place.display()))
            .await
            .unwrap();
        store.close().await;
    }
    app.stop().await;
    let backup = folder.path().join("last.backup");
    let made = back_up(&app.database, &backup).await.unwrap();
    assert_eq!(made.open, 0);
    assert_eq!(recorded(&backup).await, total);
    assert_eq!(spent(&backup).await, (total, 0));
    // Nothing is restored over a file that is no backup, and nothing is overwritten.
    let nonsense = folder.path().join("nonsense");
    std::fs::write(&nonsense, "this is no database").unwrap();
    assert!(restore(&nonsense, &app.database).await.is_err());
    assert!(back_up(&app.database, &nonsense).await.is_err());
    assert_eq!(std::fs::read(&nonsense).unwrap(), b"this is no database");
    assert_eq!(recorded(&app.database).await, total);
}

/// A gateway that was killed leaves a ledger and a spool: a backup has what is in them, and needs neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_gateway_left_beside_the_database_is_in_its_backup() {
    let app = TestApp::start(config()).await;
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let response = app.chat(&hello("simulated")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }
    // As a kill would have left it: the ledger, and a database that has heard nothing of it.
    let left = folder.path().join("left.db");
    let ledger = |path: &Path| PathBuf::from(format!("{}.ledger", path.display()));
    let wait = tokio::time::Instant::now() + SOON;
    while !ledger(&app.database).exists() {
        assert!(tokio::time::Instant::now() < wait, "no ledger");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    back_up(&app.database, &left).await.unwrap();
    execute(
        &left,
        "DELETE FROM budget_accounts; UPDATE budget_journal SET generation = 0, position = 0",
    )
    .await;
    std::fs::copy(ledger(&app.database), ledger(&left)).unwrap();
    let backup = folder.path().join("killed.backup");
    back_up(&left, &backup).await.unwrap();
    assert_eq!(spent(&backup).await, (3, 0));

    // What was there is kept, with its ledger.
    let restored = restore(&backup, &left).await.unwrap();
    let before = restored.before.unwrap();
    assert!(ledger(&before).exists());
    assert!(!ledger(&left).exists());
    assert_eq!(recorded(&before).await, 3);
    assert_eq!(recorded(&left).await, 3);
    #[cfg(unix)]
    for file in [&backup, &left] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

/// The files beside the database that were made before a migration.
fn kept_before_migrations(database: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(database.parent().unwrap()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.to_str().unwrap().contains(".before-migration-"));
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_database_is_kept_as_it_was_before_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gateway.db");
    let url = format!("sqlite:{}", database.display());
    std::fs::write(&database, "").unwrap();
    let migrated = migrate_to(&database, Some(4), true).await.unwrap();
    assert_eq!((migrated.from, migrated.steps.len()), (0, 4));
    assert_eq!(migrated.backup, None, "of nothing");
    execute(&database, "INSERT INTO settings VALUES ('a', 'b', 0)").await;

    let tried = try_migration(&database, None).await.unwrap();
    assert_eq!(tried.from, 4);
    assert_eq!(tried.steps.last().unwrap().version, latest_schema());
    let table = "SELECT count(*) FROM sqlite_master WHERE name = 'budget_accounts'";
    assert_eq!(number(&database, table).await, 0, "it was tried on a copy");

    let migrated = migrate_to(&database, Some(5), true).await.unwrap();
    assert_eq!(migrated.steps.len(), 1);
    assert_eq!(
        kept_before_migrations(&database),
        [migrated.backup.unwrap()]
    );
    for (wanted, way) in [(3, "restore a backup"), (9999, "up to")] {
        let error = migrate_to(&database, Some(wanted), true).await.unwrap_err();
        assert!(error.to_string().contains(way), "{error}");
    }

    let store = Store::open(&url).await.unwrap();
    let running = migrate_to(&database, None, true).await.unwrap_err();
    assert!(matches!(running, StoreError::InUse { .. }), "{running}");
    store.close().await;
    let kept = kept_before_migrations(&database);
    assert_eq!(kept.len(), 2);
    assert_eq!(number(&kept[1], table).await, 0);
    assert_eq!(number(&database, table).await, 1);
    // Nothing is to be done any more.
    Store::open(&url).await.unwrap().close().await;
    assert_eq!(kept_before_migrations(&database), kept);
    assert_eq!(migrate_to(&database, None, true).await.unwrap().steps, []);

    // The way back, again and again: a few are kept.
    for _ in 0..3 {
        restore(&kept[1], &database).await.unwrap();
        assert_eq!(number(&database, table).await, 0);
        assert_eq!(
            number(&database, "SELECT count(*) FROM settings WHERE name = 'a'").await,
            1
        );
        let again = folder.path().join("again.db");
        std::fs::rename(&kept[1], &again).unwrap();
        Store::open(&url).await.unwrap().close().await;
        std::fs::rename(&again, &kept[1]).unwrap();
    }
    assert!(kept_before_migrations(&database).len() <= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gateway.db");
    let url = format!("sqlite:{}", database.display());
    Store::open(&url).await.unwrap().close().await;
    execute(
        &database,
        "INSERT INTO _sqlx_migrations VALUES (8888, 'x', 0, 1, x'00', 1), (9999, 'y', 0, 1, x'00', 1);
         UPDATE settings SET value = '99.1.0' WHERE name = 'gateway.version'",
    )
    .await;
    let place = folder.path().join("other.db");
    for error in [
        Store::open(&url).await.unwrap_err(),
        restore(&database, &place).await.unwrap_err(),
        back_up(&database, &place).await.unwrap_err(),
        migrate_to(&database, None, true).await.unwrap_err(),
    ] {
        let message = error.to_string();
        for word in [
            "99.1.0",
            "9999",
            env!("CARGO_PKG_VERSION"),
            &latest_schema().to_string(),
        ] {
            assert!(message.contains(word), "{word} in {message}");
        }
    }
    assert!(!place.exists());
    assert_eq!(
        number(&database, "SELECT max(version) FROM _sqlx_migrations").await,
        9999
    );
}
