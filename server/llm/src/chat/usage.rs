//! What a reply consumed.

use serde::{Deserialize, Serialize};

/// Tokens, normalised: whatever the protocol counts apart or together, here input includes cached
/// and cache-written tokens, and output includes reasoning tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub struct Usage {
    pub input_tokens: u64,
    /// Of the input, read from the provider's prompt cache.
    pub cached_tokens: u64,
    /// Of the input, written to the provider's prompt cache.
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    /// Of the output, spent on reasoning.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// Input and nothing else: embeddings, reranking.
    pub fn of_input(tokens: u64) -> Self {
        Self {
            input_tokens: tokens,
            ..Self::default()
        }
    }
}
