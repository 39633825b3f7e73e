//! The `usage` object: <https://platform.openai.com/docs/api-reference/responses/object#responses/object-usage>

use crate::chat::Usage;
use crate::json::{Node, ObjectWriter};

/// Reads a usage object; what is no count is none at all.
pub(crate) fn read_usage(usage: &Node<'_>) -> Usage {
    let count = |node: Option<&Node<'_>>, key: &str| {
        let value = node.and_then(|node| node.get(key));
        value.and_then(|value| value.u64().ok()).unwrap_or(0)
    };
    let input = usage.get("input_tokens_details");
    let output = usage.get("output_tokens_details");
    Usage {
        input_tokens: count(Some(usage), "input_tokens"),
        cached_tokens: count(input, "cached_tokens"),
        cache_write_tokens: count(input, "cache_write_tokens"),
        output_tokens: count(Some(usage), "output_tokens"),
        reasoning_tokens: count(output, "reasoning_tokens"),
    }
}

/// Writes the member `usage`.
pub(crate) fn write_usage(object: &mut ObjectWriter<'_>, usage: &Usage) {
    object.object("usage", |object| {
        object.plain("input_tokens", usage.input_tokens);
        object.object("input_tokens_details", |details| {
            details.plain("cached_tokens", usage.cached_tokens);
            details.plain("cache_write_tokens", usage.cache_write_tokens);
        });
        object.plain("output_tokens", usage.output_tokens);
        object.object("output_tokens_details", |details| {
            details.plain("reasoning_tokens", usage.reasoning_tokens);
        });
        let total = usage.input_tokens.saturating_add(usage.output_tokens);
        object.plain("total_tokens", total);
    });
}
