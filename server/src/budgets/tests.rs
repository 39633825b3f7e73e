//! Laws of the ledger: whatever happens in whatever order, and wherever the process is killed.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use proptest::prelude::*;
use shared::CostNanos;
use shared::policies::{Allowance, Period};
use tempfile::TempDir;

use super::Amount;
use super::account::{AccountKey, Balance, Owner};
use super::book::{Book, MOST_ACCOUNTS, Place, Refused};
use super::ledger::{Ledger, alerts};
use super::record::end_of;
use super::replay::{Applied, replay};
use crate::store::Store;

const ACCOUNTS: usize = 3;

fn place(account: usize, limits: [Option<u64>; 3]) -> Place {
    let [requests, tokens, nanos] = limits;
    Place {
        key: AccountKey {
            owner: Owner::Budget,
            name: format!("budget-{account}").into(),
            subject: (account == 2).then(|| "subject".into()),
            period: Period::Total,
            first_day: None,
        },
        allowance: Arc::new(Allowance {
            requests,
            tokens,
            cost_nanos: nanos.map(|nanos| CostNanos(i64::try_from(nanos).unwrap())),
            period: Period::Total,
            alerts: vec![50, 80, 100],
        }),
        ends: None,
    }
}

/// What a test does to the ledger.
#[derive(Clone, Debug)]
enum Act {
    /// Of which accounts, and how much.
    Reserve([bool; ACCOUNTS], Amount),
    /// Which open claim, and how much more.
    Raise(prop::sample::Index, Amount),
    /// Which open claim, and which part of it was used, in percent; of that, which part nobody told.
    Settle(prop::sample::Index, u64, u64),
    /// The database is brought up to date.
    Write,
    /// The same, and it fails.
    FailToWrite,
    /// The journal is begun anew.
    Tidy,
    /// The process is killed and started again.
    Kill,
}

fn amounts() -> impl Strategy<Value = Amount> {
    (0..3_u64, 0..400_u64, 0..400_u64).prop_map(|(requests, tokens, nanos)| Amount {
        requests,
        tokens,
        nanos,
    })
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (any::<[bool; ACCOUNTS]>(), amounts()).prop_map(|(of, much)| Act::Reserve(of, much)),
        2 => (any::<prop::sample::Index>(), amounts()).prop_map(|(which, more)| Act::Raise(which, more)),
        5 => (any::<prop::sample::Index>(), 0..=100_u64, 0..=100_u64)
            .prop_map(|(which, part, untold)| Act::Settle(which, part, untold)),
        2 => Just(Act::Write),
        1 => Just(Act::FailToWrite),
        1 => Just(Act::Tidy),
        1 => Just(Act::Kill),
    ]
}

fn part(amount: Amount, percent: u64) -> Amount {
    Amount {
        requests: amount.requests * percent / 100,
        tokens: amount.tokens * percent / 100,
        nanos: amount.nanos * percent / 100,
    }
}

/// The ledger and what it should say.
struct World {
    folder: TempDir,
    book: Book,
    places: Vec<Place>,
    /// The database.
    balances: HashMap<AccountKey, Balance>,
    applied: Applied,
    /// Number, accounts, what is covered.
    open: Vec<(u64, Vec<Place>, Amount)>,
    /// By the account.
    spent: HashMap<AccountKey, (Amount, Amount)>,
}

impl World {
    fn new() -> Self {
        let places = vec![
            place(0, [Some(20), None, Some(2_000)]),
            place(1, [None, Some(1_500), None]),
            place(2, [None, None, Some(1_000)]),
        ];
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            book: Book::default(),
            places,
            balances: HashMap::new(),
            applied: Applied::default(),
            open: Vec::new(),
            spent: HashMap::new(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let path = self.folder.path().join("ledger");
        let journal = std::fs::read(&path).unwrap_or_default();
        let balances = self.balances.iter();
        let balances = balances.map(|(key, balance)| (key.clone(), *balance));
        let replayed = replay(balances, self.applied, &journal);
        assert_eq!(replayed.open, self.open.len());
        self.book = Book::default();
        self.book.open(path, replayed).unwrap();
    }

    fn charge(&mut self, places: &[Place], spent: Amount, uncertain: Amount) {
        for place in places {
            let sum = self.spent.entry(place.key.clone()).or_default();
            sum.0 += spent;
            sum.1 += uncertain;
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Reserve(of, amount) => {
                let chosen = self.places.iter().zip(of).filter(|(_, chosen)| **chosen);
                let places: Vec<Place> = chosen.map(|(place, _)| place.clone()).collect();
                if places.is_empty() {
                    return;
                }
                let fits = places.iter().all(|place| self.fits(place, *amount));
                match self.book.reserve(&places, *amount) {
                    Ok(claim) => {
                        assert!(fits);
                        self.open.push((claim, places, *amount));
                    }
                    Err(Refused::Exceeded { .. }) => assert!(!fits, "a false refusal"),
                    Err(Refused::Unwritten(why)) => panic!("{why}"),
                }
            }
            Act::Raise(which, more) if !self.open.is_empty() => {
                let at = which.index(self.open.len());
                let (claim, places, covered) = self.open[at].clone();
                let fits = places.iter().all(|place| self.fits(place, *more));
                let all = covered + *more;
                match self.book.raise(claim, &places, all) {
                    Ok(()) => {
                        assert!(fits);
                        self.open[at].2 = all;
                    }
                    Err(Refused::Exceeded { .. }) => assert!(!fits, "a false refusal"),
                    Err(Refused::Unwritten(why)) => panic!("{why}"),
                }
            }
            Act::Settle(which, percent, untold) if !self.open.is_empty() => {
                let at = which.index(self.open.len());
                let (claim, places, covered) = self.open.swap_remove(at);
                let spent = part(covered, *percent);
                let uncertain = part(spent, *untold);
                self.book.settle(claim, spent, uncertain);
                self.charge(&places, spent, uncertain);
            }
            Act::Write => {
                let unwritten = self.book.unwritten();
                if !unwritten.balances.is_empty() {
                    self.balances.extend(unwritten.balances.clone());
                    self.applied = unwritten.applied;
                }
                self.book.written(&unwritten);
            }
            Act::FailToWrite => {
                let unwritten = self.book.unwritten();
                self.book.write_failed(&unwritten);
            }
            Act::Tidy => {
                // As it is done while it is in use: behind the database's back.
                let path = self.folder.path().join("ledger");
                let _ = std::fs::rename(&path, self.folder.path().join("lost"));
                self.book.tidy().unwrap();
            }
            Act::Kill => {
                self.start();
                for (_, places, covered) in std::mem::take(&mut self.open) {
                    self.charge(&places, covered, covered);
                }
            }
            Act::Raise(..) | Act::Settle(..) => {}
        }
    }

    fn reserved(&self, key: &AccountKey) -> Amount {
        let of = |places: &[Place]| places.iter().any(|place| place.key == *key);
        let open = self.open.iter().filter(|(_, places, _)| of(places));
        open.fold(Amount::default(), |sum, (_, _, covered)| sum + *covered)
    }

    fn fits(&self, place: &Place, more: Amount) -> bool {
        let (spent, _) = self.spent.get(&place.key).copied().unwrap_or_default();
        let all = spent + self.reserved(&place.key) + more;
        let allowance = &place.allowance;
        let within = |limit: Option<u64>, all: u64, more: u64| {
            more == 0 || limit.is_none_or(|limit| all <= limit)
        };
        let nanos = allowance.cost_nanos.map(|nanos| nanos.0.unsigned_abs());
        within(allowance.requests, all.requests, more.requests)
            && within(allowance.tokens, all.tokens, more.tokens)
            && within(nanos, all.nanos, more.nanos)
    }

    fn check(&self) {
        for account in self.book.accounts() {
            let (spent, uncertain) = self.spent.get(&account.key).copied().unwrap_or_default();
            assert_eq!(account.balance.spent, spent);
            assert_eq!(account.balance.uncertain, uncertain);
            assert_eq!(account.reserved, self.reserved(&account.key));
            let place = self.places.iter().find(|place| place.key == account.key);
            let limit = &place.unwrap().allowance;
            let used = spent + account.reserved;
            assert!(limit.requests.is_none_or(|limit| used.requests <= limit));
            assert!(limit.tokens.is_none_or(|limit| used.tokens <= limit));
            let nanos = limit.cost_nanos.map(|nanos| nanos.0.unsigned_abs());
            assert!(nanos.is_none_or(|limit| used.nanos <= limit));
        }
        // One of which nothing was spent may be forgotten.
        let charged = self.spent.iter().filter(|(_, (spent, _))| !spent.is_zero());
        for (key, _) in charged {
            assert!(self.book.accounts().any(|account| account.key == *key));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nothing_is_overspent_lost_or_refused_for_nothing(acts in prop::collection::vec(acts(), 1..60)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            world.check();
        }
        // Killed at the end, and once more while nothing is open.
        world.act(&Act::Kill);
        world.check();
        world.act(&Act::Kill);
        world.check();
    }
}

#[test]
fn a_torn_record_is_as_if_it_had_not_been() {
    let mut world = World::new();
    let amount = Amount {
        nanos: 100,
        ..Amount::default()
    };
    let all = world.places.clone();
    let first = world.book.reserve(&all, amount).unwrap();
    let path = world.folder.path().join("ledger");
    // Behind its records the file has zeros.
    let end = |content: &[u8]| usize::try_from(end_of(content)).unwrap();
    let before = end(&std::fs::read(&path).unwrap());
    world.book.settle(first, amount, Amount::default());
    let whole = std::fs::read(&path).unwrap();
    let after = end(&whole);
    assert!(before < after && after < whole.len());
    for cut in before..=after {
        let replayed = replay([], Applied::default(), &whole[..cut]);
        let is_there = cut == after;
        assert_eq!(replayed.open, usize::from(!is_there), "cut at {cut}");
        for (balance, _) in replayed.balances.values() {
            // Not settled is counted in full, which is as much here.
            assert_eq!(balance.spent, amount);
            let uncertain = if is_there { 0 } else { 100 };
            assert_eq!(balance.uncertain.nanos, uncertain);
        }
    }
}

#[test]
fn where_nothing_can_be_written_nothing_is_given() {
    let mut world = World::new();
    let missing = world.folder.path().join("no/such/folder/ledger");
    let mut book = Book::default();
    book.open(missing, super::replay::Replayed::default())
        .unwrap();
    let amount = Amount::default();
    let refused = book.reserve(&world.places, amount).unwrap_err();
    assert!(matches!(refused, Refused::Unwritten(_)));
    assert!(book.trouble.is_some());
    assert!(world.book.reserve(&world.places, amount).is_ok());
}

#[test]
fn alerts_are_told_once_a_period() {
    let mut world = World::new();
    let only = vec![world.places[1].clone()];
    let mut told = Vec::new();
    for _ in 0..15 {
        let amount = Amount {
            tokens: 100,
            ..Amount::default()
        };
        let claim = world.book.reserve(&only, amount).unwrap();
        world.book.settle(claim, amount, Amount::default());
        let unwritten = world.book.unwritten();
        told.extend(
            unwritten
                .alerts
                .iter()
                .map(|alert| (alert.percent, alert.used)),
        );
        world.book.written(&unwritten);
        world.balances.extend(unwritten.balances);
        world.applied = unwritten.applied;
        world.charge(&only, amount, Amount::default());
        world.start();
    }
    assert_eq!(told, [(50, 800), (80, 1_200), (100, 1_500)]);
}

fn tokens(tokens: u64) -> Amount {
    Amount {
        tokens,
        ..Amount::default()
    }
}

/// What was told of an account that may use 1,500 tokens, and is not in the database.
fn told(world: &mut World) -> Vec<u8> {
    let unwritten = world.book.unwritten();
    world.book.write_failed(&unwritten);
    unwritten.alerts.iter().map(|alert| alert.percent).collect()
}

#[test]
fn an_alert_waits_until_the_database_has_it() {
    let mut world = World::new();
    let only = vec![world.places[1].clone()];
    let claim = world.book.reserve(&only, tokens(1_000)).unwrap();
    world.book.settle(claim, tokens(1_000), Amount::default());
    assert_eq!(told(&mut world), [50]);
    assert!(!world.book.is_written());
    // Neither a new journal nor a restart takes it for told.
    world.act(&Act::Tidy);
    world.start();
    let allowance = Arc::clone(&only[0].allowance);
    world.book.review(|_| Some(Arc::clone(&allowance)));
    assert_eq!(told(&mut world), [50]);
    world.act(&Act::Write);
    assert!(told(&mut world).is_empty() && world.book.is_written());
}

#[test]
fn what_was_cut_off_is_told_at_the_next_start() {
    let mut world = World::new();
    let only = vec![world.places[1].clone()];
    world.book.reserve(&only, tokens(1_500)).unwrap();
    let path = world.folder.path().join("ledger");
    let left = replay([], Applied::default(), &std::fs::read(&path).unwrap());
    world.book = Book::default();
    world.book.open(path, left).unwrap();
    assert!(told(&mut world).is_empty(), "no allowance is known yet");
    let allowance = Arc::clone(&only[0].allowance);
    world.book.review(|_| Some(Arc::clone(&allowance)));
    assert_eq!(told(&mut world), [50, 80, 100]);
    world.act(&Act::Write);
    world.book.review(|_| Some(Arc::clone(&allowance)));
    assert!(world.book.is_written(), "once");
}

#[test]
fn of_another_limit_all_is_told_again() {
    let mut world = World::new();
    let places = vec![world.places[1].clone()];
    let claim = world.book.reserve(&places, tokens(1_500)).unwrap();
    world.book.settle(claim, tokens(1_500), Amount::default());
    assert_eq!(told(&mut world), [50, 80, 100]);
    world.act(&Act::Write);
    let limited = |limit| place(1, [None, Some(limit), None]);
    let mut use_more = |limit: u64, more: u64| {
        let place = limited(limit);
        world.book.review(|_| Some(Arc::clone(&place.allowance)));
        let claim = world.book.reserve(&[place], tokens(more)).unwrap();
        world.book.settle(claim, tokens(more), Amount::default());
        let told = told(&mut world);
        world.act(&Act::Write);
        told
    };
    assert!(use_more(15_000, 100).is_empty());
    assert_eq!(use_more(15_000, 10_500), [50, 80]);
    // A little more or less is no news.
    assert!(use_more(15_100, 0).is_empty());
    assert!(use_more(15_000, 0).is_empty());
    let lower = limited(12_000);
    world.book.review(|_| Some(Arc::clone(&lower.allowance)));
    assert_eq!(told(&mut world), [100], "nobody has to use it for that");
}

#[test]
fn only_what_was_over_long_ago_is_forgotten() {
    let mut world = World::new();
    let day = |day: u32| NaiveDate::from_ymd_opt(2026, 11, day);
    let on = |first_day| {
        let mut place = place(0, [Some(3), None, None]);
        place.key.period = Period::Day;
        place.key.first_day = first_day;
        vec![place]
    };
    let one = Amount {
        requests: 1,
        ..Amount::default()
    };
    let all = [20, 21, 22, 23, 24].map(day);
    for first_day in all {
        let claim = world.book.reserve(&on(first_day), one).unwrap();
        world.book.settle(claim, one, Amount::default());
    }
    let forget = |book: &mut Book| {
        book.forget_past(|period| day(22).filter(|_| period == Period::Day));
        let mut left: Vec<_> = book.accounts().map(|one| one.key.first_day).collect();
        left.sort_unstable();
        left
    };
    assert_eq!(forget(&mut world.book), all, "the database needs them");
    world.act(&Act::Write);
    // Days to come, too: the clock was put back.
    assert_eq!(forget(&mut world.book), [22, 23, 24].map(day));
}

#[test]
fn what_the_database_is_being_given_stands_in_a_new_journal() {
    let mut world = World::new();
    let (given, other) = (vec![world.places[1].clone()], vec![world.places[0].clone()]);
    let used = |world: &mut World, places: &[Place], breaks: bool| {
        let claim = world.book.reserve(places, tokens(100)).unwrap();
        if breaks {
            world.book.break_journal();
        }
        world.book.settle(claim, tokens(100), Amount::default());
        world.charge(places, tokens(100), Amount::default());
    };
    used(&mut world, &given, false);
    let unwritten = world.book.unwritten();
    assert_eq!(unwritten.balances.len(), 1);
    used(&mut world, &other, true);
    // Begins anew.
    used(&mut world, &other, false);
    world.check();
    world.act(&Act::Kill);
    world.check();
}

#[test]
fn an_end_that_could_not_be_written_counts_once() {
    for tidied in [true, false] {
        let mut world = World::new();
        let places = vec![world.places[1].clone()];
        let claim = world.book.reserve(&places, tokens(300)).unwrap();
        world.book.break_journal();
        world.book.settle(claim, tokens(100), Amount::default());
        world.charge(&places, tokens(100), Amount::default());
        assert!(world.book.trouble.is_some());
        world.act(&Act::Write);
        if tidied {
            world.book.tidy().unwrap();
            assert!(world.book.trouble.is_none());
        } else {
            world.book.close();
            assert!(!world.folder.path().join("ledger").exists());
        }
        world.start();
        world.check();
    }
}

#[test]
fn however_many_accounts_there_are_a_restart_keeps_each() {
    let mut book = Book::default();
    let folder = tempfile::tempdir().unwrap();
    let one = place(2, [None, None, None]);
    let keys = (0..MOST_ACCOUNTS + 10).map(|number| AccountKey {
        subject: Some(format!("subject {number}").into()),
        ..one.key.clone()
    });
    let balance = Balance {
        spent: tokens(1),
        ..Balance::default()
    };
    let left = replay(keys.map(|key| (key, balance)), Applied::default(), &[]);
    book.open(folder.path().join("ledger"), left).unwrap();
    let claim = book.reserve(&[one], tokens(1)).unwrap();
    book.settle(claim, tokens(1), Amount::default());
    let spent: u64 = book.accounts().map(|one| one.balance.spent.tokens).sum();
    assert_eq!(spent, MOST_ACCOUNTS as u64 + 11);
}

#[tokio::test]
async fn a_ledger_that_is_not_there_yet_has_one_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!(
        "sqlite:{}",
        folder.path().join("gateway.db").display()
    ))
    .await
    .unwrap();
    let path = folder.path().join("gateway.db.ledger");
    let opened = async || {
        let ledger = Arc::new(Ledger::default());
        let (alerts, _) = alerts();
        ledger.open(store.clone(), path.clone(), alerts).await;
        ledger
    };
    let places = [place(1, [None, Some(1_500), None])];
    let (first, second) = (opened().await, opened().await);
    let refused = second.reserve(&places, tokens(1)).unwrap_err();
    assert!(matches!(refused, Refused::Unwritten(_)));
    assert!(!path.exists());
    let claim = first.reserve(&places, tokens(1)).unwrap();
    first.settle(claim, tokens(1), Amount::default());
    first.close(&store).await;
    assert!(!path.exists());
    assert!(opened().await.reserve(&places, tokens(1)).is_ok());
}
