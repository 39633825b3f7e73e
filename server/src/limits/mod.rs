//! How much may go on: requests at the same time, and rates of requests and tokens.
//!
//! A request passes twice. [`Limits::admit`] decides what its head decides; [`Limits::ask`] what is about its model,
//! and tokens, once its body has been read. Each takes from all rates that the request is about, or from none.

mod check;
mod concurrency;
mod count;
mod counts;
mod permit;
mod rates;
mod refusal;
mod rule;
mod shown;
pub mod single;
mod table;
#[cfg(test)]
mod tests;
mod window;

use std::collections::BTreeMap;

use chrono::Utc;
use llm::error::ApiError;
use shared::dry_run::LimitOutlook;
use shared::policies::{LimitState, Project, RateLimit};
use tokio::time::Instant;

pub use self::check::{check, check_rate};
pub use self::permit::{Permit, Tokens};
pub use self::shown::Shown;

use self::concurrency::Concurrency;
use self::rates::Rates;
use self::window::Nanos;
use crate::auth::Caller;
use crate::config::Key;

/// The limits in force and what counts against them.
#[derive(Debug)]
pub struct Limits {
    concurrency: Concurrency,
    rates: Rates,
    /// When windows are counted from.
    beginning: Instant,
}

impl Limits {
    /// At most `max_in_flight` requests at the same time, and no more than these rates.
    pub fn new(
        max_in_flight: usize,
        limits: &BTreeMap<String, RateLimit>,
        keys: &[Key],
        projects: &BTreeMap<String, Project>,
    ) -> Self {
        Self {
            concurrency: Concurrency::new(max_in_flight),
            rates: Rates::new(&single::resolved(limits), keys, projects, None),
            beginning: Instant::now(),
        }
    }

    /// Other limits, against which counts what counted against these: a rate is the same as long as its name (a key's
    /// and a project's: its window), its algorithm and what it counts apart stay the same.
    pub fn rebuilt(
        &self,
        max_in_flight: usize,
        limits: &BTreeMap<String, RateLimit>,
        keys: &[Key],
        projects: &BTreeMap<String, Project>,
    ) -> Self {
        Self {
            concurrency: self.concurrency.with_max(max_in_flight),
            rates: Rates::new(&single::resolved(limits), keys, projects, Some(&self.rates)),
            beginning: self.beginning,
        }
    }

    /// Lets a request in of which only the head is known, until the permit is dropped.
    ///
    /// # Errors
    /// `overloaded` when the gateway serves as many requests as it may; a rate is used up.
    pub fn admit(&self, caller: &Caller) -> Result<Permit, ApiError> {
        let mut permit = Permit::new(self.concurrency.enter()?, self.beginning);
        if !self.rates.is_empty() {
            let subject = caller.subject(None);
            self.rates
                .admit(subject, self.now(), permit.taken())
                .map_err(|refused| refused.error())?;
        }
        Ok(permit)
    }

    /// Lets a request in that no rate is about, until the permit is dropped.
    ///
    /// # Errors
    /// `overloaded`, as above.
    pub fn enter(&self) -> Result<Permit, ApiError> {
        Ok(Permit::new(self.concurrency.enter()?, self.beginning))
    }

    /// Lets it go on, now that it is known what it asks for.
    ///
    /// # Errors
    /// A rate is used up. Then the request has used none of any.
    pub fn ask(
        &self,
        permit: &mut Permit,
        caller: &Caller,
        model: Option<&str>,
        input_tokens: u64,
    ) -> Result<(), ApiError> {
        if self.rates.is_empty() {
            return Ok(());
        }
        let subject = caller.subject(model);
        let asked = self
            .rates
            .ask(subject, input_tokens, self.now(), permit.taken());
        asked.map_err(|refused| {
            permit.refused(refused.shown());
            refused.error()
        })
    }

    /// The rates that hold for a request, and whether each has room for it. Nothing is counted.
    pub fn outlook(
        &self,
        caller: &Caller,
        model: Option<&str>,
        input_tokens: u64,
    ) -> Vec<LimitOutlook> {
        self.rates
            .outlook(caller.subject(model), input_tokens, self.now())
    }

    /// How it stands with a request that is not counted; `None`: no rate holds for it.
    pub fn shown(&self, caller: &Caller) -> Option<Shown> {
        self.rates.shown(caller.subject(None), self.now())
    }

    /// There are rates at all.
    pub fn has_rates(&self) -> bool {
        !self.rates.is_empty()
    }

    /// How much of each rate is used, of each subject that has used some, the fullest first, at most `most` of them.
    pub fn states(&self, most: usize) -> Vec<LimitState> {
        self.rates.states(self.now(), Utc::now(), most)
    }

    /// Requests being served just now.
    pub fn in_flight(&self) -> usize {
        self.concurrency.in_flight()
    }

    fn now(&self) -> Nanos {
        since(self.beginning)
    }
}

fn since(beginning: Instant) -> Nanos {
    Nanos::try_from(beginning.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
}
