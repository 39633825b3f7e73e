//! How many requests are served at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use llm::error::{ApiError, ErrorKind, ErrorSource};

/// How many may be, and how many are.
#[derive(Clone, Debug)]
pub(super) struct Concurrency {
    in_flight: Arc<AtomicUsize>,
    max: usize,
}

/// One place among the requests being served.
#[derive(Debug)]
pub(super) struct Place {
    in_flight: Arc<AtomicUsize>,
}

impl Concurrency {
    pub fn new(max: usize) -> Self {
        Self {
            in_flight: Arc::default(),
            max,
        }
    }

    /// Another number of places, among which those that are taken count.
    pub fn with_max(&self, max: usize) -> Self {
        Self {
            in_flight: Arc::clone(&self.in_flight),
            max,
        }
    }

    /// # Errors
    /// `overloaded` when the gateway serves as many requests as it may.
    pub fn enter(&self) -> Result<Place, ApiError> {
        let place = Place {
            in_flight: Arc::clone(&self.in_flight),
        };
        // Counted before compared: two requests cannot both take the last place.
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max {
            return Ok(place);
        }
        let message = format!(
            "The gateway is serving its maximum of {} requests at once. Try again shortly.",
            self.max
        );
        Err(
            ApiError::new(ErrorKind::Overloaded, ErrorSource::Policy, message)
                .with_retry_after(Duration::from_secs(1)),
        )
    }

    /// Requests being served just now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_is_given_once_and_comes_back() {
        let concurrency = Concurrency::new(2);
        let first = concurrency.enter().unwrap();
        let _second = concurrency.enter().unwrap();
        let error = concurrency.enter().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Overloaded);
        assert!(error.retry_after.is_some());
        assert_eq!(concurrency.in_flight(), 2);
        drop(first);
        assert!(concurrency.enter().is_ok());
    }

    #[test]
    fn another_maximum_counts_what_is_under_way() {
        let before = Concurrency::new(2);
        let first = before.enter().unwrap();
        let after = before.with_max(1);
        assert!(after.enter().is_err());
        drop(first);
        assert!(after.enter().is_ok());
    }
}
