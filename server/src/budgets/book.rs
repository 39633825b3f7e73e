//! The accounts in memory and the journal, which say the same: whoever changes one changes the other, under one lock.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use foldhash::HashMap;
use shared::policies::{Allowance, Period};

use super::Amount;
use super::account::{Account, AccountKey, Balance, Dimension};
use super::alert::Alert;
use super::journal::Journal;
use super::record::{Record, push};
use super::replay::{Applied, Replayed};

/// Clients can make up what is counted apart (models, addresses): of more than that those that come last share one
/// account for each budget.
pub const MOST_ACCOUNTS: usize = 100_000;
const OTHERS: &str = "(others)";
/// A journal that has grown to this is begun anew.
const LONG: u64 = 1 << 20;

/// An account that a request counts against, and what holds there.
#[derive(Clone, Debug)]
pub struct Place {
    pub key: AccountKey,
    pub allowance: Arc<Allowance>,
    /// When all of it is there again, by the operator's clock.
    pub ends: Option<DateTime<Tz>>,
}

/// Why a request may not use as much as it may have to.
#[derive(Debug)]
pub enum Refused {
    /// The allowance of the n-th place does not suffice.
    Exceeded {
        place: usize,
        dimension: Dimension,
        limit: u64,
        spent: u64,
        reserved: u64,
        /// What it may use.
        wanted: u64,
    },
    /// It cannot be written down.
    Unwritten(String),
}

/// Accounts by numbers, and the requests that are open.
#[derive(Debug, Default)]
pub struct Book {
    accounts: Vec<Option<Account>>,
    free: Vec<u32>,
    numbers: HashMap<AccountKey, u32>,
    open: HashMap<u64, Open>,
    last_claim: u64,
    /// `None`: nothing is known of earlier runs yet.
    path: Option<PathBuf>,
    /// `None`: there is nothing to write down yet, or what there was cannot be relied on.
    journal: Option<Journal>,
    /// The file says that requests are open which have ended: the database must not be taken to go with it.
    stale: bool,
    generation: u64,
    /// Why the journal cannot be written, if it cannot.
    pub trouble: Option<String>,
    /// Those that the database does not have, the oldest first.
    alerts: Vec<Alert>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    accounts: Vec<u32>,
    covered: Amount,
}

/// Everything of one moment that the database does not have.
#[derive(Debug, Default)]
pub struct Unwritten {
    pub balances: Vec<(AccountKey, Balance)>,
    pub alerts: Vec<Alert>,
    pub applied: Applied,
}

impl Book {
    /// Takes over what earlier runs left. From now on requests can be taken; the journal is at `path`.
    ///
    /// # Errors
    /// The journal cannot be begun anew, which it has to be where it holds what the database does not.
    pub fn open(&mut self, path: PathBuf, replayed: Replayed) -> io::Result<()> {
        for (key, (balance, changed)) in replayed.balances {
            // However many they are: each has its own balance.
            let number = self.new_number(key);
            let account = self.account(number);
            account.balance = balance;
            account.changed = changed;
        }
        self.generation = replayed.generation;
        self.path = Some(path.clone());
        let begun = if path.exists() {
            self.begin_anew()
        } else {
            Ok(())
        };
        if begun.is_err() {
            self.path = None;
        }
        begun
    }

    pub fn is_open(&self) -> bool {
        self.path.is_some()
    }

    /// Opens a claim to so much of all the places, or of none.
    pub fn reserve(&mut self, places: &[Place], amount: Amount) -> Result<u64, Refused> {
        let numbers: Vec<u32> = places
            .iter()
            .map(|place| self.number(place.key.clone()))
            .collect();
        for (place, number) in places.iter().zip(&numbers) {
            // What holds now is known better than by a request that may have begun under other policies.
            let allowance = &mut self.account(*number).allowance;
            allowance.get_or_insert_with(|| Arc::clone(&place.allowance));
        }
        self.check(places, &numbers, amount, amount)?;
        let claim = self.last_claim + 1;
        let opened = Record::Open {
            claim,
            amount,
            accounts: numbers.clone(),
        };
        self.write(&numbers, &opened)?;
        self.last_claim = claim;
        for number in &numbers {
            self.account(*number).reserved += amount;
        }
        let covered = amount;
        self.open.insert(
            claim,
            Open {
                accounts: numbers,
                covered,
            },
        );
        Ok(claim)
    }

    /// Lets an open claim use `amount` in all, which is more than before.
    pub fn raise(&mut self, claim: u64, places: &[Place], amount: Amount) -> Result<(), Refused> {
        let Some(open) = self.open.get(&claim) else {
            return Err(Refused::Unwritten("the request has ended".to_owned()));
        };
        let (numbers, covered) = (open.accounts.clone(), open.covered);
        self.check(places, &numbers, amount - covered, amount)?;
        self.write(&[], &Record::Cover { claim, amount })?;
        for number in &numbers {
            self.account(*number).reserved += amount - covered;
        }
        if let Some(open) = self.open.get_mut(&claim) {
            open.covered = amount;
        }
        Ok(())
    }

    /// Ends a claim: so much was used, and the rest is free.
    pub fn settle(&mut self, claim: u64, spent: Amount, uncertain: Amount) {
        let Some(open) = self.open.remove(&claim) else {
            return;
        };
        let settled = Record::Settle {
            claim,
            spent,
            uncertain,
        };
        if self.write(&[], &settled).is_err() {
            // The file says that the claim is open: whoever reads it counts too much, not too little. It is begun
            // anew as soon as that works.
            self.journal = None;
            self.stale = true;
        }
        for number in open.accounts {
            let account = self.account(number);
            account.reserved -= open.covered;
            if spent.is_zero() {
                continue;
            }
            account.balance.spent += spent;
            account.balance.uncertain += uncertain;
            account.changed = true;
            let alerts = Alert::due(account);
            self.alerts.extend(alerts);
        }
    }

    /// These allowances hold now: what is used up of them already is told.
    pub fn review(&mut self, allowance: impl Fn(&AccountKey) -> Option<Arc<Allowance>>) {
        for account in self.accounts.iter_mut().flatten() {
            account.allowance = allowance(&account.key);
            self.alerts.extend(Alert::due(account));
        }
    }

    /// Whether a claim to so much could be opened. Nothing changes.
    pub fn has_room(&self, places: &[Place], amount: Amount) -> Result<(), Refused> {
        for (i, place) in places.iter().enumerate() {
            let number = self.numbers.get(&place.key);
            let known = number.and_then(|number| self.accounts[*number as usize].as_ref());
            let new = Account::new(place.key.clone(), Balance::default());
            if let Some(refused) = exceeded(i, place, known.unwrap_or(&new), amount, amount) {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Whether each place has room for `more`, within a request that wants `all`.
    fn check(
        &mut self,
        places: &[Place],
        numbers: &[u32],
        more: Amount,
        all: Amount,
    ) -> Result<(), Refused> {
        for (i, (place, number)) in places.iter().zip(numbers).enumerate() {
            let account = self.account(*number);
            if let Some(refused) = exceeded(i, place, account, more, all) {
                account.refused += 1;
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Appends a record, behind those that say what it is about.
    fn write(&mut self, accounts: &[u32], record: &Record) -> Result<(), Refused> {
        let written = self.try_write(accounts, record);
        match &written {
            Ok(()) => self.trouble = None,
            Err(error) => self.trouble = Some(error.to_string()),
        }
        written.map_err(|error| Refused::Unwritten(error.to_string()))
    }

    fn try_write(&mut self, accounts: &[u32], record: &Record) -> io::Result<()> {
        if self.journal.is_none() {
            self.begin_anew()?;
        }
        let Some(journal) = &mut self.journal else {
            return Err(io::ErrorKind::NotFound.into());
        };
        self.buffer.clear();
        for &number in accounts {
            let account = self.accounts[number as usize].as_mut();
            if let Some(account) = account.filter(|known| known.declared != journal.generation) {
                let key = account.key.clone();
                push(&mut self.buffer, &Record::Account { number, key });
            }
        }
        push(&mut self.buffer, record);
        journal.append(&self.buffer)?;
        let generation = journal.generation;
        for &number in accounts {
            self.account(number).declared = generation;
        }
        Ok(())
    }

    /// Another generation of the journal: what the database does not have, and what is open.
    fn begin_anew(&mut self) -> io::Result<()> {
        let Some(path) = self.path.clone() else {
            return Err(io::Error::other("the ledger has not been read yet"));
        };
        let generation = self.generation + 1;
        let mut needed: Vec<u32> = Vec::new();
        let mut records = Vec::new();
        let in_use = self.open.values().flat_map(|open| &open.accounts);
        needed.extend(in_use);
        let all = self.accounts.iter().enumerate();
        needed.extend(
            all.filter(|(_, account)| account.as_ref().is_some_and(|one| !one.is_written()))
                .filter_map(|(number, _)| u32::try_from(number).ok()),
        );
        needed.sort_unstable();
        needed.dedup();
        for &number in &needed {
            let Some(account) = &self.accounts[number as usize] else {
                continue;
            };
            let key = account.key.clone();
            push(&mut records, &Record::Account { number, key });
            if !account.is_written() {
                let mut balance = account.balance;
                // Whoever reads it tells what the database does not know to be told.
                for alert in self.alerts.iter().filter(|one| one.account == account.key) {
                    let told = &mut balance.told[alert.dimension as usize];
                    *told = (*told).min(alert.percent.saturating_sub(1));
                }
                push(&mut records, &Record::Balance { number, balance });
            }
        }
        for (claim, open) in &self.open {
            let open = Record::Open {
                claim: *claim,
                amount: open.covered,
                accounts: open.accounts.clone(),
            };
            push(&mut records, &open);
        }
        self.journal = Some(Journal::begin(&path, generation, &records)?);
        self.stale = false;
        self.generation = generation;
        for number in needed {
            self.account(number).declared = generation;
        }
        Ok(())
    }

    fn number(&mut self, key: AccountKey) -> u32 {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let mut key = key;
        if key.subject.is_some() && self.numbers.len() >= MOST_ACCOUNTS {
            key.subject = Some(OTHERS.into());
            if let Some(number) = self.numbers.get(&key) {
                return *number;
            }
        }
        self.new_number(key)
    }

    /// That of an account which there is not.
    fn new_number(&mut self, key: AccountKey) -> u32 {
        let account = Account::new(key.clone(), Balance::default());
        let number = self.free.pop().unwrap_or_else(|| {
            self.accounts.push(None);
            u32::try_from(self.accounts.len() - 1).expect("there are not so many")
        });
        self.accounts[number as usize] = Some(account);
        self.numbers.insert(key, number);
        number
    }

    fn account(&mut self, number: u32) -> &mut Account {
        self.accounts[number as usize]
            .as_mut()
            .expect("numbers are given to accounts that there are")
    }

    /// What the database does not have. Either [`written`](Self::written) or [`write_failed`](Self::write_failed) follows.
    pub fn unwritten(&mut self) -> Unwritten {
        let changed = self.accounts.iter_mut().flatten();
        let changed = changed.filter(|account| account.changed);
        let balances = changed.map(|account| {
            account.changed = false;
            account.in_flight = true;
            (account.key.clone(), account.balance)
        });
        Unwritten {
            balances: balances.collect(),
            alerts: self.alerts.clone(),
            applied: Applied {
                generation: self.generation,
                position: self
                    .journal
                    .as_ref()
                    .map_or(u64::MAX >> 1, |journal| journal.length()),
            },
        }
    }

    /// The database has it.
    pub fn written(&mut self, unwritten: &Unwritten) {
        self.alerts.drain(..unwritten.alerts.len());
        for account in self.accounts.iter_mut().flatten() {
            account.in_flight = false;
        }
    }

    /// The database did not take it. Its alerts have been announced.
    pub fn write_failed(&mut self, unwritten: &Unwritten) {
        for alert in &mut self.alerts[..unwritten.alerts.len()] {
            alert.announced = true;
        }
        for (key, _) in &unwritten.balances {
            if let Some(number) = self.numbers.get(key).copied() {
                let account = self.account(number);
                account.in_flight = false;
                account.changed = true;
            }
        }
    }

    /// The database is another one: it has nothing of what was written.
    pub fn forget_written(&mut self) {
        for account in self.accounts.iter_mut().flatten() {
            account.changed |= account.balance != Balance::default();
        }
    }

    pub fn is_written(&self) -> bool {
        self.alerts.is_empty() && self.accounts.iter().flatten().all(Account::is_written)
    }

    /// Makes the journal short again, and lost ones anew. Only while the database has what it was given.
    ///
    /// # Errors
    /// The file system's.
    pub fn tidy(&mut self) -> io::Result<()> {
        let fits = self.journal.as_ref().is_none_or(|journal| {
            journal.is_in_place()
                && (journal.length() < LONG || journal.length() < 200 * self.open.len() as u64)
        });
        let needed = self.stale || !self.open.is_empty() || !self.is_written();
        let lost = self.journal.is_none() && needed;
        if fits && !lost {
            return Ok(());
        }
        let begun = self.begin_anew();
        self.trouble = begun.as_ref().err().map(ToString::to_string);
        begun
    }

    /// Forgets accounts of periods that began before what is `kept`, and those that nothing is known of.
    pub fn forget_past(&mut self, kept: impl Fn(Period) -> Option<NaiveDate>) {
        let in_use = self.open.values().flat_map(|open| open.accounts.iter());
        let in_use: HashSet<u32> = in_use.copied().collect();
        for number in 0..self.accounts.len() {
            let Some(account) = &self.accounts[number] else {
                continue;
            };
            let over = account.key.first_day < kept(account.key.period);
            let idle = account.reserved.is_zero() && account.is_written();
            let blank = account.balance == Balance::default() && account.refused == 0;
            // One that is open is reserved, or used by a claim to nothing.
            let number = u32::try_from(number).expect("there are not so many");
            if !idle || !(over || blank) || in_use.contains(&number) {
                continue;
            }
            if let Some(account) = self.accounts[number as usize].take() {
                self.numbers.remove(&account.key);
                self.free.push(number);
            }
        }
    }

    /// From now on nothing can be appended to the file.
    #[cfg(test)]
    pub fn break_journal(&mut self) {
        self.journal.as_mut().expect("it was begun").break_down();
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().flatten()
    }

    pub fn open_claims(&self) -> usize {
        self.open.len()
    }

    /// The process ends. Where the database has everything the journal goes.
    pub fn close(&mut self) {
        let is_done = self.open.is_empty() && self.is_written();
        if self.stale
            && let Err(error) = self.begin_anew()
        {
            tracing::warn!(%error, "The ledger of budgets cannot be written");
            if let Some(path) = self.path.as_ref().filter(|_| is_done) {
                let _ = std::fs::remove_file(path);
            }
        }
        let journal = self.journal.take();
        self.path = None;
        if let Some(journal) = journal
            && is_done
        {
            journal.remove();
        }
    }
}

/// Why an account has no room for `more`, within a request that wants `all`; `None`: it has.
fn exceeded(
    place_number: usize,
    place: &Place,
    account: &Account,
    more: Amount,
    all: Amount,
) -> Option<Refused> {
    Dimension::ALL.into_iter().find_map(|dimension| {
        let limit = dimension.limit(&place.allowance)?;
        let spent = dimension.of(account.balance.spent);
        let reserved = dimension.of(account.reserved);
        let more = dimension.of(more);
        let total = spent.saturating_add(reserved).saturating_add(more);
        (more > 0 && total > limit).then(|| Refused::Exceeded {
            place: place_number,
            dimension,
            limit,
            spent,
            reserved,
            wanted: dimension.of(all),
        })
    })
}
