//! Recording as it is by default, with a queue that has room.

use std::path::Path;
use std::time::Duration;

use server::recording::{Recorder, RecordingSettings};
use server::store::Store;

/// Records into `store`; what it does not take goes to a spool in `folder`.
pub fn recorder(folder: &Path, store: Store) -> Recorder {
    let settings = RecordingSettings {
        flush_interval: Duration::from_millis(100),
        queue_size: 65_536,
        spool_dir: folder.join("spool"),
        spool_max_bytes: 1 << 28,
        retention_days: 90,
        minute_retention_days: 14,
        hour_retention_days: 730,
    };
    Recorder::start(settings, store)
}
