//! What is known of one provider: whether it is there, and which of its keys may be used.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use llm::error::ErrorKind;

use super::keys::{KeyRing, KeySet, KeyView};
use super::moment::Moment;
use super::transition::{Observer, Subject, Transition};

/// So many checks in a row must fail.
const MISSES: u32 = 2;

/// One provider's state. It outlives changes of the configuration.
#[derive(Debug)]
pub struct ProviderState {
    name: Arc<str>,
    /// It is down, or one of its keys may not be used: look closer.
    troubled: AtomicBool,
    keys: AtomicUsize,
    turn: AtomicUsize,
    inner: Mutex<Inner>,
    observer: Observer,
}

#[derive(Debug, Default)]
struct Inner {
    ring: KeyRing,
    /// Checks that failed since it was last seen alive.
    misses: u32,
    down: Option<Down>,
    checked: Option<Checked>,
}

/// The last health check.
#[derive(Debug)]
struct Checked {
    at: Instant,
    outcome: Result<(), String>,
    valid_for: Duration,
}

#[derive(Debug)]
struct Down {
    /// Without another check it then counts as up.
    until: Instant,
    reason: String,
}

/// A provider, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderView {
    pub name: Arc<str>,
    pub up: bool,
    /// Why it is down.
    pub reason: Option<String>,
    /// How long ago it was last checked, and what came of it.
    pub checked: Option<(Duration, Result<(), String>)>,
    pub keys: Vec<KeyView>,
}

impl ProviderState {
    pub(super) fn new(name: Arc<str>, observer: Observer) -> Self {
        Self {
            name,
            troubled: AtomicBool::new(false),
            keys: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            inner: Mutex::default(),
            observer,
        }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// A health check has ended. Two that fail in a row make the provider down, one that succeeds makes it up.
    /// `valid_for`: how long that holds where no other check follows; longer than the time between two.
    pub fn checked(&self, outcome: Result<(), String>, valid_for: Duration, moment: Moment) {
        let now = moment.now;
        let mut inner = self.lock();
        inner.checked = Some(Checked {
            at: now,
            outcome: outcome.clone(),
            valid_for,
        });
        let transition = match outcome {
            Ok(()) => self.up(&mut inner, "a health check succeeded"),
            Err(reason) => self.missed(&mut inner, reason, valid_for, now),
        };
        self.leave(inner, transition);
    }

    /// A health check was refused for its key. Whether another key takes its place.
    pub fn key_refused(&self, key: usize, moment: Moment) -> bool {
        self.take_out(key, None, ErrorKind::Authentication.as_str(), moment.now)
    }

    /// A health check was answered with this key. That brings one back that was refused; whether a quota is used up
    /// does not show in a check.
    pub fn key_taken(&self, key: usize) {
        if !self.troubled.load(Ordering::Relaxed) {
            return;
        }
        let mut inner = self.lock();
        let back = inner.ring.is_refused(key) && inner.ring.works(key);
        self.leave(inner, None);
        if back {
            self.tell_key(key, "out", "usable", "a health check succeeded");
        }
    }

    pub fn is_up(&self, now: Instant) -> bool {
        if !self.troubled.load(Ordering::Relaxed) {
            return true;
        }
        !self.lock().is_down(now)
    }

    pub fn view(&self, now: Instant) -> ProviderView {
        let inner = self.lock();
        let down = inner.down.as_ref().filter(|down| down.until > now);
        let checked = inner.checked.as_ref();
        ProviderView {
            name: self.name.clone(),
            up: down.is_none(),
            reason: down.map(|down| down.reason.clone()),
            checked: checked.map(|checked| {
                let age = now.saturating_duration_since(checked.at);
                (age, checked.outcome.clone())
            }),
            keys: inner.ring.view(now),
        }
    }

    pub(super) fn set_keys(&self, fingerprints: &[u64]) {
        let mut inner = self.lock();
        inner.ring.set(fingerprints);
        self.keys.store(inner.ring.len(), Ordering::Relaxed);
        self.leave(inner, None);
    }

    /// Whether it may be called: `None` at once, else at the earliest then.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        if !self.troubled.load(Ordering::Relaxed) {
            return None;
        }
        let inner = self.lock();
        if inner.is_down(now) {
            return inner.down.as_ref().map(|down| down.until);
        }
        if inner.ring.is_usable(now) {
            return None;
        }
        inner.ring.usable_at()
    }

    /// The key whose turn it is, of those not `tried`; `None`: there is none.
    pub(super) fn key(&self, tried: KeySet, now: Instant) -> Option<usize> {
        let count = self.keys.load(Ordering::Relaxed);
        let fresh = tried == KeySet::default();
        if fresh && !self.troubled.load(Ordering::Relaxed) {
            return match count {
                0 => None,
                1 => Some(0),
                _ => Some(self.turn.fetch_add(1, Ordering::Relaxed) % count),
            };
        }
        if count == 0 {
            return None;
        }
        let mut inner = self.lock();
        let next = inner.ring.next(tried, now);
        if fresh {
            next.or(inner.ring.soonest())
        } else {
            next
        }
    }

    /// The key that [`key`](Self::key) would give, whose turn it stays.
    pub(super) fn next_key(&self, now: Instant) -> Option<usize> {
        let count = self.keys.load(Ordering::Relaxed);
        if count == 0 {
            return None;
        }
        if !self.troubled.load(Ordering::Relaxed) {
            return Some(self.turn.load(Ordering::Relaxed) % count);
        }
        let mut ring = self.lock().ring.clone();
        ring.next(KeySet::default(), now).or(ring.soonest())
    }

    /// A call was answered.
    pub(super) fn works(&self, key: Option<usize>) {
        if !self.troubled.load(Ordering::Relaxed) {
            return;
        }
        let mut inner = self.lock();
        let back = key.filter(|key| inner.ring.works(*key));
        let up = self.up(&mut inner, "a request was answered");
        self.leave(inner, up);
        if let Some(key) = back {
            self.tell_key(key, "out", "usable", "a request was answered");
        }
    }

    /// No connection could be made. After a check that failed this is as good as another; else it is the target's
    /// breaker that counts it: a provider is never down that no check would find up again.
    pub(super) fn unreachable(&self, now: Instant) {
        let mut inner = self.lock();
        let valid_for = match &inner.checked {
            Some(checked) if checked.outcome.is_err() => checked.valid_for,
            _ => return,
        };
        let reason = "no connection could be made".to_owned();
        let transition = self.missed(&mut inner, reason, valid_for, now);
        self.leave(inner, transition);
    }

    /// The key does not work. Whether another takes its place.
    pub(super) fn take_out(
        &self,
        key: usize,
        wait: Option<Duration>,
        reason: &'static str,
        now: Instant,
    ) -> bool {
        let mut inner = self.lock();
        let out = inner.ring.take_out(key, wait, reason, now);
        self.leave(inner, None);
        if out {
            self.tell_key(key, "usable", "out", reason);
        }
        out
    }

    /// The key is used too much. Whether another takes its place.
    pub(super) fn cool(
        &self,
        key: usize,
        wait: Duration,
        reason: &'static str,
        now: Instant,
    ) -> bool {
        let mut inner = self.lock();
        let others = inner.ring.cool(key, wait, reason, now);
        self.leave(inner, None);
        others
    }

    fn missed(
        &self,
        inner: &mut Inner,
        reason: String,
        valid_for: Duration,
        now: Instant,
    ) -> Option<Transition> {
        let was_down = inner.is_down(now);
        inner.misses = inner.misses.saturating_add(1);
        if inner.misses < MISSES {
            return None;
        }
        inner.down = Some(Down {
            until: now + valid_for,
            reason: reason.clone(),
        });
        (!was_down).then(|| self.transition("up", "down", reason))
    }

    fn up(&self, inner: &mut Inner, reason: &str) -> Option<Transition> {
        inner.misses = 0;
        inner.down.take()?;
        Some(self.transition("down", "up", reason.to_owned()))
    }

    fn transition(&self, from: &'static str, to: &'static str, reason: String) -> Transition {
        Transition {
            what: Subject::Provider,
            provider: self.name.clone(),
            model: None,
            key: None,
            from,
            to,
            reason,
        }
    }

    fn tell_key(&self, key: usize, from: &'static str, to: &'static str, reason: &str) {
        self.observer.tell(&Transition {
            what: Subject::Key,
            key: Some(key),
            ..self.transition(from, to, reason.to_owned())
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is told of anything while the lock is held.
    fn leave(&self, inner: MutexGuard<'_, Inner>, transition: Option<Transition>) {
        let troubled = inner.misses > 0 || inner.down.is_some() || inner.ring.is_troubled();
        self.troubled.store(troubled, Ordering::Relaxed);
        drop(inner);
        if let Some(transition) = transition {
            self.observer.tell(&transition);
        }
    }
}

impl Inner {
    fn is_down(&self, now: Instant) -> bool {
        self.down.as_ref().is_some_and(|down| down.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn state() -> (ProviderState, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let observer = Observer::new(move |transition| {
            let words = format!("{:?} {}", transition.what, transition.to);
            told.lock().unwrap().push(words);
        });
        (ProviderState::new("p".into(), observer), seen)
    }

    fn at(now: Instant) -> Moment {
        Moment {
            now,
            at: chrono::DateTime::UNIX_EPOCH,
            random: 0,
        }
    }

    #[test]
    fn two_checks_take_it_down_and_one_brings_it_back() {
        let now = Instant::now();
        let (state, seen) = state();
        let failed = || Err("503".to_owned());
        state.checked(failed(), MINUTE, at(now));
        assert!(state.is_up(now));
        state.checked(failed(), MINUTE, at(now));
        assert!(!state.is_up(now));
        assert_eq!(state.view(now).reason.as_deref(), Some("503"));
        state.checked(Ok(()), MINUTE, at(now));
        assert!(state.is_up(now));
        assert_eq!(*seen.lock().unwrap(), ["Provider down", "Provider up"]);
    }

    #[test]
    fn live_traffic_is_evidence_too() {
        let now = Instant::now();
        let (state, seen) = state();
        // Nobody checks it, so nobody would find it up again.
        for _ in 0..5 {
            state.unreachable(now);
        }
        assert!(state.is_up(now));
        state.checked(Ok(()), MINUTE, at(now));
        for _ in 0..5 {
            state.unreachable(now);
        }
        assert!(state.is_up(now));
        state.checked(Err("503".to_owned()), MINUTE, at(now));
        assert!(state.is_up(now));
        state.unreachable(now);
        assert!(!state.is_up(now));
        state.works(None);
        assert!(state.is_up(now));
        assert_eq!(*seen.lock().unwrap(), ["Provider down", "Provider up"]);
    }

    #[test]
    fn without_another_check_it_is_up_after_a_while() {
        let now = Instant::now();
        let (state, _) = state();
        for _ in 0..2 {
            state.checked(Err("refused".to_owned()), MINUTE, at(now));
        }
        assert_eq!(state.closed_until(now), Some(now + MINUTE));
        assert_eq!(state.closed_until(now + MINUTE), None);
    }
}
