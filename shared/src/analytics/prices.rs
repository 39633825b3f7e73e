//! What tokens and other units cost.

use serde::{Deserialize, Serialize};

/// A price that is known.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListedPrice {
    /// Of a built-in price the kind of provider, for example `openai`; of an operator's own the provider's name.
    pub provider: String,
    /// The upstream's name of the model; `*`: every model of the provider that has no price of its own.
    pub model: String,
    pub unit: PriceUnit,
    pub source: PriceSource,
}

/// What is charged for, and what it costs: billionths of a US dollar.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PriceUnit {
    /// Tokens, for a million of them.
    MillionTokens {
        input_nanos: u64,
        /// For input read from the provider's cache.
        cached_input_nanos: u64,
        /// For input written to the provider's cache.
        cache_write_nanos: u64,
        output_nanos: u64,
    },
    /// An image made.
    Image { each_nanos: u64 },
    /// A second of audio heard.
    AudioSecond { each_nanos: u64 },
    /// A character spoken.
    Character { each_nanos: u64 },
    /// A query over documents.
    Search { each_nanos: u64 },
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// A public list price.
    BuiltIn,
    /// The operator's own. It goes before a built-in one.
    Configured,
}
