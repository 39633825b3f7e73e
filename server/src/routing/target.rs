//! What is known of one target: a model at a provider.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use llm::error::{ApiError, ErrorKind};

use super::breaker::{Breaker, Change, State};
use super::failure::{Evidence, Verdict};
use super::in_use::InUse;
use super::latency::Latency;
use super::moment::{Moment, hashed, mixed};
use super::provider::ProviderState;
use super::transition::{Observer, Subject, Transition};
use crate::config;

/// A 429 without `Retry-After` is waited out for so long; twice as long each next time.
const COOLING: Duration = Duration::from_secs(1);
const LONGEST_COOLING: Duration = Duration::from_secs(60);
/// No upstream is believed that asks for more.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// A quota that is used up, without a word of when it is there again.
const EXHAUSTED: Duration = Duration::from_secs(600);
const LONGEST_EXHAUSTED: Duration = Duration::from_secs(3600);

/// One target's state, shared by all snapshots of the configuration.
#[derive(Debug)]
pub struct TargetState {
    provider: Arc<ProviderState>,
    model: Arc<str>,
    id: u64,
    /// The model's name is the client's: that it is unknown says nothing of the target.
    any_model: bool,
    in_flight: AtomicU32,
    /// 0: no limit.
    max_concurrent: AtomicU32,
    /// It may not be callable: look closer.
    troubled: AtomicBool,
    inner: Mutex<Inner>,
    observer: Observer,
}

#[derive(Debug, Default)]
struct Inner {
    settings: config::Breaker,
    breaker: Breaker,
    /// After a 429.
    cooling: Option<Instant>,
    /// 429s since the last success.
    limited: u32,
    /// Exhausted quotas since the last success.
    exhausted: u32,
    latency: Latency,
    last_failure: Option<(Instant, ErrorKind)>,
}

/// What the configuration says of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetSettings {
    pub breaker: config::Breaker,
    /// Calls at the same time; `None`: as many as come.
    pub max_concurrent: Option<u32>,
}

/// A target, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    pub provider: Arc<str>,
    /// The upstream's name; with wildcards, where one state stands for all that match.
    pub model: Arc<str>,
    /// Whether requests go there while others could answer as well.
    pub available: bool,
    /// The breaker's: `closed`, `open`, `half_open`.
    pub breaker: &'static str,
    /// How long it is still left alone, for whatever reason.
    pub rest: Option<Duration>,
    pub failures_in_a_row: u32,
    /// How long ago the last failure was, and its kind.
    pub last_failure: Option<(Duration, ErrorKind)>,
    pub in_flight: u32,
    pub max_concurrent: Option<u32>,
    /// The time to the first token: peak-EWMA, and 95th percentile of the latest 128.
    pub average_first_token: Option<Duration>,
    pub p95_first_token: Option<Duration>,
}

impl TargetState {
    pub(super) fn new(
        provider: Arc<ProviderState>,
        model: Arc<str>,
        any_model: bool,
        observer: Observer,
    ) -> Self {
        Self {
            id: mixed(hashed(provider.name()) ^ hashed(&model).rotate_left(1)),
            provider,
            model,
            any_model,
            in_flight: AtomicU32::new(0),
            max_concurrent: AtomicU32::new(0),
            troubled: AtomicBool::new(false),
            inner: Mutex::default(),
            observer,
        }
    }

    /// A call begins. It is in flight until the value is dropped.
    pub fn begin(self: &Arc<Self>, key: Option<usize>, moment: Moment) -> InUse {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let probe = self.is_troubled() && self.begin_probe(moment.now);
        InUse::new(Arc::clone(self), key, probe)
    }

    pub fn provider(&self) -> &Arc<ProviderState> {
        &self.provider
    }

    pub fn model(&self) -> &Arc<str> {
        &self.model
    }

    /// Calls under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Calls that may be made at the same time; `None`: as many as come.
    pub fn max_concurrent(&self) -> Option<u32> {
        let calls = self.max_concurrent.load(Ordering::Relaxed);
        (calls > 0).then_some(calls)
    }

    pub fn view(&self, now: Instant) -> TargetView {
        let rest = self.closed_until(now);
        let inner = self.lock();
        TargetView {
            provider: self.provider.name().clone(),
            model: self.model.clone(),
            available: rest.is_none(),
            breaker: inner.breaker.state().as_str(),
            rest: rest
                .map(|until| until.saturating_duration_since(now))
                .filter(|rest| !rest.is_zero()),
            failures_in_a_row: inner.breaker.failures_in_a_row(),
            last_failure: inner
                .last_failure
                .map(|(at, kind)| (now.saturating_duration_since(at), kind)),
            in_flight: self.in_flight(),
            max_concurrent: self.max_concurrent(),
            average_first_token: inner.latency.average(now),
            p95_first_token: inner.latency.p95(),
        }
    }

    /// A number that is the same in every process.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn set(&self, settings: TargetSettings) {
        let calls = settings.max_concurrent.unwrap_or(0);
        self.max_concurrent.store(calls, Ordering::Relaxed);
        self.lock().settings = settings.breaker;
    }

    /// Whether requests may go there while others could answer as well.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        self.closed_until(now).is_none()
    }

    /// `None`: it may be called; else at the earliest then.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        let own = if self.is_troubled() {
            let inner = self.lock();
            let cooling = inner.cooling.filter(|until| *until > now);
            inner.breaker.closed_until(now).max(cooling)
        } else {
            None
        };
        own.max(self.provider.closed_until(now))
    }

    /// Whether it is only cooling down after a 429.
    pub(super) fn is_only_cooling(&self, now: Instant) -> bool {
        self.lock().breaker.closed_until(now).is_none() && self.provider.is_up(now)
    }

    pub(super) fn average_first_token(&self, now: Instant) -> Option<Duration> {
        self.lock().latency.average(now)
    }

    pub(super) fn p95_first_token(&self) -> Option<Duration> {
        self.lock().latency.p95()
    }

    /// Its provider answers. What had failed for want of that may be tried again at once; what was refused, or asked
    /// for patience, waits on.
    pub(super) fn seen_alive(&self) {
        if !self.is_troubled() {
            return;
        }
        let mut inner = self.lock();
        let was_away = matches!(
            inner.last_failure,
            Some((
                _,
                ErrorKind::Unreachable
                    | ErrorKind::Timeout
                    | ErrorKind::UpstreamFailed
                    | ErrorKind::BadReply
            ))
        );
        let change = if was_away {
            inner.breaker.end_cool_down()
        } else {
            None
        };
        self.leave(inner, change, "a health check succeeded");
    }

    /// A call was answered.
    pub(super) fn answered(&self, key: Option<usize>, first_token: Duration, now: Instant) {
        let mut inner = self.lock();
        let settings = inner.settings;
        let change = inner.breaker.succeeded(&settings, now);
        inner.latency.add(first_token, now);
        inner.limited = 0;
        inner.exhausted = 0;
        inner.cooling = None;
        self.leave(inner, change, "a request was answered");
        self.provider.works(key);
    }

    /// The first token of a call would have taken longer than this.
    pub(super) fn was_slow(&self, waited: Duration, now: Instant) {
        self.lock().latency.add(waited, now);
    }

    /// A call failed.
    pub(super) fn failed(&self, key: Option<usize>, error: &ApiError, now: Instant) {
        let evidence = Verdict::of(error).evidence;
        let asked = error.retry_after;
        let reason = error.kind.as_str();
        match evidence {
            Evidence::None => {}
            Evidence::UnknownModel if self.any_model => {}
            Evidence::Failure | Evidence::UnknownModel => self.count_failure(error, now),
            Evidence::Key => {
                let out = key.is_some_and(|key| self.provider.take_out(key, None, reason, now));
                if !out {
                    self.count_failure(error, now);
                }
            }
            Evidence::Limited => self.limited(key, error, now),
            Evidence::Exhausted => {
                let wait = asked.map(|asked| asked.min(LONGEST_EXHAUSTED));
                let out = key.is_some_and(|key| self.provider.take_out(key, wait, reason, now));
                if !out {
                    let mut inner = self.lock();
                    let grown = EXHAUSTED.saturating_mul(1 << inner.exhausted.min(8));
                    inner.exhausted = inner.exhausted.saturating_add(1);
                    inner.last_failure = Some((now, error.kind));
                    let wait = wait.unwrap_or(grown).min(LONGEST_EXHAUSTED);
                    let change = inner.breaker.open(wait, now);
                    self.leave(inner, change, reason);
                }
            }
        }
        if error.kind == ErrorKind::Unreachable && evidence == Evidence::Failure {
            self.provider.unreachable(now);
        }
    }

    /// A call is over; `probe`: it was to tell whether the target is back, and has not.
    pub(super) fn ended(&self, probe: bool) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if probe {
            self.lock().breaker.give_back();
        }
    }

    fn count_failure(&self, error: &ApiError, now: Instant) {
        let mut inner = self.lock();
        let settings = inner.settings;
        inner.last_failure = Some((now, error.kind));
        let change = inner.breaker.failed(&settings, error.retry_after, now);
        self.leave(inner, change, error.kind.as_str());
    }

    /// One 429 condemns nobody: the key, or the target with its only key, rests a little.
    fn limited(&self, key: Option<usize>, error: &ApiError, now: Instant) {
        let mut inner = self.lock();
        let grown = COOLING.saturating_mul(1 << inner.limited.min(8));
        let wait = match error.retry_after {
            Some(asked) => asked.clamp(Duration::from_millis(1), LONGEST_ASKED),
            None => grown.min(LONGEST_COOLING),
        };
        inner.limited = inner.limited.saturating_add(1);
        inner.last_failure = Some((now, error.kind));
        let probing = State::HalfOpen { probing: true };
        // It answers, if only to refuse.
        if inner.breaker.state() == probing {
            inner.breaker.give_back();
        }
        drop(inner);
        let reason = error.kind.as_str();
        let others = key.is_some_and(|key| self.provider.cool(key, wait, reason, now));
        let mut inner = self.lock();
        if !others {
            inner.cooling = inner.cooling.max(Some(now + wait));
        }
        self.leave(inner, None, reason);
    }

    fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed)
    }

    fn begin_probe(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        let (probe, change) = inner.breaker.begin(now);
        self.leave(inner, change, "its cool-down is over");
        probe
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is told of anything while the lock is held.
    fn leave(&self, inner: MutexGuard<'_, Inner>, change: Option<Change>, reason: &str) {
        let closed = inner.breaker.state() == State::Closed;
        let troubled = !closed || inner.cooling.is_some();
        self.troubled.store(troubled, Ordering::Relaxed);
        drop(inner);
        if let Some(Change { from, to }) = change {
            self.observer.tell(&Transition {
                what: Subject::Breaker,
                provider: self.provider.name().clone(),
                model: Some(self.model.clone()),
                key: None,
                from,
                to,
                reason: reason.to_owned(),
            });
        }
    }
}
