//! How recording is set up.

use std::path::PathBuf;
use std::time::Duration;

/// How recording is set up.
#[derive(Clone, Debug)]
pub struct RecordingSettings {
    /// How long records are gathered before they are committed together: what a sudden end of the
    /// process may lose. Zero: a record is committed before its reply ends.
    pub flush_interval: Duration,
    /// Records that may wait in memory.
    pub queue_size: usize,
    /// Folder for records that the database does not take, usually `<database>.spool`.
    pub spool_dir: PathBuf,
    /// The spool never grows beyond this.
    pub spool_max_bytes: u64,
    /// Days that rows of single requests are kept; zero: for ever.
    pub retention_days: u32,
    /// Days that figures by the minute are kept; zero: for ever.
    pub minute_retention_days: u32,
    /// Days that figures by the hour are kept; zero: for ever.
    pub hour_retention_days: u32,
}
