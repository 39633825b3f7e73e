//! `usageMetadata`: <https://ai.google.dev/api/generate-content#UsageMetadata>

use crate::chat::Usage;
use crate::json::{Node, ObjectWriter};

/// Thoughts are counted beside the candidates, what tools put into the prompt beside the prompt.
pub(crate) fn read_usage(metadata: &Node<'_>) -> Usage {
    let count = |name| {
        let value = metadata.get(name);
        value.and_then(|value| value.u64().ok()).unwrap_or(0)
    };
    let thoughts = count("thoughtsTokenCount");
    Usage {
        input_tokens: count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount")),
        cached_tokens: count("cachedContentTokenCount"),
        cache_write_tokens: 0,
        output_tokens: count("candidatesTokenCount").saturating_add(thoughts),
        reasoning_tokens: thoughts,
    }
}

pub(crate) fn write_usage(metadata: &mut ObjectWriter<'_>, usage: &Usage) {
    metadata.plain("promptTokenCount", usage.input_tokens);
    if usage.cached_tokens > 0 {
        metadata.plain("cachedContentTokenCount", usage.cached_tokens);
    }
    let candidates = usage.output_tokens.saturating_sub(usage.reasoning_tokens);
    metadata.plain("candidatesTokenCount", candidates);
    if usage.reasoning_tokens > 0 {
        metadata.plain("thoughtsTokenCount", usage.reasoning_tokens);
    }
    let total = usage.input_tokens.saturating_add(usage.output_tokens);
    metadata.plain("totalTokenCount", total);
}
