//! Old rows go, a few at a time, and the file gives their space back.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::query;

use super::{Store, StoreError};

/// Rows a step deletes: some milliseconds of work, so that the writer is soon back at its queue.
const ROWS_PER_STEP: u32 = 2000;
/// Pages a step gives back to the file system.
const VACUUM: &str = "PRAGMA incremental_vacuum(1000)";

/// How many days each kind of row is kept; zero: for ever.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub request_days: u32,
    pub minute_days: u32,
    pub hour_days: u32,
}

impl Store {
    /// Deletes some of what is too old. Returns `false` when nothing is left to delete.
    pub async fn delete_old(
        &self,
        retention: Retention,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut connection = self.writer().acquire().await?;
        let mut deleted = 0;
        if let Some(cutoff) = cutoff(retention.request_days, now) {
            // A version 7 id begins with its time, so that the index on ids is one on time. A row
            // that the rollups do not have yet stays until they do.
            deleted += query(
                "DELETE FROM requests WHERE seq IN \
                 (SELECT seq FROM requests WHERE id < ?1 ORDER BY id LIMIT ?2) \
                 AND seq <= (SELECT seq FROM rollup_watermark)",
            )
            .bind(first_id_of(cutoff).to_vec())
            .bind(ROWS_PER_STEP)
            .execute(&mut *connection)
            .await?
            .rows_affected();
        }
        if let Some(cutoff) = cutoff(retention.minute_days, now) {
            deleted += query(
                "DELETE FROM rollups_minute WHERE bucket_start_s < \
                 min(?, (SELECT min(bucket_start_s) FROM rollups_minute) + 600)",
            )
            .bind(cutoff.timestamp())
            .execute(&mut *connection)
            .await?
            .rows_affected();
        }
        if let Some(cutoff) = cutoff(retention.hour_days, now) {
            // Whole days, so that hours and the sums of their day always tell the same.
            let cutoff_s = cutoff.timestamp() - cutoff.timestamp().rem_euclid(86_400);
            for sql in [
                "DELETE FROM summed_up_days WHERE bucket_start_s < ?",
                "DELETE FROM rollups_day WHERE bucket_start_s < \
                 min(?, (SELECT min(bucket_start_s) FROM rollups_day) + 86400)",
                "DELETE FROM rollup_sums WHERE width_s = 86400 AND bucket_start_s < \
                 min(?, (SELECT min(bucket_start_s) FROM rollup_sums WHERE width_s = 86400) + 86400)",
                "DELETE FROM rollup_sums WHERE width_s = 3600 AND bucket_start_s < \
                 min(?, (SELECT min(bucket_start_s) FROM rollup_sums WHERE width_s = 3600) + 86400)",
                "DELETE FROM rollups_hour WHERE bucket_start_s < \
                 min(?, (SELECT min(bucket_start_s) FROM rollups_hour) + 36000)",
            ] {
                let old = query(sql).bind(cutoff_s);
                deleted += old.execute(&mut *connection).await?.rows_affected();
            }
        }
        if deleted == 0 {
            // Once, when all that is too old is gone: names have no index by block.
            for sql in [
                "DELETE FROM request_blocks WHERE block < (SELECT min(seq) FROM requests) / 256",
                "DELETE FROM request_block_names WHERE block < (SELECT min(block) FROM request_blocks)",
            ] {
                query(sql).execute(&mut *connection).await?;
            }
        }
        query(VACUUM).execute(&mut *connection).await?;
        Ok(deleted > 0)
    }
}

fn cutoff(days: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (days > 0)
        .then(|| now.checked_sub_signed(TimeDelta::days(i64::from(days))))
        .flatten()
}

/// The least id that a request arriving at `time` can have.
fn first_id_of(time: DateTime<Utc>) -> [u8; 16] {
    let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    let mut id = [0; 16];
    id[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    id
}
