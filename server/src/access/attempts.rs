//! Guesses of tokens and passwords: slow, few, and in the log.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// So many wrong ones in a row from one address; then one more every so often.
const OF_ADDRESS: Allowed = Allowed {
    burst: 10,
    refill: Duration::from_secs(6),
};
/// So many wrong passwords of one name, from wherever they come.
const OF_NAME: Allowed = Allowed {
    burst: 20,
    refill: Duration::from_secs(30),
};
/// How long the answer to a wrong one takes at least.
const DELAY: Duration = Duration::from_millis(250);
/// Between two warnings.
const QUIET: Duration = Duration::from_secs(5);
/// So many addresses, and as many names, are told apart; what comes after counts as one.
const MOST: usize = 1024;

/// What is thought of a token or a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    Right(T),
    Wrong,
    /// There were too many wrong ones: nobody looked at this one.
    TooMany {
        retry_after: Duration,
    },
}

/// Who guessed wrong, and how often.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<Wrong>);

#[derive(Debug, Default)]
struct Wrong {
    addresses: Debts<IpAddr>,
    /// By the digests of names: those may be long, and may be passwords.
    names: Debts<[u8; 32]>,
    warned: Option<Instant>,
    /// Wrong ones since the last warning.
    unsaid: u64,
}

/// When somebody has paid for all of their wrong guesses.
#[derive(Debug)]
struct Debts<K>(HashMap<K, Instant>);

#[derive(Clone, Copy, Debug)]
struct Allowed {
    burst: u32,
    refill: Duration,
}

impl Attempts {
    /// Looks whether a secret from this address is right; takes a while when it is wrong.
    pub async fn judge<T>(&self, address: IpAddr, look: impl FnOnce() -> Option<T>) -> Verdict<T> {
        let verdict = self.judge_at(address, look, Instant::now());
        if matches!(verdict, Verdict::Wrong) {
            tokio::time::sleep(DELAY).await;
        }
        verdict
    }

    fn judge_at<T>(
        &self,
        address: IpAddr,
        look: impl FnOnce() -> Option<T>,
        now: Instant,
    ) -> Verdict<T> {
        // One at a time, or many at once would all be let through.
        let mut wrong = self.lock();
        let address = wrong.addresses.known(shared(address), rest(), now);
        if let Some(retry_after) = wrong.addresses.wait(&address, OF_ADDRESS, now) {
            return Verdict::TooMany { retry_after };
        }
        if let Some(right) = look() {
            return Verdict::Right(right);
        }
        wrong.addresses.charge(address, OF_ADDRESS, now);
        wrong.warn(address, now);
        Verdict::Wrong
    }

    /// The same of a password, which it takes long to look at: it is paid for before, and given back if it is right.
    /// `address`: of somebody who is not in yet.
    pub async fn judge_password<T>(
        &self,
        address: Option<IpAddr>,
        name: &str,
        look: impl Future<Output = Option<T>>,
    ) -> Verdict<T> {
        let paid = match self.pay(address, name, Instant::now()) {
            Ok(paid) => paid,
            Err(retry_after) => return Verdict::TooMany { retry_after },
        };
        match look.await {
            Some(right) => {
                self.give_back(paid);
                Verdict::Right(right)
            }
            None => {
                let address = paid.address.unwrap_or_else(rest);
                self.lock().warn(address, Instant::now());
                tokio::time::sleep(DELAY).await;
                Verdict::Wrong
            }
        }
    }

    /// # Errors
    /// How long to wait.
    fn pay(&self, address: Option<IpAddr>, name: &str, now: Instant) -> Result<Paid, Duration> {
        let mut wrong = self.lock();
        let name = Sha256::digest(name.as_bytes()).into();
        let name = wrong.names.known(name, [0; 32], now);
        let address = address.map(|address| wrong.addresses.known(shared(address), rest(), now));
        let waits = address.and_then(|address| wrong.addresses.wait(&address, OF_ADDRESS, now));
        if let Some(wait) = waits.max(wrong.names.wait(&name, OF_NAME, now)) {
            return Err(wait);
        }
        if let Some(address) = address {
            wrong.addresses.charge(address, OF_ADDRESS, now);
        }
        wrong.names.charge(name, OF_NAME, now);
        Ok(Paid { address, name })
    }

    fn give_back(&self, paid: Paid) {
        let mut wrong = self.lock();
        if let Some(address) = paid.address {
            wrong.addresses.refund(&address, OF_ADDRESS);
        }
        wrong.names.refund(&paid.name, OF_NAME);
    }

    fn lock(&self) -> MutexGuard<'_, Wrong> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one password was paid with.
struct Paid {
    address: Option<IpAddr>,
    name: [u8; 32],
}

impl<K> Default for Debts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Debts<K> {
    /// Whom this one counts as.
    fn known(&mut self, who: K, rest: K, now: Instant) -> K {
        if self.0.len() >= MOST && !self.0.contains_key(&who) {
            self.0.retain(|_, paid| *paid > now);
            if self.0.len() >= MOST {
                return rest;
            }
        }
        who
    }

    /// How long until one more is looked at; `None`: now.
    fn wait(&self, who: &K, allowed: Allowed, now: Instant) -> Option<Duration> {
        let paid = self.0.get(who).map_or(now, |paid| now.max(*paid));
        let full = now + allowed.refill * (allowed.burst - 1);
        (paid > full).then(|| paid - full)
    }

    fn charge(&mut self, who: K, allowed: Allowed, now: Instant) {
        let paid = self.0.entry(who).or_insert(now);
        *paid = now.max(*paid) + allowed.refill;
    }

    fn refund(&mut self, who: &K, allowed: Allowed) {
        if let Some(paid) = self.0.get_mut(who) {
            *paid -= allowed.refill;
        }
    }
}

impl Wrong {
    fn warn(&mut self, address: IpAddr, now: Instant) {
        self.unsaid += 1;
        if self.warned.is_none_or(|warned| now >= warned + QUIET) {
            tracing::warn!(
                count = self.unsaid,
                last_address = %address,
                "Wrong tokens or passwords were sent to the admin listener"
            );
            self.warned = Some(now);
            self.unsaid = 0;
        }
    }
}

/// Whom an address counts for: who has one IPv6 address has 2⁶⁴ of them.
fn shared(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

/// All that are not told apart.
fn rest() -> IpAddr {
    Ipv6Addr::UNSPECIFIED.into()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const BURST: u32 = OF_ADDRESS.burst;
    const REFILL: Duration = OF_ADDRESS.refill;

    fn guess(attempts: &Attempts, address: IpAddr, is_right: bool, now: Instant) -> Verdict<()> {
        attempts.judge_at(address, || is_right.then_some(()), now)
    }

    #[test]
    fn a_few_guesses_then_one_every_few_seconds() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(guess(&attempts, HERE, false, now), Verdict::Wrong);
        }
        let refused = Verdict::TooMany {
            retry_after: REFILL,
        };
        for is_right in [false, true] {
            assert_eq!(guess(&attempts, HERE, is_right, now), refused);
        }
        let elsewhere = Ipv4Addr::new(10, 0, 0, 1).into();
        assert_eq!(
            guess(&attempts, elsewhere, false, now),
            Verdict::Wrong,
            "another address"
        );
        let later = now + REFILL;
        assert_eq!(guess(&attempts, HERE, false, later), Verdict::Wrong);
        assert_eq!(guess(&attempts, HERE, false, later), refused);
        let right = guess(&attempts, HERE, true, later + REFILL);
        assert_eq!(right, Verdict::Right(()));
    }

    #[test]
    fn the_right_one_costs_nothing() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..10 * BURST {
            assert_eq!(guess(&attempts, HERE, true, now), Verdict::Right(()));
            let paid = attempts.pay(Some(HERE), "alice", now).unwrap();
            attempts.give_back(paid);
        }
    }

    #[test]
    fn a_name_is_guessed_at_a_few_times_from_wherever() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let mut addresses = (1..).map(|number| IpAddr::from(Ipv4Addr::from_bits(number)));
        for address in addresses.by_ref().take(OF_NAME.burst as usize) {
            assert!(attempts.pay(Some(address), "alice", now).is_ok());
        }
        let next = addresses.next();
        assert_eq!(attempts.pay(next, "alice", now).err(), Some(OF_NAME.refill));
        assert!(attempts.pay(next, "bob", now).is_ok(), "another name");
        assert!(attempts.pay(next, "alice", now + OF_NAME.refill).is_ok());
    }

    #[test]
    fn what_is_looked_at_has_been_paid_for() {
        // Many at once are not all let through while none of them has been found wrong yet.
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..BURST {
            let name = number.to_string();
            assert!(attempts.pay(Some(HERE), &name, now).is_ok());
        }
        assert!(attempts.pay(Some(HERE), "another", now).is_err());
    }

    #[test]
    fn many_addresses_take_bounded_memory() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..4096 {
            let address = Ipv4Addr::from_bits(number).into();
            guess(&attempts, address, false, now);
            let _ = attempts.pay(None, &number.to_string(), now);
        }
        let wrong = attempts.lock();
        assert_eq!(wrong.addresses.0.len(), MOST + 1);
        assert_eq!(wrong.names.0.len(), MOST + 1);
        drop(wrong);
        let newcomer = guess(&attempts, Ipv4Addr::from_bits(5000).into(), false, now);
        assert!(matches!(newcomer, Verdict::TooMany { .. }));
    }
}
