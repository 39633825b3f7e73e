//! The circuit breaker of one target: <https://martinfowler.com/bliki/CircuitBreaker.html>

use std::time::{Duration, Instant};

use super::window::{Counts, Window};
use crate::config;

/// Below that many calls a rate says nothing.
const CALLS_FOR_A_RATE: u32 = 20;

/// Leaves a target alone that fails, and lets one call through now and then.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    state: State,
    /// Failures since the last success.
    in_a_row: u32,
    /// How often it opened since it was last closed.
    openings: u32,
    window: Window,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Closed,
    /// No calls before then.
    Open { until: Instant },
    /// One call at a time.
    HalfOpen { probing: bool },
}

/// From one state's name to another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub from: &'static str,
    pub to: &'static str,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }
}

impl Breaker {
    pub fn state(&self) -> State {
        self.state
    }

    pub fn failures_in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// When a call may be made: `None` at once; else at the earliest then.
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Closed | State::HalfOpen { probing: false } => None,
            State::Open { until } => (until > now).then_some(until),
            State::HalfOpen { probing: true } => Some(now),
        }
    }

    /// A call begins; whether it is the probe.
    pub fn begin(&mut self, now: Instant) -> (bool, Option<Change>) {
        match self.state {
            State::Open { until } if until <= now => {
                (true, self.turn(State::HalfOpen { probing: true }))
            }
            State::HalfOpen { probing: false } => {
                self.state = State::HalfOpen { probing: true };
                (true, None)
            }
            _ => (false, None),
        }
    }

    /// The probe ended without a result.
    pub fn give_back(&mut self) {
        if self.state == (State::HalfOpen { probing: true }) {
            self.state = State::HalfOpen { probing: false };
        }
    }

    pub fn succeeded(&mut self, settings: &config::Breaker, now: Instant) -> Option<Change> {
        self.in_a_row = 0;
        if self.state == State::Closed {
            self.window.add(false, settings.window, now);
            return None;
        }
        self.openings = 0;
        self.window = Window::default();
        self.turn(State::Closed)
    }

    /// `wait`: what the upstream asked for.
    pub fn failed(
        &mut self,
        settings: &config::Breaker,
        wait: Option<Duration>,
        now: Instant,
    ) -> Option<Change> {
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.window.add(true, settings.window, now);
        let opens = match self.state {
            // A call that began before, or was made for want of anything better.
            State::Open { .. } => false,
            State::HalfOpen { .. } => true,
            State::Closed => self.in_a_row >= settings.failures || self.too_many(settings),
        };
        if !opens {
            return None;
        }
        let factor = 1_u32.checked_shl(self.openings).unwrap_or(u32::MAX);
        let grown = settings.cool_down.saturating_mul(factor);
        let cool_down = wait.unwrap_or(grown);
        let cool_down = cool_down.clamp(Duration::from_millis(1), settings.max_cool_down);
        self.open(cool_down, now)
    }

    /// Leaves the target alone for so long.
    pub fn open(&mut self, cool_down: Duration, now: Instant) -> Option<Change> {
        self.openings = self.openings.saturating_add(1);
        self.turn(State::Open {
            until: now + cool_down,
        })
    }

    /// There is reason to think that the target is back: the next call may try.
    pub fn end_cool_down(&mut self) -> Option<Change> {
        match self.state {
            State::Open { .. } => self.turn(State::HalfOpen { probing: false }),
            _ => None,
        }
    }

    fn too_many(&self, settings: &config::Breaker) -> bool {
        let Counts { calls, failures } = self.window.sum();
        let rate = u64::from(settings.error_rate.millionths());
        calls >= CALLS_FOR_A_RATE && u64::from(failures) * 1_000_000 >= rate * u64::from(calls)
    }

    fn turn(&mut self, state: State) -> Option<Change> {
        let (from, to) = (self.state.as_str(), state.as_str());
        self.state = state;
        (from != to).then_some(Change { from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(breaker: &mut Breaker, failures: u32, now: Instant) -> &'static str {
        for _ in 0..failures {
            breaker.failed(&config::Breaker::default(), None, now);
        }
        breaker.state().as_str()
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_probe_closes_it() {
        let settings = config::Breaker::default();
        let now = Instant::now();
        let mut breaker = Breaker::default();
        assert_eq!(after(&mut breaker, 4, now), "closed");
        breaker.succeeded(&settings, now);
        assert_eq!(after(&mut breaker, 4, now), "closed");
        assert_eq!(after(&mut breaker, 1, now), "open");
        let then = now + settings.cool_down;
        assert_eq!(breaker.closed_until(now), Some(then));
        assert_eq!(breaker.closed_until(then), None);
        assert!(breaker.begin(then).0);
        // One at a time, and a probe that came to nothing is given back.
        assert!(breaker.closed_until(then).is_some());
        breaker.give_back();
        assert_eq!(breaker.closed_until(then), None);
        assert!(breaker.begin(then).0);
        let change = breaker.succeeded(&settings, then).unwrap();
        assert_eq!((change.from, change.to), ("half_open", "closed"));
    }

    #[test]
    fn the_cool_down_grows_to_its_limit() {
        let settings = config::Breaker::default();
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        after(&mut breaker, 5, now);
        let mut cool_downs = Vec::new();
        for _ in 0..9 {
            let until = breaker.closed_until(now).unwrap();
            cool_downs.push((until - now).as_secs());
            now = until;
            breaker.begin(now);
            breaker.failed(&settings, None, now);
        }
        assert_eq!(cool_downs, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn half_of_twenty_open_it() {
        let settings = config::Breaker::default();
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for n in 0..19 {
            let now = start + SECOND * n;
            if n % 2 == 0 {
                breaker.failed(&settings, None, now);
            } else {
                breaker.succeeded(&settings, now);
            }
            assert_eq!(breaker.state(), State::Closed);
        }
        assert_eq!(after(&mut breaker, 1, start + SECOND * 19), "open");
    }

    #[test]
    fn the_upstreams_wish_is_heard_within_bounds() {
        let settings = config::Breaker::default();
        let now = Instant::now();
        for (asked, waited) in [(7, 7), (86_400, 300)] {
            let mut breaker = Breaker::default();
            after(&mut breaker, 4, now);
            breaker.failed(&settings, Some(SECOND * asked), now);
            assert_eq!(breaker.closed_until(now), Some(now + SECOND * waited));
        }
    }
}
