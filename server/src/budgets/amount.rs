//! What accounts are charged with.

use std::ops::{Add, AddAssign, Sub, SubAssign};

/// So many requests, tokens and billionths of a US dollar. Sums and differences stop at their ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub requests: u64,
    /// Input and output together.
    pub tokens: u64,
    pub nanos: u64,
}

impl Amount {
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Of each the larger.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.each(other, u64::max)
    }

    /// Of each the smaller.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        self.each(other, u64::min)
    }

    fn each(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            requests: of(self.requests, other.requests),
            tokens: of(self.tokens, other.tokens),
            nanos: of(self.nanos, other.nanos),
        }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
