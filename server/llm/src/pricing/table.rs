//! Prices by provider and model.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Price;
use super::data::PRICES;

/// A model's list price.
#[derive(Debug)]
pub(super) struct Row {
    provider: &'static str,
    model: &'static str,
    price: Price,
}

/// Of input, cached input, cache writes and output.
pub(super) const fn row(provider: &'static str, model: &'static str, figures: [u64; 4]) -> Row {
    let [input, cached_input, cache_write, output] = figures;
    Row {
        provider,
        model,
        price: Price {
            input,
            cached_input,
            cache_write,
            output,
        },
    }
}

/// Well-known prices, and an operator's own before them.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    overrides: HashMap<String, HashMap<String, Price>>,
}

impl PriceTable {
    /// Public list prices.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Adds an operator's own price. `provider` is a kind or a provider's own name: whatever
    /// [`find`](Self::find) is asked for; `model` is the upstream's name of the model, or `*` for every
    /// model of the provider without an own price.
    #[must_use]
    pub fn with(mut self, provider: &str, model: &str, price: Price) -> Self {
        let models = self.overrides.entry(provider.to_owned()).or_default();
        models.insert(model.to_owned(), price);
        self
    }

    /// Every price with its provider and model, and whether it is an operator's own.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Price, bool)> {
        let own = self.overrides.iter().flat_map(|(provider, models)| {
            let models = models.iter();
            models.map(|(model, price)| (provider.as_str(), model.as_str(), *price, true))
        });
        own.chain(
            PRICES
                .iter()
                .map(|row| (row.provider, row.model, row.price, false)),
        )
    }

    /// The price of a model by the upstream's name of it. A dated snapshot (`-2024-08-06`, `-20240806`,
    /// `@20240806`, `-0806`, `-latest`) costs what its model does, unless it has a price of its own; a bare name costs what its
    /// `-latest` does, where only that is listed.
    pub fn find(&self, provider: &str, model: &str) -> Option<Price> {
        let undated = undated(model);
        let own = self.overrides.get(provider).and_then(|models| {
            let named = models.get(model);
            let named = named.or_else(|| models.get(undated?));
            named.or_else(|| models.get("*")).copied()
        });
        own.or_else(|| {
            let rows = rows_of(provider)?;
            listed(rows, model)
                .or_else(|| listed(rows, undated?))
                .or_else(|| listed(rows, &format!("{}-latest", undated.unwrap_or(model))))
        })
    }
}

/// A provider's list prices; `None` where it has none, which most names of providers do not.
fn rows_of(provider: &str) -> Option<&'static [Row]> {
    static BY_PROVIDER: OnceLock<Vec<&[Row]>> = OnceLock::new();
    let by_provider = BY_PROVIDER.get_or_init(|| {
        let same = |a: &Row, b: &Row| a.provider == b.provider;
        PRICES.chunk_by(same).collect()
    });
    let found = by_provider.binary_search_by(|rows| rows[0].provider.cmp(provider));
    found.ok().map(|at| by_provider[at])
}

fn listed(rows: &[Row], model: &str) -> Option<Price> {
    let at = rows.binary_search_by(|row| row.model.cmp(model));
    at.ok().map(|at| rows[at].price)
}

/// A snapshot's model.
pub(super) fn undated(model: &str) -> Option<&str> {
    if let Some(model) = model.strip_suffix("-latest") {
        return Some(model);
    }
    [11, 9, 5].into_iter().find_map(|length| {
        let (name, date) = model.split_at_checked(model.len().checked_sub(length)?)?;
        let digits = date.bytes().filter(u8::is_ascii_digit).count();
        let separated = match length {
            11 => date.as_bytes()[5] == b'-' && date.as_bytes()[8] == b'-' && digits == 8,
            length => digits == length - 1,
        };
        let starts = date.starts_with('-') || length == 9 && date.starts_with('@');
        (separated && starts && !name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Usage;

    #[test]
    fn rows_are_sorted_and_plausible() {
        let keys: Vec<_> = PRICES.iter().map(|row| (row.provider, row.model)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert!(keys.len() > 300);
        for row in PRICES {
            // A thousand dollars per million tokens would be a slip.
            let dearest = row.price.input.max(row.price.output);
            assert!(dearest < 1_000_000_000_000, "{row:?}");
            assert!(row.price.cached_input <= row.price.input, "{row:?}");
        }
    }

    #[test]
    fn a_well_known_price_is_known() {
        let price = PriceTable::builtin().find("openai", "gpt-4o").unwrap();
        assert_eq!(price.input, 2_500_000_000);
        assert_eq!(price.cached_input, 1_250_000_000);
        assert_eq!(price.output, 10_000_000_000);
        let usage = Usage {
            input_tokens: 1_000_000,
            ..Usage::default()
        };
        assert_eq!(price.cost(&usage), 2_500_000_000, "2.50 dollars");
        assert!(
            PriceTable::builtin()
                .find("openai", "gpt-nonsense")
                .is_none()
        );
        assert!(PriceTable::builtin().find("nobody", "gpt-4o").is_none());
    }

    #[test]
    fn a_cache_write_costs_more_where_it_does() {
        let price = PriceTable::builtin()
            .find("anthropic", "claude-sonnet-4-5")
            .unwrap();
        assert_eq!(price.cached_input * 10, price.input);
        assert_eq!(price.cache_write * 4, price.input * 5);
    }

    #[test]
    fn a_snapshot_costs_what_its_model_does() {
        let table = PriceTable::builtin();
        let price = table.find("openai", "gpt-4o-mini");
        assert!(price.is_some());
        for snapshot in [
            "gpt-4o-mini-2031-01-31",
            "gpt-4o-mini-20310131",
            "gpt-4o-mini-0131",
            "gpt-4o-mini-latest",
        ] {
            assert_eq!(table.find("openai", snapshot), price, "{snapshot}");
        }
        for other in [
            "gpt-4o-mini-2",
            "gpt-4o-mini-x-0131",
            "gpt-4o-mini20310131",
            "-2031-01-31",
            "2031-01-31",
            "ä-2031",
        ] {
            assert_eq!(table.find("openai", other), None, "{other}");
        }
    }

    #[test]
    fn an_operators_price_comes_first() {
        let mine = Price {
            input: 1,
            ..Price::FREE
        };
        let rest = Price {
            input: 2,
            ..Price::FREE
        };
        let table = PriceTable::builtin()
            .with("openai", "gpt-4o", mine)
            .with("local", "*", rest);
        assert_eq!(table.find("openai", "gpt-4o"), Some(mine));
        assert_eq!(table.find("openai", "gpt-4o-2031-01-31"), Some(mine));
        assert_ne!(table.find("openai", "gpt-4o-mini"), Some(mine));
        assert_eq!(table.find("local", "anything"), Some(rest));
    }
}
