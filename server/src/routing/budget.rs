//! How many tries there may be beyond the first of each request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Share;

/// A token in the unit that is counted: a share of one has six decimals.
const TOKEN: u64 = 1_000_000;

/// Tokens that every request brings a share of, and that a try costs one of. An outage is thereby multiplied by
/// `1 + share` at most.
#[derive(Debug)]
pub struct Budget {
    /// Millionths of a token.
    balance: AtomicU64,
    /// Tokens that come by themselves.
    per_second: u64,
    /// Tokens that are kept at most.
    most: u64,
    /// Up to when those that came by themselves are counted.
    counted: Mutex<Option<Instant>>,
}

impl Budget {
    /// Of retries: three a second may always be made, ten at once.
    pub fn of_retries() -> Self {
        Self::new(10, 3, 10)
    }

    /// Of hedges: none but those that requests have paid for.
    pub fn of_hedges() -> Self {
        Self::new(0, 0, 10)
    }

    fn new(tokens: u64, per_second: u64, most: u64) -> Self {
        Self {
            balance: AtomicU64::new(tokens * TOKEN),
            per_second,
            most,
            counted: Mutex::new(None),
        }
    }

    /// A request has come.
    pub fn deposit(&self, share: Share) {
        self.add(share.millionths().into());
    }

    /// Whether a try may be made; then it is paid for.
    pub fn withdraw(&self, now: Instant) -> bool {
        self.refill(now);
        let less = |balance: u64| balance.checked_sub(TOKEN);
        let taken = self
            .balance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.is_ok()
    }

    /// Whether a try could be paid for.
    pub fn is_left(&self) -> bool {
        self.balance.load(Ordering::Relaxed) >= TOKEN
    }

    fn add(&self, millionths: u64) {
        let balance = self.balance.load(Ordering::Relaxed);
        let most = self.most * TOKEN;
        // Full is what it mostly is. Two at once may add one share less: that errs on the safe side.
        if balance < most {
            let more = (balance + millionths).min(most);
            let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = self.balance.compare_exchange(balance, more, set, get);
        }
    }

    fn refill(&self, now: Instant) {
        if self.per_second == 0 {
            return;
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(*counted.get_or_insert(now));
        let since = since.min(Duration::from_secs(self.most));
        let more = u64::try_from(since.as_micros()).unwrap_or(0) * self.per_second;
        if more > 0 {
            *counted = Some(now);
            let add = |balance: u64| Some((balance + more).min((self.most * TOKEN).max(balance)));
            let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = self.balance.fetch_update(set, get, add);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_requests_and_a_few_a_second() {
        let budget = Budget::of_retries();
        let start = Instant::now();
        let taken = |now| (0..1000).filter(|_| budget.withdraw(now)).count();
        assert_eq!(taken(start), 10);
        assert_eq!(taken(start + Duration::from_secs(1)), 3);
        for _ in 0..20 {
            budget.deposit(Share::percent(20));
        }
        assert_eq!(taken(start + Duration::from_secs(1)), 4);
        assert_eq!(taken(start + Duration::from_secs(3600)), 10);
    }

    #[test]
    fn hedges_are_paid_for_by_requests_alone() {
        let budget = Budget::of_hedges();
        let now = Instant::now();
        assert!(!budget.is_left());
        for _ in 0..20 {
            budget.deposit(Share::percent(5));
        }
        assert!(budget.is_left());
        assert!(budget.withdraw(now));
        assert!(!budget.withdraw(now + Duration::from_secs(60)));
    }
}
