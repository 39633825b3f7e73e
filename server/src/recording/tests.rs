//! The writer, with its database and its disk in all kinds of trouble. Commits happen when a test
//! asks for them: the flush interval is an hour.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::status::RecordingStatus;
use tempfile::TempDir;

use super::samples::{NOON_US, record_at};
use super::{Recorder, RecordingSettings, RequestRecord};
use crate::store::Store;

struct Gateway {
    folder: TempDir,
    store: Store,
    recorder: Recorder,
}

fn settings(folder: &Path) -> RecordingSettings {
    RecordingSettings {
        flush_interval: Duration::from_secs(3600),
        queue_size: 100,
        spool_dir: folder.join("gateway.db.spool"),
        spool_max_bytes: 1 << 20,
        retention_days: 90,
        minute_retention_days: 14,
        hour_retention_days: 730,
    }
}

impl Gateway {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut RecordingSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        Self::start_in(folder, settings).await
    }

    async fn start_in(folder: TempDir, settings: RecordingSettings) -> Self {
        let url = format!("sqlite:{}", folder.path().join("gateway.db").display());
        let store = Store::open(&url).await.unwrap();
        let recorder = Recorder::start(settings, store.clone());
        Self {
            folder,
            store,
            recorder,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("gateway.db")
    }

    /// Another process's connection.
    async fn other(&self) -> sqlx::SqliteConnection {
        use sqlx::Connection;
        let url = format!("sqlite:{}", self.database().display());
        sqlx::SqliteConnection::connect(&url).await.unwrap()
    }

    fn record(&self, records: &[RequestRecord]) {
        for record in records {
            self.recorder.record(record.clone());
        }
    }

    async fn rows(&self) -> Vec<RequestRecord> {
        let rows = self.store.requests_after(0, 100_000).await.unwrap();
        rows.into_iter().map(|(_, record)| record).collect()
    }

    /// Flushes until the database has all that waits on disk.
    async fn settle(&self) {
        for _ in 0..100 {
            self.recorder.flush().await;
            let status = self.recorder.status();
            if status.spooled == 0 && status.trouble.is_none() {
                self.recorder.flush().await;
                return;
            }
        }
        panic!("never settled: {:?}", self.recorder.status());
    }

    async fn until(&self, wanted: impl Fn(&RecordingStatus) -> bool) {
        let until = async {
            while !wanted(&self.recorder.status()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), until)
            .await
            .is_err()
        {
            panic!("never came to be: {:?}", self.recorder.status());
        }
    }

    async fn assert_holds(&self, mut records: Vec<RequestRecord>) {
        let mut rows = self.rows().await;
        rows.sort_by_key(|record| record.started_at_us);
        records.sort_by_key(|record| record.started_at_us);
        assert_eq!(rows.len(), records.len());
        assert_eq!(rows, records);
        self.store.assert_rollups_agree().await;
    }
}

fn records(from: i64, count: i64) -> Vec<RequestRecord> {
    (from..from + count)
        .map(|i| record_at(NOON_US + i * 1_000_000))
        .collect()
}

#[tokio::test]
async fn records_are_committed_in_batches() {
    let gateway = Gateway::start().await;
    gateway.record(&records(0, 90));
    gateway.recorder.flush().await;
    gateway.assert_holds(gateway.rows().await).await;
    let status = gateway.recorder.status();
    assert_eq!((status.written, status.queued, status.lost), (90, 0, 0));
}

#[tokio::test]
async fn a_durable_record_is_committed_when_the_call_returns() {
    let gateway = Gateway::start_with(|settings| settings.flush_interval = Duration::ZERO).await;
    let records = records(0, 3);
    for record in &records {
        gateway.recorder.record_durably(record.clone()).await;
        assert_eq!(gateway.rows().await.last(), Some(record));
    }
    // Nothing asked for a flush: the row is there even so.
    gateway.recorder.record(record_at(NOON_US + 10_000_000));
    gateway.recorder.flush().await;
    assert_eq!(gateway.rows().await.len(), 4);
}

#[tokio::test]
async fn shutdown_writes_everything_and_what_comes_later_is_counted_as_lost() {
    let gateway = Gateway::start().await;
    let records = records(0, 100);
    gateway.record(&records);
    gateway.recorder.shutdown().await;
    gateway.assert_holds(records).await;
    gateway.recorder.record(record_at(NOON_US));
    assert_eq!(gateway.recorder.status().lost, 1);
}

#[tokio::test]
async fn the_writer_finishes_when_all_recorders_are_gone() {
    let gateway = Gateway::start().await;
    let records = records(0, 10);
    gateway.record(&records);
    let Gateway {
        folder: _folder,
        store,
        recorder,
    } = gateway;
    drop(recorder);
    let written = async {
        while store.requests_after(0, 100).await.unwrap().len() < records.len() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_queue_goes_to_disk_and_comes_back() {
    let gateway = Gateway::start_with(|settings| settings.queue_size = 4).await;
    let records = records(0, 20);
    // On one thread the writer cannot run in between.
    gateway.record(&records);
    assert_eq!(gateway.recorder.status().spooled, 16);
    gateway.settle().await;
    gateway.assert_holds(records).await;
    assert_eq!(gateway.recorder.status().lost, 0);
}

#[tokio::test]
async fn a_locked_database_costs_no_record() {
    let gateway = Gateway::start().await;
    let mut other = gateway.other().await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let records = records(0, 40);
    gateway.record(&records[..20]);
    gateway.recorder.flush().await;
    let status = gateway.recorder.status();
    assert_eq!((status.spooled, status.written), (20, 0));
    assert!(status.trouble.unwrap().contains("locked"));
    // On it goes, without waiting for the lock.
    gateway.record(&records[20..]);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    gateway.settle().await;
    gateway.assert_holds(records).await;
    assert!(!gateway.folder.path().join("gateway.db.spool").exists());
    assert_eq!(gateway.recorder.status().written, 40);
}

#[tokio::test]
async fn what_another_gateway_has_written_from_a_shared_spool_is_not_lost() {
    let gateway = Gateway::start().await;
    let mut other = gateway.other().await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    gateway.record(&records(0, 10));
    gateway.recorder.flush().await;
    assert_eq!(gateway.recorder.status().spooled, 10);
    // Whoever has written a segment removes it.
    let spool = gateway.folder.path().join("gateway.db.spool");
    for segment in std::fs::read_dir(spool).unwrap() {
        std::fs::remove_file(segment.unwrap().path()).unwrap();
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    gateway.settle().await;
    let status = gateway.recorder.status();
    assert_eq!((status.spooled, status.lost), (0, 0));
}

#[tokio::test]
async fn a_full_disk_costs_no_record() {
    let gateway = Gateway::start().await;
    let records = records(0, 400);
    let (before, rest) = records.split_at(50);
    gateway.record(before);
    gateway.recorder.flush().await;
    gateway.store.execute("PRAGMA max_page_count = 1").await;
    for part in rest.chunks(100) {
        gateway.record(part);
        gateway.recorder.flush().await;
    }
    let status = gateway.recorder.status();
    assert!(status.spooled > 0, "{status:?}");
    assert!(status.trouble.unwrap().contains("full"));
    gateway
        .store
        .execute("PRAGMA max_page_count = 1000000")
        .await;
    gateway.settle().await;
    gateway.assert_holds(records).await;
}

#[tokio::test]
async fn a_read_only_database_costs_no_record() {
    let gateway = Gateway::start().await;
    gateway.store.execute("PRAGMA query_only = ON").await;
    let records = records(0, 10);
    gateway.record(&records);
    gateway.recorder.flush().await;
    assert_eq!(gateway.recorder.status().spooled, 10);
    gateway.store.execute("PRAGMA query_only = OFF").await;
    gateway.settle().await;
    gateway.assert_holds(records).await;
}

#[tokio::test]
async fn a_deleted_database_is_restored() {
    let gateway = Gateway::start().await;
    let records = records(0, 60);
    gateway.record(&records[..30]);
    gateway.recorder.flush().await;
    gateway.store.set_setting("admin", "hash").await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(format!("{}{suffix}", gateway.database().display())).unwrap();
    }
    gateway.record(&records[30..]);
    gateway.settle().await;
    assert!(gateway.database().exists());
    gateway.assert_holds(records).await;
    assert_eq!(
        gateway.store.setting("admin").await.unwrap().as_deref(),
        Some("hash")
    );
    assert_eq!(gateway.recorder.status().lost, 0);
}

#[tokio::test]
async fn a_deleted_database_whose_log_is_left_is_restored() {
    let gateway = Gateway::start().await;
    let records = records(0, 60);
    gateway.record(&records[..30]);
    gateway.recorder.flush().await;
    std::fs::remove_file(gateway.database()).unwrap();
    gateway.record(&records[30..]);
    gateway.settle().await;
    gateway.assert_holds(records).await;
    gateway.store.assert_intact().await;
}

#[tokio::test]
async fn a_database_whose_folder_was_deleted_is_restored() {
    let gateway = Gateway::start().await;
    let records = records(0, 60);
    gateway.record(&records[..30]);
    gateway.recorder.flush().await;
    std::fs::remove_dir_all(gateway.folder.path()).unwrap();
    gateway.record(&records[30..]);
    gateway.settle().await;
    gateway.assert_holds(records).await;
}

#[tokio::test]
async fn a_deleted_database_that_cannot_be_restored_is_begun_anew() {
    let gateway = Gateway::start().await;
    let records = records(0, 60);
    gateway.record(&records[..30]);
    gateway.recorder.flush().await;
    // In the way of the copy.
    std::fs::create_dir(gateway.folder.path().join("gateway.db.restored")).unwrap();
    std::fs::remove_file(gateway.database()).unwrap();
    gateway.record(&records[30..]);
    gateway.settle().await;
    gateway.assert_holds(records[30..].to_vec()).await;
    gateway.store.assert_intact().await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_gateways_user_may_read_what_it_keeps() {
    use std::os::unix::fs::PermissionsExt;
    let gateway = Gateway::start_with(|settings| settings.queue_size = 1).await;
    gateway.record(&records(0, 3));
    let assert_private = |file: &Path| {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    };
    assert_private(&gateway.database());
    let spool = std::fs::read_dir(gateway.folder.path().join("gateway.db.spool")).unwrap();
    for segment in spool {
        assert_private(&segment.unwrap().path());
    }
    gateway.recorder.flush().await;
    assert_private(&gateway.folder.path().join("gateway.db-wal"));
    std::fs::remove_file(gateway.database()).unwrap();
    gateway.settle().await;
    assert_private(&gateway.database());
}

#[tokio::test]
async fn a_replaced_database_is_followed() {
    let gateway = Gateway::start().await;
    gateway.record(&records(0, 30));
    gateway.recorder.flush().await;
    let backup = Gateway::start().await;
    let mut expected = records(100, 5);
    backup.record(&expected);
    backup.recorder.shutdown().await;
    backup.store.close().await;
    std::fs::rename(backup.database(), gateway.database()).unwrap();

    let more = records(200, 5);
    gateway.record(&more);
    gateway.settle().await;
    expected.extend(more);
    gateway.assert_holds(expected).await;
    gateway.store.assert_intact().await;
}

#[tokio::test]
async fn a_database_replaced_by_something_else_costs_no_record() {
    let gateway = Gateway::start().await;
    let records = records(0, 20);
    gateway.record(&records[..10]);
    gateway.recorder.flush().await;
    let aside = gateway.folder.path().join("aside");
    std::fs::rename(gateway.database(), &aside).unwrap();
    std::fs::write(
        gateway.database(),
        "this is no database, whatever its name says",
    )
    .unwrap();
    gateway.record(&records[10..]);
    gateway.recorder.flush().await;
    assert_eq!(gateway.recorder.status().spooled, 10);
    std::fs::remove_file(gateway.database()).unwrap();
    gateway.settle().await;
    gateway.assert_holds(records).await;
}

#[tokio::test]
async fn without_a_place_anywhere_records_wait_in_memory_and_then_losses_are_counted() {
    let gateway = Gateway::start_with(|settings| settings.spool_max_bytes = 0).await;
    let mut other = gateway.other().await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let records = records(0, 160);
    gateway.record(&records[..80]);
    // Not answered while records wait in memory.
    let flushes = (gateway.recorder.clone(), gateway.recorder.clone());
    let first = tokio::spawn(async move { flushes.0.flush().await });
    gateway.until(|status| status.trouble.is_some()).await;
    assert!(!first.is_finished());
    gateway.record(&records[80..]);
    let second = tokio::spawn(async move { flushes.1.flush().await });
    gateway.until(|status| status.lost > 0).await;
    assert!(!second.is_finished());
    let status = gateway.recorder.status();
    assert_eq!((status.spooled, status.lost), (0, 60));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    gateway.settle().await;
    gateway.assert_holds(records[60..].to_vec()).await;
}

#[tokio::test]
async fn a_spool_left_by_a_crash_is_written_once() {
    let gateway = Gateway::start().await;
    let mut other = gateway.other().await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let records = records(0, 30);
    gateway.record(&records);
    gateway.recorder.shutdown().await;
    assert_eq!(gateway.recorder.status().spooled, 30);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    // A crash in the middle of a replay: some of it is in the database already.
    let mut pending = crate::store::PendingRollups::default();
    gateway
        .store
        .commit_these(&records[..7], &mut pending, crate::store::Rollups::Later)
        .await
        .unwrap();
    drop(other);
    gateway.store.close().await;

    let settings = settings(gateway.folder.path());
    let Gateway {
        folder, recorder, ..
    } = gateway;
    drop(recorder);
    let gateway = Gateway::start_in(folder, settings).await;
    gateway.settle().await;
    gateway.assert_holds(records).await;
    assert_eq!(gateway.recorder.status().written, 23);
}
