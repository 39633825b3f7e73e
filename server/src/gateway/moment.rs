//! What routing is told of the world: the time, and a number nobody can foresee.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::routing::Moment;

/// Conditions look at the time of day by the minute: it need not be read anew for each of a request's moments.
const TIME_OF_DAY: Duration = Duration::from_millis(100);

/// This moment.
pub fn now() -> Moment {
    let now = Instant::now().into_std();
    Moment {
        now,
        at: time_of_day(now),
        random: random(),
    }
}

fn time_of_day(now: std::time::Instant) -> DateTime<Utc> {
    thread_local! {
        static READ: Cell<Option<(std::time::Instant, DateTime<Utc>)>> = const { Cell::new(None) };
    }
    match READ.get() {
        Some((read, at)) if now.saturating_duration_since(read) < TIME_OF_DAY => at,
        _ => {
            let at = Utc::now();
            READ.set(Some((now, at)));
            at
        }
    }
}

/// Good enough for dice, not for secrets: <https://prng.di.unimi.it/splitmix64.c>, seeded from the system.
fn random() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0));
    }
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
