//! The keys of one provider, used in turn.

use std::time::{Duration, Instant};

use llm::error::ErrorKind;

/// The first time that a key is refused or used up it is left out for so long; twice as long each next time.
const OUT: Duration = Duration::from_secs(600);
const LONGEST_OUT: Duration = Duration::from_secs(3600);

/// Which of a provider's keys may be used.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyRing {
    /// What tells the keys apart, as a reload may bring others.
    fingerprints: Vec<u64>,
    keys: Vec<Key>,
    next: usize,
}

/// What is known of one key.
#[derive(Clone, Debug, Default)]
struct Key {
    rest: Option<Rest>,
    /// How often it was left out since it last worked.
    times: u32,
}

#[derive(Clone, Debug)]
struct Rest {
    until: Instant,
    /// Left out, not only cooling down.
    out: bool,
    reason: &'static str,
}

/// One key, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// `usable`, `cooling`, `out`.
    pub state: &'static str,
    /// For how long.
    pub rest: Option<Duration>,
    /// The kind of the error that was the reason.
    pub reason: Option<&'static str>,
}

/// Keys in a set of their numbers. Of more than 64 the last share a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySet(u64);

impl KeySet {
    pub fn insert(&mut self, key: usize) {
        self.0 |= 1 << key.min(63);
    }

    pub fn contains(self, key: usize) -> bool {
        self.0 & (1 << key.min(63)) != 0
    }
}

impl KeyRing {
    /// The keys by what tells them apart; what is known of those that are still there is kept.
    pub fn set(&mut self, fingerprints: &[u64]) {
        if self.fingerprints == fingerprints {
            return;
        }
        let known = |fingerprint| self.fingerprints.iter().position(|f| f == fingerprint);
        let keys = fingerprints.iter();
        self.keys = keys
            .map(|f| known(f).map_or_else(Key::default, |at| self.keys[at].clone()))
            .collect();
        self.fingerprints = fingerprints.to_vec();
        self.next = 0;
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether any may be used. A provider without keys needs none.
    pub fn is_usable(&self, now: Instant) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|key| key.is_usable(now))
    }

    /// Whether any is left out, or was when it was last looked at.
    pub fn is_troubled(&self) -> bool {
        self.keys.iter().any(|key| key.rest.is_some())
    }

    /// The next one that may be used, but for those `tried`.
    pub fn next(&mut self, tried: KeySet, now: Instant) -> Option<usize> {
        let count = self.keys.len();
        let found = (0..count)
            .map(|n| (self.next + n) % count)
            .find(|key| !tried.contains(*key) && self.keys[*key].is_usable(now))?;
        self.next = (found + 1) % count;
        Some(found)
    }

    /// The one that may be used soonest.
    pub fn soonest(&self) -> Option<usize> {
        let until = |key: &Key| key.rest.as_ref().map(|rest| rest.until);
        (0..self.keys.len()).min_by_key(|key| until(&self.keys[*key]))
    }

    /// When one may be used again.
    pub fn usable_at(&self) -> Option<Instant> {
        let rest = self.keys.get(self.soonest()?)?.rest.as_ref()?;
        Some(rest.until)
    }

    /// It does not work: left out, unless it is the last one. Whether it was.
    pub fn take_out(
        &mut self,
        key: usize,
        wait: Option<Duration>,
        reason: &'static str,
        now: Instant,
    ) -> bool {
        let others = (0..self.keys.len()).any(|n| n != key && self.keys[n].is_usable(now));
        let Some(key) = self.keys.get_mut(key).filter(|_| others) else {
            return false;
        };
        let grown = OUT.saturating_mul(1 << key.times.min(8)).min(LONGEST_OUT);
        key.times = key.times.saturating_add(1);
        key.rest = Some(Rest {
            until: now + wait.unwrap_or(grown),
            out: true,
            reason,
        });
        true
    }

    /// It is used too much for now. Whether another may be used meanwhile.
    pub fn cool(&mut self, key: usize, wait: Duration, reason: &'static str, now: Instant) -> bool {
        if self.keys.len() < 2 {
            return false;
        }
        if let Some(key) = self.keys.get_mut(key)
            && !key.rest.as_ref().is_some_and(|rest| rest.out)
        {
            key.rest = Some(Rest {
                until: now + wait,
                out: false,
                reason,
            });
        }
        self.is_usable(now)
    }

    /// Whether it is left out because it was refused.
    pub fn is_refused(&self, key: usize) -> bool {
        let rest = self.keys.get(key).and_then(|key| key.rest.as_ref());
        rest.is_some_and(|rest| rest.out && rest.reason == ErrorKind::Authentication.as_str())
    }

    /// It works. Whether it was out until now.
    pub fn works(&mut self, key: usize) -> bool {
        let Some(key) = self.keys.get_mut(key) else {
            return false;
        };
        key.times = 0;
        key.rest.take().is_some_and(|rest| rest.out)
    }

    pub fn view(&self, now: Instant) -> Vec<KeyView> {
        let keys = self.keys.iter();
        keys.map(|key| match &key.rest {
            Some(rest) if rest.until > now => KeyView {
                state: if rest.out { "out" } else { "cooling" },
                rest: Some(rest.until - now),
                reason: Some(rest.reason),
            },
            _ => KeyView {
                state: "usable",
                rest: None,
                reason: None,
            },
        })
        .collect()
    }
}

impl Key {
    fn is_usable(&self, now: Instant) -> bool {
        self.rest.as_ref().is_none_or(|rest| rest.until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ring(keys: u64) -> KeyRing {
        let mut ring = KeyRing::default();
        ring.set(&(0..keys).collect::<Vec<_>>());
        ring
    }

    fn turns(ring: &mut KeyRing, count: usize, now: Instant) -> Vec<Option<usize>> {
        (0..count)
            .map(|_| ring.next(KeySet::default(), now))
            .collect()
    }

    #[test]
    fn they_take_turns_and_those_that_are_out_have_none() {
        let now = Instant::now();
        let mut ring = ring(3);
        assert_eq!(
            turns(&mut ring, 4, now),
            [Some(0), Some(1), Some(2), Some(0)]
        );
        assert!(ring.take_out(1, None, "authentication", now));
        assert_eq!(turns(&mut ring, 3, now), [Some(2), Some(0), Some(2)]);
        let later = now + OUT;
        assert!(turns(&mut ring, 3, later).contains(&Some(1)));
        assert!(ring.works(1));
        assert!(!ring.works(1));
    }

    #[test]
    fn the_last_one_stays() {
        let now = Instant::now();
        let mut ring = ring(2);
        assert!(ring.take_out(0, None, "authentication", now));
        assert!(!ring.take_out(1, None, "authentication", now));
        assert_eq!(turns(&mut ring, 2, now), [Some(1), Some(1)]);
        assert!(!self::ring(1).take_out(0, None, "authentication", now));
    }

    #[test]
    fn all_of_them_may_cool_down() {
        let now = Instant::now();
        let mut ring = ring(2);
        assert!(ring.cool(0, SECOND * 2, "rate_limited", now));
        assert!(!ring.cool(1, SECOND, "rate_limited", now));
        assert_eq!(ring.next(KeySet::default(), now), None);
        assert_eq!(
            (ring.soonest(), ring.usable_at()),
            (Some(1), Some(now + SECOND))
        );
        assert!(ring.is_usable(now + SECOND));
    }

    #[test]
    fn a_reload_keeps_what_is_known() {
        let now = Instant::now();
        let mut ring = ring(3);
        ring.take_out(2, None, "quota_exceeded", now);
        ring.set(&[2, 7]);
        assert_eq!(turns(&mut ring, 2, now), [Some(1), Some(1)]);
        let states: Vec<&str> = ring.view(now).iter().map(|key| key.state).collect();
        assert_eq!(states, ["out", "usable"]);
    }
}
