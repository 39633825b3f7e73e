//! `[recording]`: how requests reach the database, and how long they are kept.

use std::time::Duration;

use super::ByteSize;
use super::reading::Section;

/// The queue to the database, and retention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// How long records gather before they are committed; zero commits before a reply ends.
    pub flush_interval: Duration,
    /// Records that may wait in memory.
    pub queue_size: usize,
    /// The largest spool on disk while the database is away.
    pub spool_max_size: ByteSize,
    /// Days single requests are kept; 0 keeps them for ever.
    pub retention_days: u32,
    /// Days rollups per minute are kept; 0 keeps them for ever.
    pub minute_retention_days: u32,
    /// Days rollups per hour are kept; 0 keeps them for ever.
    pub hour_retention_days: u32,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_millis(100),
            queue_size: 65_536,
            spool_max_size: ByteSize::mebibytes(256),
            retention_days: 90,
            minute_retention_days: 14,
            hour_retention_days: 730,
        }
    }
}

impl Recording {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            flush_interval: section.value("flush_interval", default.flush_interval),
            queue_size: section.value("queue_size", default.queue_size),
            spool_max_size: section.value("spool_max_size", default.spool_max_size),
            retention_days: section.value("retention_days", default.retention_days),
            minute_retention_days: section
                .value("minute_retention_days", default.minute_retention_days),
            hour_retention_days: section.value("hour_retention_days", default.hour_retention_days),
        }
    }
}
