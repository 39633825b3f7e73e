//! When something was last used: told by every request, written now and then.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// In microseconds since 1970; 0: never.
#[derive(Debug, Default)]
pub struct LastUsed {
    at: AtomicI64,
    /// What the database has.
    written: AtomicI64,
}

impl LastUsed {
    pub fn get(&self) -> Option<DateTime<Utc>> {
        match self.at.load(Ordering::Relaxed) {
            0 => None,
            at => DateTime::from_timestamp_micros(at),
        }
    }

    pub(super) fn touch(&self, now: DateTime<Utc>) {
        self.at.fetch_max(now.timestamp_micros(), Ordering::Relaxed);
    }

    /// What the database does not have yet.
    pub(super) fn unwritten(&self) -> Option<DateTime<Utc>> {
        self.get()
            .filter(|at| at.timestamp_micros() != self.written.load(Ordering::Relaxed))
    }

    pub(super) fn is_written(&self, at: DateTime<Utc>) {
        self.written.store(at.timestamp_micros(), Ordering::Relaxed);
    }
}

/// As the database has it.
impl From<Option<DateTime<Utc>>> for LastUsed {
    fn from(at: Option<DateTime<Utc>>) -> Self {
        let micros = at.map_or(0, |at| at.timestamp_micros());
        Self {
            at: micros.into(),
            written: micros.into(),
        }
    }
}
