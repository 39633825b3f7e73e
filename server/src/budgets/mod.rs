//! Quotas and budgets: what may be used in a day, a week, a month, or at all.
//!
//! Before a provider is called, the most that the call can use is taken from every account that the request counts
//! against, from all of them or from none; when the request ends, what it used is charged and the rest is free again.
//! So no number of requests at the same time uses more than there is. [`ledger`] keeps the accounts, and survives the
//! process.

mod account;
mod alert;
mod amount;
mod book;
mod calendar;
mod check;
mod claim;
mod journal;
pub mod ledger;
mod record;
mod refusal;
mod replay;
mod rules;
mod states;
mod tail;

#[cfg(test)]
mod tests;

pub use amount::Amount;
pub use check::{check, check_allowance};
pub use claim::{Claim, Hold, Used};

use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::book::Place;
use self::calendar::Calendar;
use self::ledger::Ledger;
use self::rules::Rules;
use crate::auth::Caller;
use crate::config::{Config, Secret};

/// The quotas and budgets in force and what counts against them.
#[derive(Clone, Debug)]
pub struct Budgets {
    rules: Arc<Rules>,
    calendar: Arc<Calendar>,
    assumed_output: u64,
    webhook: Option<Secret>,
    ledger: Arc<Ledger>,
}

impl Budgets {
    pub fn new(config: &Config) -> Self {
        Self::over(config, Arc::default())
    }

    /// Those of a changed configuration, against which counts what counted against these.
    pub fn rebuilt(&self, config: &Config) -> Self {
        Self::over(config, Arc::clone(&self.ledger))
    }

    fn over(config: &Config, ledger: Arc<Ledger>) -> Self {
        let calendar = Arc::new(Calendar::new(config.server.time_zone.0));
        let rules = Arc::new(Rules::new(config));
        ledger.go_by(Arc::clone(&calendar), Arc::clone(&rules));
        Self {
            rules,
            calendar,
            assumed_output: config.server.assumed_output_tokens,
            webhook: config.alerts.webhook.clone(),
            ledger,
        }
    }

    /// What such a request takes of its accounts. `None`: nothing limits it.
    pub fn claim(&self, caller: &Caller, model: Option<&str>) -> Option<Claim> {
        if self.rules.is_empty() {
            return None;
        }
        self.claim_at(caller, model, Utc::now())
    }

    /// The same at some moment.
    pub fn claim_at(
        &self,
        caller: &Caller,
        model: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<Claim> {
        let places: Vec<Place> = self
            .rules
            .matching(caller, model)
            .map(|rule| rule.place(caller, model, &self.calendar, now))
            .collect();
        if places.is_empty() {
            return None;
        }
        let ledger = Arc::clone(&self.ledger);
        Some(Claim::new(ledger, places, self.assumed_output))
    }

    /// A URL that alerts are posted to.
    pub fn webhook(&self) -> Option<&str> {
        self.webhook.as_ref().map(Secret::expose)
    }

    /// Where all is counted.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}
