//! `[[prices]]`: prices that differ from the built-in table.

use super::Price;
use super::reading::Section;

/// The price of a model, in place of the built-in table's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceOverride {
    /// The name of a provider; where `None`, the price holds with each.
    pub provider: Option<String>,
    /// The upstream's name of the model.
    pub model: String,
    /// Input tokens.
    pub input: Price,
    /// Input tokens read from the upstream's cache; where `None`, as `input`.
    pub cached_input: Option<Price>,
    /// Input tokens written to the upstream's cache; where `None`, as `input`.
    pub cache_write: Option<Price>,
    /// Output tokens, reasoning included.
    pub output: Price,
}

impl PriceOverride {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            provider: section.optional("provider"),
            model: section.required("model"),
            input: section.required("input"),
            cached_input: section.optional("cached_input"),
            cache_write: section.optional("cache_write"),
            output: section.required("output"),
        }
    }
}
