//! What is charged by something else than tokens.

use super::unit_data::PRICES;
use super::{Price, table::undated};
use crate::carried::Consumption;

/// What is charged for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// An image made.
    #[default]
    Image,
    /// A second of audio heard.
    AudioSecond,
    /// A character spoken.
    Character,
    /// A query over documents.
    Search,
}

/// A price that is not a token's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitPrice {
    pub unit: Unit,
    /// In billionths of a US dollar for each.
    pub each: u64,
}

/// A model's list price.
#[derive(Debug)]
pub(super) struct Row {
    provider: &'static str,
    model: &'static str,
    price: UnitPrice,
}

pub(super) const fn row(provider: &'static str, model: &'static str, unit: Unit, each: u64) -> Row {
    Row {
        provider,
        model,
        price: UnitPrice { unit, each },
    }
}

impl UnitPrice {
    /// All public list prices, with provider and model.
    pub(super) fn listed() -> impl Iterator<Item = (&'static str, &'static str, Self)> {
        PRICES
            .iter()
            .map(|row| (row.provider, row.model, row.price))
    }

    /// The public list price of a model by the upstream's name of it; a dated snapshot costs what its model does.
    pub fn find(provider: &str, model: &str) -> Option<Self> {
        listed(provider, model).or_else(|| listed(provider, undated(model)?))
    }

    /// What `consumption` costs in billionths of a US dollar; `None` where it does not say how much there was.
    pub fn cost(&self, consumption: &Consumption) -> Option<i64> {
        const MILLIS: u128 = 1_000;
        let thousandths = match self.unit {
            Unit::Image => u128::from(consumption.images?) * MILLIS,
            Unit::AudioSecond => u128::from(consumption.audio_ms?),
            Unit::Character => u128::from(consumption.characters?) * MILLIS,
            Unit::Search => u128::from(consumption.search_units?) * MILLIS,
        };
        let sum = thousandths.saturating_mul(u128::from(self.each));
        Some(i64::try_from(sum.saturating_add(MILLIS / 2) / MILLIS).unwrap_or(i64::MAX))
    }
}

impl Consumption {
    /// What it costs in billionths of a US dollar: by tokens where they are told and have a price, or else by the unit;
    /// never both. `None`: it is not known.
    pub fn cost(&self, tokens: Option<&Price>, unit: Option<&UnitPrice>) -> Option<i64> {
        let by_tokens = self
            .usage
            .and_then(|usage| tokens.map(|price| price.cost(&usage)));
        by_tokens.or_else(|| unit?.cost(self))
    }
}

fn listed(provider: &str, model: &str) -> Option<UnitPrice> {
    let at = PRICES.binary_search_by(|row| (row.provider, row.model).cmp(&(provider, model)));
    at.ok().map(|at| PRICES[at].price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Usage;

    #[test]
    fn rows_are_sorted_and_plausible() {
        let keys: Vec<_> = PRICES.iter().map(|row| (row.provider, row.model)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        for row in PRICES {
            // A dollar each would be a slip.
            assert!((1..1_000_000_000).contains(&row.price.each), "{row:?}");
        }
    }

    #[test]
    fn each_unit_has_its_price() {
        let whisper = UnitPrice::find("openai", "whisper-1").unwrap();
        let heard = Consumption {
            audio_ms: Some(90_500),
            ..Consumption::default()
        };
        // 0.006 dollars a minute.
        assert_eq!(whisper.cost(&heard), Some(9_050_000));
        assert_eq!(whisper.cost(&Consumption::default()), None);
        let spoken = UnitPrice::find("openai", "tts-1").unwrap();
        let said = Consumption {
            characters: Some(1_000_000),
            ..Consumption::default()
        };
        // 15 dollars a million.
        assert_eq!(spoken.cost(&said), Some(15_000_000_000));
        let rerank = UnitPrice::find("cohere", "rerank-v3.5").unwrap();
        let searched = Consumption {
            search_units: Some(3),
            ..Consumption::default()
        };
        assert_eq!(rerank.cost(&searched), Some(6_000_000));
    }

    #[test]
    fn nothing_is_charged_twice() {
        let tokens = Price {
            output: 1_000_000,
            ..Price::FREE
        };
        let unit = UnitPrice {
            unit: Unit::AudioSecond,
            each: 7,
        };
        let mut both = Consumption {
            usage: Some(Usage {
                output_tokens: 5,
                ..Usage::default()
            }),
            audio_ms: Some(1_000),
            ..Consumption::default()
        };
        assert_eq!(both.cost(Some(&tokens), Some(&unit)), Some(5));
        assert_eq!(both.cost(None, Some(&unit)), Some(7));
        both.usage = None;
        assert_eq!(both.cost(Some(&tokens), Some(&unit)), Some(7));
        assert_eq!(both.cost(Some(&tokens), None), None);
    }

    #[test]
    fn absurd_figures_saturate() {
        let unit = UnitPrice {
            unit: Unit::Image,
            each: u64::MAX,
        };
        let all = Consumption {
            images: Some(u64::MAX),
            ..Consumption::default()
        };
        assert_eq!(unit.cost(&all), Some(i64::MAX));
    }
}
