//! The `usage` object: <https://docs.anthropic.com/en/api/messages#response-usage>

use crate::chat::Usage;
use crate::json::{Node, ObjectWriter};

/// What a reply counted so far. Cached input is counted apart here, in the canonical usage within.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Neither read from the cache nor written to it.
    fresh: u64,
    cache_read: u64,
    cache_written: u64,
    output: u64,
    thinking: u64,
}

impl Counts {
    /// Takes in a usage object. All counts are cumulative, and one that is left out or 0 takes nothing back:
    /// some upstreams tell the input at the beginning, some at the end.
    pub(crate) fn read(&mut self, usage: &Node<'_>) {
        let count = |node: &Node<'_>, key: &str| {
            let found = node.get(key).and_then(|value| value.u64().ok());
            found.unwrap_or(0)
        };
        self.fresh = self.fresh.max(count(usage, "input_tokens"));
        self.output = self.output.max(count(usage, "output_tokens"));
        self.cache_read = self.cache_read.max(count(usage, "cache_read_input_tokens"));
        let mut written = count(usage, "cache_creation_input_tokens");
        if let Some(by_ttl) = usage.get("cache_creation") {
            let sum = count(by_ttl, "ephemeral_5m_input_tokens")
                .saturating_add(count(by_ttl, "ephemeral_1h_input_tokens"));
            written = written.max(sum);
        }
        self.cache_written = self.cache_written.max(written);
        if let Some(details) = usage.get("output_tokens_details") {
            self.thinking = self.thinking.max(count(details, "thinking_tokens"));
        }
    }

    /// Each token once: input includes what the cache took part in.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            input_tokens: self
                .fresh
                .saturating_add(self.cache_read)
                .saturating_add(self.cache_written),
            cached_tokens: self.cache_read,
            cache_write_tokens: self.cache_written,
            output_tokens: self.output,
            reasoning_tokens: self.thinking,
        }
    }
}

/// The members of a usage object.
pub(crate) fn write_usage(usage: &Usage, out: &mut ObjectWriter<'_>) {
    let fresh = usage
        .input_tokens
        .saturating_sub(usage.cached_tokens)
        .saturating_sub(usage.cache_write_tokens);
    out.plain("input_tokens", fresh);
    out.plain("cache_creation_input_tokens", usage.cache_write_tokens);
    out.plain("cache_read_input_tokens", usage.cached_tokens);
    out.plain("output_tokens", usage.output_tokens);
    if usage.reasoning_tokens > 0 {
        out.object("output_tokens_details", |details| {
            details.plain("thinking_tokens", usage.reasoning_tokens);
        });
    }
}
