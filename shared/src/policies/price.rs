//! Prices in place of the built-in table's.

use serde::{Deserialize, Serialize};

/// What a model costs, by tokens, by something else, or both. The policy's name is the model's, with its provider's and a
/// slash before it where the price is for one provider: `openai/gpt-4o`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceSettings {
    /// The name of a provider; `None`: with each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The upstream's name of the model.
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenPrice>,
    /// For what is not charged for by tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitPrice>,
}

/// Billionths of a US dollar per million tokens.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenPrice {
    pub input_nanos: u64,
    /// Read from the upstream's cache; `None`: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_nanos: Option<u64>,
    /// Written to the upstream's cache; `None`: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_nanos: Option<u64>,
    pub output_nanos: u64,
}

/// The price of each image, second, character or search.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnitPrice {
    /// `image`, `second`, `character` or `search`.
    pub unit: String,
    /// Billionths of a US dollar.
    pub each_nanos: u64,
}

impl PriceSettings {
    /// The policy's name.
    pub fn name(&self) -> String {
        price_name(self.provider.as_deref(), &self.model)
    }
}

/// The name of a price.
pub fn price_name(provider: Option<&str>, model: &str) -> String {
    match provider {
        Some(provider) => format!("{provider}/{model}"),
        None => model.to_owned(),
    }
}
