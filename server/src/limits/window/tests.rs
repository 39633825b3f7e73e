//! The windows beside what they mean, written down without any thought of speed.

use proptest::prelude::*;
use shared::policies::Algorithm;

use super::*;

const REQUESTS: u64 = 5;
const WINDOW: Nanos = 20;

/// A limit of requests, of tokens, or of both.
fn sizes() -> impl Strategy<Value = Size> {
    (0..3, 1..=REQUESTS, 1..=30_u64, 1..=WINDOW).prop_map(|(kind, requests, tokens, window)| Size {
        requests: (kind != 1).then_some(requests),
        tokens: (kind != 0).then_some(tokens),
        window,
    })
}

#[derive(Clone, Debug)]
enum Step {
    /// So much time goes by.
    Pass(Nanos),
    /// Takes so much if there is room.
    Take(Amount),
    /// Takes tokens, whether there is room or not.
    Overrun(u64),
    /// Undoes one that was taken before: this many before the last.
    Undo(usize),
}

fn amounts() -> impl Strategy<Value = Amount> {
    (0..=1_u64, 0..=8_u64).prop_map(|(requests, tokens)| Amount { requests, tokens })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..=WINDOW).prop_map(Step::Pass),
        1 => (0..=3 * WINDOW).prop_map(Step::Pass),
        8 => amounts().prop_map(Step::Take),
        1 => (1..=40_u64).prop_map(Step::Overrun),
        1 => (0..4_usize).prop_map(Step::Undo),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a window means.
trait Meaning {
    fn used(&mut self, size: &Size, now: Nanos) -> Amount;
    fn fits(&mut self, size: &Size, wanted: Amount, now: Nanos) -> bool;
    fn take(&mut self, size: &Size, amount: Amount, now: Nanos);
    fn undo(&mut self, amount: Amount, taken: Nanos);
}

fn sum<'a>(all: impl Iterator<Item = &'a (Nanos, Amount)>) -> Amount {
    all.fold(Amount::default(), |sum, (_, amount)| sum.plus(*amount))
}

/// Everything that was taken since the window began.
#[derive(Default)]
struct FixedMeaning {
    began: Option<Nanos>,
    taken: Vec<(Nanos, Amount)>,
}

impl Meaning for FixedMeaning {
    fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        if self.began.is_some_and(|began| now >= began + size.window) {
            *self = Self::default();
        }
        sum(self.taken.iter())
    }

    fn fits(&mut self, size: &Size, wanted: Amount, now: Nanos) -> bool {
        let used = self.used(size, now);
        size.holds(used, wanted)
    }

    fn take(&mut self, _: &Size, amount: Amount, now: Nanos) {
        if !amount.is_none() {
            self.began.get_or_insert(now);
            self.taken.push((now, amount));
        }
    }

    fn undo(&mut self, amount: Amount, taken: Nanos) {
        if let Some(place) = self.taken.iter().position(|one| *one == (taken, amount)) {
            self.taken.remove(place);
        }
        if sum(self.taken.iter()).is_none() {
            *self = Self::default();
        }
    }
}

/// Everything that was taken in the time before.
#[derive(Default)]
struct SlidingMeaning(Vec<(Nanos, Amount)>);

impl Meaning for SlidingMeaning {
    fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        sum(self.0.iter().filter(|(at, _)| now < at + size.window))
    }

    fn fits(&mut self, size: &Size, wanted: Amount, now: Nanos) -> bool {
        let used = self.used(size, now);
        size.holds(used, wanted)
    }

    fn take(&mut self, _: &Size, amount: Amount, now: Nanos) {
        self.0.push((now, amount));
    }

    fn undo(&mut self, amount: Amount, taken: Nanos) {
        if let Some(place) = self.0.iter().position(|one| *one == (taken, amount)) {
            self.0.remove(place);
        }
    }
}

/// What is in the bucket, in parts of which a request has as many as the window has nanoseconds; each nanosecond as
/// many parts come in as the bucket holds requests.
struct BucketMeaning {
    size: Size,
    at: Nanos,
    requests: i128,
    tokens: i128,
}

impl BucketMeaning {
    fn new(size: Size) -> Self {
        let full = |limit: Option<u64>| i128::from(limit.unwrap_or(0) * size.window);
        Self {
            size,
            at: 0,
            requests: full(size.requests),
            tokens: full(size.tokens),
        }
    }

    fn pass(&mut self, now: Nanos) {
        while self.at < now {
            self.at += 1;
            let drip = |level: i128, limit: Option<u64>| {
                let limit = i128::from(limit.unwrap_or(0));
                (level + limit).min(limit * i128::from(self.size.window))
            };
            (self.requests, self.tokens) = (
                drip(self.requests, self.size.requests),
                drip(self.tokens, self.size.tokens),
            );
        }
    }
}

impl Meaning for BucketMeaning {
    fn used(&mut self, size: &Size, now: Nanos) -> Amount {
        self.pass(now);
        let used = |limit: Option<u64>, level: i128| {
            let window = i128::from(size.window);
            limit.map_or(0, |limit| {
                let missing = i128::from(limit) * window - level;
                ((missing + window - 1) / window) as u64
            })
        };
        Amount {
            requests: used(size.requests, self.requests),
            tokens: used(size.tokens, self.tokens),
        }
    }

    fn fits(&mut self, size: &Size, wanted: Amount, now: Nanos) -> bool {
        self.pass(now);
        let fits = |limit: Option<u64>, level: i128, wanted: u64| {
            limit.is_none() || wanted == 0 || level >= i128::from(wanted * size.window)
        };
        fits(size.requests, self.requests, wanted.requests)
            && fits(size.tokens, self.tokens, wanted.tokens)
    }

    fn take(&mut self, size: &Size, amount: Amount, now: Nanos) {
        self.pass(now);
        self.requests -= i128::from(amount.requests * size.window);
        self.tokens -= i128::from(amount.tokens * size.window);
    }

    fn undo(&mut self, amount: Amount, _: Nanos) {
        let more = |level: i128, limit: Option<u64>, amount: u64| {
            let window = i128::from(self.size.window);
            (level + i128::from(amount) * window).min(i128::from(limit.unwrap_or(0)) * window)
        };
        (self.requests, self.tokens) = (
            more(self.requests, self.size.requests, amount.requests),
            more(self.tokens, self.size.tokens, amount.tokens),
        );
    }
}

/// Walks both through the steps: they agree on everything.
fn agree(
    algorithm: Algorithm,
    size: Size,
    steps: &[Step],
    mut meaning: impl Meaning,
) -> Result<(), TestCaseError> {
    let mut window = Window::new(algorithm);
    let mut now = 0;
    let mut taken: Vec<(Nanos, Amount)> = Vec::new();
    for step in steps {
        match *step {
            Step::Pass(time) => now += time,
            Step::Take(amount) => {
                let fits = meaning.fits(&size, amount, now);
                let room = window.room(&size, amount, now);
                prop_assert_eq!(room == Room::Now, fits, "{:?} at {}", room, now);
                match room {
                    Room::Now => {
                        meaning.take(&size, amount, now);
                        taken.push((window.take(&size, amount, now), amount));
                    }
                    // Then and not before, as long as nobody takes any.
                    Room::In(wait) => {
                        let mut later = window.clone();
                        prop_assert_eq!(later.room(&size, amount, now + wait), Room::Now);
                        let mut before = window.clone();
                        prop_assert!(before.room(&size, amount, now + wait - 1) != Room::Now);
                    }
                    Room::Never(_) => {
                        prop_assert!(!size.holds(Amount::default(), amount));
                    }
                }
            }
            Step::Overrun(tokens) => {
                let amount = Amount::tokens(tokens);
                // As of one that is settled: the window is brought up to date first.
                meaning.used(&size, now);
                meaning.take(&size, amount, now);
                taken.push((window.take(&size, amount, now), amount));
            }
            Step::Undo(back) => {
                if let Some(place) = taken.len().checked_sub(back + 1) {
                    let (at, amount) = taken.remove(place);
                    meaning.used(&size, now);
                    window.used(&size, now);
                    meaning.undo(amount, at);
                    window.give_back(&size, amount, at);
                }
            }
        }
        let mut used = meaning.used(&size, now);
        let mut counted = window.used(&size, now);
        if algorithm == Algorithm::TokenBucket {
            // What has no limit is not kept.
            for used in [&mut used, &mut counted] {
                used.requests = size.requests.map_or(0, |_| used.requests);
                used.tokens = size.tokens.map_or(0, |_| used.tokens);
            }
        }
        prop_assert_eq!(counted, used, "at {}", now);
        let reset = window.resets_in(&size, now);
        let mut later = window.clone();
        prop_assert!(later.is_idle(&size, now + reset));
        if reset > 0 {
            prop_assert!(!window.clone().is_idle(&size, now + reset - 1));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_fixed_window_is_what_was_taken_since_it_began(size in sizes(), steps in steps()) {
        agree(Algorithm::FixedWindow, size, &steps, FixedMeaning::default())?;
    }

    #[test]
    fn a_sliding_window_is_what_was_taken_in_the_time_before(size in sizes(), steps in steps()) {
        agree(Algorithm::SlidingWindow, size, &steps, SlidingMeaning::default())?;
    }

    #[test]
    fn a_bucket_drips(size in sizes(), steps in steps()) {
        agree(Algorithm::TokenBucket, size, &steps, BucketMeaning::new(size))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// With more moments than are remembered: never too much, and late by a 64th of the window at most.
    #[test]
    fn a_full_sliding_window_errs_on_the_safe_side(
        limit in 100..1_000_u64,
        window in 1_000..100_000_u64,
        pauses in prop::collection::vec(0..400_u64, 1_000..3_000),
    ) {
        let size = Size { requests: Some(limit), tokens: None, window };
        let late = Size { window: window + window.div_ceil(64), ..size };
        let mut counted = Window::new(Algorithm::SlidingWindow);
        let mut meaning = SlidingMeaning::default();
        let mut now = 0;
        for pause in pauses {
            now += pause;
            if counted.room(&size, Amount::REQUEST, now) == Room::Now {
                prop_assert!(meaning.fits(&size, Amount::REQUEST, now), "too much at {}", now);
                counted.take(&size, Amount::REQUEST, now);
                meaning.take(&size, Amount::REQUEST, now);
            } else {
                prop_assert!(!meaning.fits(&late, Amount::REQUEST, now), "too late at {}", now);
            }
        }
    }

    /// Memory has a bound, whatever happens.
    #[test]
    fn a_sliding_window_remembers_so_much(pauses in prop::collection::vec(0..50_u64, 1_000)) {
        let size = Size { requests: None, tokens: Some(u64::MAX), window: 1_000_000 };
        let mut sliding = Sliding::default();
        let mut now = 0;
        for pause in pauses {
            now += pause;
            sliding.take(&size, Amount::tokens(3), now);
            prop_assert!(sliding.moments() <= 128);
        }
        prop_assert_eq!(sliding.used(&size, now).tokens, 3_000);
    }
}

#[test]
fn a_clock_that_goes_back_gives_nothing_away() {
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::TokenBucket,
    ] {
        let size = Size {
            requests: Some(2),
            tokens: None,
            window: 100,
        };
        let mut window = Window::new(algorithm);
        window.take(&size, Amount::REQUEST, 50);
        let at = window.take(&size, Amount::REQUEST, 40);
        assert_ne!(window.room(&size, Amount::REQUEST, 45), Room::Now);
        window.give_back(&size, Amount::REQUEST, at);
        assert_eq!(window.room(&size, Amount::REQUEST, 50), Room::Now);
    }
}

#[test]
fn an_edited_rate_keeps_what_is_used() {
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::TokenBucket,
    ] {
        let before = Size {
            requests: Some(10),
            tokens: Some(100),
            window: 1_000,
        };
        let mut window = Window::new(algorithm);
        let amount = Amount {
            requests: 4,
            tokens: 70,
        };
        window.take(&before, amount, 0);
        let longer = Size {
            window: 5_000,
            ..before
        };
        assert_eq!(window.used(&longer, 0), amount, "{algorithm:?}");
        let less = Size {
            requests: Some(4),
            ..longer
        };
        assert_ne!(window.room(&less, Amount::REQUEST, 0), Room::Now);
        let more = Size {
            requests: Some(5),
            ..longer
        };
        assert_eq!(window.room(&more, Amount::REQUEST, 0), Room::Now);
    }
}

#[test]
fn nothing_overflows() {
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::TokenBucket,
    ] {
        let size = Size {
            requests: Some(u64::MAX),
            tokens: Some(u64::MAX),
            window: u64::MAX,
        };
        let all = Amount {
            requests: u64::MAX,
            tokens: u64::MAX,
        };
        let mut window = Window::new(algorithm);
        for now in [0, 1, u64::MAX / 2, u64::MAX] {
            window.take(&size, all, now);
            window.used(&size, now);
            window.room(&size, all, now);
            window.resets_in(&size, now);
        }
        window.give_back(&size, all, 0);
        let other = Size { window: 1, ..size };
        window.room(&other, all, 0);
    }
}
