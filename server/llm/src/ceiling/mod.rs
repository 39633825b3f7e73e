//! The most that a request can consume, read from the body that its upstream is sent.
//!
//! Tokenizers make at most one token of a byte of text, and what a protocol writes around a text is longer than what
//! its model is told instead. So a body's bytes bound its tokens, apart from what is not text in it: see [`input()`].

mod carried;
mod chat;
mod input;

pub use carried::{carried, embeddings, form, rerank};
pub use chat::{Answer, chat};
pub use input::input;

use crate::carried::Consumption;
use crate::chat::Usage;
use crate::pricing::{Price, UnitPrice};

/// The most of everything that is charged for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub images: u64,
    pub audio_ms: u64,
    pub characters: u64,
    pub search_units: u64,
}

impl Ceiling {
    /// Input and output.
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The most that it can cost, in billionths of a US dollar: whichever way it is charged, and whatever the provider's
    /// cache has of it. `None`: there is no price.
    pub fn cost(&self, tokens: Option<&Price>, unit: Option<&UnitPrice>) -> Option<u64> {
        let by_tokens = tokens.map(|price| {
            let dearest = Price {
                input: price.input.max(price.cached_input).max(price.cache_write),
                ..*price
            };
            dearest.cost(&Usage {
                input_tokens: self.input_tokens,
                output_tokens: self.output_tokens,
                ..Usage::default()
            })
        });
        let by_unit = unit.and_then(|price| {
            price.cost(&Consumption {
                usage: None,
                images: Some(self.images),
                audio_ms: Some(self.audio_ms),
                characters: Some(self.characters),
                search_units: Some(self.search_units),
            })
        });
        let most = by_tokens.max(by_unit)?;
        Some(u64::try_from(most).unwrap_or(0))
    }
}
