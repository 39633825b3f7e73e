//! Prices by the unit, by provider and model.

use std::collections::HashMap;

use super::UnitPrice;
use super::table::undated;

/// Well-known prices, and an operator's own before them.
#[derive(Clone, Debug, Default)]
pub struct UnitPriceTable {
    overrides: HashMap<String, HashMap<String, UnitPrice>>,
}

impl UnitPriceTable {
    /// Public list prices.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Adds an operator's own price. `provider` is a kind or a provider's own name: whatever
    /// [`find`](Self::find) is asked for; `model` is the upstream's name of the model, or `*` for every
    /// model of the provider without an own price. A model is charged for by one unit.
    #[must_use]
    pub fn with(mut self, provider: &str, model: &str, price: UnitPrice) -> Self {
        let models = self.overrides.entry(provider.to_owned()).or_default();
        models.insert(model.to_owned(), price);
        self
    }

    /// Every price with its provider and model, and whether it is an operator's own.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, UnitPrice, bool)> {
        let own = self.overrides.iter().flat_map(|(provider, models)| {
            let models = models.iter();
            models.map(|(model, price)| (provider.as_str(), model.as_str(), *price, true))
        });
        own.chain(
            UnitPrice::listed().map(|(provider, model, price)| (provider, model, price, false)),
        )
    }

    /// The price of a model by the upstream's name of it. A dated snapshot costs what its model does, unless it has a
    /// price of its own.
    pub fn find(&self, provider: &str, model: &str) -> Option<UnitPrice> {
        let own = self.overrides.get(provider).and_then(|models| {
            let named = models.get(model);
            let named = named.or_else(|| models.get(undated(model)?));
            named.or_else(|| models.get("*")).copied()
        });
        own.or_else(|| UnitPrice::find(provider, model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Unit;

    #[test]
    fn an_operators_own_price_goes_before_the_listed_one() {
        let listed = UnitPrice::find("openai", "tts-1").unwrap();
        let own = |unit, each| UnitPrice { unit, each };
        let table = UnitPriceTable::builtin()
            .with("openai", "tts-1", own(Unit::Character, 7))
            .with("images", "*", own(Unit::Image, 9))
            .with("images", "large", own(Unit::Image, 11));
        assert_eq!(
            UnitPriceTable::builtin().find("openai", "tts-1"),
            Some(listed)
        );
        assert_eq!(table.find("openai", "tts-1"), Some(own(Unit::Character, 7)));
        assert_eq!(
            table.find("openai", "tts-1-1106"),
            Some(own(Unit::Character, 7))
        );
        assert_eq!(
            table.find("images", "large-2026-01-01"),
            Some(own(Unit::Image, 11))
        );
        assert_eq!(table.find("images", "small"), Some(own(Unit::Image, 9)));
        assert_eq!(table.find("openai", "nothing"), None);
    }
}
