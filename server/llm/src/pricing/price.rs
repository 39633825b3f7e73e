//! A price and what it makes of a usage.

use serde::{Deserialize, Serialize};

use crate::chat::Usage;

/// In billionths of a US dollar per million tokens: 2.50 dollars per million tokens are `2_500_000_000`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub struct Price {
    pub input: u64,
    /// For input read from the provider's cache.
    pub cached_input: u64,
    /// For input written to the provider's cache.
    pub cache_write: u64,
    pub output: u64,
}

impl Price {
    /// Nothing costs anything.
    pub const FREE: Self = Self {
        input: 0,
        cached_input: 0,
        cache_write: 0,
        output: 0,
    };

    /// What `usage` costs in billionths of a US dollar, rounded half up; `i64::MAX` where it would be more.
    pub fn cost(&self, usage: &Usage) -> i64 {
        const PER: u128 = 1_000_000;
        // A usage that contradicts itself is charged for no more input than it reports.
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let written = usage.cache_write_tokens.min(usage.input_tokens - cached);
        let plain = usage.input_tokens - cached - written;
        let sum = [
            (plain, self.input),
            (cached, self.cached_input),
            (written, self.cache_write),
            (usage.output_tokens, self.output),
        ]
        .into_iter()
        .fold(0_u128, |sum, (tokens, price)| {
            sum.saturating_add(u128::from(tokens) * u128::from(price))
        });
        i64::try_from(sum.saturating_add(PER / 2) / PER).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price {
        input: 2_500_000_000,
        cached_input: 1_250_000_000,
        cache_write: 3_125_000_000,
        output: 10_000_000_000,
    };

    #[test]
    fn each_kind_of_token_has_its_price() {
        let usage = Usage {
            input_tokens: 1_000,
            cached_tokens: 400,
            cache_write_tokens: 100,
            output_tokens: 200,
            reasoning_tokens: 150,
        };
        let expected = 500 * 2_500 + 400 * 1_250 + 100 * 3_125 + 200 * 10_000;
        assert_eq!(PRICE.cost(&usage), expected);
    }

    #[test]
    fn halves_are_rounded_up() {
        let price = Price {
            input: 500_000,
            ..Price::FREE
        };
        let one = Usage {
            input_tokens: 1,
            ..Usage::default()
        };
        assert_eq!(price.cost(&one), 1);
        let price = Price {
            input: 499_999,
            ..Price::FREE
        };
        assert_eq!(price.cost(&one), 0);
    }

    #[test]
    fn a_contradictory_usage_is_not_charged_twice() {
        let usage = Usage {
            input_tokens: 10,
            cached_tokens: 50,
            cache_write_tokens: 50,
            ..Usage::default()
        };
        assert_eq!(PRICE.cost(&usage), 10 * 1_250);
    }

    #[test]
    fn absurd_figures_saturate() {
        let price = Price {
            input: u64::MAX,
            cached_input: u64::MAX,
            cache_write: u64::MAX,
            output: u64::MAX,
        };
        let usage = Usage {
            input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            ..Usage::default()
        };
        assert_eq!(price.cost(&usage), i64::MAX);
    }
}
