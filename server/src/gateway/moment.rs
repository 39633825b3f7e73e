//! What routing is told of the world: the time, and a number nobody can foresee.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use chrono::Utc;
use tokio::time::Instant;

use crate::routing::Moment;

/// This moment.
pub fn now() -> Moment {
    Moment {
        now: Instant::now().into_std(),
        at: Utc::now(),
        random: random(),
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
