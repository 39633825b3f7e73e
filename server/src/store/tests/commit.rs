//! The writer's transaction.

use super::*;

fn records(count: i64) -> Vec<RequestRecord> {
    (0..count).map(|i| record_at(NOON_US + i)).collect()
}

#[tokio::test]
async fn a_record_is_written_once() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let records = records(170);
    for (part, inserted, rollups) in [
        (0..30, 30, Rollups::Now),
        (0..70, 40, Rollups::Now),
        (20..90, 20, Rollups::Later),
        (0..90, 0, Rollups::Later),
        (0..170, 80, Rollups::Later),
        (0..170, 0, Rollups::Now),
    ] {
        let part = &records[part];
        let done = database.store.commit_these(part, &mut pending, rollups);
        assert_eq!(done.await.unwrap().inserted, inserted);
    }
    assert_eq!(
        database.store.requests_after(0, 1000).await.unwrap().len(),
        170
    );
    database.store.assert_rollups_agree().await;
}

#[tokio::test]
async fn a_failed_statement_leaves_no_trace() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let records = records(20);
    database
        .store
        .execute("CREATE TRIGGER no AFTER INSERT ON requests WHEN new.seq = 8 BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    for _ in 0..2 {
        let refused = database
            .store
            .commit_these(&records, &mut pending, Rollups::Later);
        refused.await.unwrap_err();
    }
    let there = database.store.requests_after(0, 1000).await.unwrap();
    assert_eq!(there.len(), 0);
    database.store.execute("DROP TRIGGER no").await;
    let done = database
        .store
        .commit_these(&records, &mut pending, Rollups::Later);
    assert_eq!(done.await.unwrap().inserted, 20);
    database
        .store
        .commit_these(&[], &mut pending, Rollups::Now)
        .await
        .unwrap();
    database.store.assert_rollups_agree().await;
}

#[tokio::test]
async fn a_failed_transaction_leaves_no_trace() {
    let database = Database::open().await;
    let mut pending = PendingRollups::default();
    let records = records(20);
    database
        .store
        .commit_these(&records[..10], &mut pending, Rollups::Now)
        .await
        .unwrap();
    database
        .store
        .execute("CREATE TRIGGER no BEFORE UPDATE ON rollup_watermark BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    // Rows and rollups were written before the watermark was refused.
    database
        .store
        .commit_these(&records[10..], &mut pending, Rollups::Now)
        .await
        .unwrap_err();
    assert_eq!(
        database.store.requests_after(0, 1000).await.unwrap().len(),
        10
    );
    database.store.execute("DROP TRIGGER no").await;
    database
        .store
        .commit_these(&records[10..], &mut pending, Rollups::Now)
        .await
        .unwrap();
    assert_eq!(
        database.store.requests_after(0, 1000).await.unwrap().len(),
        20
    );
    database.store.assert_rollups_agree().await;
}
