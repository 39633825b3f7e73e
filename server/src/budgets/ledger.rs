//! The accounts, in memory, in the journal and in the database.
//!
//! Nobody waits for the database: a reservation and its settlement are each one record of the journal, and a task
//! brings the database up to date behind them.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta, Utc};
use shared::policies::Period;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

pub use super::account::{AccountKey, Balance, Owner, PERIODS, period_name};
pub use super::alert::Alert;
pub use super::amount::Amount;
pub use super::book::Unwritten;
pub use super::replay::Applied;

use super::account::Account;
use super::book::{Book, Place, Refused};
use super::calendar::{Calendar, Span};
use super::journal::{Lock, leftover};
use super::record::{Record, Records, end_of};
use super::replay::replay;
use super::rules::Rules;
use crate::store::{Store, StoreError};

/// What is settled within this time is written to the database together.
const GATHERING: Duration = Duration::from_millis(200);
/// Without traffic, how often things are looked after.
const IDLE_LOOK: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_secs(1);
/// How long a start waits for another process that is just ending.
const OPENING: Duration = Duration::from_secs(5);
/// In days: a clock may be put back and the time zone be changed, and a request that began before midnight use its
/// day's account later. What is forgotten would begin at nothing.
const NEARBY: i64 = 2;
/// Alerts that wait for the webhook.
const WAITING_ALERTS: usize = 1000;

/// Where all is counted. It goes on in the policies of a changed configuration.
#[derive(Debug, Default)]
pub struct Ledger {
    book: Mutex<Book>,
    changed: Notify,
    /// From the take-over until all is written: no other gateway uses the ledger.
    lock: Mutex<Option<Lock>>,
    /// Held while the database is written: until it has answered, nobody knows whether it has everything.
    writing: tokio::sync::Mutex<()>,
    calendar: Mutex<Arc<Calendar>>,
    rules: Mutex<Arc<Rules>>,
}

/// Why earlier runs' accounts cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl Ledger {
    pub(super) fn reserve(&self, places: &[Place], amount: Amount) -> Result<u64, Refused> {
        self.book().reserve(places, amount)
    }

    pub(super) fn has_room(&self, places: &[Place], amount: Amount) -> Result<(), Refused> {
        self.book().has_room(places, amount)
    }

    pub(super) fn raise(
        &self,
        claim: u64,
        places: &[Place],
        amount: Amount,
    ) -> Result<(), Refused> {
        self.book().raise(claim, places, amount)
    }

    pub(super) fn settle(&self, claim: u64, spent: Amount, uncertain: Amount) {
        self.book().settle(claim, spent, uncertain);
        self.changed.notify_one();
    }

    /// Requests that may be using something just now.
    pub fn open_claims(&self) -> usize {
        self.book().open_claims()
    }

    /// The clock and the allowances that hold from now on.
    pub(super) fn go_by(&self, calendar: Arc<Calendar>, rules: Arc<Rules>) {
        *self.calendar.lock().unwrap_or_else(PoisonError::into_inner) = calendar;
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
        self.review();
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells what present allowances have come to, though nothing is being used.
    fn review(&self) {
        if self.book().accounts().next().is_none() {
            return;
        }
        let allowances = self.rules().allowances();
        let present = PERIODS.map(|(period, _)| (period, self.today(period)));
        self.book().review(|key| {
            let of = (key.owner, Arc::clone(&key.name), key.period);
            let is_present = present.contains(&(key.period, key.first_day));
            allowances.get(&of).filter(|_| is_present).cloned()
        });
        self.changed.notify_one();
    }

    fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.calendar.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn today(&self, period: Period) -> Option<NaiveDate> {
        self.calendar().span(period, Utc::now()).first_day
    }

    /// The period's first day as it was or will be so many days from now.
    fn first_day(&self, period: Period, days: i64) -> Option<NaiveDate> {
        let then = Utc::now() + TimeDelta::days(days);
        Span::of(period, self.calendar().zone(), then).first_day
    }

    /// Forgets accounts that nobody can come back to.
    fn forget_past(&self) {
        let kept = PERIODS.map(|(period, _)| (period, self.first_day(period, -NEARBY)));
        let kept = |period| kept.iter().find(|(one, _)| *one == period)?.1;
        self.book().forget_past(kept);
    }

    /// Does something with each account.
    pub(super) fn each(&self, act: impl FnMut(&Account)) {
        self.book().accounts().for_each(act);
    }

    /// Takes over what earlier runs left, and keeps the database up to date from now on. Where that fails, it is tried
    /// again, and requests under a budget are refused meanwhile.
    pub async fn open(self: &Arc<Self>, store: Store, path: PathBuf, alerts: mpsc::Sender<Alert>) {
        // Where nothing is limited nobody misses it.
        let wait = match self.rules().is_empty() {
            true => Duration::ZERO,
            false => OPENING,
        };
        let until = tokio::time::Instant::now() + wait;
        let mut last = None;
        loop {
            match self.take_over(&store, &path).await {
                Ok(applied) => {
                    last = Some(applied);
                    break;
                }
                Err(LedgerError::File { source, .. })
                    if source.kind() == io::ErrorKind::WouldBlock
                        && tokio::time::Instant::now() < until =>
                {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(error) => {
                    tracing::error!(%error, "The ledger of budgets cannot be read: requests under a budget are refused");
                    break;
                }
            }
        }
        let keeper = Keeper {
            ledger: Arc::downgrade(self),
            store,
            path,
            last,
            alerts,
        };
        tokio::spawn(keeper.run());
    }

    async fn take_over(&self, store: &Store, path: &Path) -> Result<Applied, LedgerError> {
        let file = |source| LedgerError::File {
            path: path.to_owned(),
            source,
        };
        let lock = Lock::take(path).map_err(file)?;
        let left = leftover(path).map_err(file)?;
        let journal = left.as_ref().map_or(&[][..], |left| &left.content);
        let applied = store.budgets_applied().await?;
        let mut days: HashSet<Option<NaiveDate>> = PERIODS
            .iter()
            .flat_map(|(period, _)| (-NEARBY..=NEARBY).map(|days| self.first_day(*period, days)))
            .collect();
        days.extend(Records::of(journal).filter_map(|(_, record)| match record {
            Record::Account { key, .. } => Some(key.first_day),
            _ => None,
        }));
        let days: Vec<_> = days.into_iter().collect();
        let balances = store.budget_balances(&days).await?;
        let replayed = replay(balances, applied, journal);
        if replayed.open > 0 {
            tracing::warn!(
                requests = replayed.open,
                "Requests under a budget were cut off when the gateway ended: they are counted at the most that they \
                 may have cost"
            );
        }
        self.book().open(path.to_owned(), replayed).map_err(file)?;
        self.put_lock(Some(lock));
        self.review();
        Ok(applied)
    }

    fn put_lock(&self, lock: Option<Lock>) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = lock;
    }

    /// The process ends: the database is given all.
    pub async fn close(&self, store: &Store) {
        let _writing = self.writing.lock().await;
        let mut last = match store.budgets_applied().await {
            Ok(last) => last,
            Err(error) => {
                tracing::warn!(%error, "Budgets are brought up to date at the next start");
                return;
            }
        };
        if !self.book().is_open() {
            return;
        }
        let unwritten = self.book().unwritten();
        if !unwritten.balances.is_empty() || !unwritten.alerts.is_empty() {
            match store.write_budgets(&unwritten, last).await {
                Ok(true) => last = unwritten.applied,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "Budgets are brought up to date at the next start");
                }
            }
            for alert in unwritten.alerts.iter().filter(|alert| !alert.announced) {
                alert.log();
            }
            if last == unwritten.applied {
                self.book().written(&unwritten);
            } else {
                self.book().write_failed(&unwritten);
            }
        }
        self.book().close();
        self.put_lock(None);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which generation a journal is; `None`: it is empty.
pub fn generation_of(journal: &[u8]) -> Option<u64> {
    Records::of(journal).find_map(|(_, record)| match record {
        Record::Begin { generation } => Some(generation),
        _ => None,
    })
}

/// Gives a copy of the database all that its journal says, so that it needs none: what is open is counted at the most
/// that it may cost. Returns how many requests are.
///
/// # Errors
/// The copy's.
pub async fn settle_into(copy: &Store, journal: &[u8]) -> Result<usize, StoreError> {
    if generation_of(journal).is_none() {
        return Ok(0);
    }
    let last = copy.budgets_applied().await?;
    let days = Records::of(journal).filter_map(|(_, record)| match record {
        Record::Account { key, .. } => Some(key.first_day),
        _ => None,
    });
    let days: HashSet<Option<NaiveDate>> = days.collect();
    let days: Vec<_> = days.into_iter().collect();
    let replayed = replay(copy.budget_balances(&days).await?, last, journal);
    let changed = replayed.balances.into_iter();
    let changed = changed.filter_map(|(key, (balance, is_new))| is_new.then_some((key, balance)));
    let unwritten = Unwritten {
        balances: changed.collect(),
        alerts: Vec::new(),
        applied: Applied {
            generation: replayed.generation,
            position: end_of(journal),
        },
    };
    copy.write_budgets(&unwritten, last).await?;
    Ok(replayed.open)
}

/// The task that keeps the database up to date.
struct Keeper {
    ledger: Weak<Ledger>,
    store: Store,
    path: PathBuf,
    /// What was last written; `None`: earlier runs' accounts have not been taken over.
    last: Option<Applied>,
    alerts: mpsc::Sender<Alert>,
}

impl Keeper {
    async fn run(mut self) {
        let mut swept = tokio::time::Instant::now();
        loop {
            let Some(ledger) = self.ledger.upgrade() else {
                return;
            };
            let wait = if self.last.is_none() {
                RETRY
            } else {
                IDLE_LOOK
            };
            // A ledger that nobody has any more ends here, at the latest after the wait.
            let _ = tokio::time::timeout(wait, ledger.changed.notified()).await;
            if Arc::strong_count(&ledger) == 1 {
                return;
            }
            sleep(GATHERING).await;
            let done = self.keep(&ledger).await;
            if swept.elapsed() >= IDLE_LOOK {
                swept = tokio::time::Instant::now();
                ledger.forget_past();
                if let Err(error) = self.store.delete_old_budgets().await {
                    tracing::debug!(%error, "Old accounts could not be deleted");
                }
            }
            if !done {
                drop(ledger);
                sleep(RETRY).await;
                if let Some(ledger) = self.ledger.upgrade() {
                    ledger.changed.notify_one();
                }
            }
        }
    }

    /// Whether nothing is left to do.
    async fn keep(&mut self, ledger: &Arc<Ledger>) -> bool {
        let Some(last) = self.last else {
            match ledger.take_over(&self.store, &self.path).await {
                Ok(applied) => {
                    tracing::info!("The ledger of budgets can be used");
                    self.last = Some(applied);
                }
                Err(error) => tracing::debug!(%error, "The ledger of budgets cannot be read yet"),
            }
            return false;
        };
        let _writing = ledger.writing.lock().await;
        if !ledger.book().is_open() {
            // It was closed.
            return true;
        }
        let unwritten = ledger.book().unwritten();
        let mut written = true;
        if !unwritten.balances.is_empty() || !unwritten.alerts.is_empty() {
            written = match self.store.write_budgets(&unwritten, last).await {
                Ok(true) => {
                    self.last = Some(unwritten.applied);
                    true
                }
                Ok(false) => {
                    tracing::warn!("The database is another one: it is given all accounts anew");
                    ledger.book().forget_written();
                    if let Ok(applied) = self.store.budgets_applied().await {
                        self.last = Some(applied);
                    }
                    false
                }
                Err(error) => {
                    tracing::warn!(%error, "The database does not take what budgets were used: the ledger keeps it");
                    false
                }
            };
            if written {
                ledger.book().written(&unwritten);
            } else {
                ledger.book().write_failed(&unwritten);
            }
            for alert in unwritten.alerts.into_iter().filter(|one| !one.announced) {
                alert.log();
                // Where too many wait, the log has them.
                let _ = self.alerts.try_send(alert);
            }
        }
        if !written {
            return false;
        }
        let tidied = ledger.book().tidy();
        tidied
            .inspect_err(|error| tracing::warn!(%error, "The ledger of budgets cannot be written"))
            .is_ok()
    }
}

/// Where alerts go that are to be posted.
pub fn alerts() -> (mpsc::Sender<Alert>, mpsc::Receiver<Alert>) {
    mpsc::channel(WAITING_ALERTS)
}
