//! The world as routing sees it.

use std::time::Instant;

use chrono::{DateTime, Utc};

/// What routing may know of the world at one moment: it has neither clock nor dice of its own.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For waits and ages.
    pub now: Instant,
    /// For conditions on the time of the day.
    pub at: DateTime<Utc>,
    /// Any number, each as likely as any other.
    pub random: u64,
}

impl Moment {
    /// Another number, made of this moment's: for the `n`th use.
    pub(super) fn random_for(&self, n: u64) -> u64 {
        mixed(self.random ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// A number below `bound`; 0 for a bound of 0.
pub(super) fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// Every bit of the result depends on every bit of `value`: <https://prng.di.unimi.it/splitmix64.c>
pub(super) fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A number for a text, the same in every process.
pub(super) fn hashed(text: &str) -> u64 {
    // FNV-1a, then mixed, as its high bits depend on few characters.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mixed(hash)
}
