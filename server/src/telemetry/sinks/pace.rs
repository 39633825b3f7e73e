//! Saying something now and then, not each time.

use std::time::{Duration, Instant};

/// From one log line to the next about the same.
const INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Instant>,
}

impl Pace {
    /// Whether it is time to say it.
    pub fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self.last.is_none_or(|last| now - last >= INTERVAL);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}
