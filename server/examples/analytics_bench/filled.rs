//! A database of many requests.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use server::store::{PendingRollups, Rollups, Store};

use crate::open;
use crate::record::record;

/// Requests came this far apart.
pub const SPACING_US: i64 = 1_000;
const BATCH: i64 = 1000;

pub async fn store(folder: &Path, rows: i64) -> Store {
    let store = open(folder, "log.db").await;
    let mut pending = PendingRollups::default();
    let start = Utc::now() - TimeDelta::microseconds(rows * SPACING_US);
    let mut writing = Duration::ZERO;
    for batch in 0..rows / BATCH {
        let records: Vec<_> = (0..BATCH)
            .map(|i| batch * BATCH + i)
            .map(|i| record(start + TimeDelta::microseconds(i * SPACING_US), i))
            .collect();
        let records = Arc::new(records);
        let begun = Instant::now();
        let when = if batch % 5 == 4 || (batch + 1) * BATCH >= rows {
            Rollups::Now
        } else {
            Rollups::Later
        };
        let commit = store.commit(&records, &mut pending, when);
        let mut done = commit.await.expect("a temporary file");
        while when == Rollups::Now && !done.rolled_up {
            let nothing = Arc::default();
            let rest = store.commit(&nothing, &mut pending, when);
            done = rest.await.expect("a temporary file");
        }
        writing += begun.elapsed();
    }
    let (file, _) = store.file_sizes();
    println!(
        "writer: {rows} rows, {:.0} rows/s, {} MB",
        rows as f64 / writing.as_secs_f64(),
        file.unwrap_or_default() / 1_000_000
    );
    store
}
