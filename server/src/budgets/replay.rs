//! What an earlier run left: the database's balances, and the journal's records since.

use std::collections::HashMap;

use super::Amount;
use super::account::{AccountKey, Balance};
use super::record::{Record, Records};

/// Up to where the database has the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub generation: u64,
    pub position: u64,
}

/// What is in force after a start.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Of all accounts; `true`: the database does not have it like that.
    pub balances: HashMap<AccountKey, (Balance, bool)>,
    /// The highest generation there has been.
    pub generation: u64,
    /// Requests whose end nobody knows.
    pub open: usize,
}

/// Adds to the database's `balances` what the journal says that they do not have. A request that was open when the
/// process ended is counted at the most that it may have used.
pub fn replay(
    balances: impl IntoIterator<Item = (AccountKey, Balance)>,
    applied: Applied,
    journal: &[u8],
) -> Replayed {
    let balances = balances.into_iter();
    let mut replayed = Replayed {
        balances: balances
            .map(|(key, balance)| (key, (balance, false)))
            .collect(),
        generation: applied.generation,
        open: 0,
    };
    let mut numbers: HashMap<u32, AccountKey> = HashMap::new();
    let mut open: HashMap<u64, (Amount, Vec<AccountKey>)> = HashMap::new();
    // Whose records before `position` the database has.
    let mut generation = 0;
    for (at, record) in Records::of(journal) {
        let is_new = generation > applied.generation
            || (generation == applied.generation && at >= applied.position);
        match record {
            Record::Begin { generation: begun } => {
                generation = begun;
                replayed.generation = replayed.generation.max(begun);
            }
            Record::Account { number, key } => {
                numbers.insert(number, key);
            }
            Record::Balance { number, balance } => {
                if let Some(key) = numbers.get(&number)
                    && generation > applied.generation
                {
                    replayed.balances.insert(key.clone(), (balance, true));
                }
            }
            Record::Open {
                claim,
                amount,
                accounts,
            } => {
                let accounts = accounts.iter().filter_map(|number| numbers.get(number));
                open.insert(claim, (amount, accounts.cloned().collect()));
            }
            Record::Cover { claim, amount } => {
                if let Some((covered, _)) = open.get_mut(&claim) {
                    *covered = amount;
                }
            }
            Record::Settle {
                claim,
                spent,
                uncertain,
            } => {
                if let Some((_, accounts)) = open.remove(&claim)
                    && is_new
                {
                    replayed.spend(accounts, spent, uncertain);
                }
            }
        }
    }
    replayed.open = open.len();
    for (covered, accounts) in open.into_values() {
        replayed.spend(accounts, covered, covered);
    }
    replayed
}

impl Replayed {
    fn spend(&mut self, accounts: Vec<AccountKey>, spent: Amount, uncertain: Amount) {
        for key in accounts {
            let (balance, changed) = self.balances.entry(key).or_default();
            balance.spent += spent;
            balance.uncertain += uncertain;
            *changed = true;
        }
    }
}
