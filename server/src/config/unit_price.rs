//! `[[unit_prices]]`: prices of what is not charged for by tokens, that differ from the built-in table.

use llm::pricing::Unit;

use super::Dollars;
use super::reading::{Section, Words};

/// What one image, second, character or search of a model costs, in place of the built-in table's price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitPriceOverride {
    /// The name of a provider; where `None`, the price holds with each.
    pub provider: Option<String>,
    /// The upstream's name of the model.
    pub model: String,
    /// What is charged for.
    pub unit: Unit,
    /// For each of them.
    pub each: Dollars,
}

impl UnitPriceOverride {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            provider: section.optional("provider"),
            model: section.required("model"),
            unit: section.required("unit"),
            each: section.required("each"),
        }
    }
}

impl Words for Unit {
    const NOUN: &'static str = "unit";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("image", Self::Image),
        ("second", Self::AudioSecond),
        ("character", Self::Character),
        ("search", Self::Search),
    ];
}
