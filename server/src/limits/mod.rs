//! How much may go on at once. Rates, quotas and budgets find their place in [`Limits::admit`].

mod check;

pub use check::check_rate;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use llm::error::{ApiError, ErrorKind, ErrorSource};

use crate::auth::Caller;

/// The limits in force and what counts against them.
#[derive(Clone, Debug)]
pub struct Limits {
    in_flight: Arc<AtomicUsize>,
    max_in_flight: usize,
}

impl Limits {
    /// At most `max_in_flight` requests at the same time.
    pub fn new(max_in_flight: usize) -> Self {
        Self {
            in_flight: Arc::default(),
            max_in_flight,
        }
    }

    /// Other limits, against which counts what counted against these.
    pub fn with_max_in_flight(&self, max_in_flight: usize) -> Self {
        Self {
            in_flight: self.in_flight.clone(),
            max_in_flight,
        }
    }

    /// Lets a request in, until the permit is dropped.
    ///
    /// # Errors
    /// `overloaded` when the gateway serves as many requests as it may.
    pub fn admit(&self, _caller: &Caller) -> Result<Permit, ApiError> {
        let permit = Permit {
            in_flight: self.in_flight.clone(),
        };
        // Counted before compared: two requests cannot both take the last place.
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max_in_flight {
            return Ok(permit);
        }
        let message = format!(
            "The gateway is serving its maximum of {} requests at once. Try again shortly.",
            self.max_in_flight
        );
        Err(
            ApiError::new(ErrorKind::Overloaded, ErrorSource::Policy, message)
                .with_retry_after(Duration::from_secs(1)),
        )
    }

    /// Lets it go on, now that it is known what it asks for.
    ///
    /// # Errors
    /// A rate is used up.
    pub fn ask(
        &self,
        _permit: &mut Permit,
        _caller: &Caller,
        _model: Option<&str>,
        _input_tokens: u64,
    ) -> Result<(), ApiError> {
        Ok(())
    }

    /// Requests being served just now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

/// One place among the requests being served.
#[derive(Debug)]
pub struct Permit {
    in_flight: Arc<AtomicUsize>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_is_given_once_and_comes_back() {
        let limits = Limits::new(2);
        let caller = Caller::default();
        let first = limits.admit(&caller).unwrap();
        let _second = limits.admit(&caller).unwrap();
        let error = limits.admit(&caller).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Overloaded);
        assert!(error.retry_after.is_some());
        assert_eq!(limits.in_flight(), 2);
        drop(first);
        assert!(limits.admit(&caller).is_ok());
    }

    #[test]
    fn changed_limits_count_what_is_under_way() {
        let before = Limits::new(2);
        let caller = Caller::default();
        let first = before.admit(&caller).unwrap();
        let after = before.with_max_in_flight(1);
        assert!(after.admit(&caller).is_err());
        drop(first);
        assert!(after.admit(&caller).is_ok());
    }
}
