//! Failed logins in the list of changes: one row a minute at most, however many there are.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::FAILURE;
use crate::store::{Change, What};

/// Between two rows.
const PAUSE: Duration = Duration::from_secs(60);

/// One that failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// A user that there is, `admin` for the admin token, `unknown` for all others: people type passwords where names
    /// belong.
    pub name: String,
    /// `password`, `token`: what was wrong.
    pub what: &'static str,
    pub address: IpAddr,
}

/// Those that the list does not have yet.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<Unwritten>);

#[derive(Debug, Default)]
struct Unwritten {
    count: u64,
    last: Option<Failure>,
    written: Option<Instant>,
}

impl Failures {
    /// Takes one more, and says what is to be written now.
    pub fn note(&self, failure: Failure, now: Instant) -> Option<Change> {
        let mut unwritten = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.count += 1;
        unwritten.last = Some(failure);
        unwritten.due(now)
    }

    /// What is to be written now.
    pub fn due(&self, now: Instant) -> Option<Change> {
        let mut unwritten = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.due(now)
    }
}

impl Unwritten {
    fn due(&mut self, now: Instant) -> Option<Change> {
        if self.written.is_some_and(|written| now < written + PAUSE) {
            return None;
        }
        let last = self.last.take()?;
        self.written = Some(now);
        let count = std::mem::take(&mut self.count);
        let value = json!({
            "count": count,
            "what": last.what,
            "last_address": last.address.to_string(),
        });
        let what = What::Put(value.to_string());
        Some(Change::next(FAILURE, &last.name, what, "nobody", None))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_flood_is_a_row_a_minute() {
        let (failures, now) = (Failures::default(), Instant::now());
        let failure = Failure {
            name: "alice".to_owned(),
            what: "password",
            address: Ipv4Addr::LOCALHOST.into(),
        };
        let first = failures.note(failure.clone(), now).unwrap();
        assert_eq!(
            (first.kind.as_str(), first.name.as_str()),
            (FAILURE, "alice")
        );
        for _ in 0..1000 {
            assert!(failures.note(failure.clone(), now).is_none());
        }
        assert!(failures.due(now).is_none());
        let rest = failures.due(now + PAUSE).unwrap();
        let What::Put(value) = rest.what else {
            panic!("{rest:?}");
        };
        assert!(value.contains("\"count\":1000"), "{value}");
        assert!(failures.due(now + 2 * PAUSE).is_none());
    }
}
